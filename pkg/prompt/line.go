package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Asking line by line is written here and not left to huh's accessible mode:
// that one takes the default when the input ends, or asks for ever, reads ahead
// what the next question needs, does not show descriptions or defaults, and
// cannot go back.

// errBack says that the person wants the question before.
var errBack = errors.New("back")

const (
	goBack = "<"
	none   = "-"
)

// lineReader reads whole lines and not a byte more, so that whatever asks next
// finds its own line.
type lineReader struct {
	in      io.Reader
	pending chan line // of a read that was given up waiting for
}

type line struct {
	text string
	err  error
}

// next waits for a line, or until ctx ends: Ctrl-C arrives as a signal here,
// and the read itself cannot be interrupted.
func (r *lineReader) next(ctx context.Context, read func() (string, error)) (string, error) {
	if r.pending == nil {
		r.pending = make(chan line, 1)
		go func(done chan<- line) {
			text, err := read()
			done <- line{text, err}
		}(r.pending)
	}
	select {
	case l := <-r.pending:
		r.pending = nil
		return l.text, l.err
	case <-ctx.Done():
		return "", ErrAborted
	}
}

// readLine returns one line without its end. The last line may lack one.
func (r *lineReader) readLine() (string, error) {
	var b strings.Builder
	one := make([]byte, 1)
	for {
		n, err := r.in.Read(one)
		if n == 1 {
			if one[0] == '\n' {
				return strings.TrimSuffix(b.String(), "\r"), nil
			}
			b.WriteByte(one[0])
		}
		if err != nil {
			if errors.Is(err, io.EOF) && b.Len() > 0 {
				return b.String(), nil
			}
			return "", err
		}
	}
}

// askLine asks until there is an answer that passes. With back, a lone < is
// errBack.
func (p *Prompter) askLine(ctx context.Context, f Field, back bool) error {
	p.say(f.Title)
	help := f.help()
	if help != "" {
		p.say(help)
	}
	for i, c := range f.Choices {
		p.say(fmt.Sprintf("  %d. %s", i+1, c.text()))
	}
	for {
		stop := p.follow(f, &help)
		answer, err := p.readAnswer(ctx, f)
		stop()
		if err != nil {
			return p.lineError(f, err)
		}
		if back && strings.TrimSpace(answer) == goBack {
			return errBack
		}
		if err := f.takeLine(answer); err != nil {
			p.say("  " + err.Error())
			continue
		}
		if after := f.help(); after != help {
			p.say("  " + after)
		}
		return nil
	}
}

// follow says a help text that changes by itself, until the function it returns
// is called.
func (p *Prompter) follow(f Field, help *string) (stop func()) {
	if f.Every == 0 {
		return func() {}
	}
	done := make(chan struct{})
	var following sync.WaitGroup
	following.Go(func() {
		tick := time.NewTicker(f.Every)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if now := f.help(); now != *help {
				*help = now
				fmt.Fprint(p.out, "\n"+now+"\n"+f.linePrompt())
			}
		}
	})
	return func() {
		close(done)
		following.Wait()
	}
}

func (p *Prompter) say(text string) { fmt.Fprintln(p.out, text) }

// readAnswer asks for and reads one line, a secret without showing it, or a text up to a
// line that holds a full stop alone.
func (p *Prompter) readAnswer(ctx context.Context, f Field) (string, error) {
	if f.Text != nil && f.Secret {
		return p.readSecret(ctx, f.linePrompt())
	}
	fmt.Fprint(p.out, f.linePrompt())
	if f.Text == nil || !f.Multiline {
		return p.lines.next(ctx, p.lines.readLine)
	}
	var text []string
	for {
		l, err := p.lines.next(ctx, p.lines.readLine)
		if err != nil || l == "." || len(text) == 0 && strings.TrimSpace(l) == goBack {
			return strings.Join(append(text, strings.TrimSuffix(l, ".")), "\n"), err
		}
		text = append(text, l)
	}
}

// readSecret reads a line that is not shown. term.ReadPassword would do, but
// that takes no notice of Ctrl-D, and of a terminal that is gone runs for ever.
func (p *Prompter) readSecret(ctx context.Context, prompt string) (string, error) {
	f, ok := p.in.(*os.File)
	if !ok {
		return "", errors.New("a secret is asked on a terminal only")
	}
	fd := int(f.Fd()) // #nosec G115 -- a descriptor fits
	state, err := term.MakeRaw(fd)
	if err != nil {
		return "", fmt.Errorf("hide what is typed: %w", err)
	}
	// Here and not where it is read, which may go on after ctx has ended.
	defer func() { _ = term.Restore(fd, state) }()
	fmt.Fprint(p.out, prompt) // not before: what is typed by then would show
	keys := &keyReader{in: f}
	secret, err := p.lines.next(ctx, func() (string, error) {
		return term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{keys, p.out}, "").ReadPassword("")
	})
	if errors.Is(err, io.EOF) && keys.interrupted.Load() {
		return "", ErrAborted
	}
	return secret, err
}

// keyReader notices Ctrl-C, which arrives as a key while a secret is typed and
// which term.Terminal does not tell from the end of input.
type keyReader struct {
	in          io.Reader
	interrupted atomic.Bool
}

func (r *keyReader) Read(buf []byte) (int, error) {
	// One key at a time: what follows the secret is for the next question.
	n, err := r.in.Read(buf[:1])
	if n == 1 && buf[0] == 3 {
		r.interrupted.Store(true)
	}
	return n, err
}

