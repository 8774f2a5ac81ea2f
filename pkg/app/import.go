package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/transfer"
)

// ImportOptions say how a file is imported.
type ImportOptions struct {
	Transfer transfer.Options
	// DryRun reports what would happen. It works on a copy of the store, so
	// that it tells exactly what the import would.
	DryRun bool
	// Portal is where tickets belong that name no portal of ours.
	Portal *portal.Portal
	// Rejects makes the file for rows that are not taken. It is called when
	// there is the first; nil leaves them to the report.
	Rejects func() (io.Writer, error)
	// Progress is told how many of how many bytes were read.
	Progress func(done, total int64)
}

// ImportResult is what an import did.
type ImportResult struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Rejected  int `json:"rejected"` // rows, or for tickets all rows of one
	// CompaniesCreated and ContactsCreated count those that were created
	// because a row named them.
	CompaniesCreated int `json:"companies_created"`
	ContactsCreated  int `json:"contacts_created"`
	// Problems are the first MaxProblems.
	Problems []transfer.Problem `json:"problems"`
	Notices  []string           `json:"notices"`
}

// MaxProblems is how many problems an ImportResult names.
const MaxProblems = 100

// The size of a transaction. A serve beside the import waits for one at most,
// and gets its turn in the pause behind it.
const (
	importRows  = 500
	ticketRows  = 100 // each costs several times as much
	importBytes = 8 << 20
	importPause = 5 * time.Millisecond
)

// outcome is what became of one record.
type outcome struct {
	created, updated    bool
	companies, contacts int  // created along with it
	part                bool // goes on with the record before; not counted again
	notes               []string
}

// importer takes the records of one file into the store.
type importer[T any] struct {
	app    *App
	opts   ImportOptions
	reader *transfer.Reader[T]
	rows   int // at most in a transaction
	// take writes one record. An error a person can mend rejects the record.
	take    func(ctx context.Context, tx *store.Tx, in *T) (outcome, error)
	what    string // contacts, companies or tickets
	begun   bool   // the audit log says so
	cache   *importCache
	notes   transfer.Notes
	result  ImportResult
	rejects *transfer.Rejects
}

// importCache is what records of one transaction have looked up.
type importCache struct {
	companies map[transfer.CompanyRef]portal.CompanyID
}

func (c *importCache) forget() { clear(c.companies) }

// ImportContacts imports contacts. A contact is known by the id in the other
// system, else by e-mail address. Empty cells change nothing.
func (a *App) ImportContacts(ctx context.Context, src transfer.Source, size int64, o ImportOptions) (*ImportResult, error) {
	return imported(ctx, a, o, func(a *App) (*ImportResult, error) {
		r, err := transfer.NewContacts(src, size, o.Transfer)
		if err != nil {
			return nil, err
		}
		im := &contactImport{importer: newImporter(a, aboutContacts, r, o)}
		im.take = im.contact
		return im.run(ctx)
	})
}

// ImportCompanies imports companies. A company is known by the id in the
// other system, else by its domain, else by its name.
func (a *App) ImportCompanies(ctx context.Context, src transfer.Source, size int64, o ImportOptions) (*ImportResult, error) {
	return imported(ctx, a, o, func(a *App) (*ImportResult, error) {
		r, err := transfer.NewCompanies(src, size, o.Transfer)
		if err != nil {
			return nil, err
		}
		im := &companyImport{importer: newImporter(a, aboutCompanies, r, o)}
		im.take = im.company
		return im.run(ctx)
	})
}

// ImportTickets imports tickets with their conversations. A ticket is known
// by the id in the other system, else by our own number. No mail is sent, and
// what was said counts as read.
func (a *App) ImportTickets(ctx context.Context, src transfer.Source, size int64, o ImportOptions) (*ImportResult, error) {
	return imported(ctx, a, o, func(a *App) (*ImportResult, error) {
		r, err := transfer.NewTickets(src, size, o.Transfer)
		if err != nil {
			return nil, err
		}
		im := &ticketImport{importer: newImporter(a, aboutTickets, r, o)}
		im.rows = ticketRows
		if err := im.load(ctx); err != nil {
			return nil, err
		}
		im.take = im.ticket
		return im.run(ctx)
	})
}

