package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// PasskeyInfo is a passkey as its owner sees it.
type PasskeyInfo struct {
	ID        portal.PasskeyID
	Name      string
	Host      string // where it works
	Synced    bool   // kept by a service and in several devices; else bound to one
	CreatedAt time.Time
	UsedAt    time.Time
}

// passkeyInfos lists somebody's passkeys.
func passkeyInfos(ctx context.Context, tx *store.Tx, who portal.Person) ([]PasskeyInfo, error) {
	keys, err := tx.Passkeys(ctx, who)
	if err != nil {
		return nil, err
	}
	var list []PasskeyInfo
	for i := range keys {
		k := &keys[i]
		var c webauthn.Credential
		if err := json.Unmarshal(k.Record, &c); err != nil {
			return nil, fmt.Errorf("read passkey %d: %w", k.ID, err)
		}
		list = append(list, PasskeyInfo{
			ID: k.ID, Name: k.Name, Host: k.Host, Synced: c.Flags.BackupState, CreatedAt: k.CreatedAt, UsedAt: k.UsedAt,
		})
	}
	return list, nil
}

// OffersPasskeys reports whether the visitor can have passkeys here: the
// portal signs them in that way, and browsers have passkeys where it is
// served.
func (a *App) OffersPasskeys(ctx context.Context, v *Visit) (bool, error) {
	site, err := a.site(ctx, v.Portal)
	return offersPasskeys(v, site), err
}

func offersPasskeys(v *Visit, site string) bool {
	return (v.Person().Agent != 0 || v.Portal.Access.Allows(portal.MethodPasskey)) && PasskeyHost(site) != ""
}

// MayAddPasskey refuses who can have none here (NotFound passkey.unavailable),
// and who has not proven again who they are (Forbidden proof.needed).
func (a *App) MayAddPasskey(ctx context.Context, v *Visit) error {
	offered, err := a.OffersPasskeys(ctx, v)
	switch {
	case err != nil:
		return err
	case v.Person().None() || !offered:
		return portal.NotFoundf("passkey.unavailable", "there are no passkeys for this account here")
	}
	return a.proven(v)
}

// BeginPasskey asks the visitor's browser to make a passkey. Forbidden
// proof.needed unless they have proven again who they are.
func (a *App) BeginPasskey(ctx context.Context, v *Visit, held string, d Device) (*PasskeyStep, error) {
	if err := a.MayAddPasskey(ctx, v); err != nil {
		return nil, err
	}
	rp, err := a.relyingParty(ctx, v.Portal)
	if err != nil {
		return nil, err
	}
	who := v.Person()
	user := &passkeyUser{}
	user.display, user.name = v.nameAndAddress()
	if user.display == "" {
		user.display = user.name
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		keys, err := tx.Passkeys(ctx, who)
		if err != nil {
			return err
		}
		for i := range keys {
			if keys[i].Host == rp.Config.RPID {
				if err := user.take(&keys[i]); err != nil {
					return err
				}
			}
		}
		if len(keys) >= maxPasskeys {
			return tooManyPasskeys()
		}
		user.handle, err = passkeyHandle(ctx, tx, who)
		return err
	})
	if err != nil {
		return nil, err
	}
	options, session, err := rp.BeginRegistration(user, webauthn.WithExclusions(webauthn.Credentials(user.keys).CredentialDescriptors()))
	if err != nil {
		return nil, fmt.Errorf("begin a passkey: %w", err)
	}
	return a.beginPasskey(ctx, v, handshakePasskeyAdd, who, held, d, options, session)
}

func tooManyPasskeys() error {
	return portal.Conflictf("passkey.many", "there are %d passkeys already", maxPasskeys).With("Max", maxPasskeys)
}

// passkeyHandle is the random name by which authenticators know somebody. It
// says nothing of who they are, and stays the same so that a new passkey
// replaces the old one in the same authenticator.
func passkeyHandle(ctx context.Context, tx *store.Tx, who portal.Person) ([]byte, error) {
	handle, err := tx.PasskeyHandle(ctx, who)
	if err != nil || handle != nil {
		return handle, err
	}
	handle = make([]byte, 64)
	if _, err := rand.Read(handle); err != nil {
		return nil, fmt.Errorf("name a passkey's owner: %w", err)
	}
	return handle, tx.SetPasskeyHandle(ctx, who, handle)
}

