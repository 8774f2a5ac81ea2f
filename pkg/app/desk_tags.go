package app

import (
	"context"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// TagTicket puts tags on a ticket and takes others off, each list separated by
// commas; it reports whether that changed anything.
func (a *App) TagTicket(ctx context.Context, h Hand, n portal.TicketNumber, add, remove string) (changed bool, err error) {
	plus, err := portal.ParseTags("tags", norm.NFC.String(add))
	if err != nil {
		return false, err
	}
	minus, err := portal.ParseTags("tags", norm.NFC.String(remove))
	if err != nil {
		return false, err
	}
	if len(plus)+len(minus) == 0 {
		return false, portal.Invalidf("field.required", "tags", "no tag was given")
	}
	err = a.work(ctx, h, n, func(tx *store.Tx, t *portal.Ticket) error {
		gone, err := eachTag(minus, func(tag string) (bool, error) { return tx.RemoveTag(ctx, n, tag) })
		if err != nil {
			return err
		}
		there, err := eachTag(plus, func(tag string) (bool, error) { return tx.AddTag(ctx, n, tag) })
		if err != nil {
			return err
		}
		have, err := tx.Tags(ctx, n)
		if err != nil {
			return err
		}
		if len(have) > portal.MaxTags {
			return portal.Conflictf("ticket.tags_many", "ticket %s would have %d tags; at most %d fit", n, len(have), portal.MaxTags).With("Max", portal.MaxTags)
		}
		changed = len(gone)+len(there) > 0
		for _, e := range []portal.Event{{Kind: portal.EventUntagged, From: strings.Join(gone, ", ")}, {Kind: portal.EventTagged, To: strings.Join(there, ", ")}} {
			if e.From+e.To == "" {
				continue
			}
			e.Ticket, e.By = n, h.actor
			if err := tx.AddEvent(ctx, &e); err != nil {
				return err
			}
		}
		return nil
	})
	return changed && err == nil, err
}

// eachTag does something with each tag and returns those it changed.
func eachTag(tags []string, do func(string) (bool, error)) (changed []string, err error) {
	for _, tag := range tags {
		did, err := do(tag)
		if err != nil {
			return nil, err
		}
		if did {
			changed = append(changed, tag)
		}
	}
	return changed, nil
}

// Tags returns the tags in use on tickets an agent sees, the usual ones first.
func (a *App) Tags(ctx context.Context, h Hand) (tags []string, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		v, err := h.viewer(ctx, tx)
		if err != nil {
			return err
		}
		tags, err = tx.KnownTags(ctx, &v, mostKnownTags)
		return err
	})
	return tags, err
}

// mostKnownTags bounds a list of suggestions.
const mostKnownTags = 200
