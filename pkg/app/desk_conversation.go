package app

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Conversation is a ticket as the help desk's page shows it.
type Conversation struct {
	*TicketView
	Parties  []store.DeskParty // the requester, then the participants
	Waiting  []portal.PendingAnswer
	Answer   *store.DeskDraft
	Note     *store.DeskDraft
	Present  []portal.Presence // other agents who have it open
	Mentions []store.Mention   // messages that name the reader
	Canned   []portal.Canned
	Agents   []portal.Agent // who may see the ticket
	Card     *ContactCard
	Now      time.Time
}

// ContactCard is what the desk knows of a ticket's requester.
type ContactCard struct {
	Contact     *portal.Contact
	Company     *portal.Company // the ticket's
	Memberships []Membership
	Bounced     string // the address mail came back from for good; "": none, or not theirs any more
	BouncedWhy  string
	BouncedAt   time.Time
	Zone        *time.Location // the contact's; nil: not known
	// Tickets are the requester's other ones and OfCompany those of the
	// company by others, open ones first. All counts them, to 1,000.
	Tickets, OfCompany       []portal.TicketRow
	TicketsAll, OfCompanyAll int
	Ratings                  []store.TicketRating
}

// cardRows is how many tickets a card lists.
const cardRows = 5

// Conversation returns a ticket an agent sees, with the messages before one of
// them (0: the newest), and notes that the agent has seen what names them.
func (a *App) Conversation(ctx context.Context, v *Visit, n portal.TicketNumber, before portal.MessageID) (*Conversation, error) {
	if err := deskOnly(v); err != nil {
		return nil, err
	}
	if before <= 0 {
		before = math.MaxInt64
	}
	view, err := a.TicketBefore(ctx, v, n, before)
	if err != nil {
		return nil, err
	}
	c := &Conversation{TicketView: view}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		c.Now = tx.Now
		return errors.Join(c.people(ctx, tx, v), c.writing(ctx, tx, v), c.card(ctx, tx, v))
	})
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(c.Mentions, func(m store.Mention) bool { return m.Unseen }) {
		a.afterwards(func(ctx context.Context) error {
			return a.store.Write(ctx, func(tx *store.Tx) error { return tx.SeeMentions(ctx, v.Agent.ID, n) })
		})
	}
	return c, nil
}

// people fills in who reads and who may act.
func (c *Conversation) people(ctx context.Context, tx *store.Tx, v *Visit) (err error) {
	n := c.Ticket.Number
	if c.Parties, err = tx.DeskParties(ctx, n); err != nil {
		return err
	}
	if c.Present, err = tx.Present(ctx, n, v.Agent.ID); err != nil {
		return err
	}
	if c.Mentions, err = tx.MentionsIn(ctx, v.Agent.ID, n); err != nil {
		return err
	}
	agents, err := tx.Agents(ctx)
	c.Agents = slices.DeleteFunc(agents, func(g portal.Agent) bool { return g.Disabled || !seesTicket(&g, c.Ticket) })
	return err
}

// writing fills in what the form to write with needs.
func (c *Conversation) writing(ctx context.Context, tx *store.Tx, v *Visit) (err error) {
	n := c.Ticket.Number
	if c.Waiting, err = tx.PendingAnswers(ctx, n); err != nil {
		return err
	}
	for _, one := range []struct {
		mode portal.DeskMode
		into **store.DeskDraft
	}{{portal.ModeAnswer, &c.Answer}, {portal.ModeNote, &c.Note}} {
		key, err := deskKey(n, one.mode)
		if err != nil {
			return err
		}
		if *one.into, err = tx.DeskDraft(ctx, v.Agent.ID, key); err != nil {
			return err
		}
	}
	canned, err := cannedFor(ctx, tx, v)
	c.Canned = slices.DeleteFunc(canned, func(k portal.Canned) bool { return k.Inbox != 0 && k.Inbox != c.Ticket.InboxID })
	return err
}

