package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Assign gives a ticket to an agent who may see it (0: nobody); it reports
// whether that is new. The agent is told, unless they took it themselves.
func (a *App) Assign(ctx context.Context, h Hand, n portal.TicketNumber, to portal.AgentID) (changed bool, err error) {
	err = a.work(ctx, h, n, func(tx *store.Tx, t *portal.Ticket) error {
		if t.Assignee == to {
			return nil
		}
		e := portal.Event{Kind: portal.EventAssigned, By: h.actor, From: t.AssigneeName}
		if to != 0 {
			agent, err := assignable(ctx, tx, t, to)
			if err != nil {
				return err
			}
			e.To = agent.Name
		}
		t.Assignee, changed = to, true
		if err := saveWithEvent(ctx, tx, t, e); err != nil {
			return err
		}
		return a.noticeAgent(ctx, tx, store.MailAgentAssigned, to, t, 0, h.actor)
	})
	return changed && err == nil, err
}

// AssignTicket is Assign from a command, by the operator or in an agent's
// name.
func (a *App) AssignTicket(ctx context.Context, by portal.Actor, n portal.TicketNumber, to portal.AgentID) (bool, error) {
	return a.Assign(ctx, CommandHand(by), n, to)
}

// assignable returns an agent who may be given the ticket.
func assignable(ctx context.Context, tx *store.Tx, t *portal.Ticket, to portal.AgentID) (*portal.Agent, error) {
	agent, err := tx.Agent(ctx, to)
	if err != nil {
		return nil, err
	}
	viewer := portal.AgentViewer(agent)
	switch {
	case agent.Disabled:
		return nil, portal.Conflictf("agent.disabled", "the agent %s is disabled", agent.Email)
	case !viewer.Sees(t).See:
		return nil, portal.Conflictf("agent.not_their_inbox", "%s does not see the inbox %s", agent.Name, t.InboxName).
			With("Agent", agent.Name).With("Inbox", t.InboxName)
	}
	return agent, nil
}

// agentByRule is who gets a ticket that nobody has, as its inbox says; nil:
// nobody. It is the next one's turn after that, so call it only in the
// transaction that gives them the ticket.
func agentByRule(ctx context.Context, tx *store.Tx, t *portal.Ticket, s *portal.DeskSettings) (*portal.Agent, error) {
	agent, err := agentOfCompany(ctx, tx, t, s)
	if err != nil {
		return nil, err
	}
	if agent == nil && s.Assign != portal.AssignNone {
		if agent, err = tx.NextAgent(ctx, t.InboxID, s.Assign); err != nil {
			return nil, err
		}
	}
	if agent == nil {
		return nil, nil
	}
	return agent, tx.Deal(ctx, agent.ID)
}

// agentOfCompany is who gets the tickets of the ticket's company, unless they
// are away, disabled, or do not see the inbox.
func agentOfCompany(ctx context.Context, tx *store.Tx, t *portal.Ticket, s *portal.DeskSettings) (*portal.Agent, error) {
	id := s.AssignCompany[t.Company]
	if t.Company == 0 || id == 0 {
		return nil, nil
	}
	return tx.AgentInTurn(ctx, t.InboxID, id)
}

// assignReopened gives a ticket that was opened again, and that nobody has, to
// an agent as the inbox's rule says.
func (a *App) assignReopened(ctx context.Context, tx *store.Tx, t *portal.Ticket, by portal.Actor) error {
	if t.Assignee != 0 || by.Agent != 0 {
		return nil
	}
	rules, err := deskRulesOf(ctx, tx, t.InboxID)
	if err != nil {
		return err
	}
	agent, err := agentByRule(ctx, tx, t, rules.DeskSettings)
	if err != nil || agent == nil {
		return err
	}
	t.Assignee = agent.ID
	if err := assignedByRule(ctx, tx, t, agent); err != nil {
		return err
	}
	return a.noticeAgent(ctx, tx, store.MailAgentAssigned, agent.ID, t, 0, by)
}

// assignedByRule writes down that a rule gave a ticket to an agent.
func assignedByRule(ctx context.Context, tx *store.Tx, t *portal.Ticket, agent *portal.Agent) error {
	return saveWithEvent(ctx, tx, t, portal.Event{Kind: portal.EventAssigned, To: agent.Name})
}
