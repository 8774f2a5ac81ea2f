package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Register mails a proof link to the address (self-register portals only;
// NotFound otherwise), or to a member a link to sign in; the answer is the same.
func (a *App) Register(ctx context.Context, v *Visit, address, returnTo string, d Device) error {
	access := &v.Portal.Access
	if access.Mode != portal.ModeSelfRegister {
		return portal.NotFoundf("register.closed", "this portal takes no registrations")
	}
	address, err := email("email", address)
	if err != nil {
		return err
	}
	if !mayRegister(access, address) {
		return portal.Invalidf("register.domain", "email", "only addresses at %s can register", strings.Join(access.AllowDomains, ", ")).
			With("Domains", strings.Join(access.AllowDomains, ", "))
	}
	if err := a.allow(ctx, "register:net:"+d.network(), registrationsNet, time.Hour); err != nil {
		return err
	}
	p, returnTo := v.Portal, LocalPath(returnTo)
	a.afterwards(func(ctx context.Context) error { return a.sendRegistration(ctx, p, address, returnTo) })
	return nil
}

// mayRegister reports whether somebody with the address may register.
func mayRegister(access *portal.AccessSettings, address string) bool {
	return access.Mode == portal.ModeSelfRegister &&
		(len(access.AllowDomains) == 0 || slices.Contains(access.AllowDomains, portal.EmailDomain(address)))
}

func (a *App) sendRegistration(ctx context.Context, p *portal.Portal, address, returnTo string) error {
	defer a.wakeMail()
	return a.store.Write(ctx, func(tx *store.Tx) error {
		if p.State != portal.Live {
			return nil
		}
		data := map[string]string{"return_to": returnTo}
		c, err := tx.ContactForSignIn(ctx, address)
		if err != nil && portal.KindOf(err) != portal.NotFound {
			return err
		}
		if c != nil {
			_, member, err := entryOf(ctx, tx, p, c.ID)
			if err != nil {
				return err
			}
			if member != nil && member.Status == portal.Registered {
				return queueLimited(ctx, tx, &store.Mail{
					Kind: store.MailRegisterKnown, Portal: p.ID,
					Contact: c.ID, Recipient: c.RegistrationEmail(), Data: data,
				})
			}
			if member != nil && (member.Status == portal.Pending || member.Status == portal.Disabled && !mayAskAgain(member, tx.Now)) {
				return nil
			}
		}
		count, err := tx.Count(ctx, "proof:"+addressKey(address), proofWindow)
		if err != nil || count.Count > 1 {
			return err
		}
		return tx.QueueMail(ctx, &store.Mail{Kind: store.MailRegister, Portal: p.ID, Recipient: address, Data: data})
	})
}

// Joining is the form behind a registration or invitation link.
type Joining struct {
	Name, Password string
	Agree          bool
	Language       string // what the page was shown in
}

// Join completes a registration or accepts an invitation (kind says which):
// the contact is registered and signed in. With approval, pending is true and
// nobody is signed in. The link is used up only on success.
func (a *App) Join(ctx context.Context, v *Visit, kind store.TokenKind, token string, j Joining, d Device) (in *SignedIn, pending bool, err error) {
	state, err := a.PeekToken(ctx, v, kind, token)
	if err != nil {
		return nil, false, err
	}
	if !state.Valid {
		return nil, false, linkError(state.Code)
	}
	hash, err := a.checkJoining(ctx, v, state, &j)
	if err != nil {
		return nil, false, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		t, err := validToken(ctx, tx, v, kind, token)
		if err != nil {
			return err
		}
		c, err := joiner(ctx, tx, t, j.Name)
		if err != nil {
			return err
		}
		entry, member, err := entryOf(ctx, tx, v.Portal, c.ID)
		if err != nil {
			return err
		}
		switch {
		case member != nil && member.Status == portal.Disabled && (kind != store.TokenRegister || !mayAskAgain(member, tx.Now)),
			v.Portal.Access.Mode == portal.ModeSSO,
			kind == store.TokenInvitation && !entry.Allowed,
			kind == store.TokenRegister && v.Portal.Access.Mode != portal.ModeSelfRegister,
			kind == store.TokenRegister && !entry.Allowed && !mayRegister(&v.Portal.Access, t.Email):
			return linkError("token.unknown")
		}
		if _, err := tx.UseToken(ctx, t.Hash, kind); err != nil {
			return err
		}
		if err := tx.EndTokens(ctx, t.Contact, 0, t.Email, kind); err != nil {
			return err
		}
		if err := takeConsent(ctx, tx, v, c.ID, j.Agree, j.Language); err != nil {
			return err
		}
		if err := provesAddress(ctx, tx, t, c); err != nil {
			return err
		}
		if old, err := tx.PasswordHash(ctx, portal.Person{Contact: c.ID}); err != nil {
			return err
		} else if hash != "" && old == "" {
			if err := a.setPassword(ctx, tx, portal.Person{Contact: c.ID}, hash, 0); err != nil {
				return err
			}
		}
		if kind == store.TokenRegister && v.Portal.Access.Approval && !entry.Allowed {
			pending = true
			return a.awaitApproval(ctx, tx, v.Portal, c.ID, member)
		}
		if err := register(ctx, tx, v.Portal, c.ID, member); err != nil {
			return err
		}
		if err := a.auditPerson(ctx, tx, v.Portal, portal.Person{Contact: c.ID}, portal.AuditRegistered, d); err != nil {
			return err
		}
		in, err = a.arrive(ctx, tx, v, arrival{who: portal.Person{Contact: c.ID}, way: wayOf(kind), returnTo: t.ReturnTo, device: d})
		return err
	})
	a.wakeMail()
	return in, pending, err
}

