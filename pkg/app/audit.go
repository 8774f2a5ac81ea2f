package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// audit writes an entry of the audit log in the caller's transaction, so that
// it stands exactly when what it tells happened. Without an actor it is the
// operator's, when one runs this process.
func (a *App) audit(ctx context.Context, tx *store.Tx, e portal.AuditEntry) error {
	if e.By == (portal.Actor{}) && e.Operator == "" && a.operator != "" {
		e.By = portal.ByOperator
	}
	if e.By.Operator {
		e.Operator = a.operator
	}
	return tx.AddAudit(ctx, &e)
}

// auditPerson writes an entry about what somebody did to their own way in.
func (a *App) auditPerson(ctx context.Context, tx *store.Tx, p *portal.Portal, who portal.Person, kind portal.AuditKind, d Device, changes ...portal.AuditChange) error {
	e := portal.AuditEntry{Kind: kind, By: who.Actor(), About: who.About()}
	if p != nil {
		e.Portal = p.ID
	}
	e.Address, e.AuditDetail.Agent, e.Changes = d.Address, clip(d.UserAgent, 300), changes
	return a.audit(ctx, tx, e)
}
