package app

import (
	"context"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// SendsInvitations reports whether a portal mails invitations at all: not
// while it is on the system domain and access is by groups (design section
// 5), where links are handed over with `members link`, and not while it is a
// draft.
func SendsInvitations(p *portal.Portal) bool {
	return p.State != portal.Draft && (p.Domain.Kind == portal.ConnectedDomain || p.Access.Mode != portal.ModeGroups)
}

// Grace is how long what a change of settings or groups tells people waits,
// so that the change can be taken back before anybody knows of it.
const Grace = 2 * time.Minute

// Invitations is what a change did to who is invited.
type Invitations struct {
	Invited    int // contacts who became members
	Mails      int // mails queued to them
	Registered int // of the invited: registered in another portal already, and therefore here
	// Until is when the mails go out and the change can be taken back no
	// longer; zero when they go at once.
	Until time.Time
	// TakenBack counts memberships that vanished, as nobody knew of them, and
	// Told those who lost access after they had been told of it.
	TakenBack, Told int
}

func (i *Invitations) merge(part *Invitations) {
	i.Invited += part.Invited
	i.Mails += part.Mails
	i.Registered += part.Registered
	i.TakenBack += part.TakenBack
	i.Told += part.Told
	if part.Until.After(i.Until) {
		i.Until = part.Until
	}
}

// grace is how long the invitations of a change wait in this process.
func (a *App) grace() time.Duration {
	if a.inviteNow {
		return 0
	}
	return Grace
}

// invite makes the contacts members of the portal and, where SendsInvitations
// allows, mails them after the grace. Registered and disabled members are left
// as they are. Whoever is registered in another portal is registered here as
// well: they need no invitation and are only told. It runs in the caller's
// transaction; the caller calls wakeMail after the commit.
func (a *App) invite(ctx context.Context, tx *store.Tx, p *portal.Portal, contacts []portal.ContactID, grace time.Duration, inv *Invitations) error {
	for _, id := range contacts {
		m, err := memberOrNil(ctx, tx, p, id)
		switch {
		case err != nil:
			return err
		case m == nil:
			m = &portal.Member{PortalID: p.ID, ContactID: id}
		case m.Status == portal.Registered || m.Status == portal.Disabled:
			continue
		}
		if err := a.inviteOne(ctx, tx, p, m, grace, inv); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) inviteOne(ctx context.Context, tx *store.Tx, p *portal.Portal, m *portal.Member, grace time.Duration, inv *Invitations) error {
	c, err := tx.Contact(ctx, m.ContactID)
	if err != nil {
		return err
	}
	mail := &store.Mail{Kind: store.MailInvitation, Portal: p.ID, Contact: c.ID, Recipient: c.RegistrationEmail(), DueAt: tx.Now.Add(grace)}
	registered, err := tx.RegisteredSomewhere(ctx, c.ID)
	if err != nil {
		return err
	}
	if err := a.noteMember(ctx, tx, portal.AuditInvited, m, invitedAs(registered)); err != nil {
		return err
	}
	m.Status, m.InvitedAt, m.GraceUntil = portal.Invited, tx.Now, time.Time{}
	if registered {
		if err := becomeRegistered(ctx, tx, m); err != nil {
			return err
		}
		mail.Kind = store.MailAccess
		inv.Registered++
	}
	if grace > 0 {
		m.GraceUntil = mail.DueAt
	}
	if err := tx.SaveMember(ctx, m); err != nil {
		return err
	}
	inv.Invited++
	// What was sent before, and what was not yet, gives way to this one.
	if err := tx.EndPortalTokens(ctx, p.ID, c.ID, store.TokenInvitation); err != nil {
		return err
	}
	if _, err := tx.DropInvitations(ctx, p.ID, c.ID, mail.Recipient); err != nil {
		return err
	}
	if !SendsInvitations(p) {
		return nil
	}
	inv.Mails, inv.Until = inv.Mails+1, m.GraceUntil
	return tx.QueueMail(ctx, mail)
}

// invitedAs is the status an invitation gives.
func invitedAs(registered bool) portal.MemberStatus {
	if registered {
		return portal.Registered
	}
	return portal.Invited
}

// becomeRegistered makes a membership a registered one. What was written in
// the portal before is no news to them.
func becomeRegistered(ctx context.Context, tx *store.Tx, m *portal.Member) error {
	last, err := tx.LastMessage(ctx)
	m.Status, m.RegisteredAt, m.ReadFrom = portal.Registered, tx.Now, last
	return err
}

// registerElsewhere registers somebody who has just registered in one portal
// in all others they were invited to and may enter: they sign in there with
// what they have. Invitations that wait to be sent only tell them so.
func registerElsewhere(ctx context.Context, tx *store.Tx, id portal.ContactID, here portal.PortalID) error {
	members, err := tx.MembershipsOf(ctx, id)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.PortalID == here || m.Status != portal.Invited && m.Status != portal.Failed {
			continue
		}
		p, err := tx.Portal(ctx, m.PortalID)
		if err != nil {
			return err
		}
		entry, _, err := entryOf(ctx, tx, p, id)
		if err != nil {
			return err
		}
		if !entry.Allowed {
			continue
		}
		if err := becomeRegistered(ctx, tx, &m); err != nil {
			return err
		}
		if err := tx.SaveMember(ctx, &m); err != nil {
			return err
		}
	}
	return nil
}

// takeBack forgets a membership that a change made and nobody was told of.
func (a *App) takeBack(ctx context.Context, tx *store.Tx, m *portal.Member) (bool, error) {
	c, err := tx.Contact(ctx, m.ContactID)
	if err != nil {
		return false, err
	}
	back, err := tx.TakeBack(ctx, m, c.RegistrationEmail())
	if err != nil || !back {
		return false, err
	}
	return true, a.noteMember(ctx, tx, portal.AuditTakenBack, m, "")
}

// MemberLink makes a link to hand over by other means: for somebody who is
// not registered yet an invitation, otherwise a link that signs in.
func (a *App) MemberLink(ctx context.Context, p *portal.Portal, c portal.ContactID) (string, error) {
	if p.Access.Mode == portal.ModeSSO {
		return "", byProvider(p)
	}
	var path string
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		entry, member, err := entryOf(ctx, tx, p, c)
		if err != nil {
			return err
		}
		t := &store.Token{Kind: store.TokenSignIn, Portal: p.ID, Contact: c, ExpiresAt: tx.Now.Add(SignInLinkLife)}
		switch {
		case member != nil && member.Status == portal.Pending:
			contact, err := tx.Contact(ctx, c)
			if err != nil {
				return err
			}
			return awaitsApproval(contact)
		case member != nil && member.Status == portal.Disabled, !entry.Allowed && p.Access.Mode == portal.ModeGroups:
			return portal.Conflictf(entry.Code, "no link for this contact: %s", entry.Why).WithHint("%s", entry.Change)
		case member == nil || member.Status != portal.Registered:
			registered, err := a.inviteSilently(ctx, tx, p, c, member)
			if err != nil {
				return err
			}
			if registered {
				break
			}
			t.Kind, t.ExpiresAt = store.TokenInvitation, tx.Now.Add(InvitationLife)
		}
		if path, err = newLink(ctx, tx, t); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditLink, p.ID, portal.AboutContact(c), fact("kind", t.Kind))
	})
	if err != nil {
		return "", err
	}
	return a.URL(ctx, p, path)
}

