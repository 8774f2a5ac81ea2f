package transfer

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Ticket is a ticket as a file gives it, with its conversation. Empty fields
// say nothing about it.
type Ticket struct {
	Line       int                 `json:"-"`
	Number     portal.TicketNumber `json:"-"` // our own; 0 in files of others
	ExternalID string              `json:"external_id,omitempty"`
	Subject    string              `json:"subject"`
	Status     portal.Status       `json:"status,omitempty"`
	Priority   portal.Priority     `json:"priority,omitempty"`
	Category   string              `json:"category,omitempty"`
	Requester  ContactRef          `json:"requester,omitzero"`
	// Participants are further contacts.
	Participants []ContactRef      `json:"participants,omitempty"`
	Company      CompanyRef        `json:"company,omitzero"`
	Inbox        string            `json:"inbox,omitempty"`
	Portal       string            `json:"portal,omitempty"`   // its slug
	Assignee     string            `json:"assignee,omitempty"` // an agent's address, or their name
	Confidential bool              `json:"confidential"`
	Fields       map[string]string `json:"fields,omitempty"`
	CreatedAt    time.Time         `json:"created_at,omitzero"`
	UpdatedAt    time.Time         `json:"updated_at,omitzero"`
	StatusAt     time.Time         `json:"status_at,omitzero"`
	ClosedAt     time.Time         `json:"closed_at,omitzero"`
	// Messages is the conversation. Files of others bring at most one, made
	// from the ticket's description.
	Messages []Message `json:"messages,omitempty"`
	// NoCompany is set when the file has a place for the ticket's company and
	// names none; otherwise an empty Company says nothing.
	NoCompany bool `json:"-"`
	// Continues is set when the record goes on with the messages of the one
	// before; a long conversation comes in parts.
	Continues bool `json:"-"`
	// Described is set when the only message was made from a description:
	// it is the first of a new ticket and not added to one that exists.
	Described bool `json:"-"`
}

// ParseStatuses reads what further statuses mean, each written like
// "In progress=waiting_on_us".
func ParseStatuses(list []string) (map[string]portal.Status, error) {
	statuses := map[string]portal.Status{}
	for _, s := range list {
		i := strings.LastIndexByte(s, '=')
		if i < 0 || strings.TrimSpace(s[:i]) == "" {
			return nil, portal.Invalidf("import.map_status", "map-status", "%q does not say what a status means; write it like \"In progress=waiting_on_us\"", s)
		}
		status, err := portal.ParseStatus(s[i+1:])
		if err != nil {
			return nil, err
		}
		statuses[strings.ToLower(strings.Join(strings.Fields(s[:i]), " "))] = status
	}
	return statuses, nil
}

// maxMessages is how many messages one record holds.
const maxMessages = 200

const fieldPrefix = "field."

var ticketKind = &kind{
	plural: "tickets",
	sample: []string{"subject", "status", "requester", "created_at"},
	columns: []string{
		"number", "external_id", "subject", "status", "priority", "category", "requester", "requester_name",
		"participants", "company", "inbox", "portal", "assignee", "confidential", "created_at", "updated_at", "status_at", "closed_at",
		"message_at", "message_kind", "message_by", "message_author", "message_author_name", "message_format", "message_body", "message_files",
	},
	prefix:   fieldPrefix,
	required: []string{"subject"},
	aliases: map[string]string{
		"ticket_id": "external_id", "record_id": "external_id", "record_id_ticket": "external_id", "hs_ticket_id": "external_id", "hs_object_id": "external_id",
		"ticket_name": "subject", "ticket_subject": "subject", "title": "subject",
		"ticket_description": "description", "description": "description", "content": "description",
		"ticket_status": "status", "pipeline_stage": "status", "hs_pipeline_stage": "status",
		"ticket_priority": "priority", "hs_ticket_priority": "priority",
		"ticket_category": "category", "hs_ticket_category": "category",
		"source": "source", "ticket_source": "source", "source_type": "source",
		"associated_contact_ids": "contact_ids", "associated_contact_id": "contact_ids",
		"associated_contact": "contact_names", "associated_contacts": "contact_names",
		"all_associated_contact_emails": "contact_emails", "associated_contact_email": "contact_emails", "associated_contact_emails": "contact_emails",
		"requester_email": "contact_emails", "contact_email": "contact_emails",
		"associated_company_ids": "company_ids", "associated_company_id": "company_ids",
		"associated_company": "company_names", "associated_companies": "company_names",
		"primary_associated_company_id": "primary_id", "associated_company_ids_(primary)": "primary_id",
		"associated_company_(primary)": "primary_name", "primary_company": "primary_name",
		"company_name": "company",
		"ticket_owner": "assignee", "owner": "assignee",
		"create_date": "created_at", "createdate": "created_at", "created": "created_at",
		"last_modified_date": "updated_at", "hs_lastmodifieddate": "updated_at", "last_modified": "updated_at",
		"close_date": "closed_at", "closed_date": "closed_at",
	},
	foreign: map[string]string{"first_name": "contacts", "last_name": "contacts", "company_domain_name": "companies"},
}

