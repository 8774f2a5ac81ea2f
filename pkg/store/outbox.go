package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// MailKind is which mail a row of the outbox is.
type MailKind string

// The kinds of mail.
const (
	MailInvitation      MailKind = "invitation"
	MailSignIn          MailKind = "sign_in"
	MailRegister        MailKind = "register"       // proof of an address nobody knows
	MailRegisterKnown   MailKind = "register_known" // to an address that has access already
	MailReset           MailKind = "reset"
	MailPasswordChanged MailKind = "password_changed"
	MailProof           MailKind = "proof"       // a code to prove again who they are
	MailNewDevice       MailKind = "new_device"  // a sign-in from a browser they never used
	MailEmailProof      MailKind = "email_proof" // to a new address: prove it
	MailEmailChanged    MailKind = "email_changed"
	MailFactorOn        MailKind = "factor_on"
	MailFactorOff       MailKind = "factor_off"
	MailRecoveryUsed    MailKind = "recovery_used"
	MailFactorTried     MailKind = "factor_tried" // somebody gave wrong codes
	MailPasskeyAdded    MailKind = "passkey_added"
	MailPasskeyRemoved  MailKind = "passkey_removed"
	MailApproved        MailKind = "approved"
	MailRefused         MailKind = "refused"
	MailAccess          MailKind = "access_given" // somebody registered in another portal may enter this one
	MailTicketReceived  MailKind = "ticket_received"
	MailMessage         MailKind = "message"
	MailTicketClosed    MailKind = "ticket_closed"
	MailParticipant     MailKind = "participant_added"
	MailDeskTicket      MailKind = "desk_ticket"    // to the inbox: new ticket
	MailDeskMessage     MailKind = "desk_message"   // to the inbox: customer answered
	MailDeskPending     MailKind = "desk_pending"   // to the inbox: a registration awaits approval
	MailAgentTicket     MailKind = "agent_ticket"   // to an agent: new ticket
	MailAgentMessage    MailKind = "agent_message"  // to an agent: customer wrote
	MailAgentAssigned   MailKind = "agent_assigned" // to an agent: it is theirs now
	MailAgentMention    MailKind = "agent_mention"  // to an agent: a note names them
	MailAgentPromise    MailKind = "agent_promise"  // to an agent: what they promised is due soon
	MailAgentSnoozed    MailKind = "agent_snoozed"  // to an agent: a ticket they put off is back
	MailTest            MailKind = "test"
)

// Mail is a row of the outbox: what to say and to whom, not the words.
type Mail struct {
	ID        portal.MailID
	Kind      MailKind
	Recipient string // the address, lower case
	Portal    portal.PortalID
	Contact   portal.ContactID
	Agent     portal.AgentID
	Inbox     portal.InboxID
	Ticket    portal.TicketNumber
	Message   portal.MessageID
	Data      map[string]string // return_to and the like; never a secret
	HeaderID  string            // the Message-ID; made by QueueMail when empty
	Notice    bool              // counts against the hourly limit; may be folded into a digest
	DigestAt  time.Time         // it waits until then, for the digest of that day; zero: it does not

	CreatedAt, DueAt, LeaseUntil, SentAt, FailedAt, DroppedAt time.Time
	// Attempts counts the attempts begun, the one going on included.
	Attempts  int
	LastError string
}

// MailState is where a mail of the outbox stands.
type MailState string

// The states: waiting includes what is being sent right now.
const (
	MailWaiting MailState = "waiting"
	MailSent    MailState = "sent"
	MailFailed  MailState = "failed"
	MailDropped MailState = "dropped"
)

// State is where the mail stands.
func (m *Mail) State() MailState {
	switch {
	case !m.SentAt.IsZero():
		return MailSent
	case !m.FailedAt.IsZero():
		return MailFailed
	case !m.DroppedAt.IsZero():
		return MailDropped
	}
	return MailWaiting
}

// stateIs is each state's condition; every one but sent has an index of the
// rows it holds for.
var stateIs = map[MailState]string{
	MailWaiting: unsent,
	MailSent:    `sent_at IS NOT NULL`,
	MailFailed:  `failed_at IS NOT NULL`,
	MailDropped: `dropped_at IS NOT NULL`,
}

