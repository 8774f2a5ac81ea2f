package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// MemberRow is a member with whom it is, for lists.
type MemberRow struct {
	portal.Member
	Email, Name, Company string
	InGroup              bool // one of the portal's access groups lists them
}

// MemberFilter narrows Members. After is the last e-mail of the page before.
type MemberFilter struct {
	Portal portal.PortalID
	Status portal.MemberStatus // "": any
	After  string              // e-mail
	Limit  int                 // 0: 50
}

const memberColumns = `m.portal_id, m.contact_id, m.status, m.invited_at, m.requested_at, m.registered_at, m.failed_at,
	m.disabled_at, m.last_sign_in_at, m.grace_until, m.refused_at, m.refusal, m.read_from`

func memberInto(m *portal.Member) []any {
	return []any{
		&m.PortalID, &m.ContactID, &m.Status,
		timeInto{&m.InvitedAt},
		timeInto{&m.RequestedAt},
		timeInto{&m.RegisteredAt},
		timeInto{&m.FailedAt},
		timeInto{&m.DisabledAt},
		timeInto{&m.LastSignInAt},
		timeInto{&m.GraceUntil},
		timeInto{&m.RefusedAt},
		&m.Refusal,
		&m.ReadFrom,
	}
}

func noMember() error {
	return portal.NotFoundf("member.none", "the contact is no member of the portal")
}

func scanMember(r row) (m portal.Member, err error) {
	err = r.Scan(memberInto(&m)...)
	return m, err
}

// Member returns a contact's membership of a portal; NotFound member.none.
func (tx *Tx) Member(ctx context.Context, p portal.PortalID, c portal.ContactID) (*portal.Member, error) {
	return find(ctx, tx, noMember(),
		`SELECT `+memberColumns+` FROM member m WHERE m.portal_id = $1 AND m.contact_id = $2`, []any{p, c}, scanMember)
}

// Members returns a portal's members by e-mail.
func (tx *Tx) Members(ctx context.Context, f MemberFilter) ([]MemberRow, error) {
	q := newQuery(`SELECT ` + memberColumns + `, c.email, c.name, coalesce(k.name, ''),
		EXISTS (SELECT 1 FROM portal_group pg JOIN group_contact gc ON gc.group_id = pg.group_id
			WHERE pg.portal_id = m.portal_id AND gc.contact_id = m.contact_id)
		FROM member m JOIN contact c ON c.id = m.contact_id
		LEFT JOIN contact_company cc ON cc.contact_id = c.id AND cc.is_primary = 1
		LEFT JOIN company k ON k.id = cc.company_id`)
	q.add(` WHERE m.portal_id = ? AND c.email > ?`, f.Portal, f.After)
	if f.Status != "" {
		q.add(` AND m.status = ?`, f.Status)
	}
	q.add(` ORDER BY c.email LIMIT ?`, limitOr(f.Limit, 50))
	return list(ctx, tx, q.text(), q.args, func(r row) (m MemberRow, err error) {
		err = r.Scan(append(memberInto(&m.Member), &m.Email, &m.Name, &m.Company, &m.InGroup)...)
		return m, err
	})
}

// SaveMember writes a membership, new or changed.
func (tx *Tx) SaveMember(ctx context.Context, m *portal.Member) error {
	err := tx.do(ctx, `INSERT INTO member (portal_id, contact_id, status, invited_at, requested_at, registered_at, failed_at, disabled_at, last_sign_in_at, read_from,
			grace_until, refused_at, refusal)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (portal_id, contact_id) DO UPDATE SET status = excluded.status, invited_at = excluded.invited_at,
			requested_at = excluded.requested_at, registered_at = excluded.registered_at, failed_at = excluded.failed_at,
			disabled_at = excluded.disabled_at, last_sign_in_at = excluded.last_sign_in_at, read_from = excluded.read_from,
			grace_until = excluded.grace_until, refused_at = excluded.refused_at, refusal = excluded.refusal`,
		m.PortalID, m.ContactID, m.Status, stamp(m.InvitedAt), stamp(m.RequestedAt), stamp(m.RegisteredAt),
		stamp(m.FailedAt), stamp(m.DisabledAt), stamp(m.LastSignInAt), m.ReadFrom,
		stamp(m.GraceUntil), stamp(m.RefusedAt), m.Refusal)
	if isForeignKey(err) {
		return portal.NotFoundf("member.none", "the portal or the contact does not exist any more")
	}
	return err
}