func (p *Prompter) lineError(f Field, err error) error {
	fmt.Fprintln(p.out)
	if !errors.Is(err, io.EOF) {
		return err
	}
	refusal := &portal.Error{
		Kind: portal.Invalid, Code: "prompt.end_of_input", Field: flagName(f.Pass),
		Msg: fmt.Sprintf("the input ended before %q was answered", f.Title), Err: err,
	}
	if f.Pass != "" {
		refusal.Hint = "pass " + f.Pass
	}
	return refusal
}

// linePrompt says what may be typed and what Enter alone means.
func (f Field) linePrompt() string {
	switch {
	case f.Yes != nil && *f.Yes:
		return "[Y/n]: "
	case f.Yes != nil:
		return "[y/N]: "
	case f.Pick != nil:
		if n := f.choiceNumber(*f.Pick); n > 0 {
			return fmt.Sprintf("A number [%d]: ", n)
		}
		return "A number: "
	case f.PickMany != nil:
		var numbers []string
		for _, value := range *f.PickMany {
			if n := f.choiceNumber(value); n > 0 {
				numbers = append(numbers, strconv.Itoa(n))
			}
		}
		if len(numbers) > 0 {
			return fmt.Sprintf("Numbers with commas, %s for none [%s]: ", none, strings.Join(numbers, ","))
		}
		return "Numbers with commas, Enter for none: "
	case f.Multiline:
		return "End with a line that holds a full stop alone.\n"
	case f.Secret:
		return "Not shown: "
	case *f.Text != "" && f.Optional:
		return fmt.Sprintf("%s for none [%s]: ", none, *f.Text)
	case *f.Text != "":
		return fmt.Sprintf("[%s]: ", *f.Text)
	case f.Placeholder != "":
		return fmt.Sprintf("Such as %s: ", f.Placeholder)
	}
	return "> "
}

func (f Field) choiceNumber(value string) int {
	return slices.IndexFunc(f.Choices, func(c Choice) bool { return c.Value == value }) + 1
}

// takeLine stores an answer that passes, or says why it does not.
func (f Field) takeLine(answer string) error {
	short := strings.TrimSpace(answer)
	switch {
	case f.Yes != nil:
		return f.takeYes(strings.ToLower(short))
	case f.Pick != nil:
		value := *f.Pick
		if short != "" {
			c, err := f.choice(short)
			if err != nil {
				return err
			}
			value = c.Value
		}
		if err := f.checkPick(value); err != nil {
			return err
		}
		*f.Pick = value
	case f.PickMany != nil:
		values := *f.PickMany
		if short != "" {
			var err error
			if values, err = f.choices(short); err != nil {
				return err
			}
		}
		if err := f.checkMany(values); err != nil {
			return err
		}
		*f.PickMany = values
	default:
		answer = f.trim(answer)
		switch {
		case answer == "" && !f.Secret:
			answer = *f.Text
		case answer == none && f.Optional:
			answer = ""
		}
		if err := f.checkText(answer); err != nil {
			return err
		}
		*f.Text = answer
	}
	return nil
}

func (f Field) takeYes(answer string) error {
	switch answer {
	case "":
	case "y", "yes":
		*f.Yes = true
	case "n", "no":
		*f.Yes = false
	default:
		return errors.New("answer y or n")
	}
	return nil
}

func (f Field) choice(number string) (Choice, error) {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(f.Choices) {
		return Choice{}, fmt.Errorf("%q is not a number from 1 to %d", number, len(f.Choices))
	}
	return f.Choices[n-1], nil
}

func (f Field) choices(numbers string) ([]string, error) {
	values := []string{}
	if numbers == none {
		return values, nil
	}
	for number := range strings.SplitSeq(numbers, ",") {
		c, err := f.choice(strings.TrimSpace(number))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(values, c.Value) {
			values = append(values, c.Value)
		}
	}
	return values, nil
}

// wizardByLine asks page after page. The summary offers every step again.
func (p *Prompter) wizardByLine(ctx context.Context, w Wizard) error {
	pages := w.pages()
	p.say("Type " + goBack + " to go back a question, Ctrl-C to leave without a change.")
	for start := 0; ; {
		if err := p.pagesByLine(ctx, pages, start); err != nil {
			return err
		}
		var answer string
		p.say("\nSummary")
		err := p.askLine(ctx, w.summaryField(&answer), true)
		switch {
		case errors.Is(err, errBack):
			start = max(before(pages, len(pages)), 0)
		case err != nil:
			return err
		case answer == agreed:
			return nil
		case answer == leave:
			return ErrAborted
		default:
			start = firstOf(pages, answer)
		}
	}
}

func (p *Prompter) pagesByLine(ctx context.Context, pages []page, at int) error {
	heading := ""
	for at < len(pages) {
		pg := pages[at]
		if pg.hidden() {
			at++
			continue
		}
		p.say("")
		if pg.heading != heading {
			heading = pg.heading
			p.say(heading)
			if pg.description != "" {
				p.say(pg.description)
			}
			p.say("")
		}
		err := p.askLine(ctx, pg.field, true)
		switch {
		case errors.Is(err, errBack) && before(pages, at) < 0:
			p.say("  this is the first question")
		case errors.Is(err, errBack):
			at = before(pages, at)
		case err != nil:
			return err
		default:
			at++
		}
	}
	return nil
}

// before returns the page that was asked before the one at, or -1.
func before(pages []page, at int) int {
	for at--; at >= 0; at-- {
		if !pages[at].hidden() {
			break
		}
	}
	return at
}