// LinkLife is how long a link made by MemberLink or AgentLink works.
func LinkLife(link string) time.Duration {
	if strings.Contains(link, "/invitation/") {
		return InvitationLife
	}
	return SignInLinkLife
}

// inviteSilently notes an invitation that is handed over, not mailed. m is
// the contact's membership, or nil. registered is true for somebody who has
// registered in another portal, and so needs no invitation.
func (a *App) inviteSilently(ctx context.Context, tx *store.Tx, p *portal.Portal, c portal.ContactID, m *portal.Member) (registered bool, err error) {
	if m == nil {
		m = &portal.Member{PortalID: p.ID, ContactID: c}
	}
	if registered, err = tx.RegisteredSomewhere(ctx, c); err != nil {
		return false, err
	}
	if to := invitedAs(registered); m.Status != to {
		if err := a.noteMember(ctx, tx, portal.AuditInvited, m, to); err != nil {
			return false, err
		}
	}
	m.Status, m.InvitedAt, m.GraceUntil = portal.Invited, tx.Now, time.Time{}
	if registered {
		if err := becomeRegistered(ctx, tx, m); err != nil {
			return false, err
		}
	}
	// The mail that waits would end the link that is handed over.
	contact, err := tx.Contact(ctx, c)
	if err != nil {
		return false, err
	}
	if _, err := tx.DropInvitations(ctx, p.ID, c, contact.RegistrationEmail()); err != nil {
		return false, err
	}
	return registered, tx.SaveMember(ctx, m)
}

// AgentLink makes a sign-in link for an agent.
func (a *App) AgentLink(ctx context.Context, p *portal.Portal, id portal.AgentID) (string, error) {
	var path string
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		agent, err := tx.Agent(ctx, id)
		if err != nil {
			return err
		}
		if agent.Disabled {
			return portal.Conflictf("agent.disabled", "the agent %s is disabled", agent.Email).WithHint("enable the agent with `portalctl agents set`")
		}
		path, err = newLink(ctx, tx, &store.Token{Kind: store.TokenSignIn, Portal: p.ID, Agent: id, ExpiresAt: tx.Now.Add(SignInLinkLife)})
		if err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditLink, p.ID, portal.AboutAgent(id), fact("kind", store.TokenSignIn))
	})
	if err != nil {
		return "", err
	}
	return a.URL(ctx, p, path)
}

// newLink makes a one-time link, ends the person's older ones of its kind,
// and returns its path in the portal.
func newLink(ctx context.Context, tx *store.Tx, t *store.Token) (path string, err error) {
	token, hash, err := auth.NewToken()
	if err != nil {
		return "", err
	}
	t.Hash, t.CreatedAt = hash, tx.Now
	if err := endOlder(ctx, tx, t); err != nil {
		return "", err
	}
	if err := tx.AddToken(ctx, t); err != nil {
		return "", err
	}
	return LinkPath(t.Kind, token), nil
}

// endOlder ends the links that a new one takes the place of: a person's of its
// kind, and of invitations only those to its portal.
func endOlder(ctx context.Context, tx *store.Tx, t *store.Token) error {
	if t.Kind == store.TokenInvitation {
		return tx.EndPortalTokens(ctx, t.Portal, t.Contact, t.Kind)
	}
	return tx.EndTokens(ctx, t.Contact, t.Agent, t.Email, t.Kind)
}

// LinkPath is where in a portal the page behind a one-time link lies.
func LinkPath(kind store.TokenKind, token string) string {
	switch kind {
	case store.TokenInvitation:
		return "/invitation/" + token
	case store.TokenRegister:
		return "/register/" + token
	case store.TokenReset:
		return "/reset/" + token
	case store.TokenEmail:
		return "/account/email/" + token
	case store.TokenNotMe:
		return "/not-me/" + token
	case store.TokenView:
		return "/view/" + token
	default:
		return "/sign-in/link/" + token
	}
}
