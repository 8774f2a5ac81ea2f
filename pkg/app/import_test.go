package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/transfer"
)

type importFunc func(*App, context.Context, transfer.Source, int64, ImportOptions) (*ImportResult, error)

// take imports text and returns what happened, with problems as text.
func (w *world) take(fn importFunc, text string, o ImportOptions) *ImportResult {
	w.t.Helper()
	if o.Portal == nil {
		o.Portal = w.portal
	}
	result, err := fn(w.App, w.t.Context(), strings.NewReader(text), int64(len(text)), o)
	if err != nil {
		w.t.Fatalf("the import failed: %v", err)
	}
	return result
}

// fixture is a file shaped as HubSpot writes it.
func fixture(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "transfer", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// counts compares all but problems and notices.
func counts(t *testing.T, what string, got *ImportResult, want ImportResult) {
	t.Helper()
	if diff := cmp.Diff(&want, got, cmpopts.IgnoreFields(ImportResult{}, "Problems", "Notices")); diff != "" {
		t.Errorf("%s (- wanted, + got):\n%sproblems: %v", what, diff, got.Problems)
	}
}

func (w *world) contact(address string) *portal.Contact {
	w.t.Helper()
	c, err := w.Contact(w.t.Context(), address)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) imported(externalID string) (t *portal.Ticket, messages []portal.Message) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) (err error) {
		if t, err = tx.TicketByExternal(ctx, externalID); err != nil {
			return err
		}
		messages, err = tx.Messages(ctx, t, true)
		return err
	})
	return t, messages
}

func (w *world) export(fn func(*App, context.Context, io.Writer, ExportFormat) (int, error), format ExportFormat) string {
	w.t.Helper()
	var buf bytes.Buffer
	if _, err := fn(w.App, w.t.Context(), &buf, format); err != nil {
		w.t.Fatal(err)
	}
	return buf.String()
}

func TestHubSpotExportsAreImportedAndASecondRunChangesNothing(t *testing.T) {
	w := newWorld(t, nil)
	steps := []struct {
		name string
		fn   importFunc
		want ImportResult
		twin ImportResult
	}{
		{"hubspot-companies.csv", (*App).ImportCompanies, ImportResult{Created: 3}, ImportResult{Unchanged: 3}},
		{"hubspot-contacts.csv", (*App).ImportContacts, ImportResult{Created: 3, Rejected: 1}, ImportResult{Unchanged: 3, Rejected: 1}},
		{"hubspot-tickets.csv", (*App).ImportTickets, ImportResult{Created: 3, Rejected: 1, ContactsCreated: 1}, ImportResult{Unchanged: 3, Rejected: 1}},
	}
	for _, s := range steps {
		counts(t, s.name, w.take(s.fn, fixture(t, s.name), ImportOptions{}), s.want)
	}
	before := w.export((*App).ExportAllTickets, ExportCSV) + w.export((*App).ExportContacts, ExportCSV) + w.export((*App).ExportCompanies, ExportCSV)
	w.clock.Add(time.Hour)
	for _, s := range steps {
		counts(t, s.name+" again", w.take(s.fn, fixture(t, s.name), ImportOptions{}), s.twin)
	}
	after := w.export((*App).ExportAllTickets, ExportCSV) + w.export((*App).ExportContacts, ExportCSV) + w.export((*App).ExportCompanies, ExportCSV)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the second run changed the store:\n%s", diff)
	}

	ingrid, erik := w.contact("ingrid.moe@nordlyskraft.example"), w.contact("erik@nordlyskraft.example")
	if ingrid.Language != "" || ingrid.TimeZone != "Europe/Oslo" || ingrid.ExternalID != "20251" || len(erik.Companies) != 2 || erik.Primary != ingrid.Primary {
		t.Errorf("the contacts are %+v and %+v", ingrid, erik)
	}
	ticket, messages := w.imported("3301554420")
	if ticket.Requester != ingrid.ID || ticket.Company != ingrid.Primary || ticket.Status != portal.WaitingOnUs || ticket.PortalID != w.portal.ID ||
		!ticket.CreatedAt.Equal(time.Date(2026, 1, 12, 9, 14, 0, 0, time.UTC)) || !cmp.Equal(ticket.Participants, []portal.ContactID{erik.ID}) {
		t.Errorf("the ticket is %+v", ticket)
	}
	if len(messages) != 1 || messages[0].Contact != ingrid.ID || messages[0].Kind != portal.Public || !messages[0].At.Equal(ticket.CreatedAt) {
		t.Errorf("the messages are %+v", messages)
	}
	if _, messages := w.imported("3301554422"); len(messages) != 1 || messages[0].Kind != portal.Note {
		t.Errorf("a description nobody knows the author of became %+v", messages)
	}
	if mails := w.mails(); len(mails) > 0 {
		t.Errorf("the import queued mail: %v", mails)
	}
}

