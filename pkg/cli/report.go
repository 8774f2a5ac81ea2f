package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/prompt"
)

// exitCodes says how a kind of error ends the process. Kinds that are not here
// are not the caller's to mend and end it with 1.
var exitCodes = map[portal.Kind]int{
	portal.Invalid:   2,
	portal.NotFound:  3,
	portal.Conflict:  4,
	portal.Forbidden: 5,
}

const exitAborted = 130 // what shells say for Ctrl-C

// report prints an error the way the caller reads it and returns the exit code.
func (e *Env) report(ctx context.Context, err error, args []string) int {
	if err == nil {
		return 0
	}
	code := exitCode(ctx, err)
	problems := []problem{}
	if code == exitAborted {
		problems = append(problems, problem{Kind: "aborted", Code: "aborted", Message: "aborted"})
	} else {
		for _, one := range apart(err) {
			problems = append(problems, newProblem(one))
		}
	}
	if e.wantsJSON(args) {
		e.reportJSON(problems)
		return code
	}
	width := e.errWidth()
	for _, p := range problems {
		fmt.Fprintln(e.Err, output.Flow("portalctl: "+output.Clean(p.Message), width, 0))
		if p.Hint != "" {
			fmt.Fprintln(e.Err, output.Flow("  "+output.Clean(p.Hint), width, 0))
		}
	}
	return code
}

func exitCode(ctx context.Context, err error) int {
	if errors.Is(err, prompt.ErrAborted) || ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return exitAborted
	}
	var other *exitWith
	if errors.As(err, &other) {
		return other.code
	}
	if code, ok := exitCodes[portal.KindOf(err)]; ok {
		return code
	}
	return 1
}

// problem is an error as scripts read it.
type problem struct {
	Kind    string `json:"kind"`
	Code    string `json:"code,omitempty"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func newProblem(err error) problem {
	p := problem{Kind: portal.KindOf(err).String(), Message: err.Error()}
	var e *portal.Error
	if errors.As(err, &e) {
		p.Code, p.Field, p.Hint = e.Code, e.Field, e.Hint
	}
	var d *difference
	if errors.As(err, &d) {
		p.Kind, p.Code = "difference", "difference"
	}
	return p
}

// apart takes joined errors apart, so that each is a line of its own.
func apart(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, apart(e)...)
	}
	return all
}

// reportJSON prints the first problem as "error", and all of them as "errors"
// when there are several.
func (e *Env) reportJSON(problems []problem) {
	answer := struct {
		Error  problem   `json:"error"`
		Errors []problem `json:"errors,omitempty"`
	}{Error: problems[0]}
	if len(problems) > 1 {
		answer.Errors = problems
	}
	enc := json.NewEncoder(e.Err)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(answer) // stderr is the last place to complain
}

// wantsJSON reports whether the caller asked for JSON, also when the flags or
// the configuration are what is wrong.
func (e *Env) wantsJSON(args []string) bool {
	if e.Config != nil {
		return e.Config.Output == output.JSON
	}
	return e.formatAsked(args) == output.JSON
}

// formatAsked finds the output format without the configuration file: in the
// arguments as typed, or in the environment.
func (e *Env) formatAsked(args []string) string {
	format := e.Getenv("PORTALCTL_OUTPUT")
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if (arg == "-o" || arg == "--output") && i+1 < len(args) {
			format = args[i+1]
		} else if value, ok := strings.CutPrefix(arg, "--output="); ok {
			format = value
		} else if value, ok := strings.CutPrefix(arg, "-o"); ok && value != "" && !strings.HasPrefix(arg, "--") {
			format = strings.TrimPrefix(value, "=")
		}
	}
	return strings.ToLower(format)
}

// usageError turns what cobra says about flags and arguments into an Invalid
// error.
func usageError(err error) error {
	var e *portal.Error
	if errors.As(err, &e) || errors.Is(err, context.Canceled) {
		return err
	}
	return &portal.Error{
		Kind: portal.Invalid, Code: "usage", Msg: err.Error(), Err: err,
		Hint: "see portalctl --help",
	}
}
