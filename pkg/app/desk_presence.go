package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Pulse is what a ticket's page on the help desk is told while it is open.
type Pulse struct {
	Present []portal.Presence // other agents who have it open
	Newer   bool              // somebody else wrote publicly since the page was made
	Last    portal.MessageID  // the newest public message
}

// KeepPresence notes that an agent has a ticket's page open, and in which mode
// they write, and returns what became different since the page was made: it
// knew messages up to seen.
func (a *App) KeepPresence(ctx context.Context, v *Visit, n portal.TicketNumber, mode portal.DeskMode, seen portal.MessageID) (*Pulse, error) {
	if err := deskOnly(v); err != nil {
		return nil, err
	}
	if mode != portal.ModeAnswer && mode != portal.ModeNote {
		mode = portal.ModeViewing
	}
	p := &Pulse{}
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		t, err := tx.TicketFor(ctx, &v.Viewer, n)
		if err != nil {
			return err
		}
		if _, err := tx.KeepPresence(ctx, v.Agent.ID, n, mode); err != nil {
			return err
		}
		if p.Present, err = tx.Present(ctx, n, v.Agent.ID); err != nil {
			return err
		}
		p.Last = t.LastPublic
		err = nobodyWrote(ctx, tx, t, v.Agent.ID, seen)
		if p.Newer = portal.KindOf(err) == portal.Conflict; p.Newer {
			return nil
		}
		return err
	})
	return p, err
}

// EndPresence notes that an agent has left a ticket's page.
func (a *App) EndPresence(ctx context.Context, v *Visit, n portal.TicketNumber) error {
	if err := deskOnly(v); err != nil {
		return err
	}
	return a.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.EndPresence(ctx, v.Agent.ID, n)
		return err
	})
}
