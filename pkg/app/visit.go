package app

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Visit is one request to a portal: where it goes and who asks. Exactly one
// of Contact and Agent is set when somebody is signed in and may enter.
type Visit struct {
	Portal *portal.Portal
	// Path is the path below the portal's base path; it starts with a slash.
	Path string
	// Redirect is set when the host knows one portal and the path is above
	// it; the visitor belongs there instead.
	Redirect string
	// At is the path of the address asked for: "" or "/help".
	At string
	// Domain is the one that address lies on. It is not always the portal's
	// own: a portal is found at others besides, and stays where it was until a
	// new one is proven.
	Domain *portal.Domain
	// Moved is set when that is not the portal's own address but one it is
	// found at besides, or was once. It is the portal's own, as a path where
	// the host is the same and with scheme and host where it is not. What is
	// read there is sent on to it; what is posted is taken where it arrives.
	Moved string

	// Session is the live session the browser holds, also when its holder may
	// not enter.
	Session *store.Session
	Contact *portal.Contact
	Agent   *portal.Agent
	Member  *portal.Member
	Viewer  portal.Viewer
	Entry   portal.Entry // why a signed-in contact may not enter, when they may not

	// Gate is what is still asked of somebody whose session is live before
	// they are in; they are not signed in until then. Exactly one of
	// ArrivingContact and ArrivingAgent is set beside it.
	Gate            Gate
	ArrivingContact *portal.Contact
	ArrivingAgent   *portal.Agent

	// Stopped is set when nobody new signs in: the proof of the domain has been
	// gone for too long. Who is signed in goes on.
	Stopped bool

	// ReadOnly is set while an operator looks as the contact: nothing may
	// change, and nothing counts as the contact's own act.
	ReadOnly bool
	// Preview is set when the portal is one that shows changes not written
	// yet; everybody only reads there.
	Preview bool

	// Device is the browser; Seen fills it in.
	Device Device
	touch  bool // its session is to be noted as in use

	// Wanted is the language the visitor chose before they signed in, else the
	// one their browser likes best of those the portal offers; "" for neither.
	Wanted string
	// Locale is the language of the page with the reader's country, which
	// decides clock and calendar: en-GB. Whoever knows the browser fills it in.
	Locale string

	// Ended is set when the browser holds a session that has ended by itself
	// (idle, its longest time, signed out), so that what it posts can be kept
	// as the draft of the contact it belonged to.
	Ended portal.ContactID
	// endedHalf is set when no second factor had been given in it.
	endedHalf bool
}

// Base is the path before those of the portal's pages, in links and forms: that
// of its own address where it is on the visitor's host, and otherwise of the
// one they came by.
func (v *Visit) Base() string {
	if strings.HasPrefix(v.Moved, "/") {
		return v.Portal.BasePath()
	}
	return v.At
}

// Elsewhere reports whether the portal has moved to another host than the
// visitor's. A browser keeps its session there to itself, and follows no form
// from one host to another.
func (v *Visit) Elsewhere() bool { return v.Moved != "" && !strings.HasPrefix(v.Moved, "/") }

// Onward is where a path below Base lies at the portal's own address.
func (v *Visit) Onward(path string) string {
	if v.Moved == "" {
		return v.Base() + path
	}
	return strings.TrimSuffix(v.Moved, "/") + path
}

// SignedIn reports whether somebody is signed in and may enter.
func (v *Visit) SignedIn() bool { return v.Contact != nil || v.Agent != nil }

// Gate is something asked of somebody who has signed in before they are let
// in.
type Gate string

// The gates, in the order they are passed.
const (
	GateFactor  Gate = "factor"  // a code of their authenticator app
	GateEnrol   Gate = "enrol"   // an authenticator app, which they have to set up
	GateConsent Gate = "consent" // agreement to a text that is new to them
)

// Person is who is signed in; nobody when nobody is.
func (v *Visit) Person() portal.Person {
	switch {
	case v.Contact != nil:
		return portal.Person{Contact: v.Contact.ID}
	case v.Agent != nil:
		return portal.Person{Agent: v.Agent.ID}
	}
	return portal.Person{}
}

// Arriving is who stands at the visit's gate; nobody when there is none.
func (v *Visit) Arriving() portal.Person {
	switch {
	case v.ArrivingContact != nil:
		return portal.Person{Contact: v.ArrivingContact.ID}
	case v.ArrivingAgent != nil:
		return portal.Person{Agent: v.ArrivingAgent.ID}
	}
	return portal.Person{}
}

// Language is the language of the page: the reader's own if the portal offers
// it, else what they or their browser ask for, else the portal's. Agents read
// their own everywhere.
func (v *Visit) Language() string {
	if own := v.OwnLanguage(); own != "" {
		return own
	}
	if v.Portal.Speaks(v.Wanted) {
		return v.Wanted
	}
	return v.Portal.Language()
}

