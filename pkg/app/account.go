package app

import (
	"context"
	"errors"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Account is what /account shows to a contact, or to an agent.
type Account struct {
	Name, Address  string          // the address is the one they sign in with
	Contact        *portal.Contact // nil for agents
	HasPassword    bool
	Passkeys       []PasskeyInfo
	OffersPasskeys bool   // more can be added here
	PasskeyHost    string // where those work that are added here
	Sessions       []store.Session
	Factor         *FactorState
	Consents       []portal.Consent // of a contact, to texts of this portal; the last first
}

// Account returns the visitor's account.
func (a *App) Account(ctx context.Context, v *Visit) (*Account, error) {
	who := v.Person()
	if who.None() {
		return nil, noAccount()
	}
	acc := &Account{Contact: v.Contact}
	acc.Name, acc.Address = v.nameAndAddress()
	if v.Contact != nil {
		acc.Address = v.Contact.RegistrationEmail()
	}
	site, err := a.site(ctx, v.Portal)
	if err != nil {
		return nil, err
	}
	acc.PasskeyHost, acc.OffersPasskeys = PasskeyHost(site), offersPasskeys(v, site)
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		hash, err := tx.PasswordHash(ctx, who)
		if err != nil {
			return err
		}
		acc.HasPassword = hash != ""
		if acc.Passkeys, err = passkeyInfos(ctx, tx, who); err != nil {
			return err
		}
		if acc.Sessions, err = tx.Sessions(ctx, who.Contact, who.Agent); err != nil {
			return err
		}
		if acc.Factor, err = factorState(ctx, tx, v); err != nil {
			return err
		}
		acc.Consents, err = consentsHere(ctx, tx, v)
		return err
	})
	return acc, err
}

func noAccount() error {
	return portal.NotFoundf("account.none", "nobody is signed in who has an account")
}

// contactOnly refuses agents, who have no account in a portal.
func contactOnly(v *Visit) error {
	if v.Contact == nil {
		return portal.NotFoundf("account.none", "agents have no account in a portal")
	}
	if v.ReadOnly {
		return readOnly()
	}
	return nil
}

// SaveProfile changes name, language ("" = the portal's) and time zone.
func (a *App) SaveProfile(ctx context.Context, v *Visit, name, language, timeZone string) error {
	if err := contactOnly(v); err != nil {
		return err
	}
	var problems []error
	name, err := requiredLine("name", name)
	if err != nil {
		problems = append(problems, err)
	}
	if language, err = a.language("language", language); err != nil {
		problems = append(problems, err)
	}
	if err == nil && language != "" && !v.Portal.Speaks(language) {
		problems = append(problems, portal.Invalidf("field.language", "language", "%q is not a language of this portal; use %s", language, oneOf(v.Portal.Offers())))
	}
	if timeZone, err = zoneName("time_zone", timeZone); err != nil {
		problems = append(problems, err)
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	return a.store.Write(ctx, func(tx *store.Tx) error {
		c, err := tx.Contact(ctx, v.Contact.ID)
		if err != nil {
			return err
		}
		// Rules may look at name and language.
		var changes changeList
		change(&changes, "name", &c.Name, &name)
		language := portal.SameLanguage(c.Language, language)
		change(&changes, "language", &c.Language, &language)
		change(&changes, "time-zone", &c.TimeZone, &timeZone)
		if err := tx.SaveContact(ctx, c); err != nil {
			return err
		}
		some, err := bearing(ctx, tx, changes)
		if err != nil || len(some) == 0 {
			return err
		}
		return a.noteVisit(ctx, tx, v, portal.AuditContactChanged, portal.AboutContact(c.ID), some...)
	})
}

// ChangePassword sets a new password after the present one was given, or,
// when none is set, after a fresh proof of who they are. It ends every other
// session and mails a notice. The visit gets a new session token.
func (a *App) ChangePassword(ctx context.Context, v *Visit, present, next string, d Device) (*SignedIn, error) {
	who := v.Person()
	if who.None() {
		return nil, contactOnly(v)
	}
	if who.Contact != 0 && !v.Portal.Access.Allows(portal.MethodPassword) {
		return nil, portal.Forbiddenf("sign_in.method", "this portal does not sign in by password")
	}
	var old string
	err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
		old, err = tx.PasswordHash(ctx, who)
		return err
	})
	if err != nil {
		return nil, err
	}
	if old == "" {
		err = a.proven(v)
	} else {
		err = a.checkPresent(ctx, v, old, present, d)
	}
	if err != nil {
		return nil, err
	}
	name, address := v.nameAndAddress()
	if err := checkPassword("password", next, v.Portal.Name, name, address); err != nil {
		return nil, err
	}
	hash, err := a.hash(ctx, next)
	if err != nil {
		return nil, err
	}
	var in *SignedIn
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if now, err := tx.PasswordHash(ctx, who); err != nil || now != old {
			return errors.Join(err, portal.Conflictf("password.changed", "the password was changed in another window"))
		}
		var here portal.SessionID
		if in, here, err = a.rise(ctx, tx, v, nil); err != nil {
			return err
		}
		if err := a.setPassword(ctx, tx, who, hash, here); err != nil {
			return err
		}
		return a.passwordChanged(ctx, tx, v.Portal, who, d)
	})
	a.wakeMail()
	return in, err
}

// EndSession ends one of the visitor's sessions.
func (a *App) EndSession(ctx context.Context, v *Visit, id portal.SessionID) error {
	who := v.Person()
	if who.None() {
		return noAccount()
	}
	if v.ReadOnly {
		return readOnly()
	}
	return a.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.EndSession(ctx, who.Contact, who.Agent, id, endElsewhere); err != nil {
			return err
		}
		return a.auditPerson(ctx, tx, v.Portal, who, portal.AuditSessionsEnded, v.Device)
	})
}

// EndAllSessions signs out everywhere, here too.
func (a *App) EndAllSessions(ctx context.Context, v *Visit) error {
	who := v.Person()
	if who.None() {
		return noAccount()
	}
	if v.ReadOnly {
		return readOnly()
	}
	return a.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.EndTokens(ctx, who.Contact, who.Agent, "", store.TokenSignIn); err != nil {
			return err
		}
		if _, err := tx.EndSessions(ctx, who.Contact, who.Agent, 0, endElsewhere); err != nil {
			return err
		}
		return a.auditPerson(ctx, tx, v.Portal, who, portal.AuditSessionsEnded, v.Device, portal.AuditChange{Field: "reason", To: "everywhere"})
	})
}
