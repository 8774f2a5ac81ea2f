package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

const (
	passkeyLife    = 5 * time.Minute // of a challenge
	passkeyBegins  = 1200            // challenges for one network in beginWindow: every open sign-in page asks for one now and then
	beginWindow    = 15 * time.Minute
	maxPasskeys    = 20      // of one person
	longestPasskey = 1 << 16 // bytes an authenticator may answer
)

// What a browser does with a passkey. An answer counts for what it was asked
// for and for nothing else.
const (
	handshakePasskeySignIn store.HandshakeKind = "passkey.sign_in"
	handshakePasskeyProof  store.HandshakeKind = "passkey.proof"
	handshakePasskeyAdd    store.HandshakeKind = "passkey.add"
)

// PasskeyStep is what a browser needs to ask an authenticator.
type PasskeyStep struct {
	Options []byte // for navigator.credentials, as JSON
	Held    string // what the browser keeps and must come back with
}

// PasskeyHost returns the host that passkeys of portals at a site, like
// https://help.example.com, are bound to. "" means that browsers have none
// there: they want TLS, or localhost, and a name rather than a number.
func PasskeyHost(site string) string {
	u, err := url.Parse(site)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	local := host == "localhost" || strings.HasSuffix(host, ".localhost")
	if u.Scheme != "https" && !local || protocol.ValidateRPID(host) != nil {
		return ""
	}
	return host
}

// PasskeysWork reports whether browsers have passkeys where the portal is
// served.
func (a *App) PasskeysWork(ctx context.Context, p *portal.Portal) (bool, error) {
	site, err := a.site(ctx, p)
	return PasskeyHost(site) != "", err
}

// site is where a portal is served, without its path.
func (a *App) site(ctx context.Context, p *portal.Portal) (string, error) {
	home, err := a.URL(ctx, p, "")
	if err != nil {
		return "", err
	}
	u, err := url.Parse(home)
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + u.Host, nil
}

// relyingParty checks passkeys for a portal: those of its host, used on its
// own pages. NotFound passkey.unavailable where there are none.
func (a *App) relyingParty(ctx context.Context, p *portal.Portal) (*webauthn.WebAuthn, error) {
	site, err := a.site(ctx, p)
	if err != nil {
		return nil, err
	}
	host := PasskeyHost(site)
	u, err := url.Parse(site)
	if err != nil || host == "" {
		return nil, portal.NotFoundf("passkey.unavailable", "browsers have no passkeys where this portal is served")
	}
	rp, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: p.Name, RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: protocol.ResidentKeyRequired(), ResidentKey: protocol.ResidentKeyRequirementRequired,
			UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Timeout: passkeyLife, TimeoutUVD: passkeyLife},
			Registration: webauthn.TimeoutConfig{Timeout: passkeyLife, TimeoutUVD: passkeyLife},
		},
		// Password managers answer with extensions nobody asked for. We act on
		// none, so there is nothing to gain by refusing them.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("set up passkeys at %s: %w", host, err)
	}
	return rp, nil
}

// passkeyUser is somebody as the library wants to know them.
type passkeyUser struct {
	handle        []byte
	name, display string
	keys          []webauthn.Credential
}

// WebAuthnID is the random name by which authenticators know them.
func (u *passkeyUser) WebAuthnID() []byte { return u.handle }

// WebAuthnName is shown where somebody chooses between passkeys.
func (u *passkeyUser) WebAuthnName() string { return u.name }

// WebAuthnDisplayName is their name as people say it.
func (u *passkeyUser) WebAuthnDisplayName() string { return u.display }

// WebAuthnCredentials are the passkeys that count.
func (u *passkeyUser) WebAuthnCredentials() []webauthn.Credential { return u.keys }

// take adds a passkey to those that count.
func (u *passkeyUser) take(k *store.Passkey) error {
	var c webauthn.Credential
	if err := json.Unmarshal(k.Record, &c); err != nil {
		return fmt.Errorf("read passkey %d: %w", k.ID, err)
	}
	u.keys = append(u.keys, c)
	return nil
}

// beginPasskey keeps a challenge for the browser. held is what it holds
// already: several pages of one browser wait at once, each for its own answer,
// so the challenge is found by both together.
func (a *App) beginPasskey(ctx context.Context, v *Visit, kind store.HandshakeKind, who portal.Person, held string, d Device, options any, session *webauthn.SessionData) (*PasskeyStep, error) {
	if _, err := auth.ParseToken(held); err != nil {
		if held, _, err = auth.NewToken(); err != nil {
			return nil, err
		}
	}
	data, err := json.Marshal(session)
	if err != nil {
		return nil, fmt.Errorf("keep a challenge: %w", err)
	}
	step := &PasskeyStep{Held: held}
	if step.Options, err = json.Marshal(options); err != nil {
		return nil, fmt.Errorf("write a challenge: %w", err)
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if err := allowIn(ctx, tx, "passkey:net:"+d.network(), passkeyBegins, beginWindow); err != nil {
			return err
		}
		return tx.AddHandshake(ctx, &store.Handshake{
			Hash: challengeHash(held, session.Challenge), Kind: kind, Portal: v.Portal.ID, Person: who,
			Data: data, ExpiresAt: tx.Now.Add(passkeyLife),
		})
	})
	return step, err
}

func challengeHash(held, challenge string) []byte { return auth.HashToken(held + "." + challenge) }

