package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// EveryInbox is the word for all inboxes, those to come included.
const EveryInbox = "all"

// giveInboxes says which inboxes an agent sees, by their names, and returns
// what that changes.
func giveInboxes(ctx context.Context, tx *store.Tx, agent *portal.Agent, names []string) (*Change, error) {
	old, err := inboxNames(ctx, tx, agent)
	if err != nil {
		return nil, err
	}
	next := *agent
	next.EveryInbox, next.Inboxes = len(names) == 1 && strings.EqualFold(strings.TrimSpace(names[0]), EveryInbox), nil
	for _, name := range names {
		if next.EveryInbox {
			break
		}
		inbox, err := tx.InboxByName(ctx, strings.TrimSpace(name))
		if portal.KindOf(err) == portal.NotFound {
			return nil, portal.Invalidf("agent.inbox", "inbox", "there is no inbox %q", name).With("Name", name).
				WithHint("`portalctl inbox list` names them; \"all\" is every inbox")
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(next.Inboxes, inbox.ID) {
			next.Inboxes = append(next.Inboxes, inbox.ID)
		}
	}
	if !next.EveryInbox && len(next.Inboxes) == 0 {
		return nil, portal.Invalidf("agent.inboxes", "inbox", "no inbox is named; an agent without one sees no ticket").
			WithHint("name inboxes, or \"all\" for every one")
	}
	now, err := inboxNames(ctx, tx, &next)
	if err != nil || now == old {
		return nil, err
	}
	agent.EveryInbox, agent.Inboxes = next.EveryInbox, next.Inboxes
	return &Change{"inbox", old, now}, nil
}

// inboxNames are the inboxes an agent is given, as commands write them.
func inboxNames(ctx context.Context, tx *store.Tx, agent *portal.Agent) (string, error) {
	if agent.EveryInbox {
		return EveryInbox, nil
	}
	all, err := tx.Inboxes(ctx)
	var names []string
	for _, i := range all {
		if slices.Contains(agent.Inboxes, i.ID) {
			names = append(names, i.Name)
		}
	}
	return strings.Join(names, ", "), err
}

func (in *DeskSettings) apply(a *App, agent *portal.Agent) ([]Change, error) {
	var changes []Change
	var problems []error
	set := func(field string, to *string, typed *string, read func(string) (string, error)) {
		if typed == nil {
			return
		}
		next, err := read(*typed)
		switch {
		case err != nil:
			problems = append(problems, err)
		case next != *to:
			changes = append(changes, Change{field, *to, next})
			*to = next
		}
	}
	set("language", &agent.Language, in.Language, func(s string) (string, error) {
		code, err := a.language("language", s)
		return portal.SameLanguage(agent.Language, code), err
	})
	set("time-zone", &agent.TimeZone, in.TimeZone, func(s string) (string, error) {
		zone, err := zoneName("", s)
		var e *portal.Error
		if errors.As(err, &e) {
			e.Field = "time_zone" // as the page calls it
		}
		return zone, err
	})
	notify := string(agent.Notify)
	set("notify", &notify, in.Notify, func(s string) (string, error) {
		n, err := portal.ParseAgentNotify(s)
		return string(n), err
	})
	agent.Notify = portal.AgentNotify(notify)
	set("signature", &agent.Signature, in.Signature, func(s string) (string, error) {
		if strings.TrimSpace(s) == "" {
			return "", nil
		}
		s, err := portal.CleanBody("signature", s)
		if err == nil && len(s) > maxSignature {
			err = portal.Invalidf("agent.signature", "signature", "the signature is longer than %d bytes", maxSignature).With("Max", maxSignature)
		}
		return s, err
	})
	if in.Away != nil && *in.Away != agent.Away {
		changes = append(changes, Change{"away", yesNo(agent.Away), yesNo(*in.Away)})
		agent.Away = *in.Away
	}
	if in.Shortcuts != nil && *in.Shortcuts == agent.NoShortcuts {
		changes = append(changes, Change{"shortcuts", yesNo(!agent.NoShortcuts), yesNo(*in.Shortcuts)})
		agent.NoShortcuts = !*in.Shortcuts
	}
	return changes, errors.Join(problems...)
}

// maxSignature bounds what stands below every answer.
const maxSignature = 2000

// SaveDeskSettings changes how the visiting agent wants the help desk. It
// reports what became different.
func (a *App) SaveDeskSettings(ctx context.Context, v *Visit, in DeskSettings) (changes []Change, err error) {
	if v.Agent == nil {
		return nil, portal.NotFoundf("page.none", "there is no such page")
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		agent, err := tx.Agent(ctx, v.Agent.ID)
		if err != nil {
			return err
		}
		if changes, err = in.apply(a, agent); err != nil || len(changes) == 0 {
			return err
		}
		if err := tx.SaveAgent(ctx, agent); err != nil {
			return err
		}
		return a.noteVisit(ctx, tx, v, portal.AuditAgentChanged, portal.AboutAgent(agent.ID), changes...)
	})
	return changes, err
}