// wayOf is how somebody comes in by a one-time link of a kind.
func wayOf(kind store.TokenKind) portal.SignInMethod {
	switch kind {
	case store.TokenInvitation:
		return portal.WayInvitation
	case store.TokenReset:
		return portal.WayReset
	}
	return portal.WayRegister
}

// linkError is the answer to a link that cannot be used.
func linkError(code string) error {
	switch code {
	case "token.used":
		return portal.Conflictf(code, "the link was used already")
	case "token.expired":
		return portal.Conflictf(code, "the link has expired")
	}
	return portal.NotFoundf("token.unknown", "the link is not valid")
}

// checkJoining checks the form and hashes the password, before any
// transaction begins.
func (a *App) checkJoining(ctx context.Context, v *Visit, state *LinkState, j *Joining) (hash string, err error) {
	var problems []error
	if j.Name, err = requiredLine("name", j.Name); err != nil {
		problems = append(problems, err)
	}
	if state.Consent != "" && !j.Agree {
		problems = append(problems, portal.Invalidf("consent.needed", "agree", "agreement to the terms is missing"))
	}
	switch {
	case j.Password == "" && state.MustPassword:
		problems = append(problems, portal.Invalidf("field.required", "password", "password is missing"))
	case j.Password != "" && !state.NeedsPassword:
		// Whoever has a password keeps it: an invitation is no reset.
		j.Password = ""
	case j.Password != "":
		if err := checkPassword("password", j.Password, v.Portal.Name, j.Name, state.Email); err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) > 0 {
		return "", errors.Join(problems...)
	}
	if j.Password == "" {
		return "", nil
	}
	return a.hash(ctx, j.Password)
}

// hash hashes a new password.
func (a *App) hash(ctx context.Context, password string) (string, error) {
	hash, err := a.hasher.Hash(ctx, password)
	if errors.Is(err, auth.ErrBusy) {
		return "", tooMany("sign_in.busy", "too many people are signing in at this moment", firstPause)
	}
	return hash, err
}

// checkPassword says what is wrong with a password somebody chose.
func checkPassword(field, password string, names ...string) error {
	for _, n := range names {
		if local, _, ok := strings.Cut(n, "@"); ok {
			names = append(names, local)
		}
	}
	err := auth.CheckPassword(password, auth.PasswordRules{Names: names})
	var weak auth.WeakError
	if !errors.As(err, &weak) {
		return err
	}
	e := portal.Invalidf(weak.Code, field, "%s", weak.Error())
	return e.With("Min", weak.Min).With("Max", weak.Max)
}

// joiner is the contact behind a registration or invitation link. A
// registration of an address nobody knew makes the contact.
func joiner(ctx context.Context, tx *store.Tx, t *store.Token, name string) (*portal.Contact, error) {
	c, err := contactOfToken(ctx, tx, t)
	switch {
	case err != nil:
		return nil, err
	case c == nil:
		c = &portal.Contact{Email: t.Email, Name: name}
		return c, tx.AddContact(ctx, c)
	case c.Name == name:
		return c, nil
	}
	c.Name = name
	return c, tx.SaveContact(ctx, c)
}

// portalInbox is the inbox a portal's new tickets go to, or nil.
func portalInbox(ctx context.Context, tx *store.Tx, p *portal.Portal) (*portal.Inbox, error) {
	if p.Tickets.InboxID == 0 {
		return nil, nil
	}
	return tx.Inbox(ctx, p.Tickets.InboxID)
}