func TestExportsReadBackToTheSameStore(t *testing.T) {
	w := newWorld(t, nil)
	for name, fn := range map[string]importFunc{"hubspot-companies.csv": (*App).ImportCompanies, "hubspot-contacts.csv": (*App).ImportContacts} {
		w.take(fn, fixture(t, name), ImportOptions{})
	}
	w.take((*App).ImportTickets, fixture(t, "hubspot-tickets.csv"), ImportOptions{})
	n, err := w.OpenTicket(t.Context(), w.as(w.ana), NewTicket{Subject: "=SUM(A1)", Body: "\t'indented'\n\nwith \"quotes\"; and, commas", Confidential: true})
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Add(time.Minute)
	if err := w.Reply(t.Context(), w.asAgent(), n, Answer{Body: "**Done**", Close: true}); err != nil {
		t.Fatal(err)
	}
	if err := w.Reply(t.Context(), w.asAgent(), n, Answer{Body: "be careful", Note: true}); err != nil {
		t.Fatal(err)
	}
	kinds := []struct {
		name string
		out  func(*App, context.Context, io.Writer, ExportFormat) (int, error)
		in   importFunc
	}{
		{"companies", (*App).ExportCompanies, (*App).ImportCompanies},
		{"contacts", (*App).ExportContacts, (*App).ImportContacts},
		{"tickets", (*App).ExportAllTickets, (*App).ImportTickets},
	}

	// Into the store they came from: nothing changes.
	files := map[string]string{}
	for _, k := range kinds {
		files[k.name] = w.export(k.out, ExportCSV)
		result := w.take(k.in, files[k.name], ImportOptions{})
		if result.Created+result.Updated+result.Rejected != 0 || result.Unchanged == 0 {
			t.Errorf("%s: reading the own export back did %+v", k.name, result)
		}
	}

	// Into an empty one: it becomes the same.
	empty := newWorld(t, nil)
	empty.write(func(ctx context.Context, tx *store.Tx) error {
		for _, c := range []*portal.Contact{empty.ana, empty.bo, empty.eve} {
			if err := tx.RemoveContact(ctx, c.ID); err != nil {
				return err
			}
		}
		companies, err := tx.Companies(ctx, store.CompanyFilter{})
		for _, c := range companies {
			if err == nil {
				err = tx.RemoveCompany(ctx, c.ID)
			}
		}
		return err
	})
	for _, k := range kinds {
		if result := empty.take(k.in, files[k.name], ImportOptions{}); result.Rejected > 0 || result.CompaniesCreated+result.ContactsCreated > 0 {
			t.Errorf("%s: the import did %+v", k.name, result)
		}
		if diff := cmp.Diff(files[k.name], empty.export(k.out, ExportCSV)); diff != "" {
			t.Errorf("%s differ after export and import:\n%s", k.name, diff)
		}
		var list []map[string]any
		if err := json.Unmarshal([]byte(empty.export(k.out, ExportJSON)), &list); err != nil || len(list) == 0 {
			t.Errorf("%s as JSON: %d records, %v", k.name, len(list), err)
		}
	}
	if found, err := empty.Tickets(t.Context(), empty.asAgent(), ListQuery{Query: "careful", Status: "all"}); err != nil || len(found.Rows) != 1 {
		t.Errorf("the search index finds %+v, %v in an imported ticket", found, err)
	}
}

func TestDryRunTellsTheSameAndWritesNothing(t *testing.T) {
	w := newWorld(t, nil)
	const text = "email,name,companies\nana@example.com,Ana B,Acme\nnew@example.com,New,Fresh GmbH\nnew2@example.com,New,Fresh GmbH\nnobody,,\n"
	before := w.export((*App).ExportContacts, ExportCSV)
	dry := w.take((*App).ImportContacts, text, ImportOptions{DryRun: true})
	if after := w.export((*App).ExportContacts, ExportCSV); after != before {
		t.Errorf("the dry run wrote:\n%s", after)
	}
	counts(t, "the dry run", dry, ImportResult{Created: 2, Updated: 1, Rejected: 1, CompaniesCreated: 1})
	if real := w.take((*App).ImportContacts, text, ImportOptions{}); !cmp.Equal(dry, real) {
		t.Errorf("the dry run told %+v, the import did %+v", dry, real)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(w.store.Path()), ".dry-run-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("the dry run left %v, %v", left, err)
	}
}

