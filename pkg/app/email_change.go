package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// EmailLinkLife is how long the link to a new address works.
const EmailLinkLife = 30 * time.Minute

// emailChanges is how many new addresses somebody may have mailed in an hour:
// nobody has proven those, and they may be anybody's.
const emailChanges = 5

// ChangeEmail mails a link to a contact's new address; the address changes
// when it is followed. It asks for a fresh proof of who they are. Whether
// somebody has the address already is not told: then nothing is sent.
func (a *App) ChangeEmail(ctx context.Context, v *Visit, address string) error {
	if err := contactOnly(v); err != nil {
		return err
	}
	if v.Portal.Access.Mode == portal.ModeSSO {
		return portal.Forbiddenf("email.sso", "the address comes from the identity provider")
	}
	if err := a.proven(v); err != nil {
		return err
	}
	address, err := email("email", address)
	if err != nil {
		return err
	}
	if address == v.Contact.Email {
		return portal.Invalidf("email.same", "email", "%s is the address already", address)
	}
	if access := &v.Portal.Access; len(access.AllowDomains) > 0 && !slices.Contains(access.AllowDomains, portal.EmailDomain(address)) {
		list := strings.Join(access.AllowDomains, ", ")
		return portal.Invalidf("register.domain", "email", "only addresses at %s can register", list).With("Domains", list)
	}
	p, who := v.Portal, v.Contact.ID
	if err := a.allow(ctx, "email:"+v.Person().About(), emailChanges, time.Hour); err != nil {
		return err
	}
	a.afterwards(func(ctx context.Context) error {
		defer a.wakeMail()
		return a.store.Write(ctx, func(tx *store.Tx) error {
			free, err := addressFree(ctx, tx, address)
			if err != nil || !free {
				return err
			}
			return queueLimited(ctx, tx, &store.Mail{Kind: store.MailEmailProof, Portal: p.ID, Contact: who, Recipient: address})
		})
	})
	return nil
}

// addressFree reports whether nobody signs in with an address.
func addressFree(ctx context.Context, tx *store.Tx, address string) (bool, error) {
	for _, find := range []func() error{
		func() error { _, err := tx.ContactForSignIn(ctx, address); return err },
		func() error { _, err := tx.ContactByEmail(ctx, address); return err },
		func() error { _, err := tx.AgentByEmail(ctx, address); return err },
	} {
		switch err := find(); {
		case err == nil:
			return false, nil
		case portal.KindOf(err) != portal.NotFound:
			return false, err
		}
	}
	return true, nil
}

// ConfirmEmail gives the visiting contact the address a link has proven. Every
// other session and every link ends, and the old address is told.
func (a *App) ConfirmEmail(ctx context.Context, v *Visit, token string, d Device) (*SignedIn, error) {
	if err := contactOnly(v); err != nil {
		return nil, err
	}
	var in *SignedIn
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		t, err := validToken(ctx, tx, v, store.TokenEmail, token)
		if err != nil {
			return err
		}
		if t.Contact != v.Contact.ID {
			// Proven by somebody else's mailbox, or followed in the wrong account.
			return linkError("token.unknown")
		}
		if _, err := tx.UseToken(ctx, t.Hash, store.TokenEmail); err != nil {
			return err
		}
		free, err := addressFree(ctx, tx, t.Email)
		if err != nil {
			return err
		}
		if !free {
			return linkError("token.unknown")
		}
		in, err = a.moveEmail(ctx, tx, v, t.Email, d)
		return err
	})
	a.wakeMail()
	return in, err
}

func (a *App) moveEmail(ctx context.Context, tx *store.Tx, v *Visit, address string, d Device) (*SignedIn, error) {
	c, err := tx.Contact(ctx, v.Contact.ID)
	if err != nil {
		return nil, err
	}
	told := []string{c.Email}
	if old := c.RegistrationEmail(); old != c.Email {
		told = append(told, old)
	}
	change := portal.AuditChange{Field: "email", From: c.Email, To: address}
	c.Email, c.MemberEmail = address, ""
	if err := tx.SaveContact(ctx, c); err != nil {
		return nil, err
	}
	if err := attachByDomain(ctx, tx, c); err != nil {
		return nil, err
	}
	in, here, err := a.rise(ctx, tx, v, nil)
	if err != nil {
		return nil, err
	}
	if _, err := tx.EndSessions(ctx, c.ID, 0, here, "email_changed"); err != nil {
		return nil, err
	}
	if err := tx.EndTokens(ctx, c.ID, 0, ""); err != nil {
		return nil, err
	}
	for _, old := range told {
		m := &store.Mail{Kind: store.MailEmailChanged, Portal: v.Portal.ID, Contact: c.ID, Recipient: old}
		if err := tx.QueueMail(ctx, m); err != nil {
			return nil, err
		}
	}
	return in, a.auditPerson(ctx, tx, v.Portal, portal.Person{Contact: c.ID}, portal.AuditEmail, d, change)
}