// card fills in what is known of the requester. Tickets of inboxes the reader
// is not given stay out of it.
func (c *Conversation) card(ctx context.Context, tx *store.Tx, v *Visit) (err error) {
	t, k := c.Ticket, &ContactCard{}
	c.Card = k
	if k.Contact, err = tx.Contact(ctx, t.Requester); err != nil {
		return err
	}
	if t.Company != 0 {
		if k.Company, err = notFound(tx.Company(ctx, t.Company)); err != nil {
			return err
		}
	}
	if k.Memberships, err = memberships(ctx, tx, t.Requester); err != nil {
		return err
	}
	if k.Bounced, k.BouncedWhy, k.BouncedAt, err = tx.BouncedOf(ctx, t.Requester); err != nil {
		return err
	}
	if k.Bounced != k.Contact.Email && k.Bounced != k.Contact.MemberEmail {
		k.Bounced = ""
	}
	if zone, err := time.LoadLocation(k.Contact.TimeZone); err == nil && k.Contact.TimeZone != "" {
		k.Zone = zone
	}
	if k.Ratings, err = tx.RatingsOf(ctx, &v.Viewer, t.Requester, cardRows); err != nil {
		return err
	}
	theirs := store.TicketFilter{Requester: t.Requester}
	not := func(r portal.TicketRow) bool { return r.Number == t.Number }
	if k.Tickets, k.TicketsAll, err = cardTickets(ctx, tx, v, theirs, not); err != nil || k.Company == nil {
		return err
	}
	others := store.TicketFilter{Company: k.Company.ID}
	not = func(r portal.TicketRow) bool { return r.Number == t.Number || r.Requester == t.Requester }
	k.OfCompany, k.OfCompanyAll, err = cardTickets(ctx, tx, v, others, not)
	return err
}

// cardTickets lists a few tickets, open ones first, and counts all of them but
// the one that is shown.
func cardTickets(ctx context.Context, tx *store.Tx, v *Visit, f store.TicketFilter, not func(portal.TicketRow) bool) ([]portal.TicketRow, int, error) {
	all, err := tx.CountTickets(ctx, &v.Viewer, f, countTo+1)
	if err != nil || all <= 1 {
		return nil, 0, err
	}
	var rows []portal.TicketRow
	for _, statuses := range [][]portal.Status{openStatuses, {portal.Closed}} {
		f.Statuses = statuses
		// A few more than fit, as some are left out.
		some, err := tx.Tickets(ctx, &v.Viewer, 0, f, store.TicketPage{Limit: 4 * cardRows, Columns: []portal.TicketColumn{portal.ColumnRequester}})
		if err != nil {
			return nil, 0, err
		}
		rows = append(rows, slices.DeleteFunc(some, not)...)
		if len(rows) >= cardRows {
			break
		}
	}
	return rows[:min(len(rows), cardRows)], all - 1, nil
}

// NewerMessages returns the public messages others wrote after one, for an
// agent whose answer met them.
func (a *App) NewerMessages(ctx context.Context, v *Visit, n portal.TicketNumber, seen portal.MessageID) (newer []portal.Message, err error) {
	if err := deskOnly(v); err != nil {
		return nil, err
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		t, err := tx.TicketFor(ctx, &v.Viewer, n)
		if err != nil || t.LastPublic <= seen {
			return err
		}
		newer, err = tx.MessagesAfter(ctx, t, false, seen, 20)
		newer = slices.DeleteFunc(newer, func(m portal.Message) bool { return m.Agent == v.Agent.ID })
		return err
	})
	return newer, err
}

// DeskHistory is everything that happened to a ticket.
type DeskHistory struct {
	Ticket *portal.Ticket
	Events []portal.Event
	Audit  []AuditLine // newest first
}

// DeskHistory returns everything that happened to a ticket an agent sees.
func (a *App) DeskHistory(ctx context.Context, v *Visit, n portal.TicketNumber) (h *DeskHistory, err error) {
	if err := deskOnly(v); err != nil {
		return nil, err
	}
	h = &DeskHistory{}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		if h.Ticket, err = tx.TicketFor(ctx, &v.Viewer, n); err != nil {
			return err
		}
		h.Events, err = tx.Events(ctx, n, true)
		return err
	})
	if err != nil {
		return nil, err
	}
	h.Audit, err = a.AuditLog(ctx, AuditQuery{About: n.String(), Limit: 500})
	return h, err
}

// DeskOpening is what the form for a new ticket offers.
type DeskOpening struct {
	Inboxes []portal.Inbox // those the agent is given
	Portals []portal.Portal
	Found   []portal.Contact // by the words that were searched for
}

// findContacts is how many contacts a search shows.
const findContacts = 20

// DeskOpening returns what the form for a new ticket offers, and contacts
// whose name or address has the words.
func (a *App) DeskOpening(ctx context.Context, v *Visit, words string) (o *DeskOpening, err error) {
	if err := deskOnly(v); err != nil {
		return nil, err
	}
	o = &DeskOpening{}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		inboxes, err := tx.Inboxes(ctx)
		if err != nil {
			return err
		}
		o.Inboxes = slices.DeleteFunc(inboxes, func(i portal.Inbox) bool { return !givenInbox(v, i.ID) })
		if o.Portals, err = tx.Portals(ctx); err != nil {
			return err
		}
		if words = strings.TrimSpace(words); words == "" {
			return nil
		}
		found, err := tx.Contacts(ctx, store.ContactFilter{Query: words, Limit: findContacts})
		o.Found = slices.DeleteFunc(found, func(c portal.Contact) bool { return c.Erased() })
		return err
	})
	return o, err
}

