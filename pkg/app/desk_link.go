package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// mostLinks bounds how many tickets one has to do with.
const mostLinks = 50

// LinkTickets says what a ticket is to another one, instead of what was said
// before; it reports whether that is new. The hand has to reach both.
func (a *App) LinkTickets(ctx context.Context, h Hand, n portal.TicketNumber, kind portal.LinkKind, other portal.TicketNumber) (changed bool, err error) {
	err = a.work(ctx, h, n, func(tx *store.Tx, _ *portal.Ticket) error {
		if err := h.otherThan(ctx, tx, n, other); err != nil {
			return err
		}
		was, err := tx.LinkBetween(ctx, n, other)
		if err != nil || was == kind {
			return err
		}
		for _, one := range []portal.TicketNumber{n, other} {
			count, err := tx.CountLinks(ctx, one)
			if err != nil {
				return err
			}
			if was == "" && count >= mostLinks {
				return portal.Conflictf("ticket.links_many", "ticket %s has %d links already", one, mostLinks).With("Number", one.String()).With("Max", mostLinks)
			}
		}
		changed = true
		return linkIn(ctx, tx, h.actor, n, kind, other)
	})
	return changed && err == nil, err
}

// otherThan returns nil for a second ticket the hand reaches.
func (h Hand) otherThan(ctx context.Context, tx *store.Tx, n, other portal.TicketNumber) error {
	if other == n {
		return portal.Invalidf("ticket.self", "other", "%s is the ticket itself; name another one", n).With("Number", n.String())
	}
	_, err := h.see(ctx, tx, other)
	return err
}

// linkIn writes a link and what happened to both tickets.
func linkIn(ctx context.Context, tx *store.Tx, by portal.Actor, n portal.TicketNumber, kind portal.LinkKind, other portal.TicketNumber) error {
	if err := tx.SetLink(ctx, n, other, kind); err != nil {
		return err
	}
	if err := tx.AddEvent(ctx, &portal.Event{Ticket: n, Kind: portal.EventLinked, By: by, From: string(kind), To: other.String()}); err != nil {
		return err
	}
	return tx.AddEvent(ctx, &portal.Event{Ticket: other, Kind: portal.EventLinked, By: by, From: string(kind.Inverse()), To: n.String()})
}

// UnlinkTickets removes the link between two tickets; it reports whether there
// was one.
func (a *App) UnlinkTickets(ctx context.Context, h Hand, n, other portal.TicketNumber) (changed bool, err error) {
	err = a.work(ctx, h, n, func(tx *store.Tx, _ *portal.Ticket) error {
		if err := h.otherThan(ctx, tx, n, other); err != nil {
			return err
		}
		changed, err = tx.RemoveLink(ctx, n, other)
		if err != nil || !changed {
			return err
		}
		if err := tx.AddEvent(ctx, &portal.Event{Ticket: n, Kind: portal.EventUnlinked, By: h.actor, To: other.String()}); err != nil {
			return err
		}
		return tx.AddEvent(ctx, &portal.Event{Ticket: other, Kind: portal.EventUnlinked, By: h.actor, To: n.String()})
	})
	return changed && err == nil, err
}
