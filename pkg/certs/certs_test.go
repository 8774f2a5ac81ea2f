package certs

import (
	"context"
	"crypto/tls"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest/acmetest"
)

func TestBothChallengesLeadToACertificate(t *testing.T) {
	for name, asked := range map[string]func(w *world) acmetest.Options{
		// The authority reaches one port only; it refuses half of all nonces,
		// as a loaded one does.
		"HTTP-01": func(w *world) acmetest.Options {
			return acmetest.Options{HTTP: w.plain.Addr(), Env: []string{"PEBBLE_WFE_NONCEREJECT=50"}}
		},
		"TLS-ALPN-01": func(w *world) acmetest.Options {
			return acmetest.Options{TLS: w.tls.Addr(), Env: []string{"PEBBLE_WFE_NONCEREJECT=50"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t).at("support.example.test")
			w.ask(asked(w))
			m, _ := w.start(nil)
			w.serve(m)
			// The visitor who comes first waits for it.
			state := w.fetches("support.example.test")
			c := w.until("support.example.test", good)
			if !strings.Contains(c.Issuer, "Pebble") || time.Until(c.NotAfter) < 80*24*time.Hour || c.Error != "" {
				t.Errorf("noted %+v", c)
			}
			if state.Version != tls.VersionTLS13 || state.NegotiatedProtocol != "h2" {
				t.Errorf("the page came by %s and %q", tls.VersionName(state.Version), state.NegotiatedProtocol)
			}
		})
	}
}

func TestOnlyKnownHostsAreAnswered(t *testing.T) {
	w := newWorld(t).at("support.example.test").ask(acmetest.Options{})
	w.dns.Set("other.example.test", "A", "127.0.0.1")
	m, _ := w.start(func(o *Options) {
		o.Hosts = func(context.Context) ([]string, error) { return []string{"support.example.test"}, nil }
	})
	w.serve(m)
	w.until("support.example.test", func(portal.Certificate) bool { return true })
	orders := w.authority.Orders()
	for _, name := range []string{"other.example.test", "support.example.test.evil.test", "..", ""} {
		conn, err := tls.Dial("tcp", w.tls.Addr().String(), &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if err == nil {
			conn.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%q: %v, want the alert that the name is unknown", name, err)
		}
	}
	if w.authority.Orders() > orders+1 {
		t.Error("names of strangers led to orders")
	}
	for host, want := range map[string]int{"other.example.test": 404, "support.example.test": 404} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.plain.Addr().String()+"/.well-known/acme-challenge/none", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: a question nobody asked is answered %d, want %d", host, answer.StatusCode, want)
		}
	}
}

func TestDomainsComeAndGoWhileServing(t *testing.T) {
	w := newWorld(t).at("support.example.test")
	w.ask(w.both())
	m, _ := w.start(nil)
	w.serve(m)
	w.until("support.example.test", good)
	w.at("help.example.test")
	w.until("help.example.test", good)
	w.fetches("help.example.test")
	w.leave("support.example.test")
	w.until("support.example.test", func(c portal.Certificate) bool { return c.State == "" })
	if _, _, err := w.authority.Fetch(t, w.tls.Addr(), "support.example.test", "/"); err == nil {
		t.Error("a host that was removed is still served by TLS")
	}
	if _, err := m.configFor(m.cache.AllMatchingCertificates("help.example.test")[0]); err != nil {
		t.Errorf("who looks after the host that stays: %v", err)
	}
	if got := m.cache.AllMatchingCertificates("support.example.test"); len(got) != 0 {
		t.Error("the certificate of the host that was removed would be renewed")
	}
	w.fetches("help.example.test")
}