// OwnLanguage is the language of the reader's account; "" when they chose
// none, or one the portal does not offer any more.
func (v *Visit) OwnLanguage() string {
	for _, a := range []*portal.Agent{v.Agent, v.ArrivingAgent} {
		if a != nil && a.Language != "" {
			return a.Language
		}
	}
	for _, c := range []*portal.Contact{v.Contact, v.ArrivingContact} {
		if c != nil && v.Portal.Speaks(c.Language) {
			return c.Language
		}
	}
	return ""
}

// TimeZone is the zone times are shown in.
func (v *Visit) TimeZone() *time.Location {
	for _, name := range []string{v.OwnZone(), v.Portal.TimeZone} {
		if name == "" {
			continue
		}
		if loc, err := time.LoadLocation(name); err == nil {
			return loc
		}
	}
	return time.UTC
}

// OwnZone is the name of the reader's own time zone; "" when they chose none.
func (v *Visit) OwnZone() string {
	switch {
	case v.Contact != nil:
		return v.Contact.TimeZone
	case v.Agent != nil:
		return v.Agent.TimeZone
	}
	return ""
}

// touchEvery is how often a session notes that it is in use.
const touchEvery = time.Minute

// draftGrace is how long after a session ended by itself what it posts is
// still kept as a draft.
const draftGrace = 7 * 24 * time.Hour

// The reasons sessions end, beside running out.
const (
	endSignOut   = "sign_out"
	endElsewhere = "ended_by_owner"
	endPassword  = "password_changed"
	endPasskey   = "passkey_removed"
	endDisabled  = "disabled"
	endReplaced  = "replaced"
)

