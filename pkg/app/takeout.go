package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// takeOuts counts how often somebody took their data out.
const takeOuts = "takeout"

// takeOutsPerHour is how often somebody may. Each reads all they ever wrote
// and were sent.
const takeOutsPerHour = 3

// TakeOut is everything the store holds about one person: what Personal says,
// and the tickets they take part in, as they may see them. It is read while it
// is written out, a page at a time, so that it takes no more memory however
// much there is, and so that a slow reader at the other end holds up nobody.
type TakeOut struct {
	*portal.Personal
	At     time.Time
	Portal *portal.Portal // whose language and looks it has; nil: there is none
	// Portals are those of its tickets, as they say who of the team is shown.
	Portals map[portal.PortalID]*portal.Portal

	app     *App
	contact *portal.Contact
	upTo    portal.MessageID // newer messages are not part of it
}

// TakeOutTicket is a ticket of a take-out.
type TakeOutTicket struct {
	*portal.Ticket
	Requested    bool     // by whom the take-out is about; else they take part
	Participants []string // as they may know them
	Events       []portal.Event
}

// TakeOutOf begins a take-out for an operator.
func (a *App) TakeOutOf(ctx context.Context, address string) (*TakeOut, error) {
	var t *TakeOut
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		c, err := contactWith(ctx, tx, "email", address)
		if err != nil {
			return err
		}
		if t, err = a.takeOut(ctx, tx, c, nil); err != nil {
			return err
		}
		return a.audit(ctx, tx, portal.AuditEntry{
			Kind: portal.AuditExport, About: portal.AboutContact(c.ID),
			AuditDetail: portal.AuditDetail{Changes: []portal.AuditChange{{Field: "what", To: "all data"}}},
		})
	})
	return t, err
}

// TakeOutOwn begins the visiting contact's take-out of their own data. They
// have proven again who they are, and do it a few times an hour at most:
// Forbidden proof.needed, TooMany limit.requests.
func (a *App) TakeOutOwn(ctx context.Context, v *Visit) (*TakeOut, error) {
	if err := contactOnly(v); err != nil {
		return nil, err
	}
	if err := a.proven(v); err != nil {
		return nil, err
	}
	var t *TakeOut
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		if err := allowIn(ctx, tx, fmt.Sprintf("%s:%d", takeOuts, v.Contact.ID), takeOutsPerHour, time.Hour); err != nil {
			return err
		}
		c, err := tx.Contact(ctx, v.Contact.ID)
		if err != nil {
			return err
		}
		if t, err = a.takeOut(ctx, tx, c, v.Portal); err != nil {
			return err
		}
		return a.auditPerson(ctx, tx, v.Portal, v.Person(), portal.AuditExport, v.Device, portal.AuditChange{Field: "what", To: "all data"})
	})
	return t, err
}

