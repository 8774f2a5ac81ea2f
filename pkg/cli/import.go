package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/transfer"
)

// importFlags are what every import takes.
type importFlags struct {
	file, rejects, timeZone, dateOrder string
	dryRun                             bool
}

func (f *importFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.dryRun, "dry-run", false, "report what would happen, and change nothing")
	flags.StringVar(&f.rejects, "rejects", "", "where rows that are not taken go (default NAME.rejects.csv beside the file)")
	flags.StringVar(&f.timeZone, "time-zone", "UTC", "the time zone of dates that name none, such as Europe/Stockholm")
	flags.StringVar(&f.dateOrder, "date-order", "", "dmy or mdy: which comes first in 03/04/2026, where no other date of the file tells")
	_ = cmd.MarkFlagFilename("rejects", "csv")
}

// importHelp ends the help of every import.
const importHelp = `
The file may be UTF-8, UTF-16 or Windows-1252, with commas, semicolons or tabs.
"-" reads standard input. Rows that cannot be taken are told by line and reason
and written to a rejects file, which can be mended and imported like the
original; all others are taken. The command then ends with code 2, and with 0
when every row was taken. Running it again changes nothing. Empty cells change
nothing either.`

// importing is a command's own part of an import.
type importing func(ctx context.Context, a *app.App, src transfer.Source, size int64, o app.ImportOptions) (*app.ImportResult, error)

// runImport imports the file a command names.
func runImport(ctx context.Context, env *Env, f importFlags, o app.ImportOptions, run importing) error {
	if err := env.ask(ctx, &f.file, "Which file?", "the file as an argument, or - for standard input"); err != nil {
		return err
	}
	if err := f.options(&o); err != nil {
		return err
	}
	src, size, err := env.source(f.file)
	if err != nil {
		return err
	}
	defer src.Close()
	rejects, err := f.rejectsFile()
	if err != nil {
		return err
	}
	if rejects != nil {
		defer rejects.abort()
		o.Rejects = rejects.open
	}
	bar := env.bar(size)
	o.Progress = func(done, _ int64) { bar(done) }
	var result *app.ImportResult
	began := env.now()
	err = env.withApp(ctx, func(a *app.App) error {
		var failed error
		result, failed = run(ctx, a, src, size, o)
		return errors.Join(failed, env.sayWaiting(ctx, a, began))
	})
	bar(-1)
	if result == nil {
		return err
	}
	written := ""
	if err == nil && rejects != nil {
		written, err = rejects.commit()
	}
	return env.imported(result, o.DryRun, written, err)
}

func (f *importFlags) options(o *app.ImportOptions) error {
	o.DryRun = f.dryRun
	loc, err := time.LoadLocation(f.timeZone)
	if err != nil || strings.EqualFold(f.timeZone, "local") {
		return portal.Invalidf("import.time_zone", "time-zone", "%q is not a time zone; write it like Europe/Stockholm or UTC", f.timeZone)
	}
	o.Transfer.Location = loc
	o.Transfer.DateOrder, err = transfer.ParseDateOrder(f.dateOrder)
	return err
}

// rejectsFile is where rows that are not taken go; nil when they go nowhere. A
// dry run writes them only when it is asked to.
func (f *importFlags) rejectsFile() (*newFile, error) {
	path := f.rejects
	switch {
	case path != "":
	case f.file == "-" || f.dryRun:
		return nil, nil
	default:
		path = strings.TrimSuffix(f.file, filepath.Ext(f.file)) + ".rejects.csv"
	}
	if f.file != "-" {
		in, err := os.Stat(f.file)
		out, outErr := os.Stat(path)
		if err == nil && outErr == nil && os.SameFile(in, out) {
			return nil, portal.Invalidf("import.rejects", "rejects", "the rejects would replace %s itself", f.file).
				WithHint("name another file with --rejects")
		}
	}
	return &newFile{path: path}, nil
}

// imported tells what an import did. Rejected rows are an error, after all
// that went well was told.
func (e *Env) imported(r *app.ImportResult, dry bool, rejects string, failed error) error {
	did := ""
	if dry {
		did = "would be "
	}
	e.say("%screated %d, updated %d, unchanged %d, rejected %d", did, r.Created, r.Updated, r.Unchanged, r.Rejected)
	if r.CompaniesCreated > 0 {
		e.say("%screated because a row names them: %s", did, counted(r.CompaniesCreated, "company", "companies"))
	}
	if r.ContactsCreated > 0 {
		e.say("%screated because a row names them: %s", did, counted(r.ContactsCreated, "contact", "contacts"))
	}
	for _, n := range r.Notices {
		e.say("note: %s", n)
	}
	const shown = 20
	for i, p := range r.Problems {
		if i == shown {
			e.say("  … and more")
			break
		}
		e.say("  %s", p)
	}
	if e.Config.Output == output.JSON {
		if err := e.Printer().JSON(importSummary{r, dry, rejects}); err != nil {
			return err
		}
	}
	if failed != nil {
		e.say("the import stopped; what it had taken until then stays, and running it again goes on from there")
		return failed
	}
	if r.Rejected == 0 {
		return nil
	}
	err := portal.Invalidf("import.rejected", "", "%s rejected; everything else was taken", counted(r.Rejected, "record was", "records were"))
	if dry {
		err = portal.Invalidf("import.rejected", "", "%d would be rejected; everything else would be taken", r.Rejected)
	}
	if rejects != "" {
		return err.WithHint("mend the rows in %s and import that file", rejects)
	}
	return err
}

// counted is a number with its noun. Other than app.Counted it never stops at
// a thousand.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// importSummary is what an import did, as scripts read it.
type importSummary struct {
	*app.ImportResult
	DryRun  bool   `json:"dry_run"`
	Rejects string `json:"rejects,omitempty"` // the file
}

// source opens the file to import. Standard input is kept in a temporary file
// first, because the file is read more than once.
func (e *Env) source(path string) (*os.File, int64, error) {
	if path != "-" {
		f, err := os.Open(path) // #nosec G304 -- the operator names the file
		if err != nil {
			return nil, 0, fileError("file", path, err)
		}
		info, err := f.Stat()
		switch {
		case err == nil && info.IsDir():
			err = portal.Invalidf("import.file", "file", "%s is a folder; name a CSV file", path)
		case err == nil && !info.Mode().IsRegular():
			err = portal.Invalidf("import.file", "file", "%s is not a file; pipe it to standard input and name it -", path)
		}
		if err != nil {
			_ = f.Close() // was only read
			return nil, 0, err
		}
		return f, info.Size(), nil
	}
	f, err := os.CreateTemp("", "portalctl-import-")
	if err != nil {
		return nil, 0, err
	}
	// Where the system allows it the file has no name from here on, so that
	// nothing stays behind whatever happens.
	_ = os.Remove(f.Name())
	size, err := io.Copy(f, e.In)
	if err != nil {
		_ = f.Close() // the copy failed
		return nil, 0, err
	}
	return f, size, nil
}

// bar shows how far something has come, on a terminal only. Less than nothing
// ends it.
func (e *Env) bar(size int64) func(done int64) {
	f, ok := e.Err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || e.Config.Quiet || size <= 0 { // #nosec G115 -- a descriptor fits
		return func(int64) {}
	}
	bar := progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(f),
		progressbar.OptionSetDescription("importing"),
		progressbar.OptionShowBytes(true),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(true),
	)
	return func(done int64) {
		// A bar that cannot be drawn is no reason to stop.
		if done < 0 {
			_ = bar.Clear()
		} else {
			_ = bar.Set64(done)
		}
	}
}
