package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

const inboxColumns = `id, name, kind, address, mail, desk, created_at`

func scanInbox(r row) (i portal.Inbox, err error) {
	err = r.Scan(&i.ID, &i.Name, &i.Kind, &i.Address, jsonInto{&i.Mail}, jsonInto{&i.Desk}, timeInto{&i.CreatedAt})
	return i, err
}

func noInbox() error { return portal.NotFoundf("inbox.none", "there is no such inbox") }

// Inboxes returns every inbox by name.
func (tx *Tx) Inboxes(ctx context.Context) ([]portal.Inbox, error) {
	return list(ctx, tx, `SELECT `+inboxColumns+` FROM inbox ORDER BY name_key`, nil, scanInbox)
}

// Inbox returns an inbox; NotFound inbox.none.
func (tx *Tx) Inbox(ctx context.Context, id portal.InboxID) (*portal.Inbox, error) {
	return find(ctx, tx, noInbox(), `SELECT `+inboxColumns+` FROM inbox WHERE id = $1`, []any{id}, scanInbox)
}

// InboxByName returns the inbox with the name, in whatever case, or with the
// address; NotFound inbox.none.
func (tx *Tx) InboxByName(ctx context.Context, name string) (*portal.Inbox, error) {
	return find(ctx, tx, portal.NotFoundf("inbox.none", "there is no inbox %q", name).With("Name", name).
		WithHint("`portalctl inbox list` names them; add one with `portalctl inbox add`"),
		`SELECT `+inboxColumns+` FROM inbox WHERE name_key = $1 OR (address = $1 AND address <> '')
		ORDER BY CASE WHEN name_key = $1 THEN 0 ELSE 1 END LIMIT 1`, []any{fold(name)}, scanInbox)
}

// AddInbox writes a new inbox and sets its ID and CreatedAt; Conflict
// inbox.exists when another has the name or the address.
func (tx *Tx) AddInbox(ctx context.Context, i *portal.Inbox) error {
	i.CreatedAt = tx.Now
	err := tx.value(ctx, &i.ID, `INSERT INTO inbox (name, name_key, kind, address, mail, desk, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
		i.Name, fold(i.Name), i.Kind, i.Address, jsonOf(i.Mail), jsonOf(i.Desk), stamp(tx.Now))
	return tx.changed(ctx, inboxExists(err, i))
}

// SaveInbox writes a changed inbox.
func (tx *Tx) SaveInbox(ctx context.Context, i *portal.Inbox) error {
	n, err := tx.exec(ctx, `UPDATE inbox SET name = $2, name_key = $3, kind = $4, address = $5, mail = $6, desk = $7 WHERE id = $1`,
		i.ID, i.Name, fold(i.Name), i.Kind, i.Address, jsonOf(i.Mail), jsonOf(i.Desk))
	return tx.changed(ctx, oneChanged(n, inboxExists(err, i), noInbox()))
}

func inboxExists(err error, i *portal.Inbox) error {
	if isUnique(err) {
		return portal.Conflictf("inbox.exists", "there is an inbox %s with this name or address already", i).With("Name", i.Name)
	}
	return err
}

// RemoveInbox removes an inbox; Conflict inbox.in_use while it has tickets or
// a portal puts new ones there.
func (tx *Tx) RemoveInbox(ctx context.Context, id portal.InboxID) error {
	n, err := tx.exec(ctx, `DELETE FROM inbox WHERE id = $1`, id)
	if isForeignKey(err) {
		return portal.Conflictf("inbox.in_use", "the inbox has tickets, or a portal puts new ones there").
			WithHint("give the portal another inbox with `portalctl tickets configure --inbox`")
	}
	return tx.changed(ctx, oneChanged(n, err, noInbox()))
}
