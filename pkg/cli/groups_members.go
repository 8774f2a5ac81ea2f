package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

type groupsMembersOptions struct {
	Name        string
	Add, Remove []string
	File        string
	After       string
	Limit       int
	Preview     bool
}

func newGroupsMembersCmd(env *Env) *cobra.Command {
	var opts groupsMembersOptions
	cmd := &cobra.Command{
		Use:   "members [<name>]",
		Short: "List, add and remove the contacts of an access group",
		Long: `Without --add, --remove and --file the group's contacts are listed.

Whoever gets into a live portal by being added is invited, and once only;
whoever can no longer enter by being removed is signed out at once.
` + graceHelp + `
With --preview they are listed, and nothing is changed.

Rules decide who is in a group that has some: see "portalctl groups set --help".`,
		Example: `  portalctl groups members customers
  portalctl groups members customers --add ann@example.com --remove bo@example.com
  portalctl groups members customers --file addresses.txt`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Name = firstOf(args)
			return runGroupsMembers(cmd.Context(), env, opts)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&opts.Add, "add", nil, "e-mail address of a contact to add (repeatable)")
	f.StringSliceVar(&opts.Remove, "remove", nil, "e-mail address of a contact to remove (repeatable)")
	f.StringVar(&opts.File, "file", "", "add the contacts of a file with one e-mail address a line (- for standard input)")
	f.StringVar(&opts.After, "after", "", "list from behind this address")
	f.IntVar(&opts.Limit, "limit", 50, "list at most this many")
	previewFlag(cmd, &opts.Preview)
	nowFlag(cmd, env)
	return cmd
}

func runGroupsMembers(ctx context.Context, env *Env, opts groupsMembersOptions) error {
	if err := env.ask(ctx, &opts.Name, groupQuestion, groupPass); err != nil {
		return err
	}
	if err := limitFlag(opts.Limit); err != nil {
		return err
	}
	if opts.File != "" {
		more, err := env.addressFile(opts.File)
		if err != nil {
			return err
		}
		opts.Add = append(opts.Add, more...)
	}
	return env.withApp(ctx, func(a *app.App) error {
		if len(opts.Add) == 0 && len(opts.Remove) == 0 && opts.File == "" {
			if opts.Preview {
				return portal.Invalidf("usage", "preview", "--preview shows what a change would do; name one with --add, --remove or --file")
			}
			return listGroupMembers(ctx, env, a, opts)
		}
		if opts.Preview {
			p, err := a.PreviewChange(ctx, opts.Name, opts.Add, opts.Remove)
			if err != nil {
				return err
			}
			return showGroupPreview(env, p)
		}
		done, err := a.ChangeGroup(ctx, opts.Name, opts.Add, opts.Remove)
		if err != nil {
			return err
		}
		return showGroupChange(ctx, env, a, done)
	})
}

func (e *Env) addressFile(path string) ([]string, error) {
	f, err := e.open("file", path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return addresses(f)
}

var groupMemberColumns = []output.Column{
	{Name: "email", Head: "E-mail", Keep: true},
	{Name: "name", Head: "Name"},
	{Name: "company", Head: "Company", Spare: true},
}

func listGroupMembers(ctx context.Context, env *Env, a *app.App, opts groupsMembersOptions) error {
	list, err := a.GroupContacts(ctx, opts.Name, opts.After, opts.Limit+1)
	if err != nil {
		return err
	}
	list, more := cutTo(list, opts.Limit)
	rows := make([][]any, len(list))
	for i, c := range list {
		rows[i] = []any{c.Email, c.Name, c.PrimaryName}
	}
	empty := "the group has no contacts; add some with --add"
	if opts.After != "" {
		empty = "no more contacts"
	}
	if err := env.Printer().List(groupMemberColumns, rows, empty); err != nil {
		return err
	}
	if more {
		env.sayMore(more, list[len(list)-1].Email)
	}
	return nil
}

var groupChangeColumns = []output.Column{
	{Name: "group"},
	{Name: "added"},
	{Name: "removed"},
	{Name: "unchanged"},
	{Name: "invited"},
	{Name: "mails"},
	{Name: "sessions_ended"},
	{Name: "recall_until"},
	{Name: "taken_back"},
}

func showGroupChange(ctx context.Context, env *Env, a *app.App, done *app.GroupChange) error {
	if len(done.Added)+len(done.Removed) == 0 {
		env.say("unchanged")
	}
	if n := len(done.Added); n > 0 {
		env.say("added %s to %q", named(done.Added), done.Group)
	}
	if n := len(done.Removed); n > 0 {
		env.say("removed %s from %q", named(done.Removed), done.Group)
	}
	if err := sayGroupAccess(ctx, env, a, done); err != nil {
		return err
	}
	if env.Config.Output == output.Table {
		return nil
	}
	return env.Printer().Object(groupChangeColumns, []any{
		done.Group, done.Added, done.Removed, done.Unchanged, done.Invited, done.Mails, done.Ended, done.Until, done.TakenBack,
	})
}

// sayGroupAccess tells what joining and leaving a group meant for access.
func sayGroupAccess(ctx context.Context, env *Env, a *app.App, done *app.GroupChange) error {
	env.sayInvitations(&done.Invitations)
	for _, name := range done.Silent {
		env.say("%q lies on the system domain, which mails no invitations: hand over the links that portalctl members link prints", name)
	}
	for _, name := range done.Waiting {
		env.say("%q is not live: its invitations go out when it is", name)
	}
	if done.Mails > 0 {
		if err := env.sayIfNoMail(ctx, a, membersLinkHint); err != nil {
			return err
		}
	}
	if done.Ended > 0 {
		env.say("%s ended", app.Counted(done.Ended, "session", "sessions"))
	}
	return nil
}

// named names a few addresses, or says how many there are.
func named(list []string) string {
	if len(list) <= 3 {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%d contacts", len(list))
}

// sayIfNoMail warns when queued mail may stay where it is, because no server
// process that sends has worked on the store.
func (e *Env) sayIfNoMail(ctx context.Context, a *app.App, instead string) error {
	sends, err := a.SendsMail(ctx)
	if err != nil || sends || e.Config.SMTP.Configured() {
		return err
	}
	e.say("no mail server is set up yet: mail waits until portalctl serve runs with --smtp%s", instead)
	return nil
}

// membersLinkHint is what can be done about invitations without mail.
const membersLinkHint = "; portalctl members link prints links to hand over"