// takeChallenge uses up what the browser began, whatever comes of its answer.
// It is passkeyRefused unless the same browser began the same thing in this
// portal, for the same person.
func (a *App) takeChallenge(ctx context.Context, v *Visit, kind store.HandshakeKind, who portal.Person, held, challenge string) (*webauthn.SessionData, error) {
	if _, err := auth.ParseToken(held); err != nil {
		return nil, passkeyRefused("challenge")
	}
	var h *store.Handshake
	err := a.store.Write(ctx, func(tx *store.Tx) (err error) {
		h, err = tx.TakeHandshake(ctx, kind, challengeHash(held, challenge))
		return err
	})
	if portal.KindOf(err) == portal.NotFound || err == nil && (h.Portal != v.Portal.ID || h.Person != who) {
		return nil, passkeyRefused("challenge")
	}
	if err != nil {
		return nil, err
	}
	session := &webauthn.SessionData{}
	if err := json.Unmarshal(h.Data, session); err != nil {
		return nil, fmt.Errorf("read a challenge: %w", err)
	}
	return session, nil
}

// passkeyRefused is why the answer of an authenticator does not count. Only
// the audit log learns it: a stranger hears passkey.failed.
type passkeyRefused string

// Error names the reason.
func (r passkeyRefused) Error() string { return "the passkey does not count: " + string(r) }

// provenKey is a passkey whose answer counts.
type provenKey struct {
	store.Passkey
	now []byte // its record from here on: with its new counter and state
}

// askPasskeys begins an answer with a passkey. Nobody is asked for by name
// unless who is known.
func (a *App) askPasskeys(ctx context.Context, v *Visit, kind store.HandshakeKind, who portal.Person, held string, d Device) (*PasskeyStep, error) {
	rp, err := a.relyingParty(ctx, v.Portal)
	if err != nil {
		return nil, err
	}
	if who.None() {
		options, session, err := rp.BeginDiscoverableLogin()
		if err != nil {
			return nil, fmt.Errorf("begin a sign-in by passkey: %w", err)
		}
		return a.beginPasskey(ctx, v, kind, who, held, d, options, session)
	}
	user := &passkeyUser{}
	err = a.store.Read(ctx, func(tx *store.Tx) (err error) {
		if user.handle, err = tx.PasskeyHandle(ctx, who); err != nil {
			return err
		}
		keys, err := tx.Passkeys(ctx, who)
		for i := range keys {
			if keys[i].Host == rp.Config.RPID && err == nil {
				err = user.take(&keys[i])
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(user.keys) == 0 {
		return nil, noPasskeys()
	}
	options, session, err := rp.BeginLogin(user)
	if err != nil {
		return nil, fmt.Errorf("begin a proof by passkey: %w", err)
	}
	return a.beginPasskey(ctx, v, kind, who, held, d, options, session)
}

func noPasskeys() error {
	return portal.NotFoundf("passkey.none", "there is no such passkey")
}

// checkPasskey checks the answer to askPasskeys: the challenge, the page it
// was given on, the signature, that the person was verified, and that the
// counter went on. It writes nothing but that the challenge is used up.
func (a *App) checkPasskey(ctx context.Context, v *Visit, kind store.HandshakeKind, who portal.Person, held, answer string) (*provenKey, error) {
	rp, err := a.relyingParty(ctx, v.Portal)
	if err != nil {
		return nil, err
	}
	if len(answer) > longestPasskey {
		return nil, passkeyRefused("answer")
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return nil, passkeyRefused("answer")
	}
	session, err := a.takeChallenge(ctx, v, kind, who, held, parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return nil, err
	}
	k, user, err := a.passkeyOf(ctx, rp.Config.RPID, who, parsed.RawID, parsed.Response.UserHandle)
	if err != nil {
		return nil, err
	}
	var used *webauthn.Credential
	if who.None() {
		find := func([]byte, []byte) (webauthn.User, error) { return user, nil }
		_, used, err = rp.ValidatePasskeyLogin(find, *session, parsed)
	} else {
		used, err = rp.ValidateLogin(user, *session, parsed)
	}
	switch {
	case err != nil && !parsed.Response.AuthenticatorData.Flags.HasUserVerified():
		return nil, passkeyRefused("verification")
	case err != nil && !slices.Contains(rp.Config.RPOrigins, parsed.Response.CollectedClientData.Origin):
		return nil, passkeyRefused("origin")
	case err != nil:
		return nil, passkeyRefused("signature")
	case used.Authenticator.CloneWarning:
		// The standard leaves the choice. Somebody with a copy of the key must
		// not get in, and whoever has the newer counter still does.
		return nil, passkeyRefused("counter")
	}
	now, err := json.Marshal(used)
	if err != nil {
		return nil, fmt.Errorf("keep passkey %d: %w", k.ID, err)
	}
	return &provenKey{Passkey: *k, now: now}, nil
}

// passkeyOf finds the passkey of an answer and whose it is. An authenticator
// that was asked for certain passkeys need not say whose they are.
func (a *App) passkeyOf(ctx context.Context, host string, who portal.Person, credential, handle []byte) (*store.Passkey, *passkeyUser, error) {
	var k *store.Passkey
	user := &passkeyUser{}
	err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
		if len(handle) == 0 && !who.None() {
			if handle, err = tx.PasskeyHandle(ctx, who); err != nil {
				return err
			}
		}
		if k, err = tx.PasskeyFor(ctx, host, credential, handle); err != nil {
			return err
		}
		keys, err := tx.Passkeys(ctx, k.Person)
		for i := range keys {
			if keys[i].Host == host && err == nil {
				err = user.take(&keys[i])
			}
		}
		return err
	})
	if portal.KindOf(err) == portal.NotFound || err == nil && !who.None() && k.Person != who {
		return nil, nil, passkeyRefused("unknown")
	}
	user.handle = handle
	return k, user, err
}
