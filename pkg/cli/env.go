package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/dns"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/mail/incoming"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/prompt"
	"github.com/portalctl/portalctl/pkg/store"
)

// Env is what a command has of the world. main fills it from the system, tests
// from buffers.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	Environ  func() []string // for programs a command starts, such as an editor
	Now      func() time.Time
	Root     bool   // run by root: system-wide defaults
	Version  string // of this build
	User     string // who runs it, by the operating system's name
	// Reach is how doctor visits addresses; zero: as browsers do.
	Reach app.ReachOptions

	// Config and Prompt are made from flags, environment and file before a
	// command starts.
	Config *config.Config
	Prompt *prompt.Prompter

	started   bool
	inviteNow bool // --now
}

// configure reads the configuration for a command.
func (e *Env) configure(cmd *cobra.Command) error {
	if cmd.Annotations[noConfig] != "" || strings.HasPrefix(cmd.Name(), "__") || cmd.Name() == "help" {
		return nil
	}
	c, err := config.Load(config.Options{Flags: cmd.Flags(), Getenv: e.Getenv, Root: e.Root, Formats: strings.Fields(cmd.Annotations[moreFormats])})
	if err != nil {
		return err
	}
	e.Config = c
	e.Prompt = prompt.New(prompt.Options{In: e.In, Out: e.Err, Getenv: e.Getenv, NoInput: c.NoInput, Accessible: c.Accessible})
	return nil
}

// Printer prints data to stdout in the wanted format.
func (e *Env) Printer() *output.Printer { return e.printer(e.Config.Output) }

func (e *Env) printer(format string) *output.Printer {
	p := &output.Printer{Out: e.Out, Note: e.Err, Format: format, Quiet: e.Config != nil && e.Config.Quiet}
	if f, ok := e.Out.(*os.File); ok && term.IsTerminal(int(f.Fd())) { // #nosec G115 -- a descriptor fits
		p.Terminal = true
		if width, _, err := term.GetSize(int(f.Fd())); err == nil { // #nosec G115 -- a descriptor fits
			p.Width = width
		}
	}
	return p
}

// say tells the person something, on stderr, unless they want quiet.
func (e *Env) say(format string, args ...any) { e.sayHanging(0, format, args...) }

// sayHanging is say, with lines that are too long for the terminal continued
// further in than they begin.
func (e *Env) sayHanging(hang int, format string, args ...any) {
	if e.Config != nil && e.Config.Quiet {
		return
	}
	fmt.Fprintln(e.Err, output.Flow(output.CleanText(fmt.Sprintf(format, args...)), e.errWidth(), hang))
}

// sayChanges tells what became different, or that nothing did.
func (e *Env) sayChanges(changes []app.Change) {
	if len(changes) == 0 {
		e.say("unchanged")
	}
	for _, c := range changes {
		e.say("%s", c)
	}
}

// withApp opens the store, works with it and closes it. It creates none.
func (e *Env) withApp(ctx context.Context, work func(*app.App) error) error {
	return e.openApp(ctx, store.Options{Now: e.Now}, e.operator(), work)
}

// operator is who runs a command, and where they came from, for the audit log.
func (e *Env) operator() app.Options {
	o := app.Options{Operator: e.User}
	if o.Operator == "" {
		o.Operator = "unknown"
	}
	if by := e.Getenv("SUDO_USER"); by != "" && by != e.User {
		o.Operator = by + " as " + o.Operator
	}
	// SSH_CONNECTION is "client-address client-port server-address server-port".
	from, _, _ := strings.Cut(e.Getenv("SSH_CONNECTION"), " ")
	if ip, err := netip.ParseAddr(from); err == nil {
		o.OperatorAddress = ip.Unmap().String()
	}
	return o
}

// openApp is withApp for commands that need something special.
func (e *Env) openApp(ctx context.Context, so store.Options, ao app.Options, work func(*app.App) error) (err error) {
	so.Version = e.Version
	s, err := store.Open(ctx, e.Config.Store, so)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	ao.Store, ao.Now, ao.InviteNow = s, e.Now, e.inviteNow
	ao.Parse, ao.MailWords, ao.Texts = incoming.Parse, incomingWords, texts()
	if ao.BaseURL == nil {
		ao.BaseURL = e.baseURL()
	}
	ao.Resolver = dns.New(dns.Options{Server: e.Config.Resolver})
	ao.Issues = e.Config.TLS == "auto"
	if directory := e.Config.ACME.Directory; directory != "" {
		// Of an authority nobody knows the name of, nothing is said about CAA.
		ao.Issuers = append([]string{}, dns.IssuersOf(directory)...)
	}
	return work(app.New(ao))
}

// baseURL is the system domain's address if this command was told, so that
// otherwise the one the last serve had is used.
func (e *Env) baseURL() *url.URL {
	for _, key := range []string{"base-url", "listen", "tls"} {
		if e.Config.Source(key) != config.FromDefault {
			if u, err := url.Parse(e.Config.BaseURL); err == nil && u.Host != "" {
				return u
			}
		}
	}
	return nil
}

// portal finds the portal that --portal names, or the only one there is.
func (e *Env) portal(ctx context.Context, a *app.App) (*portal.Portal, error) {
	return a.PortalNamed(ctx, e.Config.Portal)
}

// confirm asks before something is removed, unless yes was given.
func (e *Env) confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	ok, err := e.Prompt.Confirm(ctx, question, "--yes")
	if err != nil {
		return err
	}
	if !ok {
		return prompt.ErrAborted
	}
	return nil
}

// texts is what an App has to know of the texts people read.
func texts() *app.Texts {
	return &app.Texts{Languages: i18n.Codes(), Canonical: i18n.Canonical, NoteWords: i18n.NoteWords(), Check: checkText}
}

// language checks a --language against the languages there are texts in. A
// country may follow, en-GB, for clock and calendar.
func language(s string) (string, error) {
	if tag, ok := i18n.Canonical(s); ok {
		return tag, nil
	}
	var codes []string
	for _, l := range i18n.Languages() {
		codes = append(codes, fmt.Sprintf("%s (%s)", l.Code, l.Name))
	}
	return "", portal.Invalidf("language.unknown", "language", "%q is not a language of the portal; use %s", s, strings.Join(codes, ", "))
}

// given returns the value of a flag, or nil when it was not given, so that
// what nobody said stays as it is.
func given[T any](cmd *cobra.Command, flag string, value T) *T {
	if !cmd.Flags().Changed(flag) {
		return nil
	}
	return &value
}

// onOff reads a flag that takes on or off.
func onOff(flag, s string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "on", "yes", "true":
		return true, nil
	case "off", "no", "false":
		return false, nil
	}
	return false, portal.Invalidf("usage", flag, "%q is neither on nor off, which is what --%s takes", s, flag)
}

// oneArg wants exactly one argument, and says what it is.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return portal.Invalidf("usage", "", "%s is missing", what).WithHint("write it like: %s", exampleOf(cmd))
		case len(args) > 1:
			return portal.Invalidf("usage", "", "%q is one argument too many; %s takes %s", args[1], cmd.CommandPath(), what).
				WithHint("put a name with spaces in quotation marks")
		}
		return nil
	}
}

// exampleOf is the first line of a command's example.
func exampleOf(cmd *cobra.Command) string {
	line, _, _ := strings.Cut(strings.TrimSpace(cmd.Example), "\n")
	return strings.TrimSpace(line)
}

// shortDuration writes 40m0s as 40m.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// yesFlag adds --yes, which answers the question a removal asks.
func yesFlag(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask")
}
