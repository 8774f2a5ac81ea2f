package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// ProofLife is how long proving again who one is opens the changes that ask
// for it.
const ProofLife = 10 * time.Minute

// handshakeProof is a code mailed to prove again who somebody is.
const handshakeProof store.HandshakeKind = "proof"

// Proof says how somebody can prove again who they are.
type Proof struct {
	Password bool
	Mail     bool // a code by mail
	Passkey  bool
	Factor   bool   // beside password or mail, the code of the authenticator app or a recovery code
	Address  string // where a code goes
}

// proven refuses with Forbidden proof.needed unless the visitor has proven
// again, within the last ten minutes, who they are. Signing in is no such
// proof: a session left open on a desk must not be able to take the account
// over.
func (a *App) proven(v *Visit) error {
	if v.ReadOnly {
		return readOnly()
	}
	if v.Session == nil || v.Person().None() || v.Session.ProvedAt.IsZero() {
		return proofNeeded()
	}
	if since := a.now().Sub(v.Session.ProvedAt); since < 0 || since >= ProofLife {
		return proofNeeded()
	}
	return nil
}

func proofNeeded() error {
	return portal.Forbiddenf("proof.needed", "this change asks for a fresh proof of who you are")
}

func readOnly() error {
	return portal.Forbiddenf("view.read_only", "this is a look at somebody's portal; nothing can be changed")
}

// Proven reports whether the visitor has proven again who they are recently.
func (a *App) Proven(v *Visit) bool { return a.proven(v) == nil }

// nameAndAddress are the visitor's, for what a password must not hold.
func (v *Visit) nameAndAddress() (name, address string) {
	switch {
	case v.Contact != nil:
		return v.Contact.Name, v.Contact.Email
	case v.Agent != nil:
		return v.Agent.Name, v.Agent.Email
	}
	return "", ""
}

// ProofWays says how the visitor can prove again who they are.
func (a *App) ProofWays(ctx context.Context, v *Visit) (*Proof, error) {
	who := v.Person()
	if who.None() {
		return nil, proofNeeded()
	}
	ways := &Proof{Mail: true}
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		hash, err := tx.PasswordHash(ctx, who)
		if err != nil {
			return err
		}
		ways.Password = hash != "" && (who.Agent != 0 || v.Portal.Access.Allows(portal.MethodPassword))
		if ways.Passkey, err = a.hasPasskeyHere(ctx, tx, v, who); err != nil {
			return err
		}
		// Somebody with a password proves that, not merely that they can read
		// mail on the same screen. A passkey alone may lie in a lost device.
		ways.Mail = !ways.Password
		if ways.Factor, err = tx.HasFactor(ctx, who); err != nil {
			return err
		}
		ways.Address, err = addressOf(ctx, tx, who)
		return err
	})
	return ways, err
}

// hasPasskeyHere reports whether somebody has a passkey that works where the
// visit's portal is served.
func (a *App) hasPasskeyHere(ctx context.Context, tx *store.Tx, v *Visit, who portal.Person) (bool, error) {
	base, err := a.base(ctx, tx)
	if err != nil {
		return false, err
	}
	at, err := whereServed(ctx, tx, v.Portal)
	if err != nil {
		return false, err
	}
	site, err := url.Parse(siteURL(at, base))
	if err != nil {
		return false, err
	}
	return tx.HasPasskey(ctx, who, site.Hostname())
}

// addressOf is where mail about somebody's account goes.
func addressOf(ctx context.Context, tx *store.Tx, who portal.Person) (string, error) {
	if who.Agent != 0 {
		agent, err := tx.Agent(ctx, who.Agent)
		if err != nil {
			return "", err
		}
		return agent.Email, nil
	}
	c, err := tx.Contact(ctx, who.Contact)
	if err != nil {
		return "", err
	}
	return c.RegistrationEmail(), nil
}

// checkPresent checks the visitor's present password. Wrong ones slow the
// account and the network down like failed sign-ins, but by a count of its
// own: whoever is signed in is not kept waiting by strangers who guess.
func (a *App) checkPresent(ctx context.Context, v *Visit, hash, password string, d Device) error {
	account, network := proofKey(v), "fail:net:"+d.network()
	if err := a.blocked(ctx, account); err != nil {
		return err
	}
	ok, err := a.verify(ctx, hash, password)
	if err != nil || ok {
		return err
	}
	if err := a.failed(ctx, account, network, a.failedProof(v, portal.MethodPassword, d)); err != nil {
		return err
	}
	return portal.Invalidf("password.present_wrong", "present", "the present password is wrong")
}

