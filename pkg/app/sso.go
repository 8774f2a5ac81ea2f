package app

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/sso"
	"github.com/portalctl/portalctl/pkg/store"
)

// SSOLife is how long the way to an identity provider and back may take.
const SSOLife = 10 * time.Minute

// handshakeSSO is a journey to an identity provider.
const handshakeSSO store.HandshakeKind = "sso"

// ssoPerNet is how many journeys one network may begin or end in the window.
const (
	ssoPerNet    = 120
	ssoNetWindow = 15 * time.Minute
)

// SSOJourney is what a browser needs to go to the identity provider: where to,
// and what it holds until it comes back.
type SSOJourney struct {
	URL, Token string
}

// ssoData is what a journey's handshake keeps. State, nonce and verifier are
// not there: they follow from what the browser holds.
type ssoData struct {
	Issuer   string `json:"issuer"`
	ClientID string `json:"client_id"`
	ReturnTo string `json:"return_to,omitempty"`
}

// What came back from the identity provider, or did not. The pages say no more
// than these; reasons stand in the audit log.
var (
	errSSOFailed  = &portal.Error{Kind: portal.Forbidden, Code: "sso.failed", Msg: "the sign-in at the identity provider did not work", Hint: "try again"}
	errSSORefused = &portal.Error{Kind: portal.Forbidden, Code: "sso.refused", Msg: "the identity provider vouches for somebody who may not enter"}
	errSSODown    = &portal.Error{Kind: portal.Unavailable, Code: "sso.down", Msg: "the identity provider does not answer", Hint: "try again in a few minutes"}
)

// BeginSSO starts the way to the portal's identity provider. NotFound when the
// portal has none; Unavailable sso.down when it does not answer. ref is the
// reference the visitor can quote.
func (a *App) BeginSSO(ctx context.Context, v *Visit, returnTo, ref string, d Device) (*SSOJourney, error) {
	s := v.Portal.Access.SSO
	if v.Portal.Access.Mode != portal.ModeSSO || s == nil {
		return nil, portal.NotFoundf("sso.none", "this portal has no identity provider")
	}
	if err := a.allow(ctx, "sso:net:"+d.network(), ssoPerNet, ssoNetWindow); err != nil {
		return nil, err
	}
	token, hash, err := auth.NewToken()
	if err != nil {
		return nil, err
	}
	j, err := a.journey(ctx, v.Portal, token)
	if err != nil {
		return nil, err
	}
	cfg := ssoConfig(s, "")
	provider, err := a.sso.Provider(ctx, cfg)
	if err != nil {
		return nil, a.ssoFailed(ctx, v, ref, d, err)
	}
	data, err := json.Marshal(ssoData{Issuer: s.Issuer, ClientID: s.ClientID, ReturnTo: LocalPath(returnTo)})
	if err != nil {
		return nil, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		return tx.AddHandshake(ctx, &store.Handshake{Hash: hash, Kind: handshakeSSO, Portal: v.Portal.ID, Data: data, ExpiresAt: tx.Now.Add(SSOLife)})
	})
	return &SSOJourney{URL: provider.Begin(cfg, j, v.Language()), Token: token}, err
}

func (a *App) journey(ctx context.Context, p *portal.Portal, token string) (*sso.Journey, error) {
	redirect, err := a.URL(ctx, p, SSOCallbackPath)
	if err != nil {
		return nil, err
	}
	return sso.NewJourney(token, redirect)
}

