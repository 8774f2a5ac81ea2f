package cli

import (
	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/output"
)

func newConfigCmd(env *Env) *cobra.Command {
	return noun("config", "See the settings of this machine", "  portalctl config show", newConfigShowCmd(env))
}

func newConfigShowCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show every setting, its value and where that comes from",
		Long: `Show the settings of this process: flags beat the environment (PORTALCTL_...),
which beats the configuration file, which beats the defaults. Secrets are
masked. What a portal does is kept in the store; see "portalctl status".`,
		Example: "  portalctl config show\n  portalctl config show --output json",
		Args:    upTo(0),
		RunE:    func(*cobra.Command, []string) error { return runConfigShow(env) },
	}
	var rest []string
	for _, s := range config.Settings() {
		if cmd.Flags().Lookup(s.Key) == nil && !isGlobal(s.Key) && !s.Secret() {
			rest = append(rest, s.Key)
		}
	}
	config.Flags(cmd.Flags(), rest...)
	return cmd
}

// isGlobal reports whether every command has the setting's flag.
func isGlobal(key string) bool {
	switch key {
	case "store", "portal", "output", "no-input", "quiet", "accessible":
		return true
	}
	return false
}

func runConfigShow(env *Env) error {
	if env.Config.File != "" {
		env.say("from %s, the environment and the flags", env.Config.File)
	}
	var rows [][]any
	for _, e := range env.Config.Entries() {
		rows = append(rows, []any{e.Key, e.Value, string(e.Source)})
	}
	return env.Printer().List([]output.Column{
		{Name: "setting", Head: "Setting", Keep: true},
		{Name: "value", Head: "Value", Keep: true},
		{Name: "source", Head: "From", Keep: true},
	}, rows, "")
}
