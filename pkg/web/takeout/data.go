package takeout

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

// The names of data.json are stable. version counts up when one changes its
// meaning.
const (
	dataFormat  = "portalctl-personal-data"
	dataVersion = 1
)

type head struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	MadeAt  time.Time `json:"made_at"`
	*portal.Personal
}

type ticket struct {
	Number       string            `json:"number"`
	Subject      string            `json:"subject,omitempty"`
	Role         string            `json:"role"` // requester, participant; writer in a ticket of others
	Status       portal.Status     `json:"status,omitempty"`
	Priority     portal.Priority   `json:"priority,omitempty"`
	Category     string            `json:"category,omitempty"`
	Company      string            `json:"company,omitempty"`
	Confidential bool              `json:"confidential,omitempty"`
	Fields       map[string]string `json:"fields,omitempty"`
	ExternalID   string            `json:"external_id,omitempty"`
	Requester    string            `json:"requester,omitempty"`
	Participants []string          `json:"participants,omitempty"`
	CreatedAt    time.Time         `json:"created_at,omitzero"`
	UpdatedAt    time.Time         `json:"updated_at,omitzero"`
	ClosedAt     time.Time         `json:"closed_at,omitzero"`
	History      []event           `json:"history,omitempty"`
}

type event struct {
	At   time.Time        `json:"at"`
	Kind portal.EventKind `json:"kind"`
	By   string           `json:"by"`
	From string           `json:"from,omitempty"`
	To   string           `json:"to,omitempty"`
}

type message struct {
	At     time.Time         `json:"at"`
	By     string            `json:"by"`
	Own    bool              `json:"own"` // written by whom this is about
	Format portal.BodyFormat `json:"format"`
	Body   string            `json:"body"`
	Files  []file            `json:"files"`
}

type file struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Size    int64  `json:"size"`
	SHA256  string `json:"sha256"`
	Path    string `json:"path,omitempty"` // in the zip
	Missing bool   `json:"missing,omitempty"`
}

// data writes data.json. Tickets and messages are written one by one into
// lists that stay open meanwhile.
func (o *writing) data(ctx context.Context, w io.Writer) error {
	out := &jsonWriter{w: w}
	out.open("", head{dataFormat, dataVersion, o.At.UTC().Truncate(time.Second), o.Personal})
	out.list("  ", "tickets")
	err := o.Tickets(ctx, func(t *app.TakeOutTicket) error {
		o.sum.Tickets++
		return o.ticket(ctx, out, t, o.record(t), false)
	})
	if err != nil {
		return err
	}
	out.end("  ")
	out.list("  ", "messages_in_tickets_of_others")
	err = o.Elsewhere(ctx, func(t *app.TakeOutTicket) error {
		return o.ticket(ctx, out, t, ticket{Number: t.Number.String(), Role: "writer"}, true)
	})
	if err != nil {
		return err
	}
	out.end("  ")
	out.close("")
	out.write("\n")
	return out.err
}

func (o *writing) record(t *app.TakeOutTicket) ticket {
	r := ticket{
		Number: t.Number.String(), Subject: t.Subject, Role: "participant", Status: t.Status, Priority: t.Priority, Category: t.Category,
		Company: t.CompanyName, Confidential: t.Confidential, Fields: t.Fields, ExternalID: t.ExternalID,
		Requester: t.RequesterName, Participants: t.Participants, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt, ClosedAt: t.ClosedAt,
	}
	if t.Requested {
		r.Role = "requester"
	}
	for i := range t.Events {
		e := &t.Events[i]
		by := e.ByName
		switch {
		case e.By.Agent != 0:
			by = o.author(t.Ticket, &portal.Message{Agent: e.By.Agent, AuthorName: e.ByName})
		case e.By.Operator:
			by = o.T("takeout.team")
		}
		r.History = append(r.History, event{e.At, e.Kind, by, e.From, e.To})
	}
	return r
}

func (o *writing) ticket(ctx context.Context, out *jsonWriter, t *app.TakeOutTicket, r ticket, own bool) error {
	out.open("    ", r)
	out.list("      ", "messages")
	err := o.Messages(ctx, t.Ticket, own, func(m *portal.Message) error {
		o.sum.Messages++
		one := message{At: m.At, By: o.author(t.Ticket, m), Own: m.Contact == o.Contact(), Format: m.Format, Body: m.Body, Files: []file{}}
		for i := range m.Files {
			f := &m.Files[i]
			entry := file{Name: f.Name, Type: f.Type, Size: f.Size, SHA256: f.SHA256, Missing: o.missing[f.ID]}
			if !entry.Missing {
				entry.Path = filePath(f)
			}
			one.Files = append(one.Files, entry)
		}
		out.item("        ", one)
		return out.err
	})
	out.end("      ")
	out.close("    ")
	if err != nil {
		return err
	}
	return out.err
}

// jsonWriter writes JSON whose lists are never in memory as a whole. The first
// error stands.
type jsonWriter struct {
	w     io.Writer
	err   error
	first []bool // whether the list that is open has nothing in it yet
}

func (j *jsonWriter) write(s string) {
	if j.err == nil {
		_, j.err = io.WriteString(j.w, s)
	}
}

// encode is v as JSON on several lines, each but the first behind indent.
func (j *jsonWriter) encode(indent string, v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(indent, "  ")
	if err := e.Encode(v); err != nil && j.err == nil {
		j.err = err
	}
	return string(bytes.TrimRight(b.Bytes(), "\n"))
}

// begin puts what parts an item from the one before.
func (j *jsonWriter) begin(indent string) {
	if len(j.first) == 0 {
		return
	}
	if last := len(j.first) - 1; j.first[last] {
		j.first[last] = false
		j.write("\n" + indent)
	} else {
		j.write(",\n" + indent)
	}
}

// item writes an item of a list.
func (j *jsonWriter) item(indent string, v any) {
	j.begin(indent)
	j.write(j.encode(indent, v))
}

// open writes an object without its closing brace, so that lists can follow.
func (j *jsonWriter) open(indent string, v any) {
	j.begin(indent)
	text := j.encode(indent, v)
	j.write(text[:len(text)-len("\n"+indent+"}")])
}

func (j *jsonWriter) close(indent string) { j.write("\n" + indent + "}") }

// list begins a list that is a member of the open object.
func (j *jsonWriter) list(indent, name string) {
	j.write(",\n" + indent + `"` + name + `": [`)
	j.first = append(j.first, true)
}

func (j *jsonWriter) end(indent string) {
	last := len(j.first) - 1
	if !j.first[last] {
		j.write("\n" + indent)
	}
	j.write("]")
	j.first = j.first[:last]
}
