package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/mail/source"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

// imapPasswordEnv holds a mailbox's password in scripts. A flag's value would
// end in the shell's history.
const imapPasswordEnv = "PORTALCTL_IMAP_PASSWORD" // #nosec G101 -- the name of a variable

func newInboxSetCmd(env *Env) *cobra.Command {
	var name, kind, address string
	var mail inboxMailFlags
	var desk inboxDeskFlags
	cmd := &cobra.Command{
		Use:   "set <inbox>",
		Short: "Change an inbox, how its mail gets in, how its desk works",
		Long: `Change an inbox. What is not named stays as it is.

Mail gets in by IMAP, which --imap sets up, by LMTP (serve --lmtp-listen) or by
"portalctl mail ingest". Before a mailbox is set, portalctl signs in there.

Who a mail is from counts only as far as your mail server has proven it: name
that server with --trusted-server, as it signs its Authentication-Results. Mail
of anybody who is not proven is held for somebody to look at: see "portalctl
mail held". Agents answer by mail only when they are proven.

--hours say when the desk works, by the clock on its wall; targets count in
them. The target for closing stands still while the customer is waited for.
Tickets that are open keep their times until something happens to them.`,
		Example: `  portalctl inbox set Support --address help@example.com
  portalctl inbox set Support --imap imaps://support@example.com@mail.example.com/INBOX --imap-password-file /etc/portalctl/imap
  portalctl inbox set Support --trusted-server mx.example.com --unknown accept --acknowledge on
  portalctl inbox set Support --hours "mon-fri 09:00-17:00" --time-zone Europe/Stockholm --holidays 2026-12-24,2026-12-25
  portalctl inbox set Support --target urgent=1h/8h --target normal=8h/40h --assign round-robin --assign-company Acme=ana@example.com
  portalctl inbox set Support --kind helpdesk --address ""`,
		Args: oneArg("the inbox"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c := app.InboxChanges{Name: given(cmd, "name", name), Address: given(cmd, "address", address)}
			var err error
			if c.Mail, err = mail.changes(cmd, env); err != nil {
				return err
			}
			if c.Desk, err = desk.changes(cmd, env); err != nil {
				return err
			}
			return runInboxSet(cmd.Context(), env, args[0], given(cmd, "kind", kind), c, mail.noCheck)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the new name")
	cmd.Flags().StringVar(&kind, "kind", "", "inbox (answered by mail) or helpdesk")
	cmd.Flags().StringVar(&address, "address", "", "the mail address; empty for a help desk without one")
	choices(cmd, "kind", "inbox", "helpdesk")
	mail.add(cmd)
	desk.add(cmd)
	return cmd
}

func runInboxSet(ctx context.Context, env *Env, inbox string, kind *string, c app.InboxChanges, noCheck bool) error {
	if kind != nil {
		k, err := portal.ParseInboxKind(*kind)
		if err != nil {
			return err
		}
		c.Kind = &k
	}
	if c == (app.InboxChanges{}) {
		return nothingGiven("--name, --address, --imap or another setting")
	}
	return env.withApp(ctx, func(a *app.App) error {
		if err := proveMailbox(ctx, env, a, inbox, c.Mail, noCheck); err != nil {
			return err
		}
		i, changes, err := a.SetInbox(ctx, inbox, c)
		if err != nil {
			return err
		}
		portals, err := a.Portals(ctx)
		if err != nil {
			return err
		}
		columns, row, err := inboxSheet(ctx, a, i, portals)
		if err != nil {
			return err
		}
		return env.changed(columns, row, changes)
	})
}

// inboxMailFlags are the settings of mail that comes in.
type inboxMailFlags struct {
	imap, passwordFile, tokenCommand, existing, after                 string
	unknown, trusted, trust, addCC, acknowledge, plus, tell, ofPortal string
	noCheck                                                           bool
}

func (v *inboxMailFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&v.imap, "imap", "", "the mailbox mail is fetched from, `imaps://USER@HOST:993/FOLDER`; imap:// is STARTTLS; none: from nowhere")
	f.StringVar(&v.passwordFile, "imap-password-file", "", "a `FILE` with the mailbox's password, - for standard input; or "+imapPasswordEnv)
	f.StringVar(&v.tokenCommand, "imap-token-command", "", "a `COMMAND` that prints an OAuth2 access token, instead of a password; none: use the password")
	f.StringVar(&v.existing, "imap-existing", "", "on: take mail, too, that lies in the folder already")
	f.StringVar(&v.after, "after", "", "what becomes of taken mail in its folder: seen, keep, delete or move:FOLDER")
	f.StringVar(&v.unknown, "unknown", "", "mail from senders nobody knows: hold, accept (makes a contact) or reject")
	f.StringVar(&v.trusted, "trusted-server", "", "the `NAME` by which your mail server signs its Authentication-Results; none: trust no server")
	f.StringVar(&v.trust, "trust-unproven", "", "on: take senders at their word where no trusted server says otherwise")
	f.StringVar(&v.addCC, "add-cc", "", "on: known contacts in Cc take part in tickets opened by mail")
	f.StringVar(&v.acknowledge, "acknowledge", "", "on: tell proven senders that their mail became a ticket")
	f.StringVar(&v.plus, "plus", "", "whether mail to support+anything@ arrives: auto, on or off")
	f.StringVar(&v.tell, "tell", "", "who hears by mail of what customers write: auto, agents, address or both")
	f.StringVar(&v.ofPortal, "tickets-portal", "", "the portal, by `NAME`, that tickets opened by mail belong to; none: the first whose tickets come here")
	f.BoolVar(&v.noCheck, "no-check", false, "set the mailbox without signing in there first")
	choices(cmd, "unknown", "hold", "accept", "reject")
	choices(cmd, "after", "seen", "keep", "delete", "move:")
	choices(cmd, "plus", "auto", "on", "off")
	choices(cmd, "tell", "auto", "agents", "address", "both")
	for _, flag := range []string{"imap-existing", "trust-unproven", "add-cc", "acknowledge"} {
		choices(cmd, flag, "on", "off")
	}
}

// none is what takes a setting away; empty text does as well.
func none(s string) bool { return s == "" || strings.EqualFold(strings.TrimSpace(s), "none") }

// changes reads the flags; nil when none was given.
func (v *inboxMailFlags) changes(cmd *cobra.Command, env *Env) (*app.MailChanges, error) {
	c := &app.MailChanges{}
	var problems []error
	note := func(err error) { problems = append(problems, err) }
	text := func(flag, value string) (string, bool) { return value, cmd.Flags().Changed(flag) }

	if s, ok := text("imap", v.imap); ok {
		c.IMAP = &portal.IMAPSource{}
		if !none(s) {
			box, err := portal.ParseIMAP(s)
			note(err)
			c.IMAP = box
		}
	}
	if s, ok := text("imap-token-command", v.tokenCommand); ok {
		words := []string{}
		if !none(s) {
			var err error
			words, err = splitWords(s)
			note(err)
		}
		c.TokenCommand = &words
	}
	password, err := v.password(cmd, env)
	note(err)
	c.Password = password
	if s, ok := text("after", v.after); ok {
		after, folder, err := portal.ParseAfter(s)
		note(err)
		c.After, c.MoveTo = &after, folder
	}
	for _, o := range []struct {
		flag, value string
		into        **bool
	}{
		{"imap-existing", v.existing, &c.Existing},
		{"trust-unproven", v.trust, &c.TrustUnproven},
		{"add-cc", v.addCC, &c.AddCC},
		{"acknowledge", v.acknowledge, &c.Acknowledge},
	} {
		if s, ok := text(o.flag, o.value); ok {
			on, err := onOff(o.flag, s)
			note(err)
			*o.into = &on
		}
	}
	if s, ok := text("unknown", v.unknown); ok {
		u, err := portal.ParseUnknownSender(s)
		note(err)
		c.Unknown = &u
	}
	if s, ok := text("trusted-server", v.trusted); ok {
		name := ""
		if !none(s) {
			var err error
			name, err = portal.ParseServerName(s)
			note(err)
		}
		c.TrustedServer = &name
	}
	if s, ok := text("plus", v.plus); ok {
		plus, err := portal.ParsePlus(s)
		note(err)
		c.Plus = &plus
	}
	if s, ok := text("tell", v.tell); ok {
		tell, err := portal.ParseTellDesk(s)
		note(err)
		c.Tell = &tell
	}
	if s, ok := text("tickets-portal", v.ofPortal); ok {
		if none(s) {
			s = ""
		}
		c.Portal = &s
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if *c == (app.MailChanges{}) {
		return nil, nil
	}
	return c, nil
}

// password reads the mailbox's password. The variable counts for commands that
// name a mailbox, and for no others.
func (v *inboxMailFlags) password(cmd *cobra.Command, env *Env) (*string, error) {
	const flag = "imap-password-file"
	if !cmd.Flags().Changed(flag) {
		if s := env.Getenv(imapPasswordEnv); s != "" && cmd.Flags().Changed("imap") && !none(v.imap) {
			return &s, nil
		}
		return nil, nil
	}
	s, err := readSecret(env, flag, v.passwordFile, "password")
	return &s, err
}

// checkTime is how long trying a mailbox may take.
const checkTime = time.Minute

// proveMailbox signs in to a mailbox before it is set, and asks for a password
// if that is all that is missing.
func proveMailbox(ctx context.Context, env *Env, a *app.App, inbox string, c *app.MailChanges, noCheck bool) error {
	if c == nil || c.IMAP == nil && c.Password == nil && c.TokenCommand == nil && c.After == nil {
		return nil
	}
	box, place, err := a.MailboxAfter(ctx, inbox, *c)
	if err != nil || box == nil {
		return err
	}
	if box.Password == "" && len(box.TokenCommand) == 0 && env.Prompt.Interactive() {
		question := fmt.Sprintf("What is the password of %s at %s?", box.User, box.Host)
		password, err := env.Prompt.Password(ctx, question, "--imap-password-file", nil)
		if err != nil {
			return err
		}
		c.Password, box.Password = &password, password
	}
	if noCheck || box.Password == "" && len(box.TokenCommand) == 0 {
		return nil // SetInbox says what is missing
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	report, err := source.Check(ctx, mailboxOf(box), place, source.Options{})
	if err != nil {
		return err
	}
	env.say("signed in to %s: %s, %s to be taken", &box.IMAPSource, app.Counted(report.Mails, "mail", "mails"), app.Counted(report.New, "mail", "mails"))
	return nil
}

// inboxShowColumns are those of a list, and how mail gets in.
var inboxShowColumns = append(inboxColumns[:len(inboxColumns):len(inboxColumns)],
	output.Column{Name: "imap", Head: "Fetched from"},
	output.Column{Name: "imap_token_command"},
	output.Column{Name: "imap_existing"},
	output.Column{Name: "after", Head: "Taken mail"},
	output.Column{Name: "unknown", Head: "Unknown senders"},
	output.Column{Name: "trusted_server", Head: "Trusted server"},
	output.Column{Name: "trust_unproven"},
	output.Column{Name: "add_cc"},
	output.Column{Name: "acknowledge"},
	output.Column{Name: "plus"},
	output.Column{Name: "tell"},
	output.Column{Name: "tickets_portal"},
)

func inboxShowRow(i *portal.Inbox, portals []portal.Portal) []any {
	m := &i.Mail
	box := portal.IMAPSource{}
	after := ""
	if m.IMAP != nil {
		box, after = *m.IMAP, m.IMAP.AfterText()
	}
	ofPortal := ""
	for _, p := range portals {
		if p.ID == m.Portal {
			ofPortal = p.Name
		}
	}
	auto := func(s string) string {
		if s == "" {
			return "auto"
		}
		return s
	}
	return append(inboxRow(i, portals),
		m.IMAP.String(), strings.Join(box.TokenCommand, " "), box.Existing, after,
		string(m.Unknown.OrDefault()), m.TrustedServer, m.TrustUnproven, m.AddCC, m.Acknowledge,
		auto(string(m.Plus)), auto(string(m.Tell)), ofPortal)
}
