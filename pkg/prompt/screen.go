package prompt

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/huh"
	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// widest is how wide forms get: longer lines are hard to read.
const widest = 80

// leastRows is how tall a page is at least, so that most are alike.
const leastRows = 12

// textRows is how many lines of a long text are seen at once.
const textRows = 6

// leastTerminal is how many lines a terminal needs to show a whole wizard.
const leastTerminal = 20

// manyChoices is from when on a list can be searched with /.
const manyChoices = 10

// form is a huh form with what huh lacks: going back over an answer that does
// not pass, texts that follow every key, and starting at a later page.
type form struct {
	huh    *huh.Form
	pages  []page
	fields []huh.Field
	// back is true while a key that goes back is handled: nothing is checked
	// then, or nobody could leave a question they cannot answer.
	back bool
	// start is the first page to show. Earlier ones are hidden until it has
	// been reached, and can be gone back to from then on.
	start int
	// before holds what the pointers held: huh puts the first choice into
	// every list it builds, shown or not.
	before []func()

	width, height int // of the terminal, once it is known
}

func (p *Prompter) askOnScreen(ctx context.Context, f Field) error {
	return p.runForm(ctx, newForm([]page{{field: f}}, 0), false)
}

func (p *Prompter) wizardOnScreen(ctx context.Context, w Wizard) error {
	pages := w.pages()
	for start := 0; ; {
		answer := agreed
		end := page{field: w.summaryField(&answer), heading: "Summary", step: len(w.Steps)}
		if err := p.runForm(ctx, newForm(append(pages[:len(pages):len(pages)], end), start), true); err != nil {
			return err
		}
		switch answer {
		case agreed:
			return nil
		case leave:
			return ErrAborted
		}
		start = firstOf(pages, answer)
	}
}

// newForm lays out the pages, one group each.
func newForm(pages []page, start int) *form {
	f := &form{pages: pages, start: start}
	groups := make([]*huh.Group, len(pages))
	for i, pg := range pages {
		f.before = append(f.before, remember(pg.field))
		f.fields = append(f.fields, f.field(pg.field))
		groups[i] = huh.NewGroup(f.fields[i]).
			Title(pg.heading).
			Description(pg.description).
			WithHideFunc(func() bool { return i < f.start || pg.hidden() })
	}
	f.huh = huh.NewForm(groups...).WithKeyMap(keyMap(pages))
	return f
}

// runForm shows a form until it is answered. A wizard takes the whole screen, a
// single question only the lines it needs.
func (p *Prompter) runForm(ctx context.Context, f *form, fullScreen bool) error {
	p.setColours()
	f.huh.WithTheme(theme())
	options := []tea.ProgramOption{
		tea.WithInput(p.in),
		tea.WithOutput(p.out),
		// Signals end ctx; a second handler would race with it.
		tea.WithoutSignalHandler(),
		tea.WithFilter(func(_ tea.Model, msg tea.Msg) tea.Msg {
			f.notice(msg, fullScreen)
			return msg
		}),
	}
	if fullScreen {
		options = append(options, tea.WithAltScreen())
	}
	// The form is run here and not by huh, which kills it on Ctrl-C and when ctx
	// ends: the terminal would still be read after this returns.
	f.huh.SubmitCmd, f.huh.CancelCmd = tea.Quit, tea.Quit
	program := tea.NewProgram(f.huh, options...)
	defer context.AfterFunc(ctx, program.Quit)()
	defer f.refresh(program)()
	_, err := program.Run()
	if err != nil {
		return fmt.Errorf("ask on the terminal: %w", err)
	}
	if f.huh.State != huh.StateCompleted {
		return ErrAborted
	}
	for i, pg := range f.pages {
		if pg.hidden() {
			f.before[i]()
		} else if pg.field.Text != nil {
			*pg.field.Text = pg.field.trim(*pg.field.Text)
		}
	}
	return nil
}

// refreshed makes the form ask for its texts again.
type refreshed struct{}

// refresh has texts that change by themselves shown anew, until the function it
// returns is called.
func (f *form) refresh(program *tea.Program) (stop func()) {
	var every time.Duration
	for _, pg := range f.pages {
		every = max(every, pg.field.Every)
	}
	if every == 0 {
		return func() {}
	}
	done := make(chan struct{})
	var refreshing sync.WaitGroup
	refreshing.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				program.Send(refreshed{})
			}
		}
	})
	return func() {
		close(done)
		refreshing.Wait()
	}
}