func TestContactImportMatchesAndMerges(t *testing.T) {
	w := newWorld(t, nil)
	w.take((*App).ImportContacts, "external_id,email,name,member_email,property.plan,companies\n7,kim@x.example,Kim,k@home.example,gold,Acme; Globex\n", ImportOptions{})
	kim := w.contact("kim@x.example")

	counts(t, "an empty cell", w.take((*App).ImportContacts, "external_id,email,name,companies\n7,kim@x.example,,\n", ImportOptions{}), ImportResult{Unchanged: 1})
	counts(t, "a new address", w.take((*App).ImportContacts, "external_id,email,property.city\n7,kim@y.example,Oslo\n", ImportOptions{}), ImportResult{Updated: 1})
	moved := w.contact("kim@y.example")
	if moved.ID != kim.ID || moved.Name != "Kim" || moved.Properties["plan"] != "gold" || moved.Properties["city"] != "Oslo" || len(moved.Companies) != 2 {
		t.Errorf("after the new address the contact is %+v", moved)
	}
	counts(t, "the whole list of companies", w.take((*App).ImportContacts, "email,companies\nkim@y.example,Globex\n", ImportOptions{}), ImportResult{Updated: 1})
	if left := w.contact("kim@y.example"); len(left.Companies) != 1 || left.Primary != left.Companies[0] || left.Primary == kim.Primary {
		t.Errorf("after the list of companies the contact is %+v", left)
	}
	counts(t, "a company beside the others", w.take((*App).ImportContacts, "email,company\nkim@y.example,Acme\n", ImportOptions{}), ImportResult{Updated: 1})
	if both := w.contact("kim@y.example"); len(both.Companies) != 2 || both.Primary != w.acme.ID {
		t.Errorf("after one more company the contact is %+v", both)
	}

	result := w.take((*App).ImportContacts, "external_id,email\n7,ana@example.com\n", ImportOptions{})
	counts(t, "an address somebody else has", result, ImportResult{Rejected: 1})
	if len(result.Problems) != 1 || result.Problems[0].Line != 2 || !strings.Contains(result.Problems[0].Reason, "is another contact") {
		t.Errorf("the problems are %v", result.Problems)
	}
}

func TestNewAddressByImportEndsSessions(t *testing.T) {
	w := newWorld(t, nil)
	w.take((*App).ImportContacts, "external_id,email\n7,ana@example.com\n", ImportOptions{})
	token := w.signIn(w.ana)
	w.take((*App).ImportContacts, "external_id,email\n7,ana@elsewhere.example\n", ImportOptions{})
	if v := w.visit(token); v.SignedIn() {
		t.Error("the session made for the old address goes on")
	}
}

func TestContactTwiceInAFileIsTakenOnce(t *testing.T) {
	w := newWorld(t, nil)
	const text = "email,name\na@x.example,First\nb@x.example,B\na@x.example,First\na@x.example,Second\n"
	counts(t, "the first run", w.take((*App).ImportContacts, text, ImportOptions{}), ImportResult{Created: 2, Unchanged: 1, Rejected: 1})
	counts(t, "the second run", w.take((*App).ImportContacts, text, ImportOptions{}), ImportResult{Unchanged: 3, Rejected: 1})
	if c := w.contact("a@x.example"); c.Name != "First" {
		t.Errorf("the contact is called %q", c.Name)
	}
}

