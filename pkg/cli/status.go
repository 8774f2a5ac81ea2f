package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newStatusCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what is set up and what is missing",
		Long: `Show portals with their addresses, domains, inboxes, members, tickets and
outgoing mail at a glance, and for what is missing the command that mends it.
Exits with 0 as long as the store can be read.`,
		Example: "  portalctl status\n  portalctl status --output json",
		Args:    upTo(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runStatus(cmd.Context(), env) },
	}
	config.Flags(cmd.Flags(), "base-url")
	return cmd
}

func runStatus(ctx context.Context, env *Env) error {
	return env.withApp(ctx, func(a *app.App) error {
		s, err := a.Status(ctx, env.Config.SMTP.Configured())
		if err != nil {
			return err
		}
		if env.Config.Portal != "" {
			p, err := env.portal(ctx, a)
			if err != nil {
				return err
			}
			s.Portals = slices.DeleteFunc(s.Portals, func(one app.PortalStatus) bool { return one.Portal.ID != p.ID })
		}
		switch env.Config.Output {
		case output.JSON:
			return env.Printer().JSON(newStatusJSON(env, s))
		case output.CSV:
			return statusCSV(env, s)
		}
		return statusText(env, s)
	})
}

// statusJSON is the status as scripts read it.
type statusJSON struct {
	Store   string             `json:"store"`
	BaseURL string             `json:"base_url"`
	Portals []statusPortalJSON `json:"portals"`
	Domains []statusDomainJSON `json:"domains"`
	Inboxes []statusInboxJSON  `json:"inboxes"`
	// Mailboxes are those mail is fetched from, as serve last saw them.
	Mailboxes []statusMailboxJSON `json:"mailboxes"`
	// Certificates are those serve shows, as it last saw them.
	Certificates []statusCertificateJSON `json:"certificates"`
	Agents       int                     `json:"agents"`
	Tickets      map[string]int          `json:"tickets"`
	Mail         statusMailJSON          `json:"mail"`
	Missing      []app.Missing           `json:"missing"`
}

type statusPortalJSON struct {
	Name    string         `json:"name"`
	URL     string         `json:"url"`
	Also    []string       `json:"also"` // URLs that lead to it
	State   string         `json:"state"`
	Access  string         `json:"access"`
	Factor  string         `json:"second_factor"`
	Groups  []string       `json:"groups"`
	Inbox   string         `json:"inbox"`
	Members map[string]int `json:"members"`
}

type statusDomainJSON struct {
	Domain   string `json:"domain"`
	Language string `json:"language"`
	Verified bool   `json:"verified"`
	// LostAt is since when the proof is not found any more.
	LostAt  *time.Time `json:"lost_at"`
	LostWhy string     `json:"lost_why"`
}

type statusInboxJSON struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Address string `json:"address"`
}

type statusMailJSON struct {
	Configured bool   `json:"configured"`
	From       string `json:"from"`
	Waiting    int    `json:"waiting"`
	Failed     int    `json:"failed"`
}

type statusMailboxJSON struct {
	Inbox    string     `json:"inbox"`
	Mailbox  string     `json:"mailbox"`
	State    string     `json:"state"` // connecting, connected, failing; "" before serve first looked
	LookedAt *time.Time `json:"looked_at"`
	MailAt   *time.Time `json:"mail_at"`
	Waiting  int        `json:"waiting"`
	Error    string     `json:"error"`
	At       *time.Time `json:"at"`
}

func newStatusMailboxJSON(m *app.MailboxView) statusMailboxJSON {
	return statusMailboxJSON{
		Inbox: m.Inbox.Name, Mailbox: m.Inbox.Mail.IMAP.String(), State: string(m.Status.State),
		LookedAt: some(m.Status.LookedAt), MailAt: some(m.Status.MailAt), Waiting: m.Status.Waiting, Error: m.Status.Error, At: some(m.Status.At),
	}
}

