package store

import (
	"context"
	"strings"
)

// Meta returns a value of the store itself, such as base_url; "" when unset.
func (tx *Tx) Meta(ctx context.Context, key string) (value string, err error) {
	err = tx.value(ctx, &value, `SELECT value FROM meta WHERE key = $1`, key)
	return value, err
}

// SetMeta keeps a value of the store itself.
func (tx *Tx) SetMeta(ctx context.Context, key, value string) error {
	return tx.do(ctx, `INSERT INTO meta (key, value) VALUES ($1, $2)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
}

// SettingsVersion counts changes of portals, domains, inboxes and groups. All
// Add, Save and Remove of those bump it.
func (tx *Tx) SettingsVersion(ctx context.Context) (version int64, err error) {
	err = tx.value(ctx, &version, `SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'settings_version'`)
	return version, err
}

// changed bumps the settings version after a change that succeeded.
func (tx *Tx) changed(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	return tx.do(ctx, `UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'settings_version'`)
}

// fold is the form names are compared and sorted in. The program folds them,
// not the database: SQLite knows the case of ASCII letters only.
func fold(name string) string { return strings.ToLower(name) }

// part is a LIKE pattern for text that holds query, folded like the column.
func part(query string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(fold(strings.TrimSpace(query))) + "%"
}

// limitOr is the limit asked for, or the usual one.
func limitOr(n, usual int) int {
	if n <= 0 {
		return usual
	}
	return n
}
