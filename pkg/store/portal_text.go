package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// PortalTexts lists the sentences operators have put in the place of ours, in
// one portal or, for 0, in all of them.
func (tx *Tx) PortalTexts(ctx context.Context, id portal.PortalID) ([]portal.PortalText, error) {
	return list(ctx, tx, `SELECT portal_id, language, key, text, updated_at FROM portal_text
		WHERE $1 = 0 OR portal_id = $1 ORDER BY portal_id, language, key`, []any{id},
		func(r row) (t portal.PortalText, err error) {
			return t, r.Scan(&t.Portal, &t.Language, &t.Key, jsonInto{&t.Text}, timeInto{&t.UpdatedAt})
		})
}

// SavePortalText puts a sentence in the place of ours.
func (tx *Tx) SavePortalText(ctx context.Context, t *portal.PortalText) error {
	t.UpdatedAt = tx.Now
	return tx.changed(ctx, tx.do(ctx, `INSERT INTO portal_text (portal_id, language, key, text, updated_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (portal_id, language, key) DO UPDATE SET text = excluded.text, updated_at = excluded.updated_at`,
		t.Portal, t.Language, t.Key, jsonOf(t.Text), stamp(tx.Now)))
}

// RemovePortalText gives a sentence back to us; one that is not there is no
// mistake.
func (tx *Tx) RemovePortalText(ctx context.Context, id portal.PortalID, language, key string) error {
	return tx.changed(ctx, tx.do(ctx, `DELETE FROM portal_text WHERE portal_id = $1 AND language = $2 AND key = $3`, id, language, key))
}