// imported runs an import, or runs it on a copy of the store that is thrown
// away afterwards.
func imported(ctx context.Context, a *App, o ImportOptions, run func(*App) (*ImportResult, error)) (result *ImportResult, err error) {
	if !o.DryRun {
		return run(a)
	}
	err = a.OnCopy(ctx, nil, func(a *App) (err error) {
		result, err = run(a)
		return err
	})
	return result, err
}

func newImporter[T any](a *App, what string, r *transfer.Reader[T], o ImportOptions) importer[T] {
	return importer[T]{app: a, what: what, opts: o, reader: r, rows: importRows, cache: &importCache{companies: map[transfer.CompanyRef]portal.CompanyID{}}}
}

// run takes the whole file, a transaction for each few hundred rows. What was
// taken before an error stays, and the result tells how much that was.
func (im *importer[T]) run(ctx context.Context) (result *ImportResult, err error) {
	defer func() {
		if im.begun {
			err = errors.Join(err, im.noteDone(context.WithoutCancel(ctx)))
		}
	}()
	for {
		batch, err := im.read()
		if err != nil && !errors.Is(err, io.EOF) {
			return im.done(), err
		}
		last := err != nil
		if len(batch) > 0 {
			if err := im.write(ctx, batch); err != nil {
				return im.done(), err
			}
		}
		if im.opts.Progress != nil {
			im.opts.Progress(im.reader.Offset(), im.reader.Size())
		}
		if last {
			break
		}
		select {
		case <-ctx.Done():
			return im.done(), context.Cause(ctx)
		case <-time.After(importPause):
		}
	}
	if im.rejects != nil {
		if err := im.rejects.Flush(); err != nil {
			return im.done(), fmt.Errorf("write the rejects: %w", err)
		}
	}
	return im.done(), nil
}

func (im *importer[T]) done() *ImportResult {
	im.result.Notices = append(im.reader.Notices(), im.notes.List()...)
	if im.result.Notices == nil {
		im.result.Notices = []string{}
	}
	if im.result.Problems == nil {
		im.result.Problems = []transfer.Problem{}
	}
	return &im.result
}

// read returns the next records; with the last ones comes io.EOF.
func (im *importer[T]) read() ([]transfer.Record[T], error) {
	var batch []transfer.Record[T]
	rows, size := 0, 0
	for rows < im.rows && size < importBytes {
		rec, err := im.reader.Read()
		if err != nil {
			return batch, err
		}
		for _, row := range rec.Rows {
			rows++
			for _, c := range row.Cells {
				size += len(c)
			}
		}
		batch = append(batch, rec)
	}
	return batch, nil
}

// write takes records in one transaction. Each is whole or not at all.
func (im *importer[T]) write(ctx context.Context, batch []transfer.Record[T]) error {
	outcomes := make([]outcome, len(batch))
	var moved GroupChange
	im.cache.forget()
	err := im.app.store.Write(ctx, func(tx *store.Tx) error {
		if !im.begun {
			// With the first rows, so that none is there without it.
			if err := im.app.note(ctx, tx, portal.AuditImportBegun, 0, im.what); err != nil {
				return err
			}
		}
		for i := range batch {
			rec := &batch[i]
			if len(rec.Problems) > 0 {
				continue
			}
			err := tx.Attempt(ctx, func() (err error) {
				outcomes[i], err = im.take(ctx, tx, &rec.Value)
				return err
			})
			if err == nil {
				continue
			}
			im.cache.forget()
			if !mendable(err) {
				return fmt.Errorf("line %d: %w", rec.Rows[0].Line, err)
			}
			for _, e := range portal.Errors(err) {
				rec.Problems = append(rec.Problems, transfer.Problem{Line: rec.Rows[0].Line, Reason: e.Msg})
			}
		}
		return im.app.reconcileGroups(ctx, tx, tx.TakeMoves(), &moved)
	})
	if err != nil {
		return err
	}
	im.begun = true
	im.tell(&moved)
	for i := range batch {
		if err := im.count(&batch[i], &outcomes[i]); err != nil {
			return err
		}
	}
	return nil
}

