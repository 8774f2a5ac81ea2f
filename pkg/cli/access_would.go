package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/prompt"
)

// wouldCommands are the commands --would runs on a copy of the store: those
// that decide who gets in and sees what, and touch nothing but the store.
var wouldCommands = []string{
	"access set", "tickets configure", "portal set", "portal remove",
	"groups add", "groups set", "groups members", "groups remove",
	"members invite", "members approve", "members disable", "members remove",
	"contacts add", "contacts set", "contacts remove",
	"companies add", "companies set", "companies remove",
}

func badChange(format string, args ...any) error {
	return portal.Invalidf("access.would", "would", "--would cannot be used: %s", fmt.Sprintf(format, args...)).
		WithHint(`give it the words of a command: --would "tickets configure --permissions company"`)
}

// wouldJSON is what a change would do, as scripts read it.
type wouldJSON struct {
	Change        string      `json:"change"`
	GainSignIn    int         `json:"gain_sign_in"`
	LoseSignIn    int         `json:"lose_sign_in"`
	GainTickets   int         `json:"gain_tickets"`
	LoseTickets   int         `json:"lose_tickets"`
	GainAnswering int         `json:"gain_answering"`
	LoseAnswering int         `json:"lose_answering"`
	Sight         []sightJSON `json:"sight"`
}

type sightJSON struct {
	Portal string      `json:"portal"`
	Email  string      `json:"email"`
	Name   string      `json:"name"`
	SignIn string      `json:"sign_in,omitempty"`
	Answer string      `json:"answer,omitempty"`
	Gained ticketsJSON `json:"gained"`
	Lost   ticketsJSON `json:"lost"`
}

type ticketsJSON struct {
	Count   int      `json:"count"`
	Capped  bool     `json:"capped"`
	Numbers []string `json:"numbers"`
}

func newTicketsJSON(s app.TicketSet) ticketsJSON {
	t := ticketsJSON{Count: s.Count, Capped: s.Capped, Numbers: []string{}}
	for _, n := range s.Numbers {
		t.Numbers = append(t.Numbers, n.String())
	}
	return t
}

// testWould tests the expectations on a copy of the store in which the change
// is made, and compares it with one in which it is not.
func (e *Env) testWould(ctx context.Context, a *app.App, o accessTestOptions, list []portal.Expectation) error {
	words, err := splitWords(o.Would)
	if err != nil {
		return err
	}
	would := &wouldJSON{Change: o.Would, Sight: []sightJSON{}}
	var tested []app.Tested
	// The store may change meanwhile, so both sides are copies of one moment.
	err = a.OnCopy(ctx, nil, func(before *app.App) error {
		change := func(path string) error { return e.change(ctx, words, path) }
		return before.OnCopy(ctx, change, func(after *app.App) error {
			if tested, err = after.TestAccess(ctx, e.Config.Portal, list); err != nil {
				return err
			}
			return app.CompareSight(ctx, before, after, func(c *app.SightChange) error {
				would.add(c)
				return nil
			})
		})
	})
	if err != nil {
		return err
	}
	return e.showTested(tested, o, would)
}

func (w *wouldJSON) add(c *app.SightChange) {
	count := func(is bool, n *int) {
		if is {
			*n++
		}
	}
	count(c.SignIn == app.SightGains, &w.GainSignIn)
	count(c.SignIn == app.SightLoses, &w.LoseSignIn)
	count(c.Gained.Count > 0, &w.GainTickets)
	count(c.Lost.Count > 0, &w.LoseTickets)
	count(c.Answer == app.SightGains, &w.GainAnswering)
	count(c.Answer == app.SightLoses, &w.LoseAnswering)
	w.Sight = append(w.Sight, sightJSON{
		Portal: c.Portal, Email: c.Email, Name: c.Name, SignIn: string(c.SignIn), Answer: string(c.Answer),
		Gained: newTicketsJSON(c.Gained), Lost: newTicketsJSON(c.Lost),
	})
}

