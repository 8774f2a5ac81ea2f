package app

import (
	"context"
	"maps"
	"slices"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Properties are what is known of a ticket beside its conversation, with what
// an agent may choose from to change it.
type Properties struct {
	Ticket          *portal.Ticket
	Turn            portal.Turn
	Answer, Resolve portal.Clock
	Snoozed         bool
	Tags            []string
	Links           []portal.Link
	Merged          []MergedTicket // into this one
	LeadsTo         portal.TicketNumber

	KnownTags  []string
	Agents     []portal.Agent // who may have it, by name
	Inboxes    []portal.Inbox // that the agent sees, by name
	Categories []string       // of the portal's form; none: any text
	Fields     []FieldValue
}

// MergedTicket is a ticket that was merged into another.
type MergedTicket = store.MergedTicket

// FieldValue is a custom field with what a ticket holds in it. One that the
// portal's form has not any more is text.
type FieldValue struct {
	portal.TicketField
	Value string
}

// Properties returns what the desk knows of a ticket the hand reaches.
func (a *App) Properties(ctx context.Context, h Hand, n portal.TicketNumber) (p *Properties, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		t, err := h.see(ctx, tx, n)
		if err != nil {
			return err
		}
		v, err := h.viewer(ctx, tx)
		if err != nil {
			return err
		}
		p = &Properties{Ticket: t, Turn: t.Turn(tx.Now), Snoozed: t.SnoozedAt(tx.Now)}
		if err := p.read(ctx, tx, &v); err != nil {
			return err
		}
		return p.choices(ctx, tx, &v)
	})
	return p, err
}

// read fills in what is known.
func (p *Properties) read(ctx context.Context, tx *store.Tx, v *portal.Viewer) error {
	t := p.Ticket
	rules, err := deskRulesOf(ctx, tx, t.InboxID)
	if err != nil {
		return err
	}
	p.Answer = t.AnswerClock(tx.Now, rules.DeskSettings, rules.calendar)
	p.Resolve = t.ResolveClock(tx.Now, rules.DeskSettings, rules.calendar)
	if p.Tags, err = tx.Tags(ctx, t.Number); err != nil {
		return err
	}
	if p.Links, err = tx.Links(ctx, v, t.Number); err != nil {
		return err
	}
	if p.Merged, err = tx.Merged(ctx, v, t.Number); err != nil {
		return err
	}
	p.LeadsTo, err = leadsTo(ctx, tx, v, t)
	return err
}

// choices fills in what there is to choose from.
func (p *Properties) choices(ctx context.Context, tx *store.Tx, v *portal.Viewer) (err error) {
	if p.KnownTags, err = tx.KnownTags(ctx, v, mostKnownTags); err != nil {
		return err
	}
	p.KnownTags = slices.DeleteFunc(p.KnownTags, func(tag string) bool { return slices.Contains(p.Tags, tag) })
	if p.Agents, err = tx.AgentsOfInbox(ctx, p.Ticket.InboxID); err != nil {
		return err
	}
	if p.Inboxes, err = tx.Inboxes(ctx); err != nil {
		return err
	}
	if v.Limited {
		p.Inboxes = slices.DeleteFunc(p.Inboxes, func(i portal.Inbox) bool { return !slices.Contains(v.Inboxes, i.ID) })
	}
	return p.fields(ctx, tx)
}

func (p *Properties) fields(ctx context.Context, tx *store.Tx) error {
	t := p.Ticket
	known, err := fieldsOf(ctx, tx, t)
	if err != nil {
		return err
	}
	left := maps.Clone(t.Fields)
	for _, f := range known {
		p.Fields = append(p.Fields, FieldValue{f, t.Fields[f.Key]})
		delete(left, f.Key)
	}
	for _, key := range slices.Sorted(maps.Keys(left)) {
		if key != fieldFollows {
			p.Fields = append(p.Fields, FieldValue{portal.TicketField{Key: key, Label: key, Type: portal.FieldText}, left[key]})
		}
	}
	if t.PortalID == 0 {
		return nil
	}
	home, err := tx.Portal(ctx, t.PortalID)
	if err != nil {
		return err
	}
	for _, f := range home.Tickets.Fields {
		if f.Key == "category" {
			p.Categories = f.Options
		}
	}
	return nil
}

// SplitChoices returns the public messages at which a ticket can be split,
// oldest first: all but the first.
func (a *App) SplitChoices(ctx context.Context, h Hand, n portal.TicketNumber) (t *portal.Ticket, messages []portal.Message, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		if t, err = h.ticket(ctx, tx, n); err != nil {
			return err
		}
		if messages, err = tx.Messages(ctx, t, false); len(messages) > 0 {
			messages = messages[1:]
		}
		return err
	})
	return t, messages, err
}