// FinishSSO signs in with what the identity provider sent back, once. token is
// what the browser held meanwhile. Every refusal is one of three errors,
// sso.failed, sso.refused and sso.down, and stands in the audit log with its
// reason and ref; TooMany sign_in.slow while the network is slowed down.
func (a *App) FinishSSO(ctx context.Context, v *Visit, token string, answer url.Values, ref string, d Device) (*SignedIn, error) {
	if v.Portal.Access.Mode != portal.ModeSSO || v.Portal.Access.SSO == nil {
		return nil, portal.NotFoundf("sso.none", "this portal has no identity provider")
	}
	if err := a.allow(ctx, "sso:net:"+d.network(), ssoPerNet, ssoNetWindow); err != nil {
		return nil, err
	}
	if err := a.blocked(ctx, "fail:net:"+d.network()); err != nil {
		return nil, err
	}
	data, j, err := a.takeJourney(ctx, v, token, answer)
	if err != nil {
		return nil, a.ssoFailed(ctx, v, ref, d, err)
	}
	cfg, err := a.ssoConfigOf(ctx, v.Portal)
	if err != nil {
		return nil, err
	}
	provider, err := a.sso.Provider(ctx, cfg)
	if err != nil {
		return nil, a.ssoFailed(ctx, v, ref, d, err)
	}
	id, err := provider.Finish(ctx, cfg, j, answer)
	if err != nil {
		return nil, a.ssoFailed(ctx, v, ref, d, err)
	}
	sealed, err := a.sealProvider(id)
	if err != nil {
		return nil, err
	}
	var in *SignedIn
	var refused *ssoRefusal
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		who, err := a.vouchedFor(ctx, tx, v.Portal, id, d)
		if errors.As(err, &refused) {
			// What was refused is written down, so the transaction stays.
			return a.writeRefusal(ctx, tx, v.Portal, id, refused, ref, d)
		}
		if err != nil {
			return err
		}
		in, err = a.arrive(ctx, tx, v, arrival{
			who: portal.Person{Contact: who}, way: portal.MethodSSO,
			// Whether one factor is enough is the provider's matter.
			factor: true, returnTo: data.ReturnTo, device: d, provider: sealed,
		})
		return err
	})
	if err == nil && refused != nil {
		err = errSSORefused
	}
	return in, err
}

// takeJourney returns the journey this browser is on, once. An answer that is
// not for it leaves it as it is: somebody else's link must not end it.
func (a *App) takeJourney(ctx context.Context, v *Visit, token string, answer url.Values) (*ssoData, *sso.Journey, error) {
	lost := func(msg string) error { return &sso.Error{Reason: sso.ReasonState, Msg: msg} }
	hash, err := auth.ParseToken(token)
	if err != nil {
		return nil, nil, lost("this browser did not begin to sign in, or keeps no cookies")
	}
	j, err := a.journey(ctx, v.Portal, token)
	if err != nil {
		return nil, nil, err
	}
	if !j.Matches(answer) {
		return nil, nil, lost("the answer does not belong to what this browser asked")
	}
	var h *store.Handshake
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		h, err = tx.TakeHandshake(ctx, handshakeSSO, hash)
		return err
	})
	if portal.KindOf(err) == portal.NotFound {
		return nil, nil, lost("the way to the provider and back took too long, or the answer was used already")
	}
	if err != nil {
		return nil, nil, err
	}
	var data ssoData
	if err := json.Unmarshal(h.Data, &data); err != nil {
		return nil, nil, err
	}
	s := v.Portal.Access.SSO
	if h.Portal != v.Portal.ID || data.Issuer != s.Issuer || data.ClientID != s.ClientID {
		return nil, nil, lost("the portal's identity provider was changed on the way")
	}
	return &data, j, nil
}

// ssoConfigOf is the portal's provider with the client secret in the clear.
func (a *App) ssoConfigOf(ctx context.Context, p *portal.Portal) (*sso.Config, error) {
	cfg := ssoConfig(p.Access.SSO, "")
	if !p.Access.SSO.Secret {
		return cfg, nil
	}
	var sealed []byte
	err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
		sealed, err = tx.Secret(ctx, clientSecret(p.ID))
		return err
	})
	if err != nil {
		return nil, err
	}
	secret, err := a.sealer.Open(clientSecret(p.ID), sealed)
	cfg.Secret = string(secret)
	return cfg, err
}