// proofKey counts the wrong proofs of whoever is signed in.
func proofKey(v *Visit) string { return "fail:proof:" + v.Person().About() }

func (a *App) failedProof(v *Visit, way portal.SignInMethod, d Device) portal.AuditEntry {
	e := a.failedSignIn(v, v.Person(), "", way, d)
	e.Kind, e.By = portal.AuditProofFailed, v.Person().Actor()
	return e
}

// ProveByPassword takes the present password as the proof, with the second
// factor of who has one. The visit gets a new session token.
func (a *App) ProveByPassword(ctx context.Context, v *Visit, password, factor string, d Device) (*SignedIn, error) {
	ways, err := a.ProofWays(ctx, v)
	if err != nil {
		return nil, err
	}
	if !ways.Password {
		return nil, portal.Forbiddenf("sign_in.method", "this account has no password")
	}
	var hash string
	err = a.store.Read(ctx, func(tx *store.Tx) (err error) {
		hash, err = tx.PasswordHash(ctx, v.Person())
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := a.checkPresent(ctx, v, hash, password, d); err != nil {
		return nil, err
	}
	return a.haveProvenWith(ctx, v, portal.MethodPassword, factor, d, func(tx *store.Tx) error {
		// Of many guesses at once, the right one must not count either.
		if err := blockedIn(ctx, tx, proofKey(v)); err != nil {
			return err
		}
		if now, err := tx.PasswordHash(ctx, v.Person()); err != nil || now != hash {
			return portal.Invalidf("password.present_wrong", "present", "the present password is wrong")
		}
		return nil
	}, func(tx *store.Tx) error { return tx.ResetCounter(ctx, proofKey(v)) })
}

// haveProvenWith is haveProven for a proof that counts as one factor: who has
// an authenticator app gives its code, or a recovery code, as well. first
// checks the proof and last, when both are right, uses it up.
func (a *App) haveProvenWith(ctx context.Context, v *Visit, way portal.SignInMethod, factor string, d Device, first, last func(*store.Tx) error) (*SignedIn, error) {
	var refused error
	in, err := a.haveProven(ctx, v, way, d, func(tx *store.Tx) (err error) {
		if err := first(tx); err != nil {
			return err
		}
		if refused, err = a.secondProof(ctx, tx, v, factor, d); err != nil || refused != nil {
			return firstOf(err, refused)
		}
		return last(tx)
	})
	a.wakeMail()
	if refused != nil && portal.KindOf(refused) == portal.Invalid && strings.TrimSpace(factor) != "" {
		// What a wrong code counts for is kept, and nothing else of the attempt.
		countErr := a.store.Write(ctx, func(tx *store.Tx) error {
			account := factorKey(v.Person())
			if !auth.IsTOTP(digitsOnly(factor)) {
				account = ""
			}
			ended, err := a.wrongFactor(ctx, tx, v, v.Person(), account, "fail:net:"+d.network(), refused, d)
			if ended {
				refused = portal.Conflictf("factor.ended", "too many wrong codes; sign in again")
			}
			return err
		})
		err = firstOf(countErr, refused)
	}
	return in, err
}

// secondProof asks somebody with an authenticator app for its code, or for a
// recovery code. refused is what is wrong with it.
func (a *App) secondProof(ctx context.Context, tx *store.Tx, v *Visit, factor string, d Device) (refused, err error) {
	who := v.Person()
	has, err := tx.HasFactor(ctx, who)
	if err != nil || !has {
		return nil, err
	}
	if strings.TrimSpace(factor) == "" {
		return portal.Invalidf("factor.missing", "factor", "the code of the authenticator app is missing"), nil
	}
	if auth.IsTOTP(digitsOnly(factor)) {
		if err := slowedFactor(blockedIn(ctx, tx, factorKey(who))); err != nil {
			return nil, err
		}
	}
	refused = a.checkFactor(ctx, tx, v, who, factor, &GivenFactor{}, d)
	var e *portal.Error
	if errors.As(refused, &e) && e.Field == "code" {
		e.Field = "factor"
	}
	if refused == nil {
		err = tx.ResetCounter(ctx, factorKey(who))
	}
	return refused, err
}

// haveProven notes the proof in a fresh session. check runs in its
// transaction.
func (a *App) haveProven(ctx context.Context, v *Visit, way portal.SignInMethod, d Device, check func(*store.Tx) error) (*SignedIn, error) {
	var in *SignedIn
	err := a.store.Write(ctx, func(tx *store.Tx) (err error) {
		if err := check(tx); err != nil {
			return err
		}
		if in, _, err = a.rise(ctx, tx, v, func(s *store.Session) { s.ProvedAt = tx.Now }); err != nil {
			return err
		}
		return a.auditPerson(ctx, tx, v.Portal, v.Person(), portal.AuditProof, d, portal.AuditChange{Field: "way", To: string(way)})
	})
	return in, err
}

// MailProof mails a code that proves who the visitor is, and returns what the
// browser must come back with.
func (a *App) MailProof(ctx context.Context, v *Visit) (token string, err error) {
	ways, err := a.ProofWays(ctx, v)
	if err != nil {
		return "", err
	}
	if !ways.Mail {
		return "", portal.Forbiddenf("sign_in.method", "this account proves itself by its password")
	}
	token, hash, err := auth.NewToken()
	if err != nil {
		return "", err
	}
	who := v.Person()
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		h := &store.Handshake{
			Hash: hash, Kind: handshakeProof, Portal: v.Portal.ID, Person: who,
			Data: []byte{}, ExpiresAt: tx.Now.Add(ProofLife),
		}
		if err := tx.AddHandshake(ctx, h); err != nil {
			return err
		}
		m := &store.Mail{
			Kind: store.MailProof, Portal: v.Portal.ID, Contact: who.Contact, Agent: who.Agent, Recipient: ways.Address,
			Data: map[string]string{"handshake": hex.EncodeToString(hash)},
		}
		// Only who is signed in asks for these; the links strangers ask for
		// must not use them up.
		c, err := tx.Count(ctx, "mail:proof:"+who.About(), signInMailsWindow)
		if err != nil {
			return err
		}
		if c.Count > signInMails {
			return tooMany("limit.requests", "too many mails to this address", c.Until.Sub(tx.Now))
		}
		return tx.QueueMail(ctx, m)
	})
	a.wakeMail()
	return token, err
}

