package app

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/transfer"
)

// ticketImport takes a file of tickets.
type ticketImport struct {
	importer[transfer.Ticket]
	seen    seen
	portals []portal.Portal
	inboxes []portal.Inbox
	agents  []portal.Agent
}

// maxKeptNumber bounds the numbers that are kept as they are: a file must not
// use up the numbers of tickets to come.
const maxKeptNumber = 1_000_000_000

func (im *ticketImport) load(ctx context.Context) error {
	if im.opts.Portal == nil {
		return portal.Invalidf("import.portal", "portal", "tickets need a portal they belong to")
	}
	return im.app.store.Read(ctx, func(tx *store.Tx) (err error) {
		if im.portals, err = tx.Portals(ctx); err != nil {
			return err
		}
		if im.inboxes, err = tx.Inboxes(ctx); err != nil {
			return err
		}
		im.agents, err = tx.Agents(ctx)
		return err
	})
}

func (im *ticketImport) ticket(ctx context.Context, tx *store.Tx, in *transfer.Ticket) (outcome, error) {
	out := outcome{part: in.Continues}
	t, number, externalID, err := im.known(ctx, tx, in)
	if err != nil {
		return out, err
	}
	if t == nil {
		err := im.add(ctx, tx, in, number, externalID, &out)
		return out, err
	}
	err = im.update(ctx, tx, t, in, &out)
	return out, err
}

// known finds the ticket a record means. Where there is none, it returns the
// number and the id the new ticket gets: its own number where that is free,
// else the next one, with the old number as the id it is known by.
func (im *ticketImport) known(ctx context.Context, tx *store.Tx, in *transfer.Ticket) (*portal.Ticket, portal.TicketNumber, string, error) {
	if in.ExternalID != "" {
		if t, err := notFound(tx.TicketByExternal(ctx, in.ExternalID)); t != nil || err != nil {
			return t, 0, "", err
		}
	}
	if in.Number == 0 {
		return nil, 0, in.ExternalID, nil
	}
	t, err := notFound(tx.Ticket(ctx, in.Number))
	switch {
	case err != nil:
		return nil, 0, "", err
	case t == nil && in.Number < maxKeptNumber:
		return nil, in.Number, in.ExternalID, nil
	case t != nil && sameTicket(t, in):
		return t, 0, "", nil
	case in.ExternalID != "":
		return nil, 0, in.ExternalID, nil
	}
	old := in.Number.String()
	t, err = notFound(tx.TicketByExternal(ctx, old))
	return t, 0, old, err
}

// sameTicket reports whether the ticket with the record's number is the one
// the record was written from, and not another store's with the same number.
func sameTicket(t *portal.Ticket, in *transfer.Ticket) bool {
	if !in.CreatedAt.IsZero() {
		return t.CreatedAt.Equal(in.CreatedAt)
	}
	return t.RequesterEmail == in.Requester.Email
}

func (im *ticketImport) add(ctx context.Context, tx *store.Tx, in *transfer.Ticket, number portal.TicketNumber, externalID string, out *outcome) error {
	if err := checkPast(tx, in.CreatedAt, in.UpdatedAt, in.StatusAt, in.ClosedAt); err != nil {
		return err
	}
	home := im.home(in, out)
	t := &portal.Ticket{
		Number: number, ExternalID: externalID, Subject: in.Subject, Status: in.Status, Priority: in.Priority, Category: in.Category,
		PortalID: home.ID, InboxID: im.inbox(in, home, out), Assignee: im.assignee(in, out), Confidential: in.Confidential,
		Fields: in.Fields, CreatedAt: in.CreatedAt, UpdatedAt: in.UpdatedAt, StatusAt: in.StatusAt, ClosedAt: in.ClosedAt,
		Via: portal.ViaImport,
	}
	if t.InboxID == 0 {
		return portal.Invalidf("import.inbox", "", "the portal %q has no inbox for tickets", home.Name)
	}
	requester, err := im.people(ctx, tx, t, in, out)
	if err != nil {
		return err
	}
	if t.Company, err = im.company(ctx, tx, in, requester, out); err != nil {
		return err
	}
	completeTimes(tx, t, in)
	if err := tx.AddTicket(ctx, t); err != nil {
		return err
	}
	if err := im.history(ctx, tx, t); err != nil {
		return err
	}
	if err := im.messages(ctx, tx, t, in.Messages, out); err != nil {
		return err
	}
	im.seen.add(int64(t.Number))
	out.created = true
	return nil
}