// ssoFailed writes a failure down and returns what the visitor is told. Errors
// that are not the provider's doing are passed on.
func (a *App) ssoFailed(ctx context.Context, v *Visit, ref string, d Device, err error) error {
	var e *sso.Error
	if !errors.As(err, &e) {
		return err
	}
	entry := ssoEntry(portal.AuditSignInFailed, v.Portal, ref, d, string(e.Reason), e.Msg)
	if e.Reason == sso.ReasonUnreachable || e.Reason == sso.ReasonDiscovery {
		if err := a.store.Write(ctx, func(tx *store.Tx) error { return a.audit(ctx, tx, entry) }); err != nil {
			return err
		}
		return errSSODown
	}
	// Anybody can come back from nowhere: it counts like a failed sign-in, or
	// strangers would fill the audit log.
	if err := a.failed(ctx, "", "fail:net:"+d.network(), entry); err != nil {
		return err
	}
	return errSSOFailed
}

func ssoEntry(kind portal.AuditKind, p *portal.Portal, ref string, d Device, reason, detail string) portal.AuditEntry {
	e := portal.AuditEntry{Kind: kind, Portal: p.ID}
	e.Address, e.AuditDetail.Agent = d.Address, clip(d.UserAgent, 300)
	e.Changes = []portal.AuditChange{
		{Field: "way", To: string(portal.MethodSSO)},
		{Field: "issuer", To: p.Access.SSO.Issuer},
		{Field: "reason", To: reason},
		{Field: "detail", To: detail},
		{Field: "reference", To: ref},
	}
	return e
}

// ssoRefusal is why somebody the provider vouches for may not enter.
type ssoRefusal struct {
	reason, detail string
	contact        portal.ContactID // who, when that is known
	end            bool             // their sessions here end, too
}

func (r *ssoRefusal) Error() string { return r.detail }

// writeRefusal writes down that somebody may not enter, and ends what they
// still have open when the provider says so.
func (a *App) writeRefusal(ctx context.Context, tx *store.Tx, p *portal.Portal, id *sso.Identity, r *ssoRefusal, ref string, d Device) error {
	if r.end && r.contact != 0 {
		if _, err := tx.EndPortalAccess(ctx, p.ID, r.contact, endProvider); err != nil {
			return err
		}
	}
	e := ssoEntry(portal.AuditSignInRefused, p, ref, d, r.reason, r.detail)
	e.Email = clip(id.Email, 254)
	e.Changes = append(e.Changes, portal.AuditChange{Field: "subject", To: id.Subject})
	if r.contact != 0 {
		who := portal.Person{Contact: r.contact}
		e.By, e.About = who.Actor(), who.About()
	}
	return a.audit(ctx, tx, e)
}

// vouchedFor returns the contact the provider means, a member from now on: the
// one its subject is linked with, else the one with a proven address, else a
// new one. An *ssoRefusal says why somebody may not enter.
func (a *App) vouchedFor(ctx context.Context, tx *store.Tx, p *portal.Portal, id *sso.Identity, d Device) (portal.ContactID, error) {
	s := p.Access.SSO
	known, err := tx.Identity(ctx, id.Issuer, id.Subject)
	if portal.KindOf(err) == portal.NotFound {
		known, err = nil, nil
	}
	if err != nil {
		return 0, err
	}
	if !s.Admits(id.Groups) {
		r := &ssoRefusal{reason: "group", detail: "the provider lists none of the groups that get in", end: true}
		if !id.HasGroups {
			r.reason, r.detail = "group_missing", "the provider sent no claim "+s.GroupClaim
		}
		if known != nil {
			r.contact = known.Contact
		}
		return 0, r
	}
	if known != nil {
		if err := a.noteEmail(ctx, tx, p, known.Contact, id, d); err != nil {
			return 0, err
		}
		return known.Contact, a.enterVouched(ctx, tx, p, id, known.Contact)
	}
	c, err := a.byProvenAddress(ctx, tx, s, id)
	if err != nil {
		return 0, err
	}
	if err := a.enterVouched(ctx, tx, p, id, c.ID); err != nil {
		return 0, err
	}
	if err := attachByDomain(ctx, tx, c); err != nil {
		return 0, err
	}
	return c.ID, a.auditPerson(ctx, tx, p, portal.Person{Contact: c.ID}, portal.AuditIdentity, d,
		portal.AuditChange{Field: "issuer", To: id.Issuer}, portal.AuditChange{Field: "subject", To: id.Subject},
		portal.AuditChange{Field: "email", To: c.RegistrationEmail()})
}

