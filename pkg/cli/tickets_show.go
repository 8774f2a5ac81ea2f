package cli

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/mail"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newTicketsShowCmd(env *Env) *cobra.Command {
	var public bool
	cmd := &cobra.Command{
		Use:   "show [<number>]",
		Short: "Show a ticket with its conversation",
		Long: `Show a ticket with its conversation, oldest message first. Internal notes are
marked; with --public they, and all else that customers do not see, are left
out.`,
		Example: `  portalctl tickets show T-1042
  portalctl tickets show T-1042 --public --output json`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTicketsShow(cmd.Context(), env, firstOf(args), public)
		},
	}
	cmd.Flags().BoolVar(&public, "public", false, "only what customers see")
	return cmd
}

const ticketQuestion, ticketPass = "Which ticket?", "the ticket's number as an argument"

func runTicketsShow(ctx context.Context, env *Env, number string, public bool) error {
	if err := env.ask(ctx, &number, ticketQuestion, ticketPass); err != nil {
		return err
	}
	n, err := portal.ParseTicketNumber(number)
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		t, err := a.ShowTicket(ctx, n, !public)
		if err != nil {
			return err
		}
		switch env.Config.Output {
		case output.JSON:
			return env.Printer().JSON(newTicketJSON(t, public))
		case output.CSV:
			return env.messagesCSV(t)
		}
		return env.conversation(t, public)
	})
}

// conversation prints a ticket for people: what it is, then who said what.
func (e *Env) conversation(t *app.TicketDetail, public bool) error {
	p := e.Printer()
	head := *p
	var b bytes.Buffer
	head.Out = &b
	fmt.Fprintf(&b, "%s\n\n", strings.Join(output.Wrap(t.Number.String()+"  "+output.Clean(t.Subject), e.width()), "\n"))
	columns, row := ticketSheet(t, public)
	if err := head.Object(columns, row); err != nil {
		return err
	}
	for i := range t.Messages {
		e.message(&b, &t.Messages[i])
	}
	_, err := e.Out.Write(b.Bytes())
	return err
}

// ticketSheet is what is known of a ticket beside its messages; what there is
// none of is left out.
func ticketSheet(t *app.TicketDetail, public bool) (columns []output.Column, row []any) {
	add := func(head string, value any) {
		if s, ok := value.(string); ok && s == "" {
			return
		}
		columns, row = append(columns, output.Column{Name: head, Head: head}), append(row, value)
	}
	add("Status", statusSentence(t.Ticket))
	add("Requester", person(t.RequesterName, t.RequesterEmail))
	var others []string
	for _, c := range t.Participants {
		others = append(others, person(c.Name, c.Email))
	}
	add("Participants", strings.Join(others, ", "))
	add("Company", t.CompanyName)
	if t.Confidential {
		add("Confidential", "requester and participants only")
	}
	add("Category", t.Category)
	for _, key := range sortedKeys(t.Fields) {
		add(strings.ToUpper(key[:1])+strings.ReplaceAll(key[1:], "_", " "), t.Fields[key])
	}
	if !public {
		add("Priority", string(t.Priority))
		add("Assignee", orNobody(t.AssigneeName))
		add("Inbox", t.InboxName)
		deskSheet(t.Desk, add)
		if t.Portal != nil {
			add("Portal", t.Portal.Name)
		}
	}
	if t.MergedInto != 0 {
		add("Merged into", t.MergedInto.String())
	}
	if !t.PromisedAt.IsZero() {
		add("News promised by", t.PromisedAt)
	}
	add("Opened", t.CreatedAt)
	if !t.ClosedAt.IsZero() {
		add("Closed", t.ClosedAt)
	}
	return columns, row
}

// deskSheet adds what only the desk knows.
func deskSheet(p *app.Properties, add func(head string, value any)) {
	if p == nil {
		return
	}
	add("First answer", clockSentence(p.Answer))
	add("Solution", clockSentence(p.Resolve))
	if p.Snoozed {
		add("Snoozed until", p.Ticket.SnoozedUntil)
	}
	add("Tags", strings.Join(p.Tags, ", "))
	var links []string
	for _, l := range p.Links {
		links = append(links, strings.ReplaceAll(string(l.Kind), "_", " ")+" "+l.Other.String())
	}
	add("Links", strings.Join(links, ", "))
}

