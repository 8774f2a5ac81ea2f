package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Check looks at one thing that has to be right before customers come.
type Check struct {
	Area  string // what it belongs to: store, clock, dns, reach, mail, server, access
	About string // what it looks at
	// Look says what it found: one finding at least, none of them only when
	// there was nothing to look at. It gives up when ctx ends.
	Look func(ctx context.Context) []portal.Finding
}

// Checked is what a check came upon.
type Checked struct {
	Area string `json:"area"`
	portal.Finding
}

// Examine runs checks side by side, each for so long at most, and returns what
// they found in the order of the checks. It returns as soon as ctx ends.
func Examine(ctx context.Context, checks []Check, limit time.Duration) ([]Checked, error) {
	found := make([][]portal.Finding, len(checks))
	var work sync.WaitGroup
	for i, c := range checks {
		work.Go(func() { found[i] = c.within(ctx, limit) })
	}
	work.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var all []Checked
	for i, list := range found {
		for _, f := range list {
			all = append(all, Checked{checks[i].Area, f})
		}
	}
	return all, nil
}

// within runs the check and leaves it behind when it takes too long: what it
// waits for may not know that it is to give up.
func (c *Check) within(ctx context.Context, limit time.Duration) []portal.Finding {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan []portal.Finding, 1)
	go func() { done <- c.look(ctx) }()
	select {
	case found := <-done:
		return found
	case <-ctx.Done():
	}
	// It may have noticed by itself, and know more.
	grace := time.NewTimer(200 * time.Millisecond)
	defer grace.Stop()
	select {
	case found := <-done:
		return found
	case <-grace.C:
	}
	return []portal.Finding{fails(c.Area+".time", c.About, fmt.Sprintf("no answer within %v", limit), "an answer", "try again, with more time: --timeout")}
}

func (c *Check) look(ctx context.Context) (found []portal.Finding) {
	defer func() {
		if r := recover(); r != nil {
			found = []portal.Finding{fails(c.Area+".error", c.About, fmt.Sprintf("the check itself failed: %v", r), "", "report it")}
		}
	}()
	return c.Look(ctx)
}

// Passed reports whether nothing fails, or under strict rules warns.
func Passed(all []Checked, strict bool) bool {
	for _, c := range all {
		if c.Severity == portal.SeverityFail || strict && c.Severity == portal.SeverityWarn {
			return false
		}
	}
	return true
}

func holds(code, about, found string) portal.Finding {
	return portal.Finding{Code: code, Severity: portal.SeverityOK, About: about, Found: found}
}

func warns(code, about, found, wanted, todo string) portal.Finding {
	return portal.Finding{Code: code, Severity: portal.SeverityWarn, About: about, Found: found, Wanted: wanted, Todo: todo}
}

func fails(code, about, found, wanted, todo string) portal.Finding {
	return portal.Finding{Code: code, Severity: portal.SeverityFail, About: about, Found: found, Wanted: wanted, Todo: todo}
}

// cannot is a check that could not look.
func cannot(code, about string, err error) []portal.Finding {
	return []portal.Finding{fails(code, about, oneLine(err.Error()), "", hintOf(err))}
}

func hintOf(err error) string {
	var e *portal.Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// DoctorOptions are what the checks have to know of the world.
type DoctorOptions struct {
	Reach  ReachOptions
	Sender SenderFacts
	// Clocks are addresses this server talks to anyway, which tell the time.
	Clocks []string
}

// Checks are the checks of everything the store knows of.
func (a *App) Checks(ctx context.Context, o DoctorOptions) ([]Check, error) {
	s, err := a.Status(ctx, false)
	if err != nil {
		return nil, err
	}
	var serve *ServeFacts
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		serve, err = readServe(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	checks := a.storeChecks()
	checks = append(checks, a.clockChecks(o)...)
	checks = append(checks, serveChecks(serve, s)...)
	checks = append(checks, a.domainChecks(s)...)
	checks = append(checks, a.reachChecks(s, o.Reach)...)
	checks = append(checks, a.senderChecks(s, o.Sender)...)
	return append(checks, accessChecks(s)...), nil
}

// Placed puts further checks behind those of the same area, the areas in their
// order.
func Placed(all, further []Check) []Check {
	for _, c := range further {
		at := len(all)
		for i, other := range all {
			if other.Area == c.Area {
				at = i + 1
			}
		}
		all = slices.Insert(all, at, c)
	}
	return all
}

// plainly joins what was found to one line.
func plainly(parts ...string) string { return strings.Join(parts, ", ") }