// enterVouched makes a contact a registered member unless they were disabled
// here, and keeps the link with the provider's subject.
func (a *App) enterVouched(ctx context.Context, tx *store.Tx, p *portal.Portal, id *sso.Identity, c portal.ContactID) error {
	_, member, err := entryOf(ctx, tx, p, c)
	if err != nil {
		return err
	}
	if member != nil && member.Status == portal.Disabled {
		return &ssoRefusal{reason: "disabled", detail: "the member is disabled", contact: c}
	}
	if err := tx.SaveIdentity(ctx, id.Issuer, id.Subject, c); err != nil {
		return err
	}
	return register(ctx, tx, p, c, member)
}

// noteEmail writes down that the provider has another address for
// somebody than we do. Ours stays: mail goes where the customer said, and a
// provider's clerk cannot redirect it.
func (a *App) noteEmail(ctx context.Context, tx *store.Tx, p *portal.Portal, id portal.ContactID, who *sso.Identity, d Device) error {
	address, err := email("email", who.Email)
	if err != nil {
		// None, or none that could be mailed: there is nothing to compare.
		return nil
	}
	c, err := tx.Contact(ctx, id)
	if err != nil || address == c.Email || address == c.MemberEmail {
		return err
	}
	return a.auditPerson(ctx, tx, p, portal.Person{Contact: id}, portal.AuditIdentity, d,
		portal.AuditChange{Field: "email_at_provider", From: c.RegistrationEmail(), To: address})
}

