package cli

import (
	"bufio"
	"context"
	"strings"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/takeout"
)

// takeOutOptions are what contacts export takes for one person's data.
type takeOutOptions struct {
	email, file string
	allData     bool
}

// check says what is missing of a take-out, or what does not belong together.
func (o *takeOutOptions) check() error {
	switch {
	case !o.allData && o.email == "":
		return nil
	case !o.allData:
		return portal.Invalidf("usage", "all-data", "%q names one contact; everything about one person is exported with --all-data", o.email).
			WithHint("leave the address out to export the list of all contacts")
	case o.email == "":
		return portal.Invalidf("usage", "all-data", "--all-data needs the contact's e-mail address as an argument")
	case o.file == "" || o.file == "-":
		return portal.Invalidf("usage", "file", "--all-data writes a zip file; name it with --file")
	case !strings.HasSuffix(strings.ToLower(o.file), ".zip"):
		return portal.Invalidf("usage", "file", "%q is no name for a zip file; end it with .zip", o.file)
	}
	return nil
}

func runContactsTakeOut(ctx context.Context, env *Env, opts takeOutOptions) error {
	return env.withApp(ctx, func(a *app.App) error {
		t, err := a.TakeOutOf(ctx, opts.email)
		if err != nil {
			return err
		}
		file := &newFile{path: opts.file}
		defer file.abort()
		w, err := file.open()
		if err != nil {
			return err
		}
		buffered := bufio.NewWriterSize(w, 64<<10)
		sum, err := takeout.Write(ctx, buffered, t)
		if err != nil {
			return err
		}
		if err := buffered.Flush(); err != nil {
			return err
		}
		if _, err := file.commit(); err != nil {
			return err
		}
		if sum.Missing > 0 {
			env.say("%s not on the disk any more; data.json says which", counted(sum.Missing, "file is", "files are"))
		}
		return env.outcome([]output.Column{{Name: "email"}, {Name: "file"}, {Name: "tickets"}, {Name: "messages"}, {Name: "files"}, {Name: "missing"}},
			[]any{t.Personal.Contact.Email, opts.file, sum.Tickets, sum.Messages, sum.Files, sum.Missing},
			"wrote all data of %s to %s: %s, %s, %s", t.Personal.Contact.Email, opts.file,
			counted(sum.Tickets, "ticket", "tickets"), counted(sum.Messages, "message", "messages"), counted(sum.Files, "file", "files"))
	})
}