// unsent is the condition of rows that are neither sent nor given up.
const unsent = `sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL`

const mailColumns = `id, kind, recipient, portal_id, contact_id, agent_id, inbox_id, ticket, message_id, data, header_id, notice, digest_at,
	created_at, due_at, lease_until, sent_at, failed_at, dropped_at, attempts, last_error`

func scanMail(r row) (m Mail, err error) {
	err = r.Scan(&m.ID, &m.Kind, &m.Recipient, refInto(&m.Portal), refInto(&m.Contact), refInto(&m.Agent), refInto(&m.Inbox),
		refInto(&m.Ticket), refInto(&m.Message), jsonInto{&m.Data}, &m.HeaderID, &m.Notice, timeInto{&m.DigestAt},
		timeInto{&m.CreatedAt}, timeInto{&m.DueAt}, timeInto{&m.LeaseUntil}, timeInto{&m.SentAt}, timeInto{&m.FailedAt},
		timeInto{&m.DroppedAt}, &m.Attempts, &m.LastError)
	return m, err
}

func noMail(id portal.MailID) error {
	return portal.NotFoundf("mail.none", "there is no mail %d in the outbox", id)
}

// QueueMail writes a mail to be sent after the commit. It is due at once
// unless DueAt says later. Sets ID, HeaderID and CreatedAt.
func (tx *Tx) QueueMail(ctx context.Context, m *Mail) error {
	m.CreatedAt, m.Recipient = tx.Now, strings.ToLower(m.Recipient)
	if m.DueAt.IsZero() {
		m.DueAt = tx.Now
	}
	if m.HeaderID == "" {
		host, err := tx.MailHost(ctx, m.Portal)
		if err != nil {
			return err
		}
		m.HeaderID = "<" + strings.ToLower(rand.Text()) + "@" + host + ">"
	}
	err := tx.value(ctx, &m.ID, `INSERT INTO outbox (kind, recipient, portal_id, contact_id, agent_id, inbox_id, ticket, message_id,
			data, header_id, notice, created_at, due_at, digest_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id`,
		m.Kind, m.Recipient, ref(m.Portal), ref(m.Contact), ref(m.Agent), ref(m.Inbox), ref(m.Ticket), ref(m.Message),
		mapJSON(m.Data), m.HeaderID, flag(m.Notice), stamp(m.CreatedAt), stamp(m.DueAt), stamp(m.DigestAt))
	if isForeignKey(err) {
		return portal.NotFoundf("mail.reference", "what the mail is about does not exist any more")
	}
	return err
}

// MailHost is the host name in the Message-IDs of a portal's mail: its
// connected domain, else the base URL's host where that is a name.
func (tx *Tx) MailHost(ctx context.Context, p portal.PortalID) (string, error) {
	var host string
	err := tx.value(ctx, &host, `SELECT d.host FROM portal p JOIN domain d ON d.id = p.domain_id WHERE p.id = $1`, p)
	if err != nil || host != "" {
		return host, err
	}
	base, err := tx.Meta(ctx, "base_url")
	if err != nil {
		return "", err
	}
	if u, err := url.Parse(base); err == nil && strings.Contains(u.Hostname(), ".") && net.ParseIP(u.Hostname()) == nil {
		return strings.ToLower(u.Hostname()), nil
	}
	return "portalctl.localhost", nil
}

// OutboxFilter narrows Outbox. Before is the id of the last row of the page before.
type OutboxFilter struct {
	States    []MailState // none: any
	Recipient string
	Before    portal.MailID
	Limit     int // 0: 50
}