func TestCompaniesAreNotMixedUp(t *testing.T) {
	w := newWorld(t, nil)
	const text = "Record ID,Company name,Company Domain Name\n1,Branch,branch.example\n2,Branch,branch.example\n3,Branch,\n"
	counts(t, "three of a name", w.take((*App).ImportCompanies, text, ImportOptions{}), ImportResult{Created: 3})
	counts(t, "again", w.take((*App).ImportCompanies, text, ImportOptions{}), ImportResult{Unchanged: 3})
	result := w.take((*App).ImportContacts, "email,companies\na@x.example,Branch\nb@x.example,Branch <id:2>\n", ImportOptions{})
	counts(t, "naming one of them", result, ImportResult{Created: 1, Rejected: 1})
	if len(result.Problems) != 1 || !strings.Contains(result.Problems[0].Reason, "several companies") {
		t.Errorf("the problems are %v", result.Problems)
	}
	counts(t, "an id for a name that was known", w.take((*App).ImportCompanies, "external_id,name,domain\n9,acme,acme.example\n", ImportOptions{}), ImportResult{Updated: 1})
	result = w.take((*App).ImportContacts, "Email,Associated Company IDs\nc@x.example,4711\n", ImportOptions{})
	if len(result.Problems) != 1 || !strings.Contains(result.Problems[0].Reason, "import the companies first") {
		t.Errorf("a company known by id alone: %v", result.Problems)
	}
}

func TestRejectedRowLeavesNothingBehind(t *testing.T) {
	w := newWorld(t, nil)
	w.take((*App).ImportContacts, "external_id,email\n7,kim@x.example\n", ImportOptions{})
	result := w.take((*App).ImportContacts, "external_id,email,companies,created_at\n,z@x.example,Ghost Ltd,2199-01-01\n,y@x.example,Ghost Ltd,2020-01-01\n", ImportOptions{})
	counts(t, "a row from the future", result, ImportResult{Created: 1, Rejected: 1, CompaniesCreated: 1})
	result = w.take((*App).ImportTickets, "subject,requester,company,message_at,message_kind,message_body\ns,new@x.example,Ghost Two,2199-01-01,public,words\n", ImportOptions{})
	counts(t, "a message from the future", result, ImportResult{Rejected: 1})
	if _, err := w.Contact(t.Context(), "new@x.example"); portal.KindOf(err) != portal.NotFound {
		t.Errorf("the requester of a rejected ticket is %v", err)
	}
	companies, err := w.Companies(t.Context(), CompanyQuery{Search: "Ghost"})
	if err != nil || len(companies) != 1 {
		t.Errorf("the companies are %v, %v", companies, err)
	}
}

func TestRejectsAreWrittenAsTheyStood(t *testing.T) {
	w := newWorld(t, nil)
	var buf bytes.Buffer
	made := 0
	o := ImportOptions{Rejects: func() (io.Writer, error) { made++; return &buf, nil }}
	w.take((*App).ImportContacts, "email,name\na@x.example,A\n", o)
	if made != 0 {
		t.Error("a rejects file was made for a file without any")
	}
	w.take((*App).ImportContacts, "Email;Name\nnobody;=A\nb@x.example;B\nanybody;C\n", o)
	const want = "Email;Name;line;reason\n" +
		"nobody;'=A;2;\"Email: \"\"nobody\"\" is not an e-mail address; write it like name@example.com\"\n" +
		"anybody;C;4;\"Email: \"\"anybody\"\" is not an e-mail address; write it like name@example.com\"\n"
	if made != 1 || buf.String() != want {
		t.Errorf("%d files with\n%s", made, buf.String())
	}
}

func TestTicketNumbersAreKeptWhereTheyAreFree(t *testing.T) {
	w := newWorld(t, nil)
	own, err := w.OpenTicket(t.Context(), w.as(w.ana), NewTicket{Subject: "mine", Body: "words"})
	if err != nil {
		t.Fatal(err)
	}
	text := "number,subject,requester,created_at\n" + own.String() + ",foreign,eve@example.com,2024-01-01\nT-5000,free,eve@example.com,2024-01-01\nT-999999999999,far,eve@example.com,2024-01-01\n"
	counts(t, "foreign tickets", w.take((*App).ImportTickets, text, ImportOptions{}), ImportResult{Created: 3})
	counts(t, "again", w.take((*App).ImportTickets, text, ImportOptions{}), ImportResult{Unchanged: 3})
	foreign, _ := w.imported(own.String())
	far, _ := w.imported("T-999999999999")
	if foreign.Number == own || foreign.Subject != "foreign" || far.Number > 10_000 {
		t.Errorf("the tickets got %s and %s", foreign.Number, far.Number)
	}
	next, err := w.OpenTicket(t.Context(), w.as(w.ana), NewTicket{Subject: "next", Body: "words"})
	if err != nil || next <= 5000 || next > 5010 {
		t.Errorf("the next ticket is %s, %v", next, err)
	}
}

