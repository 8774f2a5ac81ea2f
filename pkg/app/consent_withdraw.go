package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// endConsent is why sessions end when somebody takes back their consent.
const endConsent = "consent_withdrawn"

// consentsHere is what the visiting contact agreed to for this portal, the
// last first.
func consentsHere(ctx context.Context, tx *store.Tx, v *Visit) (here []portal.Consent, err error) {
	if v.Contact == nil {
		return nil, nil
	}
	all, err := tx.Consents(ctx, v.Contact.ID)
	for _, c := range all {
		if c.PortalID == v.Portal.ID {
			here = append(here, c)
		}
	}
	return here, err
}

// WithdrawConsent takes back what the visiting contact agreed to for this
// portal. Their sessions in it end, in every browser; signing in again asks
// anew. Doing it twice succeeds.
func (a *App) WithdrawConsent(ctx context.Context, v *Visit) error {
	if err := contactOnly(v); err != nil {
		return err
	}
	if v.ReadOnly {
		return readOnly()
	}
	return a.store.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.WithdrawConsent(ctx, v.Contact.ID, v.Portal.ID)
		if err != nil || n == 0 {
			return err
		}
		if _, err := tx.EndPortalAccess(ctx, v.Portal.ID, v.Contact.ID, endConsent); err != nil {
			return err
		}
		// Signed in by way of another portal of the same host, they are asked
		// before anything of this one is shown: see gateOf.
		return a.auditPerson(ctx, tx, v.Portal, v.Person(), portal.AuditConsentBack, v.Device)
	})
}