func givenInbox(v *Visit, id portal.InboxID) bool {
	return !v.Viewer.Limited || slices.Contains(v.Viewer.Inboxes, id)
}

// NewForContact is a ticket that an agent opens for somebody.
type NewForContact struct {
	Email   string // the requester's address
	Add     bool   // add a contact with the address when there is none
	Name    string // of one who is added
	Subject string
	Body    string
	Inbox   portal.InboxID  // 0: the portal's
	Portal  portal.PortalID // 0: the one whose new tickets go to the inbox, else the first
	AsAgent bool            // the agent writes it; else it is what the customer said, on the phone say
}

// OpenFor opens a ticket for a contact. One nobody knows is Invalid
// desk.no_contact, unless they are to be added.
func (a *App) OpenFor(ctx context.Context, v *Visit, in NewForContact) (portal.TicketNumber, error) {
	if err := deskOnly(v); err != nil {
		return 0, err
	}
	address, err := email("email", in.Email)
	problems := []error{err}
	_, err = requiredLine("subject", in.Subject)
	problems = append(problems, err)
	_, err = bodyText("body", in.Body)
	problems = append(problems, err)
	if err := errors.Join(problems...); err != nil {
		return 0, err
	}
	t := DeskTicket{Subject: in.Subject, Body: in.Body}
	if in.AsAgent {
		t.By = v.Agent.ID
	}
	known := false
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		if err := in.place(ctx, tx, v, &t); err != nil {
			return err
		}
		c, err := notFound(tx.ContactByEmail(ctx, address))
		if err != nil || c == nil {
			return err
		}
		if c.Erased() {
			return portal.Invalidf("desk.no_contact", "email", "there is no contact %s", address).With("Email", address)
		}
		known, t.Requester = true, c.ID
		return nil
	})
	if err != nil {
		return 0, err
	}
	if !known {
		if !in.Add {
			return 0, portal.Invalidf("desk.no_contact", "email", "there is no contact %s", address).With("Email", address).
				WithHint("check the address, or have the contact added")
		}
		if t.Requester, err = a.addForTicket(ctx, v, address, in.Name); err != nil {
			return 0, err
		}
	}
	n, err := a.CreateTicket(ctx, t)
	if err != nil {
		return 0, err
	}
	return n, a.store.Write(ctx, func(tx *store.Tx) error { return tx.RemoveDeskDraft(ctx, v.Agent.ID, draftNew) })
}

// place finds the inbox and the portal of a new ticket, both of which the
// agent must be given.
func (in *NewForContact) place(ctx context.Context, tx *store.Tx, v *Visit, t *DeskTicket) error {
	portals, err := tx.Portals(ctx)
	if err != nil {
		return err
	}
	for i := range portals {
		p := &portals[i]
		if in.Portal == p.ID || in.Portal == 0 && (t.Portal == 0 || in.Inbox != 0 && p.Tickets.InboxID == in.Inbox) {
			t.Portal, t.Inbox = p.ID, p.Tickets.InboxID
		}
	}
	if t.Portal == 0 {
		return portal.Invalidf("desk.no_portal", "portal", "there is no such portal")
	}
	if in.Inbox != 0 {
		inbox, err := tx.Inbox(ctx, in.Inbox)
		if err != nil {
			return err
		}
		t.Inbox = inbox.ID
	}
	if t.Inbox != 0 && !givenInbox(v, t.Inbox) {
		return portal.NotFoundf("inbox.none", "there is no such inbox").With("Name", "")
	}
	return nil
}

// addForTicket adds a contact an agent opens a ticket for.
func (a *App) addForTicket(ctx context.Context, v *Visit, address, name string) (portal.ContactID, error) {
	name, err := line("name", name)
	if err != nil {
		return 0, err
	}
	c := &portal.Contact{Email: address, Name: name}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.AddContact(ctx, c); err != nil {
			return err
		}
		return a.noteVisit(ctx, tx, v, portal.AuditContactAdded, portal.AboutContact(c.ID), facts(fact("email", c.Email), fact("name", c.Name))...)
	})
	return c.ID, err
}
