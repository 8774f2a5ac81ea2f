package cli

import (
	"bytes"
	"context"
	_ "embed" // demo.toml and demo_logo.svg
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/transfer"
)

//go:embed demo.toml
var demoFile string

//go:embed demo_logo.svg
var demoLogo string

// demoData is the sample company's world as demo.toml tells it.
type demoData struct {
	Company []struct{ Name, Domain, Plan string }
	Agent   []demoAgent
	Contact []demoContact
	Ticket  []demoTicket
}

type demoAgent struct{ Key, Name, Email, Language string }

type demoContact struct{ Key, Name, Email, Company, Role, Language string }

type demoTicket struct {
	Subject, From, Age, Category, Serial string
	Priority                             portal.Priority
	Confidential, Closed                 bool
	Messages                             []string

	Agent           string // who has it; "": the first
	Tags            []string
	Stars           int
	Said            string
	Promise, Snooze string // how long from now
}

const (
	demoAgentEmail = "ines@brewline.example"
	demoGroup      = "Customers"
)

func readDemo() (*demoData, error) {
	var d demoData
	if _, err := toml.Decode(demoFile, &d); err != nil {
		return nil, fmt.Errorf("read demo data: %w", err)
	}
	return &d, nil
}

func (d *demoData) contact(key string) demoContact {
	for _, c := range d.Contact {
		if c.Key == key {
			return c
		}
	}
	return demoContact{}
}

// agent is who has a ticket.
func (d *demoData) agent(t *demoTicket) demoAgent {
	for _, g := range d.Agent {
		if g.Key == t.Agent {
			return g
		}
	}
	return d.Agent[0]
}

// load fills a store with the sample through the same imports operators use.
func (d *demoData) load(ctx context.Context, a *app.App, p *portal.Portal, now time.Time) error {
	steps := []struct {
		what  string
		write func(*bytes.Buffer) error
		load  func(context.Context, transfer.Source, int64, app.ImportOptions) (*app.ImportResult, error)
	}{
		{"companies", d.companies, a.ImportCompanies},
		{"contacts", d.contacts, a.ImportContacts},
		{"tickets", func(b *bytes.Buffer) error { return d.tickets(b, now) }, a.ImportTickets},
	}
	for _, s := range steps {
		var csv bytes.Buffer
		if err := s.write(&csv); err != nil {
			return fmt.Errorf("write %s: %w", s.what, err)
		}
		r, err := s.load(ctx, bytes.NewReader(csv.Bytes()), int64(csv.Len()), app.ImportOptions{Portal: p})
		if err != nil {
			return fmt.Errorf("import %s: %w", s.what, err)
		}
		if r.Rejected > 0 {
			return fmt.Errorf("import %s: %v", s.what, r.Problems)
		}
	}
	return nil
}