// notice sees every message before the form does.
func (f *form) notice(msg tea.Msg, fullScreen bool) {
	if f.start > 0 && f.shown() >= f.start {
		f.start = 0
		f.huh.UpdateFieldPositions()
	}
	switch msg := msg.(type) {
	case tea.KeyMsg:
		f.back = msg.String() == "shift+tab" || msg.String() == "esc"
	case tea.WindowSizeMsg:
		f.width, f.height = min(msg.Width, widest), msg.Height
		f.huh.WithWidth(f.width)
	}
	if fullScreen && f.height > 0 {
		f.resize()
	}
}

// resize makes the form as tall as the page shown now needs: the hint and the
// error stand below it, and not at the far end of a tall terminal.
func (f *form) resize() {
	room := f.height - 2 // the empty line above the hint, and the last: some terminals scroll when it is full
	f.huh.WithHeight(max(min(max(f.rows(f.shown()), leastRows), room), 1))
	// huh has cut the lists and texts of all other pages to that height as well,
	// for good.
	for i, pg := range f.pages {
		over := max(f.rows(i)-room, 0)
		switch {
		case pg.field.Multiline:
			f.fields[i].WithHeight(max(textRows-over, 1) + 2) // with title and help
		case len(pg.field.Choices) > 0 && over > 0:
			f.fields[i].WithHeight(max(lipgloss.Height(f.fields[i].WithHeight(0).View())-over, 1))
		case len(pg.field.Choices) > 0:
			f.fields[i].WithHeight(0) // as tall as the list is
		}
	}
}

// rows is how many lines a page needs, without the empty one above the hint.
func (f *form) rows(i int) int {
	pg := f.pages[max(i, 0)]
	answer := max(len(pg.field.Choices), 3)
	if pg.field.Multiline {
		answer = textRows + 1
	}
	rows := lines(pg.field.Title, f.width) + answer + 2 // the hint, or an error of two lines
	for _, text := range []string{pg.heading, pg.description, pg.field.help()} {
		if text != "" {
			rows += lines(text, f.width) + 1
		}
	}
	return rows
}

// shown returns the index of the page on the screen.
func (f *form) shown() int { return slices.Index(f.fields, f.huh.GetFocusedField()) }

func lines(text string, width int) int {
	return lipgloss.Height(lipgloss.NewStyle().Width(width - 2).Render(text))
}

// field builds the huh field for a question.
func (f *form) field(q Field) huh.Field {
	help := newFollower(q.help)
	switch {
	case q.Text != nil && q.Multiline:
		t := huh.NewText().Title(q.Title).Value(q.Text).Placeholder(q.Placeholder).ExternalEditor(false).
			Validate(f.unlessBack(q.checkText))
		if q.Help != nil {
			t.Description(q.help()).DescriptionFunc(help.last, help)
		}
		return t
	case q.Text != nil:
		t := huh.NewInput().Title(q.Title).Value(q.Text).Placeholder(q.Placeholder).
			Validate(f.unlessBack(q.checkText))
		if q.Secret {
			t.EchoMode(huh.EchoModePassword)
		}
		if q.Help != nil {
			t.Description(q.help()).DescriptionFunc(help.last, help)
		}
		return t
	case q.Pick != nil:
		s := huh.NewSelect[string]().Title(q.Title).Options(options(q.Choices)...).Value(q.Pick).
			Validate(f.unlessBack(q.checkPick))
		if q.Help != nil {
			s.Description(q.help()).DescriptionFunc(help.last, help)
		}
		return s
	case q.PickMany != nil:
		m := huh.NewMultiSelect[string]().Title(q.Title).Options(options(q.Choices)...).Value(q.PickMany).
			Filterable(len(q.Choices) > manyChoices).
			Validate(func(values []string) error {
				if f.back {
					return nil
				}
				return q.checkMany(values)
			})
		if q.Help != nil {
			m.Description(q.help()).DescriptionFunc(help.last, help)
		}
		return m
	default:
		c := huh.NewConfirm().Title(q.Title).Value(q.Yes).WithButtonAlignment(lipgloss.Left)
		if q.Help != nil {
			c.Description(q.help()).DescriptionFunc(help.last, help)
		}
		return c
	}
}

func (f *form) unlessBack(check func(string) error) func(string) error {
	return func(s string) error {
		if f.back {
			return nil
		}
		return check(s)
	}
}

func options(choices []Choice) []huh.Option[string] {
	all := make([]huh.Option[string], len(choices))
	for i, c := range choices {
		all[i] = huh.NewOption(c.text(), c.Value)
	}
	return all
}

// remember returns a function that puts back what a field's pointer holds now.
func remember(f Field) func() {
	switch {
	case f.Text != nil:
		was := *f.Text
		return func() { *f.Text = was }
	case f.Pick != nil:
		was := *f.Pick
		return func() { *f.Pick = was }
	case f.PickMany != nil:
		was := *f.PickMany
		return func() { *f.PickMany = was }
	default:
		was := *f.Yes
		return func() { *f.Yes = was }
	}
}

