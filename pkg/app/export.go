package app

import (
	"cmp"
	"context"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/transfer"
)

// exportPage is how many rows an export reads at a time. Each page is a read
// of its own, so that a slow reader at the other end never holds up the
// store's housekeeping.
const exportPage = 500

// ExportFormat is how an export is written.
type ExportFormat string

// The formats. Import reads the first.
const (
	ExportCSV  ExportFormat = "csv"
	ExportJSON ExportFormat = "json"
)

// ExportContacts writes every contact, by address, and returns how many.
func (a *App) ExportContacts(ctx context.Context, w io.Writer, format ExportFormat) (int, error) {
	if err := a.noteExport(ctx, aboutContacts, fact("format", format)); err != nil {
		return 0, err
	}
	return export(w, format, func(row func(*transfer.Contact) error) error { return a.eachContact(ctx, row) },
		func(c *transfer.Contact) map[string]string { return c.Properties },
		func(keys []string) (rowWriter[transfer.Contact], error) { return transfer.NewContactWriter(w, keys) })
}

// ExportCompanies writes every company, by name, and returns how many.
func (a *App) ExportCompanies(ctx context.Context, w io.Writer, format ExportFormat) (int, error) {
	if err := a.noteExport(ctx, aboutCompanies, fact("format", format)); err != nil {
		return 0, err
	}
	return export(w, format, func(row func(*transfer.Company) error) error { return a.eachCompany(ctx, row) },
		func(c *transfer.Company) map[string]string { return c.Properties },
		func(keys []string) (rowWriter[transfer.Company], error) { return transfer.NewCompanyWriter(w, keys) })
}

// ExportAllTickets writes every ticket with its conversation, internal
// messages included, by number, and returns how many. Of files the names are
// written.
func (a *App) ExportAllTickets(ctx context.Context, w io.Writer, format ExportFormat) (int, error) {
	if err := a.noteExport(ctx, aboutTickets, fact("format", format)); err != nil {
		return 0, err
	}
	counting := true // the first reading of CSV looks at the custom fields only
	return export(w, format, func(row func(*transfer.Ticket) error) error {
		full := format == ExportJSON || !counting
		counting = false
		return a.eachTicket(ctx, full, row)
	}, func(t *transfer.Ticket) map[string]string { return t.Fields },
		func(keys []string) (rowWriter[transfer.Ticket], error) { return transfer.NewTicketWriter(w, keys) })
}

// rowWriter writes records as CSV.
type rowWriter[T any] interface {
	Write(row *T) error
	Flush() error
}

