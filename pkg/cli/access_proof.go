package cli

// The command is `access test`; a file access_test.go would be Go's own test.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

type accessTestOptions struct {
	File  string
	Would string
	All   bool
}

func newAccessTestCmd(env *Env) *cobra.Command {
	var o accessTestOptions
	cmd := &cobra.Command{
		Use:   "test [<file>]",
		Short: "Check a list of who may and may not see what",
		Long: `Hold a file of expectations against what the rules say, and end with code 1 and
the difference when one does not hold. Made for CI. One expectation a line:

  # who            may or may not   what
  ana@acme.example may sign in
  ana@acme.example may see T-1001
  bo@acme.example  may not answer T-1001
  eve@beta.example may not sign in [portal help]

A line that names no portal means the one --portal names, or the only one.
Rights are what is checked: a closed ticket may be answered by whoever has the
right to, and a paused portal counts as open, a draft as shut. A contact, ticket
or portal that does not exist fails its line whatever the line expects, so that
a misspelt name never passes. A file that cannot be read whole is not checked at
all: every bad line is named, and the code is 2.

--would makes a change on a copy of the store first, and lists everyone who
would gain or lose sight by it. Nothing is saved and nobody gets mail. The
change is the words of a command: access set, tickets configure, portal set or
remove, or one that changes groups, members, contacts or companies.

Tables show what does not hold; --all, JSON and CSV have every line.`,
		Example: `  portalctl access test expectations.txt
  portalctl access test expectations.txt --would "tickets configure --permissions company"
  portalctl access test - --would "groups members Customers --remove bo@acme.example"`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.File = firstOf(args)
			if cmd.Flags().Changed("would") && o.Would == "" {
				return badChange("it is empty")
			}
			return runAccessTest(cmd.Context(), env, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Would, "would", "", "test as if this `COMMAND` had been run, and list who would gain or lose sight")
	f.BoolVar(&o.All, "all", false, "show the expectations that hold, too")
	return cmd
}

func runAccessTest(ctx context.Context, env *Env, o accessTestOptions) error {
	if err := env.ask(ctx, &o.File, "Which file of expectations?", "the file as an argument, or - for standard input"); err != nil {
		return err
	}
	list, err := env.expectations(o.File)
	if err != nil {
		return err
	}
	if o.Would != "" && env.Config.Output == output.CSV {
		return portal.Invalidf("usage", "would", "what --would finds is more than one CSV can hold; use --output json")
	}
	return env.withApp(ctx, func(a *app.App) error {
		if o.Would != "" {
			return env.testWould(ctx, a, o, list)
		}
		tested, err := a.TestAccess(ctx, env.Config.Portal, list)
		if err != nil {
			return err
		}
		return env.showTested(tested, o, nil)
	})
}

// maxExpectations is how large a file of expectations may be, in bytes.
const maxExpectations = 1 << 20

// expectations reads a file of them, or standard input for -.
func (e *Env) expectations(path string) ([]portal.Expectation, error) {
	in := e.In
	if path != "-" {
		f, err := os.Open(path) // #nosec G304 -- the operator names the file
		if err != nil {
			return nil, unreadable(path, err)
		}
		defer func() { _ = f.Close() }() // was only read
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxExpectations+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	if len(text) > maxExpectations {
		return nil, portal.Invalidf("access.expectation", "file", "the expectations are longer than %d KiB; split them", maxExpectations>>10)
	}
	return portal.ParseExpectations(string(text))
}

// unreadable is a file of expectations that cannot be used. It is wrong usage
// in each case, so that CI tells it from an expectation that does not hold.
func unreadable(path string, err error) error {
	var told *portal.Error
	if errors.As(fileError("file", path, err), &told) {
		told.Kind = portal.Invalid
		return told
	}
	return err
}

// difference is what tests and comparisons end with: nothing was done wrong,
// but what is there is not what was wanted.
type difference struct{ msg string }

// Error says how much differs.
func (d *difference) Error() string { return d.msg }

// testedJSON is a test as scripts read it.
type testedJSON struct {
	Passed       int            `json:"passed"`
	Failed       int            `json:"failed"`
	Expectations []expectedJSON `json:"expectations"`
	Would        *wouldJSON     `json:"would,omitempty"`
}

type expectedJSON struct {
	Line     int    `json:"line"`
	Expected string `json:"expected"`
	Holds    bool   `json:"holds"`
	Got      string `json:"got"`
	Rule     string `json:"rule"`
	Why      string `json:"why"`
	Change   string `json:"change,omitempty"`
}

var testedColumns = []output.Column{
	{Name: "line", Head: "Line"},
	{Name: "expected", Head: "Expected", Keep: true},
	{Name: "holds"},
	{Name: "got", Head: "Got", Keep: true},
	{Name: "rule", Head: "Rule", Keep: true},
	{Name: "why", Head: "Because", Spare: true},
	{Name: "change"},
}

// showTested prints what came of the expectations and, unless nil, of the
// change before them.
func (e *Env) showTested(tested []app.Tested, o accessTestOptions, would *wouldJSON) error {
	answer := testedJSON{Expectations: make([]expectedJSON, len(tested)), Would: would}
	var rows [][]any
	for i, t := range tested {
		x := expectedJSON{t.Line, t.String(), t.Holds, t.Got, t.Rule, t.Why, t.Change}
		answer.Expectations[i] = x
		if t.Holds {
			answer.Passed++
		} else {
			answer.Failed++
		}
		if !t.Holds || o.All || e.Config.Output == output.CSV {
			rows = append(rows, []any{x.Line, x.Expected, x.Holds, x.Got, x.Rule, x.Why, x.Change})
		}
	}
	var err error
	if e.Config.Output == output.JSON {
		err = e.Printer().JSON(answer)
	} else {
		err = e.Printer().List(testedColumns, rows, "")
		if would != nil {
			err = errors.Join(err, e.showSight(would, len(rows) > 0))
		}
	}
	if err != nil {
		return err
	}
	all := counted(len(tested), "expectation", "expectations")
	if answer.Failed > 0 {
		verb := "do"
		if answer.Failed == 1 {
			verb = "does"
		}
		return &difference{fmt.Sprintf("%d of %s %s not hold", answer.Failed, all, verb)}
	}
	if len(tested) == 1 {
		e.say("%s holds", all)
	} else {
		e.say("%s hold", all)
	}
	return nil
}
