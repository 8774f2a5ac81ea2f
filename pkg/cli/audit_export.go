package cli

import (
	"bufio"
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newAuditExportCmd(env *Env) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the whole audit log to a file that proves itself",
		Long: `Write the whole audit log as lines of JSON, oldest first, with hashes and all:
"audit verify --file" checks it without the store. The last entry is that of
this export. Names stand as numbers; details hold what was before and after.`,
		Example: `  portalctl audit export --file audit.jsonl
  portalctl audit export | gzip > audit.jsonl.gz`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runAuditExport(cmd.Context(), env, file) },
	}
	cmd.Flags().StringVar(&file, "file", "", "write to this file instead of standard output")
	_ = cmd.MarkFlagFilename("file", "jsonl")
	return cmd
}

func runAuditExport(ctx context.Context, env *Env, path string) error {
	file := &newFile{path: path}
	defer file.abort()
	var w io.Writer
	var err error
	if path != "" {
		if w, err = file.open(); err != nil {
			return err
		}
	} else if w = env.Out; env.outTerminal() {
		w = &plainWriter{out: env.Out}
	}
	buffered := bufio.NewWriterSize(w, 64<<10)
	var n int
	var head portal.AuditHead
	err = env.withApp(ctx, func(a *app.App) (err error) {
		n, head, err = a.ExportAudit(ctx, buffered)
		return err
	})
	if err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if path == "" {
		env.say("head: %s", head)
		return nil
	}
	if _, err := file.commit(); err != nil {
		return err
	}
	env.say("wrote %s to %s", counted(n, "entry", "entries"), path)
	env.say("head: %s", head)
	return nil
}