// MemberCounts counts a portal's members by status.
func (tx *Tx) MemberCounts(ctx context.Context, p portal.PortalID) (map[portal.MemberStatus]int, error) {
	counts := make(map[portal.MemberStatus]int)
	_, err := list(ctx, tx, `SELECT status, count(*) FROM member WHERE portal_id = $1 GROUP BY status`, []any{p}, func(r row) (struct{}, error) {
		var status portal.MemberStatus
		var n int
		err := r.Scan(&status, &n)
		counts[status] = n
		return struct{}{}, err
	})
	return counts, err
}

// UninvitedOfGroups lists contacts in the portal's access groups who are no
// member yet, by id; after is the last one of the page before.
func (tx *Tx) UninvitedOfGroups(ctx context.Context, p portal.PortalID, after portal.ContactID, limit int) ([]portal.ContactID, error) {
	return list(ctx, tx, `SELECT DISTINCT gc.contact_id FROM portal_group pg JOIN group_contact gc ON gc.group_id = pg.group_id
		WHERE pg.portal_id = $1 AND gc.contact_id > $2
			AND NOT EXISTS (SELECT 1 FROM member m WHERE m.portal_id = $1 AND m.contact_id = gc.contact_id)
		ORDER BY gc.contact_id LIMIT $3`, []any{p, after, limitOr(limit, 50)},
		func(r row) (id portal.ContactID, err error) { return id, r.Scan(&id) })
}

// MembershipsOf returns a contact's memberships, newest sign-in first.
func (tx *Tx) MembershipsOf(ctx context.Context, c portal.ContactID) ([]portal.Member, error) {
	return list(ctx, tx, `SELECT `+memberColumns+` FROM member m WHERE m.contact_id = $1
		ORDER BY coalesce(m.last_sign_in_at, 0) DESC, m.portal_id`, []any{c}, scanMember)
}

// AddConsent keeps what somebody agreed to, and when.
func (tx *Tx) AddConsent(ctx context.Context, c portal.ContactID, p portal.PortalID, version int, language, text string) error {
	return tx.do(ctx, `INSERT INTO consent (contact_id, portal_id, version, language, text, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		c, p, version, language, text, stamp(tx.Now))
}

// ConsentVersion is the newest version the contact agreed to for the portal; 0 for none.
func (tx *Tx) ConsentVersion(ctx context.Context, c portal.ContactID, p portal.PortalID) (version int, err error) {
	err = tx.value(ctx, &version, `SELECT coalesce(max(version), 0) FROM consent WHERE contact_id = $1 AND portal_id = $2 AND withdrawn_at IS NULL`, c, p)
	return version, err
}

// RemoveMember forgets a membership; the contact stays. NotFound member.none.
func (tx *Tx) RemoveMember(ctx context.Context, p portal.PortalID, c portal.ContactID) error {
	n, err := tx.exec(ctx, `DELETE FROM member WHERE portal_id = $1 AND contact_id = $2`, p, c)
	return oneChanged(n, err, noMember())
}

// EndPortalAccess ends the contact's sessions in one portal, with views of an
// operator as them, and voids their unused tokens for it and what they began
// in a browser. It returns how many sessions ended.
func (tx *Tx) EndPortalAccess(ctx context.Context, p portal.PortalID, c portal.ContactID, reason string) (sessions int, err error) {
	n, err := tx.exec(ctx, `UPDATE session SET ended_at = $3, end_reason = $4 WHERE contact_id = $2 AND portal_id = $1 AND ended_at IS NULL`,
		p, c, stamp(tx.Now), reason)
	if err != nil {
		return 0, err
	}
	err = tx.do(ctx, `UPDATE token SET used_at = $3 WHERE contact_id = $2 AND portal_id = $1 AND used_at IS NULL`, p, c, stamp(tx.Now))
	if err != nil {
		return 0, err
	}
	return int(n), tx.do(ctx, `DELETE FROM handshake WHERE contact_id = $2 AND portal_id = $1`, p, c)
}