// byProvenAddress finds or makes the contact with the address the provider
// proved. It is believed for the mail domains it may vouch for only, and never
// about an agent.
func (a *App) byProvenAddress(ctx context.Context, tx *store.Tx, s *portal.SSOSettings, id *sso.Identity) (*portal.Contact, error) {
	address, err := email("email", id.Email)
	local, _, _ := cutLast(id.Email, '@')
	switch {
	case id.Email == "":
		return nil, &ssoRefusal{reason: "email_missing", detail: "the provider tells no e-mail address; ask it for the scope email"}
	case err != nil, !ascii(local):
		// What people type is made into one spelling. A claim is not: at the
		// provider, two spellings may be two people.
		return nil, &ssoRefusal{reason: "email", detail: "the provider tells an e-mail address that cannot be used"}
	case !id.EmailVerified:
		return nil, &ssoRefusal{reason: "email_unverified", detail: "the provider does not say that the e-mail address was proven"}
	case !s.VouchesFor(address):
		return nil, &ssoRefusal{reason: "email_domain", detail: "the provider may not vouch for addresses of this domain; --email-domain says for which"}
	}
	_, err = tx.AgentByEmail(ctx, address)
	switch {
	case err == nil:
		return nil, &ssoRefusal{reason: "email_of_agent", detail: "the e-mail address is an agent's; agents sign in by themselves"}
	case portal.KindOf(err) != portal.NotFound:
		return nil, err
	}
	c, err := tx.ContactForSignIn(ctx, address)
	switch {
	case portal.KindOf(err) == portal.NotFound:
		return a.newVouched(ctx, tx, address, id)
	case err != nil:
		return nil, err
	}
	linked, err := tx.Identities(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(linked, func(i store.Identity) bool { return i.Issuer == id.Issuer }) {
		return nil, &ssoRefusal{
			reason: "linked_to_other", contact: c.ID,
			detail: "the contact is linked with another subject of this provider: the address changed hands there, or the account was made anew",
		}
	}
	return c, nil
}

// newVouched makes a contact of whom the provider vouches for.
func (a *App) newVouched(ctx context.Context, tx *store.Tx, address string, id *sso.Identity) (*portal.Contact, error) {
	if _, err := tx.ContactByEmail(ctx, address); err == nil {
		// A contact whose mail goes elsewhere has the address as its name only:
		// whoever holds the mailbox is not who signs in with it.
		return nil, &ssoRefusal{reason: "email_taken", detail: "the e-mail address is that of a contact who signs in with another one"}
	} else if portal.KindOf(err) != portal.NotFound {
		return nil, err
	}
	c := &portal.Contact{Email: address, Language: a.localeLanguage(id.Locale)}
	if name, err := line("name", id.Name); err == nil {
		// A name that cannot be shown is left out rather than refused.
		c.Name = name
	}
	return c, tx.AddContact(ctx, c)
}

// providerSession is what a session keeps, sealed, to sign out at the
// provider as well.
type providerSession struct {
	EndSession string `json:"end_session"`
	Token      string `json:"id_token,omitempty"`
}

// What session tokens and states of a sign-out are sealed for.
const (
	sealedProvider = "sso/session"
	sealedSignOut  = "sso/signed-out"
)

// longestHint is the longest ID token that is handed back at sign-out: it goes
// into an address, and servers take no endless ones. Without it the provider
// asks the person.
const longestHint = 6 << 10

func (a *App) sealProvider(id *sso.Identity) ([]byte, error) {
	if id.EndSession == "" {
		return nil, nil
	}
	at := providerSession{EndSession: id.EndSession, Token: id.Token}
	if len(at.Token) > longestHint {
		at.Token = ""
	}
	data, err := json.Marshal(at)
	if err != nil {
		return nil, err
	}
	return a.sealer.Seal(sealedProvider, data)
}

// ProviderSignOut is where a browser goes on to after the visit's session has
// ended here, to end the one at the identity provider; "" when there is none.
// It leads back to SSOSignedOutPath with a state that SignedOutAtProvider
// knows.
func (a *App) ProviderSignOut(ctx context.Context, v *Visit) (string, error) {
	s := v.Portal.Access.SSO
	if v.Session == nil || len(v.Session.Provider) == 0 || s == nil {
		return "", nil
	}
	data, err := a.sealer.Open(sealedProvider, v.Session.Provider)
	if errors.Is(err, auth.ErrSealed) {
		// Sealed with a key that is gone: our session has ended all the same.
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var at providerSession
	if err := json.Unmarshal(data, &at); err != nil {
		return "", err
	}
	back, err := a.URL(ctx, v.Portal, SSOSignedOutPath)
	if err != nil {
		return "", err
	}
	state, err := a.sealer.Seal(sealedSignOut, []byte(a.now().UTC().Format(time.RFC3339)))
	if err != nil {
		return "", err
	}
	return sso.SignOutURL(at.EndSession, at.Token, s.ClientID, back, base64.RawURLEncoding.EncodeToString(state)), nil
}

// SignedOutAtProvider reports whether a state is one that ProviderSignOut made
// within the hour, and the provider so has done its part.
func (a *App) SignedOutAtProvider(state string) bool {
	sealed, err := base64.RawURLEncoding.DecodeString(state)
	if err != nil {
		return false
	}
	text, err := a.sealer.Open(sealedSignOut, sealed)
	if err != nil {
		return false
	}
	at, err := time.Parse(time.RFC3339, string(text))
	passed := a.now().Sub(at)
	return err == nil && passed > -time.Minute && passed < time.Hour
}
