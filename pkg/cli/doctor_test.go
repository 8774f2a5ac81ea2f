package cli

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/portaltest/imaptest"
	"github.com/portalctl/portalctl/pkg/portaltest/smtptest"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/web"
)

// clinic is a portal that is set up as it should be: a domain of its own, a
// certificate, a mail server that takes mail and a mailbox that is read, and
// the DNS records of all of them.
type clinic struct {
	t     *testing.T
	dir   string
	vars  map[string]string
	now   func() time.Time
	dns   *portaltest.DNS
	smtp  *smtptest.Server
	imap  *imaptest.Server
	reach app.ReachOptions

	key    *ecdsa.PrivateKey
	shown  atomic.Pointer[tls.Certificate] // by the site
	served atomic.Pointer[http.Handler]    // at the site
	dial   atomic.Pointer[func(context.Context) (net.Conn, error)]
}

const (
	clinicHost = "support.brewline.example"
	clinicDesk = "desk.brewline.example"
)

func newClinic(t *testing.T) *clinic {
	t.Helper()
	c := &clinic{t: t, dir: t.TempDir(), now: time.Now, dns: portaltest.NewDNS(t), imap: imaptest.Start(t, imaptest.Options{})}
	c.smtp = smtptest.Start(t, smtptest.Options{Data: func(m *smtptest.Mail) error {
		if m.To == imaptest.User {
			c.imap.Add(t, "INBOX", strings.ReplaceAll(string(m.Raw), "\r\n", "\n"))
		}
		return nil
	}})
	store := filepath.Join(c.dir, "store", "portal.db")
	if err := os.Mkdir(filepath.Dir(store), 0o700); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(c.dir, "dkim.pem")
	c.vars = map[string]string{
		"HOME": c.dir, "PORTALCTL_STORE": store, "PORTALCTL_RESOLVER": c.dns.Addr, "PORTALCTL_NO_INPUT": "true",
		"PORTALCTL_BASE_URL": "https://" + clinicDesk,
	}
	c.ok("init", "--name", "Brewline Support", "--domain", "system", "--slug", "help", "--inbox", "Support", "--inbox-kind", "inbox",
		"--inbox-address", imaptest.User, "--permissions", "contact", "--access", "groups", "--group", "customers")
	c.ok("agents", "add", "ines@desk.example", "--name", "Ines Holm")
	c.ok("contacts", "add", "ana@acme.example", "--name", "Ana Berg")
	c.ok("groups", "members", "customers", "--add", "ana@acme.example")
	password := filepath.Join(c.dir, "password")
	if err := os.WriteFile(password, []byte(imaptest.Password), 0o600); err != nil {
		t.Fatal(err)
	}
	c.ok("inbox", "set", "Support", "--imap", fmt.Sprintf("imap://%s@%s:%d/INBOX?starttls=off", url.QueryEscape(imaptest.User), c.imap.Host, c.imap.Port), "--imap-password-file", password)
	c.dns.Set(clinicDesk, "A", "203.0.113.7")
	c.dns.Set(clinicHost, "CNAME", clinicDesk)
	c.dns.Paste(c.zone(c.run("domain", "connect", clinicHost, "--address", clinicDesk, "--output", "zone")))
	c.ok("domain", "verify", clinicHost)
	c.ok("portal", "set", "--domain", clinicHost)
	record := c.zone(c.ok("mail", "dkim", "--make", key, "--dkim-domain", "example.com"))
	name, text, _ := strings.Cut(record, ". IN TXT ")
	c.dns.SetStrings(name, strings.Split(strings.Trim(text, `()"`), `" "`)...)
	c.dns.Set("example.com", "TXT", "v=spf1 mx -all", "something=else")
	c.dns.Set("_dmarc.example.com", "TXT", "v=DMARC1; p=quarantine")
	c.vars["PORTALCTL_SMTP"] = fmt.Sprintf("smtp://%s:%d?starttls=off", c.smtp.Host, c.smtp.Port)
	c.vars["PORTALCTL_MAIL_FROM"], c.vars["PORTALCTL_DKIM_KEY"] = "support@example.com", key
	c.site()
	c.started(func(*app.ServeFacts) {})
	return c
}

// zone leaves the records of what a command printed.
func (c *clinic) zone(out, _ string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, " IN TXT ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	if len(lines) == 0 {
		c.t.Fatalf("there is no record in %q", out)
	}
	return strings.Join(lines, "\n")
}

