package app

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// arrival is somebody who has just proven who they are, in whatever way, and
// may enter.
type arrival struct {
	who      portal.Person
	way      portal.SignInMethod
	factor   bool // the way counts as two factors, or the second was given
	returnTo string
	device   Device
	provider []byte // sealed: what signs out at the identity provider
	openedBy string // the operator who only looks as them
}

// SignedIn is the fresh session after a successful sign-in.
type SignedIn struct {
	Token    string // for the cookie
	ReturnTo string // a checked local path, or ""
	Expires  time.Time
	Device   string // what the browser is recognised by from now on; "" when it holds that already
}

// arrive is the one way in: every way to sign in ends here, in the
// transaction that used up what was proven with. It makes a new session, ends
// the one the browser came with, writes the audit log and tells of a new
// device. What is still asked of them, Enter finds at the next request.
func (a *App) arrive(ctx context.Context, tx *store.Tx, v *Visit, in arrival) (*SignedIn, error) {
	done, err := a.startSession(ctx, tx, v, in)
	if err != nil {
		return nil, err
	}
	waits, err := waitsForFactor(ctx, tx, v.Portal, in.who)
	if err != nil {
		return nil, err
	}
	if waits && !in.factor {
		// Half a sign-in is none yet; the second factor finishes it.
		return done, nil
	}
	return done, a.settleIn(ctx, tx, v.Portal, in, done)
}

// settleIn finishes a sign-in: it is written down, and a browser they never
// used is told of by mail.
func (a *App) settleIn(ctx context.Context, tx *store.Tx, p *portal.Portal, in arrival, done *SignedIn) error {
	err := a.auditPerson(ctx, tx, p, in.who, portal.AuditSignIn, in.device, portal.AuditChange{Field: "way", To: string(in.way)})
	if err != nil {
		return err
	}
	hash, err := auth.ParseToken(in.device.Token)
	if err != nil {
		if done.Device, hash, err = auth.NewToken(); err != nil {
			return err
		}
	}
	known, first, err := tx.MeetDevice(ctx, in.who, hash)
	if err != nil || known || first {
		return err
	}
	switch in.way {
	case portal.WayInvitation, portal.WayRegister, portal.WayReset:
		// Told by their own mails, or asked for by the link just followed.
		return nil
	}
	defer a.wakeMail()
	return a.tellPerson(ctx, tx, p, in.who, store.MailNewDevice, map[string]string{
		"browser": clip(in.device.UserAgent, 300), "address": in.device.Address, "way": string(in.way),
	})
}

// tellPerson mails somebody a notice about their own account.
func (a *App) tellPerson(ctx context.Context, tx *store.Tx, p *portal.Portal, who portal.Person, kind store.MailKind, data map[string]string) error {
	m := &store.Mail{Kind: kind, Portal: p.ID, Contact: who.Contact, Agent: who.Agent, Data: data}
	if who.Agent != 0 {
		agent, err := tx.Agent(ctx, who.Agent)
		if err != nil {
			return err
		}
		m.Recipient = agent.Email
		return tx.QueueMail(ctx, m)
	}
	c, err := tx.Contact(ctx, who.Contact)
	if err != nil {
		return err
	}
	m.Recipient = c.RegistrationEmail()
	return tx.QueueMail(ctx, m)
}

// startSession makes a new session and ends the one the browser came with.
func (a *App) startSession(ctx context.Context, tx *store.Tx, v *Visit, in arrival) (*SignedIn, error) {
	if in.openedBy == "" {
		if err := stopped(v, tx.Now); err != nil {
			return nil, err
		}
	}
	if s := v.Session; s != nil {
		if err := tx.EndSession(ctx, s.Contact, s.Agent, s.ID, endReplaced); err != nil && portal.KindOf(err) != portal.NotFound {
			return nil, err
		}
	}
	token, hash, err := auth.NewToken()
	if err != nil {
		return nil, err
	}
	s := &store.Session{
		Hash: hash, Portal: v.Portal.ID, Contact: in.who.Contact, Agent: in.who.Agent,
		UserAgent: clip(in.device.UserAgent, 300), Address: in.device.Address,
		Way: in.way, Factor: in.factor, Provider: in.provider, OpenedBy: in.openedBy, ExpiresAt: tx.Now.Add(SessionLife),
	}
	if in.openedBy != "" {
		s.ExpiresAt = tx.Now.Add(LookLife)
	}
	if err := tx.AddSession(ctx, s); err != nil {
		return nil, err
	}
	return &SignedIn{Token: token, ReturnTo: LocalPath(in.returnTo), Expires: s.ExpiresAt}, nil
}

// rise gives the visit's session, which must be live, a fresh token with more
// rights than before: a second factor was given, or who they are was proven
// again. Everything else about it stays, its longest time included. change may
// be nil.
func (a *App) rise(ctx context.Context, tx *store.Tx, v *Visit, change func(*store.Session)) (*SignedIn, portal.SessionID, error) {
	old := v.Session
	token, hash, err := auth.NewToken()
	if err != nil {
		return nil, 0, err
	}
	// Ending comes first and fails for a session that has ended meanwhile.
	if err := tx.EndSession(ctx, old.Contact, old.Agent, old.ID, endReplaced); err != nil {
		return nil, 0, err
	}
	s := *old
	s.ID, s.Hash = 0, hash
	if change != nil {
		change(&s)
	}
	if err := tx.AddSession(ctx, &s); err != nil {
		return nil, 0, err
	}
	return &SignedIn{Token: token, Expires: s.ExpiresAt}, s.ID, nil
}

// waitsForFactor reports whether somebody gets in only with a second factor:
// they have an authenticator app, or one is demanded of them.
func waitsForFactor(ctx context.Context, tx *store.Tx, p *portal.Portal, who portal.Person) (bool, error) {
	has, err := tx.HasFactor(ctx, who)
	if err != nil || has {
		return has, err
	}
	if who.Agent == 0 {
		return factorDemanded(p, nil), nil
	}
	agent, err := tx.Agent(ctx, who.Agent)
	if err != nil {
		return false, err
	}
	return factorDemanded(p, agent), nil
}

// factorDemanded reports whether a second factor is demanded of an agent, or
// of the portal's members when agent is nil. With an identity provider it is
// the provider's matter.
func factorDemanded(p *portal.Portal, agent *portal.Agent) bool {
	if agent != nil {
		return agent.MustFactor
	}
	return p.Access.DemandsFactor()
}
