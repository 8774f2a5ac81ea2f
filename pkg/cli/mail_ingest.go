package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/mail/incoming"
	"github.com/portalctl/portalctl/pkg/portal"
)

// The exit codes mail servers know (sysexits.h): 0 has taken the mail, anything
// they do not know sends it back to its writer.
const (
	exitUnreadable = 65 // nothing to take
	exitLater      = 75 // keep it and try again
	exitRejected   = 77 // send it back
)

// exitWith is an error that ends the process with a code of another program's
// language.
type exitWith struct {
	error
	code int
}

// Unwrap returns the error itself.
func (e *exitWith) Unwrap() error { return e.error }

type mailIngestOptions struct {
	Inbox      string
	Recipients []string
	Sender     string
	HasSender  bool
}

func newMailIngestCmd(env *Env) *cobra.Command {
	var o mailIngestOptions
	cmd := &cobra.Command{
		Use:   "ingest",
		Short: "Take one mail from standard input",
		Long: `Take one mail from standard input, as mail servers hand it over, and say what
became of it. Without --inbox the mail goes to the inbox that has one of the
recipients' addresses, or one the mail itself names.

Mail servers read the exit code: 0 is taken (held, ignored and duplicate mail
too), 75 is to be offered again, 77 was rejected, 65 was no mail at all.`,
		Example: `  portalctl mail ingest --inbox Support < message.eml
  portalctl mail ingest --recipient support@example.com --sender ann@example.org --output json < message.eml`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.HasSender = cmd.Flags().Changed("sender")
			err := runMailIngest(cmd.Context(), env, o)
			var told *exitWith
			if err != nil && !errors.As(err, &told) {
				// Whatever it is, it is no reason to send the mail back.
				err = &exitWith{err, exitLater}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Inbox, "inbox", "", "the inbox, by name or address")
	f.StringArrayVar(&o.Recipients, "recipient", nil, "the `ADDRESS` it was delivered to (repeatable)")
	f.StringVar(&o.Sender, "sender", "", "the `ADDRESS` of the envelope's sender; empty for the null path")
	return cmd
}

func runMailIngest(ctx context.Context, env *Env, o mailIngestOptions) error {
	arrival := &portal.Arrival{
		Source: portal.SourceIngest, Recipients: o.Recipients, EnvelopeFrom: o.Sender, HasEnvelope: o.HasSender || len(o.Recipients) > 0,
	}
	if err := env.readArrival(arrival); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		if o.Inbox != "" {
			inbox, err := a.Inbox(ctx, o.Inbox)
			if err != nil {
				return err
			}
			arrival.Inbox = inbox.ID
		}
		entry, err := a.TakeMail(ctx, arrival)
		if err != nil {
			return err
		}
		if err := env.tookMail(ctx, a, entry); err != nil {
			return err
		}
		if entry.Decision == portal.MailRejected {
			return &exitWith{portal.Forbiddenf("mail.rejected", "the mail is from a sender nobody knows, and the inbox rejects those"), exitRejected}
		}
		return nil
	})
}

// readArrival reads the mail. Of one that is larger than any that is taken, the
// header is kept and the rest counted.
func (e *Env) readArrival(arrival *portal.Arrival) error {
	raw, err := e.readMail("")
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return &exitWith{portal.Invalidf("mail.empty", "", "standard input holds no mail").WithHint("hand the mail over like: portalctl mail ingest < message.eml"), exitUnreadable}
	}
	arrival.Raw = raw
	if len(raw) <= incoming.MaxMail {
		return nil
	}
	rest, err := io.Copy(io.Discard, bufio.NewReader(e.In))
	if err != nil {
		return err
	}
	arrival.Size = int64(len(raw)) + rest
	head := raw
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		if at := bytes.Index(head, []byte(end)); at >= 0 {
			head = head[:at+len(end)]
		}
	}
	arrival.Raw = bytes.Clone(head[:min(len(head), 256<<10)])
	return nil
}
