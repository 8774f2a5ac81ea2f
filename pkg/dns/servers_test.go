package dns_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/dns"
)

// servers are a real authoritative name server (Knot DNS) and a real resolver
// that checks signatures (Unbound), on loopback.
type servers struct {
	t              *testing.T
	dir            string
	authority, rec string // 127.0.0.1:PORT
}

// zones are what the name server holds. It signs the first two; of the second
// the resolver was told another key, as after a change of provider at which the
// DS record was forgotten.
var zones = map[string]string{
	"example": `
signed NS ns.signed
broken NS ns.broken
plain  NS ns.plain
other  NS ns.other
`,
	"signed.example": `
support            A     203.0.113.7
support            AAAA  2001:db8:7::7
_portalctl.support TXT   "PROOF"
`,
	"broken.example": `
support            A     203.0.113.7
support            AAAA  2001:db8:7::7
_portalctl.support TXT   "PROOF"
`,
	"plain.example": `
@                  CAA   0 issue "ca.example.org"
support            CNAME chain.other.example.
_portalctl.support TXT   "portalctl-verification=" "Vq3zPz0m1c8yJbG5rT7uW9xA2dF4hK6nQ8sU0vX3yZ1"
*.wild             TXT   "v=spf1 -all"
*.wild             A     198.51.100.9
stale              A     203.0.113.7
stale              AAAA  2001:db8:dead::9
stale              CAA   0 issue "letsencrypt.org"
_portalctl.stale   TXT   "\"PROOF\""
`,
	"other.example": `
chain              CNAME portal
portal             A     203.0.113.7
portal             AAAA  2001:db8:7::7
_portalctl.loop    CNAME _portalctl.loop.round
_portalctl.loop.round CNAME _portalctl.loop
`,
}

func startServers(t *testing.T) *servers {
	t.Helper()
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	for _, program := range []string{"knotd", "keymgr", "unbound"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed", program)
			}
			t.Skipf("%s is not installed", program)
		}
	}
	s := &servers{t: t, dir: t.TempDir(), authority: freeAddress(t), rec: freeAddress(t)}
	s.startKnot()
	s.startUnbound()
	return s
}

// freeAddress is a port of loopback where nobody listens, by UDP or TCP.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		_ = l.Close()
		if c, err := net.ListenPacket("udp", address); err == nil {
			_ = c.Close()
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}

// at writes 127.0.0.1:53 as both servers want it.
func at(address string) string { return strings.Replace(address, ":", "@", 1) }

func (s *servers) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// start runs a server until the test ends, and waits until it answers.
func (s *servers) start(address, zone, program string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(program, args...)
	log, err := os.Create(filepath.Join(s.dir, program+".log"))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
	})
	r := dns.New(dns.Options{Server: address, Wait: 200 * time.Millisecond})
	for range 200 {
		if f, err := r.TXT(s.t.Context(), "ready."+zone); err == nil && len(f.Values) == 1 {
			return
		}
		// A refused port answers at once; the server needs a moment.
		pause := time.NewTimer(50 * time.Millisecond)
		select {
		case <-s.t.Context().Done():
		case <-pause.C:
		}
	}
	text, _ := os.ReadFile(log.Name())
	s.t.Fatalf("%s does not answer for %s:\n%s", program, zone, text)
}

func (s *servers) startKnot() {
	s.t.Helper()
	conf := fmt.Sprintf("server:\n    rundir: %q\n    listen: %s\n", s.dir, at(s.authority)) +
		fmt.Sprintf("database:\n    storage: %q\nlog:\n  - target: stderr\n    any: notice\n", s.dir) +
		"policy:\n  - id: one\n    algorithm: ecdsap256sha256\n    single-type-signing: on\n" +
		fmt.Sprintf("template:\n  - id: default\n    storage: %q\n    file: \"%%s.zone\"\nzone:\n", s.dir)
	for name, records := range zones {
		head := fmt.Sprintf("$ORIGIN %s.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 600\n@ NS ns\nns A 127.0.0.1\nready TXT \"yes\"\n", name)
		s.write(name+".zone", head+strings.ReplaceAll(records, "PROOF", proof))
		conf += "  - domain: " + name + "\n"
		if name == "signed.example" || name == "broken.example" {
			conf += "    dnssec-signing: on\n    dnssec-policy: one\n"
		}
	}
	s.start(s.authority, "signed.example", "knotd", "-c", s.write("knot.conf", conf))
}