// clockSentence says how a target stands; "" when there is none.
func clockSentence(k portal.Clock) string {
	left := portal.FormatHours(max(k.Left, -k.Left).Round(time.Minute))
	sentence := map[portal.ClockState]string{
		portal.ClockOK: left + " left, due " + clock(k.Due), portal.ClockSoon: "only " + left + " left, due " + clock(k.Due),
		portal.ClockLate: "late by " + left + ", was due " + clock(k.Due), portal.ClockMet: "met, was due " + clock(k.Due),
	}[k.State]
	if k.Paused {
		sentence += " (paused: waiting on the customer)"
	}
	return sentence
}

func statusSentence(t *portal.Ticket) string {
	words := map[portal.Status]string{
		portal.New: "new", portal.WaitingOnUs: "waiting on us", portal.WaitingOnCustomer: "waiting on the customer", portal.Closed: "closed",
	}
	return words[t.Status] + " since " + clock(t.StatusAt)
}

func orNobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}

// clock is a time as tables show it.
func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

func person(name, email string) string {
	if name == "" || name == email {
		return email
	}
	return fmt.Sprintf("%s <%s>", name, email)
}

// message prints one message. Every line of an internal one is marked, so
// that it cannot be mistaken for what customers read, however long it is.
func (e *Env) message(b *bytes.Buffer, m *portal.Message) {
	rule, mark := "--- ", "  "
	about := fmt.Sprintf("%s  %s", clock(m.At), output.Clean(authorOf(m)))
	if m.Kind == portal.Note {
		rule, mark = "=== ", "| "
		about += ", internal note: customers do not see this"
	}
	b.WriteString("\n")
	for i, line := range output.Wrap(about, e.width()-len(rule)) {
		if i > 0 {
			rule = "    "
		}
		b.WriteString(rule + line + "\n")
	}
	for _, line := range output.Wrap(plainBody(m), e.width()-len(mark)) {
		b.WriteString(strings.TrimRight(mark+line, " ") + "\n")
	}
	for _, f := range m.Files {
		kind, _, _ := strings.Cut(f.Type, ";")
		fmt.Fprintf(b, "%s[file] %s (%s, %s)\n", mark, output.Clean(f.Name), kind, size(f.Size))
	}
}

func authorOf(m *portal.Message) string {
	name := m.AuthorName
	if name == "" {
		name = "unknown"
	}
	if m.Agent != 0 {
		return name + " (agent)"
	}
	return name
}

// plainBody is a message's text without markup.
func plainBody(m *portal.Message) string {
	if m.Format == portal.HTML {
		return mail.PlainFromHTML(m.Body)
	}
	return m.Body
}

// width is how wide text for people may be.
func (e *Env) width() int {
	if w := e.Printer().Width; w > 0 {
		// Longer lines are hard to read, however wide the terminal is.
		return max(min(w, 100), 40)
	}
	return output.DefaultWidth
}

// messagesCSV prints the conversation, a row for each message.
func (e *Env) messagesCSV(t *app.TicketDetail) error {
	columns := []output.Column{{Name: "id"}, {Name: "ticket"}, {Name: "kind"}, {Name: "author"}, {Name: "by"}, {Name: "at"}, {Name: "format"}, {Name: "body"}, {Name: "files"}}
	rows := make([][]any, len(t.Messages))
	for i := range t.Messages {
		m := &t.Messages[i]
		var files []string
		for _, f := range m.Files {
			files = append(files, f.Name)
		}
		rows[i] = []any{int64(m.ID), t.Number.String(), string(m.Kind), m.AuthorName, messageBy(m), m.At, string(m.Format), m.Body, files}
	}
	return e.Printer().List(columns, rows, "")
}

// messageBy says what kind of person wrote a message.
func messageBy(m *portal.Message) string {
	switch {
	case m.Agent != 0:
		return "agent"
	case m.Contact != 0:
		return "contact"
	}
	return "unknown"
}
