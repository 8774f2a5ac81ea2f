package prompt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestWizardOnAScreen(t *testing.T) {
	s := newScreen(t)
	var a answers
	wait := start(t, func(ctx context.Context) error { return s.prompter(nil, false).Wizard(ctx, a.wizard()) })

	s.waitFor("Step 1 of 3: Name", "What customers see in the browser tab.", "Nordic Tools Support", "enter next", "ctrl+c leave")
	s.press(enter)
	s.waitFor("this needs an answer")
	s.press("Acme" + enter)
	s.waitFor("Step 2 of 3: Domain", "> support.example.com", "localhost – no membership mail", "esc back")
	s.press(down + enter)
	s.waitFor("Slug", "https://localhost/")
	s.press("he p")
	s.waitFor("https://localhost/he p")
	s.press(enter)
	s.waitFor(`"he p" is not a slug; write it like help`)
	s.press("\x7f\x7flp")
	s.waitFor("https://localhost/help")
	s.press(enter)
	s.waitFor("Step 3 of 3: Access", "> Anyone who registers")
	s.press(down)
	s.waitFor("> Only groups")
	s.press(enter)
	s.waitFor("Which groups?")
	s.press(enter)
	s.waitFor("choose at least one group")
	s.press(" " + down)
	s.waitFor("[x] VIP", "> [ ] Beta")
	s.press(" ")
	s.waitFor("> [x] Beta")
	s.press(enter)
	s.waitFor("Keep it a draft?", "> No")
	s.press("y")
	s.waitFor("Summary", "Is this right?", "https://localhost/help", "groups vip_beta", "> Create the portal", "Go back to step 2: Domain")
	s.press(enter)

	if err := wait(); err != nil {
		t.Fatal(err)
	}
	want := answers{name: "Acme", domain: "localhost", slug: "help", mode: "groups", groups: []string{"vip", "beta"}, draft: true}
	if a.name != want.name || a.domain != want.domain || a.slug != want.slug || a.mode != want.mode || !slices.Equal(a.groups, want.groups) || a.draft != want.draft {
		t.Errorf("got %+v, want %+v", a, want)
	}
	if sent := s.sent(); strings.Contains(sent, "\x1b]11;?") || strings.Contains(sent, "\x1b[6n") {
		t.Errorf("the terminal was asked about itself: %q", sent)
	}
}

