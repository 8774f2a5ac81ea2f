package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// deskNews is something the desk hears of: the kind of mail that tells an
// agent, and the one that tells an inbox.
type deskNews struct{ agent, inbox store.MailKind }

var (
	newTicket  = deskNews{store.MailAgentTicket, store.MailDeskTicket}
	newMessage = deskNews{store.MailAgentMessage, store.MailDeskMessage}
)

// noticeDesk tells the desk of what a customer wrote: the agents who want to
// hear, and the inbox's address when it is set so, or when no agent was told.
func (a *App) noticeDesk(ctx context.Context, tx *store.Tx, news deskNews, t *portal.Ticket, m *portal.Message) error {
	inbox, err := tx.Inbox(ctx, t.InboxID)
	if err != nil {
		return err
	}
	told, toAddress := 0, inbox.Address != "" && inbox.Mail.Tell != portal.TellAgents
	if inbox.Mail.Tell != portal.TellAddress {
		agents, err := tx.Agents(ctx)
		if err != nil {
			return err
		}
		for i := range agents {
			if agent := &agents[i]; hears(agent, t) {
				kind := news.agent
				if news == newTicket && t.Assignee == agent.ID {
					kind = store.MailAgentAssigned // a rule gave it to them: one mail tells both
				}
				if err := a.tellAgent(ctx, tx, kind, agent, t, m.ID); err != nil {
					return err
				}
				told++
				// One mail is enough for who reads the inbox as their own.
				toAddress = toAddress && agent.Email != inbox.Address
			}
		}
	}
	if !toAddress || told > 0 && inbox.Mail.Tell == portal.TellAuto {
		return nil
	}
	return a.queueMail(ctx, tx, &store.Mail{
		Kind: news.inbox, Portal: t.PortalID, Inbox: inbox.ID,
		Recipient: inbox.Address, Ticket: t.Number, Message: m.ID,
	})
}

// hears reports whether an agent is told of what customers write in a ticket:
// those who want to hear of all they may see, and of the others whoever has
// the ticket, or everybody when nobody has it.
func hears(agent *portal.Agent, t *portal.Ticket) bool {
	if mute(agent, t) != "" {
		return false
	}
	return agent.Notify == portal.AgentNotifyAll || t.Assignee == 0 || t.Assignee == agent.ID
}

// mute says why an agent gets no mail about a ticket, or "".
func mute(agent *portal.Agent, t *portal.Ticket) string {
	viewer := portal.AgentViewer(agent)
	switch {
	case agent.Disabled:
		return "the agent is disabled"
	case agent.Notify == portal.AgentNotifyNone:
		return "the agent wants no mail about tickets"
	case !viewer.Sees(t).See:
		return "the agent may not see the ticket any more"
	}
	return ""
}

// tellAgent queues a mail about a ticket to an agent.
func (a *App) tellAgent(ctx context.Context, tx *store.Tx, kind store.MailKind, agent *portal.Agent, t *portal.Ticket, m portal.MessageID) error {
	return a.queueMail(ctx, tx, &store.Mail{
		Kind: kind, Agent: agent.ID, Recipient: agent.Email, Ticket: t.Number, Message: m, Notice: true,
	})
}

// noticeAgent tells an agent of something about a ticket that concerns them
// alone: that it is theirs now, that a note names them (m, then), that what they
// promised is due. What they did themselves they are not told.
func (a *App) noticeAgent(ctx context.Context, tx *store.Tx, kind store.MailKind, id portal.AgentID, t *portal.Ticket, m portal.MessageID, by portal.Actor) error {
	if id == 0 || id == by.Agent {
		return nil
	}
	agent, err := tx.Agent(ctx, id)
	if err != nil || mute(agent, t) != "" {
		return err
	}
	return a.tellAgent(ctx, tx, kind, agent, t, m)
}