func newStatusJSON(env *Env, s *app.Status) statusJSON {
	j := statusJSON{
		Store: s.Store, BaseURL: s.BaseURL, Portals: []statusPortalJSON{}, Domains: []statusDomainJSON{},
		Inboxes: []statusInboxJSON{}, Mailboxes: []statusMailboxJSON{}, Certificates: certificatesJSON(s.Certificates), Agents: s.Agents, Tickets: map[string]int{}, Missing: append([]app.Missing{}, s.Missing...),
		Mail: statusMailJSON{Configured: env.Config.SMTP.Configured() || s.MailFrom != "", From: s.MailFrom, Waiting: s.Waiting, Failed: s.Failed},
	}
	for _, p := range s.Portals {
		j.Portals = append(j.Portals, statusPortalJSON{
			Name: p.Portal.Name, URL: p.URL, Also: alsoAt(p.Also), State: string(p.Portal.State),
			Access: string(p.Portal.Access.Mode), Factor: string(p.Portal.Access.SecondFactor.OrDefault()), Groups: groupNames(p.Groups), Inbox: p.Inbox, Members: memberNumbers(p.Members),
		})
	}
	for _, d := range s.Domains {
		j.Domains = append(j.Domains, statusDomainJSON{Domain: domainName(&d), Language: d.Language, Verified: d.Verified(), LostAt: timeOrNull(d.LostAt), LostWhy: d.LostWhy})
	}
	for _, i := range s.Inboxes {
		j.Inboxes = append(j.Inboxes, statusInboxJSON{Name: i.Name, Kind: string(i.Kind), Address: i.Address})
	}
	for i := range s.Mailboxes {
		j.Mailboxes = append(j.Mailboxes, newStatusMailboxJSON(&s.Mailboxes[i]))
	}
	for _, status := range portal.Statuses {
		j.Tickets[string(status)] = s.Tickets[status]
	}
	return j
}

func alsoAt(addresses []app.AddressView) []string {
	urls := []string{}
	for i := range addresses {
		urls = append(urls, addresses[i].URL)
	}
	return urls
}

func groupNames(groups []portal.Group) []string {
	names := []string{}
	for _, g := range groups {
		names = append(names, g.Name)
	}
	return names
}

func memberNumbers(counts map[portal.MemberStatus]int) map[string]int {
	numbers := map[string]int{}
	for status, n := range counts {
		numbers[string(status)] = n
	}
	return numbers
}

// statusLines are the status as pairs of a heading and a value.
func statusLines(env *Env, s *app.Status) [][2]string {
	lines := [][2]string{{"Store", s.Store}}
	for _, p := range s.Portals {
		lines = append(lines,
			[2]string{"Portal", p.Portal.Name + " (" + string(p.Portal.State) + ")"},
			[2]string{"", p.URL})
		for i := range p.Also {
			lines = append(lines, [2]string{"", "also at " + p.Also[i].Line()})
		}
		lines = append(lines,
			[2]string{"", "access " + accessWords(&p) + factorWords(&p)},
			[2]string{"", "tickets to " + p.Inbox + ", permissions " + string(p.Portal.Tickets.Permissions)},
			[2]string{"", "members: " + memberCounts(memberNumbers(p.Members)).String()},
		)
	}
	for i, d := range s.Domains {
		state := "system, " + s.BaseURL
		if d.Kind == portal.ConnectedDomain {
			state = d.Host + ", not verified"
			if d.Verified() {
				state = d.Host + ", verified"
			}
			if !d.LostAt.IsZero() {
				state += ", proof lost since " + d.LostAt.Local().Format(time.DateTime)
			}
		}
		lines = append(lines, [2]string{heading("Domains", i), state + ", " + languageName(d.Language)})
	}
	for i := range s.Certificates {
		lines = append(lines, [2]string{heading("TLS", i), certificateWords(&s.Certificates[i])})
	}
	for i, inbox := range s.Inboxes {
		lines = append(lines, [2]string{heading("Inboxes", i), inbox.String() + " (" + string(inbox.Kind) + ")"})
	}
	for i := range s.Mailboxes {
		lines = append(lines, [2]string{heading("Mail in", i), mailboxWords(&s.Mailboxes[i])})
	}
	lines = append(lines,
		[2]string{"Agents", fmt.Sprint(s.Agents)},
		[2]string{"Tickets", ticketWords(s.Tickets)},
		[2]string{"Mail", mailWords(env, s)})
	return lines
}