// AddPasskey keeps the passkey a browser made, under a name that is made
// different from the others', and tells its owner by mail. An answer that does
// not count is Invalid passkey.not_added.
func (a *App) AddPasskey(ctx context.Context, v *Visit, held, answer, name string, d Device) error {
	if err := a.MayAddPasskey(ctx, v); err != nil {
		return err
	}
	rp, err := a.relyingParty(ctx, v.Portal)
	if err != nil {
		return err
	}
	who := v.Person()
	made, err := a.checkNewPasskey(ctx, v, rp, held, answer)
	var refused passkeyRefused
	if errors.As(err, &refused) {
		return notAdded()
	}
	if err != nil {
		return err
	}
	record, err := json.Marshal(made)
	if err != nil {
		return fmt.Errorf("keep a passkey: %w", err)
	}
	k := &store.Passkey{Person: who, Host: rp.Config.RPID, Credential: made.ID, Record: record}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		others, err := tx.Passkeys(ctx, who)
		if err != nil {
			return err
		}
		if len(others) >= maxPasskeys {
			return tooManyPasskeys()
		}
		k.Name = nameApart(clip(strings.TrimSpace(name), 200), others)
		if err := tx.AddPasskey(ctx, k); err != nil {
			return err
		}
		return a.passkeyChanged(ctx, tx, v, portal.AuditPasskeyAdded, store.MailPasskeyAdded, k, d)
	})
	a.wakeMail()
	return err
}

func notAdded() error {
	return portal.Invalidf("passkey.not_added", "", "the passkey was not added").WithHint("try again")
}

// checkNewPasskey checks what a browser made. It writes nothing but that the
// challenge is used up.
func (a *App) checkNewPasskey(ctx context.Context, v *Visit, rp *webauthn.WebAuthn, held, answer string) (*webauthn.Credential, error) {
	if len(answer) > longestPasskey {
		return nil, passkeyRefused("answer")
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return nil, passkeyRefused("answer")
	}
	who := v.Person()
	session, err := a.takeChallenge(ctx, v, handshakePasskeyAdd, who, held, parsed.Response.CollectedClientData.Challenge)
	if err != nil {
		return nil, err
	}
	user := &passkeyUser{}
	err = a.store.Read(ctx, func(tx *store.Tx) (err error) {
		user.handle, err = tx.PasskeyHandle(ctx, who)
		return err
	})
	if err != nil {
		return nil, err
	}
	made, err := rp.CreateCredential(user, *session, parsed)
	if err != nil {
		return nil, passkeyRefused("signature")
	}
	return made, nil
}

// nameApart numbers a name that another passkey has.
func nameApart(name string, others []store.Passkey) string {
	taken := map[string]bool{}
	for _, k := range others {
		taken[k.Name] = true
	}
	free := name
	for n := 2; taken[free]; n++ {
		free = fmt.Sprintf("%s %d", name, n)
	}
	return free
}

// passkeyPages is where the page of each passkey lies in a portal.
const passkeyPages = "/account/passkeys/"

// passkeyChanged writes down that somebody's passkeys changed and tells them.
func (a *App) passkeyChanged(ctx context.Context, tx *store.Tx, v *Visit, kind portal.AuditKind, mail store.MailKind, k *store.Passkey, d Device) error {
	err := a.auditPerson(ctx, tx, v.Portal, k.Person, kind, d,
		portal.AuditChange{Field: "name", To: k.Name}, portal.AuditChange{Field: "host", To: k.Host})
	if err != nil {
		return err
	}
	return a.tellPerson(ctx, tx, v.Portal, k.Person, mail, map[string]string{
		"page": passkeyPages + strconv.FormatInt(int64(k.ID), 10), "passkey": k.Name, "browser": clip(d.UserAgent, 300), "address": d.Address,
	})
}

// RenamePasskey calls one of the visitor's passkeys something else.
func (a *App) RenamePasskey(ctx context.Context, v *Visit, id portal.PasskeyID, name string) error {
	if v.ReadOnly {
		return readOnly()
	}
	name, err := requiredLine("name", name)
	if err != nil {
		return err
	}
	return a.store.Write(ctx, func(tx *store.Tx) error { return tx.RenamePasskey(ctx, v.Person(), id, name) })
}

// Passkey is one of the visitor's passkeys; NotFound passkey.none.
func (a *App) Passkey(ctx context.Context, v *Visit, id portal.PasskeyID) (*PasskeyInfo, error) {
	var list []PasskeyInfo
	err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = passkeyInfos(ctx, tx, v.Person())
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].ID == id {
			return &list[i], nil
		}
	}
	return nil, noPasskeys()
}

// RemovePasskey removes one of the visitor's passkeys, tells them by mail and
// ends every other session: whoever removes a key they lost means the device
// that holds it. There is always another way in, as no portal has passkeys
// alone.
func (a *App) RemovePasskey(ctx context.Context, v *Visit, id portal.PasskeyID, d Device) error {
	if err := a.proven(v); err != nil {
		return err
	}
	who := v.Person()
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		k, err := tx.Passkey(ctx, who, id)
		if err != nil {
			return err
		}
		if err := tx.RemovePasskey(ctx, who, id); err != nil {
			return err
		}
		if _, err := tx.EndSessions(ctx, who.Contact, who.Agent, v.Session.ID, endPasskey); err != nil {
			return err
		}
		return a.passkeyChanged(ctx, tx, v, portal.AuditPasskeyRemoved, store.MailPasskeyRemoved, k, d)
	})
	a.wakeMail()
	return err
}
