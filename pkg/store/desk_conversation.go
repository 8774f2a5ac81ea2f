package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// DeskParty is somebody who takes part in a ticket, as the desk sees them.
type DeskParty struct {
	Contact     portal.ContactID
	Name, Email string
	Notify      string // all, mine, none or digest
	Bounced     bool   // mail to the address came back for good
	Erased      bool
	Seen        portal.MessageID // the newest public message they have seen
	SeenAt      time.Time        // when they saw it first; zero: not known
}

// ShownName is the name, or the address where no name is known.
func (p *DeskParty) ShownName() string {
	if p.Name != "" {
		return p.Name
	}
	return p.Email
}

// DeskParties returns the requester of a ticket and then its participants, by
// name, with what they have seen of it.
func (tx *Tx) DeskParties(ctx context.Context, n portal.TicketNumber) ([]DeskParty, error) {
	return list(ctx, tx, `SELECT c.id, c.name, c.email, c.notify, c.bounced = c.email AND c.bounced <> '', c.erased_at IS NOT NULL,
			coalesce(r.message_id, 0), r.at
		FROM (SELECT contact_id AS id, 0 AS place FROM ticket WHERE number = $1
			UNION ALL SELECT contact_id, 1 FROM participant WHERE ticket = $1) p
		JOIN contact c ON c.id = p.id LEFT JOIN read_mark r ON r.contact_id = c.id AND r.ticket = $1
		ORDER BY p.place, c.name_key, c.email`, []any{n}, func(r row) (p DeskParty, err error) {
		err = r.Scan(&p.Contact, &p.Name, &p.Email, &p.Notify, &p.Bounced, &p.Erased, &p.Seen, timeInto{&p.SeenAt})
		return p, err
	})
}

// BouncedOf is the address mail to a contact came back from for good, when,
// and what the server said; "" when none did.
func (tx *Tx) BouncedOf(ctx context.Context, c portal.ContactID) (address, why string, at time.Time, err error) {
	_, err = tx.one(ctx, `SELECT bounced, bounced_why, bounced_at FROM contact WHERE id = $1`, []any{c},
		func(r row) error { return r.Scan(&address, &why, timeInto{&at}) })
	return address, why, at, err
}

// TicketRating is what a customer thought of a ticket.
type TicketRating struct {
	Ticket  portal.TicketNumber
	Subject string
	Rating  int
	Text    string
	At      time.Time
}

// RatingsOf returns a contact's ratings that the viewer may see, the newest
// first.
func (tx *Tx) RatingsOf(ctx context.Context, v *portal.Viewer, c portal.ContactID, limit int) ([]TicketRating, error) {
	q := newQuery(`SELECT t.number, t.subject, t.rating, t.rating_text, t.rated_at FROM ticket t`)
	q.add(` WHERE t.contact_id = ? AND t.rating IS NOT NULL`, c)
	q.seenBy(v, ScopeCompany)
	q.add(` ORDER BY t.rated_at DESC, t.number DESC LIMIT ?`, limit)
	return list(ctx, tx, q.text(), q.args, func(r row) (t TicketRating, err error) {
		err = r.Scan(&t.Ticket, &t.Subject, &t.Rating, &t.Text, timeInto{&t.At})
		return t, err
	})
}
