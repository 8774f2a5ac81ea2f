package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// MergePlan is what merging a ticket into another does to who reads what. It
// is shown, and agreed to, before anything is done: nobody comes to see
// something by a merge whom it does not name.
type MergePlan struct {
	From, Into *portal.Ticket
	// Joins are parties of From who are none of Into yet. They become
	// participants and read all that is said there.
	Joins []portal.Contact
	// Readers are parties of Into who were none of From. They read its messages.
	Readers []portal.Contact
	// Colleagues is the company whose other members read the messages of From
	// by company view, and could not before; "" when there is none.
	Colleagues string
	// Confidential says that Into becomes confidential, because From is.
	Confidential bool
	// Loses are companies whose members read less by company view after it.
	Loses []string
	// Reopens says that Into is closed and opens again.
	Reopens bool
	// OtherInbox says that From lies in another inbox, whose agents may not
	// see Into.
	OtherInbox bool

	// Seen proves to Merge that this plan was shown.
	Seen string
}

// ShowsMore reports whether somebody comes to read what they could not.
func (p *MergePlan) ShowsMore() bool {
	return len(p.Joins) > 0 || len(p.Readers) > 0 || p.Colleagues != ""
}

// PlanMerge returns what merging a ticket into another would do.
func (a *App) PlanMerge(ctx context.Context, h Hand, from, into portal.TicketNumber) (plan *MergePlan, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		plan, err = planMerge(ctx, tx, h, from, into)
		return err
	})
	return plan, err
}

func planMerge(ctx context.Context, tx *store.Tx, h Hand, from, into portal.TicketNumber) (*MergePlan, error) {
	f, err := h.ticket(ctx, tx, from)
	if err != nil {
		return nil, err
	}
	if from == into {
		return nil, portal.Invalidf("ticket.self", "into", "%s is the ticket itself; name another one", from).With("Number", from.String())
	}
	t, err := h.ticket(ctx, tx, into)
	if err != nil {
		return nil, err
	}
	if f.PortalID != 0 && t.PortalID != 0 && f.PortalID != t.PortalID {
		return nil, portal.Conflictf("ticket.merge_portals", "tickets %s and %s belong to different portals", from, into).
			With("Number", from.String()).With("Into", into.String()).WithHint("link them instead")
	}
	p := &MergePlan{From: f, Into: t, Reopens: t.Status == portal.Closed && f.Status != portal.Closed, OtherInbox: f.InboxID != t.InboxID}
	if p.Joins, err = partiesBut(ctx, tx, f, t); err != nil {
		return nil, err
	}
	if len(t.Participants)+len(p.Joins) > maxParticipants {
		return nil, portal.Conflictf("participant.too_many", "ticket %s would have more than %d participants", into, maxParticipants).With("Max", maxParticipants)
	}
	if p.Readers, err = partiesBut(ctx, tx, t, f); err != nil {
		return nil, err
	}
	p.companies()
	p.Seen, err = p.proof()
	return p, err
}

// companies works out what company view shows more and less of.
func (p *MergePlan) companies() {
	f, t := p.From, p.Into
	p.Confidential = f.Confidential && !t.Confidential
	hidden := f.Confidential || t.Confidential // after the merge
	if t.Company != 0 && !hidden && f.Company != t.Company {
		p.Colleagues = t.CompanyName
	}
	if f.Company != 0 && !f.Confidential && (hidden || f.Company != t.Company) {
		p.Loses = append(p.Loses, f.CompanyName)
	}
	if t.Company != 0 && p.Confidential {
		p.Loses = append(p.Loses, t.CompanyName)
	}
}

// proof is the same as long as the plan says the same.
func (p *MergePlan) proof() (string, error) {
	ids := func(list []portal.Contact) (ids []portal.ContactID) {
		for _, c := range list {
			ids = append(ids, c.ID)
		}
		slices.Sort(ids)
		return ids
	}
	said, err := json.Marshal([]any{p.From.Number, p.Into.Number, ids(p.Joins), ids(p.Readers), p.Colleagues, p.Confidential, p.Loses, p.Reopens, p.OtherInbox})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(said)
	return hex.EncodeToString(sum[:16]), nil
}

// partiesBut are the parties of one ticket who are none of another, by name,
// without those who were erased.
func partiesBut(ctx context.Context, tx *store.Tx, of, but *portal.Ticket) (list []portal.Contact, err error) {
	err = parties(ctx, tx, of, portal.Actor{}, func(c *portal.Contact) error {
		if !but.Party(c.ID) {
			list = append(list, *c)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b portal.Contact) int {
		return cmp.Or(cmp.Compare(a.ShownName(), b.ShownName()), cmp.Compare(a.ID, b.ID))
	})
	return list, err
}

// Merge moves the messages of a ticket into another one, where they stand by
// time, and closes it; whoever opens it, or answers a mail about it, is led to
// the other. Its parties become participants there. seen is the plan that was
// agreed to: Conflict ticket.merge_changed when it is another by now.
func (a *App) Merge(ctx context.Context, h Hand, from, into portal.TicketNumber, seen string) error {
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		p, err := planMerge(ctx, tx, h, from, into)
		if err != nil {
			return err
		}
		if p.Seen != seen {
			return portal.Conflictf("ticket.merge_changed", "merging %s into %s would do something else by now", from, into).
				With("Number", from.String()).With("Into", into.String()).WithHint("look again at what it does")
		}
		return a.merge(ctx, tx, h, p)
	})
	a.wakeMail()
	return err
}

