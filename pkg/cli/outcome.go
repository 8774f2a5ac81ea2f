package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

// outcome tells people what a command did to one thing, and hands scripts
// that asked for JSON or CSV the thing itself.
func (e *Env) outcome(columns []output.Column, row []any, format string, args ...any) error {
	e.say(format, args...)
	if e.Config.Output == output.Table {
		return nil
	}
	return e.Printer().Object(columns, row)
}

// outcomes is outcome for several things, a line for each.
func (e *Env) outcomes(columns []output.Column, rows [][]any, lines []string) error {
	for _, line := range lines {
		e.say("%s", line)
	}
	if e.Config.Output == output.Table {
		return nil
	}
	return e.Printer().List(columns, rows, "")
}

// changed tells what became different of a thing, or that nothing did.
func (e *Env) changed(columns []output.Column, row []any, changes []app.Change) error {
	e.sayChanges(changes)
	if e.Config.Output == output.Table {
		return nil
	}
	return e.Printer().Object(columns, row)
}

// ask returns what was given, or asks for it.
func (e *Env) ask(ctx context.Context, value *string, question, pass string) error {
	if *value != "" {
		return nil
	}
	answer, err := e.Prompt.Input(ctx, question, pass, nil)
	*value = answer
	return err
}

// askAll returns the words given, or asks for one.
func (e *Env) askAll(ctx context.Context, words []string, question, pass string) ([]string, error) {
	if len(words) > 0 {
		return words, nil
	}
	answer, err := e.Prompt.Input(ctx, question, pass, nil)
	return []string{answer}, err
}

// limitFlag checks how many rows a list may have.
func limitFlag(n int) error {
	if n < 1 || n > 10000 {
		return portal.Invalidf("usage", "limit", "%d is no usable --limit; use 1 to 10000", n)
	}
	return nil
}

// cutTo returns at most limit rows; more tells whether any were left out.
// Lists ask for one row more than they show.
func cutTo[T any](rows []T, limit int) (shown []T, more bool) {
	if len(rows) <= limit {
		return rows, false
	}
	return rows[:limit], true
}

// sayMore tells how to get at the rows a list has left out.
func (e *Env) sayMore(more bool, after string) {
	if more {
		e.say("there is more: --after %s", shellWord(after))
	}
}

// shellWord quotes a word that a shell would take apart.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@.,_+-/:=") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// pairs reads --property flags, KEY=VALUE each.
func pairs(list []string) (map[string]string, error) {
	set := make(map[string]string, len(list))
	for _, s := range list {
		key, value, ok := strings.Cut(s, "=")
		if !ok || strings.TrimSpace(key) == "" {
			return nil, portal.Invalidf("field.property", "property", "%q is not a property; write it like plan=gold, or plan= to remove it", s)
		}
		set[key] = value
	}
	return set, nil
}

// ticketNumbers reads ticket numbers, each once.
func ticketNumbers(words []string) ([]portal.TicketNumber, error) {
	var numbers []portal.TicketNumber
	var problems []error
	seen := map[portal.TicketNumber]bool{}
	for _, word := range words {
		n, err := portal.ParseTicketNumber(word)
		if err != nil {
			problems = append(problems, err)
		} else if !seen[n] {
			seen[n] = true
			numbers = append(numbers, n)
		}
	}
	return numbers, errors.Join(problems...)
}

// moment reads a point in time: a day, a day with time, or how long ago, such
// as 7d or 12h. With end, a day means its end.
func (e *Env) moment(flag, s string, end bool) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		if end {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 100000 {
			return e.now().AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return e.now().Add(-d), nil
	}
	return time.Time{}, portal.Invalidf("usage", flag, "%q is not a time for --%s; write it like 2026-01-31, 2026-01-31 17:05, 7d or 12h", s, flag)
}

func (e *Env) now() time.Time {
	if e.Now != nil {
		return e.Now()
	}
	return time.Now()
}

// open opens a file to read, or standard input for "-".
func (e *Env) open(flag, path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(e.In), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(flag, path, err)
	}
	return f, nil
}

// fileError says what is wrong with a file that a flag names.
func fileError(flag, path string, err error) error {
	kind, why := portal.Invalid, "it cannot be read"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kind, why = portal.NotFound, "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		kind, why = portal.Forbidden, "reading it is not permitted"
	}
	return &portal.Error{
		Kind: kind, Code: "file.unreadable", Field: flag, Err: err,
		Msg: fmt.Sprintf("cannot use the file %q: %s", path, why),
	}
}

// uploads opens files to attach. The caller closes them.
func uploads(paths []string) (files []app.Upload, closeAll func(), err error) {
	var opened []*os.File
	closeAll = func() {
		for _, f := range opened {
			_ = f.Close() // was only read
		}
	}
	if len(paths) > portal.MaxFiles {
		return nil, closeAll, portal.Invalidf("files.many", "attach", "%d files are too many; at most %d fit into a message", len(paths), portal.MaxFiles)
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, closeAll, fileError("attach", path, err)
		}
		opened = append(opened, f)
		info, err := f.Stat()
		switch {
		case err != nil:
			return nil, closeAll, fileError("attach", path, err)
		case info.IsDir():
			return nil, closeAll, portal.Invalidf("file.unreadable", "attach", "%q is a folder; name a file", path)
		case info.Size() > portal.MaxFileSize:
			return nil, closeAll, portal.Invalidf("file.too_large", "attach", "%q has %s; at most %s fit", path, size(info.Size()), size(portal.MaxFileSize))
		}
		files = append(files, app.Upload{Name: filepath.Base(path), Content: f})
	}
	return files, closeAll, nil
}

// size is a number of bytes as people read it.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// addresses reads a file with one address a line. Empty lines and those that
// start with # are skipped.
func addresses(r io.Reader) ([]string, error) {
	var list []string
	lines := bufio.NewScanner(r)
	for n := 0; lines.Scan(); n++ {
		line := lines.Text()
		if n == 0 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, portal.Invalidf("file.unreadable", "file", "the list of addresses cannot be read: %v", err)
	}
	return list, nil
}

// line prints one line of data to stdout.
func (e *Env) line(text string) error {
	_, err := fmt.Fprintln(e.Out, output.Clean(text))
	return err
}

// upTo takes as many arguments as the usage line shows.
func upTo(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		err := portal.Invalidf("usage", "", "%q is one argument too many for %s", args[n], cmd.CommandPath())
		if n == 0 {
			return err.WithHint("it takes flags only; see %s --help", cmd.CommandPath())
		}
		return err.WithHint("put words that belong together in quotation marks: %s", exampleOf(cmd))
	}
}

// argOrFlag is what the argument says, or else the flag.
func argOrFlag(cmd *cobra.Command, args []string, flag, value string) (string, error) {
	if len(args) == 0 {
		return value, nil
	}
	if cmd.Flags().Changed(flag) && value != args[0] {
		return "", portal.Invalidf("usage", flag, "%q and --%s %q are two answers to one question", args[0], flag, value)
	}
	return args[0], nil
}

// exclusive refuses two flags that contradict each other.
func exclusive(cmd *cobra.Command, one, other string) error {
	if cmd.Flags().Changed(one) && cmd.Flags().Changed(other) {
		return portal.Invalidf("usage", other, "--%s and --%s exclude each other", one, other)
	}
	return nil
}