// follower makes huh show a text that depends on answers. huh asks for a hash
// while it handles a message, and for the text later, in a goroutine, when an
// answer may be changing: so the text is made with the hash and handed out then.
type follower struct {
	text func() string
	// made is a pointer because hashstructure copies what it hashes.
	made *atomic.Pointer[string]
}

func newFollower(text func() string) follower {
	f := follower{text: text, made: new(atomic.Pointer[string])}
	f.made.Store(new(string))
	return f
}

// Hash makes the text again and returns a number that changes with it. It is
// what hashstructure, which huh uses, looks for.
func (f follower) Hash() (uint64, error) {
	text := f.text()
	f.made.Store(&text)
	sum := fnv.New64a()
	_, _ = io.WriteString(sum, text)
	return sum.Sum64(), nil
}

func (f follower) last() string { return *f.made.Load() }

// keyMap is huh's with Esc as a second way back and what the keys do said in
// words that fit a wizard.
func keyMap(pages []page) *huh.KeyMap {
	k := huh.NewDefaultKeyMap()
	back := key.NewBinding(key.WithKeys("shift+tab", "esc"), key.WithHelp("esc", "back"))
	next := key.NewBinding(key.WithKeys("enter", "tab"), key.WithHelp("enter", "next • ctrl+c leave"))
	done := key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "done • ctrl+c leave"))
	k.Input.Prev, k.Text.Prev, k.Select.Prev, k.MultiSelect.Prev, k.Confirm.Prev = back, back, back, back, back
	k.Input.Next, k.Select.Next, k.MultiSelect.Next, k.Confirm.Next = next, next, next, next
	k.Input.Submit, k.Text.Submit, k.Select.Submit, k.MultiSelect.Submit, k.Confirm.Submit = done, done, done, done, done
	k.Text.Next.SetHelp("enter", "next • ctrl+c leave")
	k.MultiSelect.Toggle.SetHelp("space", "choose")
	many := false
	for _, pg := range pages {
		many = many || len(pg.field.Choices) > manyChoices
	}
	if !many {
		k.Select.Filter = key.NewBinding()
	}
	return k
}

// setColours decides about colours from the environment and never by asking
// the terminal: one that does not answer would hold everything up for seconds.
func (p *Prompter) setColours() {
	lipgloss.SetColorProfile(termenv.NewOutput(p.out, termenv.WithEnvironment(environment(p.getenv))).EnvColorProfile())
	lipgloss.SetHasDarkBackground(true)
}

type environment func(string) string

func (e environment) Getenv(name string) string { return e(name) }

func (e environment) Environ() []string { return nil }

// theme uses the terminal's own sixteen colours, which fit its background
// whichever that is, and says everything without colour too.
func theme() *huh.Theme {
	var (
		accent = lipgloss.Color("6") // for marks; words stay in the usual colour
		wrong  = lipgloss.Color("9")
	)
	t := huh.ThemeBase()
	t.Group.Title = lipgloss.NewStyle().Bold(true).MarginBottom(1)
	t.Group.Description = lipgloss.NewStyle().MarginBottom(1)

	f := &t.Focused
	f.Base = f.Base.BorderForeground(accent)
	f.Title = lipgloss.NewStyle().Bold(true)
	f.Description = lipgloss.NewStyle().MarginBottom(1)
	f.ErrorIndicator = f.ErrorIndicator.Foreground(wrong)
	f.ErrorMessage = lipgloss.NewStyle().SetString("✗").Foreground(wrong)
	f.SelectSelector = f.SelectSelector.Foreground(accent)
	f.SelectedOption = lipgloss.NewStyle().Bold(true)
	f.MultiSelectSelector = f.MultiSelectSelector.Foreground(accent)
	f.SelectedPrefix = f.SelectedPrefix.SetString("[x] ")
	f.FocusedButton = lipgloss.NewStyle().SetString(">").Bold(true).Foreground(accent).MarginRight(3)
	f.BlurredButton = lipgloss.NewStyle().SetString(" ").MarginRight(3)
	f.TextInput.Placeholder = lipgloss.NewStyle().Faint(true)
	f.TextInput.Prompt = lipgloss.NewStyle().Foreground(accent)

	t.Blurred = t.Focused
	t.Blurred.Base = t.Blurred.Base.BorderStyle(lipgloss.HiddenBorder())

	hint := lipgloss.NewStyle().Faint(true)
	t.Help.ShortKey, t.Help.ShortDesc, t.Help.ShortSeparator, t.Help.Ellipsis = hint, hint, hint, hint
	return t
}