// mailboxWords tell how fetching from a mailbox goes.
func mailboxWords(m *app.MailboxView) string {
	words := fmt.Sprintf("%s from %s: ", m.Inbox.Name, m.Inbox.Mail.IMAP)
	if m.Status.Inbox == 0 {
		return words + "not looked at yet"
	}
	words += string(m.Status.State)
	if !m.Status.LookedAt.IsZero() {
		words += ", looked at " + m.Status.LookedAt.Local().Format(time.DateTime)
	}
	if m.Status.Waiting > 0 {
		words += ", " + app.Counted(m.Status.Waiting, "mail", "mails") + " tried again"
	}
	if m.Status.Error != "" {
		words += "; " + m.Status.Error
	}
	return words
}

// heading stands before the first of several lines.
func heading(text string, i int) string {
	if i > 0 {
		return ""
	}
	return text
}

// factorWords tells of a second factor that is demanded of members.
func factorWords(p *app.PortalStatus) string {
	if p.Portal.Access.DemandsFactor() {
		return ", with a second factor"
	}
	return ""
}

func accessWords(p *app.PortalStatus) string {
	switch p.Portal.Access.Mode {
	case portal.ModeGroups:
		var names []string
		for _, g := range p.Groups {
			names = append(names, fmt.Sprintf("%s (%s)", g.Name, app.Counted(g.Members, "contact", "contacts")))
		}
		return "by groups: " + strings.Join(names, ", ")
	case portal.ModeSelfRegister:
		words := "by registration"
		if len(p.Portal.Access.AllowDomains) > 0 {
			words += " with addresses of " + strings.Join(p.Portal.Access.AllowDomains, ", ")
		}
		if p.Portal.Access.Approval {
			words += ", each approved"
		}
		return words
	case portal.ModeSSO:
		words := "by " + p.Portal.Access.SSO.Issuer
		if len(p.Portal.Access.SSO.Groups) > 0 {
			words += " for its groups " + strings.Join(p.Portal.Access.SSO.Groups, ", ")
		}
		return words
	}
	return "not set: nobody gets in"
}

func ticketWords(counts map[portal.Status]int) string {
	var words []string
	for _, status := range portal.Statuses {
		if n := counts[status]; n > 0 {
			text := strings.ReplaceAll(string(status), "_", " ")
			words = append(words, app.Counted(n, text, text))
		}
	}
	if len(words) == 0 {
		return "none yet"
	}
	return strings.Join(words, ", ")
}

func mailWords(env *Env, s *app.Status) string {
	words := "not set up"
	switch {
	case s.MailFrom != "":
		words = "sent by serve from " + s.MailFrom
	case env.Config.SMTP.Configured():
		words = "through " + env.Config.SMTP.Host
	}
	words += fmt.Sprintf("; outbox: %s waiting", app.Counted(s.Waiting, "mail", "mails"))
	if s.Failed > 0 {
		words += fmt.Sprintf(", %s failed", app.Counted(s.Failed, "mail", "mails"))
	}
	return words
}

func statusText(env *Env, s *app.Status) error {
	var b strings.Builder
	for _, l := range statusLines(env, s) {
		label := ""
		if l[0] != "" {
			label = l[0] + ":"
		}
		fmt.Fprintf(&b, "%-10s %s\n", label, output.Clean(l[1]))
	}
	if len(s.Missing) > 0 {
		b.WriteString("\nMissing:\n")
	}
	for _, m := range s.Missing {
		fmt.Fprintf(&b, "  - %s\n      %s\n", output.Clean(m.What), output.Clean(m.Command))
	}
	if len(s.Missing) == 0 {
		b.WriteString("\nNothing is missing.\n")
	}
	_, err := fmt.Fprint(env.Out, b.String())
	return err
}

// statusCSV prints what is counted, a line each.
func statusCSV(env *Env, s *app.Status) error {
	rows := [][]any{{"agents", s.Agents}, {"mail_waiting", s.Waiting}, {"mail_failed", s.Failed}, {"missing", len(s.Missing)}}
	for _, status := range portal.Statuses {
		rows = append(rows, []any{"tickets_" + string(status), s.Tickets[status]})
	}
	for _, p := range s.Portals {
		for _, status := range []portal.MemberStatus{portal.Invited, portal.Pending, portal.Registered, portal.Failed, portal.Disabled} {
			rows = append(rows, []any{"members_" + string(status) + "_of_" + p.Portal.Name, p.Members[status]})
		}
	}
	return env.Printer().List([]output.Column{{Name: "what"}, {Name: "value"}}, rows, "")
}
