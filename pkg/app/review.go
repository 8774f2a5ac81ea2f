package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// StaleAfter is how long somebody with access may stay away before a review
// marks them.
const StaleAfter = 90 * 24 * time.Hour

// Mark says what a review finds odd. The names are stable in JSON and CSV.
type Mark string

// The marks.
const (
	MarkStale    Mark = "stale"             // no sign-in in 90 days
	MarkSeveral  Mark = "two_companies"     // belongs to more than one company
	MarkDisabled Mark = "disabled_in_group" // kept out, while an access group would let them in
)

// Text is the mark as people read it.
func (m Mark) Text() string {
	switch m {
	case MarkStale:
		return fmt.Sprintf("no sign-in for %d days", int(StaleAfter.Hours()/24))
	case MarkSeveral:
		return "two companies"
	case MarkDisabled:
		return "disabled, in group"
	}
	return string(m)
}

// ReviewRow is one contact's access to one portal.
type ReviewRow struct {
	Portal *portal.Portal
	store.AccessRow
	Entry  portal.Entry
	Viewer portal.Viewer
	// Tickets is how many they see now, up to 1,000; Capped when there are more.
	Tickets int
	Capped  bool
	Marks   []Mark
}

// Review calls each for everyone who gets into the portals, by portal and
// address, and for those who are disabled although an access group lists
// them. It holds a page of contacts at a time, whatever their number.
func (a *App) Review(ctx context.Context, portals []portal.Portal, each func(*ReviewRow) error) error {
	for _, p := range portals {
		for after := ""; ; {
			rows, last, err := a.reviewPage(ctx, p.ID, after)
			if err != nil {
				return err
			}
			for i := range rows {
				if err := each(&rows[i]); err != nil {
					return err
				}
			}
			if last == "" {
				break
			}
			after = last
		}
	}
	return nil
}

// reviewPage is how many contacts a review reads at a time. Each page is a
// read of its own, so that a slow reader at the other end never holds up the
// store's housekeeping.
const reviewPage = 200

// reviewPage reads the contacts behind an address; last is where the next page
// begins, "" when there is none.
func (a *App) reviewPage(ctx context.Context, id portal.PortalID, after string) (rows []ReviewRow, last string, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		p, err := tx.Portal(ctx, id)
		if err != nil {
			return err
		}
		contacts, err := tx.AccessRows(ctx, store.AccessFilter{Portal: id, After: after, Limit: reviewPage})
		if err != nil {
			return err
		}
		if len(contacts) == reviewPage {
			last = contacts[reviewPage-1].Contact.Email
		}
		for _, c := range contacts {
			r := newReviewRow(p, c, tx.Now)
			if !r.Entry.Allowed && len(r.Marks) == 0 {
				continue
			}
			if r.Entry.Allowed {
				n, err := tx.CountTickets(ctx, &r.Viewer, store.TicketFilter{Scope: store.ScopeCompany}, countMost+1)
				if err != nil {
					return err
				}
				r.Tickets, r.Capped = min(n, countMost), n > countMost
			}
			rows = append(rows, r)
		}
		return nil
	})
	return rows, last, err
}

// newReviewRow asks the rules about one contact.
func newReviewRow(p *portal.Portal, c store.AccessRow, now time.Time) ReviewRow {
	r := ReviewRow{Portal: p, AccessRow: c}
	r.Entry = portal.MayEnter(p, c.Member, len(c.Groups) > 0)
	if r.Entry.Allowed {
		r.Viewer = portal.NewViewer(&r.Contact, &p.Tickets)
		if now.Sub(r.cameAt()) >= StaleAfter {
			r.Marks = append(r.Marks, MarkStale)
		}
		if len(c.Contact.Companies) > 1 {
			r.Marks = append(r.Marks, MarkSeveral)
		}
		return r
	}
	if p.Access.Mode == portal.ModeGroups && len(c.Groups) > 0 && c.Member != nil && c.Member.Status == portal.Disabled {
		r.Marks = append(r.Marks, MarkDisabled)
	}
	return r
}

// cameAt is the last sign-in or, for somebody who never signed in, since when
// they could have.
func (r *ReviewRow) cameAt() time.Time {
	m := r.Member
	if m == nil {
		return r.Contact.CreatedAt
	}
	if !m.LastSignInAt.IsZero() {
		return m.LastSignInAt
	}
	since := slices.MaxFunc([]time.Time{m.InvitedAt, m.RequestedAt, m.RegisteredAt, m.FailedAt}, time.Time.Compare)
	if since.IsZero() {
		return r.Contact.CreatedAt
	}
	return since
}

// Status is the contact's standing in the portal: none for one who never was
// a member.
func (r *ReviewRow) Status() string {
	if r.Member == nil {
		return "none"
	}
	return string(r.Member.Status)
}

// LastSignIn is when they last signed in; zero for never.
func (r *ReviewRow) LastSignIn() time.Time {
	if r.Member == nil {
		return time.Time{}
	}
	return r.Member.LastSignInAt
}

// How says what lets the contact in.
func (r *ReviewRow) How() string {
	switch {
	case !r.Entry.Allowed:
		return "kept out"
	case r.Portal.Access.Mode == portal.ModeGroups:
		return "group " + strings.Join(r.Groups, ", ")
	case r.Portal.Access.Mode == portal.ModeSSO:
		return "identity provider"
	}
	return r.Status()
}

// SeesCompanies names the companies whose tickets the contact sees beside
// their own.
func (r *ReviewRow) SeesCompanies() []string {
	if !r.Viewer.CompanyView() {
		return nil
	}
	// The primary one comes first, and is the only one of a viewer with one.
	return r.Companies[:min(len(r.Viewer.Companies), len(r.Companies))]
}

// Sees says which tickets the contact sees.
func (r *ReviewRow) Sees() string {
	companies := r.SeesCompanies()
	switch {
	case !r.Entry.Allowed:
		return "nothing"
	case len(companies) == 0:
		return "own"
	case r.Viewer.CompanyReply:
		return "own, " + strings.Join(companies, ", ")
	}
	return "own, reads " + strings.Join(companies, ", ")
}