func TestOldExportUndoesNothing(t *testing.T) {
	w := newWorld(t, nil)
	row := func(status, modified string) string {
		return "Ticket ID,Ticket name,Ticket status,Last modified date,Create date,Associated Contact,Source,Ticket description\n" +
			"77,Printer,\"" + status + " (Support Pipeline)\"," + modified + ",2026-01-01 08:00,ana (ana@example.com),Email,It smokes.\n"
	}
	counts(t, "the first import", w.take((*App).ImportTickets, row("Waiting on contact", "2026-01-02 08:00"), ImportOptions{}), ImportResult{Created: 1})
	ticket, _ := w.imported("77")
	if err := w.Reply(t.Context(), w.as(w.ana), ticket.Number, Answer{Body: "Still smokes."}); err != nil {
		t.Fatal(err)
	}
	counts(t, "the same again", w.take((*App).ImportTickets, row("Waiting on contact", "2026-01-02 08:00"), ImportOptions{}), ImportResult{Unchanged: 1})
	if ticket, messages := w.imported("77"); ticket.Status != portal.WaitingOnUs || len(messages) != 2 {
		t.Errorf("the old export made the ticket %s with %d messages", ticket.Status, len(messages))
	}
	w.clock.Add(2 * time.Hour)
	later := w.clock.Now().Add(-time.Minute).Format("2006-01-02 15:04")
	counts(t, "a newer export", w.take((*App).ImportTickets, row("Closed", later), ImportOptions{}), ImportResult{Updated: 1})
	if ticket, messages := w.imported("77"); ticket.Status != portal.Closed || len(messages) != 2 || ticket.ClosedAt.IsZero() {
		t.Errorf("the newer export made the ticket %s with %d messages", ticket.Status, len(messages))
	}
	counts(t, "the newer export again", w.take((*App).ImportTickets, row("Closed", later), ImportOptions{}), ImportResult{Unchanged: 1})
}

func TestImportedConversationsAreNotUnread(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Tickets.Permissions = portal.PermitCompany })
	ana, bo := w.as(w.ana), w.as(w.bo)
	const head = "external_id,subject,requester,company,participants,message_at,message_kind,message_by,message_author,message_author_name,message_body\n"
	const one = "1,old matter,ana@example.com,Acme,,2025-01-01,public,contact,ana@example.com,,first\n1,,,,,2025-01-02,public,agent,ines@gone.example,Ines G,second\n1,,,,,2025-01-03,internal,agent,agent@example.com,,hidden\n"
	counts(t, "the import", w.take((*App).ImportTickets, head+one, ImportOptions{}), ImportResult{Created: 1})
	for _, v := range []*Visit{ana, bo} {
		list, err := w.Tickets(t.Context(), v, ListQuery{Scope: ScopeCompany, Status: "all"})
		if err != nil || len(list.Rows) != 1 || list.Rows[0].Unread {
			t.Errorf("%s sees %+v, %v", v.Contact.Email, list.Rows, err)
		}
	}
	ticket, messages := w.imported("1")
	view, err := w.Ticket(t.Context(), ana, ticket.Number)
	if err != nil || len(view.Messages) != 2 || view.Messages[1].AuthorName != "Ines G" || view.Messages[1].ID > view.UnreadFrom {
		t.Errorf("the requester sees %+v, %v", view, err)
	}
	if len(messages) != 3 || messages[2].Agent != w.agent.ID || messages[0].Contact != w.ana.ID {
		t.Errorf("the messages are %+v", messages)
	}
	counts(t, "one message more", w.take((*App).ImportTickets, head+one+"1,,,,,2025-01-04,public,contact,bo@example.com,,third\n", ImportOptions{}), ImportResult{Updated: 1})
	if _, messages := w.imported("1"); len(messages) != 4 || messages[3].Contact != w.bo.ID {
		t.Errorf("the messages are %+v", messages)
	}
	if list, err := w.Tickets(t.Context(), bo, ListQuery{Scope: ScopeCompany, Status: "all"}); err != nil || list.Rows[0].Unread {
		t.Errorf("a message that was imported later counts as unread: %+v, %v", list.Rows, err)
	}
	if err := w.Reply(t.Context(), w.asAgent(), ticket.Number, Answer{Body: "news"}); err != nil {
		t.Fatal(err)
	}
	if list, err := w.Tickets(t.Context(), bo, ListQuery{Scope: ScopeCompany, Status: "all"}); err != nil || !list.Rows[0].Unread {
		t.Errorf("an answer after the import does not count as unread: %+v, %v", list.Rows, err)
	}
}

