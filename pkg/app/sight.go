package app

import (
	"cmp"
	"context"
	"slices"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// SightTurn is the direction in which a right changes; "" is not at all.
type SightTurn string

// The turns.
const (
	SightGains SightTurn = "gains"
	SightLoses SightTurn = "loses"
)

func sightTurn(before, after bool) SightTurn {
	switch {
	case before == after:
		return ""
	case after:
		return SightGains
	}
	return SightLoses
}

// SightChange is how one contact's sight of one portal differs between two
// stores.
type SightChange struct {
	Portal      string
	Email, Name string
	SignIn      SightTurn
	Answer      SightTurn // the right to answer company tickets they see in both
	Gained      TicketSet
	Lost        TicketSet
}

// TicketSet counts tickets, up to 1,000, and names the first hundred, newest
// first.
type TicketSet struct {
	Count   int
	Capped  bool // there are more than Count
	Numbers []portal.TicketNumber
}

const ticketsNamed = 100

func (s *TicketSet) add(n portal.TicketNumber) {
	if s.Count == countMost {
		s.Capped = true
		return
	}
	s.Count++
	if len(s.Numbers) < ticketsNamed {
		s.Numbers = append(s.Numbers, n)
	}
}

// CompareSight calls each for every contact, by portal and address, whose
// sight of a portal is another in the store of after than in that of before.
// The tickets of both are the same; who sees them is not.
func CompareSight(ctx context.Context, before, after *App, each func(*SightChange) error) error {
	was, err := before.Portals(ctx)
	if err != nil {
		return err
	}
	is, err := after.Portals(ctx)
	if err != nil {
		return err
	}
	var ids []portal.PortalID
	for _, p := range slices.Concat(was, is) {
		if !slices.Contains(ids, p.ID) {
			ids = append(ids, p.ID)
		}
	}
	for _, id := range ids {
		find := func(list []portal.Portal) *portal.Portal {
			if i := slices.IndexFunc(list, func(p portal.Portal) bool { return p.ID == id }); i >= 0 {
				return &list[i]
			}
			return nil
		}
		b, a := &sightReader{app: before, portal: find(was)}, &sightReader{app: after, portal: find(is)}
		if err := comparePortal(ctx, b, a, each); err != nil {
			return err
		}
	}
	return nil
}

// comparePortal walks both stores' contacts side by side.
func comparePortal(ctx context.Context, before, after *sightReader, each func(*SightChange) error) error {
	for {
		b, err := before.peek(ctx)
		if err != nil {
			return err
		}
		a, err := after.peek(ctx)
		if err != nil || a == nil && b == nil {
			return err
		}
		var order int
		switch {
		case a == nil:
			order = -1
		case b == nil:
			order = 1
		default:
			order = cmp.Compare(b.Contact.Email, a.Contact.Email)
		}
		if order <= 0 {
			before.pop()
		} else {
			b = nil
		}
		if order >= 0 {
			after.pop()
		} else {
			a = nil
		}
		change, err := compareContact(ctx, before, after, b, a)
		if err != nil {
			return err
		}
		if change == nil {
			continue
		}
		if err := each(change); err != nil {
			return err
		}
	}
}

// compareContact compares one contact's sight; nil is one whom the portal
// does not know. It returns nil when nothing differs.
func compareContact(ctx context.Context, before, after *sightReader, b, a *sight) (*SightChange, error) {
	was, is := b.viewer(), a.viewer()
	if was == nil && is == nil {
		return nil, nil
	}
	known, p := a, after.portal
	if known == nil {
		known, p = b, before.portal
	}
	c := &SightChange{Portal: p.Name, Email: known.Contact.Email, Name: known.Contact.Name, SignIn: sightTurn(was != nil, is != nil)}
	if was != nil && is != nil {
		both := was.CompanyView() && is.CompanyView()
		c.Answer = sightTurn(both && was.CompanyReply, both && is.CompanyReply)
		if c.Answer == "" && was.Contact == is.Contact && slices.Equal(was.Companies, is.Companies) {
			return nil, nil
		}
	}
	err := compareTickets(ctx, &ticketReader{app: before.app, viewer: was}, &ticketReader{app: after.app, viewer: is}, c)
	if err != nil || c.SignIn == "" && c.Answer == "" && c.Gained.Count == 0 && c.Lost.Count == 0 {
		return nil, err
	}
	return c, nil
}

// compareTickets walks what both viewers see, newest first, until enough
// differs.
func compareTickets(ctx context.Context, before, after *ticketReader, c *SightChange) error {
	for !c.Gained.Capped && !c.Lost.Capped {
		b, err := before.peek(ctx)
		if err != nil {
			return err
		}
		a, err := after.peek(ctx)
		if err != nil || a == nil && b == nil {
			return err
		}
		var order int
		switch {
		case a == nil:
			order = -1
		case b == nil:
			order = 1
		default:
			order = cmp.Or(a.UpdatedAt.Compare(b.UpdatedAt), cmp.Compare(a.Number, b.Number))
		}
		switch {
		case order < 0:
			c.Lost.add(b.Number)
			before.pop()
		case order > 0:
			c.Gained.add(a.Number)
			after.pop()
		default:
			before.pop()
			after.pop()
		}
	}
	return nil
}

// sight is a contact as one portal knows them.
type sight struct {
	store.AccessRow
	enters bool
	sees   portal.Viewer
}

// viewer is what they see with; nil for one who does not get in.
func (s *sight) viewer() *portal.Viewer {
	if s == nil || !s.enters {
		return nil
	}
	return &s.sees
}

// sightReader reads a portal's contacts, a page at a time.
type sightReader struct {
	app    *App
	portal *portal.Portal // nil: the store has no such portal
	page   []store.AccessRow
	ended  bool
	last   string
	now    *sight
}

// peek returns the present contact; nil behind the last.
func (r *sightReader) peek(ctx context.Context) (*sight, error) {
	if r.now != nil || r.portal == nil {
		return r.now, nil
	}
	if len(r.page) == 0 && !r.ended {
		err := r.app.store.Read(ctx, func(tx *store.Tx) (err error) {
			r.page, err = tx.AccessRows(ctx, store.AccessFilter{Portal: r.portal.ID, After: r.last, Limit: reviewPage})
			return err
		})
		if err != nil {
			return nil, err
		}
		if r.ended = len(r.page) < reviewPage; len(r.page) > 0 {
			r.last = r.page[len(r.page)-1].Contact.Email
		}
	}
	if len(r.page) == 0 {
		return nil, nil
	}
	s := &sight{AccessRow: r.page[0]}
	entry := portal.MayEnter(r.portal, s.Member, len(s.Groups) > 0)
	s.enters = entry.Allowed && r.portal.State != portal.Draft
	s.sees = portal.NewViewer(&s.Contact, &r.portal.Tickets)
	r.now = s
	return s, nil
}

func (r *sightReader) pop() { r.now, r.page = nil, r.page[1:] }

// ticketReader reads the tickets a viewer sees, newest first.
type ticketReader struct {
	app    *App
	viewer *portal.Viewer // nil sees nothing
	page   []portal.TicketRow
	after  *store.Cursor
	ended  bool
}

// peek returns the present ticket; nil behind the last.
func (r *ticketReader) peek(ctx context.Context) (*portal.TicketRow, error) {
	const size = 250
	if len(r.page) == 0 && !r.ended && r.viewer != nil {
		err := r.app.store.Read(ctx, func(tx *store.Tx) (err error) {
			r.page, err = tx.Tickets(ctx, r.viewer, 0, store.TicketFilter{Scope: store.ScopeCompany},
				store.TicketPage{After: r.after, Limit: size, Columns: []portal.TicketColumn{}})
			return err
		})
		if err != nil {
			return nil, err
		}
		if r.ended = len(r.page) < size; len(r.page) > 0 {
			last := r.page[len(r.page)-1]
			r.after = &store.Cursor{UpdatedAt: last.UpdatedAt, Number: last.Number}
		}
	}
	if len(r.page) == 0 {
		return nil, nil
	}
	return &r.page[0], nil
}

func (r *ticketReader) pop() { r.page = r.page[1:] }