// completeTimes fills in what the file does not say.
func completeTimes(tx *store.Tx, t *portal.Ticket, in *transfer.Ticket) {
	if t.Status == "" {
		t.Status = portal.New
	}
	if t.Priority == "" {
		t.Priority = portal.Normal
	}
	if t.CreatedAt.IsZero() {
		t.CreatedAt = tx.Now
		for _, m := range in.Messages {
			if !m.At.IsZero() && m.At.Before(t.CreatedAt) {
				t.CreatedAt = m.At
			}
		}
	}
	if t.UpdatedAt.IsZero() {
		t.UpdatedAt = latest(t.CreatedAt, t.ClosedAt, t.StatusAt)
		for _, m := range in.Messages {
			t.UpdatedAt = latest(t.UpdatedAt, m.At)
		}
	}
	if t.Status == portal.Closed && t.ClosedAt.IsZero() {
		t.ClosedAt = t.UpdatedAt
	}
	if t.StatusAt.IsZero() {
		t.StatusAt = t.UpdatedAt
		if t.Status == portal.Closed {
			t.StatusAt = t.ClosedAt
		}
	}
}

func latest(times ...time.Time) time.Time {
	return slices.MaxFunc(times, time.Time.Compare)
}

// history writes what is known of how the ticket came to be.
func (im *ticketImport) history(ctx context.Context, tx *store.Tx, t *portal.Ticket) error {
	events := []portal.Event{{Kind: portal.EventCreated, By: portal.ByContact(t.Requester), At: t.CreatedAt}}
	if t.Status == portal.Closed {
		events = append(events, portal.Event{Kind: portal.EventClosed, At: t.ClosedAt})
	}
	events = append(events, portal.Event{Kind: portal.EventImported, By: portal.ByOperator})
	for i := range events {
		events[i].Ticket = t.Number
		if err := tx.AddEvent(ctx, &events[i]); err != nil {
			return err
		}
	}
	return nil
}

// update brings a ticket up to what the file says, if the file knows of a
// change later than the last one here; messages that are missing are added in
// any case. So an old export never undoes what happened since.
func (im *ticketImport) update(ctx context.Context, tx *store.Tx, t *portal.Ticket, in *transfer.Ticket, out *outcome) error {
	if in.Continues {
		missing, err := missingMessages(ctx, tx, t, in)
		if err != nil {
			return err
		}
		return im.messages(ctx, tx, t, missing, out)
	}
	twice := im.seen.has(int64(t.Number))
	im.seen.add(int64(t.Number))
	old := *t
	old.Participants = slices.Clone(t.Participants)
	newer := in.UpdatedAt.After(t.UpdatedAt)
	if newer {
		if err := checkPast(tx, in.UpdatedAt, in.StatusAt, in.ClosedAt); err != nil {
			return err
		}
		if err := im.overwrite(ctx, tx, t, in, out); err != nil {
			return err
		}
	}
	changed := newer && !equalTickets(&old, t)
	missing, err := missingMessages(ctx, tx, t, in)
	if err != nil || !changed && len(missing) == 0 {
		return err
	}
	if twice && changed {
		return portal.Conflictf("import.twice", "the ticket %s stands in the file before, with other values; the first was taken", t.Number)
	}
	out.updated = !twice
	if changed {
		t.UpdatedAt = in.UpdatedAt
		if err := tx.SaveTicket(ctx, t); err != nil {
			return err
		}
		if err := tx.AddEvent(ctx, &portal.Event{Ticket: t.Number, Kind: portal.EventImported, By: portal.ByOperator}); err != nil {
			return err
		}
	}
	return im.messages(ctx, tx, t, missing, out)
}

