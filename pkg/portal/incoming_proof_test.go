package portal

import "testing"

func TestSender(t *testing.T) {
	ana := MailAddress{Name: "Ana", Address: "ana@customer.example"}
	tests := []struct {
		name string
		from []MailAddress
		want bool
	}{
		{"one", []MailAddress{ana}, true},
		{"none", nil, false},
		{"two", []MailAddress{ana, {Address: "bo@customer.example"}}, false},
		{"the same twice, as two headers make it", []MailAddress{ana, ana}, false},
		{"a name alone", []MailAddress{{Name: "ana@customer.example"}}, false},
		{"no domain", []MailAddress{{Address: "ana@"}}, false},
		{"no local part", []MailAddress{{Address: "@customer.example"}}, false},
		{"no at sign", []MailAddress{{Address: "ana"}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Incoming{From: tt.from, ReplyTo: []MailAddress{ana}}
			got, ok := m.Sender()
			if ok != tt.want || ok && got != tt.from[0] || !ok && got != (MailAddress{}) {
				t.Errorf("the sender of %v is %v, %v; wanted %v", tt.from, got, ok, tt.want)
			}
		})
	}
}

func TestProof(t *testing.T) {
	const trusted = "mx.desk.example"
	verdict := func(change func(v *MailVerdict)) []MailVerdict {
		v := MailVerdict{Server: trusted}
		change(&v)
		return []MailVerdict{v}
	}
	dmarc := func(result, domain string) []MailVerdict {
		return verdict(func(v *MailVerdict) { v.DMARC, v.DMARCDomain = result, domain })
	}
	dkim := func(pairs ...string) []MailVerdict {
		return verdict(func(v *MailVerdict) {
			for i := 0; i < len(pairs); i += 2 {
				v.DKIM = append(v.DKIM, DomainVerdict{Result: pairs[i], Domain: pairs[i+1]})
			}
		})
	}
	spf := func(result, domain string) []MailVerdict {
		return verdict(func(v *MailVerdict) { v.SPF = []DomainVerdict{{Result: result, Domain: domain}} })
	}
	mixed := func(dmarc, dkim, dkimDomain, spf, spfDomain string) []MailVerdict {
		return verdict(func(v *MailVerdict) {
			v.DMARC = dmarc
			v.DKIM = []DomainVerdict{{Result: dkim, Domain: dkimDomain}}
			v.SPF = []DomainVerdict{{Result: spf, Domain: spfDomain}}
		})
	}
	from := func(server string, v []MailVerdict) []MailVerdict {
		v[0].Server = server
		return v
	}
	below := func(v []MailVerdict) []MailVerdict {
		return append([]MailVerdict{{Server: "mx.elsewhere.example"}}, v...)
	}

	tests := []struct {
		name     string
		from     string // ana@customer.example unless said
		trusted  string // mx.desk.example unless said
		verdicts []MailVerdict
		want     SenderProof
	}{
		{"no verdict", "", "", nil, SenderUnproven},
		{"an empty verdict", "", "", verdict(func(*MailVerdict) {}), SenderUnproven},

		{"DMARC pass for the domain", "", "", dmarc("pass", "customer.example"), SenderProven},
		{"DMARC pass, domain not said", "", "", dmarc("pass", ""), SenderProven},
		{"DMARC pass in capitals", "", "", dmarc("PASS", "Customer.Example."), SenderProven},
		{"DMARC pass for another domain", "", "", dmarc("pass", "evil.example"), SenderUnproven},
		{"DMARC pass for the parent domain", "ana@mail.customer.example", "", dmarc("pass", "customer.example"), SenderUnproven},
		{"DMARC pass for a domain below", "", "", dmarc("pass", "mail.customer.example"), SenderUnproven},
		{"DMARC fail", "", "", dmarc("fail", "customer.example"), SenderContradicted},
		{"DMARC fail, domain not said", "", "", dmarc("fail", ""), SenderContradicted},
		{"DMARC fail for another domain", "", "", dmarc("fail", "evil.example"), SenderContradicted},
		{"DMARC none", "", "", dmarc("none", "customer.example"), SenderUnproven},
		{"DMARC could not be looked up", "", "", dmarc("temperror", "customer.example"), SenderUnproven},
		{"DMARC record broken", "", "", dmarc("permerror", ""), SenderUnproven},
		{"DMARC guessed", "", "", dmarc("bestguesspass", "customer.example"), SenderUnproven},

		{"the server in capitals", "", "MX.Desk.Example", dmarc("pass", ""), SenderProven},
		{"the server with a dot", "", "mx.desk.example.", dmarc("pass", ""), SenderProven},
		{"another server", "", "", from("mx.elsewhere.example", dmarc("pass", "")), SenderUnproven},
		{"another server, a fail", "", "", from("mx.elsewhere.example", dmarc("fail", "")), SenderUnproven},
		{"a server that ends alike", "", "", from("evil-mx.desk.example", dmarc("pass", "")), SenderUnproven},
		{"a server without name", "", "", from("", dmarc("pass", "")), SenderUnproven},
		{"the trusted one below another", "", "", below(dmarc("pass", "customer.example")), SenderUnproven},
		{"the trusted one below another, a fail", "", "", below(dmarc("fail", "customer.example")), SenderUnproven},
		{"another below the trusted one", "", "", append(dmarc("pass", ""), MailVerdict{Server: trusted, DMARC: "fail"}), SenderProven},
		{"no trusted server", "", " ", from("", dmarc("pass", "")), SenderUnproven},

		{"DKIM pass for the domain", "", "", dkim("pass", "customer.example"), SenderProven},
		{"DKIM pass in capitals", "", "", dkim("Pass", "CUSTOMER.example"), SenderProven},
		{"DKIM pass for the parent domain", "ana@mail.customer.example", "", dkim("pass", "customer.example"), SenderProven},
		{"DKIM pass for a domain below", "", "", dkim("pass", "evil.customer.example"), SenderUnproven},
		{"DKIM pass for a neighbour", "ana@a.host.example", "", dkim("pass", "b.host.example"), SenderUnproven},
		{"DKIM pass for a domain that ends alike", "ana@notcustomer.example", "", dkim("pass", "customer.example"), SenderUnproven},
		{"DKIM pass for a top-level domain", "", "", dkim("pass", "example"), SenderUnproven},
		{"DKIM pass for nobody", "", "", dkim("pass", ""), SenderUnproven},
		{"DKIM pass for another", "", "", dkim("pass", "sender.example"), SenderUnproven},
		{"DKIM fail", "", "", dkim("fail", "customer.example"), SenderContradicted},
		{"DKIM fail for another", "", "", dkim("fail", "sender.example"), SenderContradicted},
		{"DKIM pass beside a broken one", "", "", dkim("fail", "list.example", "pass", "customer.example"), SenderProven},
		{"DKIM neutral", "", "", dkim("neutral", "customer.example"), SenderUnproven},
		{"DKIM policy", "", "", dkim("policy", "customer.example"), SenderUnproven},
		{"DKIM not looked up", "", "", dkim("temperror", "customer.example"), SenderUnproven},

		{"SPF pass for the domain", "", "", spf("pass", "customer.example"), SenderProven},
		{"SPF pass for another", "", "", spf("pass", "bounces.example"), SenderUnproven},
		{"SPF pass for a domain below", "", "", spf("pass", "bounces.customer.example"), SenderUnproven},
		{"SPF fail", "", "", spf("fail", "customer.example"), SenderContradicted},
		{"SPF hardfail", "", "", spf("hardfail", "customer.example"), SenderContradicted},
		{"SPF softfail", "", "", spf("softfail", "customer.example"), SenderContradicted},
		{"SPF neutral", "", "", spf("neutral", "customer.example"), SenderUnproven},
		{"SPF none", "", "", spf("none", "customer.example"), SenderUnproven},

		{"DKIM speaks for the domain, SPF fails after forwarding", "", "", mixed("", "pass", "customer.example", "fail", "customer.example"), SenderProven},
		{"DKIM and SPF pass for others", "", "", mixed("none", "pass", "sender.example", "pass", "bounces.example"), SenderUnproven},
		{"DKIM passes for another, SPF fails", "", "", mixed("none", "pass", "evil.example", "fail", "customer.example"), SenderContradicted},
		{"DMARC fails although a domain passes", "", "", mixed("fail", "pass", "customer.example", "pass", "customer.example"), SenderContradicted},
		{"DMARC not looked up, DKIM speaks", "", "", mixed("temperror", "pass", "customer.example", "none", ""), SenderProven},

		{"no single sender", "-", "", dmarc("pass", ""), SenderUnproven},
		{"the address in capitals", "Ana@CUSTOMER.example", "", dkim("pass", "customer.example"), SenderProven},
		{"an at sign in the local part", `"ana@evil.example"@customer.example`, "", dkim("pass", "evil.example"), SenderUnproven},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Incoming{From: []MailAddress{{Address: "ana@customer.example"}}, Verdicts: tt.verdicts}
			switch tt.from {
			case "":
			case "-":
				m.From = append(m.From, MailAddress{Address: "bo@customer.example"})
			default:
				m.From[0].Address = tt.from
			}
			server := trusted
			if tt.trusted != "" {
				server = tt.trusted
			}
			if got := m.Proof(server); got != tt.want {
				t.Errorf("from %v, trusting %q, told %+v: %s, wanted %s", m.From, server, tt.verdicts, got, tt.want)
			}
		})
	}
}

// DMARC's pass is for the address the server saw in From; ours must be the
// same even when a signature would do.
func TestProofNeedsTheServersFromToBeOurs(t *testing.T) {
	m := Incoming{
		From: []MailAddress{{Address: "ana@customer.example"}},
		Verdicts: []MailVerdict{{
			Server: "mx.desk.example", DMARC: "pass", DMARCDomain: "evil.example",
			DKIM: []DomainVerdict{{Result: "pass", Domain: "customer.example"}},
		}},
	}
	if got := m.Proof("mx.desk.example"); got != SenderUnproven {
		t.Errorf("a verdict on evil.example made customer.example %s", got)
	}
}
