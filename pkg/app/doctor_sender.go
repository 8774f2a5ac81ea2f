package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/portalctl/portalctl/pkg/portal"
)

// SenderFacts are who mail comes from, as far as a process was told.
type SenderFacts struct {
	From string // the address; "" takes that of the last serve
	Host string // the mail server; "" when it is not known
	// DKIMName and DKIMText are the record of the key mail is signed with;
	// "" when serve does not sign.
	DKIMName, DKIMText string
}

// senderChecks look for what receivers check of the sending domain.
func (a *App) senderChecks(s *Status, o SenderFacts) []Check {
	from := o.From
	if from == "" {
		from = s.MailFrom
	}
	var checks []Check
	if s.Failed > 0 {
		checks = append(checks, Check{"mail", "outbox", func(context.Context) []portal.Finding {
			return []portal.Finding{warns("mail.failed", "outbox", Counted(s.Failed, "mail could", "mails could")+" not be delivered", "none", "portalctl mail outbox --state failed")}
		}})
	}
	if from == "" {
		return append(checks, Check{"mail", "mail", func(context.Context) []portal.Finding {
			return []portal.Finding{warns("mail.none", "mail", "no mail is sent: links have to be handed over", "a mail server", "portalctl serve --smtp smtp://USER@HOST:587")}
		}})
	}
	domain := portal.EmailDomain(from)
	return append(checks,
		Check{"mail", domain, func(ctx context.Context) []portal.Finding { return a.checkSPF(ctx, domain, o.Host) }},
		Check{"mail", domain, func(ctx context.Context) []portal.Finding { return a.checkDKIM(ctx, domain, o) }},
		Check{"mail", domain, func(ctx context.Context) []portal.Finding { return a.checkDMARC(ctx, domain) }},
	)
}

// texts returns the TXT records of a name that begin with a version.
func (a *App) textsOf(ctx context.Context, name, version string) ([]string, error) {
	found, err := a.resolver.TXT(ctx, name)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, v := range found.Values {
		if low := strings.ToLower(v); low == version || strings.HasPrefix(low, version+" ") || strings.HasPrefix(low, version+";") {
			all = append(all, v)
		}
	}
	return all, nil
}

func noAnswer(code, name string, err error) []portal.Finding {
	return []portal.Finding{fails(code, name, "DNS cannot be asked: "+oneLine(err.Error()), "an answer", "check the machine's name servers, or give one with --resolver")}
}

// checkSPF looks at who may send mail of the domain (RFC 7208).
func (a *App) checkSPF(ctx context.Context, domain, host string) []portal.Finding {
	const code = "mail.spf"
	records, err := a.textsOf(ctx, domain, "v=spf1")
	if err != nil {
		return noAnswer(code, domain, err)
	}
	way := "mx"
	if host != "" && needsName(host) {
		way = "a:" + host
	}
	record := fmt.Sprintf("%s. 3600 IN TXT \"v=spf1 %s ~all\"", domain, way)
	switch {
	case len(records) == 0:
		return []portal.Finding{warns(code, domain, "no SPF record: receivers cannot tell your mail from forged mail", "one TXT record that names who sends", record+" (or what your mail provider asks for)")}
	case len(records) > 1:
		return []portal.Finding{fails(code, domain, fmt.Sprintf("%d SPF records, of which receivers take none", len(records)), "one", "put them together into one TXT record: "+strings.Join(records, " + "))}
	}
	terms := strings.Fields(strings.ToLower(records[0]))
	last := terms[len(terms)-1]
	switch {
	case slices.Contains(terms, "+all"), slices.Contains(terms, "all"):
		return []portal.Finding{fails(code, domain, records[0]+" lets everybody send your mail", "~all or -all at its end", record)}
	case !strings.HasSuffix(last, "all") && !slices.ContainsFunc(terms, func(t string) bool { return strings.HasPrefix(t, "redirect=") }):
		return []portal.Finding{warns(code, domain, records[0]+" says nothing of everybody else", "~all or -all at its end", fmt.Sprintf("%s. 3600 IN TXT \"%s ~all\"", domain, records[0]))}
	}
	return []portal.Finding{holds(code, domain, "SPF: "+records[0])}
}

// checkDKIM compares the published key with the one mail is signed with.
func (a *App) checkDKIM(ctx context.Context, domain string, o SenderFacts) []portal.Finding {
	const code = "mail.dkim"
	if o.DKIMName == "" {
		return []portal.Finding{warns(code, domain, "mail is not signed by serve; whether the mail server signs it cannot be seen from here", "signed mail",
			"portalctl mail dkim --make /etc/portalctl/dkim.pem, unless the mail server signs")}
	}
	record := fmt.Sprintf("%s. 3600 IN TXT %s", o.DKIMName, zoneStrings(o.DKIMText))
	found, err := a.resolver.TXT(ctx, o.DKIMName)
	switch {
	case err != nil:
		return noAnswer(code, o.DKIMName, err)
	case len(found.Values) == 0:
		return []portal.Finding{fails(code, o.DKIMName, "the key that mail is signed with is not published: receivers distrust what they cannot check", "its TXT record", record)}
	case !slices.ContainsFunc(found.Values, func(v string) bool { return dkimKey(v) == dkimKey(o.DKIMText) }):
		return []portal.Finding{fails(code, o.DKIMName, "another key is published than mail is signed with", "the key of --dkim-key", record)}
	}
	return []portal.Finding{holds(code, o.DKIMName, "DKIM: the key is published")}
}

// zoneStrings is a text as zone files have it, in strings of 255 bytes at most.
func zoneStrings(text string) string {
	var parts []string
	for part := range slices.Chunk([]byte(text), 255) {
		parts = append(parts, `"`+string(part)+`"`)
	}
	return strings.Join(parts, " ")
}

// dkimKey is the key in a DKIM record, which may be broken up by spaces.
func dkimKey(record string) string {
	for part := range strings.SplitSeq(record, ";") {
		if key, ok := strings.CutPrefix(strings.TrimSpace(part), "p="); ok {
			return strings.Join(strings.Fields(key), "")
		}
	}
	return ""
}

// checkDMARC looks at what receivers are to do with forged mail (RFC 7489).
func (a *App) checkDMARC(ctx context.Context, domain string) []portal.Finding {
	const code = "mail.dmarc"
	names := []string{"_dmarc." + domain}
	if top, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil && top != domain {
		names = append(names, "_dmarc."+top)
	}
	record := names[0] + ". 3600 IN TXT \"v=DMARC1; p=quarantine; rua=mailto:postmaster@" + domain + "\""
	for _, name := range names {
		records, err := a.textsOf(ctx, name, "v=dmarc1")
		switch {
		case err != nil:
			return noAnswer(code, name, err)
		case len(records) > 1:
			return []portal.Finding{fails(code, name, fmt.Sprintf("%d DMARC records, of which receivers take none", len(records)), "one", "remove all but one")}
		case len(records) == 0:
			continue
		}
		policy := ""
		for part := range strings.SplitSeq(records[0], ";") {
			if p, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(part)), "p="); ok {
				policy = strings.TrimSpace(p)
			}
		}
		switch policy {
		case "quarantine", "reject":
			return []portal.Finding{holds(code, name, "DMARC: p="+policy)}
		case "none":
			return []portal.Finding{holds(code, name, "DMARC: p=none, which only watches")}
		}
		return []portal.Finding{fails(code, name, records[0]+" has no policy receivers know", "p=none, quarantine or reject", record)}
	}
	return []portal.Finding{warns(code, names[0], "no DMARC record: large receivers put such mail aside", "a policy", record)}
}
