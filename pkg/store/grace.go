package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// invites is the condition of mails that tell a contact ($2) of a portal ($1)
// that they may enter; $3 is their address, by which there is an index.
const invites = `recipient = $3 AND portal_id = $1 AND contact_id = $2 AND kind IN ('` + string(MailInvitation) + `', '` + string(MailAccess) + `')`

// TakeBack forgets a membership that a change of settings made and that nobody
// was told of: its mail is dropped, and it is as if it never was. done is false
// for one of another kind, and once its mail is on its way. recipient is the
// contact's address; the store's own processes cannot send the mail meanwhile.
func (tx *Tx) TakeBack(ctx context.Context, m *portal.Member, recipient string) (done bool, err error) {
	if m.GraceUntil.IsZero() || !m.LastSignInAt.IsZero() || m.Status != portal.Invited && m.Status != portal.Registered {
		return false, nil
	}
	// A mail that was tried may have arrived, whatever was noted of it since.
	tried, err := tx.exists(ctx, `SELECT 1 FROM outbox WHERE `+invites+` AND created_at >= $4 AND attempts > 0 LIMIT 1`,
		m.PortalID, m.ContactID, recipient, stamp(m.InvitedAt))
	if err != nil || tried {
		return false, err
	}
	dropped, err := tx.DropInvitations(ctx, m.PortalID, m.ContactID, recipient)
	if err != nil || dropped == 0 && !tx.Now.Before(m.GraceUntil) {
		return false, err
	}
	return true, tx.RemoveMember(ctx, m.PortalID, m.ContactID)
}

// DropInvitations makes sure that what was not tried yet of a contact's
// invitations to a portal is never sent.
func (tx *Tx) DropInvitations(ctx context.Context, p portal.PortalID, c portal.ContactID, recipient string) (dropped int64, err error) {
	return tx.exec(ctx, `UPDATE outbox SET dropped_at = $4, last_error = 'it was taken back'
		WHERE `+invites+` AND attempts = 0 AND `+unsent, p, c, recipient, stamp(tx.Now))
}

// InGrace lists memberships that a change of settings made and that TakeBack
// could take back, by contact; after is the last one of the page before.
func (tx *Tx) InGrace(ctx context.Context, p portal.PortalID, after portal.ContactID, limit int) ([]portal.Member, error) {
	return list(ctx, tx, `SELECT `+memberColumns+` FROM member m
		JOIN contact c ON c.id = m.contact_id
		WHERE m.portal_id = $1 AND m.contact_id > $2 AND m.grace_until IS NOT NULL
			AND (m.grace_until > $4 OR EXISTS (SELECT 1 FROM outbox o
				WHERE o.recipient = CASE c.member_email WHEN '' THEN c.email ELSE c.member_email END
					AND o.portal_id = m.portal_id AND o.contact_id = m.contact_id AND o.kind IN ($5, $6) AND o.attempts = 0
					AND o.sent_at IS NULL AND o.failed_at IS NULL AND o.dropped_at IS NULL))
		ORDER BY m.contact_id LIMIT $3`,
		[]any{p, after, limitOr(limit, 50), stamp(tx.Now), MailInvitation, MailAccess}, scanMember)
}

// EndGrace notes that a member was told, so that the membership stays.
func (tx *Tx) EndGrace(ctx context.Context, p portal.PortalID, c portal.ContactID) error {
	return tx.do(ctx, `UPDATE member SET grace_until = NULL WHERE portal_id = $1 AND contact_id = $2 AND grace_until IS NOT NULL`, p, c)
}

// CountInvited counts a portal's members who were invited since a time and
// were told.
func (tx *Tx) CountInvited(ctx context.Context, p portal.PortalID, since time.Time) (n int, err error) {
	err = tx.value(ctx, &n, `SELECT count(*) FROM member WHERE portal_id = $1 AND invited_at >= $2 AND grace_until IS NULL`, p, stamp(since))
	return n, err
}

// RegisteredSomewhere reports whether a contact is a registered member of any
// portal, and so has ways to sign in.
func (tx *Tx) RegisteredSomewhere(ctx context.Context, c portal.ContactID) (bool, error) {
	return tx.exists(ctx, `SELECT 1 FROM member WHERE contact_id = $1 AND status = $2 LIMIT 1`, c, portal.Registered)
}

// HoldersOf lists contacts who hold something that could let them into a
// portal, now or if it was not ended: a session, a link, something begun in a
// browser, or a membership that can be taken back. By id; after is the last
// one of the page before.
func (tx *Tx) HoldersOf(ctx context.Context, p portal.PortalID, after portal.ContactID, limit int) ([]portal.ContactID, error) {
	return list(ctx, tx, `SELECT contact_id FROM session WHERE portal_id = $1 AND contact_id > $2 AND ended_at IS NULL
		UNION SELECT contact_id FROM token WHERE portal_id = $1 AND contact_id > $2 AND used_at IS NULL
		UNION SELECT contact_id FROM handshake WHERE portal_id = $1 AND contact_id > $2
		UNION SELECT contact_id FROM member WHERE portal_id = $1 AND contact_id > $2 AND grace_until IS NOT NULL
		ORDER BY 1 LIMIT $3`, []any{p, after, limitOr(limit, 50)},
		func(r row) (id portal.ContactID, err error) { return id, r.Scan(&id) })
}

// EndRegistrations voids the links that strangers were sent to register at a
// portal.
func (tx *Tx) EndRegistrations(ctx context.Context, p portal.PortalID) error {
	return tx.do(ctx, `UPDATE token SET used_at = $2 WHERE portal_id = $1 AND kind = $3 AND used_at IS NULL`, p, stamp(tx.Now), TokenRegister)
}

// EndPortalTokens voids a contact's unused links of some kinds in one portal.
func (tx *Tx) EndPortalTokens(ctx context.Context, p portal.PortalID, c portal.ContactID, kinds ...TokenKind) error {
	for _, kind := range kinds {
		err := tx.do(ctx, `UPDATE token SET used_at = $4 WHERE contact_id = $2 AND portal_id = $1 AND kind = $3 AND used_at IS NULL`,
			p, c, kind, stamp(tx.Now))
		if err != nil {
			return err
		}
	}
	return nil
}

// CountInGrace counts a portal's members whose membership a change of settings
// made and whose grace ends at a time or later, and tells when the last one's does.
func (tx *Tx) CountInGrace(ctx context.Context, p portal.PortalID, ends time.Time) (n int, until time.Time, err error) {
	_, err = tx.one(ctx, `SELECT count(*), max(grace_until) FROM member WHERE portal_id = $1 AND grace_until >= $2`,
		[]any{p, stamp(ends)}, func(r row) error { return r.Scan(&n, timeInto{&until}) })
	return n, until, err
}
