package dns

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/portalctl/portalctl/pkg/portal"
)

// certificates looks whether the certificate authority in use may issue for
// the host.
func (c *check) certificates(ctx context.Context) {
	w := &c.want
	if len(w.Issuers) == 0 || w.Proxied && !w.Issues {
		return
	}
	severity := portal.SeverityWarn
	if w.Issues {
		severity = portal.SeverityFail
	}
	set, err := c.caa(ctx, w.Host)
	if err != nil {
		// Whoever cannot look at the addresses either says so there.
		if _, addressErr := c.look(ctx, w.Host, dnsmessage.TypeA); addressErr == nil {
			c.note(partCAA, portal.Finding{
				Code: "caa-no-answer", Severity: severity, About: w.Host, Found: "its CAA records could not be looked up: " + err.Error(),
				Wanted: "an answer, be it that there are none",
				Todo:   "have the zone's name servers answer questions for CAA records; certificate authorities refuse without an answer",
			})
		}
		return
	}
	ok, why := set.Permits(w.Issuers)
	if !ok {
		var lines []string
		for _, r := range set.Records {
			lines = append(lines, r.String())
		}
		add := CAA{Tag: "issue", Value: w.Issuers[0]}
		c.note(partCAA, portal.Finding{
			Code: "caa", Severity: severity, About: set.At,
			Found:  fmt.Sprintf("the CAA records of %s (%s) forbid certificates: %s", set.At, strings.Join(lines, ", "), why),
			Wanted: "that " + w.Issuers[0] + " may issue certificates for " + w.Host,
			Todo:   caaTodo(set, w, add),
		})
		return
	}
	if account := set.Account(w.Issuers); account != "" && w.Issues {
		c.note(partCAA, portal.Finding{
			Code: "caa-account", Severity: portal.SeverityWarn, About: set.At,
			Found:  fmt.Sprintf("the CAA records of %s let only the account %s ask for certificates", set.At, account),
			Wanted: "that this server's own account may", Todo: "see that this is the account of this server, or leave accounturi out",
		})
	}
}

// caaTodo is the record to add, and what has to go for it to help. Beside an
// alias no record may stand.
func caaTodo(set CAASet, w *Want, add CAA) string {
	if set.Alias != "" && set.At == w.Host {
		return fmt.Sprintf("the records stand at %s, which it is an alias (CNAME) of: have this one added there, %s. CAA %s; or give %s A and AAAA records in place of the CNAME",
			set.Alias, set.Alias, add, w.Host)
	}
	where := w.Host
	if set.Alias != "" {
		where = set.At
	}
	todo := fmt.Sprintf("add the record %s. CAA %s", where, add)
	if set.At == where {
		for _, r := range set.Records {
			who, _ := r.issuer()
			if r.Critical && !slices.Contains(knownTags, r.Tag) || r.Tag == "issue" && (who == "" || slices.Contains(w.Issuers, who)) {
				return fmt.Sprintf("replace the record %s. CAA %s by %s. CAA %s", set.At, r, where, add)
			}
		}
		return todo
	}
	return todo + fmt.Sprintf("; it then counts for %s in place of those of %s", w.Host, set.At)
}
