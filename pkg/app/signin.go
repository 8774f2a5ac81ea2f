package app

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// How long things last; security section 10. Mail that carries a link makes
// the token when it is sent, with these.
const (
	SignInLinkLife   = 10 * time.Minute
	ResetLinkLife    = 30 * time.Minute
	InvitationLife   = 7 * 24 * time.Hour
	RegistrationLife = 24 * time.Hour
	SessionLife      = 30 * 24 * time.Hour
)

// LocalPath returns a return target if it is a path on this host: it starts
// with one slash, the next character is neither slash nor backslash, and it
// has no control characters. Anything else is "".
func LocalPath(target string) string {
	if len(target) > 2000 || !strings.HasPrefix(target, "/") || len(target) > 1 && (target[1] == '/' || target[1] == '\\') {
		return ""
	}
	if strings.ContainsFunc(target, func(r rune) bool { return unicode.IsControl(r) || r == '\\' }) {
		return ""
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil {
		return ""
	}
	return target
}

// RequestLink mails a sign-in link if the address may enter; it answers the
// same, in words and time, whether or not it does. TooMany (limit.requests,
// Args RetryAfter in seconds) only by network, never by what is known.
func (a *App) RequestLink(ctx context.Context, v *Visit, address, returnTo string, d Device) (*AskedForLink, error) {
	address, err := email("email", address)
	if err != nil {
		return nil, err
	}
	if err := a.allow(ctx, "link:net:"+d.network(), requestsPerNet, signInMailsWindow); err != nil {
		return nil, err
	}
	asked, data, err := newAsking()
	if err != nil {
		return nil, err
	}
	data["return_to"] = LocalPath(returnTo)
	p := v.Portal
	a.afterwards(func(ctx context.Context) error { return a.sendLink(ctx, p, address, data, d) })
	return asked, nil
}

// sendLink queues a sign-in link for a contact or agent who may enter.
func (a *App) sendLink(ctx context.Context, p *portal.Portal, address string, data map[string]string, d Device) error {
	defer a.wakeMail()
	return a.store.Write(ctx, func(tx *store.Tx) error {
		who, recipient, err := a.whoSignsIn(ctx, tx, p, address, portal.MethodLink)
		if err != nil || who.None() {
			return err
		}
		m := &store.Mail{
			Kind: store.MailSignIn, Portal: p.ID, Data: data,
			Contact: who.Contact, Agent: who.Agent, Recipient: recipient,
		}
		if hash, err := auth.ParseToken(d.Token); err == nil {
			known, err := tx.KnowsDevice(ctx, who, hash)
			if err != nil {
				return err
			}
			if known {
				data["familiar"] = "yes"
				return queueUpTo(ctx, tx, "mail:familiar:"+addressKey(recipient), m)
			}
		}
		return queueLimited(ctx, tx, m)
	})
}

// whoSignsIn finds who signs in with an address by a method: a contact who
// may enter the portal that way, else an agent, to whom link, password and
// passkey are always open. Nobody is nobody, without an error. recipient is
// where their mail goes.
func (a *App) whoSignsIn(ctx context.Context, tx *store.Tx, p *portal.Portal, address string, m portal.SignInMethod) (who portal.Person, recipient string, err error) {
	if p.Access.Allows(m) {
		c, err := a.mayReceive(ctx, tx, p, address)
		if err != nil {
			return who, "", err
		}
		if c != nil {
			return portal.Person{Contact: c.ID}, c.RegistrationEmail(), nil
		}
	}
	agent, err := tx.AgentByEmail(ctx, address)
	switch {
	case portal.KindOf(err) == portal.NotFound:
		return who, "", nil
	case err != nil:
		return who, "", err
	case agent.Disabled:
		return who, "", nil
	}
	return portal.Person{Agent: agent.ID}, agent.Email, nil
}

// mayReceive returns the contact who signs in with the address and may enter
// the portal, or nil.
func (a *App) mayReceive(ctx context.Context, tx *store.Tx, p *portal.Portal, address string) (*portal.Contact, error) {
	if p.State != portal.Live {
		return nil, nil
	}
	c, err := tx.ContactForSignIn(ctx, address)
	if portal.KindOf(err) == portal.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entry, _, err := entryOf(ctx, tx, p, c.ID)
	if err != nil || !entry.Allowed {
		return nil, err
	}
	return c, nil
}

// entryOf asks whether a contact may enter a portal. member is nil when they
// never were one.
func entryOf(ctx context.Context, tx *store.Tx, p *portal.Portal, c portal.ContactID) (portal.Entry, *portal.Member, error) {
	member, err := tx.Member(ctx, p.ID, c)
	if portal.KindOf(err) == portal.NotFound {
		member, err = nil, nil
	}
	if err != nil {
		return portal.Entry{}, nil, err
	}
	in, err := tx.InGroups(ctx, p.ID, c)
	if err != nil {
		return portal.Entry{}, nil, err
	}
	return portal.MayEnter(p, member, in), member, nil
}

// queueLimited queues a mail that helps somebody in, unless the address has
// had its share already.
func queueLimited(ctx context.Context, tx *store.Tx, m *store.Mail) error {
	return queueUpTo(ctx, tx, "mail:"+addressKey(m.Recipient), m)
}

// queueUpTo queues a mail unless the counter has reached the share of an
// address. Browsers somebody has signed in with before count apart, so that
// strangers cannot use up their share.
func queueUpTo(ctx context.Context, tx *store.Tx, counter string, m *store.Mail) error {
	c, err := tx.Count(ctx, counter, signInMailsWindow)
	if err != nil || c.Count > signInMails {
		return err
	}
	return tx.QueueMail(ctx, m)
}

// takeConsent records agreement to the portal's present consent text, or
// refuses when it is needed and was not given.
func takeConsent(ctx context.Context, tx *store.Tx, v *Visit, id portal.ContactID, agree bool, language string) error {
	access := &v.Portal.Access
	if access.Consent == "" {
		return nil
	}
	agreed, err := tx.ConsentVersion(ctx, id, v.Portal.ID)
	if err != nil || agreed >= access.ConsentVersion {
		return err
	}
	if !agree {
		return portal.Invalidf("consent.needed", "agree", "agreement to the terms is missing")
	}
	return tx.AddConsent(ctx, id, v.Portal.ID, access.ConsentVersion, language, access.Consent)
}

func versionChange(version int) portal.AuditChange {
	return portal.AuditChange{Field: "version", To: strconv.Itoa(version)}
}

// register makes the contact a registered member, if they are not one, and
// notes the sign-in. member is their present membership, or nil.
func register(ctx context.Context, tx *store.Tx, p *portal.Portal, id portal.ContactID, member *portal.Member) error {
	if member == nil {
		member = &portal.Member{PortalID: p.ID, ContactID: id}
	}
	if member.Status != portal.Registered {
		if err := becomeRegistered(ctx, tx, member); err != nil {
			return err
		}
		if err := tx.EndTokens(ctx, id, 0, "", store.TokenInvitation); err != nil {
			return err
		}
		if err := registerElsewhere(ctx, tx, id, p.ID); err != nil {
			return err
		}
	}
	member.LastSignInAt, member.GraceUntil = tx.Now, time.Time{}
	return tx.SaveMember(ctx, member)
}

// clip shortens a text a stranger sent to n bytes of valid UTF-8.
func clip(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// SignIn signs in with a password. Wrong address and wrong password are one
// Invalid error (sign_in.wrong); TooMany sign_in.slow with RetryAfter.
func (a *App) SignIn(ctx context.Context, v *Visit, address, password, returnTo string, d Device) (*SignedIn, error) {
	address, err := email("email", address)
	if err != nil {
		return nil, err
	}
	account, network := "fail:account:"+addressKey(address), "fail:net:"+d.network()
	if err := a.blocked(ctx, account, network); err != nil {
		return nil, err
	}
	var who portal.Person
	var hash string
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		if who, _, err = a.whoSignsIn(ctx, tx, v.Portal, address, portal.MethodPassword); err != nil || who.None() {
			return err
		}
		hash, err = tx.PasswordHash(ctx, who)
		return err
	})
	if err != nil {
		return nil, err
	}
	ok, err := a.verify(ctx, hash, password)
	if err != nil {
		return nil, err
	}
	wrong := portal.Invalidf("sign_in.wrong", "password", "the address or the password is wrong")
	if !ok {
		if err := a.failed(ctx, account, network, a.failedSignIn(v, who, address, portal.MethodPassword, d)); err != nil {
			return nil, err
		}
		return nil, wrong
	}
	var in *SignedIn
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		// Of many guesses at once, the right one must not count either.
		if err := blockedIn(ctx, tx, account, network); err != nil {
			return err
		}
		// Rights may have changed while the password was checked.
		now, _, err := a.whoSignsIn(ctx, tx, v.Portal, address, portal.MethodPassword)
		if err != nil {
			return err
		}
		if h, err := tx.PasswordHash(ctx, now); err != nil || now != who || h != hash {
			return errors.Join(err, wrong)
		}
		if err := tx.ResetCounter(ctx, account); err != nil {
			return err
		}
		if who.Contact != 0 {
			member, err := memberOrNil(ctx, tx, v.Portal, who.Contact)
			if err != nil {
				return err
			}
			if err := takeConsentIfNew(ctx, tx, v, who.Contact, member); err != nil {
				return err
			}
			if err := register(ctx, tx, v.Portal, who.Contact, member); err != nil {
				return err
			}
		}
		in, err = a.arrive(ctx, tx, v, arrival{who: who, way: portal.MethodPassword, returnTo: returnTo, device: d})
		return err
	})
	return in, err
}