// setPassword stores a new password and ends every session but one, and every
// link that could still let somebody in.
func (a *App) setPassword(ctx context.Context, tx *store.Tx, who portal.Person, hash string, except portal.SessionID) error {
	if err := tx.SetPasswordHash(ctx, who, hash); err != nil {
		return err
	}
	if _, err := tx.EndSessions(ctx, who.Contact, who.Agent, except, endPassword); err != nil {
		return err
	}
	return tx.EndTokens(ctx, who.Contact, who.Agent, "", store.TokenSignIn, store.TokenReset)
}

// RequestReset mails a reset link; the answer is the same for every address.
func (a *App) RequestReset(ctx context.Context, v *Visit, address string, d Device) error {
	address, err := email("email", address)
	if err != nil {
		return err
	}
	if err := a.allow(ctx, "link:net:"+d.network(), requestsPerNet, signInMailsWindow); err != nil {
		return err
	}
	p := v.Portal
	a.afterwards(func(ctx context.Context) error {
		defer a.wakeMail()
		return a.store.Write(ctx, func(tx *store.Tx) error {
			who, recipient, err := a.whoSignsIn(ctx, tx, p, address, portal.MethodPassword)
			if err != nil || who.None() {
				return err
			}
			return queueLimited(ctx, tx, &store.Mail{
				Kind: store.MailReset, Portal: p.ID, Contact: who.Contact, Agent: who.Agent, Recipient: recipient,
			})
		})
	})
	return nil
}

// Reset sets a new password by a reset link, ends all sessions and signs in.
func (a *App) Reset(ctx context.Context, v *Visit, token, password string, d Device) (*SignedIn, error) {
	state, err := a.PeekToken(ctx, v, store.TokenReset, token)
	if err != nil {
		return nil, err
	}
	if !state.Valid {
		return nil, linkError(state.Code)
	}
	if err := checkPassword("password", password, v.Portal.Name, state.Name, state.Email); err != nil {
		return nil, err
	}
	hash, err := a.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	var in *SignedIn
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		t, err := validToken(ctx, tx, v, store.TokenReset, token)
		if err != nil {
			return err
		}
		if _, err := tx.UseToken(ctx, t.Hash, store.TokenReset); err != nil {
			return err
		}
		who := portal.Person{Contact: t.Contact, Agent: t.Agent}
		if err := a.resetEnters(ctx, tx, v, who); err != nil {
			return err
		}
		if err := a.setPassword(ctx, tx, who, hash, 0); err != nil {
			return err
		}
		if err := a.passwordChanged(ctx, tx, v.Portal, who, d); err != nil {
			return err
		}
		in, err = a.arrive(ctx, tx, v, arrival{who: who, way: portal.WayReset, device: d})
		return err
	})
	a.wakeMail()
	return in, err
}

// resetEnters asks whether somebody who resets a password may still enter,
// and registers a contact who was only invited.
func (a *App) resetEnters(ctx context.Context, tx *store.Tx, v *Visit, who portal.Person) error {
	if who.Agent != 0 {
		agent, err := tx.Agent(ctx, who.Agent)
		if err == nil && agent.Disabled {
			err = linkError("token.unknown")
		}
		return err
	}
	entry, member, err := entryOf(ctx, tx, v.Portal, who.Contact)
	if err != nil {
		return err
	}
	if !entry.Allowed || !v.Portal.Access.Allows(portal.MethodPassword) {
		return linkError("token.unknown")
	}
	if err := takeConsentIfNew(ctx, tx, v, who.Contact, member); err != nil {
		return err
	}
	return register(ctx, tx, v.Portal, who.Contact, member)
}

// passwordChanged tells the person that they have another password, and the
// audit log.
func (a *App) passwordChanged(ctx context.Context, tx *store.Tx, p *portal.Portal, who portal.Person, d Device) error {
	if err := a.auditPerson(ctx, tx, p, who, portal.AuditPassword, d); err != nil {
		return err
	}
	return a.tellPerson(ctx, tx, p, who, store.MailPasswordChanged, nil)
}

// takeConsentIfNew refuses somebody who is not registered yet where terms
// have to be agreed to: the page behind their invitation asks for that.
func takeConsentIfNew(ctx context.Context, tx *store.Tx, v *Visit, c portal.ContactID, member *portal.Member) error {
	if member != nil && member.Status == portal.Registered {
		return nil
	}
	return takeConsent(ctx, tx, v, c, false, "")
}