// anchor is the DS record of a zone.
func (s *servers) anchor(zone string) string {
	s.t.Helper()
	out, err := exec.Command("keymgr", "-c", filepath.Join(s.dir, "knot.conf"), zone, "ds").Output()
	if err != nil {
		s.t.Fatalf("the key of %s: %v", zone, err)
	}
	// The digest of type 2 (SHA-256) is the one everybody takes.
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) >= 6 && fields[4] == "2" {
			return strings.TrimSpace(line)
		}
	}
	s.t.Fatalf("no DS record of %s in:\n%s", zone, out)
	return ""
}

func (s *servers) startUnbound() {
	s.t.Helper()
	_, port, _ := net.SplitHostPort(s.rec)
	other := s.anchor("broken.example")
	digest := strings.Repeat("ab", 32)
	other = other[:len(other)-len(digest)] + digest
	conf := fmt.Sprintf(`server:
  interface: 127.0.0.1
  port: %s
  directory: %q
  chroot: ""
  username: ""
  pidfile: ""
  logfile: ""
  use-syslog: no
  do-daemonize: no
  do-ip6: no
  do-not-query-localhost: no
  ede: yes
  module-config: "validator iterator"
  trust-anchor: %q
  trust-anchor: %q
remote-control:
  control-enable: no
`, port, s.dir, s.anchor("signed.example"), other)
	for name := range zones {
		conf += fmt.Sprintf("stub-zone:\n  name: %q\n  stub-addr: %s\n", name, at(s.authority))
	}
	s.start(s.rec, "plain.example", "unbound", "-d", "-c", s.write("unbound.conf", conf))
}

// resolver asks the resolver, and the name server where that says that it is.
func (s *servers) resolver() *dns.Resolver {
	dialer := &net.Dialer{}
	return dns.New(dns.Options{
		Recursive: []string{s.rec},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == "127.0.0.1:53" {
				address = s.authority
			}
			return dialer.DialContext(ctx, network, address)
		},
	})
}

// TestAgainstRealNameServers holds what was learnt from the fake ones against
// servers that other people wrote.
func TestAgainstRealNameServers(t *testing.T) {
	s := startServers(t)
	for _, tt := range []struct {
		host   string
		want   func(*dns.Want)
		codes  string
		found  string // of the first finding
		proven bool
		arrive bool
	}{
		{host: "support.signed.example", proven: true, arrive: true},
		{host: "support.broken.example", codes: "dnssec dnssec", found: "the zone's DNSSEC signatures do not hold"},
		{host: "support.plain.example", want: target, codes: "caa", found: `the CAA records of plain.example (0 issue "ca.example.org") forbid certificates`, proven: true, arrive: true},
		{host: "name.wild.plain.example", codes: "wildcard wildcard caa", found: "there is none of its own; the wildcard *.wild.plain.example answers with"},
		{host: "stale.plain.example", codes: "quotes ipv6-elsewhere", found: "the text has quotation marks in it"},
		{host: "loop.other.example", codes: "alias-loop address-missing", found: "its aliases (CNAME) lead in a circle: _portalctl.loop.other.example -> _portalctl.loop.round.other.example -> _portalctl.loop.other.example"},
		{host: "nothing.signed.example", codes: "proof-missing address-missing", found: "there is no TXT record"},
	} {
		t.Run(tt.host, func(t *testing.T) {
			w := dns.Want{
				Host: tt.host, Proof: "_portalctl." + tt.host, Value: proof, Registered: tt.host[strings.Index(tt.host, ".")+1:],
				Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("2001:db8:7::7")},
				Issuers:   []string{"letsencrypt.org"}, Issues: true,
			}
			if tt.want != nil {
				tt.want(&w)
				w.Target = "portal.other.example"
			}
			rep := s.resolver().Check(t.Context(), w)
			var codes []string
			for _, f := range rep.Findings {
				codes = append(codes, f.Code)
			}
			if got := strings.Join(codes, " "); got != tt.codes || rep.Proven != tt.proven || rep.Arrives != tt.arrive {
				t.Errorf("findings %q, proven %v, arrives %v; want %q, %v, %v\n%+v", got, rep.Proven, rep.Arrives, tt.codes, tt.proven, tt.arrive, rep)
			}
			if tt.found != "" && (len(rep.Findings) == 0 || !strings.HasPrefix(rep.Findings[0].Found, tt.found)) {
				t.Errorf("found %+v; want %q", rep.Findings, tt.found)
			}
		})
	}
}
