package app

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// NotMeLife is how long the link in a notice works that signs out everywhere.
const NotMeLife = 7 * 24 * time.Hour

// NotMe is the answer to a notice that tells of what its reader did not do:
// every session of theirs ends, every link that could let somebody in, and
// every browser counts as new again. Their credentials stay, since the link
// proves only that its reader can read the mail; the page leads on to choose
// new ones.
func (a *App) NotMe(ctx context.Context, v *Visit, token string, d Device) error {
	return a.store.Write(ctx, func(tx *store.Tx) error {
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
		return a.auditPerson(ctx, tx, v.Portal, who, portal.AuditSessionsEnded, d, portal.AuditChange{Field: "reason", To: "not_me"})
	})
}