// export writes records one by one. CSV needs its columns first, so the
// records are read twice for it: once for the keys of their properties.
func export[T any](w io.Writer, format ExportFormat, each func(func(*T) error) error,
	extras func(*T) map[string]string, csv func(keys []string) (rowWriter[T], error),
) (n int, err error) {
	if format == ExportJSON {
		out := transfer.NewJSONWriter(w)
		err := each(func(v *T) error {
			n++
			return out.Write(v)
		})
		if err != nil {
			return n, err
		}
		return n, out.Close()
	}
	keys := map[string]bool{}
	err = each(func(v *T) error {
		for k := range extras(v) {
			keys[k] = true
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	out, err := csv(slices.Sorted(maps.Keys(keys)))
	if err != nil {
		return 0, err
	}
	err = each(func(v *T) error {
		n++
		return out.Write(v)
	})
	if err != nil {
		return n, err
	}
	return n, out.Flush()
}

func (a *App) eachContact(ctx context.Context, row func(*transfer.Contact) error) error {
	after := ""
	for {
		var page []transfer.Contact
		err := a.store.Read(ctx, func(tx *store.Tx) error {
			list, err := tx.Contacts(ctx, store.ContactFilter{After: after, Limit: exportPage})
			if err != nil {
				return err
			}
			refs := companyRefs{}
			for i := range list {
				c, err := exportContact(ctx, tx, refs, &list[i])
				if err != nil {
					return err
				}
				page = append(page, c)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i := range page {
			if err := row(&page[i]); err != nil {
				return err
			}
		}
		if len(page) < exportPage {
			return nil
		}
		after = page[len(page)-1].Email
	}
}

func exportContact(ctx context.Context, tx *store.Tx, refs companyRefs, c *portal.Contact) (transfer.Contact, error) {
	out := transfer.Contact{
		Email: c.Email, Name: c.Name, MemberEmail: c.MemberEmail, Language: c.Language, TimeZone: c.TimeZone,
		ExternalID: c.ExternalID, Properties: c.Properties, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
	for _, id := range c.Companies {
		ref, err := refs.of(ctx, tx, id)
		if err != nil {
			return out, err
		}
		out.Companies = append(out.Companies, ref)
		if id == c.Primary {
			out.Primary = ref
		}
	}
	// By name: ids are others in another store.
	slices.SortFunc(out.Companies, func(a, b transfer.CompanyRef) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Domain, b.Domain), strings.Compare(a.ExternalID, b.ExternalID))
	})
	return out, nil
}

// companyRefs remembers how companies are named in an export.
type companyRefs map[portal.CompanyID]transfer.CompanyRef

func (r companyRefs) of(ctx context.Context, tx *store.Tx, id portal.CompanyID) (transfer.CompanyRef, error) {
	if ref, ok := r[id]; ok || id == 0 {
		return ref, nil
	}
	c, err := tx.Company(ctx, id)
	if err != nil {
		return transfer.CompanyRef{}, err
	}
	r[id] = transfer.CompanyRef{Name: c.Name, Domain: c.Domain, ExternalID: c.ExternalID}
	return r[id], nil
}

func (a *App) eachCompany(ctx context.Context, row func(*transfer.Company) error) error {
	f := store.CompanyFilter{Limit: exportPage}
	for {
		var page []portal.Company
		err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
			page, err = tx.Companies(ctx, f)
			return err
		})
		if err != nil {
			return err
		}
		for _, c := range page {
			out := transfer.Company{
				Name: c.Name, Domain: c.Domain, ExternalID: c.ExternalID, Properties: c.Properties,
				CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
			}
			if err := row(&out); err != nil {
				return err
			}
			f.After, f.AfterID = c.Name, c.ID
		}
		if len(page) < exportPage {
			return nil
		}
	}
}

// eachTicket calls row for every ticket by number, with its conversation if
// full is set.
func (a *App) eachTicket(ctx context.Context, full bool, row func(*transfer.Ticket) error) error {
	portals, err := a.Portals(ctx)
	if err != nil {
		return err
	}
	agents, err := a.Agents(ctx)
	if err != nil {
		return err
	}
	e := ticketExport{full: full, portals: map[portal.PortalID]string{}, agents: map[portal.AgentID]portal.Agent{}}
	for _, p := range portals {
		e.portals[p.ID] = p.Slug
	}
	for _, agent := range agents {
		e.agents[agent.ID] = agent
	}
	var after portal.TicketNumber
	for {
		// Conversations are long: fewer at a time.
		var page []transfer.Ticket
		err := a.store.Read(ctx, func(tx *store.Tx) error {
			numbers, err := tx.TicketNumbers(ctx, after, exportPage/10)
			if err != nil {
				return err
			}
			e.companies, e.contacts = companyRefs{}, map[portal.ContactID]string{}
			for _, n := range numbers {
				t, err := e.ticket(ctx, tx, n)
				if err != nil {
					return err
				}
				page = append(page, t)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i := range page {
			if err := row(&page[i]); err != nil {
				return err
			}
		}
		if len(page) < exportPage/10 {
			return nil
		}
		after = page[len(page)-1].Number
	}
}

type ticketExport struct {
	full      bool
	portals   map[portal.PortalID]string
	agents    map[portal.AgentID]portal.Agent
	companies companyRefs
	contacts  map[portal.ContactID]string // addresses
}

func (e *ticketExport) ticket(ctx context.Context, tx *store.Tx, n portal.TicketNumber) (transfer.Ticket, error) {
	t, err := tx.Ticket(ctx, n)
	if err != nil {
		return transfer.Ticket{}, err
	}
	out := transfer.Ticket{
		Number: n, ExternalID: t.ExternalID, Subject: t.Subject, Status: t.Status, Priority: t.Priority, Category: t.Category,
		Requester: transfer.ContactRef{Email: t.RequesterEmail}, Inbox: t.InboxName, Portal: e.portals[t.PortalID],
		Assignee: e.agents[t.Assignee].Email, Confidential: t.Confidential, Fields: t.Fields,
		CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt, StatusAt: t.StatusAt, ClosedAt: t.ClosedAt,
	}
	if t.RequesterName != t.RequesterEmail {
		out.Requester.Name = t.RequesterName
	}
	if out.Company, err = e.companies.of(ctx, tx, t.Company); err != nil {
		return out, err
	}
	for _, id := range t.Participants {
		address, err := e.address(ctx, tx, id)
		if err != nil {
			return out, err
		}
		out.Participants = append(out.Participants, transfer.ContactRef{Email: address})
	}
	slices.SortFunc(out.Participants, func(a, b transfer.ContactRef) int { return strings.Compare(a.Email, b.Email) })
	if !e.full {
		return out, nil
	}
	messages, err := tx.Messages(ctx, t, true)
	if err != nil {
		return out, err
	}
	for i := range messages {
		m, err := e.message(ctx, tx, &messages[i])
		if err != nil {
			return out, err
		}
		out.Messages = append(out.Messages, m)
	}
	return out, nil
}

func (e *ticketExport) message(ctx context.Context, tx *store.Tx, m *portal.Message) (transfer.Message, error) {
	out := transfer.Message{At: m.At, Kind: m.Kind, Name: m.AuthorName, Format: m.Format, Body: m.Body}
	switch {
	case m.Contact != 0:
		out.By = transfer.ByContact
		var err error
		if out.Email, err = e.address(ctx, tx, m.Contact); err != nil {
			return out, err
		}
		if out.Name == out.Email {
			out.Name = ""
		}
	case m.Agent != 0:
		out.By, out.Email = transfer.ByAgent, e.agents[m.Agent].Email
	}
	for _, f := range m.Files {
		out.Files = append(out.Files, f.Name)
	}
	return out, nil
}

func (e *ticketExport) address(ctx context.Context, tx *store.Tx, id portal.ContactID) (string, error) {
	if address, ok := e.contacts[id]; ok {
		return address, nil
	}
	c, err := tx.Contact(ctx, id)
	if err != nil {
		return "", err
	}
	e.contacts[id] = c.Email
	return c.Email, nil
}
