package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Passkey is a key of an authenticator that somebody signs in with.
type Passkey struct {
	ID         portal.PasskeyID
	Person     portal.Person
	Host       string // the relying party: it works only there
	Credential []byte // how the authenticator calls it
	Record     []byte // what its answers are checked with, as JSON
	Name       string
	CreatedAt  time.Time
	UsedAt     time.Time
}

func noPasskey() error { return portal.NotFoundf("passkey.none", "there is no such passkey") }

const passkeyColumns = `id, contact_id, agent_id, host, credential_id, credential, name, created_at, used_at`

func scanPasskey(r row) (k Passkey, err error) {
	err = r.Scan(&k.ID, refInto(&k.Person.Contact), refInto(&k.Person.Agent), &k.Host, &k.Credential, &k.Record, &k.Name,
		timeInto{&k.CreatedAt}, timeInto{&k.UsedAt})
	return k, err
}

// PasskeyHandle returns the random name by which authenticators know
// somebody; nil when they have none yet.
func (tx *Tx) PasskeyHandle(ctx context.Context, p portal.Person) (handle []byte, err error) {
	column, id := owner(p)
	err = tx.value(ctx, &handle, `SELECT handle FROM passkey_user WHERE `+column+` = $1`, id)
	return handle, err
}

// SetPasskeyHandle gives somebody the name, unless they have one.
func (tx *Tx) SetPasskeyHandle(ctx context.Context, p portal.Person, handle []byte) error {
	column, id := owner(p)
	return tx.do(ctx, `INSERT INTO passkey_user (handle, `+column+`) VALUES ($1, $2) ON CONFLICT (`+column+`) DO NOTHING`, handle, id)
}

// AddPasskey keeps a new passkey and sets its ID and CreatedAt; Conflict
// passkey.known when there is one with that credential.
func (tx *Tx) AddPasskey(ctx context.Context, k *Passkey) error {
	known, err := tx.exists(ctx, `SELECT 1 FROM passkey WHERE credential_id = $1`, k.Credential)
	if err != nil {
		return err
	}
	if known {
		return portal.Conflictf("passkey.known", "this passkey is kept already")
	}
	k.CreatedAt = tx.Now
	return tx.value(ctx, &k.ID, `INSERT INTO passkey (contact_id, agent_id, host, credential_id, credential, name, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
		ref(k.Person.Contact), ref(k.Person.Agent), k.Host, k.Credential, string(k.Record), k.Name, stamp(tx.Now))
}

// Passkeys returns somebody's passkeys, the oldest first.
func (tx *Tx) Passkeys(ctx context.Context, p portal.Person) ([]Passkey, error) {
	column, id := owner(p)
	return list(ctx, tx, `SELECT `+passkeyColumns+` FROM passkey WHERE `+column+` = $1 ORDER BY id`, []any{id}, scanPasskey)
}

// Passkey returns one of somebody's passkeys; NotFound passkey.none, also for
// somebody else's.
func (tx *Tx) Passkey(ctx context.Context, p portal.Person, id portal.PasskeyID) (*Passkey, error) {
	column, person := owner(p)
	return find(ctx, tx, noPasskey(), `SELECT `+passkeyColumns+` FROM passkey WHERE id = $1 AND `+column+` = $2`,
		[]any{id, person}, scanPasskey)
}

// PasskeyFor returns the passkey with a credential that works at a host and
// belongs to whom authenticators know by the handle; NotFound passkey.none.
func (tx *Tx) PasskeyFor(ctx context.Context, host string, credential, handle []byte) (*Passkey, error) {
	return find(ctx, tx, noPasskey(), `SELECT `+passkeyColumns+` FROM passkey WHERE credential_id = $1 AND host = $2
		AND EXISTS (SELECT 1 FROM passkey_user u WHERE u.handle = $3
			AND (u.contact_id = passkey.contact_id OR u.agent_id = passkey.agent_id))`,
		[]any{credential, host, handle}, scanPasskey)
}

// UsePasskey notes that a passkey was used just now, and keeps its new record
// where it still has the old one; NotFound passkey.none otherwise.
func (tx *Tx) UsePasskey(ctx context.Context, id portal.PasskeyID, old, now []byte) error {
	n, err := tx.exec(ctx, `UPDATE passkey SET credential = $3, used_at = $4 WHERE id = $1 AND credential = $2`,
		id, string(old), string(now), stamp(tx.Now))
	return oneChanged(n, err, noPasskey())
}

// RenamePasskey gives one of somebody's passkeys another name; NotFound
// passkey.none.
func (tx *Tx) RenamePasskey(ctx context.Context, p portal.Person, id portal.PasskeyID, name string) error {
	column, person := owner(p)
	n, err := tx.exec(ctx, `UPDATE passkey SET name = $3 WHERE id = $1 AND `+column+` = $2`, id, person, name)
	return oneChanged(n, err, noPasskey())
}

// RemovePasskey removes one of somebody's passkeys; NotFound passkey.none.
func (tx *Tx) RemovePasskey(ctx context.Context, p portal.Person, id portal.PasskeyID) error {
	column, person := owner(p)
	n, err := tx.exec(ctx, `DELETE FROM passkey WHERE id = $1 AND `+column+` = $2`, id, person)
	return oneChanged(n, err, noPasskey())
}

// PasskeyHolders counts a portal's members who have passkeys at a host.
func (tx *Tx) PasskeyHolders(ctx context.Context, id portal.PortalID, host string) (n int, err error) {
	err = tx.value(ctx, &n, `SELECT count(DISTINCT k.contact_id) FROM member m JOIN passkey k ON k.contact_id = m.contact_id
		WHERE m.portal_id = $1 AND k.host = $2`, id, host)
	return n, err
}
