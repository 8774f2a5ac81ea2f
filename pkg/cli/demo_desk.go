package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

// desk does what the sample's agents and customers did with tickets beside
// writing: tags, promises, tickets laid aside, ratings.
func (d *demoData) desk(ctx context.Context, a *app.App, p *portal.Portal, now time.Time) error {
	for i := range d.Ticket {
		t := &d.Ticket[i]
		// The oldest, which stands last, was imported first.
		n := portal.FirstTicketNumber + portal.TicketNumber(len(d.Ticket)-1-i)
		agent, err := a.Agent(ctx, d.agent(t).Email)
		if err != nil {
			return err
		}
		if err := t.work(ctx, a, p, app.CommandHand(portal.ByAgent(agent.ID)), n, now); err != nil {
			return fmt.Errorf("ticket %q: %w", t.Subject, err)
		}
	}
	return nil
}

func (t *demoTicket) work(ctx context.Context, a *app.App, p *portal.Portal, h app.Hand, n portal.TicketNumber, now time.Time) error {
	for _, tag := range t.Tags {
		if _, err := a.TagTicket(ctx, h, n, tag, ""); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		after string
		do    func(context.Context, app.Hand, portal.TicketNumber, time.Time) (bool, error)
	}{{t.Promise, a.Promise}, {t.Snooze, a.Snooze}} {
		if step.after == "" {
			continue
		}
		after, err := demoAge(step.after)
		if err != nil {
			return err
		}
		if _, err := step.do(ctx, h, n, now.Add(after)); err != nil {
			return err
		}
	}
	if t.Stars == 0 {
		return nil
	}
	kept, err := a.ShowTicket(ctx, n, false)
	if err != nil {
		return err
	}
	path, err := a.RatingPath(p, kept.Ticket)
	if err != nil {
		return err
	}
	return a.Rate(ctx, &app.Visit{Portal: p}, strings.TrimPrefix(path, "/rate/"), strconv.Itoa(t.Stars), t.Said)
}
