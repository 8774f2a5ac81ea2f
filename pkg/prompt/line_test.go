package prompt

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestWizardByLine(t *testing.T) {
	for name, tt := range map[string]struct {
		env        map[string]string
		accessible bool
	}{
		"--accessible":              {nil, true},
		"a terminal without cursor": {map[string]string{"TERM": "dumb"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScreen(t)
			var a answers
			wait := start(t, func(ctx context.Context) error { return s.prompter(tt.env, tt.accessible).Wizard(ctx, a.wizard()) })
			for _, step := range []struct{ shown, answer string }{
				{"Such as Nordic Tools Support: ", ""},
				{"this needs an answer", "Acme"},
				{"A number: ", "3"},
				{`"3" is not a number from 1 to 2`, "2"},
				{"https://localhost/", "he p"},
				{`"he p" is not a slug; write it like help`, "help"},
				{"https://localhost/help", "2"},
				{"Numbers with commas, Enter for none: ", "1,9"},
				{`"9" is not a number from 1 to 3`, "1, 2,1"},
				{"Keep it a draft?", "perhaps"},
				{"answer y or n", "<"},
				{"Numbers with commas, - for none [1,2]: ", "-"},
				{"choose at least one group", ""},
				{"[y/N]: ", "y"},
				{"Is this right?", ""},
				{"pick one of these", "2"},
				{"[Acme]: ", "<"},
				{"this is the first question", "Acme AB"},
				{"A number [2]: ", ""},
				{"- for none [help]: ", "-"},
				{"A number [2]: ", "1"},
				{"[Y/n]: ", "n"},
				{"Acme AB", "1"},
			} {
				s.waitFor(step.shown)
				s.clear()
				s.press(step.answer + "\n")
			}
			if err := wait(); err != nil {
				t.Fatalf("%v\n%s", err, s)
			}
			if a.name != "Acme AB" || a.domain != "localhost" || a.slug != "" || a.mode != "self-register" || a.draft {
				t.Errorf("got %+v", a)
			}
			if strings.Contains(s.sent(), "\x1b") {
				t.Errorf("escape sequences were sent: %q", s.sent())
			}
		})
	}
}

func TestWizardByLineCanBeLeft(t *testing.T) {
	s := newScreen(t)
	a := answers{name: "Acme", domain: "localhost", mode: "self-register"}
	wait := start(t, func(ctx context.Context) error { return s.prompter(nil, true).Wizard(ctx, a.wizard()) })
	s.waitFor("[Acme]: ")
	s.press("\n\n\n\n\n")
	s.waitFor("5. Leave without changing anything")
	s.press("5\n")
	if err := wait(); !errors.Is(err, ErrAborted) {
		t.Errorf("Wizard = %v, want %v", err, ErrAborted)
	}
}

func TestTheEndOfInputIsAnErrorAndNeverTheDefault(t *testing.T) {
	s := newScreen(t)
	p := s.prompter(nil, true)
	for _, f := range []Field{
		{Title: "Name", Pass: "--name", Text: new(string)},
		{Title: "Name", Pass: "--name", Text: ptr("default")},
		{Title: "Name", Pass: "--name", Pick: ptr("a"), Choices: []Choice{{Value: "a", Label: "A"}}},
		{Title: "Name", Pass: "--name", PickMany: &[]string{"a"}, Choices: []Choice{{Value: "a", Label: "A"}}},
		{Title: "Name", Pass: "--name", Yes: new(bool)},
		{Title: "Name", Pass: "--name", Text: new(string), Multiline: true},
		{Title: "Name", Pass: "--name", Text: new(string), Secret: true},
	} {
		s.clear()
		wait := start(t, func(ctx context.Context) error { return p.Ask(ctx, f) })
		s.waitFor(strings.TrimSpace(f.linePrompt()), "Name")
		s.press(ctrlD)
		wantRefusal(t, wait(), "name", `the input ended before "Name" was answered`, "pass --name")
	}
}