// Outbox lists mails, newest first.
func (tx *Tx) Outbox(ctx context.Context, f OutboxFilter) ([]Mail, error) {
	limit := limitOr(f.Limit, 50)
	conditions := []string{"1 = 1"}
	if len(f.States) > 0 {
		conditions = nil
		for _, state := range f.States {
			condition, ok := stateIs[state]
			if !ok {
				return nil, portal.Invalidf("mail.state", "state", "%q is not a state of a mail; use waiting, sent, failed or dropped", state)
			}
			if !slices.Contains(conditions, condition) {
				conditions = append(conditions, condition)
			}
		}
	}
	var all []Mail
	for _, condition := range conditions {
		// A query each, so that each reads the index of its state.
		q := newQuery(`SELECT ` + mailColumns + ` FROM outbox WHERE ` + condition)
		if f.Recipient != "" {
			q.add(` AND recipient = ?`, strings.ToLower(f.Recipient))
		}
		if f.Before != 0 {
			q.add(` AND id < ?`, f.Before)
		}
		q.add(` ORDER BY id DESC LIMIT ?`, limit)
		mails, err := list(ctx, tx, q.text(), q.args, scanMail)
		if err != nil {
			return nil, err
		}
		all = append(all, mails...)
	}
	slices.SortFunc(all, func(a, b Mail) int { return cmp.Compare(b.ID, a.ID) })
	return all[:min(len(all), limit)], nil
}

// OutboxMail returns one mail; NotFound mail.none.
func (tx *Tx) OutboxMail(ctx context.Context, id portal.MailID) (*Mail, error) {
	return find(ctx, tx, noMail(id), `SELECT `+mailColumns+` FROM outbox WHERE id = $1`, []any{id}, scanMail)
}

// unleased is the condition of rows nobody is sending; a lease that ends further
// away than any made now ($2) comes from a clock that was set back.
const unleased = `(lease_until IS NULL OR lease_until <= $1 OR lease_until > $2)`

// RetryMail makes a waiting or failed mail due now, with its attempts counted
// anew. One that is sent, dropped or being sent is left alone: changed is false.
func (tx *Tx) RetryMail(ctx context.Context, id portal.MailID) (changed bool, err error) {
	return tx.changeMail(ctx, id, `due_at = $1, digest_at = NULL, attempts = 0, failed_at = NULL, last_error = ''`)
}

// DropMail makes sure a waiting or failed mail is never sent. One that is
// sent, dropped or being sent is left alone: changed is false.
func (tx *Tx) DropMail(ctx context.Context, id portal.MailID) (changed bool, err error) {
	return tx.changeMail(ctx, id, `dropped_at = $1, failed_at = NULL`)
}

func (tx *Tx) changeMail(ctx context.Context, id portal.MailID, set string) (bool, error) {
	n, err := tx.exec(ctx, `UPDATE outbox SET `+set+`, lease_until = NULL
		WHERE id = $3 AND sent_at IS NULL AND dropped_at IS NULL AND `+unleased,
		stamp(tx.Now), stamp(tx.Now.Add(MailLease)), id)
	if err != nil || n > 0 {
		return n > 0, err
	}
	_, err = tx.OutboxMail(ctx, id)
	return false, err
}

// How long an attempt may take before another server may try, and the longest
// pause between attempts. A due time further away comes from a clock that was
// set back, and counts as now.
const (
	MailLease        = 15 * time.Minute
	LongestMailPause = time.Hour
)

// NoticesPerHour is how many notices an address gets singly in an hour; what
// comes on top waits and goes out as one digest.
const NoticesPerHour = 30

// digestSize is how many notices one digest holds.
const digestSize = 100

// held begins the last error of a notice that waits, or waited, because of
// the limit.
const held = "put off: the address has had its notices of this hour"

// MailClaim is a mail to be sent now by whoever claimed it, with the notices
// to be folded into it.
type MailClaim struct {
	Mail
	Folded []Mail
	until  time.Time // the lease; it tells this claim from a later one
}

// All is the mail and those folded into it.
func (c *MailClaim) All() []Mail { return append([]Mail{c.Mail}, c.Folded...) }

// dueMail is the condition of rows that could be claimed at $1; $2 is when a
// lease made now would end, $3 the furthest a due time can be, and a day more
// the furthest a digest can. One mail to a
// recipient is sent at a time, so that one who answers slowly holds up nobody
// else, and so that the limit counts right.
const dueMail = unsent + ` AND ` + dueNow + ` AND ` + unleased + `
	AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.recipient = outbox.recipient AND b.id <> outbox.id AND b.sent_at IS NULL
		AND b.failed_at IS NULL AND b.dropped_at IS NULL AND b.lease_until > $1 AND b.lease_until <= $2)`

