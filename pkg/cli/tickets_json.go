package cli

import (
	"maps"
	"slices"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

// ticketJSON is a ticket as scripts read it. Its names are stable.
type ticketJSON struct {
	Number       string            `json:"number"`
	Subject      string            `json:"subject"`
	Status       string            `json:"status"`
	StatusAt     *time.Time        `json:"status_at"`
	Priority     string            `json:"priority,omitempty"`
	Category     string            `json:"category"`
	Requester    personJSON        `json:"requester"`
	Participants []personJSON      `json:"participants"`
	Company      string            `json:"company"`
	Confidential bool              `json:"confidential"`
	Inbox        string            `json:"inbox,omitempty"`
	Portal       string            `json:"portal"`
	Assignee     *string           `json:"assignee,omitempty"`
	Fields       map[string]string `json:"fields"`
	ExternalID   string            `json:"external_id,omitempty"`
	CreatedAt    *time.Time        `json:"created_at"`
	UpdatedAt    *time.Time        `json:"updated_at"`
	ClosedAt     *time.Time        `json:"closed_at"`
	Turn         turnJSON          `json:"turn"`
	MergedInto   string            `json:"merged_into,omitempty"`
	Desk         *deskJSON         `json:"desk,omitempty"`
	Messages     []messageJSON     `json:"messages"`
	History      []eventJSON       `json:"history"`
}

// turnJSON is whose turn it is, as customers may know it.
type turnJSON struct {
	Who        string     `json:"who"` // desk, customer or nobody
	Since      *time.Time `json:"since"`
	PromisedAt *time.Time `json:"promised_at"`
}

// deskJSON is what only the desk knows of a ticket.
type deskJSON struct {
	AnsweredAt   *time.Time `json:"answered_at"`
	Answer       *clockJSON `json:"answer"`
	Resolve      *clockJSON `json:"resolve"`
	SnoozedUntil *time.Time `json:"snoozed_until"`
	Tags         []string   `json:"tags"`
	Links        []linkJSON `json:"links"`
	Merged       []string   `json:"merged"`
}

// clockJSON is how a target stands.
type clockJSON struct {
	State       string     `json:"state"` // ok, soon, late or met
	DueAt       *time.Time `json:"due_at"`
	LeftSeconds int64      `json:"left_seconds"` // of business time; below zero: late
	Paused      bool       `json:"paused"`
}

type linkJSON struct {
	Kind    string `json:"kind"`
	Number  string `json:"number"`
	Subject string `json:"subject"`
	Status  string `json:"status"`
}

func newDeskJSON(p *app.Properties) *deskJSON {
	if p == nil {
		return nil
	}
	t := p.Ticket
	j := &deskJSON{
		AnsweredAt: momentJSON(t.AnsweredAt), Answer: newClockJSON(p.Answer), Resolve: newClockJSON(p.Resolve),
		SnoozedUntil: momentJSON(t.SnoozedUntil), Tags: append([]string{}, p.Tags...), Links: []linkJSON{}, Merged: []string{},
	}
	for _, l := range p.Links {
		j.Links = append(j.Links, linkJSON{string(l.Kind), l.Other.String(), l.Subject, string(l.Status)})
	}
	for _, m := range p.Merged {
		j.Merged = append(j.Merged, m.Number.String())
	}
	return j
}

func newClockJSON(k portal.Clock) *clockJSON {
	if k.State == "" {
		return nil
	}
	return &clockJSON{string(k.State), momentJSON(k.Due), int64(k.Left / time.Second), k.Paused}
}

type personJSON struct {
	Email string `json:"email"`
	Name  string `json:"name"`
}

type messageJSON struct {
	ID     int64      `json:"id"`
	Kind   string     `json:"kind"`
	Author string     `json:"author"`
	By     string     `json:"by"` // contact, agent, unknown
	At     *time.Time `json:"at"`
	Format string     `json:"format"`
	Body   string     `json:"body"`
	Files  []fileJSON `json:"files"`
}

type fileJSON struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

type eventJSON struct {
	Kind string     `json:"kind"`
	By   string     `json:"by"`
	From string     `json:"from"`
	To   string     `json:"to"`
	At   *time.Time `json:"at"`
}

func newTicketJSON(t *app.TicketDetail, public bool) ticketJSON {
	j := ticketJSON{
		Number: t.Number.String(), Subject: t.Subject, Status: string(t.Status), StatusAt: momentJSON(t.StatusAt),
		Category: t.Category, Requester: personJSON{t.RequesterEmail, t.RequesterName}, Participants: []personJSON{},
		Company: t.CompanyName, Confidential: t.Confidential, Fields: t.Fields,
		CreatedAt: momentJSON(t.CreatedAt), UpdatedAt: momentJSON(t.UpdatedAt), ClosedAt: momentJSON(t.ClosedAt),
		Messages: make([]messageJSON, len(t.Messages)), History: make([]eventJSON, len(t.Events)),
	}
	turn := t.Ticket.Turn(time.Time{}) // of a moment only lateness depends, which is not told
	j.Turn = turnJSON{string(turn.Who), momentJSON(turn.Since), momentJSON(turn.Promised)}
	j.Desk = newDeskJSON(t.Desk)
	if t.MergedInto != 0 {
		j.MergedInto = t.MergedInto.String()
	}
	if j.Fields == nil {
		j.Fields = map[string]string{}
	}
	if t.Portal != nil {
		j.Portal = t.Portal.Name
	}
	if !public {
		j.Priority, j.Inbox, j.Assignee, j.ExternalID = string(t.Priority), t.InboxName, new(t.AssigneeName), t.ExternalID
	}
	for _, c := range t.Participants {
		j.Participants = append(j.Participants, personJSON{c.Email, c.Name})
	}
	for i := range t.Messages {
		j.Messages[i] = newMessageJSON(&t.Messages[i])
	}
	for i, e := range t.Events {
		by := e.ByName
		if by == "" {
			by = e.By.String()
		}
		j.History[i] = eventJSON{string(e.Kind), by, e.From, e.To, momentJSON(e.At)}
	}
	return j
}

func newMessageJSON(m *portal.Message) messageJSON {
	j := messageJSON{
		ID: int64(m.ID), Kind: string(m.Kind), Author: m.AuthorName, By: messageBy(m), At: momentJSON(m.At),
		Format: string(m.Format), Body: m.Body, Files: make([]fileJSON, len(m.Files)),
	}
	for i, f := range m.Files {
		j.Files[i] = fileJSON{int64(f.ID), f.Name, f.Type, f.Size, f.SHA256}
	}
	return j
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