func TestTicketsOfUnknownContacts(t *testing.T) {
	w := newWorld(t, nil)
	result := w.take((*App).ImportTickets, "Ticket ID,Ticket name,Associated Contact,Associated Contact IDs\n"+
		"1,a,Lee (lee@x.example);Nobody Known,501;502\n2,b,Nobody Known,502\n3,c,,501\n4,d,,\n", ImportOptions{})
	counts(t, "the import", result, ImportResult{Created: 2, Rejected: 2, ContactsCreated: 1})
	lee := w.contact("lee@x.example")
	first, _ := w.imported("1")
	third, _ := w.imported("3")
	if lee.ExternalID != "501" || first.Requester != lee.ID || third.Requester != lee.ID || len(first.Participants) != 0 {
		t.Errorf("lee is %+v, the tickets %+v and %+v", lee, first, third)
	}
	if len(result.Problems) != 2 || result.Problems[0].Line != 3 || result.Problems[1].Line != 5 {
		t.Errorf("the problems are %v", result.Problems)
	}
}

func TestLongConversationIsOneTicket(t *testing.T) {
	w := newWorld(t, nil)
	var b strings.Builder
	b.WriteString("external_id,subject,requester,message_at,message_kind,message_body\n")
	for i := range 1234 {
		fmt.Fprintf(&b, "1,long,ana@example.com,%s,public,message %d\n", time.UnixMilli(1.7e12+int64(i)*1000).UTC().Format(time.RFC3339), i)
	}
	b.WriteString("2,next,ana@example.com,,,\n")
	counts(t, "the import", w.take((*App).ImportTickets, b.String(), ImportOptions{}), ImportResult{Created: 2})
	if _, messages := w.imported("1"); len(messages) != 1234 || messages[1233].Body != "message 1233" {
		t.Errorf("the ticket has %d messages", len(messages))
	}
	counts(t, "again", w.take((*App).ImportTickets, b.String(), ImportOptions{}), ImportResult{Unchanged: 2})
}

func TestImportStopsBetweenTransactions(t *testing.T) {
	w := newWorld(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var b strings.Builder
	b.WriteString("email\n")
	for i := range 3 * importRows {
		fmt.Fprintf(&b, "c%d@x.example\n", i)
	}
	text := b.String()
	result, err := w.ImportContacts(ctx, strings.NewReader(text), int64(len(text)), ImportOptions{Progress: func(int64, int64) { cancel() }})
	if err == nil || result.Created != importRows {
		t.Errorf("after the stop: %+v, %v", result, err)
	}
	counts(t, "going on", w.take((*App).ImportContacts, text, ImportOptions{}), ImportResult{Created: 2 * importRows, Unchanged: importRows})
}

// TestManyContacts imports PORTALCTL_IMPORT_CONTACTS contacts (3,000 unless
// set) and tells how long it took and how much memory was in use at most.
func TestManyContacts(t *testing.T) {
	n := 3_000
	if s := os.Getenv("PORTALCTL_IMPORT_CONTACTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	} else if testing.Short() {
		n = 1000
	}
	w := newWorld(t, nil)
	f, err := os.Create(filepath.Join(t.TempDir(), "contacts.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintln(f, `"Record ID","First Name","Last Name","Email","Phone Number","Create Date","Associated Company","Associated Company IDs","City"`)
	for i := range n {
		fmt.Fprintf(f, "\"%d\",\"First %d\",\"Last\",\"contact%d@x.example\",\"+46 8 %d\",\"2025-03-04 05:06\",\"Company %d\",\"%d\",\"Malmö\"\n", 1000+i, i, i, i, i/10, 900_000+i/10)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []ImportResult{{Created: n, CompaniesCreated: (n + 9) / 10}, {Unchanged: n}} {
		var peak uint64
		began := time.Now()
		result, err := w.ImportContacts(t.Context(), f, size, ImportOptions{Progress: func(int64, int64) {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse+m.StackInuse)
		}})
		if err != nil {
			t.Fatal(err)
		}
		counts(t, "the import", result, want)
		t.Logf("%d contacts, %.1f MB: %.1f s, at most %d MiB of memory in use", n, float64(size)/1e6, time.Since(began).Seconds(), peak>>20)
	}
}
