package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Session is a signed-in browser; only the hash of its token is kept.
type Session struct {
	ID        portal.SessionID
	Hash      []byte
	Portal    portal.PortalID
	Contact   portal.ContactID
	Agent     portal.AgentID
	UserAgent string
	Address   string
	Way       portal.SignInMethod // how its holder came in
	Factor    bool                // a second factor was given
	ProvedAt  time.Time           // when they last proved again who they are
	OpenedBy  string              // the operator who only looks, as this contact
	Provider  []byte              // sealed: the identity provider's token, to sign out there
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
	EndedAt   time.Time
	EndReason string
}

// Visitor is everything a page needs to know of who asks, read by one query.
type Visitor struct {
	// Session is the row with that token, nil for none. It is there even when
	// it has ended or is past ExpiresAt, so that a page can say why; Contact,
	// Agent and Member are nil then.
	Session         *Session
	Contact         *portal.Contact // with companies; nil for agents
	Agent           *portal.Agent   // nil for contacts
	Member          *portal.Member  // the contact's membership of the portal asked about; nil if none
	InGroup         bool            // one of that portal's access groups lists the contact
	SettingsVersion int64           // always filled in, session or not
	ConsentVersion  int             // the newest version agreed to for that portal
	HasFactor       bool            // they have an authenticator app to be asked for
}

const sessionColumns = `s.id, s.hash, s.portal_id, s.contact_id, s.agent_id, s.user_agent, s.address,
	s.way, s.factor, s.proved_at, s.opened_by, s.provider, s.created_at, s.seen_at, s.expires_at, s.ended_at, s.end_reason`

func sessionInto(s *Session) []any {
	return []any{
		&s.ID, &s.Hash, refInto(&s.Portal), refInto(&s.Contact), refInto(&s.Agent), &s.UserAgent, &s.Address,
		&s.Way, &s.Factor,
		timeInto{&s.ProvedAt},
		&s.OpenedBy, &s.Provider,
		timeInto{&s.CreatedAt},
		timeInto{&s.SeenAt},
		timeInto{&s.ExpiresAt},
		timeInto{&s.EndedAt},
		&s.EndReason,
	}
}

func noSession() error { return portal.NotFoundf("session.none", "there is no such session") }

// visitorQuery joins everything to one row that is always there. An ended
// session joins nobody.
const visitorQuery = `SELECT (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'settings_version'),
	` + sessionColumns + `,
	` + contactColumns + `,
	` + agentColumns + `,
	` + memberColumns + `,
	EXISTS (SELECT 1 FROM portal_group pg JOIN group_contact gc ON gc.group_id = pg.group_id
		WHERE pg.portal_id = $2 AND gc.contact_id = c.id),
	(SELECT coalesce(max(version), 0) FROM consent WHERE contact_id = c.id AND portal_id = $2 AND withdrawn_at IS NULL),
	EXISTS (SELECT 1 FROM second_factor f WHERE f.confirmed_at IS NOT NULL AND (f.contact_id = c.id OR f.agent_id = a.id))
	FROM (SELECT 1 AS one) always
	LEFT JOIN session s ON s.hash = $1
	LEFT JOIN contact c ON c.id = s.contact_id AND s.ended_at IS NULL AND s.expires_at > $3
	LEFT JOIN agent a ON a.id = s.agent_id AND s.ended_at IS NULL AND s.expires_at > $3
	LEFT JOIN member m ON m.portal_id = $2 AND m.contact_id = c.id`

// Visitor reads, in one statement, who holds the session token with the
// hash, as seen from portal p. hash may be nil.
func (tx *Tx) Visitor(ctx context.Context, hash []byte, p portal.PortalID) (*Visitor, error) {
	if hash == nil {
		hash = []byte{} // matches no session, which NULL would do as well; empty keeps the type
	}
	v := &Visitor{}
	s, c, a, m := &Session{}, &portal.Contact{}, &portal.Agent{}, &portal.Member{}
	_, err := tx.one(ctx, visitorQuery, []any{hash, p, stamp(tx.Now)}, func(r row) error {
		dest := []any{&v.SettingsVersion}
		dest = append(dest, lax(sessionInto(s))...)
		dest = append(dest, lax(contactInto(c))...)
		dest = append(dest, lax(agentInto(a))...)
		dest = append(dest, lax(memberInto(m))...)
		return r.Scan(append(dest, &v.InGroup, &v.ConsentVersion, &v.HasFactor)...)
	})
	if err != nil {
		return nil, err
	}
	if s.ID != 0 {
		v.Session = s
	}
	if c.ID != 0 {
		v.Contact = c
	}
	if a.ID != 0 {
		v.Agent = a
	}
	if m.ContactID != 0 {
		v.Member = m
	}
	return v, nil
}

