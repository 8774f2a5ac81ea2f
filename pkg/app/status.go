package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Status is what is set up and what is missing, at a glance.
type Status struct {
	Store    string
	BaseURL  string
	MailFrom string // who mail comes from, while serve sends any; "" otherwise
	Portals  []PortalStatus
	Domains  []portal.Domain
	Inboxes  []portal.Inbox
	// Mailboxes are those mail is fetched from.
	Mailboxes []MailboxView
	// Certificates are those serve shows visitors.
	Certificates []portal.Certificate
	Agents       int
	Tickets      map[portal.Status]int // each counted to 1,001
	Waiting      int                   // mails in the outbox, counted to 1,001
	Failed       int
	Missing      []Missing
	Now          time.Time // when this was read
}

// PortalStatus is one portal at a glance.
type PortalStatus struct {
	Portal  portal.Portal
	URL     string
	Also    []AddressView // further and former addresses, which lead to it
	Inbox   string
	Groups  []portal.Group
	Members map[portal.MemberStatus]int
}

// Missing is something that keeps customers from being served, and the
// command that mends it.
type Missing struct {
	What    string `json:"what"`
	Command string `json:"command"`
}

// Status looks at everything once. mail tells whether this process is set up
// to send mail, which counts besides what serve left in the store.
func (a *App) Status(ctx context.Context, mail bool) (*Status, error) {
	s := &Status{Store: a.store.Path()}
	err := a.store.Read(ctx, func(tx *store.Tx) error { return a.readStatus(ctx, tx, s) })
	if err != nil {
		return nil, err
	}
	s.findMissing(mail || s.MailFrom != "")
	s.findFailing(s.Now)
	return s, nil
}

func (a *App) readStatus(ctx context.Context, tx *store.Tx, s *Status) error {
	s.Now = tx.Now
	base, err := a.base(ctx, tx)
	if err != nil {
		return err
	}
	s.BaseURL = strings.TrimSuffix(base.String(), "/")
	if s.MailFrom, err = tx.Meta(ctx, MetaMailFrom); err != nil {
		return err
	}
	k, err := readKnown(ctx, tx)
	if err != nil {
		return err
	}
	s.Domains, s.Inboxes = k.Domains, k.Inboxes
	if s.Certificates, err = tx.Certificates(ctx); err != nil {
		return err
	}
	if s.Mailboxes, err = mailboxes(ctx, tx, k.Inboxes); err != nil {
		return err
	}
	addresses, err := a.addresses(ctx, tx, 0)
	if err != nil {
		return err
	}
	for _, p := range k.Portals {
		members, err := tx.MemberCounts(ctx, p.ID)
		if err != nil {
			return err
		}
		s.Portals = append(s.Portals, PortalStatus{
			Portal: p, URL: siteURL(&p, base) + p.BasePath() + "/",
			Also:  slices.DeleteFunc(slices.Clone(addresses), func(v AddressView) bool { return v.Portal != p.ID || v.Kind == OwnAddress }),
			Inbox: inboxName(k.Inboxes, p.Tickets.InboxID), Groups: groupsOf(&p, k.Groups), Members: members,
		})
	}
	agents, err := tx.Agents(ctx)
	if err != nil {
		return err
	}
	for _, agent := range agents {
		if !agent.Disabled {
			s.Agents++
		}
	}
	if s.Tickets, err = tx.TicketCounts(ctx, countTo+1); err != nil {
		return err
	}
	if s.Waiting, err = countMails(ctx, tx, store.MailWaiting); err != nil {
		return err
	}
	s.Failed, err = countMails(ctx, tx, store.MailFailed)
	return err
}

func countMails(ctx context.Context, tx *store.Tx, state store.MailState) (int, error) {
	mails, err := tx.Outbox(ctx, store.OutboxFilter{States: []store.MailState{state}, Limit: countTo + 1})
	return len(mails), err
}

func (s *Status) missing(command, format string, args ...any) {
	s.Missing = append(s.Missing, Missing{fmt.Sprintf(format, args...), "portalctl " + command})
}

func (s *Status) findMissing(mail bool) {
	if len(s.Portals) == 0 {
		s.missing("init", "there is no portal yet")
		return
	}
	several := len(s.Portals) > 1
	for _, p := range s.Portals {
		s.findMissingOf(&p, several)
	}
	for _, d := range s.Domains {
		if !d.Verified() {
			s.missing("domain verify "+d.Host, "the domain %s is not verified; it serves nothing", d.Host)
		}
		if !d.LostAt.IsZero() {
			s.missing("domain verify "+d.Host, "%s", LostWords(&d, s.Now))
		}
	}
	if s.Agents == 0 {
		s.missing("agents add NAME@EXAMPLE.COM", "nobody can answer: there is no agent")
	}
	if !mail {
		s.missing("serve --smtp smtp://USER@HOST:587", "no mail is sent: links have to be handed over with `portalctl members link`")
	}
	for _, m := range s.Mailboxes {
		switch {
		case m.Status.Inbox == 0:
			s.missing("serve", "serve has not looked for mail to %s yet", m.Inbox.Name)
		case m.Status.Error != "":
			s.missing(fmt.Sprintf("inbox test %q", m.Inbox.Name), "mail to %s is not fetched as it should: %s", m.Inbox.Name, m.Status.Error)
		}
	}
	if s.Failed > 0 {
		s.missing("mail outbox --state failed", "%s could not be delivered", Counted(s.Failed, "mail", "mails"))
	}
}

func (s *Status) findMissingOf(p *PortalStatus, several bool) {
	flag := ""
	if several {
		flag = " --portal " + portalWords([]portal.Portal{p.Portal})[0]
	}
	if p.Portal.Access.Mode == "" {
		s.missing("access set groups"+flag, "nobody gets into %q: it has no access mode", p.Portal.Name)
	}
	if p.Portal.Access.Mode == portal.ModeGroups {
		contacts := 0
		for _, g := range p.Groups {
			contacts += g.Members
		}
		if contacts == 0 {
			name := "GROUP"
			if len(p.Groups) > 0 {
				name = fmt.Sprintf("%q", p.Groups[0].Name)
			}
			s.missing("groups members "+name+" --add NAME@EXAMPLE.COM", "nobody gets into %q: its access groups are empty", p.Portal.Name)
		}
	}
	if n := p.Members[portal.Pending]; n > 0 {
		s.missing("members list --status pending"+flag, "%s for %q", Counted(n, "registration awaits approval", "registrations await approval"), p.Portal.Name)
	}
	switch p.Portal.State {
	case portal.Draft:
		s.missing("portal set --state live"+flag, "%q is a draft; only agents can open it", p.Portal.Name)
	case portal.Paused:
		s.missing("portal set --state live"+flag, "%q is paused; customers see a notice", p.Portal.Name)
	}
}

// Counted writes a count that stops at 1,000 with its word: "1 mail",
// "7 mails", "1,000+ mails".
func Counted(n int, one, many string) string {
	switch {
	case n == 1:
		return "1 " + one
	case n > countTo:
		return "1,000+ " + many
	}
	return fmt.Sprintf("%d %s", n, many)
}
