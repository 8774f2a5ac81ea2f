package app

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// TicketPatch is what is to become different of a ticket. Nil stays as it is.
type TicketPatch struct {
	Subject, Category *string
	Priority          *portal.Priority
	Inbox             *portal.InboxID
	Confidential      *bool
	// Fields are custom fields by key; an empty value removes one. Those of the
	// portal's form are checked as the form does.
	Fields map[string]string
}

// SetTicket changes a ticket and returns what became different. All that is
// wrong comes at once, and nothing is changed then.
func (a *App) SetTicket(ctx context.Context, h Hand, n portal.TicketNumber, p TicketPatch) (changes []Change, err error) {
	err = a.work(ctx, h, n, func(tx *store.Tx, t *portal.Ticket) error {
		changes, err = a.patch(ctx, tx, h, t, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return changes, nil
}

func (a *App) patch(ctx context.Context, tx *store.Tx, h Hand, t *portal.Ticket, p TicketPatch) (changes []Change, err error) {
	var problems []error
	var events []portal.Event
	note := func(kind portal.EventKind, field, from, to string) {
		changes = append(changes, Change{field, from, to})
		events = append(events, portal.Event{Kind: kind, From: from, To: to})
	}
	if p.Subject != nil {
		subject, err := requiredLine("subject", *p.Subject)
		if problems = append(problems, err); err == nil && subject != t.Subject {
			// The words are not repeated in the history: they may be the customer's.
			changes = append(changes, Change{"subject", t.Subject, subject})
			events = append(events, portal.Event{Kind: portal.EventSubject})
			t.Subject = subject
		}
	}
	if p.Priority != nil && *p.Priority != t.Priority {
		note(portal.EventPriority, "priority", string(t.Priority), string(*p.Priority))
		t.Priority = *p.Priority
	}
	if p.Category != nil {
		category, err := line("category", *p.Category)
		if problems = append(problems, err); err == nil && category != t.Category {
			note(portal.EventCategory, "category", t.Category, category)
			t.Category = category
		}
	}
	fields, err := patchFields(ctx, tx, t, p.Fields)
	problems = append(problems, err)
	for _, c := range fields {
		changes = append(changes, c)
		events = append(events, portal.Event{Kind: portal.EventField, To: c.Field})
	}
	if p.Inbox != nil && *p.Inbox != t.InboxID {
		from, to, err := moveInbox(ctx, tx, h, t, *p.Inbox)
		if problems = append(problems, err); err == nil {
			note(portal.EventMoved, "inbox", from, to)
		}
	}
	if p.Confidential != nil && *p.Confidential != t.Confidential {
		note(portal.EventConfidential, "confidential", onOff(t.Confidential), onOff(*p.Confidential))
		t.Confidential = *p.Confidential
	}
	if err := errors.Join(problems...); err != nil || len(changes) == 0 {
		return nil, err
	}
	if slices.ContainsFunc(changes, func(c Change) bool { return c.Field == "priority" || c.Field == "inbox" }) {
		if err := setDue(ctx, tx, t); err != nil {
			return nil, err
		}
	}
	if err := tx.SaveTicket(ctx, t); err != nil {
		return nil, err
	}
	for _, e := range events {
		e.Ticket, e.By = t.Number, h.actor
		if err := tx.AddEvent(ctx, &e); err != nil {
			return nil, err
		}
	}
	// Who sees the ticket is another matter than what it says.
	sight := slices.DeleteFunc(slices.Clone(changes), func(c Change) bool { return c.Field != "inbox" && c.Field != "confidential" })
	if len(sight) == 0 {
		return changes, nil
	}
	return changes, a.noteHand(ctx, tx, h, t.Number, sight...)
}

// patchFields sets custom fields of a ticket.
func patchFields(ctx context.Context, tx *store.Tx, t *portal.Ticket, set map[string]string) (changes []Change, err error) {
	if len(set) == 0 {
		return nil, nil
	}
	known, err := fieldsOf(ctx, tx, t)
	if err != nil {
		return nil, err
	}
	next := maps.Clone(t.Fields)
	if next == nil {
		next = map[string]string{}
	}
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(set)) {
		value, err := fieldValue(known, t, key, set[key])
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if next[key] == value {
			continue
		}
		changes = append(changes, Change{key, next[key], value})
		if next[key] = value; value == "" {
			delete(next, key)
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	t.Fields = next
	return changes, nil
}

// fieldsOf are the fields of the form the ticket's portal has.
func fieldsOf(ctx context.Context, tx *store.Tx, t *portal.Ticket) ([]portal.TicketField, error) {
	if t.PortalID == 0 {
		return nil, nil
	}
	p, err := tx.Portal(ctx, t.PortalID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(p.Tickets.Fields), func(f portal.TicketField) bool { return f.Key == "priority" || f.Key == "category" }), nil
}

// fieldValue checks what a field is to hold. One that the form has not, such
// as an imported one, can be changed where the ticket has it.
func fieldValue(known []portal.TicketField, t *portal.Ticket, key, value string) (string, error) {
	for _, f := range known {
		if f.Key == key {
			f.Required = false // the desk may know less than the form asks for
			return f.Check(value)
		}
	}
	if _, there := t.Fields[key]; !there || key == fieldFollows {
		var keys []string
		for _, f := range known {
			keys = append(keys, f.Key)
		}
		return "", portal.Invalidf("ticket.field", "field_"+key, "the ticket has no field %q", key).WithHint("its fields are: %s", orNone(keys))
	}
	return line("field_"+key, value)
}

// moveInbox moves a ticket to another inbox. An agent moves it only where they
// see it themselves. Whoever has it and does not see it there has it no more.
func moveInbox(ctx context.Context, tx *store.Tx, h Hand, t *portal.Ticket, to portal.InboxID) (was, is string, err error) {
	inbox, err := tx.Inbox(ctx, to)
	if err != nil {
		return "", "", err
	}
	viewer, err := h.viewer(ctx, tx)
	if err != nil {
		return "", "", err
	}
	was, t.InboxID, t.InboxName = t.InboxName, inbox.ID, inbox.Name
	if !viewer.Sees(t).See {
		// The same answer as for an inbox that does not exist.
		return "", "", portal.NotFoundf("inbox.none", "there is no such inbox")
	}
	if t.Assignee == 0 {
		return was, inbox.Name, nil
	}
	agent, err := tx.Agent(ctx, t.Assignee)
	if err != nil {
		return "", "", err
	}
	if has := portal.AgentViewer(agent); !has.Sees(t).See {
		t.Assignee = 0
		return was, inbox.Name, tx.AddEvent(ctx, &portal.Event{Ticket: t.Number, Kind: portal.EventAssigned, By: h.actor, From: agent.Name})
	}
	return was, inbox.Name, nil
}
