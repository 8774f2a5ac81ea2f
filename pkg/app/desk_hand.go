package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Hand is who works on tickets at the desk: an agent, who reaches the tickets
// they see, or a command, which reaches all of them.
type Hand struct {
	agent portal.AgentID // 0: a command
	actor portal.Actor
	visit *Visit // the page it was done on; nil: by a command
}

// HandOf is the hand of the agent who visits a page. A visitor who is no agent
// reaches nothing by it.
func HandOf(v *Visit) Hand {
	if v.Agent == nil {
		return Hand{agent: -1, visit: v}
	}
	return Hand{agent: v.Agent.ID, actor: portal.ByAgent(v.Agent.ID), visit: v}
}

// CommandHand is the hand of a command, in the name of the operator or of an
// agent.
func CommandHand(by portal.Actor) Hand { return Hand{actor: by} }

// viewer is what the hand sees with, as it is now.
func (h Hand) viewer(ctx context.Context, tx *store.Tx) (portal.Viewer, error) {
	if h.agent == 0 {
		return operatorViewer(), nil
	}
	agent, err := tx.Agent(ctx, h.agent)
	if err != nil {
		return portal.Viewer{}, err
	}
	if agent.Disabled {
		return portal.Viewer{}, portal.Forbiddenf("agent.disabled", "the agent %s is disabled", agent.Email)
	}
	return portal.AgentViewer(agent), nil
}

// see returns a ticket the hand reaches, merged ones too.
func (h Hand) see(ctx context.Context, tx *store.Tx, n portal.TicketNumber) (*portal.Ticket, error) {
	v, err := h.viewer(ctx, tx)
	if err != nil {
		return nil, err
	}
	return tx.TicketFor(ctx, &v, n)
}

// ticket returns a ticket the hand may change, in the transaction that changes
// it.
func (h Hand) ticket(ctx context.Context, tx *store.Tx, n portal.TicketNumber) (*portal.Ticket, error) {
	t, err := h.see(ctx, tx, n)
	if err != nil {
		return nil, err
	}
	return t, notMerged(t)
}

// notMerged refuses to work on a ticket that leads to another one.
func notMerged(t *portal.Ticket) error {
	if t.MergedInto == 0 {
		return nil
	}
	return portal.Conflictf("ticket.merged", "ticket %s was merged into %s", t.Number, t.MergedInto).
		With("Number", t.Number.String()).With("Into", t.MergedInto.String()).WithHint("use %s instead", t.MergedInto)
}

// work runs one change of a ticket.
func (a *App) work(ctx context.Context, h Hand, n portal.TicketNumber, change func(*store.Tx, *portal.Ticket) error) error {
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		t, err := h.ticket(ctx, tx, n)
		if err != nil {
			return err
		}
		return change(tx, t)
	})
	a.wakeMail()
	return err
}

// noteHand writes an entry of the audit log about what a hand did to who sees
// a ticket.
func (a *App) noteHand(ctx context.Context, tx *store.Tx, h Hand, n portal.TicketNumber, changes ...Change) error {
	if h.visit != nil {
		return a.noteVisit(ctx, tx, h.visit, portal.AuditSight, aboutTicket(n), changes...)
	}
	return a.noteBy(ctx, tx, h.actor, "", portal.AuditSight, 0, aboutTicket(n), changes...)
}
