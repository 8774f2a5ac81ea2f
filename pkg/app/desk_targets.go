package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// deskRules are the settings of an inbox's desk, ready to reckon with.
type deskRules struct {
	*portal.DeskSettings
	calendar *portal.Calendar
}

func deskRulesOf(ctx context.Context, tx *store.Tx, id portal.InboxID) (*deskRules, error) {
	inbox, err := tx.Inbox(ctx, id)
	if err != nil {
		return nil, err
	}
	c, err := inbox.Desk.Hours.Calendar()
	return &deskRules{&inbox.Desk, c}, err
}

// saveTicket writes a changed ticket. Where what happened to it moved its
// clock, it is due at other times.
func saveTicket(ctx context.Context, tx *store.Tx, t *portal.Ticket) error {
	if t.ClockMoved() {
		if err := setDue(ctx, tx, t); err != nil {
			return err
		}
	}
	return tx.SaveTicket(ctx, t)
}

// setDue works out anew when a ticket is due, as its inbox says.
func setDue(ctx context.Context, tx *store.Tx, t *portal.Ticket) error {
	rules, err := deskRulesOf(ctx, tx, t.InboxID)
	if err != nil {
		return err
	}
	t.SetDue(rules.DeskSettings, rules.calendar)
	return nil
}

// begin starts the targets of a new ticket and finds who gets it by rule; nil:
// nobody.
func begin(ctx context.Context, tx *store.Tx, t *portal.Ticket) (*portal.Agent, error) {
	rules, err := deskRulesOf(ctx, tx, t.InboxID)
	if err != nil {
		return nil, err
	}
	t.StartClock(t.CreatedAt, rules.DeskSettings, rules.calendar)
	if t.Assignee != 0 {
		return nil, nil
	}
	agent, err := agentByRule(ctx, tx, t, rules.DeskSettings)
	if agent != nil {
		t.Assignee = agent.ID
	}
	return agent, err
}