// env is a command's world.
func (c *clinic) env(out, said *bytes.Buffer) *Env {
	return &Env{
		In: strings.NewReader(""), Out: out, Err: said, Now: c.now, Version: "test", User: "tester", Reach: c.reach,
		Getenv: func(name string) string { return c.vars[name] }, Environ: func() []string { return nil },
	}
}

func (c *clinic) run(args ...string) (out, said string) {
	c.t.Helper()
	var o, e bytes.Buffer
	Run(c.t.Context(), c.env(&o, &e), args)
	return o.String(), e.String()
}

func (c *clinic) ok(args ...string) (out, said string) {
	c.t.Helper()
	var o, e bytes.Buffer
	if code := Run(c.t.Context(), c.env(&o, &e), args); code != 0 {
		c.t.Fatalf("portalctl %q: exit %d: %s%s", args, code, &o, &e)
	}
	return o.String(), e.String()
}

// withApp works on the store as serve would.
func (c *clinic) withApp(work func(*app.App) error) {
	c.t.Helper()
	s, err := store.Open(c.t.Context(), c.vars["PORTALCTL_STORE"], store.Options{Now: c.now})
	if err != nil {
		c.t.Fatal(err)
	}
	defer s.Close()
	if err := work(app.New(app.Options{Store: s, Now: c.now})); err != nil {
		c.t.Fatal(err)
	}
}

// started has serve be started once.
func (c *clinic) started(change func(*app.ServeFacts)) {
	c.t.Helper()
	f := app.ServeFacts{BaseURL: "https://" + clinicDesk, TLS: "auto", Listen: []string{"0.0.0.0:443"}, Reachable: true, OpenFiles: 65536}
	change(&f)
	c.withApp(func(a *app.App) error { return a.RememberServe(c.t.Context(), f) })
}

// site serves the portals by TLS, wherever their hosts lead.
func (c *clinic) site() {
	c.t.Helper()
	var err error
	if c.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		c.t.Fatal(err)
	}
	s, err := store.Open(c.t.Context(), c.vars["PORTALCTL_STORE"], store.Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { s.Close() })
	base := &url.URL{Scheme: "https", Host: clinicDesk}
	pages := web.New(web.Options{App: app.New(app.Options{Store: s, BaseURL: base}), BaseURL: base}).Handler()
	c.served.Store(&pages)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*c.served.Load()).ServeHTTP(w, r) }))
	server.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.shown.Load(), nil }}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	c.t.Cleanup(server.Close)
	c.certificate(90*24*time.Hour, clinicHost, clinicDesk)
	address := server.Listener.Addr().String()
	dial := func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	c.dial.Store(&dial)
	c.reach.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return (*c.dial.Load())(ctx) }
}

// certificate has the site show one for the hosts, from an authority that
// doctor knows.
func (c *clinic) certificate(left time.Duration, hosts ...string) {
	c.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: hosts, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(left),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, c.key.Public(), c.key)
	if err != nil {
		c.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		c.t.Fatal(err)
	}
	c.reach.Roots = x509.NewCertPool()
	c.reach.Roots.AddCert(leaf)
	c.shown.Store(&tls.Certificate{Certificate: [][]byte{der}, PrivateKey: c.key})
}

// examined runs doctor.
func (c *clinic) examined(args ...string) (found []app.Checked, code int) {
	c.t.Helper()
	var out, said bytes.Buffer
	code = Run(c.t.Context(), c.env(&out, &said), append([]string{"doctor", "--output", "json"}, args...))
	if err := json.Unmarshal(out.Bytes(), &found); err != nil {
		c.t.Fatalf("doctor prints %s%s: %v", &out, &said, err)
	}
	return found, code
}

