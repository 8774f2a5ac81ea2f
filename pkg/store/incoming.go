package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// The ledger of mail that came in: a line each, and how far each folder mail
// is fetched from has been read.

const ledgerColumns = `id, inbox_id, source, decision, reason, sender, proof, subject, header_id, sha256, size, envelope, validity, uid,
	ticket, message_id, contact_id, agent_id, mail_id, first_id, at, decided_at, kept_until`

func scanLedger(r row) (e portal.LedgerEntry, err error) {
	err = r.Scan(&e.ID, refInto(&e.Inbox), &e.Source, &e.Decision, &e.Reason, &e.Sender, &e.Proof, &e.Subject, &e.MessageID, &e.SHA256, &e.Size,
		jsonInto{&e.Envelope}, &e.Place.Validity, &e.Place.UID, refInto(&e.Ticket), refInto(&e.Message), refInto(&e.Contact), refInto(&e.Agent),
		refInto(&e.Mail), refInto(&e.Of), timeInto{&e.At}, timeInto{&e.DecidedAt}, timeInto{&e.KeptUntil})
	if e.KeptUntil.IsZero() {
		e.SHA256 = "" // what it names is not there any more
	}
	return e, err
}

// AddLedgerEntry writes the line of a mail and sets its ID and At. A second
// line for the same place in a folder is Conflict mail.taken.
func (tx *Tx) AddLedgerEntry(ctx context.Context, e *portal.LedgerEntry) error {
	e.At = tx.Now
	err := tx.value(ctx, &e.ID, `INSERT INTO incoming (inbox_id, source, decision, reason, sender, proof, subject, header_id, sha256, size, envelope,
			validity, uid, ticket, message_id, contact_id, agent_id, mail_id, first_id, at, decided_at, kept_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) RETURNING id`,
		ref(e.Inbox), e.Source, e.Decision, e.Reason, e.Sender, e.Proof, e.Subject, e.MessageID, e.SHA256, e.Size, jsonOf(e.Envelope),
		e.Place.Validity, e.Place.UID, ref(e.Ticket), ref(e.Message), ref(e.Contact), ref(e.Agent), ref(e.Mail), ref(e.Of),
		stamp(e.At), stamp(e.DecidedAt), stamp(e.KeptUntil))
	if isUnique(err) {
		return portal.Conflictf("mail.taken", "the mail at this place of the folder was taken already")
	}
	return err
}

// SaveDecision writes what somebody decided about a held mail; false when it
// is not held any more.
func (tx *Tx) SaveDecision(ctx context.Context, e *portal.LedgerEntry) (bool, error) {
	e.DecidedAt = tx.Now
	n, err := tx.exec(ctx, `UPDATE incoming SET decision = $2, reason = $3, ticket = $4, message_id = $5, contact_id = $6, agent_id = $7, decided_at = $8
		WHERE id = $1 AND decision = 'held'`,
		e.ID, e.Decision, e.Reason, ref(e.Ticket), ref(e.Message), ref(e.Contact), ref(e.Agent), stamp(e.DecidedAt))
	return n > 0, err
}

// LedgerEntry returns a line of the ledger; NotFound mail.unknown.
func (tx *Tx) LedgerEntry(ctx context.Context, id portal.LedgerID) (*portal.LedgerEntry, error) {
	return find(ctx, tx, portal.NotFoundf("mail.unknown", "there is no mail %d that came in", id).With("ID", int64(id)),
		`SELECT `+ledgerColumns+` FROM incoming WHERE id = $1`, []any{id}, scanLedger)
}

// LedgerEntryAt returns the line of the mail at a place of an inbox's folder,
// or nil.
func (tx *Tx) LedgerEntryAt(ctx context.Context, inbox portal.InboxID, p portal.IMAPPlace) (*portal.LedgerEntry, error) {
	return tx.ledgerEntry(ctx, `inbox_id = $1 AND validity = $2 AND uid = $3 AND validity <> 0`, inbox, p.Validity, p.UID)
}

// SameMail returns the line of the first mail with the same source, or nil.
// One that was rejected does not count: its sender was told so and has sent it
// again.
func (tx *Tx) SameMail(ctx context.Context, sha256 string) (*portal.LedgerEntry, error) {
	return tx.ledgerEntry(ctx, `sha256 = $1 AND decision NOT IN ('duplicate', 'rejected')`, sha256)
}

// SameMessage returns the line of the first mail with the Message-ID and the
// subject from the same sender, who was then as proven as now; or nil. The id
// alone says nothing: anybody can write it.
func (tx *Tx) SameMessage(ctx context.Context, e *portal.LedgerEntry) (*portal.LedgerEntry, error) {
	if e.MessageID == "" || e.Sender == "" {
		return nil, nil
	}
	return tx.ledgerEntry(ctx, `header_id = $1 AND header_id <> '' AND sender = $2 AND proof = $3 AND subject = $4
		AND decision NOT IN ('duplicate', 'rejected')`, e.MessageID, e.Sender, e.Proof, e.Subject)
}

func (tx *Tx) ledgerEntry(ctx context.Context, where string, args ...any) (*portal.LedgerEntry, error) {
	lines, err := list(ctx, tx, `SELECT `+ledgerColumns+` FROM incoming WHERE `+where+` ORDER BY id LIMIT 1`, args, scanLedger)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	return &lines[0], nil
}

