package app

import (
	"context"
	"errors"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// AgentInput is what a command says about an agent. What is nil stays as it
// is.
type AgentInput struct {
	Email, Name, Role *string
	Disabled          *bool
	SecondFactor      *portal.FactorRule
	// Inboxes are the names of those the agent sees; the word all alone is
	// every inbox.
	Inboxes *[]string
	DeskSettings
}

// DeskSettings are how an agent wants the help desk and its mail. What is nil
// stays as it is.
type DeskSettings struct {
	Language, TimeZone, Notify, Signature *string
	Away, Shortcuts                       *bool
}

// Agents lists all agents, by name.
func (a *App) Agents(ctx context.Context) (list []portal.Agent, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.Agents(ctx)
		return err
	})
	return list, err
}

// Agent finds an agent by e-mail address.
func (a *App) Agent(ctx context.Context, address string) (agent *portal.Agent, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		agent, err = agentWith(ctx, tx, "email", address)
		return err
	})
	return agent, err
}

func agentWith(ctx context.Context, tx *store.Tx, field, address string) (*portal.Agent, error) {
	address, err := email(field, address)
	if err != nil {
		return nil, err
	}
	agent, err := tx.AgentByEmail(ctx, address)
	if portal.KindOf(err) == portal.NotFound {
		return nil, portal.NotFoundf("agent.none", "there is no agent %s", address).
			WithHint("`portalctl agents list` names them; add one with `portalctl agents add`")
	}
	return agent, err
}

// ActingAgent is the agent a command speaks as: the one named, or the only
// one there is.
func (a *App) ActingAgent(ctx context.Context, address string) (agent *portal.Agent, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		agent, err = actingAgent(ctx, tx, address)
		return err
	})
	return agent, err
}

func actingAgent(ctx context.Context, tx *store.Tx, address string) (*portal.Agent, error) {
	if strings.TrimSpace(address) != "" {
		agent, err := agentWith(ctx, tx, "as", address)
		if err == nil && agent.Disabled {
			return nil, portal.Conflictf("agent.disabled", "the agent %s is disabled", agent.Email).
				WithHint("enable them with `portalctl agents set %s --enable`", agent.Email)
		}
		return agent, err
	}
	list, err := tx.Agents(ctx)
	if err != nil {
		return nil, err
	}
	var only *portal.Agent
	for i := range list {
		switch {
		case list[i].Disabled:
		case only != nil:
			return nil, portal.Invalidf("agent.which", "as", "there are several agents; say who writes").
				WithHint("pass --as with an agent's address; `portalctl agents list` names them")
		default:
			only = &list[i]
		}
	}
	if only == nil {
		return nil, portal.Conflictf("agent.none", "there is no agent to write as").
			WithHint("add one with `portalctl agents add`")
	}
	return only, nil
}

// AddAgent adds an agent. One who is there already and has all that is said
// is left alone: added is false.
func (a *App) AddAgent(ctx context.Context, in AgentInput) (agent *portal.Agent, added bool, err error) {
	if in.Email == nil || in.Name == nil {
		return nil, false, portal.Invalidf("field.required", "email", "email and name are needed")
	}
	address, err := email("email", *in.Email)
	if err != nil {
		return nil, false, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		agent, err = tx.AgentByEmail(ctx, address)
		known := err == nil
		if portal.KindOf(err) == portal.NotFound {
			agent, err = &portal.Agent{Email: address, Role: portal.RoleAgent, EveryInbox: true, Notify: portal.AgentNotifyMine}, nil
		}
		if err != nil {
			return err
		}
		changes, err := in.apply(ctx, a, tx, agent)
		if err != nil {
			return err
		}
		if known {
			if len(changes) > 0 {
				return portal.Conflictf("agent.exists", "the agent %s is there already, with another %s", address, changes[0].Field).
					WithHint("change it with `portalctl agents set %s`", address)
			}
			return nil
		}
		added = true
		if err := tx.AddAgent(ctx, agent); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditAgentAdded, 0, portal.AboutAgent(agent.ID), agentFacts(agent)...)
	})
	return agent, added && err == nil, err
}