// noteDone writes down what an import came to.
func (im *importer[T]) noteDone(ctx context.Context) error {
	r := &im.result
	return im.app.store.Write(ctx, func(tx *store.Tx) error {
		return im.app.note(ctx, tx, portal.AuditImport, 0, im.what,
			fact("created", r.Created), fact("updated", r.Updated), fact("unchanged", r.Unchanged), fact("rejected", r.Rejected))
	})
}

// tell notes what rules of access groups made of the records.
func (im *importer[T]) tell(moved *GroupChange) {
	for _, n := range []struct {
		sentence string
		times    int
	}{
		{"a contact joined an access group by its rules", moved.Joined},
		{"a contact left an access group by its rules", moved.Left},
		{"a contact was invited, because an access group's rules let them in", moved.Invited},
		{"a session ended, because no access group lists the contact any more", moved.Ended},
	} {
		if n.times > 0 {
			im.notes.AddMany(n.sentence, n.times)
		}
	}
	if moved.Mails > 0 {
		im.app.wakeMail()
	}
}

// mendable reports whether somebody can mend the row, so that the rest can go
// on without it.
func mendable(err error) bool {
	all := portal.Errors(err)
	for _, e := range all {
		switch e.Kind {
		case portal.Invalid, portal.NotFound, portal.Conflict, portal.Forbidden:
		default:
			return false
		}
	}
	return len(all) > 0
}

func (im *importer[T]) count(rec *transfer.Record[T], out *outcome) error {
	if len(rec.Problems) > 0 {
		im.result.Rejected++
		room := MaxProblems - len(im.result.Problems)
		im.result.Problems = append(im.result.Problems, rec.Problems[:min(room, len(rec.Problems))]...)
		return im.reject(rec)
	}
	switch {
	case out.part:
	case out.created:
		im.result.Created++
	case out.updated:
		im.result.Updated++
	default:
		im.result.Unchanged++
	}
	im.result.CompaniesCreated += out.companies
	im.result.ContactsCreated += out.contacts
	for _, n := range out.notes {
		im.notes.Add(n)
	}
	return nil
}

func (im *importer[T]) reject(rec *transfer.Record[T]) error {
	if im.opts.Rejects == nil {
		return nil
	}
	if im.rejects == nil {
		w, err := im.opts.Rejects()
		if err != nil {
			return err
		}
		im.rejects, err = transfer.NewRejects(w, im.reader.Header(), im.reader.Comma(), im.reader.Escaped())
		if err != nil {
			return fmt.Errorf("write the rejects: %w", err)
		}
	}
	if err := im.rejects.Add(rec.Rows, rec.Problems); err != nil {
		return fmt.Errorf("write the rejects: %w", err)
	}
	return nil
}

// seen remembers which of our rows a file has touched, a bit each, so that
// one that stands in it twice is noticed and does not flip back and forth.
type seen []uint64

func (s *seen) add(id int64) {
	i := int(id >> 6)
	for len(*s) <= i {
		*s = append(*s, 0)
	}
	(*s)[i] |= 1 << (id & 63)
}

func (s seen) has(id int64) bool {
	i := int(id >> 6)
	return i < len(s) && s[i]&(1<<(id&63)) != 0
}

// notFound turns "there is none" into nil, so that absent and "could not
// look" stay two answers.
func notFound[T any](v *T, err error) (*T, error) {
	if portal.KindOf(err) == portal.NotFound {
		return nil, nil
	}
	return v, err
}
