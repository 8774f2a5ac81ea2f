// Package takeout writes everything the store holds about one person into a
// zip: data.json for programs, index.html for people, and the files of their
// conversations. The page opens from a folder, without a network or a script.
package takeout

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
)

// The names in the zip.
const (
	pageName = "index.html"
	dataName = "data.json"
)

// Summary says what a take-out holds.
type Summary struct {
	Tickets, Messages, Files int
	// Missing counts files whose bytes are not on the disk any more. The page
	// and the data say which.
	Missing int
}

// Write writes the take-out. The order of what is in it is always the same.
// Nothing is held in memory but what is just being written.
func Write(ctx context.Context, w io.Writer, t *app.TakeOut) (*Summary, error) {
	o := &writing{TakeOut: t, Printer: i18n.For(t.Language()), zone: t.TimeZone(), zip: zip.NewWriter(w)}
	// The page stands first, so that people find it first; what it links to
	// has to be known before.
	if err := o.findFiles(ctx); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		name  string
		write func(context.Context, io.Writer) error
	}{{pageName, o.page}, {dataName, o.data}} {
		entry, err := o.create(part.name, t.At, zip.Deflate)
		if err != nil {
			return nil, err
		}
		if err := part.write(ctx, entry); err != nil {
			return nil, fmt.Errorf("write %s: %w", part.name, err)
		}
	}
	if err := o.files(ctx); err != nil {
		return nil, err
	}
	return &o.sum, o.zip.Close()
}

// writing is a take-out on its way out.
type writing struct {
	*app.TakeOut
	*i18n.Printer
	zone    *time.Location
	zip     *zip.Writer
	sum     Summary
	missing map[portal.FileID]bool
}

func (o *writing) create(name string, at time.Time, method uint16) (io.Writer, error) {
	return o.zip.CreateHeader(&zip.FileHeader{Name: name, Modified: at.UTC(), Method: method})
}

// eachMessage calls each for every message of the take-out, and own for those
// in tickets of others.
func (o *writing) eachMessage(ctx context.Context, each func(*portal.Message) error) error {
	err := o.Tickets(ctx, func(t *app.TakeOutTicket) error { return o.Messages(ctx, t.Ticket, false, each) })
	if err != nil {
		return err
	}
	return o.Elsewhere(ctx, func(t *app.TakeOutTicket) error { return o.Messages(ctx, t.Ticket, true, each) })
}

// findFiles notes which files have lost their bytes.
func (o *writing) findFiles(ctx context.Context) error {
	o.missing = map[portal.FileID]bool{}
	return o.eachMessage(ctx, func(m *portal.Message) error {
		for i := range m.Files {
			content, err := o.File(&m.Files[i])
			switch {
			case errors.Is(err, fs.ErrNotExist):
				o.missing[m.Files[i].ID] = true
			case err != nil:
				return err
			default:
				_ = content.Close() // nothing was read
			}
		}
		return nil
	})
}

// files copies the files in, a folder for each ticket.
func (o *writing) files(ctx context.Context) error {
	return o.eachMessage(ctx, func(m *portal.Message) error {
		for i := range m.Files {
			if err := o.copy(ctx, &m.Files[i]); err != nil {
				return fmt.Errorf("write file %d: %w", m.Files[i].ID, err)
			}
		}
		return nil
	})
}

func (o *writing) copy(ctx context.Context, f *portal.File) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if o.missing[f.ID] {
		o.sum.Missing++
		return nil
	}
	content, err := o.File(f)
	if err != nil {
		return err
	}
	defer content.Close()
	entry, err := o.create(filePath(f), f.At, methodFor(f.Type))
	if err != nil {
		return err
	}
	if _, err := io.Copy(entry, content); err != nil {
		return err
	}
	o.sum.Files++
	return nil
}

// author is who wrote a message, as the person may know them: of the team, by
// name where the ticket's portal shows names, else the portal's own.
func (o *writing) author(t *portal.Ticket, m *portal.Message) string {
	switch {
	case m.Agent != 0:
		if p := o.home(t); p != nil {
			if p.Tickets.ShowAgent == portal.AgentName && m.AuthorName != "" {
				return m.AuthorName
			}
			return p.Name
		}
		return o.T("takeout.team")
	case m.AuthorName != "":
		return m.AuthorName
	}
	return o.T("ticket.author_unknown")
}

// home is the portal a ticket belongs to; that of the take-out for one that
// belongs to none.
func (o *writing) home(t *portal.Ticket) *portal.Portal {
	if p := o.Portals[t.PortalID]; p != nil {
		return p
	}
	return o.Portal
}