func (a *App) merge(ctx context.Context, tx *store.Tx, h Hand, p *MergePlan) error {
	f, t := p.From, p.Into
	moved, err := tx.Messages(ctx, f, true)
	if err != nil {
		return err
	}
	if err := tx.CopyReadMarks(ctx, f.Number, t.Number); err != nil {
		return err
	}
	for i := range p.Joins {
		t.Participants = append(t.Participants, p.Joins[i].ID)
	}
	t.Confidential = t.Confidential || f.Confidential
	if _, err := tx.MoveMessages(ctx, f, t, 1); err != nil {
		return err
	}
	if err := a.takeOver(ctx, tx, f, t, moved); err != nil {
		return err
	}
	f.Close(tx.Now)
	f.MergedInto, f.UpdatedAt, t.UpdatedAt = t.Number, tx.Now, tx.Now
	if err := saveTicket(ctx, tx, f); err != nil {
		return err
	}
	if err := saveTicket(ctx, tx, t); err != nil {
		return err
	}
	for _, lead := range []func(context.Context, portal.TicketNumber, portal.TicketNumber) error{tx.LeadTo, tx.MoveTags, tx.MoveLinks} {
		if err := lead(ctx, f.Number, t.Number); err != nil {
			return err
		}
	}
	return a.tellMerge(ctx, tx, h, p)
}

// takeOver gives the ticket what it means to it that another one ends in it.
func (a *App) takeOver(ctx context.Context, tx *store.Tx, f, t *portal.Ticket, moved []portal.Message) error {
	for _, m := range moved {
		// An answer given since the ticket was opened can be read there now.
		if t.AnsweredAt.IsZero() && m.Kind == portal.Public && m.Agent != 0 && !m.At.Before(t.CreatedAt) {
			t.AnsweredAt = m.At
		}
	}
	if f.Status != portal.Closed || t.Status != portal.Closed {
		newest, err := tx.MessagesBefore(ctx, t, false, t.LastPublic+1, 1)
		if err != nil {
			return err
		}
		t.ClosedAt = time.Time{}
		if len(newest) > 0 {
			t.Follow(&newest[0], tx.Now)
		}
	}
	if !f.PromisedAt.IsZero() && t.Status != portal.Closed && (t.PromisedAt.IsZero() || f.PromisedAt.Before(t.PromisedAt)) {
		t.PromisedAt, t.RemindAt = f.PromisedAt, f.RemindAt
	}
	return nil
}

// tellMerge writes down what was done, and tells those who joined.
func (a *App) tellMerge(ctx context.Context, tx *store.Tx, h Hand, p *MergePlan) error {
	f, t := p.From, p.Into
	events := []portal.Event{
		{Ticket: f.Number, Kind: portal.EventMerged, By: h.actor, To: t.Number.String()},
		{Ticket: t.Number, Kind: portal.EventMerged, By: h.actor, From: f.Number.String()},
	}
	changes := []Change{{Field: "merged", From: f.Number.String(), To: t.Number.String()}}
	for _, c := range p.Joins {
		events = append(events, portal.Event{Ticket: t.Number, Kind: portal.EventParticipantAdded, By: h.actor, About: c.ID, To: c.ShownName()})
		changes = append(changes, fact("participant", portal.AboutContact(c.ID)))
	}
	if p.Reopens {
		events = append(events, portal.Event{Ticket: t.Number, Kind: portal.EventReopened, By: h.actor})
	}
	if p.Confidential {
		events = append(events, portal.Event{Ticket: t.Number, Kind: portal.EventConfidential, By: h.actor, To: onOff(true)})
		changes = append(changes, Change{"confidential", onOff(false), onOff(true)})
	}
	for _, e := range events {
		if err := tx.AddEvent(ctx, &e); err != nil {
			return err
		}
	}
	if err := a.noteHand(ctx, tx, h, t.Number, changes...); err != nil {
		return err
	}
	for i := range p.Joins {
		if err := a.noticeParticipant(ctx, tx, t, &p.Joins[i]); err != nil {
			return err
		}
	}
	if p.Reopens {
		return a.assignReopened(ctx, tx, t, h.actor)
	}
	return nil
}

// leadsTo is the ticket that a merged one leads a viewer to; 0 when it leads
// nowhere they may go.
func leadsTo(ctx context.Context, tx *store.Tx, v *portal.Viewer, t *portal.Ticket) (portal.TicketNumber, error) {
	if t.MergedInto == 0 {
		return 0, nil
	}
	_, err := tx.TicketFor(ctx, v, t.MergedInto)
	if portal.KindOf(err) == portal.NotFound {
		return 0, nil
	}
	return t.MergedInto, err
}