func TestWizardGoesBackOverAnAnswerThatDoesNotPass(t *testing.T) {
	for name, key := range map[string]string{"shift+tab": shiftTab, "escape": "\x1b"} {
		t.Run(name, func(t *testing.T) {
			s := newScreen(t)
			a := answers{name: "Acme", mode: "self-register"}
			wait := start(t, func(ctx context.Context) error { return s.prompter(nil, false).Wizard(ctx, a.wizard()) })
			s.waitFor("> Acme")
			s.press(enter)
			s.waitFor("Which domain?")
			s.press(enter)
			s.waitFor("Slug")
			s.press("not a slug")
			s.waitFor("https://support.example.com/not a slug")
			s.press(key)
			s.waitFor("Which domain?")
			s.press(key)
			s.waitFor("Step 1 of 3", "> Acme")
			s.press("!" + enter)
			s.waitFor("Which domain?")
			s.press(enter)
			s.waitFor("not a slug")
			s.press("\x15help") // Ctrl-U empties the line
			s.waitFor("https://support.example.com/help")
			s.press(enter)
			s.waitFor("Who gets in?")
			s.press(enter)
			// The page about groups does not apply and is not shown.
			s.waitFor("Keep it a draft?")
			s.press(key)
			s.waitFor("Who gets in?")
			s.press(enter)
			s.waitFor("Keep it a draft?")
			s.press("n")
			s.waitFor("> Create the portal", "Acme!")
			s.press(enter)
			if err := wait(); err != nil {
				t.Fatal(err)
			}
			if a.name != "Acme!" || a.slug != "help" || a.mode != "self-register" || a.groups != nil || a.draft {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func TestSummaryGoesBackToAnyStep(t *testing.T) {
	s := newScreen(t)
	a := answers{name: "Acme", domain: "localhost", slug: "help", mode: "self-register"}
	wait := start(t, func(ctx context.Context) error { return s.prompter(nil, false).Wizard(ctx, a.wizard()) })
	enterThrough := func(titles ...string) {
		t.Helper()
		for _, title := range titles {
			s.waitFor(title)
			s.press(enter)
		}
	}
	enterThrough("> Acme", "> localhost", "> help", "> Anyone who registers", "Keep it a draft?")
	s.waitFor("> Create the portal")
	s.press(down + down)
	s.waitFor("> Go back to step 2: Domain")
	s.press(enter)
	s.waitFor("Step 2 of 3", "> localhost")
	// What lies before the step can be gone back to from there.
	s.press(shiftTab)
	s.waitFor("Step 1 of 3", "> Acme")
	s.press(" AB" + enter)
	enterThrough("> localhost", "> help", "> Anyone who registers", "Keep it a draft?")
	s.waitFor("> Create the portal", "Acme AB")
	s.press(strings.Repeat(down, 4))
	s.waitFor("> Leave without changing anything")
	s.press(enter)
	if err := wait(); !errors.Is(err, ErrAborted) {
		t.Errorf("leaving = %v, want %v", err, ErrAborted)
	}
}

func TestCtrlCLeavesTheWizard(t *testing.T) {
	s := newScreen(t)
	var a answers
	wait := start(t, func(ctx context.Context) error { return s.prompter(nil, false).Wizard(ctx, a.wizard()) })
	s.waitFor("Step 1 of 3")
	s.press("Acme" + ctrlC)
	if err := wait(); !errors.Is(err, ErrAborted) {
		t.Errorf("Wizard = %v, want %v", err, ErrAborted)
	}
	if sent := s.sent(); !strings.Contains(sent, "\x1b[?1049l") || !strings.Contains(sent, "\x1b[?25h") {
		t.Error("the screen was not left as it was found")
	}
}

func TestStoppingTheProcessLeavesTheWizard(t *testing.T) {
	s := newScreen(t)
	var a answers
	ctx, cancel := context.WithCancel(t.Context())
	wait := start(t, func(context.Context) error { return s.prompter(nil, false).Wizard(ctx, a.wizard()) })
	s.waitFor("Step 1 of 3")
	cancel()
	if err := wait(); !errors.Is(err, ErrAborted) {
		t.Errorf("Wizard = %v, want %v", err, ErrAborted)
	}
}

func TestNoColorIsHonoured(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, true},
		{map[string]string{"NO_COLOR": "1"}, false},
	} {
		s := newScreen(t)
		var yes bool
		wait := start(t, func(ctx context.Context) error {
			return s.prompter(tt.env, false).Ask(ctx, Field{Title: "Sure?", Yes: &yes})
		})
		s.waitFor("Sure?", "> No")
		s.press("\x1b[D")
		s.waitFor("> Yes")
		s.press(enter)
		if err := wait(); err != nil || !yes {
			t.Errorf("%v: Ask = %v, answer %v", tt.env, err, yes)
		}
		if got := strings.Contains(s.sent(), "\x1b[36m"); got != tt.want {
			t.Errorf("%v: colours %v, want %v: %q", tt.env, got, tt.want, s.sent())
		}
	}
}

func TestSingleQuestionsOnAScreen(t *testing.T) {
	s := newScreen(t)
	p := s.prompter(nil, false)
	wait := start(t, func(ctx context.Context) error {
		name, err := p.Input(ctx, "Which domain?", "the domain as an argument", nil)
		if err == nil && name != "support.example.com" {
			err = errors.New("Input returned " + name)
		}
		return err
	})
	s.waitFor("Which domain?", "enter done")
	s.press("  support.example.com " + enter)
	if err := wait(); err != nil {
		t.Error(err)
	}

	wait = start(t, func(ctx context.Context) error {
		secret, err := p.Password(ctx, "Password", "--password-file", nil)
		if err == nil && secret != " hunter2 " {
			err = errors.New("Password returned " + secret)
		}
		return err
	})
	s.waitFor("Password")
	s.press(" hunter2 ")
	s.waitFor("*********")
	s.press(enter)
	if err := wait(); err != nil {
		t.Error(err)
	}
	if strings.Contains(s.sent(), "hunter2") {
		t.Error("the secret was shown")
	}

	wait = start(t, func(ctx context.Context) error {
		text, err := p.Text(ctx, "Answer", "the text as an argument", nil)
		if err == nil && text != "Hello\nAda" {
			err = errors.New("Text returned " + text)
		}
		return err
	})
	s.waitFor("Answer", "new line")
	s.press("Hello\n")
	s.press("Ada")
	s.waitFor("Ada")
	s.press(enter)
	if err := wait(); err != nil {
		t.Error(err)
	}
}

func TestWizardIsAskedByLineWhereItDoesNotFit(t *testing.T) {
	s := newScreen(t)
	if err := pty.Setsize(s.ptm, &pty.Winsize{Rows: 12, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	a := answers{name: "Acme", domain: "localhost", mode: "self-register"}
	wait := start(t, func(ctx context.Context) error { return s.prompter(nil, false).Wizard(ctx, a.wizard()) })
	s.waitFor("[Acme]: ")
	s.press("\n\n\n\n\n1\n")
	if err := wait(); err != nil {
		t.Error(err)
	}
}

func TestLongSummaryScrollsAndStaysUsable(t *testing.T) {
	s := newScreen(t)
	a := answers{name: "Acme"}
	w := a.wizard()
	w.Steps = w.Steps[:1]
	w.Summary = func() string { return strings.Repeat("a line of the summary\n", 12) + "the last line" }
	wait := start(t, func(ctx context.Context) error { return s.prompter(nil, false).Wizard(ctx, w) })
	s.waitFor("> Acme")
	s.press(enter)
	s.waitFor("Summary", "the last line", "> Create the portal", "Leave without changing anything", "ctrl+c leave")
	s.press(enter)
	if err := wait(); err != nil {
		t.Error(err)
	}
}

func TestLongTextInAWizard(t *testing.T) {
	s := newScreen(t)
	var name, text string
	w := Wizard{Steps: []Step{{Title: "Rules", Fields: []Field{
		{Title: "Name", Text: &name, Optional: true},
		{Title: "Which rules?", Text: &text, Multiline: true, Help: Says("One a line.\nAny of them is enough.")},
	}}}, Summary: func() string { return "rules " + strings.ReplaceAll(text, "\n", "+") }, Confirm: "Take them"}
	wait := start(t, func(ctx context.Context) error { return s.prompter(nil, false).Wizard(ctx, w) })
	s.waitFor("Name")
	s.press(enter)
	s.waitFor("Which rules?", "Any of them is enough.", "new line", "ctrl+c leave")
	for _, line := range []string{"one", "two", "three", "four", "five"} {
		s.press(line)
		s.waitFor(line)
		s.press("\n")
	}
	s.press("six")
	s.waitFor("Which rules?", "one", "two", "three", "four", "five", "six", "ctrl+c leave")
	s.press(enter)
	s.waitFor("rules one+two+three+four+five+six")
	s.press(enter)
	if err := wait(); err != nil {
		t.Error(err)
	}
}

func TestLongListScrolls(t *testing.T) {
	s := newScreen(t)
	var picked string
	var choices []Choice
	for i := range 40 {
		choices = append(choices, Choice{Value: fmt.Sprint(i), Label: fmt.Sprintf("choice %d.", i)})
	}
	w := Wizard{
		Steps:   []Step{{Title: "List", Fields: []Field{{Title: "Which?", Pick: &picked, Choices: choices}}}},
		Summary: func() string { return "picked " + picked }, Confirm: "Take it",
	}
	wait := start(t, func(ctx context.Context) error { return s.prompter(nil, false).Wizard(ctx, w) })
	s.waitFor("Which?", "> choice 0.", "/ filter", "ctrl+c leave")
	s.press(strings.Repeat(down, 30))
	s.waitFor("Which?", "> choice 30.", "ctrl+c leave")
	s.press("/")
	s.waitFor("┃ /")
	s.press("39.")
	s.waitFor("/39.", "> choice 39.")
	s.press(enter)
	s.waitFor("picked 39", "> Take it")
	s.press(enter)
	if err := wait(); err != nil || picked != "39" {
		t.Errorf("Wizard = %v, picked %q", err, picked)
	}
}

func TestWithoutATerminalNothingIsAsked(t *testing.T) {
	var out strings.Builder
	p := New(Options{In: strings.NewReader("yes\n"), Out: &out})
	_, err := p.Input(t.Context(), "Which domain?", "the domain as an argument", nil)
	wantRefusal(t, err, "", `cannot ask "Which domain?" without a terminal`, "pass the domain as an argument")
	_, err = p.Confirm(t.Context(), "Remove it?", "--yes")
	wantRefusal(t, err, "yes", `cannot ask "Remove it?" without a terminal`, "pass --yes")
	if p.Interactive() || out.Len() > 0 {
		t.Errorf("interactive %v, printed %q; want false and nothing", p.Interactive(), &out)
	}

	a := answers{name: "Acme", slug: "not a slug", mode: "groups"}
	err = p.Wizard(t.Context(), a.wizard())
	var fields []string
	for _, e := range portal.Errors(err) {
		fields = append(fields, e.Field)
	}
	if want := []string{"domain", "slug", "group"}; !slices.Equal(fields, want) {
		t.Errorf("the wizard misses %v, want %v: %v", fields, want, err)
	}
	a = answers{name: "Acme", domain: "localhost", mode: "self-register"}
	if err := p.Wizard(t.Context(), a.wizard()); err != nil {
		t.Errorf("a wizard with nothing left to ask = %v, want nil", err)
	}
}

func TestNoInputRefusesOnATerminalToo(t *testing.T) {
	s := newScreen(t)
	p := New(Options{In: s.tty, Out: s.tty, NoInput: true})
	_, err := p.Input(t.Context(), "Name", "--name", nil)
	wantRefusal(t, err, "name", `cannot ask "Name" with --no-input`, "pass --name")
	if s.sent() != "" {
		t.Errorf("printed %q", s.sent())
	}
}

func wantRefusal(t *testing.T, err error, field, msg, hint string) {
	t.Helper()
	var e *portal.Error
	if !errors.As(err, &e) || e.Kind != portal.Invalid || e.Field != field || e.Msg != msg || e.Hint != hint {
		t.Errorf("got %#v, want Invalid for %q: %q, %q", err, field, msg, hint)
	}
}
