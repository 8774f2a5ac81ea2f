package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/mail"
	"github.com/portalctl/portalctl/pkg/mail/source"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

// doctorOptions are how thorough doctor is, and how strict.
type doctorOptions struct {
	Strict  bool
	Send    bool
	Timeout time.Duration
}

func newDoctorCmd(env *Env) *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong before customers do",
		Long: `Look at everything that has to be right before customers come: the store, the
clock, DNS of each domain and who may issue certificates for it, whether each
address can be reached from here and with which certificate, the mail server and
the mailboxes, SPF, DKIM and DMARC of the sending domain, how serve was started,
and who gets in. Each line is ok, warn or fail; below those that are not ok
stands what was wanted and what to do: a command, or a DNS record.

Nothing is changed and nothing is sent. With --send a message goes to each
mailbox that is read, and is waited for. Mail is looked at as this command is
told of it: with the settings serve has, and its password.

Exits with 0 when nothing fails, with 1 otherwise; --strict counts warnings.`,
		Example: `  portalctl doctor
  portalctl doctor --strict --output json
  portalctl doctor --send --smtp smtp://portal@mail.example.com:587`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd.Context(), env, o) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.Strict, "strict", false, "exit with 1 for warnings, too")
	f.BoolVar(&o.Send, "send", false, "send a message to each mailbox that is read, and wait for it")
	f.DurationVar(&o.Timeout, "timeout", 15*time.Second, "how long each check may take")
	config.Flags(f, "base-url", "resolver")
	mailFlags(cmd)
	return cmd
}

func runDoctor(ctx context.Context, env *Env, o doctorOptions) error {
	if o.Timeout <= 0 {
		return portal.Invalidf("usage", "timeout", "%v is no time to check anything in; write it like 15s", o.Timeout)
	}
	return env.withApp(ctx, func(a *app.App) error {
		checks, err := env.checks(ctx, a)
		if err != nil {
			return err
		}
		found, err := app.Examine(ctx, checks, o.Timeout)
		if err != nil {
			return err
		}
		if o.Send {
			more, err := env.sendAround(ctx, a)
			if err != nil {
				return err
			}
			found = append(found, more...)
		}
		if err := env.showChecked(found); err != nil {
			return err
		}
		return verdictOf(found, o.Strict)
	})
}

// checks are those of the store and, beside them, those of what this command
// was told: the mail server and the mailboxes.
func (e *Env) checks(ctx context.Context, a *app.App) ([]app.Check, error) {
	options := app.DoctorOptions{Reach: e.Reach}
	if e.Config.TLS == "auto" {
		options.Clocks = []string{e.Config.ACME.Directory}
	}
	var mailChecks []app.Check
	sender, err := e.sender()
	switch {
	case err != nil:
		settings := err
		mailChecks = append(mailChecks, one("mail", "smtp", func(context.Context) portal.Finding {
			return broken("mail.settings", "smtp", settings)
		}))
	case sender != nil:
		options.Sender = app.SenderFacts{From: sender.From(), Host: e.Config.SMTP.Host}
		if key := sender.Signs(); key != nil {
			if options.Sender.DKIMName, options.Sender.DKIMText, err = key.Record(); err != nil {
				return nil, err
			}
		}
		mailChecks = append(mailChecks, e.checkSMTP(sender))
	}
	boxes, err := a.Mailboxes(ctx)
	if err != nil {
		return nil, err
	}
	for i := range boxes {
		box := &boxes[i]
		mailChecks = append(mailChecks, one("mail", box.Name, func(ctx context.Context) portal.Finding { return readable(ctx, a, box) }))
	}
	all, err := a.Checks(ctx, options)
	if err != nil {
		return nil, err
	}
	return app.Placed(all, mailChecks), nil
}

// one is a check with one finding.
func one(area, about string, look func(context.Context) portal.Finding) app.Check {
	return app.Check{Area: area, About: about, Look: func(ctx context.Context) []portal.Finding { return []portal.Finding{look(ctx)} }}
}