func (a *App) takeOut(ctx context.Context, tx *store.Tx, c *portal.Contact, p *portal.Portal) (*TakeOut, error) {
	t := &TakeOut{At: tx.Now, Portal: p, Portals: map[portal.PortalID]*portal.Portal{}, app: a, contact: c}
	portals, err := tx.Portals(ctx)
	if err != nil {
		return nil, err
	}
	members, err := tx.MembershipsOf(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	for i := range portals {
		t.Portals[portals[i].ID] = &portals[i]
	}
	if t.Portal == nil && len(members) > 0 {
		t.Portal = t.Portals[members[0].PortalID]
	}
	if t.Portal == nil && len(portals) > 0 {
		t.Portal = &portals[0]
	}
	if t.upTo, err = tx.LastMessage(ctx); err != nil {
		return nil, err
	}
	t.Personal, err = tx.Personal(ctx, c.ID)
	return t, err
}

// Contact is whom the take-out is about.
func (t *TakeOut) Contact() portal.ContactID { return t.contact.ID }

// Language is the contact's, else the portal's.
func (t *TakeOut) Language() string {
	switch {
	case t.Portal != nil:
		return t.Portal.LanguageFor(t.contact.Language)
	case t.contact.Language != "":
		return t.contact.Language
	}
	return "en"
}

// TimeZone is the zone times are shown in.
func (t *TakeOut) TimeZone() *time.Location {
	names := []string{t.contact.TimeZone}
	if t.Portal != nil {
		names = append(names, t.Portal.TimeZone)
	}
	for _, name := range names {
		if loc, err := time.LoadLocation(name); err == nil && name != "" {
			return loc
		}
	}
	return time.UTC
}

// takeOutPage is how many tickets, or messages, are read at a time.
const takeOutPage = 100

// Tickets calls each for the tickets the person takes part in, by number.
func (t *TakeOut) Tickets(ctx context.Context, each func(*TakeOutTicket) error) error {
	return t.tickets(ctx, (*store.Tx).TicketsOfParty, func(tx *store.Tx, n portal.TicketNumber) (*TakeOutTicket, error) {
		viewer := portal.Viewer{Contact: t.contact.ID, Basis: portal.RulePermitContact}
		ticket, err := tx.TicketFor(ctx, &viewer, n)
		if err != nil {
			return nil, err
		}
		one := &TakeOutTicket{Ticket: ticket, Requested: ticket.Requester == t.contact.ID}
		participants, err := tx.Participants(ctx, n)
		if err != nil {
			return nil, err
		}
		for i := range participants {
			one.Participants = append(one.Participants, participants[i].ShownName())
		}
		one.Events, err = tx.Events(ctx, n, false)
		return one, err
	}, each)
}

// Elsewhere calls each for the tickets of others that the person wrote to, by
// number. Nothing but the number and what they wrote themselves is theirs.
func (t *TakeOut) Elsewhere(ctx context.Context, each func(*TakeOutTicket) error) error {
	return t.tickets(ctx, (*store.Tx).TicketsWrittenTo, func(tx *store.Tx, n portal.TicketNumber) (*TakeOutTicket, error) {
		ticket, err := tx.Ticket(ctx, n)
		if err != nil {
			return nil, err
		}
		return &TakeOutTicket{Ticket: &portal.Ticket{Number: n, PortalID: ticket.PortalID, FileCount: ticket.FileCount}}, nil
	}, each)
}

func (t *TakeOut) tickets(ctx context.Context, numbers func(*store.Tx, context.Context, portal.ContactID, portal.TicketNumber, int) ([]portal.TicketNumber, error),
	read func(*store.Tx, portal.TicketNumber) (*TakeOutTicket, error), each func(*TakeOutTicket) error,
) error {
	for after := portal.TicketNumber(0); ; {
		var page []*TakeOutTicket
		err := t.app.store.Read(ctx, func(tx *store.Tx) error {
			some, err := numbers(tx, ctx, t.contact.ID, after, takeOutPage)
			if err != nil {
				return err
			}
			for _, n := range some {
				one, err := read(tx, n)
				if err != nil {
					return err
				}
				page, after = append(page, one), n
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, one := range page {
			if err := each(one); err != nil {
				return err
			}
		}
		if len(page) < takeOutPage {
			return nil
		}
	}
}

// Messages calls each for the public messages of a ticket, oldest first; with
// own only for those the person wrote.
func (t *TakeOut) Messages(ctx context.Context, ticket *portal.Ticket, own bool, each func(*portal.Message) error) error {
	for after := portal.MessageID(0); ; {
		var page []portal.Message
		err := t.app.store.Read(ctx, func(tx *store.Tx) (err error) {
			page, err = tx.MessagesAfter(ctx, ticket, false, after, takeOutPage)
			return err
		})
		if err != nil {
			return err
		}
		for i := range page {
			m := &page[i]
			if m.ID > t.upTo {
				return nil
			}
			after = m.ID
			if own && m.Contact != t.contact.ID {
				continue
			}
			if err := each(m); err != nil {
				return err
			}
		}
		if len(page) < takeOutPage {
			return nil
		}
	}
}

// File opens the content of one of its files.
func (t *TakeOut) File(f *portal.File) (io.ReadCloser, error) {
	return t.app.store.Files().Open(f.SHA256)
}