func TestDoctorFindsNothingWhereAllIsWell(t *testing.T) {
	c := newClinic(t)
	found, code := c.examined("--strict")
	seen := map[string]bool{}
	for _, f := range found {
		seen[f.Code] = true
		if f.Severity != portal.SeverityOK {
			t.Errorf("%+v", f)
		}
	}
	if code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
	for _, want := range []string{
		"store.integrity", "store.room", "store.rights", "clock.store", "server.proxy", "server.files", "dns.base_url", "dns.domain", "reach.site", "tls.certificate",
		"mail.spf", "mail.dkim", "mail.dmarc", "mail.smtp", "mail.imap", "access.agents", "access.mode",
	} {
		if !seen[want] && (want != "store.room" || runtime.GOOS != "windows") {
			t.Errorf("nothing looked at %s", want)
		}
	}
	out, _ := c.ok("doctor")
	if !strings.Contains(out, "\n  ok    "+clinicHost+": proven, and visitors arrive\n") {
		t.Errorf("doctor prints\n%s", out)
	}
	out, _ = c.ok("doctor", "--output", "csv")
	if !strings.HasPrefix(out, "area,code,severity,about,found,wanted,todo\nstore,store.integrity,ok,") {
		t.Errorf("as CSV doctor prints\n%s", out)
	}
	sent := 0
	found, code = c.examined("--send")
	for _, f := range found {
		if f.Code == "mail.around" && f.Severity == portal.SeverityOK && strings.Contains(f.Found, "lies in the mailbox") {
			sent++
		}
	}
	if sent != 1 || code != 0 || len(c.smtp.Mails()) != 1 {
		t.Errorf("a message was seen to arrive %d times, %d sent, exit %d: %+v", sent, len(c.smtp.Mails()), code, found)
	}
}

