package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// ticketColumns end with the participants' ids in one text.
const ticketColumns = `t.number, t.subject, t.status, t.priority, t.category, t.contact_id, t.company_id, t.inbox_id, t.portal_id,
	t.assignee_id, t.confidential, t.fields, t.external_id, t.created_at, t.updated_at, t.status_at, t.closed_at, t.last_public, t.file_count,
	t.via, t.answered_at, t.answer_due_at, t.resolve_due_at, t.clock_at, t.promised_at, t.remind_at, t.snoozed_until, t.merged_into, coalesce(t.rating, 0), t.rating_text, t.rated_at,
	c.name, c.email, coalesce(k.name, ''), coalesce(a.name, ''), coalesce(i.name, ''),
	(SELECT string_agg(CAST(p.contact_id AS TEXT), ',' ORDER BY p.contact_id) FROM participant p WHERE p.ticket = t.number)`

const ticketTables = `
	FROM ticket t JOIN contact c ON c.id = t.contact_id
	LEFT JOIN company k ON k.id = t.company_id
	LEFT JOIN agent a ON a.id = t.assignee_id
	LEFT JOIN inbox i ON i.id = t.inbox_id
	WHERE `

const ticketQuery = `SELECT ` + ticketColumns + ticketTables

func scanTicket(r row) (t portal.Ticket, err error) {
	err = r.Scan(ticketInto(&t)...)
	return t, err
}

// ticketInto are the places ticketColumns are scanned into.
func ticketInto(t *portal.Ticket) []any {
	return []any{
		&t.Number, &t.Subject, &t.Status, &t.Priority, &t.Category, &t.Requester, refInto(&t.Company), &t.InboxID, refInto(&t.PortalID),
		refInto(&t.Assignee), &t.Confidential,
		jsonInto{&t.Fields},
		&t.ExternalID,
		timeInto{&t.CreatedAt},
		timeInto{&t.UpdatedAt},
		timeInto{&t.StatusAt},
		timeInto{&t.ClosedAt},
		&t.LastPublic, &t.FileCount, &t.Via,
		timeInto{&t.AnsweredAt},
		timeInto{&t.AnswerDueAt},
		timeInto{&t.ResolveDueAt},
		timeInto{&t.ClockAt},
		timeInto{&t.PromisedAt},
		timeInto{&t.RemindAt},
		timeInto{&t.SnoozedUntil},
		refInto(&t.MergedInto),
		&t.Rating, &t.RatingText,
		timeInto{&t.RatedAt},
		&t.RequesterName, &t.RequesterEmail, &t.CompanyName, &t.AssigneeName, &t.InboxName,
		idsInto[portal.ContactID]{&t.Participants},
	}
}

// idsInto scans ids joined by commas.
type idsInto[T ~int64] struct{ ids *[]T }

// Scan implements sql.Scanner.
func (d idsInto[T]) Scan(v any) error {
	text, _ := v.(string)
	if text == "" {
		return nil
	}
	for item := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseInt(item, 10, 64)
		if err != nil {
			return err
		}
		*d.ids = append(*d.ids, T(n))
	}
	return nil
}

// noTicket is the one answer for a ticket that does not exist and one that is
// not the viewer's to see.
func noTicket(n portal.TicketNumber) error {
	return portal.NotFoundf("ticket.none", "there is no ticket %s", n).With("Number", n.String())
}

// TicketFor returns a ticket the viewer sees, with participants and names;
// somebody else's is NotFound ticket.none, like one that does not exist. The
// viewer's rule is part of the query.
func (tx *Tx) TicketFor(ctx context.Context, v *portal.Viewer, n portal.TicketNumber) (*portal.Ticket, error) {
	q := newQuery(ticketQuery)
	q.add(`t.number = ?`, n)
	q.seenBy(v, ScopeCompany)
	t, err := tx.ticket(ctx, noTicket(n), q)
	if err != nil {
		return nil, err
	}
	t.RequesterName = shownName(t.RequesterName, t.RequesterEmail, v.Agent != 0 || t.Requester == v.Contact)
	return t, nil
}

