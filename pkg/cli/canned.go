package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newCannedCmd(env *Env) *cobra.Command {
	return noun("canned", "Canned answers: texts agents answer with again and again",
		`  portalctl canned set Greeting --file greeting.md
  portalctl canned list`,
		newCannedListCmd(env),
		newCannedShowCmd(env),
		newCannedSetCmd(env),
		newCannedRemoveCmd(env),
	)
}

var cannedColumns = []output.Column{
	{Name: "name", Head: "Name", Keep: true},
	{Name: "inbox", Head: "Inbox"},
	{Name: "text", Head: "Text"},
	{Name: "updated_at", Head: "Changed", Spare: true},
}

func cannedRow(c *portal.Canned) []any {
	return []any{c.Name, c.InboxName, c.Body, c.UpdatedAt}
}

func newCannedListCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List canned answers",
		Example: "  portalctl canned list",
		Args:    upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.withApp(cmd.Context(), func(a *app.App) error {
				list, err := a.CannedAnswers(cmd.Context(), nil)
				if err != nil {
					return err
				}
				rows := make([][]any, len(list))
				for i := range list {
					rows[i] = cannedRow(&list[i])
				}
				return env.Printer().List(cannedColumns, rows, "There is no canned answer yet. Add one with: portalctl canned set NAME --file FILE")
			})
		},
	}
}

func newCannedShowCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "show <name>",
		Short:   "Show one canned answer",
		Example: "  portalctl canned show Greeting",
		Args:    oneArg("the canned answer"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.withApp(cmd.Context(), func(a *app.App) error {
				c, err := a.CannedNamed(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return env.Printer().Object(cannedColumns, cannedRow(c))
			})
		},
	}
}

type cannedSetOptions struct {
	Name  string
	File  *string
	To    *string
	Inbox *string
}

func newCannedSetCmd(env *Env) *cobra.Command {
	var opts cannedSetOptions
	var file, to, inbox string
	cmd := &cobra.Command{
		Use:   "set <name>",
		Short: "Add a canned answer, or change one",
		Long: `Add a canned answer, or change the one with the name. Its text is Markdown, from
a file or, with --file -, from standard input. What stands in double braces is
filled in when an agent uses it: {{customer}}, {{first_name}}, {{number}},
{{subject}}, {{agent}}, {{company}}, {{portal}} and {{link}}.`,
		Example: `  portalctl canned set Greeting --file greeting.md
  echo 'Hello {{first_name}},' | portalctl canned set Greeting --file - --inbox Support`,
		Args: oneArg("the canned answer"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Name, opts.File, opts.To, opts.Inbox = args[0], given(cmd, "file", file), given(cmd, "name", to), given(cmd, "inbox", inbox)
			return runCannedSet(cmd.Context(), env, opts)
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "the file that holds the text; - for standard input")
	cmd.Flags().StringVar(&to, "name", "", "a new name for it")
	cmd.Flags().StringVar(&inbox, "inbox", "", `the one inbox it is for; "" for all of them`)
	return cmd
}

func runCannedSet(ctx context.Context, env *Env, opts cannedSetOptions) error {
	in := app.CannedInput{Name: &opts.Name, Inbox: opts.Inbox}
	if opts.File != nil {
		text, err := readText(env, "file", *opts.File)
		if err != nil {
			return err
		}
		in.Body = &text
	}
	return env.withApp(ctx, func(a *app.App) error {
		if opts.To != nil {
			c, err := a.CannedNamed(ctx, opts.Name)
			if err != nil {
				return err
			}
			in.ID, in.Name = c.ID, opts.To
		} else if in.Body == nil {
			// A new one needs its text, and the error names the flag.
			if _, err := a.CannedNamed(ctx, opts.Name); portal.KindOf(err) == portal.NotFound {
				return portal.Invalidf("field.required", "file", "there is no canned answer %q yet, and no text for it", opts.Name).
					WithHint("pass --file with the file that holds the text, or - for standard input")
			}
		}
		c, added, changes, err := a.SetCanned(ctx, nil, in)
		if err != nil {
			return err
		}
		if added {
			return env.outcome(cannedColumns, cannedRow(c), "added the canned answer %q", c.Name)
		}
		return env.changed(cannedColumns, cannedRow(c), changes)
	})
}

func newCannedRemoveCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "remove <name>",
		Short:   "Remove a canned answer",
		Example: "  portalctl canned remove Greeting --yes",
		Args:    oneArg("the canned answer"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCannedRemove(cmd.Context(), env, args[0], yes)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

func runCannedRemove(ctx context.Context, env *Env, name string, yes bool) error {
	return env.withApp(ctx, func(a *app.App) error {
		c, err := a.CannedNamed(ctx, name)
		if err != nil {
			return err
		}
		if err := env.confirm(ctx, yes, fmt.Sprintf("Remove the canned answer %q?", c.Name)); err != nil {
			return err
		}
		if _, err := a.RemoveCanned(ctx, nil, c.ID, ""); err != nil {
			return err
		}
		return env.outcome(cannedColumns, cannedRow(c), "removed the canned answer %q", c.Name)
	})
}