// dueNow is the part of it that is about time.
const dueNow = `(due_at <= $1 OR due_at > $3) AND (digest_at IS NULL OR digest_at <= $1 OR digest_at > $3 + 86400000)`

func (tx *Tx) dueArgs() []any {
	return []any{stamp(tx.Now), stamp(tx.Now.Add(MailLease)), stamp(tx.Now.Add(LongestMailPause))}
}

// MailDue reports whether ClaimMail would find a mail.
func (tx *Tx) MailDue(ctx context.Context) (bool, error) {
	var id int64
	return tx.one(ctx, `SELECT id FROM outbox WHERE `+dueMail+` LIMIT 1`, tx.dueArgs(), func(r row) error { return r.Scan(&id) })
}

// ClaimMail takes the mail that has been due longest, for MailLease: nobody
// else sends it in that time. It returns nil when none is due. A notice to an
// address that had its share this hour is put off, and later folded with
// others that were.
func (tx *Tx) ClaimMail(ctx context.Context) (*MailClaim, error) {
	until := tx.Now.Add(MailLease)
	for {
		claimed, err := list(ctx, tx, `UPDATE outbox SET lease_until = $2, attempts = attempts + 1
			WHERE id IN (SELECT id FROM outbox WHERE `+dueMail+` ORDER BY due_at, id LIMIT 1)
			RETURNING `+mailColumns, tx.dueArgs(), scanMail)
		if err != nil || len(claimed) == 0 {
			return nil, err
		}
		c := &MailClaim{Mail: claimed[0], until: until}
		if !c.Notice {
			return c, nil
		}
		free, err := tx.noticeFree(ctx, c.Recipient)
		if err != nil {
			return nil, err
		}
		if free.After(tx.Now) {
			if err := tx.holdNotices(ctx, c, free); err != nil {
				return nil, err
			}
			continue
		}
		if strings.HasPrefix(c.LastError, held) || !c.DigestAt.IsZero() {
			if c.Folded, err = tx.foldNotices(ctx, c); err != nil {
				return nil, err
			}
		}
		if len(c.Folded) > 0 {
			return c, tx.nameDigest(ctx, c)
		}
		return c, nil
	}
}

// noticeFree is when the address may get its next notice.
func (tx *Tx) noticeFree(ctx context.Context, recipient string) (time.Time, error) {
	times, err := list(ctx, tx, `SELECT sent_at FROM outbox WHERE recipient = $1 AND notice = 1
		AND sent_at > $2 AND sent_at <= $3 ORDER BY sent_at DESC LIMIT $4`,
		[]any{recipient, stamp(tx.Now.Add(-time.Hour)), stamp(tx.Now), NoticesPerHour},
		func(r row) (t time.Time, err error) {
			err = r.Scan(timeInto{&t})
			return t, err
		})
	if err != nil || len(times) < NoticesPerHour {
		return time.Time{}, err
	}
	return times[len(times)-1].Add(time.Hour), nil
}

// holdNotices puts off a notice and the others that are due to its address.
func (tx *Tx) holdNotices(ctx context.Context, c *MailClaim, until time.Time) error {
	err := tx.do(ctx, `UPDATE outbox SET due_at = $2, lease_until = NULL, attempts = attempts - 1, last_error = $3 WHERE id = $1`,
		c.ID, stamp(until), held)
	if err != nil {
		return err
	}
	return tx.do(ctx, `UPDATE outbox SET due_at = $4, last_error = $5 WHERE recipient = $6 AND notice = 1 AND `+unsent+`
		AND `+unleased+` AND `+dueNow, append(tx.dueArgs(), stamp(until), held, c.Recipient)...)
}

// foldNotices claims the notices that go out with a held one.
func (tx *Tx) foldNotices(ctx context.Context, c *MailClaim) ([]Mail, error) {
	return list(ctx, tx, `UPDATE outbox SET lease_until = $2, attempts = attempts + 1
		WHERE id IN (SELECT id FROM outbox WHERE recipient = $4 AND id <> $5 AND notice = 1 AND `+unsent+` AND `+unleased+` AND `+dueNow+`
			AND coalesce(portal_id, 0) = $6 AND coalesce(contact_id, 0) = $7 ORDER BY id LIMIT $8)
		RETURNING `+mailColumns,
		append(tx.dueArgs(), c.Recipient, c.ID, int64(c.Portal), int64(c.Contact), digestSize-1), scanMail)
}

