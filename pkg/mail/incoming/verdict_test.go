package incoming

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestVerdictsOf(t *testing.T) {
	type results = []portal.DomainVerdict
	tests := []struct {
		name  string
		value string
		want  portal.MailVerdict
	}{
		{"nothing", "", portal.MailVerdict{}},
		{"no result", "mx.desk.example; none", portal.MailVerdict{Server: "mx.desk.example"}},
		{"only a server", "mx.desk.example", portal.MailVerdict{Server: "mx.desk.example"}},
		{
			"as the large providers write it",
			"mx.provider.example;\r\n       dkim=pass header.i=@customer.example header.s=20260601 header.b=aB3/x==;\r\n" +
				"       spf=pass (provider.example: domain of ana@customer.example designates 192.0.2.7 as permitted sender) smtp.mailfrom=ana@customer.example;\r\n" +
				"       dmarc=pass (p=NONE sp=QUARANTINE dis=NONE) header.from=Customer.Example",
			portal.MailVerdict{
				Server: "mx.provider.example", DMARC: "pass", DMARCDomain: "customer.example",
				DKIM: results{{Result: "pass", Domain: "customer.example"}},
				SPF:  results{{Result: "pass", Domain: "customer.example"}},
			},
		},
		{
			"without a server, as one large provider writes it",
			"spf=pass (sender IP is 192.0.2.7) smtp.mailfrom=customer.example; dkim=pass (signature was verified) header.d=customer.example;dmarc=pass action=none header.from=customer.example;compauth=pass reason=100",
			portal.MailVerdict{
				DMARC: "pass", DMARCDomain: "customer.example",
				DKIM: results{{Result: "pass", Domain: "customer.example"}},
				SPF:  results{{Result: "pass", Domain: "customer.example"}},
			},
		},
		{
			"versions", "mx.desk.example 1; dkim/1=pass header.d=a.example",
			portal.MailVerdict{Server: "mx.desk.example", DKIM: results{{Result: "pass", Domain: "a.example"}}},
		},
		{
			"a comment before everything", "(seen (twice)) MX.Desk.Example. (v1); spf = fail smtp.mailfrom = x@b.example",
			portal.MailVerdict{Server: "mx.desk.example", SPF: results{{Result: "fail", Domain: "b.example"}}},
		},
		{
			"a comment directly behind a result", "mx.desk.example; dmarc=fail(p=reject dis=none) header.from=a.example",
			portal.MailVerdict{Server: "mx.desk.example", DMARC: "fail", DMARCDomain: "a.example"},
		},
		{
			"a quoted server and value", `"mx.desk.example"; spf=pass reason="said \"yes\"; dmarc=pass" smtp.mailfrom="a b"@c.example`,
			portal.MailVerdict{Server: "mx.desk.example", SPF: results{{Result: "pass", Domain: "c.example"}}},
		},
		{
			"several signatures", "mx.desk.example; dkim=fail reason=\"bad\" header.d=list.example; dkim=pass header.d=a.example header.i=@sub.a.example",
			portal.MailVerdict{Server: "mx.desk.example", DKIM: results{{Result: "fail", Domain: "list.example"}, {Result: "pass", Domain: "a.example"}}},
		},
		{
			"the null path", "mx.desk.example; spf=none smtp.mailfrom=<> smtp.helo=out.a.example",
			portal.MailVerdict{Server: "mx.desk.example", SPF: results{{Result: "none"}}},
		},
		{
			"the older name", "mx.desk.example; spf=pass smtp.mail=x@a.example",
			portal.MailVerdict{Server: "mx.desk.example", SPF: results{{Result: "pass", Domain: "a.example"}}},
		},
		{
			"upper case", "MX.DESK.EXAMPLE; DMARC=PASS HEADER.FROM=A.EXAMPLE",
			portal.MailVerdict{Server: "mx.desk.example", DMARC: "pass", DMARCDomain: "a.example"},
		},
		{
			"methods nobody here weighs", "mx.desk.example; iprev=pass policy.iprev=192.0.2.7; arc=pass (i=2); auth=pass smtp.auth=ana; dmarc=none",
			portal.MailVerdict{Server: "mx.desk.example", DMARC: "none"},
		},
		{
			"empty statements", "mx.desk.example;; ;dmarc=pass;",
			portal.MailVerdict{Server: "mx.desk.example", DMARC: "pass"},
		},
		{
			"a domain in its own letters", "mx.desk.example; dkim=pass header.d=bücher.example",
			portal.MailVerdict{Server: "mx.desk.example", DKIM: results{{Result: "pass", Domain: "xn--bcher-kva.example"}}},
		},
		{
			"two DMARC results: a fail stays", "mx.desk.example; dmarc=pass header.from=a.example; dmarc=fail header.from=b.example",
			portal.MailVerdict{Server: "mx.desk.example", DMARC: "fail", DMARCDomain: "b.example"},
		},
		{
			"two DMARC results: a fail comes first", "mx.desk.example; dmarc=fail header.from=b.example; dmarc=pass header.from=a.example",
			portal.MailVerdict{Server: "mx.desk.example", DMARC: "fail", DMARCDomain: "b.example"},
		},
		{
			"two DMARC passes of two domains", "mx.desk.example; dmarc=pass header.from=b.example; dmarc=pass header.from=a.example",
			portal.MailVerdict{Server: "mx.desk.example", DMARC: "permerror", DMARCDomain: "b.example"},
		},
		{
			"one DMARC pass of two domains", "mx.desk.example; dmarc=pass header.from=b.example header.from=a.example",
			portal.MailVerdict{Server: "mx.desk.example", DMARC: "permerror"},
		},
		{
			"one signature of two domains", "mx.desk.example; dkim=pass header.d=b.example header.d=a.example header.i=@a.example",
			portal.MailVerdict{Server: "mx.desk.example", DKIM: results{{Result: "pass"}}},
		},
		{
			"a comment that does not end", "mx.desk.example; dkim=pass header.d=a.example; spf=fail (domain of (x@b.example) smtp.mailfrom=b.example",
			portal.MailVerdict{Server: "mx.desk.example"},
		},
		{
			"a quotation that does not end", `mx.desk.example; dmarc=pass header.from="a.example`,
			portal.MailVerdict{Server: "mx.desk.example"},
		},
		{
			"a result within a comment", "mx.desk.example; spf=fail (x; dmarc=pass header.from=a.example) smtp.mailfrom=b.example",
			portal.MailVerdict{Server: "mx.desk.example", SPF: results{{Result: "fail", Domain: "b.example"}}},
		},
		{
			"stray signs", "mx.desk.example; = ; dkim = ; spf=pass = =x smtp.mailfrom=a.example",
			portal.MailVerdict{Server: "mx.desk.example", SPF: results{{Result: "pass", Domain: "a.example"}}},
		},
		{
			"words behind the server", "mx.old.example from=a.example; domainkeys=neutral (no sig); from=a.example; dkim=pass (ok)",
			portal.MailVerdict{Server: "mx.old.example", DKIM: results{{Result: "pass"}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := verdictsOf([]string{tt.value})
			if diff := cmp.Diff([]portal.MailVerdict{tt.want}, got); diff != "" {
				t.Errorf("%q: (-want +got)\n%s", tt.value, diff)
			}
		})
	}
}

// Signatures by the hundred must not push the result that counts out of sight.
func TestVerdictsOfTooManyResultsProveNothing(t *testing.T) {
	value := "mx.desk.example" + strings.Repeat("; dkim=pass header.d=a.example", mostResults+1) + "; dmarc=fail"
	got := verdictsOf([]string{value})[0]
	if want := (portal.MailVerdict{Server: "mx.desk.example"}); !cmp.Equal(got, want) {
		t.Errorf("%d results became %+v", mostResults+2, got)
	}
}

// An unreadable header must not let the one below it, which anybody may have
// written, become the topmost.
func TestVerdictsKeepTheirPlaces(t *testing.T) {
	got := verdictsOf([]string{"(((", "", "mx.desk.example; dmarc=pass"})
	if len(got) != 3 || got[0].DMARC != "" || got[1].Server != "" || got[2].DMARC != "pass" {
		t.Errorf("three headers became %+v", got)
	}
	if got := verdictsOf(nil); got != nil {
		t.Errorf("no header became %+v", got)
	}
}

func FuzzVerdicts(f *testing.F) {
	for _, seed := range []string{
		"mx.desk.example; dkim=pass header.d=a.example; spf=pass smtp.mailfrom=x@a.example; dmarc=pass (p=none) header.from=a.example",
		`"m x" 1; dkim/1 = fail (a(b\)c)) reason="x;y" header.i=@a.example`,
		"=;=(;\"", "spf=pass", "a;b=c d=e;;f=(", strings.Repeat("(", 40), "\xff\xfe; dkim=pass header.d=\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := verdictsOf([]string{value, "mx.desk.example; dmarc=pass"})
		if len(got) != 2 || got[1].DMARC != "pass" {
			t.Fatalf("%q took the next header with it: %+v", value, got)
		}
		v := got[0]
		if n := len(v.DKIM) + len(v.SPF); n > mostResults {
			t.Errorf("%q: %d results", value, n)
		}
		// What was understood, written down plainly, is understood the same.
		for _, r := range append(v.DKIM, v.SPF...) {
			if r.Domain != domainIn(r.Domain) || strings.Contains(r.Domain, "@") {
				t.Errorf("%q: domain %q", value, r.Domain)
			}
		}
		if v.DMARC == "pass" {
			// A second result can only take a pass away.
			worse := verdictsOf([]string{value + "; dmarc=fail"})[0]
			if worse.DMARC == "pass" {
				t.Errorf("%q: a pass outlives a fail", value)
			}
		}
	})
}