func TestCtrlCEndsAQuestionAskedByLine(t *testing.T) {
	s := newScreen(t)
	p := s.prompter(nil, true)
	ctx, cancel := context.WithCancel(t.Context())
	wait := start(t, func(context.Context) error {
		_, err := p.Input(ctx, "Name", "--name", nil)
		return err
	})
	s.waitFor("> ")
	cancel() // main turns the signal into this
	if err := wait(); !errors.Is(err, ErrAborted) {
		t.Errorf("Input = %v, want %v", err, ErrAborted)
	}
	s.press("late\n") // ends the read that is still waiting
}

func TestSecretsAreNotEchoedByLine(t *testing.T) {
	s := newScreen(t)
	p := s.prompter(nil, true)
	var secret string
	wait := start(t, func(ctx context.Context) (err error) {
		secret, err = p.Password(ctx, "Password", "--password-file", nil)
		return err
	})
	s.waitFor("Not shown: ")
	s.press("correct horse\n")
	if err := wait(); err != nil || secret != "correct horse" {
		t.Errorf("Password = %q, %v", secret, err)
	}
	if strings.Contains(s.sent(), "correct") {
		t.Errorf("the secret was shown: %q", s.sent())
	}
}

func TestSecretsTakeTheirOwnLineOfWhatWasTypedAhead(t *testing.T) {
	s := newScreen(t)
	p := s.prompter(nil, true)
	s.press("Ada\ncorrect horse\nsupport.example.com\n")
	var name, secret, host string
	wait := start(t, func(ctx context.Context) error {
		return errors.Join(
			p.Ask(ctx, Field{Title: "Name", Text: &name}),
			p.Ask(ctx, Field{Title: "Password", Text: &secret, Secret: true}),
			p.Ask(ctx, Field{Title: "Host", Text: &host}),
		)
	})
	if err := wait(); err != nil || name != "Ada" || secret != "correct horse" || host != "support.example.com" {
		t.Errorf("got %q, %q, %q, %v", name, secret, host, err)
	}
}

func TestCtrlCEndsASecretAskedByLine(t *testing.T) {
	s := newScreen(t)
	p := s.prompter(nil, true)
	wait := start(t, func(ctx context.Context) error {
		_, err := p.Password(ctx, "Password", "--password-file", nil)
		return err
	})
	s.waitFor("Not shown: ")
	s.press("half" + ctrlC)
	if err := wait(); !errors.Is(err, ErrAborted) {
		t.Errorf("Password = %v, want %v", err, ErrAborted)
	}
	// The terminal shows what is typed again.
	s.press("visible")
	s.waitFor("visible")
}

func TestTextByLineEndsAtAFullStop(t *testing.T) {
	s := newScreen(t)
	p := s.prompter(nil, true)
	var text string
	wait := start(t, func(ctx context.Context) (err error) {
		text, err = p.Text(ctx, "Answer", "the text as an argument", nil)
		return err
	})
	s.waitFor("full stop alone")
	s.press("Hello Ada.\n\n.5 is not the end\n.\n")
	if err := wait(); err != nil || text != "Hello Ada.\n\n.5 is not the end" {
		t.Errorf("Text = %q, %v", text, err)
	}
}

func TestLineReaderTakesOneLineAndNoMore(t *testing.T) {
	in := strings.NewReader("one\r\ntwo\n\nlast")
	r := &lineReader{in: in}
	var got []string
	for {
		l, err := r.readLine()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, l)
		if len(got) == 1 && in.Len() != len("two\n\nlast") {
			t.Errorf("%d bytes are left after the first line, want %d", in.Len(), len("two\n\nlast"))
		}
	}
	if want := []string{"one", "two", "", "last"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHintsFollowTheMessage(t *testing.T) {
	err := said(portal.Invalidf("x", "x", "%q is no", "a").WithHint("write b"))
	if want := `"a" is no; write b`; err.Error() != want || portal.KindOf(err) != portal.Invalid {
		t.Errorf("got %v, want %s", err, want)
	}
}

func ptr[T any](v T) *T { return &v }
