package app

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// RefusalHolds is how long somebody who was refused cannot ask again. They are
// not told how long: asking looks the same, and nothing comes of it.
const RefusalHolds = 30 * 24 * time.Hour

// mayAskAgain reports whether a disabled member is one whose registration was
// refused long enough ago to ask once more.
func mayAskAgain(m *portal.Member, now time.Time) bool {
	return m.Status == portal.Disabled && !m.RefusedAt.IsZero() && !now.Before(m.RefusedAt.Add(RefusalHolds))
}

// awaitApproval makes the contact a pending member and tells the desk: the
// inbox, or where that has no address those who can approve.
func (a *App) awaitApproval(ctx context.Context, tx *store.Tx, p *portal.Portal, c portal.ContactID, member *portal.Member) error {
	if member == nil {
		member = &portal.Member{PortalID: p.ID, ContactID: c}
	}
	member.Status, member.RequestedAt = portal.Pending, tx.Now
	member.RefusedAt, member.Refusal = time.Time{}, ""
	if err := tx.SaveMember(ctx, member); err != nil {
		return err
	}
	inbox, err := portalInbox(ctx, tx, p)
	if err != nil {
		return err
	}
	if inbox != nil && inbox.Address != "" {
		return tx.QueueMail(ctx, &store.Mail{Kind: store.MailDeskPending, Portal: p.ID, Inbox: inbox.ID, Contact: c, Recipient: inbox.Address})
	}
	approvers, err := approvers(ctx, tx)
	if err != nil {
		return err
	}
	for _, agent := range approvers {
		err := tx.QueueMail(ctx, &store.Mail{Kind: store.MailDeskPending, Portal: p.ID, Agent: agent.ID, Contact: c, Recipient: agent.Email})
		if err != nil {
			return err
		}
	}
	return nil
}

// approvers are the admins among the agents or, where there is none, all.
func approvers(ctx context.Context, tx *store.Tx) ([]portal.Agent, error) {
	agents, err := tx.Agents(ctx)
	if err != nil {
		return nil, err
	}
	var admins, all []portal.Agent
	for _, a := range agents {
		if a.Disabled {
			continue
		}
		all = append(all, a)
		if a.Role == portal.RoleAdmin {
			admins = append(admins, a)
		}
	}
	if len(admins) > 0 {
		return admins, nil
	}
	return all, nil
}

// ApproveMembers lets in those who registered and await approval, and tells
// them by mail; also those who were refused, if that was a mistake.
func (a *App) ApproveMembers(ctx context.Context, p *portal.Portal, addresses []string) ([]MemberChange, error) {
	return a.changeMembers(ctx, p, addresses, a.approveMember)
}

func (a *App) approveMember(ctx context.Context, tx *store.Tx, p *portal.Portal, c *portal.Contact, done *MemberChange) error {
	m, err := memberOrNil(ctx, tx, p, c.ID)
	if err != nil {
		return err
	}
	switch {
	case m == nil:
		return notMember(p, c)
	case m.Status == portal.Registered:
		done.Status, done.Note = m.Status, "has access already"
		return nil
	case m.Status != portal.Pending && m.RefusedAt.IsZero():
		return notPending(m, c)
	}
	if err := a.noteMember(ctx, tx, portal.AuditApproved, m, portal.Registered); err != nil {
		return err
	}
	m.RefusedAt, m.Refusal, m.DisabledAt = time.Time{}, "", time.Time{}
	if err := becomeRegistered(ctx, tx, m); err != nil {
		return err
	}
	if err := tx.SaveMember(ctx, m); err != nil {
		return err
	}
	if err := registerElsewhere(ctx, tx, c.ID, p.ID); err != nil {
		return err
	}
	done.Status, done.Changed, done.Mailed = m.Status, true, true
	return tx.QueueMail(ctx, &store.Mail{
		Kind: store.MailApproved, Recipient: c.RegistrationEmail(),
		Portal: p.ID, Contact: c.ID,
	})
}

func notPending(m *portal.Member, c *portal.Contact) error {
	return portal.Conflictf("member.not_pending", "%s is %s and has not asked for access", c.Email, m.Status).
		WithHint("invite them with `portalctl members invite %s`", c.Email)
}

// RefuseMembers refuses those who registered and await approval, and tells
// them by mail, with the reason if one is given. They are disabled, and can
// ask again when RefusalHolds is over.
func (a *App) RefuseMembers(ctx context.Context, p *portal.Portal, addresses []string, reason string) ([]MemberChange, error) {
	reason, err := reasonText("reason", reason)
	if err != nil {
		return nil, err
	}
	refuse := func(ctx context.Context, tx *store.Tx, p *portal.Portal, c *portal.Contact, done *MemberChange) error {
		return a.refuseMember(ctx, tx, p, c, reason, done)
	}
	return a.changeMembers(ctx, p, addresses, refuse)
}

// maxReason is how long a reason may be, in bytes: it goes out by mail to
// somebody who is let in nowhere.
const maxReason = 2000

func reasonText(field, s string) (string, error) {
	if s == "" {
		return "", nil
	}
	s, err := bodyText(field, s)
	if err == nil && len(s) > maxReason {
		return "", portal.Invalidf("field.too_long", field, "the %s has %d bytes; at most %d fit", field, len(s), maxReason)
	}
	return s, err
}

func (a *App) refuseMember(ctx context.Context, tx *store.Tx, p *portal.Portal, c *portal.Contact, reason string, done *MemberChange) error {
	m, err := memberOrNil(ctx, tx, p, c.ID)
	switch {
	case err != nil:
		return err
	case m == nil:
		return notMember(p, c)
	case m.Status == portal.Disabled && !m.RefusedAt.IsZero():
		done.Status, done.Note = m.Status, "was refused already"
		return nil
	case m.Status != portal.Pending:
		return notPending(m, c)
	}
	if err := a.noteMember(ctx, tx, portal.AuditRefused, m, portal.Disabled); err != nil {
		return err
	}
	m.Status, m.DisabledAt, m.RefusedAt, m.Refusal = portal.Disabled, tx.Now, tx.Now, reason
	if err := tx.SaveMember(ctx, m); err != nil {
		return err
	}
	if done.Ended, err = tx.EndPortalAccess(ctx, p.ID, c.ID, "the registration was refused"); err != nil {
		return err
	}
	done.Status, done.Changed, done.Mailed = m.Status, true, true
	return tx.QueueMail(ctx, &store.Mail{
		Kind: store.MailRefused, Recipient: c.RegistrationEmail(),
		Portal: p.ID, Contact: c.ID,
	})
}