func TestOneFailingHostLeavesOthersAlone(t *testing.T) {
	w := newWorld(t).at("support.example.test", "forbidden.example.test", "nowhere.example.test", "lost.example.test")
	w.dns.Set("nowhere.example.test", "A")
	w.refused["lost.example.test"] = true
	o := w.both()
	o.Blocked = []string{"forbidden.example.test"}
	w.ask(o)
	m, _ := w.start(nil)
	w.serve(m)
	failures := map[string]string{}
	served := false
	for end := time.After(patience); len(failures) < 3 || !served; {
		select {
		case c := <-w.notes:
			switch {
			case failing(c):
				failures[c.Host] = c.Error
				if c.Failures == 0 || c.ErrorAt.IsZero() || !c.NextAt.After(c.ErrorAt) || !c.NotAfter.IsZero() {
					t.Errorf("noted %+v", c)
				}
			case good(c):
				served = c.Host == "support.example.test"
			}
		case <-end:
			t.Fatalf("failures %v, served %v", failures, served)
		}
	}
	w.fetches("support.example.test")
	for host, want := range map[string][]string{
		"forbidden.example.test": {"does not issue for forbidden.example.test", "--acme-directory"},
		"nowhere.example.test":   {"nowhere.example.test", "domain verify nowhere.example.test"},
		"lost.example.test":      {"the domain is not verified any more"},
	} {
		for _, text := range want {
			if !strings.Contains(failures[host], text) {
				t.Errorf("%s: %q does not say %q", host, failures[host], text)
			}
		}
	}
	// A visitor of one that fails is not kept waiting.
	start := time.Now()
	if _, _, err := w.authority.Fetch(t, w.tls.Addr(), "forbidden.example.test", "/"); err == nil || time.Since(start) > handshakeTime/2 {
		t.Errorf("a host without a certificate: %v after %v", err, time.Since(start))
	}
}

func TestAccountsAtTheAuthority(t *testing.T) {
	const key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
	w := newWorld(t).at("support.example.test")
	o := w.both()
	o.Accounts = map[string]string{"kid-1": key}
	w.ask(o)
	for _, tt := range []struct {
		name    string
		change  func(*Options)
		want    string // "": it works
		advised string
	}{
		{"none", func(*Options) {}, "wants an account it knows", "--acme-eab-kid"},
		{"wrong key", func(o *Options) { o.KeyID, o.Key = "kid-1", "d3Jvbmd3cm9uZ3dyb25nd3Jvbmd3cm9uZ3dyb25n" }, `does not take the account "kid-1"`, "--acme-eab-kid and its key"},
		{"unknown", func(o *Options) { o.KeyID, o.Key = "kid-2", key }, `does not take the account "kid-2"`, "--acme-eab-kid and its key"},
		{"private root missing", func(o *Options) { o.KeyID, o.Key, o.Roots = "kid-1", key, nil }, "whose root is not known here", "--acme-ca"},
		{"nobody there", func(o *Options) { o.Directory = "https://127.0.0.1:1/dir" }, "127.0.0.1:1 cannot be reached", "may connect"},
		{"right, and padded", func(o *Options) { o.KeyID, o.Key, o.Email = "kid-1", key+"==", "hostmaster@example.com" }, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, stop := w.start(tt.change)
			defer stop()
			if tt.want == "" {
				w.serve(m)
				w.until("support.example.test", good)
				return
			}
			c := w.until("support.example.test", failing)
			if !strings.Contains(c.Error, tt.want) || !strings.Contains(c.Error, tt.advised) {
				t.Errorf("told %q, want %q and %q", c.Error, tt.want, tt.advised)
			}
		})
	}
}

func TestCertificateIsRenewedInTime(t *testing.T) {
	w := newWorld(t).at("support.example.test")
	o := w.both()
	o.Validity = 12 * time.Second
	w.ask(o)
	m, stop := w.start(nil)
	w.serve(m)
	first := w.until("support.example.test", good)
	second := w.until("support.example.test", good)
	if !second.NotAfter.After(first.NotAfter) {
		t.Errorf("renewed: valid until %v, before %v", second.NotAfter, first.NotAfter)
	}
	w.fetches("support.example.test")
	if w.authority.Said("is a replacement of") == 0 {
		t.Error("the authority was not told which certificate is replaced")
	}
	// From now on renewals fail; the certificate there is stays, and it is told.
	w.dns.Set("support.example.test", "A")
	c := w.until("support.example.test", failing)
	if c.NotAfter.IsZero() || c.Issuer == "" || !strings.Contains(c.Error, "support.example.test") {
		t.Errorf("noted %+v, want the certificate there is and why it is not renewed", c)
	}
	stop()
}