// statusWords are the names of statuses in HubSpot and other systems; what
// stands behind in brackets is HubSpot's pipeline.
var statusWords = map[string]portal.Status{
	"new":           portal.New,
	"waiting on us": portal.WaitingOnUs, "open": portal.WaitingOnUs, "in progress": portal.WaitingOnUs,
	"on hold": portal.WaitingOnUs, "reopened": portal.WaitingOnUs,
	"waiting on contact": portal.WaitingOnCustomer, "waiting on customer": portal.WaitingOnCustomer,
	"pending": portal.WaitingOnCustomer, "waiting for customer": portal.WaitingOnCustomer,
	"closed": portal.Closed, "solved": portal.Closed, "resolved": portal.Closed, "done": portal.Closed,
}

// NewTickets reads a file of tickets. Rows that follow each other and name
// the same ticket are its messages.
func NewTickets(src Source, size int64, o Options) (*Reader[Ticket], error) {
	return open(src, size, ticketKind, o, func(r *Reader[Ticket], row Row) (Record[Ticket], error) {
		p := &parser{file: r.file, row: row}
		t := p.ticket(o)
		t.Continues, r.goesOn = r.goesOn, false
		rec := Record[Ticket]{Rows: []Row{row}}
		if r.file.has("message_body") {
			if err := r.conversation(&t, &rec, p); err != nil {
				return Record[Ticket]{}, err
			}
		} else if m, ok := p.description(&t, o); ok {
			t.Messages, t.Described = []Message{m}, true
		}
		rec.Problems = append(p.problems, rec.Problems...)
		if len(rec.Problems) == 0 {
			finish(&t)
		}
		rec.Value = t
		return rec, nil
	})
}

// conversation reads the message of the ticket's first row and of those that
// follow it.
func (r *Reader[T]) conversation(t *Ticket, rec *Record[Ticket], p *parser) error {
	if m, ok := p.message(); ok {
		t.Messages = append(t.Messages, m)
	}
	key := r.ticketKey(p.row)
	for key != "" {
		next, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if next.reason != "" || r.ticketKey(next.row) != key {
			r.ahead = &next
			return nil
		}
		if len(t.Messages) >= maxMessages {
			r.ahead, r.goesOn = &next, true
			return nil
		}
		more := &parser{file: r.file, row: next.row}
		if m, ok := more.message(); ok {
			t.Messages = append(t.Messages, m)
		}
		rec.Rows = append(rec.Rows, next.row)
		rec.Problems = append(rec.Problems, more.problems...)
	}
	return nil
}

// ticketKey is what a row names its ticket by.
func (r *Reader[T]) ticketKey(row Row) string {
	if n := strings.TrimSpace(r.file.cell(row, "number")); n != "" {
		return "number " + n
	}
	if id := strings.TrimSpace(r.file.cell(row, "external_id")); id != "" {
		return "id " + id
	}
	return ""
}