// SetAgent changes an agent. Disabling, a new address and a new role end the
// agent's sessions and links at once.
func (a *App) SetAgent(ctx context.Context, address string, in AgentInput) (agent *portal.Agent, changes []Change, ended int, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		ended = 0
		if agent, err = agentWith(ctx, tx, "email", address); err != nil {
			return err
		}
		old := *agent
		if changes, err = in.apply(ctx, a, tx, agent); err != nil || len(changes) == 0 {
			return err
		}
		if err := tx.SaveAgent(ctx, agent); err != nil {
			return err
		}
		if err := a.note(ctx, tx, portal.AuditAgentChanged, 0, portal.AboutAgent(agent.ID), changes...); err != nil {
			return err
		}
		if old.Disabled == agent.Disabled && old.Email == agent.Email && old.Role == agent.Role {
			return nil
		}
		if ended, err = tx.EndSessions(ctx, 0, agent.ID, 0, "the agent was changed"); err != nil {
			return err
		}
		return tx.EndTokens(ctx, 0, agent.ID, "")
	})
	return agent, changes, ended, err
}

func (in *AgentInput) apply(ctx context.Context, a *App, tx *store.Tx, agent *portal.Agent) ([]Change, error) {
	var changes []Change
	var problems []error
	set := func(field string, to *string, typed *string, read func(field, s string) (string, error)) {
		if typed == nil {
			return
		}
		next, err := read(field, *typed)
		switch {
		case err != nil:
			problems = append(problems, err)
		case next != *to:
			changes = append(changes, Change{field, *to, next})
			*to = next
		}
	}
	set("email", &agent.Email, in.Email, email)
	set("name", &agent.Name, in.Name, requiredLine)
	role := string(agent.Role)
	set("role", &role, in.Role, func(_, s string) (string, error) {
		r, err := portal.ParseAgentRole(s)
		return string(r), err
	})
	agent.Role = portal.AgentRole(role)
	if in.Disabled != nil && *in.Disabled != agent.Disabled {
		changes = append(changes, Change{"disabled", yesNo(agent.Disabled), yesNo(*in.Disabled)})
		agent.Disabled = *in.Disabled
	}
	if in.SecondFactor != nil {
		must := *in.SecondFactor == portal.FactorRequired
		if must != agent.MustFactor {
			changes = append(changes, Change{"second-factor", string(FactorOf(agent)), string(*in.SecondFactor)})
		}
		agent.MustFactor = must
	}
	if in.Inboxes != nil {
		change, err := giveInboxes(ctx, tx, agent, *in.Inboxes)
		if problems = append(problems, err); change != nil {
			changes = append(changes, *change)
		}
	}
	more, err := in.DeskSettings.apply(a, agent)
	return append(changes, more...), errors.Join(append(problems, err)...)
}

// FactorOf is whether a second factor is demanded of an agent.
func FactorOf(agent *portal.Agent) portal.FactorRule {
	if agent.MustFactor {
		return portal.FactorRequired
	}
	return portal.FactorOptional
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// SetAgentsFactor says of every agent whether a second factor is demanded of
// them, and returns those for whom that is new. It holds at the next request
// of who is signed in.
func (a *App) SetAgentsFactor(ctx context.Context, rule portal.FactorRule) (changed []portal.Agent, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		changed = nil
		list, err := tx.Agents(ctx)
		if err != nil {
			return err
		}
		for i := range list {
			old := FactorOf(&list[i])
			if old == rule {
				continue
			}
			list[i].MustFactor = rule == portal.FactorRequired
			if err := tx.SaveAgent(ctx, &list[i]); err != nil {
				return err
			}
			note := Change{"second-factor", string(old), string(rule)}
			if err := a.note(ctx, tx, portal.AuditAgentChanged, 0, portal.AboutAgent(list[i].ID), note); err != nil {
				return err
			}
			changed = append(changed, list[i])
		}
		return nil
	})
	return changed, err
}

// RemoveAgent removes an agent who wrote nothing and has no ticket; sessions
// and links go too.
func (a *App) RemoveAgent(ctx context.Context, address string) (agent *portal.Agent, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if agent, err = agentWith(ctx, tx, "email", address); err != nil {
			return err
		}
		err := tx.RemoveAgent(ctx, agent.ID)
		if portal.KindOf(err) == portal.Conflict {
			return portal.Conflictf("agent.in_use", "%s has written messages or has tickets, which would lose their agent", agent.Email).
				WithHint("`portalctl agents set %s --disable` keeps them out and the tickets whole", agent.Email)
		}
		if err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditAgentRemoved, 0, portal.AboutAgent(agent.ID), Change{Field: "email", From: agent.Email})
	})
	return agent, err
}
