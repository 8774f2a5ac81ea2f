package portal

import "strings"

// SenderProof says whether a mail comes from the address it names. The words
// are stable in JSON.
type SenderProof string

const (
	// SenderUnproven: nobody we trust has said anything.
	SenderUnproven SenderProof = "unproven"
	// SenderProven: the trusted server vouches for the From domain.
	SenderProven SenderProof = "proven"
	// SenderContradicted: the trusted server speaks against it.
	SenderContradicted SenderProof = "contradicted"
)

// Sender returns the one address of the one From header. With none, several,
// or one that could not be written to, the sender is unknown: Reply-To,
// Sender and display names are no identity.
func (m *Incoming) Sender() (MailAddress, bool) {
	if len(m.From) != 1 || domainOf(m.From[0].Address) == "" {
		return MailAddress{}, false
	}
	return m.From[0], true
}

// Proof weighs the topmost Authentication-Results header against the From
// address. It counts only when the trusted server wrote it; with no trusted
// server, none of its verdicts or no single sender, the answer is unproven.
//
// DMARC decides where it decided. Otherwise a DKIM or SPF pass counts for the
// From domain itself and for those below it: whoever holds example.com holds
// mail.example.com. It does not count the other way round. DMARC would allow
// that within one organisation, but where an organisation ends is a list this
// package does not have, and without it a customer of a hosting domain could
// speak for the host.
func (m *Incoming) Proof(trustedServer string) SenderProof {
	sender, known := m.Sender()
	trusted := plainDomain(trustedServer)
	if !known || trusted == "" || len(m.Verdicts) == 0 {
		return SenderUnproven
	}
	v := m.Verdicts[0]
	if plainDomain(v.Server) != trusted {
		return SenderUnproven
	}
	from := domainOf(sender.Address)

	if strings.EqualFold(v.DMARC, "fail") {
		return SenderContradicted
	}
	// The server looked at another From than we read. Whichever of us is
	// right, what it says is not about this sender.
	if d := plainDomain(v.DMARCDomain); d != "" && d != from {
		return SenderUnproven
	}
	if strings.EqualFold(v.DMARC, "pass") {
		return SenderProven
	}

	failed := false
	for _, results := range [][]DomainVerdict{v.DKIM, v.SPF} {
		for _, r := range results {
			switch strings.ToLower(r.Result) {
			case "pass":
				if vouchesFor(plainDomain(r.Domain), from) {
					return SenderProven
				}
			case "fail", "hardfail", "softfail":
				failed = true
			}
		}
	}
	if failed {
		return SenderContradicted
	}
	return SenderUnproven
}

// vouchesFor reports whether a pass for one domain speaks for the From domain.
// A single label, such as a country's, speaks for nobody below it.
func vouchesFor(domain, from string) bool {
	if domain == "" {
		return false
	}
	return domain == from ||
		strings.Contains(domain, ".") && strings.HasSuffix(from, "."+domain)
}

// domainOf returns the domain of an address, or "" for what is no address.
func domainOf(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 {
		return ""
	}
	return plainDomain(address[at+1:])
}

func plainDomain(s string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), "."))
}
