// Package cli is the command line: it turns words into options, calls app and
// prints what came of it. It builds everything else and hands it out, because
// only it knows flags and configuration.
package cli

import (
	"context"
	"errors"
	"strings"
	_ "time/tzdata" // time zones, for machines that have none

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

// moreFormats is the annotation of commands whose --output takes more than
// table, json and csv.
const moreFormats = "formats"

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
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version, err := cmd.Flags().GetBool("version"); err != nil || version {
				return errors.Join(err, runVersion(env, env.Config.Output))
			}
			return cmd.Help()
		},
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
	root.Flags().Bool("version", false, "print which version this is")
	root.SetUsageTemplate(usageTemplate(root))

	add(root, "start",
		newInitCmd(env),
		newServeCmd(env),
		newDemoCmd(env),
		newStatusCmd(env),
		newDoctorCmd(env),
	)
	add(root, "setup",
		newPortalCmd(env),
		newDomainCmd(env),
		newInboxCmd(env),
		newAccessCmd(env),
		newAuditCmd(env),
	)
	add(root, "desk",
		newTicketsCmd(env),
		newContactsCmd(env),
		newCompaniesCmd(env),
		newGroupsCmd(env),
		newMembersCmd(env),
		newAgentsCmd(env),
		newCannedCmd(env),
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

// usageTemplate is cobra's with flags wrapped to fit a terminal, in which they
// are explained in whole sentences. What every command takes is explained once,
// by the root's help: elsewhere it would push a command's own help off the
// screen.
func usageTemplate(root *cobra.Command) string {
	var global []string
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { global = append(global, "--"+f.Name) })
	return strings.NewReplacer(
		"{{if .Runnable}}", "{{if and .Runnable (or (not .HasAvailableSubCommands) .HasAvailableLocalFlags)}}",
		".LocalFlags.FlagUsages ", ".LocalFlags.FlagUsagesWrapped 80 ",
		"Global Flags:", "Global flags, explained by portalctl --help:",
		"{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}", "  "+strings.Join(global, " "),
		".InheritedFlags.FlagUsages ", ".InheritedFlags.FlagUsagesWrapped 80 ",
	).Replace(root.UsageTemplate())
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
	var value *pflag.InvalidValueError
	if errors.As(err, &value) {
		f := value.GetFlag()
		switch f.Value.Type() {
		case "int":
			return portal.Invalidf("usage", f.Name, "%q is not a whole number, which is what --%s takes", value.GetValue(), f.Name)
		case "bool":
			return portal.Invalidf("usage", f.Name, "%q is neither true nor false, which is what --%s takes", value.GetValue(), f.Name)
		case "duration":
			return portal.Invalidf("usage", f.Name, "%q is not a length of time for --%s; write it like 90s or 10m", value.GetValue(), f.Name)
		}
	}
	return (&portal.Error{Kind: portal.Invalid, Code: "usage", Msg: err.Error()}).WithHint("see %s --help", cmd.CommandPath())
}