func (d *demoData) companies(b *bytes.Buffer) error {
	w, err := transfer.NewCompanyWriter(b, []string{"plan"})
	if err != nil {
		return err
	}
	for _, c := range d.Company {
		if err := w.Write(&transfer.Company{Name: c.Name, Domain: c.Domain, Properties: map[string]string{"plan": c.Plan}}); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (d *demoData) contacts(b *bytes.Buffer) error {
	w, err := transfer.NewContactWriter(b, []string{"role"})
	if err != nil {
		return err
	}
	for _, c := range d.Contact {
		company := transfer.CompanyRef{Name: c.Company}
		err := w.Write(&transfer.Contact{
			Email: c.Email, Name: c.Name, Language: c.Language, Primary: company,
			Companies: []transfer.CompanyRef{company}, Properties: map[string]string{"role": c.Role},
		})
		if err != nil {
			return err
		}
	}
	return w.Flush()
}

func (d *demoData) tickets(b *bytes.Buffer, now time.Time) error {
	w, err := transfer.NewTicketWriter(b, []string{"serial"})
	if err != nil {
		return err
	}
	// The oldest stands last in the file and takes the first number.
	for i := len(d.Ticket) - 1; i >= 0; i-- {
		t, err := d.ticket(&d.Ticket[i], now)
		if err != nil {
			return fmt.Errorf("ticket %q: %w", d.Ticket[i].Subject, err)
		}
		// The id tells the rows of one conversation from the next one's.
		t.ExternalID = fmt.Sprintf("brewline-%d", len(d.Ticket)-i)
		if err := w.Write(t); err != nil {
			return err
		}
	}
	return w.Flush()
}

// ticket turns a sample ticket into one with times before now.
func (d *demoData) ticket(s *demoTicket, now time.Time) (*transfer.Ticket, error) {
	from := d.contact(s.From)
	age, err := demoAge(s.Age)
	if err != nil {
		return nil, err
	}
	t := &transfer.Ticket{
		Subject: s.Subject, Priority: s.Priority, Category: s.Category, Confidential: s.Confidential,
		Requester: transfer.ContactRef{Email: from.Email}, Company: transfer.CompanyRef{Name: from.Company},
		Assignee: d.agent(s).Email, CreatedAt: now.Add(-age).Truncate(time.Minute), Status: portal.New,
	}
	if s.Serial != "" {
		t.Fields = map[string]string{"serial": s.Serial}
	}
	at := t.CreatedAt
	for _, line := range s.Messages {
		m, after, err := d.message(line, from, d.agent(s))
		if err != nil {
			return nil, err
		}
		at = at.Add(after)
		m.At = at
		t.Messages = append(t.Messages, *m)
		if m.Kind != portal.Public {
			continue
		}
		switch {
		case m.By == transfer.ByAgent:
			t.Status = portal.WaitingOnCustomer
		case t.Status != portal.New:
			t.Status = portal.WaitingOnUs
		}
		t.UpdatedAt, t.StatusAt = at, at
	}
	if t.Status == portal.New {
		t.Assignee = ""
	}
	if s.Closed {
		t.UpdatedAt = at.Add(26 * time.Hour)
		t.Status, t.ClosedAt, t.StatusAt = portal.Closed, t.UpdatedAt, t.UpdatedAt
	}
	return t, nil
}

// message reads "WHO AFTER: TEXT".
func (d *demoData) message(line string, from demoContact, agent demoAgent) (*transfer.Message, time.Duration, error) {
	head, body, ok := strings.Cut(line, ": ")
	who, when, ok2 := strings.Cut(head, " ")
	if !ok || !ok2 {
		return nil, 0, fmt.Errorf("%q does not say who wrote it and when", line)
	}
	after, err := time.ParseDuration(when)
	m := &transfer.Message{Kind: portal.Public, Format: portal.Plain, Body: body, By: transfer.ByContact, Email: from.Email}
	switch who {
	case "customer":
	case "agent", "note":
		m.By, m.Email, m.Format = transfer.ByAgent, agent.Email, portal.Markdown
		if who == "note" {
			m.Kind = portal.Note
		}
	default:
		m.Email = d.contact(who).Email
	}
	return m, after, err
}

func demoAge(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		d, err := time.ParseDuration(days + "h")
		return 24 * d, err
	}
	return time.ParseDuration(s)
}

// live opens the tickets of today the way pages and commands do: with files,
// a participant, and mail in the demo's box.
func (d *demoData) live(ctx context.Context, a *app.App, p *portal.Portal) error {
	id := func(key string) (portal.ContactID, error) {
		c, err := a.Contact(ctx, d.contact(key).Email)
		if err != nil {
			return 0, err
		}
		return c.ID, nil
	}
	noah, err := id("noah")
	if err != nil {
		return err
	}
	carmen, err := id("carmen")
	if err != nil {
		return err
	}
	elin, err := id("elin")
	if err != nil {
		return err
	}
	agent, err := a.Agent(ctx, demoAgentEmail)
	if err != nil {
		return err
	}
	photo, err := base64.StdEncoding.DecodeString(demoPhoto)
	if err != nil {
		return err
	}
	tickets := []struct {
		app.DeskTicket
		answer string
	}{
		{
			app.DeskTicket{
				Requester: noah, Portal: p.ID, Subject: "Display of the bar machine has a dark stripe", Category: "Machine fault",
				Body:  "Since this morning the display has a dark stripe on the left. I attach a picture and the service sheet.\n\nThe machine works, so no hurry.",
				Files: []app.Upload{{Name: "display.png", Content: bytes.NewReader(photo)}, {Name: "service sheet.csv", Content: strings.NewReader("date,cups,service\n2026-10-04,18211,filter\n2026-11-02,19870,rinse\n")}},
			},
			"Thank you for the picture. The ribbon cable of the display has come loose a little; that takes **ten minutes** on site. We bring it together with the visit on floor 3.",
		},
		{app.DeskTicket{
			Requester: carmen, Portal: p.ID, Subject: "Forecast of beans for the winter season", Category: "Supplies",
			Body: "Please find our bookings until March in the attached sheet. Noah can tell you about breakfast.", Participants: []portal.ContactID{noah},
			Files: []app.Upload{{Name: "bookings.csv", Content: strings.NewReader("month,nights\n2026-12,3120\n2027-01,1980\n2027-02,2240\n")}},
		}, ""},
		{app.DeskTicket{
			Requester: elin, Portal: p.ID, Subject: "Kvitto saknas för servicebesöket i fredags", Category: "Billing",
			Body: "Hej, vi fick inget kvitto för besöket i fredags. Kan ni skicka det hit?",
		}, ""},
	}
	for _, t := range tickets {
		n, err := a.CreateTicket(ctx, t.DeskTicket)
		if err != nil {
			return err
		}
		if t.answer != "" {
			if err := a.DeskReply(ctx, agent.ID, n, app.Answer{Body: t.answer}); err != nil {
				return err
			}
		}
	}
	return nil
}

// demoPhoto is a drawing of a display with a dark stripe, a PNG.
const demoPhoto = "iVBORw0KGgoAAAANSUhEUgAAAPAAAACWCAIAAABvmpKCAAAB0UlEQVR42u3bsQmAMBBA0QxhkdpCLJzAUawcw9pxnMStdAUlIMn54PeB5HWXS8M4SWFKrkBAS0BLQEtAC2gJaKkZ0HleC+ty/6ryE/WfgBbQQAtooAU00AJaQAMtoIEW0EALaAloAQ20gAZaQAMtoCWgBTTQAhpoAQ20gJaAFtBAC2igBTTQAloCWkADLaCBFtBAC2gJaAENtID+FvR2Xqo8oIEGGmgBDbSABlpAAw000EADDbSABlpAAy2ggQYaaKCBBlpAAy2ggRbQQAMNNNBAAy2grWDJChbQAhpoAS0BLaCBFtBAC2igBbQEtIAGWkADLaCBFtBSLNDLfuhhQAMNNNBAAw000EADDTTQQAMNNNBAAw000EADDTTQAtroW0ADLaCBFtBAC2gBDbSABlpAAy2gJaAFNNACGmgB7XOSj01AAw000AIaaAENNNBAAw000EADDbSABlpAAw000EbfAloCWkADLaCBFtBAC2gJaAENtIAGWkADLaAloAU00AIaaAENtIAW0EALaKAFNNAC2jsJaAENtIAGWkADLaAloAU00AIaaAENtICWgBbQQAtooAU00AJaAlpAA63IoKUWA1pAS0BLQEtAC2gJaKm6bl6PzRoTyO+9AAAAAElFTkSuQmCC"
