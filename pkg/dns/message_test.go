package dns

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/portalctl/portalctl/pkg/portaltest"
)

// FuzzCAA: what is read, written as zone files have it and read again is the
// same, and nothing of it reaches a terminal.
func FuzzCAA(f *testing.F) {
	for _, s := range []string{"\x00\x05issueletsencrypt.org", "\x80\x05issue;", "\x00\x09issuewild", "\x00\x05issueca.example.org; a=b; c", "\x00\x00", "\x00\x10iodef", "\x00\x03a-b", "\x00\x05ISSUE\x1b[2J\"\\"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseCAA(data)
		if err != nil {
			return
		}
		flags := byte(0)
		if c.Critical {
			flags = 128
		}
		packed := append([]byte{flags, byte(len(c.Tag))}, c.Tag...)
		again, err := parseCAA(append(packed, c.Value...))
		if err != nil || again != c {
			t.Errorf("%q read as %+v, which reads back as %+v, %v", data, c, again, err)
		}
		if s := c.String(); strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q is written %q", data, s)
		}
		set := CAASet{At: "example.com", Records: []CAA{c}}
		who, _ := c.issuer()
		if ok, why := set.Permits([]string{"letsencrypt.org"}); !ok && why == "" || ok && c.Tag == "issue" && who != "letsencrypt.org" {
			t.Errorf("%s permits letsencrypt.org: %v, %q", c, ok, why)
		}
	})
}

// FuzzMessage: an answer is taken only when it belongs to the question, and
// then its parts can be worked with.
func FuzzMessage(f *testing.F) {
	q := dnsmessage.Question{Name: dnsmessage.MustNewName("_portalctl.example.com."), Type: dnsmessage.TypeTXT, Class: dnsmessage.ClassINET}
	owner := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 300}
	opt := dnsmessage.ResourceHeader{}
	if err := opt.SetEDNS0(1232, dnsmessage.RCodeSuccess, false); err != nil {
		f.Fatal(err)
	}
	for _, m := range []dnsmessage.Message{
		{Answers: []dnsmessage.Resource{{Header: owner, Body: &dnsmessage.TXTResource{TXT: []string{"one", "two"}}}}},
		{Header: dnsmessage.Header{RCode: dnsmessage.RCodeServerFailure}, Additionals: []dnsmessage.Resource{
			{Header: opt, Body: &dnsmessage.OPTResource{Options: []dnsmessage.Option{{Code: 15, Data: []byte("\x00\x06\x1b]0;x\x07bogus")}, {Code: 15, Data: []byte{1}}}}},
		}},
		{Authorities: []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("example.com."), Class: q.Class}, Body: &dnsmessage.NSResource{NS: q.Name}}}},
	} {
		m.ID, m.Response, m.Questions = 7, true, []dnsmessage.Question{q}
		packet, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packet)
		f.Add(packet[:len(packet)-1])
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		m, err := readMessage(packet, 7, q)
		if err != nil {
			return
		}
		if len(packet) < 12 || packet[0] != 0 || packet[1] != 7 || packet[2]&0x80 == 0 {
			t.Errorf("%x was taken for an answer to question 7", packet)
		}
		for _, v := range values(m.at("_portalctl.example.com", q.Type)) {
			if len(v) > len(packet) {
				t.Errorf("%d bytes hold a text of %d", len(packet), len(v))
			}
		}
		for _, r := range m.reasons {
			if strings.ContainsFunc(r.String(), func(c rune) bool { return c < ' ' }) || len(r.Text) > maxReason {
				t.Errorf("the reason %q would act on a terminal", r)
			}
		}
		if z := m.referral("com", "_portalctl.example.com"); z != nil && (!within("_portalctl.example.com", z.name) || !within(z.name, "com") || len(z.servers) > maxServers) {
			t.Errorf("sent on to %+v", z)
		}
	})
}

// TestMachineWithoutServersOfItsOwn: where no file names the machine's
// resolvers, the operating system is asked.
func TestMachineWithoutServersOfItsOwn(t *testing.T) {
	names, authority := portaltest.NewDNS(t), portaltest.NewDNS(t)
	names.Set("example.com", "NS", "ns1.example.net")
	names.Set("ns1.example.net", "A", "192.0.2.1")
	names.Set("ns1.example.net", "AAAA", "2001:db8::1")
	names.Set("_portalctl.example.org", "TXT", "remembered")
	authority.Set("_portalctl.example.com", "TXT", "new")
	r := New(Options{Recursive: []string{}, Dial: portaltest.Network{"192.0.2.1:53": authority}.Dial})
	r.system = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, network, names.Addr)
	}}
	if f, err := r.TXT(t.Context(), "_portalctl.example.com"); err != nil || len(f.Values) != 1 || f.Values[0] != "new" || f.By != "ns1.example.net" {
		t.Errorf("by the responsible server: %+v, %v", f, err)
	}
	if f, err := r.TXT(t.Context(), "_portalctl.example.org"); err != nil || len(f.Values) != 1 || f.By != machineName {
		t.Errorf("by the machine: %+v, %v", f, err)
	}
	if f, err := r.TXT(t.Context(), "nothing.example.org"); err != nil || f.Exists {
		t.Errorf("nothing, by the machine: %+v, %v", f, err)
	}
	if _, err := r.CAA(t.Context(), "example.org"); err == nil || !strings.Contains(err.Error(), "CAA records; name a DNS server with --resolver") {
		t.Errorf("CAA by the machine: %v, want it refused", err)
	}
}

func TestServersOfTheMachine(t *testing.T) {
	path := t.TempDir() + "/resolv.conf"
	if err := os.WriteFile(path, []byte("# a comment\nsearch example.com\nnameserver 192.0.2.53\nnameserver 2001:db8::53\nnameserver\nnameserver fe80::1%eth0\nnameserver 192.0.2.54\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(machineServers(path), " ")
	if want := "192.0.2.53:53 [2001:db8::53]:53 [fe80::1%eth0]:53"; got != want {
		t.Errorf("the machine's servers are %s, want %s", got, want)
	}
	if list := machineServers(path + "-not"); list != nil {
		t.Errorf("no file: %q", list)
	}
}

func TestIssuersOfDirectories(t *testing.T) {
	for directory, want := range map[string]string{
		"https://acme-v02.api.letsencrypt.org/directory":         "letsencrypt.org",
		"https://acme-staging-v02.api.letsencrypt.org/directory": "letsencrypt.org",
		"https://dv.acme-v02.api.pki.goog/directory":             "pki.goog",
		"https://acme.zerossl.com/v2/DV90":                       "sectigo.com",
		"https://notzerossl.com/v2":                              "",
		"https://127.0.0.1:14000/dir":                            "",
		"%":                                                      "",
	} {
		got := ""
		if names := IssuersOf(directory); len(names) > 0 {
			got = names[0]
		}
		if got != want {
			t.Errorf("%s has the name %q in CAA records, want %q", directory, got, want)
		}
	}
}
