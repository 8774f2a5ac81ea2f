// Package prompt asks questions on a terminal, one at a time or as a wizard. It
// is the only package that imports huh, so every other one runs without a
// terminal. Every question names the flag or argument that answers it, and
// without a terminal that is what it says instead of asking.
package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/portalctl/portalctl/pkg/portal"
)

// ErrAborted says that the person left a question with Ctrl-C, or that the
// process was told to stop while one was open. Nothing has been decided.
var ErrAborted = errors.New("aborted")

// Options is where questions are asked and how.
type Options struct {
	In  io.Reader
	Out io.Writer // where questions are written: stderr, as stdout is data

	Getenv     func(string) string // TERM, NO_COLOR and the like; may be nil
	NoInput    bool                // refuse even on a terminal
	Accessible bool                // line by line instead of full screen
}

// Prompter asks questions. It is used by one goroutine at a time.
type Prompter struct {
	in      io.Reader
	out     io.Writer
	getenv  func(string) string
	noInput bool
	lines   *lineReader
	byLine  bool
	asks    bool
}

// New returns a Prompter. It asks when In is a terminal; on a terminal that
// cannot move its cursor, or whose Out goes elsewhere, it asks line by line.
func New(o Options) *Prompter {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	p := &Prompter{in: o.In, out: o.Out, getenv: o.Getenv, noInput: o.NoInput, lines: &lineReader{in: o.In}}
	p.asks = isTerminal(o.In) && !o.NoInput
	term := o.Getenv("TERM")
	p.byLine = o.Accessible || !isTerminal(o.Out) || term == "dumb" || term == ""
	return p
}

// Interactive reports whether questions can be asked. Commands that can do
// without an answer look here first.
func (p *Prompter) Interactive() bool { return p.asks }

// Refuse is the error for a question that cannot be asked. The second argument
// completes the sentence "pass …": a flag, or "the domain as an argument".
func (p *Prompter) Refuse(question, pass string) error {
	question = strings.ReplaceAll(question, `"`, "'") // it is put in quotes itself
	err := &portal.Error{
		Kind: portal.Invalid, Code: "prompt.no_terminal", Field: flagName(pass),
		Msg: fmt.Sprintf("cannot ask %q without a terminal", question),
	}
	if p.noInput {
		err.Code, err.Msg = "prompt.no_input", fmt.Sprintf("cannot ask %q with --no-input", question)
	}
	if pass != "" {
		err.Hint = "pass " + pass
	}
	return err
}

// flagName finds the flag in "--name" or "--domain or --slug".
func flagName(pass string) string {
	for word := range strings.FieldsSeq(pass) {
		if name, isFlag := strings.CutPrefix(word, "--"); isFlag {
			return strings.TrimRight(name, ",")
		}
	}
	return ""
}

// Input asks for one line. Check, if there is one, refuses answers.
func (p *Prompter) Input(ctx context.Context, title, pass string, check func(string) error) (string, error) {
	var answer string
	err := p.Ask(ctx, Field{Title: title, Pass: pass, Text: &answer, Check: check})
	return answer, err
}

// Text asks for a text of several lines.
func (p *Prompter) Text(ctx context.Context, title, pass string, check func(string) error) (string, error) {
	var answer string
	err := p.Ask(ctx, Field{Title: title, Pass: pass, Text: &answer, Check: check, Multiline: true})
	return answer, err
}

// Password asks for a secret and does not show it.
func (p *Prompter) Password(ctx context.Context, title, pass string, check func(string) error) (string, error) {
	var answer string
	err := p.Ask(ctx, Field{Title: title, Pass: pass, Text: &answer, Check: check, Secret: true})
	return answer, err
}

// Confirm asks a question that is answered with yes or no. Only a yes is a yes.
func (p *Prompter) Confirm(ctx context.Context, title, pass string) (bool, error) {
	var answer bool
	err := p.Ask(ctx, Field{Title: title, Pass: pass, Yes: &answer})
	return answer, err
}

// Select asks for one of the choices and returns its value.
func (p *Prompter) Select(ctx context.Context, title, pass string, choices []Choice) (string, error) {
	var answer string
	err := p.Ask(ctx, Field{Title: title, Pass: pass, Pick: &answer, Choices: choices})
	return answer, err
}

// MultiSelect asks for any number of the choices and returns their values.
func (p *Prompter) MultiSelect(ctx context.Context, title, pass string, choices []Choice) ([]string, error) {
	var answer []string
	err := p.Ask(ctx, Field{Title: title, Pass: pass, PickMany: &answer, Choices: choices})
	return answer, err
}

// Ask asks one question, with all that a Field can say about it. What its
// pointer holds is offered as the answer.
func (p *Prompter) Ask(ctx context.Context, f Field) error {
	f.mustBeOne()
	if !p.asks {
		return p.Refuse(f.Title, f.Pass)
	}
	if p.byLine {
		return p.askLine(ctx, f, false)
	}
	return p.askOnScreen(ctx, f)
}

// Wizard asks all steps, lets the person go back, and ends with a summary that
// has to be agreed to. After an error the answers mean nothing.
//
// Where nothing can be asked, fields that hold an acceptable answer already are
// fine, and the error names what to pass for all others.
func (p *Prompter) Wizard(ctx context.Context, w Wizard) error {
	for _, s := range w.Steps {
		for _, f := range s.Fields {
			f.mustBeOne()
		}
	}
	if !p.asks {
		return p.refuseMissing(w)
	}
	if p.byLine || p.tooSmall() {
		return p.wizardByLine(ctx, w)
	}
	return p.wizardOnScreen(ctx, w)
}

func (p *Prompter) refuseMissing(w Wizard) error {
	var errs []error
	for _, pg := range w.pages() {
		if pg.hidden() {
			continue
		}
		if err := pg.field.check(); err != nil {
			errs = append(errs, p.Refuse(pg.field.Title, pg.field.Pass))
		}
	}
	return errors.Join(errs...)
}

// tooSmall reports whether a wizard's pages would be cut off. A terminal that
// does not know its size is taken for one of the usual.
func (p *Prompter) tooSmall() bool {
	f, ok := p.out.(*os.File)
	if !ok {
		return false
	}
	width, height, err := term.GetSize(int(f.Fd())) // #nosec G115 -- a descriptor fits
	return err == nil && width > 0 && height > 0 && (width < 40 || height < leastTerminal)
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) // #nosec G115 -- a descriptor fits
}
