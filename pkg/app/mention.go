package app

import (
	"context"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// mention notes whom a note names with @ and tells them. Somebody who may not
// see the ticket is refused, or the note would call for them in vain; in a
// note that came by mail, which cannot ask back, the name stays a name.
func (a *App) mention(ctx context.Context, tx *store.Tx, t *portal.Ticket, m *portal.Message) error {
	if !strings.Contains(m.Body, "@") {
		return nil
	}
	agents, err := tx.Agents(ctx)
	if err != nil {
		return err
	}
	byMail := m.Via == portal.ByMail
	agents = slices.DeleteFunc(agents, func(g portal.Agent) bool { return g.Disabled || byMail && !seesTicket(&g, t) })
	named, err := portal.FindMentions(m.Body, agents)
	if err != nil {
		if byMail {
			return nil
		}
		return err
	}
	for _, id := range named {
		agent := &agents[slices.IndexFunc(agents, func(g portal.Agent) bool { return g.ID == id })]
		if !seesTicket(agent, t) {
			return portal.Invalidf("mention.no_access", "body", "%s may not see tickets of the inbox %s, and would not find what you call them to", agent.Name, t.InboxName).
				With("Name", agent.Name).With("Inbox", t.InboxName).WithHint("leave out the @, or move the ticket to an inbox they have")
		}
		if id == m.Agent {
			continue
		}
		if err := tx.AddMention(ctx, id, m); err != nil {
			return err
		}
		if err := a.noticeAgent(ctx, tx, store.MailAgentMention, id, t, m.ID, portal.ByAgent(m.Agent)); err != nil {
			return err
		}
	}
	return nil
}

func seesTicket(agent *portal.Agent, t *portal.Ticket) bool {
	viewer := portal.AgentViewer(agent)
	return viewer.Sees(t).See
}