// change runs a command on the store at path instead of the real one.
func (e *Env) change(ctx context.Context, words []string, path string) error {
	inner, config := *e, *e.Config
	config.Store, config.Output, config.NoInput = path, output.Table, true
	inner.In, inner.Out, inner.Err, inner.Config, inner.started = strings.NewReader(""), io.Discard, io.Discard, &config, false
	inner.Prompt = prompt.New(prompt.Options{In: inner.In, Out: io.Discard, Getenv: e.Getenv, NoInput: true})
	root := newRootCmd(&inner)
	root.SetArgs(words)
	root.SetIn(inner.In)
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		name := strings.TrimPrefix(cmd.CommandPath(), "portalctl ")
		if !slices.Contains(wouldCommands, name) {
			return badChange("%q is no command that it runs; use one of %s", name, strings.Join(wouldCommands, ", "))
		}
		for _, flag := range []string{"store", "config"} {
			if cmd.Flags().Changed(flag) {
				return badChange("the change is made on a copy of this store; leave out --%s", flag)
			}
		}
		if name, err := cmd.Flags().GetString("portal"); err == nil && name != "" {
			config.Portal = name
		}
		// Nothing is removed but from the copy, so there is nothing to ask.
		if yes := cmd.Flags().Lookup("yes"); yes != nil {
			if err := yes.Value.Set("true"); err != nil {
				return err
			}
		}
		inner.started = true
		return nil
	}
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil && !inner.started:
		return badChange("%q changes nothing", strings.Join(words, " "))
	case err != nil && !inner.started:
		return usageError(err)
	case err != nil:
		return fmt.Errorf("the change cannot be made: %w", err)
	}
	return nil
}

// splitWords splits the words of a command as a shell does: at spaces, unless
// they stand in quotation marks or behind a backslash. The name of the program
// may stand before them.
func splitWords(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	quote, escaped, started := rune(0), false, false
	for _, r := range s {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, started = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, started = r, true
		case quote == 0 && strings.ContainsRune(" \t\r\n", r):
			if started {
				words = append(words, word.String())
			}
			word.Reset()
			started = false
		default:
			word.WriteRune(r)
			started = true
		}
	}
	if quote != 0 || escaped {
		return nil, badChange("a quotation mark is not closed in %q", s)
	}
	if started {
		words = append(words, word.String())
	}
	if len(words) > 0 && words[0] == "portalctl" {
		words = words[1:]
	}
	if len(words) == 0 {
		return nil, badChange("it is empty")
	}
	return words, nil
}

// sightShown is how many people a table lists.
const sightShown = 50

// showSight prints who gains and loses what, as a table; apart sets it off
// from one before it.
func (e *Env) showSight(w *wouldJSON, apart bool) error {
	shown, more := cutTo(w.Sight, sightShown)
	columns := []output.Column{
		{Name: "portal", Head: "Portal", Spare: true},
		{Name: "email", Head: "E-mail", Keep: true},
		{Name: "name", Head: "Name", Spare: true},
		{Name: "sign_in", Head: "Sign-in"},
		{Name: "gained", Head: "Tickets gained"},
		{Name: "lost", Head: "Tickets lost"},
		{Name: "answer", Head: "Answering"},
	}
	rows := make([][]any, len(shown))
	for i, s := range shown {
		rows[i] = []any{s.Portal, s.Email, s.Name, s.SignIn, s.Gained.short(), s.Lost.short(), s.Answer}
	}
	if apart && len(rows) > 0 {
		if _, err := fmt.Fprintln(e.Out); err != nil {
			return err
		}
	}
	if err := e.Printer().List(columns, rows, "nobody would gain or lose sight"); err != nil {
		return err
	}
	if more {
		e.say("and %d more; --output json has them all", len(w.Sight)-len(shown))
	}
	if len(rows) > 0 {
		e.say("would gain: %d sign-in, %d tickets, %d answering; would lose: %d sign-in, %d tickets, %d answering (people)",
			w.GainSignIn, w.GainTickets, w.GainAnswering, w.LoseSignIn, w.LoseTickets, w.LoseAnswering)
	}
	return nil
}

// short is a set of tickets in a table's cell.
func (t ticketsJSON) short() string {
	const named = 3
	if t.Count == 0 {
		return ""
	}
	if t.Count <= named {
		return strings.Join(t.Numbers, ", ")
	}
	more := ""
	if t.Capped {
		more = "more than "
	}
	return fmt.Sprintf("%s%d", more, t.Count)
}