func (p *parser) ticket(o Options) Ticket {
	t := Ticket{
		Line:       p.row.Line,
		ExternalID: p.id("external_id"),
		Subject:    p.subject(),
		Status:     p.status(o),
		Priority:   p.priority(),
		Category:   p.line("category"),
		Inbox:      p.line("inbox"),
		Portal:     p.line("portal"),
		Assignee:   p.assignee(),
		CreatedAt:  p.date("created_at"),
		UpdatedAt:  p.date("updated_at"),
		StatusAt:   p.date("status_at"),
		ClosedAt:   p.date("closed_at"),
		Fields:     p.extras(),
	}
	if s := p.trimmed("number"); s != "" {
		n, err := portal.ParseTicketNumber(s)
		if err != nil {
			p.fail("number", s, reason(err))
		}
		t.Number = n
	}
	t.Confidential = p.yes("confidential")
	p.people(&t)
	t.Company = p.ticketCompany()
	for _, column := range []string{"company", "company_ids", "company_names", "primary_id", "primary_name"} {
		t.NoCompany = t.NoCompany || p.file.has(column) && t.Company.Zero()
	}
	return t
}

// subject reads the ticket's name. Other systems take longer ones than we do,
// because mail does; those are cut.
func (p *parser) subject() string {
	value := strings.Join(strings.Fields(visible(p.raw("subject"))), " ")
	if runes := []rune(value); len(runes) > portal.MaxLine {
		value = strings.TrimSpace(string(runes[:portal.MaxLine-1])) + "…"
		p.file.notes.Add("a subject longer than " + strconv.Itoa(portal.MaxLine) + " characters was cut")
	}
	subject := p.lineOf("subject", value)
	if subject == "" && len(p.problems) == 0 {
		p.fail("subject", "", "the ticket has no name")
	}
	return subject
}

func (p *parser) status(o Options) portal.Status {
	value := p.line("status")
	switch {
	case value != "":
	case p.trimmed("closed_at") != "":
		return portal.Closed
	default:
		return ""
	}
	word := strings.ToLower(value)
	if i := strings.LastIndex(word, " ("); i > 0 && strings.HasSuffix(word, ")") && o.Statuses[word] == "" {
		word = word[:i]
	}
	if s := o.Statuses[word]; s != "" {
		return s
	}
	if s, err := portal.ParseStatus(word); err == nil {
		return s
	}
	if s := statusWords[strings.ReplaceAll(word, "_", " ")]; s != "" {
		return s
	}
	p.fail("status", value, strconv.Quote(value)+" is not a status that is known; say what it means, such as --map-status "+strconv.Quote(value+"=waiting_on_us"))
	return ""
}

func (p *parser) priority() portal.Priority {
	value := p.line("priority")
	if value == "" {
		return ""
	}
	if strings.EqualFold(value, "medium") {
		return portal.Normal
	}
	priority, err := portal.ParsePriority(value)
	if err != nil {
		p.fail("priority", value, reason(err))
	}
	return priority
}

func (p *parser) assignee() string {
	value := p.line("assignee")
	if _, email := splitContact(value); email != "" {
		return strings.ToLower(email)
	}
	return value
}

func (p *parser) yes(column string) bool {
	value := strings.ToLower(p.trimmed(column))
	switch value {
	case "", "no", "false", "0", "off":
		return false
	case "yes", "true", "1", "on":
		return true
	}
	p.fail(column, value, strconv.Quote(value)+" is neither yes nor no")
	return false
}

// people reads who a ticket belongs to: the requester and the participants,
// or HubSpot's associated contacts, the first of whom is the requester.
func (p *parser) people(t *Ticket) {
	t.Requester = ContactRef{Email: p.email("requester"), Name: p.line("requester_name")}
	for _, s := range list(p.raw("participants")) {
		address, err := cleanEmail(p.label("participants"), visible(s))
		if err != nil {
			p.fail("participants", s, reason(err))
		}
		t.Participants = append(t.Participants, ContactRef{Email: address})
	}
	if t.Requester.Email != "" {
		return
	}
	refs := p.contactRefs("contact_ids", "contact_names", "contact_emails")
	if len(refs) == 0 {
		if len(p.problems) == 0 {
			p.fail("requester", "", "the ticket names no contact it belongs to")
		}
		return
	}
	t.Requester, t.Participants = refs[0], append(refs[1:], t.Participants...)
}