// nameDigest gives a digest a Message-ID that names no ticket, as it is about
// several: an answer to it must not go to the first of them.
func (tx *Tx) nameDigest(ctx context.Context, c *MailClaim) error {
	const mark = ".digest@"
	if strings.Contains(c.HeaderID, mark) {
		return nil // fixed at an attempt before
	}
	_, host, _ := strings.Cut(c.HeaderID, "@")
	c.HeaderID = "<" + strings.ToLower(rand.Text()) + mark + host
	return tx.do(ctx, `UPDATE outbox SET header_id = $2 WHERE id = $1`, c.ID, c.HeaderID)
}

// ReleaseDigest lets notices go that wait for somebody's digest, who gets none
// any more.
func (tx *Tx) ReleaseDigest(ctx context.Context, recipient string) error {
	return tx.do(ctx, `UPDATE outbox SET digest_at = NULL WHERE recipient = $1 AND digest_at IS NOT NULL AND `+unsent, recipient)
}

// MailResult is what became of an attempt.
type MailResult struct {
	State MailState // MailWaiting: try again at DueAt
	DueAt time.Time
	Error string // one line for operators
}

// FinishMail writes what became of mails of a claim. That one was delivered is
// written whatever happened meanwhile; anything else only while the claim
// holds, as another server may be at it by now.
func (tx *Tx) FinishMail(ctx context.Context, c *MailClaim, ids []portal.MailID, r MailResult) error {
	if len(c.Folded) > 0 && r.State == MailWaiting {
		// They stay together in the next attempt.
		r.Error = held + "; " + r.Error
	}
	for _, id := range ids {
		var err error
		switch r.State {
		case MailSent:
			// A digest counts once, so only the first of its notices stays one.
			err = tx.do(ctx, `UPDATE outbox SET sent_at = $2, failed_at = NULL, dropped_at = NULL, lease_until = NULL, last_error = '',
				notice = CASE WHEN id = $3 THEN notice ELSE 0 END
				WHERE id = $1 AND sent_at IS NULL`, id, stamp(tx.Now), ids[0])
		case MailFailed:
			err = tx.do(ctx, `UPDATE outbox SET failed_at = $3, lease_until = NULL, last_error = $4
				WHERE id = $1 AND lease_until = $2 AND `+unsent, id, stamp(c.until), stamp(tx.Now), r.Error)
		case MailDropped:
			err = tx.do(ctx, `UPDATE outbox SET dropped_at = $3, lease_until = NULL, last_error = $4
				WHERE id = $1 AND lease_until = $2 AND `+unsent, id, stamp(c.until), stamp(tx.Now), r.Error)
		default:
			err = tx.do(ctx, `UPDATE outbox SET due_at = $3, lease_until = NULL, last_error = $4
				WHERE id = $1 AND lease_until = $2 AND `+unsent, id, stamp(c.until), stamp(r.DueAt), r.Error)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mailKept is how long the outbox remembers a mail that is done with.
const mailKept = 90 * 24 * time.Hour

// SweepMail forgets mails that were done with long ago, looking at no more
// than limit of the oldest.
func (tx *Tx) SweepMail(ctx context.Context, limit int) (removed int64, err error) {
	return tx.exec(ctx, `DELETE FROM outbox WHERE id IN (
		SELECT id FROM (SELECT * FROM outbox ORDER BY id LIMIT $1)
		WHERE created_at < $2 AND NOT (`+unsent+`))`, limit, stamp(tx.Now.Add(-mailKept)))
}

// MailWithID returns the mail of the outbox with the Message-ID, with or
// without brackets; nil when there is none, or none any more.
func (tx *Tx) MailWithID(ctx context.Context, id string) (*Mail, error) {
	mails, err := list(ctx, tx, `SELECT `+mailColumns+` FROM outbox WHERE header_id = $1`,
		[]any{"<" + strings.Trim(strings.TrimSpace(id), "<>") + ">"}, scanMail)
	if err != nil || len(mails) == 0 {
		return nil, err
	}
	return &mails[0], nil
}