// failedSignIn is the audit log's entry of a sign-in that failed. who is
// nobody for an address nobody signs in with.
func (a *App) failedSignIn(v *Visit, who portal.Person, address string, way portal.SignInMethod, d Device) portal.AuditEntry {
	e := portal.AuditEntry{Kind: portal.AuditSignInFailed, Portal: v.Portal.ID, About: who.About()}
	e.AuditDetail = portal.AuditDetail{
		Address: d.Address, Agent: clip(d.UserAgent, 300), Email: address,
		Changes: []portal.AuditChange{{Field: "way", To: string(way)}},
	}
	return e
}

// verify checks a password; an empty hash costs the same and never matches.
func (a *App) verify(ctx context.Context, hash, password string) (bool, error) {
	var ok bool
	var err error
	if hash == "" {
		err = a.hasher.VerifyDummy(ctx, password)
	} else {
		ok, _, err = a.hasher.Verify(ctx, hash, password)
	}
	if errors.Is(err, auth.ErrBusy) {
		return false, tooMany("sign_in.busy", "too many people are signing in at this moment", 5*time.Second)
	}
	return ok, err
}

// SignOut ends the visit's session.
func (a *App) SignOut(ctx context.Context, v *Visit) error {
	s := v.Session
	if s == nil {
		return nil
	}
	return a.store.Write(ctx, func(tx *store.Tx) error {
		if s.OpenedBy != "" {
			return a.endLook(ctx, tx, v)
		}
		err := tx.EndSession(ctx, s.Contact, s.Agent, s.ID, endSignOut)
		if portal.KindOf(err) == portal.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		return a.auditPerson(ctx, tx, v.Portal, portal.Person{Contact: s.Contact, Agent: s.Agent}, portal.AuditSignOut, v.Device)
	})
}