func TestTwoServersShareTheFolder(t *testing.T) {
	w := newWorld(t).at("support.example.test", "help.example.test")
	w.ask(w.both())
	one, _ := w.start(nil)
	two, _ := w.start(nil)
	// Only one of them is asked, whoever of them placed the order.
	w.serve(one)
	for range 4 {
		select {
		case c := <-w.notes:
			if !good(c) {
				continue
			}
		case <-time.After(patience):
			t.Fatal("no certificates")
		}
	}
	for _, host := range []string{"support.example.test", "help.example.test"} {
		for end := time.Now().Add(patience); !one.host(host).has() || !two.host(host).has(); {
			if time.Now().After(end) {
				t.Fatalf("%s: not both servers have a certificate", host)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if !one.leaf(host).Equal(two.leaf(host)) {
			t.Errorf("%s: two servers of one folder have two certificates", host)
		}
	}
	if n := w.authority.Orders(); n != 2 {
		t.Errorf("%d orders for two hosts of two servers", n)
	}
}

func TestLeftoversOfACrashAreReplaced(t *testing.T) {
	w := newWorld(t).at("support.example.test")
	w.ask(w.both())
	m, stop := w.start(nil)
	w.serve(m)
	w.until("support.example.test", good)
	stop()
	// Killed between two files: the key is of another certificate.
	found := 0
	err := filepath.WalkDir(w.folder, func(path string, e fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".key" && strings.Contains(path, "support.example.test") {
			found++
			return os.WriteFile(path, []byte("half a key"), 0o600)
		}
		return err
	})
	if err != nil || found != 1 {
		t.Fatalf("%d keys, %v", found, err)
	}
	again := newWorld(t)
	again.folder, again.authority, again.dns, again.hosts = w.folder, w.authority, w.dns, w.hosts
	again.tls, again.plain = w.tls, w.plain
	orders := w.authority.Orders()
	// The first server's listeners are gone with it; the authority has an
	// answer from before and asks nobody.
	m, _ = again.start(nil)
	again.until("support.example.test", good)
	if w.authority.Orders() == orders || m.leaf("support.example.test") == nil {
		t.Error("the broken certificate was not replaced")
	}
}

func TestFolderIsForItsOwnerAlone(t *testing.T) {
	if os.PathSeparator == '\\' {
		t.Skip("rights are those of the user's folder")
	}
	folder := filepath.Join(t.TempDir(), "certificates")
	if n, err := prepare(folder); n != 0 || err != nil {
		t.Fatalf("a new folder: %d, %v", n, err)
	}
	open := map[string]fs.FileMode{"": 0o755, "acme": 0o777, "acme/a.key": 0o644, "acme/b.crt": 0o660, "acme/c.key": 0o600}
	for _, name := range []string{"acme", "acme/a.key", "acme/b.crt", "acme/c.key"} {
		path := filepath.Join(folder, name)
		if filepath.Ext(name) == "" {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range open {
		if err := os.Chmod(filepath.Join(folder, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := prepare(folder); n != 4 || err != nil {
		t.Errorf("tightened %d, %v; want the two folders and two files that were open", n, err)
	}
	for name := range open {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%q is %v, %v", name, info.Mode(), err)
		}
	}
	if err := os.Symlink("/etc", filepath.Join(folder, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	if _, err := prepare(folder); err == nil || !strings.Contains(err.Error(), "leads somewhere else") {
		t.Errorf("a link out of the folder: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := prepare(file); err == nil {
		t.Error("a file in the folder's place is taken for it")
	}
}
