package cli

import (
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/portalctl/portalctl/pkg/portal"
)

func newCompletionCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script that completes commands in your shell",
		Example: `  portalctl completion bash > /etc/bash_completion.d/portalctl
  portalctl completion zsh > "${fpath[1]}/_portalctl"
  portalctl completion fish > ~/.config/fish/completions/portalctl.fish`,
		Args:        oneArg("the shell"),
		ValidArgs:   []string{"bash", "zsh", "fish", "powershell"},
		Annotations: map[string]string{noConfig: "the script is the same on every machine"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(env.Out, true)
			case "zsh":
				return root.GenZshCompletion(env.Out)
			case "fish":
				return root.GenFishCompletion(env.Out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(env.Out)
			}
			return portal.Invalidf("usage", "", "%q is not a shell completions are made for; use bash, zsh, fish or powershell", args[0])
		},
	}
}

// newManCmd writes the man pages that packages install. It is hidden: people
// read them with man.
func newManCmd(*Env) *cobra.Command {
	return &cobra.Command{
		Use:         "man <dir>",
		Short:       "Write the man pages into a directory",
		Example:     "  portalctl man ./man",
		Hidden:      true,
		Args:        oneArg("the directory"),
		Annotations: map[string]string{noConfig: "the pages are the same on every machine"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { // #nosec G301 -- man pages are for everybody
				return err
			}
			// No date of the day: the same version makes the same pages.
			date := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
			root := cmd.Root()
			root.DisableAutoGenTag = true
			header := &doc.GenManHeader{Section: "1", Source: "portalctl", Manual: "portalctl", Date: &date}
			return doc.GenManTree(root, header, args[0])
		},
	}
}
