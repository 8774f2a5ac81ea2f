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

// invite makes the contacts members of the portal (status invited) and mails
// invitations where SendsInvitations allows. Registered and disabled members
// are left as they are. It runs in the caller's transaction and reports how
// many mails were queued; the caller calls wakeMail after the commit.
func (a *App) invite(ctx context.Context, tx *store.Tx, p *portal.Portal, contacts []portal.ContactID) (mails int, err error) {
	for _, id := range contacts {
		m, err := tx.Member(ctx, p.ID, id)
		if portal.KindOf(err) == portal.NotFound {
			m, err = &portal.Member{PortalID: p.ID, ContactID: id}, nil
		}
		if err != nil {
			return mails, err
		}
		if m.Status == portal.Registered || m.Status == portal.Disabled {
			continue
		}
		if err := a.noteMember(ctx, tx, portal.AuditInvited, m, portal.Invited); err != nil {
			return mails, err
		}
		m.Status, m.InvitedAt = portal.Invited, tx.Now
		if err := tx.SaveMember(ctx, m); err != nil {
			return mails, err
		}
		if !SendsInvitations(p) {
			continue
		}
		c, err := tx.Contact(ctx, id)
		if err != nil {
			return mails, err
		}
		if err := tx.QueueMail(ctx, &store.Mail{Kind: store.MailInvitation, Portal: p.ID, Contact: id, Recipient: c.RegistrationEmail()}); err != nil {
			return mails, err
		}
		mails++
	}
	return mails, nil
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
			if err := a.inviteSilently(ctx, tx, p, c, member); err != nil {
				return err
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
// the contact's membership, or nil.
func (a *App) inviteSilently(ctx context.Context, tx *store.Tx, p *portal.Portal, c portal.ContactID, m *portal.Member) error {
	if m == nil {
		m = &portal.Member{PortalID: p.ID, ContactID: c}
	}
	if err := a.noteMember(ctx, tx, portal.AuditInvited, m, portal.Invited); err != nil {
		return err
	}
	m.Status, m.InvitedAt = portal.Invited, tx.Now
	return tx.SaveMember(ctx, m)
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
	if err := tx.EndTokens(ctx, t.Contact, t.Agent, t.Email, t.Kind); err != nil {
		return "", err
	}
	if err := tx.AddToken(ctx, t); err != nil {
		return "", err
	}
	return LinkPath(t.Kind, token), nil
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