// AddSession keeps a new session and sets its ID, CreatedAt and SeenAt.
func (tx *Tx) AddSession(ctx context.Context, s *Session) error {
	s.CreatedAt, s.SeenAt = tx.Now, tx.Now
	return tx.value(ctx, &s.ID, `INSERT INTO session (hash, portal_id, contact_id, agent_id, user_agent, address,
			way, factor, proved_at, opened_by, provider, created_at, seen_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13) RETURNING id`,
		s.Hash, ref(s.Portal), ref(s.Contact), ref(s.Agent), s.UserAgent, s.Address,
		s.Way, flag(s.Factor), stamp(s.ProvedAt), s.OpenedBy, s.Provider, stamp(tx.Now), stamp(s.ExpiresAt))
}

// TouchSession notes that the session was used just now, and from where.
func (tx *Tx) TouchSession(ctx context.Context, id portal.SessionID, address string) error {
	return tx.do(ctx, `UPDATE session SET seen_at = $2, address = $3 WHERE id = $1 AND ended_at IS NULL`, id, stamp(tx.Now), address)
}

// Sessions returns the sessions of a contact or agent that are live by their
// row, neither ended nor past ExpiresAt; the last used first. An operator who
// looks as a contact has none of the contact's sessions.
func (tx *Tx) Sessions(ctx context.Context, c portal.ContactID, a portal.AgentID) ([]Session, error) {
	column, id := sessionOwner(c, a)
	return list(ctx, tx, `SELECT `+sessionColumns+` FROM session s WHERE s.`+column+` = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND s.opened_by = ''
		ORDER BY s.seen_at DESC, s.id DESC`, []any{id, stamp(tx.Now)},
		func(r row) (s Session, err error) { return s, r.Scan(sessionInto(&s)...) })
}

// sessionOwner is the column that names who a session belongs to. With
// neither given it is a contact nobody has.
func sessionOwner(c portal.ContactID, a portal.AgentID) (column string, id int64) {
	if a != 0 {
		return "agent_id", int64(a)
	}
	return "contact_id", int64(c)
}

// EndSession ends one session of the contact or agent; NotFound session.none
// for somebody else's and for one that has ended.
func (tx *Tx) EndSession(ctx context.Context, c portal.ContactID, a portal.AgentID, id portal.SessionID, reason string) error {
	column, owner := sessionOwner(c, a)
	n, err := tx.exec(ctx, `UPDATE session SET ended_at = $3, end_reason = $4 WHERE id = $1 AND `+column+` = $2 AND ended_at IS NULL`,
		id, owner, stamp(tx.Now), reason)
	return oneChanged(n, err, noSession())
}

// EndSessions ends all sessions of a contact or agent but except (0: all).
// Returns how many.
func (tx *Tx) EndSessions(ctx context.Context, c portal.ContactID, a portal.AgentID, except portal.SessionID, reason string) (int, error) {
	column, owner := sessionOwner(c, a)
	n, err := tx.exec(ctx, `UPDATE session SET ended_at = $3, end_reason = $4 WHERE `+column+` = $2 AND id <> $1 AND ended_at IS NULL`,
		except, owner, stamp(tx.Now), reason)
	return int(n), err
}

// EndSessionsByWay ends the live sessions of a portal that began in one way.
// Returns how many.
func (tx *Tx) EndSessionsByWay(ctx context.Context, p portal.PortalID, way portal.SignInMethod, reason string) (int, error) {
	n, err := tx.exec(ctx, `UPDATE session SET ended_at = $3, end_reason = $4 WHERE portal_id = $1 AND way = $2 AND ended_at IS NULL`,
		p, way, stamp(tx.Now), reason)
	return int(n), err
}

// endNoted is the reason a look ended with once the audit log tells the real
// one. The row stays for a while like any other: the contact's take-out shows
// who looked.
const endNoted = "noted"

// LooksOver returns the sessions of operators who looked as a contact that
// have ended or run out, and that EndLook was not called for.
func (tx *Tx) LooksOver(ctx context.Context) ([]Session, error) {
	return list(ctx, tx, `SELECT `+sessionColumns+` FROM session s
		WHERE s.opened_by <> '' AND s.end_reason <> $2 AND (s.ended_at IS NOT NULL OR s.expires_at <= $1) ORDER BY s.id`, []any{stamp(tx.Now), endNoted},
		func(r row) (s Session, err error) { return s, r.Scan(sessionInto(&s)...) })
}

// EndLook ends a look, if it has not ended yet; first is false when it was
// called for it before.
func (tx *Tx) EndLook(ctx context.Context, id portal.SessionID) (first bool, err error) {
	n, err := tx.exec(ctx, `UPDATE session SET ended_at = coalesce(ended_at, CASE WHEN expires_at < $2 THEN expires_at ELSE $2 END), end_reason = $3
		WHERE id = $1 AND opened_by <> '' AND end_reason <> $3`, id, stamp(tx.Now), endNoted)
	return n > 0, err
}