// newProofCode makes the code of a proof when its mail is sent.
func newProofCode(ctx context.Context, tx *store.Tx, handshake []byte) (code string, err error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", err
	}
	code = fmt.Sprintf("%06d", n)
	return code, tx.SetHandshakeData(ctx, handshakeProof, handshake, auth.HashToken(hex.EncodeToString(handshake)+code))
}

// ProveByMail takes the mailed code as the proof, with the second factor of
// who has one. The fifth wrong one voids it.
func (a *App) ProveByMail(ctx context.Context, v *Visit, token, code, factor string, d Device) (*SignedIn, error) {
	again := portal.Conflictf("proof.expired", "the code cannot be used any more").WithHint("ask for a new one")
	hash, err := auth.ParseToken(token)
	if err != nil {
		return nil, again
	}
	wrong := false
	in, err := a.haveProvenWith(ctx, v, portal.MethodLink, factor, d, func(tx *store.Tx) error {
		h, err := tx.Handshake(ctx, handshakeProof, hash)
		if portal.KindOf(err) == portal.NotFound || err == nil && h.Person != v.Person() {
			return again
		}
		if err != nil {
			return err
		}
		given := auth.HashToken(hex.EncodeToString(hash) + digitsOf(code))
		if subtle.ConstantTimeCompare(given, h.Data) != 1 {
			wrong = true
			return portal.Invalidf("proof.code_wrong", "code", "the code is not the one in the mail")
		}
		return nil
	}, func(tx *store.Tx) error {
		_, err := tx.TakeHandshake(ctx, handshakeProof, hash)
		return err
	})
	if wrong {
		countErr := a.store.Write(ctx, func(tx *store.Tx) error {
			if err := tx.CountHandshakeTry(ctx, hash, codeTries); err != nil {
				return err
			}
			return a.audit(ctx, tx, a.failedProof(v, portal.MethodLink, d))
		})
		if countErr != nil {
			return nil, countErr
		}
	}
	return in, err
}
