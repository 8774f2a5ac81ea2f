package app

import (
	"context"
	"slices"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Split moves a public message and everything after it into a new ticket,
// which is linked to the old one. subject is the new ticket's; "": the old
// one's. The same people see both: the parties, the company, the inbox and the
// confidential mark stay as they are. Whoever wrote the message becomes the
// requester, if they are a party of the ticket.
func (a *App) Split(ctx context.Context, h Hand, n portal.TicketNumber, first portal.MessageID, subject string) (number portal.TicketNumber, err error) {
	if subject != "" {
		if subject, err = requiredLine("subject", subject); err != nil {
			return 0, err
		}
	}
	err = a.work(ctx, h, n, func(tx *store.Tx, t *portal.Ticket) error {
		number, err = a.splitIn(ctx, tx, h, t, first, subject)
		return err
	})
	return number, err
}

func (a *App) splitIn(ctx context.Context, tx *store.Tx, h Hand, t *portal.Ticket, first portal.MessageID, subject string) (portal.TicketNumber, error) {
	messages, err := tx.Messages(ctx, t, true)
	if err != nil {
		return 0, err
	}
	at := slices.IndexFunc(messages, func(m portal.Message) bool { return m.ID == first })
	if at < 0 || messages[at].Kind != portal.Public {
		return 0, portal.NotFoundf("ticket.split_message", "ticket %s has no public message %d to split it at", t.Number, first).With("Number", t.Number.String())
	}
	stays, goes := messages[:at], messages[at:]
	if !slices.ContainsFunc(stays, func(m portal.Message) bool { return m.Kind == portal.Public }) {
		return 0, portal.Conflictf("ticket.split_first", "nothing would stay in ticket %s; split it at a later message", t.Number).With("Number", t.Number.String())
	}
	k := splitOff(t, goes)
	if subject != "" {
		k.Subject = subject
	}
	if requester, err := tx.Contact(ctx, t.Requester); err != nil {
		return 0, err
	} else if requester.Erased() {
		k.Participants = slices.DeleteFunc(k.Participants, func(id portal.ContactID) bool { return id == requester.ID })
	}
	rules, err := deskRulesOf(ctx, tx, k.InboxID)
	if err != nil {
		return 0, err
	}
	k.StartClock(k.CreatedAt, rules.DeskSettings, rules.calendar)
	if err := tx.AddTicket(ctx, k); err != nil {
		return 0, err
	}
	if _, err := tx.MoveMessages(ctx, t, k, first); err != nil {
		return 0, err
	}
	if t.Status != portal.Closed {
		t.Follow(lastPublic(stays), tx.Now)
	}
	if err := saveTicket(ctx, tx, t); err != nil {
		return 0, err
	}
	if err := tx.SaveTicket(ctx, k); err != nil {
		return 0, err
	}
	return k.Number, finishSplit(ctx, tx, h, t, k, goes[0].At)
}

// splitOff is the ticket that some of a ticket's messages become.
func splitOff(t *portal.Ticket, goes []portal.Message) *portal.Ticket {
	first := goes[0]
	k := &portal.Ticket{
		Subject: t.Subject, Status: portal.New, Priority: t.Priority, Category: t.Category, Requester: t.Requester, Company: t.Company,
		InboxID: t.InboxID, PortalID: t.PortalID, Assignee: t.Assignee, Confidential: t.Confidential, Via: portal.ViaDesk,
		Fields: map[string]string{}, CreatedAt: first.At, UpdatedAt: t.UpdatedAt, StatusAt: first.At,
	}
	if t.Party(first.Contact) {
		k.Requester = first.Contact
	}
	for _, id := range append([]portal.ContactID{t.Requester}, t.Participants...) {
		if id != k.Requester {
			k.Participants = append(k.Participants, id)
		}
	}
	for _, m := range goes {
		if m.Kind == portal.Public && m.Agent != 0 && k.AnsweredAt.IsZero() {
			k.AnsweredAt = m.At
		}
	}
	last := lastPublic(goes)
	k.Follow(last, last.At)
	return k
}

// lastPublic is the newest public message of some that have one.
func lastPublic(messages []portal.Message) *portal.Message {
	for i := len(messages) - 1; ; i-- {
		if messages[i].Kind == portal.Public {
			return &messages[i]
		}
	}
}

// finishSplit writes down where the new ticket came from. It counts as opened
// by its requester, whose words it holds.
func finishSplit(ctx context.Context, tx *store.Tx, h Hand, t, k *portal.Ticket, wrote time.Time) error {
	for _, e := range []portal.Event{
		{Ticket: k.Number, Kind: portal.EventCreated, By: portal.ByContact(k.Requester), At: wrote},
		{Ticket: k.Number, Kind: portal.EventSplit, By: h.actor, From: t.Number.String()},
		{Ticket: t.Number, Kind: portal.EventSplit, By: h.actor, To: k.Number.String()},
	} {
		if err := tx.AddEvent(ctx, &e); err != nil {
			return err
		}
	}
	if err := tx.CopyReadMarks(ctx, t.Number, k.Number); err != nil {
		return err
	}
	if err := tx.MoveTags(ctx, t.Number, k.Number); err != nil {
		return err
	}
	return tx.SetLink(ctx, k.Number, t.Number, portal.LinkRelated)
}
