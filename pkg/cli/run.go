// Package cli is the command line: it turns words into options, calls app and
// prints what came of it. It builds everything else and hands it out, because
// only it knows flags and configuration.
package cli

import (
	"context"
	"strings"
	_ "time/tzdata" // time zones, for machines that have none

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/portal"
)

// Run runs one command and returns its exit code. ctx ends when the process is
// told to stop.
func Run(ctx context.Context, env *Env, args []string) int {
	root := newRootCmd(env)
	root.SetArgs(args)
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	err := root.ExecuteContext(ctx)
	if err != nil && !env.started {
		// Before a command starts, only its words can be wrong.
		err = usageError(err)
	}
	return env.report(ctx, err, args)
}

// noConfig is the annotation of commands that work whatever the configuration
// says.
const noConfig = "no-config"

func newRootCmd(env *Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "portalctl",
		Short: "Set up and host a customer portal",
		Long: `portalctl sets up and hosts a customer portal: a login-protected place where a
company's customers see, open, answer and close their support tickets.

Everything is in this one program and its store, a single file. Set up a portal
with "portalctl init", host it with "portalctl serve", or look at a complete
sample with "portalctl demo".`,
		Example: `  portalctl demo
  portalctl init
  portalctl serve --base-url https://support.example.com`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := env.configure(cmd); err != nil {
				return err
			}
			env.started = true
			return nil
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, err) })
	config.GlobalFlags(root.PersistentFlags())
	root.PersistentFlags().BoolP("help", "h", false, "show what a command does")
	root.AddGroup(
		&cobra.Group{ID: "start", Title: "Start here:"},
		&cobra.Group{ID: "setup", Title: "The portal:"},
		&cobra.Group{ID: "desk", Title: "Tickets and people:"},
		&cobra.Group{ID: "other", Title: "Other:"},
	)
	root.SetHelpCommandGroupID("other")
	// Flags are explained in whole sentences, which have to fit a terminal.
	root.SetUsageTemplate(strings.NewReplacer(
		".LocalFlags.FlagUsages ", ".LocalFlags.FlagUsagesWrapped 80 ",
		".InheritedFlags.FlagUsages ", ".InheritedFlags.FlagUsagesWrapped 80 ",
	).Replace(root.UsageTemplate()))

	add(root, "start",
		newInitCmd(env),
		newServeCmd(env),
		newDemoCmd(env),
		newStatusCmd(env),
	)
	add(root, "setup",
		newPortalCmd(env),
		newDomainCmd(env),
		newInboxCmd(env),
		newAccessCmd(env),
	)
	add(root, "desk",
		newTicketsCmd(env),
		newContactsCmd(env),
		newCompaniesCmd(env),
		newGroupsCmd(env),
		newMembersCmd(env),
		newAgentsCmd(env),
		newMailCmd(env),
	)
	add(root, "other",
		newConfigCmd(env),
		newCompletionCmd(env),
		newManCmd(env),
		newVersionCmd(env),
	)
	return root
}

// add adds commands under one heading of the help.
func add(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		if !c.Hidden {
			c.GroupID = group
		}
		root.AddCommand(c)
	}
}

// noun is a command that only holds others.
func noun(use, short, example string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:     use,
		Short:   short,
		Example: example,
		Args:    noCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(commands...)
	return cmd
}

// noCommand refuses a word that is no command, and says which may be meant.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := portal.Invalidf("usage", "", "%q is not a command of %s", args[0], cmd.CommandPath())
	if cmd.SuggestionsMinimumDistance <= 0 {
		cmd.SuggestionsMinimumDistance = 2
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return err.WithHint("did you mean %s?", strings.Join(near, " or "))
	}
	return err.WithHint("see %s --help", cmd.CommandPath())
}

func flagError(cmd *cobra.Command, err error) error {
	return (&portal.Error{Kind: portal.Invalid, Code: "usage", Msg: err.Error()}).WithHint("see %s --help", cmd.CommandPath())
}
