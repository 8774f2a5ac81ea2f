package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Agree lets a contact who stands at the gate of a new consent text through,
// and keeps what they agreed to. Invalid consent.needed unless agree is set.
func (a *App) Agree(ctx context.Context, v *Visit, version int, agree bool) error {
	if v.Gate != GateConsent {
		return nil
	}
	if version != v.Portal.Access.ConsentVersion {
		// The page was older than the text; nobody agrees to what they did not read.
		return portal.Conflictf("consent.changed", "the text was changed while it was read")
	}
	who := v.Arriving()
	return a.store.Write(ctx, func(tx *store.Tx) error {
		if err := takeConsent(ctx, tx, v, who.Contact, agree, v.Language()); err != nil {
			return err
		}
		return a.auditPerson(ctx, tx, v.Portal, who, portal.AuditConsent, v.Device, versionChange(version))
	})
}