// TicketDetail is a ticket with what its page knows of the reader: the newest
// message they have seen and what they typed and have not sent.
type TicketDetail struct {
	portal.Ticket
	ReadMark portal.MessageID
	Draft    map[string]string
}

// TicketDetailFor returns what TicketFor does, with the reader's mark and
// draft, in one statement.
func (tx *Tx) TicketDetailFor(ctx context.Context, v *portal.Viewer, n portal.TicketNumber) (*TicketDetail, error) {
	q := newQuery(`SELECT ` + ticketColumns)
	q.add(`, coalesce((SELECT m.message_id FROM read_mark m WHERE m.contact_id = ? AND m.ticket = t.number), 0)`, v.Contact)
	q.add(`, (SELECT d.form FROM draft d WHERE d.contact_id = ? AND d.key = ?)`+ticketTables, v.Contact, n.String())
	q.add(`t.number = ?`, n)
	q.seenBy(v, ScopeCompany)
	d, err := find(ctx, tx, noTicket(n), q.text(), q.args, func(r row) (d TicketDetail, err error) {
		err = r.Scan(append(ticketInto(&d.Ticket), &d.ReadMark, jsonInto{&d.Draft})...)
		return d, err
	})
	if err != nil {
		return nil, err
	}
	d.RequesterName = shownName(d.RequesterName, d.RequesterEmail, v.Agent != 0 || d.Requester == v.Contact)
	return d, nil
}

// Ticket returns any ticket; only commands, imports and mail use it.
func (tx *Tx) Ticket(ctx context.Context, n portal.TicketNumber) (*portal.Ticket, error) {
	v := portal.OperatorViewer()
	return tx.TicketFor(ctx, &v, n)
}

// TicketByExternal returns the ticket with the id of another system; NotFound
// ticket.none. Only imports use it.
func (tx *Tx) TicketByExternal(ctx context.Context, id string) (*portal.Ticket, error) {
	q := newQuery(ticketQuery)
	q.add(`t.external_id = ? AND t.external_id <> ''`, id)
	t, err := tx.ticket(ctx, portal.NotFoundf("ticket.none", "there is no ticket with the id %s", id), q)
	if err != nil {
		return nil, err
	}
	t.RequesterName = shownName(t.RequesterName, t.RequesterEmail, true)
	return t, nil
}

func (tx *Tx) ticket(ctx context.Context, missing error, q *query) (*portal.Ticket, error) {
	return find(ctx, tx, missing, q.text(), q.args, scanTicket)
}

func (tx *Tx) participants(ctx context.Context, n portal.TicketNumber) ([]portal.ContactID, error) {
	return list(ctx, tx, `SELECT contact_id FROM participant WHERE ticket = $1 ORDER BY contact_id`, []any{n},
		func(r row) (id portal.ContactID, err error) { return id, r.Scan(&id) })
}

// AddTicket writes a new ticket and its participants; Number 0 takes the
// next, and CreatedAt, UpdatedAt and StatusAt are now unless set. Conflict
// ticket.exists when the number or the id of another system is taken.
func (tx *Tx) AddTicket(ctx context.Context, t *portal.Ticket) error {
	if t.CreatedAt.IsZero() {
		t.CreatedAt = tx.Now
	}
	if t.UpdatedAt.IsZero() {
		t.UpdatedAt = t.CreatedAt
	}
	if t.StatusAt.IsZero() {
		t.StatusAt = t.CreatedAt
	}
	err := tx.value(ctx, &t.Number, `INSERT INTO ticket (number, subject, status, priority, category, contact_id, company_id, inbox_id, portal_id,
			assignee_id, confidential, fields, external_id, created_at, updated_at, status_at, closed_at, last_public, file_count,
			via, answered_at, answer_due_at, resolve_due_at, promised_at, snoozed_until, merged_into, rating, rating_text, rated_at, clock_at, remind_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
			$20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31) RETURNING number`,
		ref(t.Number), t.Subject, t.Status, t.Priority, t.Category, t.Requester, ref(t.Company), t.InboxID, ref(t.PortalID),
		ref(t.Assignee), flag(t.Confidential), mapJSON(t.Fields), t.ExternalID, stamp(t.CreatedAt), stamp(t.UpdatedAt), stamp(t.StatusAt),
		stamp(t.ClosedAt), t.LastPublic, t.FileCount,
		t.Via, stamp(t.AnsweredAt), stamp(t.AnswerDueAt), stamp(t.ResolveDueAt), stamp(t.PromisedAt), stamp(t.SnoozedUntil), ref(t.MergedInto),
		ref(int64(t.Rating)), t.RatingText, stamp(t.RatedAt), stamp(t.ClockAt), stamp(t.RemindAt))
	if err := ticketRule(err, t); err != nil {
		return err
	}
	return tx.addParticipants(ctx, t)
}

