package store

import "context"

// Secret returns a sealed secret by its name; nil when there is none.
func (tx *Tx) Secret(ctx context.Context, name string) (sealed []byte, err error) {
	err = tx.value(ctx, &sealed, `SELECT sealed FROM secret WHERE name = $1`, name)
	return sealed, err
}

// SaveSecret keeps a sealed secret under a name; nil removes it.
func (tx *Tx) SaveSecret(ctx context.Context, name string, sealed []byte) error {
	if sealed == nil {
		return tx.do(ctx, `DELETE FROM secret WHERE name = $1`, name)
	}
	return tx.do(ctx, `INSERT INTO secret (name, sealed, updated_at) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at`, name, sealed, stamp(tx.Now))
}