func TestDoctorNamesWhatIsBroken(t *testing.T) {
	c := newClinic(t)
	healthy := *c.shown.Load()
	roots := c.reach.Roots
	dial, served := c.dial.Load(), c.served.Load()
	_, proof, _ := strings.Cut(c.zone(c.run("domain", "show", clinicHost, "--output", "zone")), " IN TXT ")
	proof = strings.Trim(proof, `"`)
	notFound := func(context.Context) (net.Conn, error) { return nil, &net.DNSError{Name: clinicHost, IsNotFound: true} }
	refused := func(context.Context) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	silent := func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	other := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "It works!") }))
	var unaware http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := httptest.NewRecorder()
		(*served).ServeHTTP(got, r)
		for name, values := range got.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Referrer-Policy", "same-origin")
		_, _ = w.Write(got.Body.Bytes())
	})
	keyPath := c.vars["PORTALCTL_STORE"] + ".key"
	chmod := func(path string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name         string
		breaks, mend func()
		severity     portal.Severity
		code, found  string
		todo         string
	}{
		{
			"the key can be read by others", func() { chmod(keyPath, 0o644) }, func() { chmod(keyPath, 0o600) },
			"fail", "store.rights", "others may use it (0644)", "chmod 600 " + keyPath,
		},
		{
			"the clock went back", func() { c.now = func() time.Time { return time.Now().Add(-time.Hour) } }, func() { c.now = time.Now },
			"fail", "clock.store", "before the newest entry in the store", "timedatectl set-ntp true",
		},
		{"serve never ran here", func() {
			c.withApp(func(a *app.App) error {
				return a.Store().Write(t.Context(), func(tx *store.Tx) error { return tx.SetMeta(t.Context(), "serve", "") })
			})
		}, func() { c.started(func(*app.ServeFacts) {}) }, "fail", "server.none", "never run", "portalctl serve"},
		{
			"a proxy that is not trusted", func() { c.started(func(f *app.ServeFacts) { f.TLS = "off" }) }, func() { c.started(func(*app.ServeFacts) {}) },
			"fail", "server.proxy", "all visitors count as one", "--trusted-proxy",
		},
		{
			"everybody is trusted", func() { c.started(func(f *app.ServeFacts) { f.Proxies = []string{"0.0.0.0/0"} }) }, func() { c.started(func(*app.ServeFacts) {}) },
			"fail", "server.proxy", "everybody counts as a proxy", "--trusted-proxy",
		},
		{
			"another base URL", func() { c.started(func(f *app.ServeFacts) { f.BaseURL = "https://old.example" }) }, func() { c.started(func(*app.ServeFacts) {}) },
			"warn", "server.base_url", "serve was started with https://old.example", "base-url = ",
		},
		{
			"few open files", func() { c.started(func(f *app.ServeFacts) { f.OpenFiles = 256 }) }, func() { c.started(func(*app.ServeFacts) {}) },
			"warn", "server.files", "256 files", "LimitNOFILE",
		},
		{
			"the proof is gone", func() { c.dns.Set("_portalctl."+clinicHost, "TXT") }, func() { c.dns.Set("_portalctl."+clinicHost, "TXT", proof) },
			"fail", "", "", proof,
		},
		{
			"the base URL has no address", func() { c.dns.Set(clinicDesk, "A") }, func() { c.dns.Set(clinicDesk, "A", "203.0.113.7") },
			"fail", "dns.base_url", "has no address", clinicDesk + ". 300 IN A",
		},
		{
			"another authority may issue alone", func() { c.dns.Set("brewline.example", "CAA", `0 issue "other.example"`) }, func() { c.dns.Set("brewline.example", "CAA") },
			"", "caa", "", "CAA",
		},
		{
			"the site's name is not found", func() { c.dial.Store(&notFound) }, func() { c.dial.Store(dial) },
			"fail", "reach.name", "is not found", "add an A or AAAA record",
		},
		{
			"nobody listens", func() { c.dial.Store(&refused) }, func() { c.dial.Store(dial) },
			"fail", "reach.site", "nobody listens there", "portalctl serve",
		},
		{
			"the site is silent", func() { c.dial.Store(&silent) }, func() { c.dial.Store(dial) },
			"warn", "reach.site", "no answer", "from another network",
		},
		{
			"somebody else answers", func() { c.served.Store(&other) }, func() { c.served.Store(served) },
			"fail", "reach.site", "somebody else answers there (200 OK)", "lead to serve",
		},
		{
			"a proxy hides that it speaks TLS", func() { c.served.Store(&unaware) }, func() { c.served.Store(served) },
			"fail", "server.scheme", "takes it for http", "--trusted-proxy",
		},
		{
			"the certificate is for another host", func() { c.certificate(90*24*time.Hour, "other.example") }, func() { c.shown.Store(&healthy); c.reach.Roots = roots },
			"fail", "tls.certificate", "the certificate is for other.example", "--tls auto",
		},
		{
			"the certificate ended", func() { c.certificate(-time.Hour, clinicHost, clinicDesk) }, func() { c.shown.Store(&healthy); c.reach.Roots = roots },
			"fail", "tls.certificate", "the certificate is valid from", "renew it",
		},
		{
			"the certificate ends soon", func() { c.certificate(20*time.Hour, clinicHost, clinicDesk) }, func() { c.shown.Store(&healthy); c.reach.Roots = roots },
			"warn", "tls.certificate", "0 days left", "",
		},
		{
			"the certificate comes from nobody", func() { c.reach.Roots = x509.NewCertPool() }, func() { c.reach.Roots = roots },
			"fail", "tls.certificate", "comes from nobody browsers know", "fullchain.pem",
		},
		{
			"the mail server is away", func() { c.vars["PORTALCTL_SMTP"] = "smtp://127.0.0.1:1?starttls=off" }, func() { c.vars["PORTALCTL_SMTP"] = fmt.Sprintf("smtp://%s:%d?starttls=off", c.smtp.Host, c.smtp.Port) },
			"fail", "mail.smtp", "cannot connect to the mail server", "check --smtp",
		},
		{
			"the DKIM key cannot be read", func() { c.vars["PORTALCTL_DKIM_KEY"] += ".gone" }, func() { c.vars["PORTALCTL_DKIM_KEY"] = strings.TrimSuffix(c.vars["PORTALCTL_DKIM_KEY"], ".gone") },
			"fail", "mail.settings", "dkim.pem.gone", "",
		},
		{
			"mail is not signed", func() { c.vars["no"], c.vars["PORTALCTL_DKIM_KEY"] = c.vars["PORTALCTL_DKIM_KEY"], "" }, func() { c.vars["PORTALCTL_DKIM_KEY"] = c.vars["no"] },
			"warn", "mail.dkim", "not signed by serve", "portalctl mail dkim",
		},
		{
			"another key is published", func() { c.dns.Set("portalctl._domainkey.example.com", "TXT", "v=DKIM1; k=rsa; p=AAAA") }, nil,
			"fail", "mail.dkim", "another key is published", "portalctl._domainkey.example.com. 3600 IN TXT \"v=DKIM1;",
		},
		{
			"no key is published", func() { c.dns.Set("portalctl._domainkey.example.com", "TXT") }, nil,
			"fail", "mail.dkim", "is not published", "portalctl._domainkey.example.com. 3600 IN TXT \"v=DKIM1;",
		},
		{
			"no SPF", func() { c.dns.Set("example.com", "TXT", "something=else") }, nil,
			"warn", "mail.spf", "no SPF record", `example.com. 3600 IN TXT "v=spf1 mx ~all"`,
		},
		{
			"SPF for everybody", func() { c.dns.Set("example.com", "TXT", "v=spf1 +all") }, nil,
			"fail", "mail.spf", "lets everybody send", "~all",
		},
		{
			"SPF without an end", func() { c.dns.Set("example.com", "TXT", "v=spf1 mx") }, nil,
			"warn", "mail.spf", "says nothing of everybody else", `"v=spf1 mx ~all"`,
		},
		{
			"SPF twice", func() { c.dns.Set("example.com", "TXT", "v=spf1 mx -all", "v=spf1 a -all") }, func() { c.dns.Set("example.com", "TXT", "v=spf1 mx -all") },
			"fail", "mail.spf", "2 SPF records", "put them together",
		},
		{
			"no DMARC", func() { c.dns.Set("_dmarc.example.com", "TXT") }, nil,
			"warn", "mail.dmarc", "no DMARC record", `_dmarc.example.com. 3600 IN TXT "v=DMARC1; p=quarantine; rua=mailto:postmaster@example.com"`,
		},
		{
			"DMARC without a policy", func() { c.dns.Set("_dmarc.example.com", "TXT", "v=DMARC1; rua=mailto:a@example.com") }, func() { c.dns.Set("_dmarc.example.com", "TXT", "v=DMARC1; p=none") },
			"fail", "mail.dmarc", "has no policy", "p=quarantine",
		},
		{
			"nobody gets in", func() { c.ok("groups", "members", "customers", "--remove", "ana@acme.example") }, func() { c.ok("groups", "members", "customers", "--add", "ana@acme.example") },
			"fail", "access.mode", "its access groups are empty", `portalctl groups members "customers" --add`,
		},
		{
			"everybody gets in", func() { c.ok("access", "set", "self-register") }, func() { c.ok("access", "set", "groups", "--group", "customers") },
			"warn", "access.mode", "whoever has a mail address may register", "--allow-domain",
		},
		{
			"a draft", func() { c.ok("portal", "set", "--state", "draft") }, func() { c.ok("portal", "set", "--state", "live") },
			"warn", "access.state", "only agents can open it", "portalctl portal set --state live",
		},
		{"the mailbox's password changed", func() {
			other := filepath.Join(c.dir, "other")
			if err := os.WriteFile(other, []byte("another"), 0o600); err != nil {
				t.Fatal(err)
			}
			c.ok("inbox", "set", "Support", "--imap-password-file", other, "--no-check")
		}, nil, "fail", "mail.imap", "", ""},
		{
			"no agent is left", func() { c.ok("agents", "remove", "ines@desk.example", "--yes") }, nil,
			"fail", "access.agents", "nobody can answer", "portalctl agents add",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.breaks()
			found, code := c.examined("--timeout", "2s")
			if tt.mend != nil {
				tt.mend()
			}
			for _, f := range found {
				if (tt.code == "" || strings.HasPrefix(f.Code, tt.code)) && (tt.severity == "" && f.Severity != portal.SeverityOK || f.Severity == tt.severity) &&
					strings.Contains(f.Found, tt.found) && strings.Contains(f.Todo, tt.todo) {
					if fails := f.Severity == portal.SeverityFail; fails && code != 1 {
						t.Errorf("exit %d, want 1", code)
					}
					return
				}
			}
			t.Errorf("nothing says %s %s %q, do %q (exit %d):", tt.severity, tt.code, tt.found, tt.todo, code)
			for _, f := range found {
				if f.Severity != portal.SeverityOK {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

func TestDoctorEndsAtOnce(t *testing.T) {
	c := newClinic(t)
	ctx, cancel := context.WithCancel(t.Context())
	silent := func(ctx context.Context) (net.Conn, error) {
		cancel() // Ctrl-C, while a site is waited for
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c.dial.Store(&silent)
	var out, said bytes.Buffer
	if code := Run(ctx, c.env(&out, &said), []string{"doctor", "--timeout", "10m"}); code == 0 || out.Len() > 0 {
		t.Errorf("exit %d, printed %q %q", code, &out, &said)
	}
}