func ticketRule(err error, t *portal.Ticket) error {
	switch {
	case isUnique(err):
		return portal.Conflictf("ticket.exists", "there is a ticket with this number or id already").With("Number", t.Number.String())
	case isForeignKey(err):
		return portal.NotFoundf("ticket.reference", "the ticket's requester, company, inbox, portal or assignee does not exist any more")
	}
	return err
}

func (tx *Tx) addParticipants(ctx context.Context, t *portal.Ticket) error {
	for _, id := range t.Participants {
		if id == t.Requester {
			continue // the requester sees the ticket as such; twice would list it twice
		}
		err := tx.do(ctx, `INSERT INTO participant (ticket, contact_id, updated_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			t.Number, id, stamp(t.UpdatedAt))
		if isForeignKey(err) {
			return noContact()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// SaveTicket writes a changed ticket, its participants (and their updated_at)
// and, when the parties, company, confidentiality or subject changed, the
// search index.
func (tx *Tx) SaveTicket(ctx context.Context, t *portal.Ticket) error {
	old := portal.Ticket{}
	found, err := tx.one(ctx, `SELECT contact_id, company_id, confidential, subject FROM ticket WHERE number = $1`, []any{t.Number},
		func(r row) error {
			return r.Scan(&old.Requester, refInto(&old.Company), &old.Confidential, &old.Subject)
		})
	if err != nil {
		return err
	}
	if !found {
		return noTicket(t.Number)
	}
	if old.Participants, err = tx.participants(ctx, t.Number); err != nil {
		return err
	}
	err = tx.do(ctx, `UPDATE ticket SET subject = $2, status = $3, priority = $4, category = $5, contact_id = $6, company_id = $7, inbox_id = $8,
			portal_id = $9, assignee_id = $10, confidential = $11, fields = $12, external_id = $13, created_at = $14, updated_at = $15,
			status_at = $16, closed_at = $17, last_public = $18, file_count = $19,
			via = $20, answered_at = $21, answer_due_at = $22, resolve_due_at = $23, promised_at = $24, snoozed_until = $25, merged_into = $26,
			rating = $27, rating_text = $28, rated_at = $29, clock_at = $30, remind_at = $31 WHERE number = $1`,
		t.Number, t.Subject, t.Status, t.Priority, t.Category, t.Requester, ref(t.Company), t.InboxID,
		ref(t.PortalID), ref(t.Assignee), flag(t.Confidential), mapJSON(t.Fields), t.ExternalID, stamp(t.CreatedAt), stamp(t.UpdatedAt),
		stamp(t.StatusAt), stamp(t.ClosedAt), t.LastPublic, t.FileCount,
		t.Via, stamp(t.AnsweredAt), stamp(t.AnswerDueAt), stamp(t.ResolveDueAt), stamp(t.PromisedAt), stamp(t.SnoozedUntil), ref(t.MergedInto),
		ref(int64(t.Rating)), t.RatingText, stamp(t.RatedAt), stamp(t.ClockAt), stamp(t.RemindAt))
	if err := ticketRule(err, t); err != nil {
		return err
	}
	if parties := partiesOf(t); !slices.Equal(parties, partiesOf(&old)) || t.Requester != old.Requester {
		if err := tx.do(ctx, `DELETE FROM participant WHERE ticket = $1`, t.Number); err != nil {
			return err
		}
		if err := tx.addParticipants(ctx, t); err != nil {
			return err
		}
	} else if len(parties) > 1 {
		if err := tx.do(ctx, `UPDATE participant SET updated_at = $2 WHERE ticket = $1`, t.Number, stamp(t.UpdatedAt)); err != nil {
			return err
		}
	}
	if scopeOf(t) != scopeOf(&old) || t.Subject != old.Subject {
		return tx.reindex(ctx, t)
	}
	return nil
}

// partiesOf lists requester and participants, each once, in order.
func partiesOf(t *portal.Ticket) []portal.ContactID {
	ids := append([]portal.ContactID{t.Requester}, t.Participants...)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Participants returns the ticket's participants as contacts, by name.
func (tx *Tx) Participants(ctx context.Context, n portal.TicketNumber) ([]portal.Contact, error) {
	return list(ctx, tx, `SELECT `+contactColumns+` FROM participant p JOIN contact c ON c.id = p.contact_id
		WHERE p.ticket = $1 ORDER BY c.name_key, c.email`, []any{n}, scanContact)
}

// AddEvent writes a line of a ticket's history and sets its ID; At is now
// unless set.
func (tx *Tx) AddEvent(ctx context.Context, e *portal.Event) error {
	if e.At.IsZero() {
		e.At = tx.Now
	}
	by := e.By
	return tx.value(ctx, &e.ID, `INSERT INTO event (ticket, kind, contact_id, agent_id, operator, about_id, from_value, to_value, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
		e.Ticket, e.Kind, ref(by.Contact), ref(max(by.Agent, 0)), flag(by.Operator), ref(e.About), e.From, e.To, stamp(e.At))
}

// Events returns a ticket's history, the newest 500 events of it, oldest
// first; internal events only if asked.
func (tx *Tx) Events(ctx context.Context, n portal.TicketNumber, internal bool) ([]portal.Event, error) {
	events, err := list(ctx, tx, `SELECT e.id, e.ticket, e.kind, e.contact_id, e.agent_id, e.operator, e.about_id, e.from_value, e.to_value, e.at,
		coalesce(c.name, ''), coalesce(c.email, ''), coalesce(a.name, '')
		FROM (SELECT * FROM event WHERE ticket = $1 ORDER BY id DESC LIMIT 500) e
		LEFT JOIN contact c ON c.id = e.contact_id LEFT JOIN agent a ON a.id = e.agent_id
		ORDER BY e.id`, []any{n}, func(r row) (e portal.Event, err error) {
		var name, email, agent string
		err = r.Scan(&e.ID, &e.Ticket, &e.Kind, refInto(&e.By.Contact), refInto(&e.By.Agent), &e.By.Operator, refInto(&e.About), &e.From, &e.To, timeInto{&e.At},
			&name, &email, &agent)
		e.ByName = agent
		if e.By.Contact != 0 {
			e.ByName = shownName(name, email, internal)
		}
		return e, err
	})
	if internal {
		return events, err
	}
	return slices.DeleteFunc(events, func(e portal.Event) bool { return e.Kind.Internal() }), err
}

// MarkRead notes that the contact has seen the ticket up to the message; never moves back.
func (tx *Tx) MarkRead(ctx context.Context, c portal.ContactID, n portal.TicketNumber, m portal.MessageID) error {
	return tx.do(ctx, `INSERT INTO read_mark (contact_id, ticket, message_id, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (contact_id, ticket) DO UPDATE SET message_id = excluded.message_id, at = excluded.at
		WHERE excluded.message_id > read_mark.message_id`, c, n, m, stamp(tx.Now))
}

// ReadMark returns the newest message seen; 0 for none.
func (tx *Tx) ReadMark(ctx context.Context, c portal.ContactID, n portal.TicketNumber) (m portal.MessageID, err error) {
	err = tx.value(ctx, &m, `SELECT message_id FROM read_mark WHERE contact_id = $1 AND ticket = $2`, c, n)
	return m, err
}