// Enter finds the portal a host and path lead to and who holds the session
// token, with one query. A host the store does not serve is NotFound with
// code host.unknown (421); a path no portal lies at is NotFound portal.none.
// A draft portal opens for agents only, and for links to sign in with, which
// is how agents get there: otherwise it is portal.none. A paused one is
// returned and the page shows its notice.
func (a *App) Enter(ctx context.Context, host, path, token string) (*Visit, error) {
	var hash []byte
	if token != "" {
		// A malformed cookie is no cookie.
		hash, _ = auth.ParseToken(token)
	}
	set := a.settings.Load()
	if set == nil {
		var err error
		if set, err = a.loadSettings(ctx); err != nil {
			return nil, err
		}
	}
	var at spot
	var findErr error
	var vis *store.Visitor
	var now time.Time
	known := set
	look := func(tx *store.Tx) (err error) {
		at, findErr = set.find(host, path)
		var id portal.PortalID
		if at.portal != nil {
			id = at.portal.ID
		}
		now = tx.Now
		vis, err = tx.Visitor(ctx, hash, id)
		return err
	}
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		if err := look(tx); err != nil || vis.SettingsVersion == set.version {
			return err
		}
		// A change, of this process or another. The settings are read in the
		// same transaction: however many follow, these two belong together.
		var err error
		if set, err = a.readSettings(ctx, tx); err != nil {
			return err
		}
		return look(tx)
	})
	if err != nil {
		return nil, err
	}
	if set != known {
		a.settings.Store(set)
	}
	if findErr != nil {
		return nil, findErr
	}
	if at.only != nil {
		to := at.base
		if at.moved {
			to = set.ownAddress(at.only, host)
		}
		return &Visit{Redirect: to + "/"}, nil
	}
	v := &Visit{Portal: at.portal, Path: at.rest, At: at.base, Domain: set.domainOf(at)}
	if at.moved {
		// A portal without a slug lies at the root of its host.
		v.Moved = cmp.Or(set.ownAddress(at.portal, host), "/")
	}
	v.Stopped = stopped(v, now) != nil
	if a.preview != nil {
		if at.portal.IsDesk() {
			return nil, portal.NotFoundf("portal.none", "no portal lies at this address")
		}
		return v, a.preview.visit(ctx, a, v)
	}
	a.admit(set, v, at, vis, now)
	if v.Portal.State == portal.Draft && v.Agent == nil {
		if err := a.opensDraft(ctx, v.Portal, v.Path); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// opensDraft lets only the page of a sign-in link through that an agent was
// given: nobody else learns that there is a draft.
func (a *App) opensDraft(ctx context.Context, p *portal.Portal, path string) error {
	none := portal.NotFoundf("portal.none", "no portal lies at this address")
	hash, err := auth.ParseToken(strings.TrimPrefix(path, LinkPath(store.TokenSignIn, "")))
	if err != nil {
		return none
	}
	return a.store.Read(ctx, func(tx *store.Tx) error {
		t, err := tx.Token(ctx, hash)
		switch {
		case portal.KindOf(err) == portal.NotFound:
			return none
		case err != nil:
			return err
		case t.Kind != store.TokenSignIn || t.Portal != p.ID || t.Agent == 0:
			return none
		}
		return nil
	})
}

// admit decides what the session's holder is to this visit.
func (a *App) admit(set *settings, v *Visit, at spot, vis *store.Visitor, now time.Time) {
	s := vis.Session
	if s == nil || !set.counts(s.Portal, at) {
		return
	}
	idle := v.Portal.Access.IdleTimeout
	if idle <= 0 {
		idle = portal.DefaultIdleTimeout
	}
	idleUntil, longest := s.SeenAt.Add(idle), s.ExpiresAt
	if !s.EndedAt.IsZero() || now.After(idleUntil) || now.After(longest) {
		bySelf := s.EndedAt.IsZero() || s.EndReason == endSignOut
		if bySelf && s.OpenedBy == "" && now.Sub(s.SeenAt) < draftGrace {
			v.Ended, v.endedHalf = s.Contact, !s.Factor
		}
		return
	}
	v.Session = s // also of somebody who may not enter: they can still sign out
	switch {
	case vis.Agent != nil:
		if vis.Agent.Disabled {
			return
		}
		if v.Gate = gateOf(v.Portal, vis); v.Gate != "" {
			v.ArrivingAgent = vis.Agent
			break
		}
		v.Agent, v.Viewer = vis.Agent, portal.AgentViewer(vis.Agent)
	case vis.Contact != nil:
		bySSO := s.Way == portal.MethodSSO
		if v.Portal.Access.Mode == portal.ModeSSO && s.OpenedBy == "" && !bySSO || bySSO && s.Portal != v.Portal.ID {
			// The provider alone vouches for members, and in its portal only:
			// elsewhere nobody trusts it, nor the factors it asked for.
			return
		}
		if s.Portal != v.Portal.ID && !takesWay(v.Portal, s.Way) {
			// Another portal of the host may ask for less than this one.
			return
		}
		if v.Entry = portal.MayEnter(v.Portal, vis.Member, vis.InGroup); !v.Entry.Allowed {
			return
		}
		if s.OpenedBy != "" {
			if s.Portal == v.Portal.ID {
				v.Contact, v.Member, v.ReadOnly = vis.Contact, vis.Member, true
				v.Viewer = portal.NewViewer(vis.Contact, &v.Portal.Tickets)
			}
			break
		}
		if s.Portal != v.Portal.ID && (vis.Member == nil || vis.Member.Status != portal.Registered) {
			// Signed in to another portal of the host, and new here: what this
			// one asks of newcomers comes first.
			return
		}
		if v.Gate = gateOf(v.Portal, vis); v.Gate != "" {
			v.ArrivingContact = vis.Contact
			break
		}
		v.Contact, v.Member = vis.Contact, vis.Member
		v.Viewer = portal.NewViewer(vis.Contact, &v.Portal.Tickets)
	default:
		return
	}
	v.touch = now.Sub(s.SeenAt) >= touchEvery || s.SeenAt.After(now)
}

// Seen says which browser a visit comes from. A session that was not noted to
// be in use for a minute is, behind the answer.
func (a *App) Seen(v *Visit, d Device) {
	v.Device = d
	if !v.touch {
		return
	}
	v.touch = false
	id := v.Session.ID
	a.afterwards(func(ctx context.Context) error {
		return a.store.Write(ctx, func(tx *store.Tx) error { return tx.TouchSession(ctx, id, d.Address) })
	})
}

// takesWay reports whether a portal lets members in by a way to sign in. The
// links that bring newcomers and new passwords are no methods, and open to all.
func takesWay(p *portal.Portal, way portal.SignInMethod) bool {
	switch way {
	case portal.MethodPassword, portal.MethodLink, portal.MethodPasskey:
		return p.Access.Allows(way)
	}
	return true
}

// gateOf is what is still asked of the holder of a live session, or "".
func gateOf(p *portal.Portal, vis *store.Visitor) Gate {
	if !vis.Session.Factor {
		if vis.HasFactor {
			return GateFactor
		}
		if factorDemanded(p, vis.Agent) {
			return GateEnrol
		}
	}
	if vis.Contact != nil && p.Access.Consent != "" && vis.ConsentVersion < p.Access.ConsentVersion {
		return GateConsent
	}
	return ""
}

// readFrom is the message from which on things count as unread.
func (v *Visit) readFrom() portal.MessageID {
	if v.Member != nil {
		return v.Member.ReadFrom
	}
	return 0
}