func (im *ticketImport) overwrite(ctx context.Context, tx *store.Tx, t *portal.Ticket, in *transfer.Ticket, out *outcome) error {
	requester, err := im.people(ctx, tx, t, in, out)
	if err != nil {
		return err
	}
	if in.NoCompany || !in.Company.Zero() {
		if t.Company, err = im.company(ctx, tx, in, requester, out); err != nil {
			return err
		}
	}
	fill(&t.Subject, in.Subject)
	fill(&t.Category, in.Category)
	if in.Priority != "" {
		t.Priority = in.Priority
	}
	if agent := im.assignee(in, out); agent != 0 {
		t.Assignee = agent
	}
	t.Confidential = t.Confidential || in.Confidential
	t.Fields = merged(t.Fields, in.Fields)
	if in.Status != "" && in.Status != t.Status {
		t.Status, t.StatusAt, t.ClosedAt = in.Status, in.UpdatedAt, time.Time{}
		if in.Status == portal.Closed {
			t.ClosedAt = in.ClosedAt
			if t.ClosedAt.IsZero() {
				t.ClosedAt = in.UpdatedAt
			}
			t.StatusAt = t.ClosedAt
		}
	}
	return nil
}

func equalTickets(a, b *portal.Ticket) bool {
	return a.Subject == b.Subject && a.Status == b.Status && a.Priority == b.Priority && a.Category == b.Category &&
		a.Requester == b.Requester && a.Company == b.Company && a.Assignee == b.Assignee && a.Confidential == b.Confidential &&
		maps.Equal(a.Fields, b.Fields) && slices.Equal(a.Participants, b.Participants)
}

// home is the portal the ticket belongs to.
func (im *ticketImport) home(in *transfer.Ticket, out *outcome) *portal.Portal {
	if in.Portal == "" {
		return im.opts.Portal
	}
	for i := range im.portals {
		if im.portals[i].Slug == in.Portal {
			return &im.portals[i]
		}
	}
	out.notes = append(out.notes, "a portal that is not here was named; its tickets went to "+im.opts.Portal.Name)
	return im.opts.Portal
}

func (im *ticketImport) inbox(in *transfer.Ticket, home *portal.Portal, out *outcome) portal.InboxID {
	if in.Inbox == "" {
		return home.Tickets.InboxID
	}
	for _, i := range im.inboxes {
		if strings.EqualFold(i.Name, in.Inbox) {
			return i.ID
		}
	}
	out.notes = append(out.notes, "an inbox that is not here was named; its tickets went to the portal's own")
	return home.Tickets.InboxID
}

// assignee finds the agent by address, or by name when only one has it.
func (im *ticketImport) assignee(in *transfer.Ticket, out *outcome) portal.AgentID {
	if in.Assignee == "" {
		return 0
	}
	if id := im.agent(in.Assignee); id != 0 {
		return id
	}
	out.notes = append(out.notes, "a ticket is assigned to somebody who is no agent here; it was left unassigned")
	return 0
}

func (im *ticketImport) agent(word string) portal.AgentID {
	var found portal.AgentID
	for _, a := range im.agents {
		switch {
		case strings.EqualFold(a.Email, word):
			return a.ID
		case strings.EqualFold(a.Name, word) && found != 0:
			return 0
		case strings.EqualFold(a.Name, word):
			found = a.ID
		}
	}
	return found
}

// people sets requester and participants; those who have an address are
// created where they are missing.
func (im *ticketImport) people(ctx context.Context, tx *store.Tx, t *portal.Ticket, in *transfer.Ticket, out *outcome) (*portal.Contact, error) {
	requester, err := contactOf(ctx, tx, in.Requester, out)
	if err != nil {
		return nil, err
	}
	if requester == nil {
		return nil, portal.NotFoundf("contact.none", "the contact %s is not known and the row has no e-mail address of theirs; import the contacts first", nameOf(in.Requester))
	}
	t.Requester = requester.ID
	for _, ref := range in.Participants {
		c, err := contactOf(ctx, tx, ref, out)
		if err != nil {
			return nil, err
		}
		if c == nil {
			out.notes = append(out.notes, "a participant who is not known was left out, because the file has no e-mail address of theirs")
			continue
		}
		if c.ID != t.Requester && !slices.Contains(t.Participants, c.ID) {
			t.Participants = append(t.Participants, c.ID)
		}
	}
	slices.Sort(t.Participants)
	return requester, nil
}

