package store

import (
	"context"
	"errors"
	"slices"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Attempt runs fn so that what it wrote is undone when it fails, and what the
// transaction wrote before stays: an import writes many rows in one
// transaction and leaves out the bad ones.
func (tx *Tx) Attempt(ctx context.Context, fn func() error) error {
	if err := tx.do(ctx, `SAVEPOINT attempt`); err != nil {
		return err
	}
	moves := slices.Clone(tx.moves)
	err := fn()
	if err != nil {
		tx.moves, tx.ruled = moves, nil
		if undo := tx.do(ctx, `ROLLBACK TO attempt`); undo != nil {
			return errors.Join(err, undo)
		}
	}
	return errors.Join(err, tx.do(ctx, `RELEASE attempt`))
}

// ImportContact is AddContact that keeps the times c has, where it has any.
func (tx *Tx) ImportContact(ctx context.Context, c *portal.Contact) error {
	created, updated := c.CreatedAt, c.UpdatedAt
	if err := tx.AddContact(ctx, c); err != nil {
		return err
	}
	if created.IsZero() && updated.IsZero() {
		return nil
	}
	if !created.IsZero() {
		c.CreatedAt = created
	}
	if !updated.IsZero() {
		c.UpdatedAt = updated
	}
	return tx.do(ctx, `UPDATE contact SET created_at = $2, updated_at = $3 WHERE id = $1`, c.ID, stamp(c.CreatedAt), stamp(c.UpdatedAt))
}

// ImportCompany is AddCompany that keeps the times c has, where it has any.
func (tx *Tx) ImportCompany(ctx context.Context, c *portal.Company) error {
	created, updated := c.CreatedAt, c.UpdatedAt
	if err := tx.AddCompany(ctx, c); err != nil {
		return err
	}
	if created.IsZero() && updated.IsZero() {
		return nil
	}
	if !created.IsZero() {
		c.CreatedAt = created
	}
	if !updated.IsZero() {
		c.UpdatedAt = updated
	}
	return tx.do(ctx, `UPDATE company SET created_at = $2, updated_at = $3 WHERE id = $1`, c.ID, stamp(c.CreatedAt), stamp(c.UpdatedAt))
}

// CompanyMatching returns the company a file means: the one with the id of
// the other system, else with the domain, else with the name. A company known
// under another such id is another company, however it is called; so is one
// with another domain, when only the name agrees. NotFound company.none;
// Conflict company.ambiguous when several have the name.
func (tx *Tx) CompanyMatching(ctx context.Context, externalID, domain, name string) (*portal.Company, error) {
	if externalID != "" {
		c, err := tx.CompanyByExternal(ctx, externalID)
		if portal.KindOf(err) != portal.NotFound {
			return c, err
		}
	}
	if domain != "" {
		c, err := find(ctx, tx, noCompany(), `SELECT `+companyColumns+` FROM company c
			WHERE c.domain = $1 AND c.domain <> '' AND ($2 = '' OR c.external_id = '') ORDER BY c.id LIMIT 1`,
			[]any{domain, externalID}, scanCompany)
		if portal.KindOf(err) != portal.NotFound {
			return c, err
		}
	}
	if name == "" {
		return nil, noCompany()
	}
	found, err := list(ctx, tx, `SELECT `+companyColumns+` FROM company c
		WHERE c.name_key = $1 AND ($2 = '' OR c.external_id = '') AND ($3 = '' OR c.domain = '') ORDER BY c.id LIMIT 2`,
		[]any{fold(name), externalID, domain}, scanCompany)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, portal.NotFoundf("company.none", "there is no company %q", name).With("Name", name)
	case len(found) > 1:
		return nil, portal.Conflictf("company.ambiguous", "several companies are called %q", name).
			With("Name", name).WithHint("name the company by its domain or by its id")
	}
	return &found[0], nil
}

// MarkImported notes that the parties of a ticket who are members have seen
// it up to the message: what was said before it came here is not news to
// them. Lists go by the ticket's LastPublic, which an import leaves alone.
func (tx *Tx) MarkImported(ctx context.Context, t *portal.Ticket, upTo portal.MessageID) error {
	return tx.do(ctx, `INSERT INTO read_mark (contact_id, ticket, message_id)
		SELECT DISTINCT m.contact_id, $1, $2 FROM member m
			WHERE m.contact_id = $3 OR m.contact_id IN (SELECT contact_id FROM participant WHERE ticket = $1)
		ON CONFLICT (contact_id, ticket) DO UPDATE SET message_id = excluded.message_id
		WHERE excluded.message_id > read_mark.message_id`,
		t.Number, upTo, t.Requester)
}

// SetAnswered writes when a ticket was first answered, and nothing else of it.
func (tx *Tx) SetAnswered(ctx context.Context, t *portal.Ticket) error {
	return tx.do(ctx, `UPDATE ticket SET answered_at = $2 WHERE number = $1`, t.Number, stamp(t.AnsweredAt))
}

// TicketNumbers lists tickets in order of their numbers, after one.
func (tx *Tx) TicketNumbers(ctx context.Context, after portal.TicketNumber, limit int) ([]portal.TicketNumber, error) {
	return list(ctx, tx, `SELECT number FROM ticket WHERE number > $1 ORDER BY number LIMIT $2`, []any{after, limitOr(limit, 50)},
		func(r row) (n portal.TicketNumber, err error) { return n, r.Scan(&n) })
}
