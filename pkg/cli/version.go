package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newVersionCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:         "version",
		Short:       "Print which version this is",
		Example:     "  portalctl version\n  portalctl version --output json",
		Args:        upTo(0),
		Annotations: map[string]string{noConfig: "must work when the configuration does not"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			format, err := cmd.Flags().GetString("output")
			if err != nil {
				return err
			}
			if format == "" {
				format = env.formatAsked(nil)
			}
			return runVersion(env, format)
		},
	}
}

func runVersion(env *Env, format string) error {
	switch format {
	case "", output.Table:
		_, err := fmt.Fprintf(env.Out, "portalctl %s (%s, %s/%s)\n", env.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	case output.JSON, output.CSV:
		return env.printer(format).Object([]output.Column{
			{Name: "version"}, {Name: "commit"}, {Name: "go"}, {Name: "os"}, {Name: "arch"},
		}, []any{env.Version, commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH})
	}
	return portal.Invalidf("config.choice", "output", "%q is not a choice for output; use table, json or csv", format)
}

// commit returns what the binary was built from, if it says, or nil.
func commit() any {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return nil
}