func nameOf(c transfer.ContactRef) string {
	if c.Name != "" {
		return c.Name
	}
	return "with the id " + c.ExternalID
}

// company is the one the file names, none when it names none, and the
// requester's when it has no place for companies.
func (im *ticketImport) company(ctx context.Context, tx *store.Tx, in *transfer.Ticket, requester *portal.Contact, out *outcome) (portal.CompanyID, error) {
	switch {
	case in.NoCompany:
		return 0, nil
	case in.Company.Zero():
		return requester.Primary, nil
	}
	return companyOf(ctx, tx, im.cache, in.Company, out)
}

// messages adds messages to a ticket. They are no news to anybody: the
// ticket's LastPublic, which lists go by, stays as it was.
func (im *ticketImport) messages(ctx context.Context, tx *store.Tx, t *portal.Ticket, list []transfer.Message, out *outcome) error {
	if len(list) == 0 {
		return nil
	}
	before, newest := t.LastPublic, portal.MessageID(0)
	for _, in := range list {
		m := portal.Message{Kind: in.Kind, Body: in.Body, Format: in.Format, At: in.At, AuthorName: in.Name}
		if m.At.IsZero() {
			m.At = t.CreatedAt
		}
		if err := checkPast(tx, m.At); err != nil {
			return err
		}
		if err := im.author(ctx, tx, t, &m, in, out); err != nil {
			return err
		}
		if len(in.Files) > 0 {
			out.notes = append(out.notes, "a message had files, of which CSV holds the names only")
		}
		if err := tx.AddMessage(ctx, t, &m); err != nil {
			return err
		}
		if m.Kind == portal.Public {
			newest = m.ID
		}
		if m.Kind == portal.Public && m.Agent != 0 && !m.At.Before(t.CreatedAt) && (t.AnsweredAt.IsZero() || m.At.Before(t.AnsweredAt)) {
			t.AnsweredAt = m.At
			if err := tx.SetAnswered(ctx, t); err != nil {
				return err
			}
		}
	}
	t.LastPublic = before
	if newest == 0 {
		return nil
	}
	return tx.MarkImported(ctx, t, newest)
}

func (im *ticketImport) author(ctx context.Context, tx *store.Tx, t *portal.Ticket, m *portal.Message, in transfer.Message, out *outcome) error {
	switch in.By {
	case transfer.ByAgent:
		m.Agent = im.agent(in.Email)
	case transfer.ByContact:
		if in.Email == "" {
			// A description written by the requester, who is named by id.
			m.Contact = t.Requester
			return nil
		}
		c, err := notFound(tx.ContactByEmail(ctx, in.Email))
		if err != nil {
			return err
		}
		if c != nil {
			m.Contact = c.ID
		}
	}
	if in.By != transfer.ByUnknown && m.Agent == 0 && m.Contact == 0 {
		out.notes = append(out.notes, "the author of a message is not known here; the message keeps their name")
	}
	return nil
}

// missingMessages are those of the file the ticket does not have.
func missingMessages(ctx context.Context, tx *store.Tx, t *portal.Ticket, in *transfer.Ticket) ([]transfer.Message, error) {
	if in.Described || len(in.Messages) == 0 {
		return nil, nil
	}
	have, err := tx.Messages(ctx, t, true)
	if err != nil {
		return nil, err
	}
	type key struct {
		at   int64
		kind portal.MessageKind
		body string
	}
	known := map[key]int{}
	for _, m := range have {
		known[key{m.At.UnixMilli(), m.Kind, m.Body}]++
	}
	var missing []transfer.Message
	for _, m := range in.Messages {
		k := key{m.At.UnixMilli(), m.Kind, m.Body}
		if known[k] > 0 {
			known[k]--
			continue
		}
		missing = append(missing, m)
	}
	return missing, nil
}
