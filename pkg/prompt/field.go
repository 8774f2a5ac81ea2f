package prompt

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Field is one question. Exactly one of Text, Pick, PickMany and Yes is set: it
// says what kind of question it is, holds what is offered, and takes the answer.
type Field struct {
	Title string
	// Pass says what answers the question without asking: "--slug". It
	// completes the sentence "pass …".
	Pass string
	// Help stands under the title. On a full screen it is asked for again
	// after every key, so it may show what the answer so far leads to.
	Help func() string
	// Every is how often Help is asked for again without a key, for a question
	// that waits for something while it is shown; 0: never.
	Every time.Duration
	// Hide leaves the question out, depending on earlier answers.
	Hide func() bool

	Text     *string   // words that are typed
	Pick     *string   // the value of one of Choices
	PickMany *[]string // the values of any of Choices
	Yes      *bool     // yes or no

	Choices []Choice
	// Check refuses a text or a picked value. It gets the answer without
	// space around it, and no empty one.
	Check func(string) error
	// CheckMany refuses what was picked for PickMany.
	CheckMany func([]string) error

	Optional    bool   // Text may be empty
	Multiline   bool   // Text has several lines
	Secret      bool   // Text is not shown, and kept exactly as typed
	Placeholder string // an example, shown while Text is empty
}

// Choice is one thing to pick.
type Choice struct {
	Value string
	Label string
	Help  string // a few words behind the label
}

func (c Choice) text() string {
	if c.Help == "" {
		return c.Label
	}
	return c.Label + " – " + c.Help
}

// Says makes a Help out of a text that does not change.
func Says(text string) func() string { return func() string { return text } }

// Step is one page or more of a wizard, under one heading.
type Step struct {
	Title       string
	Description string
	Fields      []Field
}

// Wizard is a set of questions in steps, with a summary at the end.
type Wizard struct {
	Steps []Step
	// Summary says what will be done with the answers.
	Summary func() string
	// Confirm is what agreeing is called: "Create the portal".
	Confirm string
}

// page is a field and the step it belongs to. Each has a screen of its own: at
// 80×24 a step's questions do not always fit on one, and a question that
// depends on the one before it would make the others jump.
type page struct {
	field       Field
	heading     string
	description string
	step        int
}

func (p page) hidden() bool { return p.field.Hide != nil && p.field.Hide() }

func (w Wizard) pages() []page {
	var pages []page
	for i, s := range w.Steps {
		for _, f := range s.Fields {
			pages = append(pages, page{f, fmt.Sprintf("Step %d of %d: %s", i+1, len(w.Steps), s.Title), s.Description, i})
		}
	}
	return pages
}

// The answers to a summary, besides the number of a step to go back to.
const (
	agreed = "agreed"
	leave  = "leave"
)

// summaryField asks whether all is right, and offers every step again.
func (w Wizard) summaryField(answer *string) Field {
	choices := []Choice{{Value: agreed, Label: w.Confirm}}
	for i, s := range w.Steps {
		choices = append(choices, Choice{Value: strconv.Itoa(i), Label: fmt.Sprintf("Go back to step %d: %s", i+1, s.Title)})
	}
	choices = append(choices, Choice{Value: leave, Label: "Leave without changing anything"})
	return Field{Title: "Is this right?", Help: w.Summary, Pick: answer, Choices: choices}
}

// firstOf returns the first page of the step that a summary's answer names.
func firstOf(pages []page, answer string) int {
	at := slices.IndexFunc(pages, func(p page) bool { return strconv.Itoa(p.step) == answer })
	return max(at, 0)
}

// mustBeOne panics on a field that is no question: a mistake in the program
// that every run of it shows.
func (f Field) mustBeOne() {
	kinds := 0
	for _, set := range []bool{f.Text != nil, f.Pick != nil, f.PickMany != nil, f.Yes != nil} {
		if set {
			kinds++
		}
	}
	if kinds != 1 || (f.Pick != nil || f.PickMany != nil) && len(f.Choices) == 0 {
		panic(fmt.Sprintf("the question %q has %d kinds and %d choices", f.Title, kinds, len(f.Choices)))
	}
}

func (f Field) help() string {
	if f.Help == nil {
		return ""
	}
	return f.Help()
}

// check judges the answer that the field's pointer holds.
func (f Field) check() error {
	switch {
	case f.Text != nil:
		return f.checkText(*f.Text)
	case f.Pick != nil:
		return f.checkPick(*f.Pick)
	case f.PickMany != nil:
		return f.checkMany(*f.PickMany)
	}
	return nil
}

func (f Field) checkText(s string) error {
	s = f.trim(s)
	if s == "" {
		if f.Optional {
			return nil
		}
		return errors.New("this needs an answer")
	}
	if f.Check == nil {
		return nil
	}
	return said(f.Check(s))
}

func (f Field) checkPick(value string) error {
	if !slices.ContainsFunc(f.Choices, func(c Choice) bool { return c.Value == value }) {
		return errors.New("pick one of these")
	}
	if f.Check == nil {
		return nil
	}
	return said(f.Check(value))
}

func (f Field) checkMany(values []string) error {
	if f.CheckMany == nil {
		return nil
	}
	return said(f.CheckMany(values))
}

// trim drops the space around an answer, but not from a secret, where it may
// be meant.
func (f Field) trim(s string) string {
	if f.Secret {
		return s
	}
	return strings.TrimSpace(s)
}

// said puts the hint behind the message: a form has one line for both.
func said(err error) error {
	var e *portal.Error
	if errors.As(err, &e) && e.Hint != "" {
		return fmt.Errorf("%w; %s", err, e.Hint)
	}
	return err
}