// broken is what an error says to whoever looks for mistakes.
func broken(code, about string, err error) portal.Finding {
	f := portal.Finding{Code: code, Severity: portal.SeverityFail, About: about, Found: err.Error()}
	var e *portal.Error
	if errors.As(err, &e) {
		f.Found, f.Todo = e.Msg, e.Hint
	}
	f.Found = output.Clean(f.Found)
	return f
}

// checkSMTP signs in to the mail server and sends nothing.
func (e *Env) checkSMTP(sender *mail.Sender) app.Check {
	about := fmt.Sprintf("%s:%d", e.Config.SMTP.Host, e.Config.SMTP.Port)
	return one("mail", about, func(ctx context.Context) portal.Finding {
		if err := sender.Check(ctx); err != nil {
			return broken("mail.smtp", about, err)
		}
		how := "signed in as " + e.Config.SMTP.User
		if e.Config.SMTP.User == "" {
			how = "it takes connections"
		}
		return portal.Finding{Code: "mail.smtp", Severity: portal.SeverityOK, About: about, Found: how}
	})
}

// readable signs in to a mailbox and counts, without taking anything.
func readable(ctx context.Context, a *app.App, box *app.Mailbox) portal.Finding {
	const code = "mail.imap"
	place, err := a.MailboxPlace(ctx, box.Inbox)
	if err != nil {
		return broken(code, box.Name, err)
	}
	report, err := source.Check(ctx, mailboxOf(box), place, source.Options{})
	if err != nil {
		return broken(code, box.Name, err)
	}
	return portal.Finding{
		Code: code, Severity: portal.SeverityOK, About: box.Name,
		Found: fmt.Sprintf("%s can be read: %s, %s to be taken", &box.IMAPSource, app.Counted(report.Mails, "mail", "mails"), app.Counted(report.New, "mail", "mails")),
	}
}

// verdictOf is an error when something is not as it should be.
func verdictOf(found []app.Checked, strict bool) error {
	if app.Passed(found, strict) {
		return nil
	}
	bad, warned := 0, 0
	for _, f := range found {
		switch f.Severity {
		case portal.SeverityFail:
			bad++
		case portal.SeverityWarn:
			warned++
		}
	}
	if bad == 0 {
		return &difference{counted(warned, "check warns", "checks warn")}
	}
	return &difference{counted(bad, "check fails", "checks fail")}
}

var checkedColumns = []output.Column{
	{Name: "area"}, {Name: "code"}, {Name: "severity"}, {Name: "about"}, {Name: "found"}, {Name: "wanted"}, {Name: "todo"},
}

func (e *Env) showChecked(found []app.Checked) error {
	switch e.Config.Output {
	case output.JSON:
		if found == nil {
			found = []app.Checked{}
		}
		return e.Printer().JSON(found)
	case output.CSV:
		rows := make([][]any, len(found))
		for i, f := range found {
			rows[i] = []any{f.Area, f.Code, string(f.Severity), f.About, f.Found, f.Wanted, f.Todo}
		}
		return e.Printer().List(checkedColumns, rows, "")
	}
	var b strings.Builder
	width := e.Printer().Width // of a terminal; what goes elsewhere stays whole
	area := ""
	for _, f := range found {
		if f.Area != area {
			area = f.Area
			fmt.Fprintf(&b, "%s\n", area)
		}
		line := func(hang int, begin, text string) {
			b.WriteString(output.Flow(begin+output.Clean(text), width, hang) + "\n")
		}
		line(6, fmt.Sprintf("  %-4s  ", f.Severity), f.About+": "+f.Found)
		if f.Severity == portal.SeverityOK {
			continue
		}
		if f.Wanted != "" {
			line(8, "        wanted: ", f.Wanted)
		}
		if f.Todo != "" {
			line(8, "        do:     ", f.Todo)
		}
	}
	_, err := fmt.Fprint(e.Out, b.String())
	return err
}
