package cli

import (
	"bufio"
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
)

// exportFlags are what every export takes.
type exportFlags struct{ file string }

func (f *exportFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "file", "", "write to this file instead of standard output")
	_ = cmd.MarkFlagFilename("file", "csv", "json")
}

// exportHelp ends the help of every export.
const exportHelp = `
Writes CSV, or JSON with --output json. Cells that a spreadsheet would run as a
formula get an apostrophe in front, which the import takes away again.`

// exporting is a command's own part of an export.
type exporting func(ctx context.Context, a *app.App, w io.Writer, format app.ExportFormat) (int, error)

func runExport(ctx context.Context, env *Env, f exportFlags, one, many string, run exporting) error {
	format := app.ExportCSV
	if env.Config.Output == output.JSON {
		format = app.ExportJSON
	}
	file := &newFile{path: f.file}
	defer file.abort()
	var w io.Writer
	var err error
	if f.file != "" {
		if w, err = file.open(); err != nil {
			return err
		}
	} else if w = env.Out; env.outTerminal() {
		w = &plainWriter{out: env.Out}
	}
	buffered := bufio.NewWriterSize(w, 64<<10)
	n := 0
	err = env.withApp(ctx, func(a *app.App) (err error) {
		n, err = run(ctx, a, buffered, format)
		return err
	})
	if err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if f.file == "" {
		return nil
	}
	if _, err := file.commit(); err != nil {
		return err
	}
	env.say("wrote %s to %s", counted(n, one, many), f.file)
	return nil
}

func (e *Env) outTerminal() bool {
	f, ok := e.Out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) // #nosec G115 -- a descriptor fits
}
