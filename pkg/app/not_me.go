package app

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// NotMeLife is how long the link in a notice works that signs out everywhere.
const NotMeLife = 7 * 24 * time.Hour

// NotMe is the answer to a notice that tells of what its reader did not do:
// every session of theirs ends, every link that could let somebody in, and
// every browser counts as new again. A passkey the notice told of goes, or
// whoever added it would come straight back; removed is its name. Other
// credentials stay, since the link proves only that its reader can read the
// mail; the page leads on to choose new ones.
func (a *App) NotMe(ctx context.Context, v *Visit, token string, d Device) (removed string, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		t, err := validToken(ctx, tx, v, store.TokenNotMe, token)
		if err != nil {
			return err
		}
		if _, err := tx.UseToken(ctx, t.Hash, store.TokenNotMe); err != nil {
			return err
		}
		who := portal.Person{Contact: t.Contact, Agent: t.Agent}
		if _, err := tx.EndSessions(ctx, who.Contact, who.Agent, 0, endElsewhere); err != nil {
			return err
		}
		if err := tx.EndTokens(ctx, who.Contact, who.Agent, ""); err != nil {
			return err
		}
		if err := tx.ForgetDevices(ctx, who); err != nil {
			return err
		}
		if removed, err = a.disownPasskey(ctx, tx, v, who, t.ReturnTo, d); err != nil {
			return err
		}
		return a.auditPerson(ctx, tx, v.Portal, who, portal.AuditSessionsEnded, d, portal.AuditChange{Field: "reason", To: "not_me"})
	})
	return removed, err
}

// disownPasskey removes the passkey whose page a notice's link names, if it
// names one that is still there.
func (a *App) disownPasskey(ctx context.Context, tx *store.Tx, v *Visit, who portal.Person, page string, d Device) (name string, err error) {
	number, ok := strings.CutPrefix(page, passkeyPages)
	if !ok {
		return "", nil
	}
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return "", nil //nolint:nilerr // a page of no passkey is none
	}
	k, err := tx.Passkey(ctx, who, portal.PasskeyID(id))
	if portal.KindOf(err) == portal.NotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if err := tx.RemovePasskey(ctx, who, k.ID); err != nil {
		return "", err
	}
	return k.Name, a.auditPerson(ctx, tx, v.Portal, who, portal.AuditPasskeyRemoved, d,
		portal.AuditChange{Field: "name", To: k.Name}, portal.AuditChange{Field: "reason", To: "not_me"})
}