// LedgerFilter narrows Ledger. Before is the id of the last line of the page
// before.
type LedgerFilter struct {
	Decisions []portal.MailDecision // none: any
	Inbox     portal.InboxID
	// Inboxes are those an agent is given, with Limited.
	Limited bool
	Inboxes []portal.InboxID
	Sender  string
	Ticket  portal.TicketNumber
	Since   time.Time
	Before  portal.LedgerID
	Limit   int // 0: 50
}

// Ledger lists mail that came in, newest first.
func (tx *Tx) Ledger(ctx context.Context, f LedgerFilter) ([]portal.LedgerEntry, error) {
	q := newQuery(`SELECT ` + ledgerColumns + ` FROM incoming WHERE 1 = 1`)
	if len(f.Decisions) == 1 && f.Decisions[0] == portal.MailHeld {
		q.add(` AND decision = 'held'`) // as its index says it
	} else if len(f.Decisions) > 0 {
		q.add(` AND decision IN (`)
		for i, d := range f.Decisions {
			if i > 0 {
				q.add(`, `)
			}
			q.add(`?`, d)
		}
		q.add(`)`)
	}
	if f.Inbox != 0 {
		q.add(` AND inbox_id = ?`, f.Inbox)
	}
	if f.Limited {
		q.add(` AND inbox_id IN (NULL`)
		for _, id := range f.Inboxes {
			q.add(`, ?`, id)
		}
		q.add(`)`)
	}
	if f.Sender != "" {
		q.add(` AND sender = ? AND sender <> ''`, f.Sender)
	}
	if f.Ticket != 0 {
		q.add(` AND ticket = ? AND ticket IS NOT NULL`, f.Ticket)
	}
	if !f.Since.IsZero() {
		q.add(` AND at >= ?`, stamp(f.Since))
	}
	if f.Before != 0 {
		q.add(` AND id < ?`, f.Before)
	}
	q.add(` ORDER BY id DESC LIMIT ?`, limitOr(f.Limit, 50))
	return list(ctx, tx, q.text(), q.args, scanLedger)
}

// HeldMails counts mail that waits for somebody to look at it, as far as most.
func (tx *Tx) HeldMails(ctx context.Context, most int) (n int, err error) {
	err = tx.value(ctx, &n, `SELECT count(*) FROM (SELECT 1 FROM incoming WHERE decision = 'held' LIMIT $1)`, most)
	return n, err
}

// MailboxPlace is how far an inbox's folder has been read; the zero value for
// one that never was.
func (tx *Tx) MailboxPlace(ctx context.Context, inbox portal.InboxID) (p portal.IMAPPlace, err error) {
	_, err = tx.one(ctx, `SELECT validity, uid FROM mailbox_place WHERE inbox_id = $1`, []any{inbox},
		func(r row) error { return r.Scan(&p.Validity, &p.UID) })
	return p, err
}

// SaveMailboxPlace notes how far an inbox's folder has been read. Within one
// validity it never goes back: two fetchers may finish in any order.
func (tx *Tx) SaveMailboxPlace(ctx context.Context, inbox portal.InboxID, p portal.IMAPPlace) error {
	err := tx.do(ctx, `INSERT INTO mailbox_place (inbox_id, validity, uid, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (inbox_id) DO UPDATE SET validity = excluded.validity, at = excluded.at,
			uid = CASE WHEN mailbox_place.validity = excluded.validity AND mailbox_place.uid > excluded.uid THEN mailbox_place.uid ELSE excluded.uid END`,
		inbox, p.Validity, p.UID, stamp(tx.Now))
	if isForeignKey(err) {
		return noInbox()
	}
	return err
}

// ForgetMailboxPlace makes an inbox's folder one that was never looked at,
// because it is another now: no line of the ledger lies in it.
func (tx *Tx) ForgetMailboxPlace(ctx context.Context, inbox portal.InboxID) error {
	if err := tx.do(ctx, `DELETE FROM mailbox_place WHERE inbox_id = $1`, inbox); err != nil {
		return err
	}
	return tx.do(ctx, `UPDATE incoming SET validity = 0, uid = 0 WHERE inbox_id = $1 AND validity <> 0`, inbox)
}

// ledgerKept is how long the ledger remembers a mail.
const ledgerKept = 400 * 24 * time.Hour

// SweepIncoming forgets raw sources whose time has run out, and lines that are
// very old, at most limit of each. It returns the hashes of the sources; the
// caller removes those that nothing else names.
func (tx *Tx) SweepIncoming(ctx context.Context, limit int) (hashes []string, err error) {
	hashes, err = list(ctx, tx, `UPDATE incoming SET kept_until = NULL WHERE id IN
			(SELECT id FROM incoming WHERE kept_until IS NOT NULL AND kept_until <= $1 ORDER BY kept_until LIMIT $2) RETURNING sha256`,
		[]any{stamp(tx.Now), limit}, func(r row) (hash string, err error) { return hash, r.Scan(&hash) })
	if err != nil {
		return nil, err
	}
	return hashes, tx.do(ctx, `DELETE FROM incoming WHERE id IN (SELECT id FROM incoming WHERE at <= $1 AND kept_until IS NULL ORDER BY at, id LIMIT $2)`,
		stamp(tx.Now.Add(-ledgerKept)), limit)
}