func (p *parser) ticketCompany() CompanyRef {
	if refs := p.companyRefs("primary_id", "primary_name"); len(refs) > 0 {
		return refs[0]
	}
	if refs := p.refs("company"); len(refs) > 0 {
		return refs[0]
	}
	if refs := p.companyRefs("company_ids", "company_names"); len(refs) > 0 {
		return refs[0]
	}
	return CompanyRef{}
}

// finish fills in what follows from the rest.
func finish(t *Ticket) {
	if t.Status == portal.Closed && t.ClosedAt.IsZero() {
		t.ClosedAt = t.UpdatedAt
	}
	if t.Status != portal.Closed {
		t.ClosedAt = time.Time{}
	}
	if t.Number == 0 && t.ExternalID == "" {
		// Without an id a second run would make the ticket twice.
		h := sha256.New()
		for _, s := range []string{t.Subject, t.Requester.Email, t.Requester.ExternalID, formatTime(t.CreatedAt)} {
			h.Write([]byte(s + "\x00"))
		}
		for _, m := range t.Messages {
			h.Write([]byte(m.Body + "\x00"))
		}
		t.ExternalID = "row-" + hex.EncodeToString(h.Sum(nil)[:12])
	}
}

// MarshalJSON writes the number as people do.
func (t Ticket) MarshalJSON() ([]byte, error) {
	type plain Ticket
	number := ""
	if t.Number != 0 {
		number = t.Number.String()
	}
	return json.Marshal(struct {
		Number string `json:"number,omitempty"`
		plain
	}{number, plain(t)})
}

// TicketWriter writes tickets as CSV, a row for each message with the
// ticket's own columns repeated, so that a spreadsheet can filter them.
type TicketWriter struct {
	out    *csv.Writer
	fields []string
}

// NewTicketWriter writes the line with the column names. fields are the keys
// of the custom fields that get a column.
func NewTicketWriter(w io.Writer, fields []string) (*TicketWriter, error) {
	out := &TicketWriter{csv.NewWriter(w), fields}
	return out, out.out.Write(withExtras(ticketKind, fields))
}

// Write adds a ticket.
func (w *TicketWriter) Write(t *Ticket) error {
	if len(t.Messages) == 0 {
		return w.row(t, &Message{})
	}
	for i := range t.Messages {
		if err := w.row(t, &t.Messages[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *TicketWriter) row(t *Ticket, m *Message) error {
	number, confidential := "", "no"
	if t.Number != 0 {
		number = t.Number.String()
	}
	if t.Confidential {
		confidential = "yes"
	}
	var company []CompanyRef
	if !t.Company.Zero() {
		company = []CompanyRef{t.Company}
	}
	participants := make([]string, len(t.Participants))
	for i, c := range t.Participants {
		participants[i] = c.Email
	}
	files := make([]string, len(m.Files))
	for i, name := range m.Files {
		files[i] = refEscaper.Replace(name)
	}
	cells := []string{
		number, t.ExternalID, t.Subject, string(t.Status), string(t.Priority), t.Category,
		t.Requester.Email, t.Requester.Name, strings.Join(participants, "; "), formatRefs(company), t.Inbox, t.Portal, t.Assignee,
		confidential, formatTime(t.CreatedAt), formatTime(t.UpdatedAt), formatTime(t.StatusAt), formatTime(t.ClosedAt),
		formatTime(m.At), string(m.Kind), string(m.By), m.Email, m.Name, string(m.Format), m.Body, strings.Join(files, "; "),
	}
	return writeCells(w.out, cells, w.fields, t.Fields)
}

// Flush writes what is buffered and returns the first error there was.
func (w *TicketWriter) Flush() error {
	w.out.Flush()
	return w.out.Error()
}
