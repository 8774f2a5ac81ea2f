package web

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// upload is a file in a form.
type upload struct {
	name    string
	content io.Reader
}

// send posts a form with files, as a browser does: fields first.
func (b *browser) send(path string, files []upload, fields ...string) answer {
	b.w.t.Helper()
	body, in := io.Pipe()
	form := multipart.NewWriter(in)
	go func() {
		in.CloseWithError(func() error {
			for i := 0; i+1 < len(fields); i += 2 {
				if err := form.WriteField(fields[i], fields[i+1]); err != nil {
					return err
				}
			}
			for _, f := range files {
				part, err := form.CreateFormFile("files", f.name)
				if err != nil {
					return err
				}
				if _, err := io.Copy(part, f.content); err != nil {
					return err
				}
			}
			return form.Close()
		}())
	}()
	r := b.request(http.MethodPost, path, body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Origin", b.w.server.URL)
	return b.do(r)
}

// zeros is a file of a size that takes no memory.
func zeros(size int64) io.Reader { return io.LimitReader(zeroReader{}, size) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestNewTicketComesBackFilledIn(t *testing.T) {
	fields, err := portal.ParseFields("priority,category:Area:choice:Billing|Technical,order*:Order number")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, nil)
	w.portal.Tickets.Fields, w.portal.Tickets.Permissions = fields, portal.PermitCompany
	w.portal.Tickets.Columns = []portal.TicketColumn{portal.ColumnSubject, portal.ColumnCategory}
	w.savePortal()
	ana := w.browser(w.signIn(w.ana))
	got := ana.send("/help/tickets/new", []upload{{"plan.txt", strings.NewReader("the plan")}}, "subject", "", "body", "What I wrote", "field_priority", "high", "field_category", "Technical",
		"field_order", "", "participants", "nobody@elsewhere.example", "confidential", "on")
	doc := got.dom(t)
	if got.StatusCode != http.StatusUnprocessableEntity {
		t.Fatalf("an unfinished form answers %d, wanted 422:\n%s", got.StatusCode, got.body)
	}
	for id, want := range map[string]string{"f-body": "What I wrote"} {
		if text := textOf(find(doc, "id", id)[0]); text != want {
			t.Errorf("%s holds %q, wanted %q", id, text, want)
		}
	}
	if v := attr(find(doc, "id", "f-participants")[0], "value"); v != "nobody@elsewhere.example" {
		t.Errorf("participants hold %q", v)
	}
	for _, option := range []string{`<option value="high" selected>`, `<option value="Technical" selected>`} {
		if !strings.Contains(got.body, option) {
			t.Errorf("no %s: the choice is lost", option)
		}
	}
	if !strings.Contains(got.body, `name="confidential" type="checkbox" value="on" checked`) {
		t.Error("the confidential mark is lost")
	}
	summary := find(doc, "role", "alert")
	if len(summary) != 1 {
		t.Fatalf("%d summaries, wanted one", len(summary))
	}
	for _, name := range []string{"subject", "field_order", "files"} {
		if len(find(summary[0], "href", "#f-"+name)) != 1 {
			t.Errorf("the summary has no link to %s: %s", name, textOf(summary[0]))
		}
		input := find(doc, "id", "f-"+name)[0]
		if attr(input, "aria-invalid") != "true" || !strings.Contains(attr(input, "aria-describedby"), "p-"+name) || len(find(doc, "id", "p-"+name)) != 1 {
			t.Errorf("%s is not tied to its problem: %v", name, input.Attr)
		}
	}
	if text := textOf(summary[0]); !strings.Contains(text, "Files: Please choose the files again") {
		t.Errorf("the summary does not ask for the files again: %s", text)
	}
	if list := ana.get("/help/tickets").dom(t); textOf(find(list, "href", "/help/tickets?sort=category&dir=asc")[0]) != "Area" {
		t.Error("the list does not call the category what the form calls it")
	}
}

func TestTicketFromFormToConversation(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.browser(w.signIn(w.ana))
	got := ana.send("/help/tickets/new", []upload{{"plan.txt", strings.NewReader("the plan")}}, "subject", "Move the depot", "body", "In May.")
	ticket := got.Header.Get("Location")
	if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(ticket, "/help/tickets/T-") {
		t.Fatalf("the form answers %d to %q, wanted 303 to the ticket:\n%s", got.StatusCode, ticket, got.body)
	}
	page := ana.get(ticket)
	for _, want := range []string{"Move the depot", "In May.", "plan.txt", "we have received it"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the ticket lacks %q", want)
		}
	}
	if got := ana.send(ticket+"/replies", nil, "body", "And in June.", "how", "close"); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("answering and closing: %d\n%s", got.StatusCode, got.body)
	}
	if page = ana.get(ticket); !strings.Contains(page.body, "And in June.") || len(find(page.dom(t), "action", ticket+"/reopen")) != 1 {
		t.Error("the answer is missing, or the ticket is not closed")
	}
	if got := ana.post(ticket + "/reopen"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("reopening: %d", got.StatusCode)
	}
	for _, step := range [][]string{
		{"/participants", "participant", "bo@example.com"},
		{"/confidential", "confidential", "on"},
		{fmt.Sprintf("/participants/%d/remove", w.bo.ID)},
		{"/close"},
	} {
		if got := ana.post(ticket+step[0], step[1:]...); got.StatusCode != http.StatusSeeOther {
			t.Errorf("%s answers %d, wanted 303:\n%s", step[0], got.StatusCode, got.body)
		}
	}
	history := textOf(find(ana.get(ticket).dom(t), "class", "card side-card history")[0])
	for _, want := range []string{"Ana Berg opened this", "Ana Berg closed this", "added Bo Ek", "removed Bo Ek", "made this confidential"} {
		if !strings.Contains(history, want) {
			t.Errorf("the history lacks %q: %s", want, history)
		}
	}
}

func TestUnknownColleagueIsRefusedBesideTheField(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.browser(w.signIn(w.ana))
	path := "/help/tickets/" + w.anas.String() + "/participants"
	var bodies []string
	for _, address := range []string{"eve@example.com", "nobody@example.com"} {
		got := ana.post(path, "participant", address)
		input := find(got.dom(t), "id", "f-participant")
		if got.StatusCode != http.StatusUnprocessableEntity || len(input) != 1 || attr(input[0], "value") != address || attr(input[0], "aria-invalid") != "true" {
			t.Errorf("%s: %d, wanted 422 with the address marked", address, got.StatusCode)
		}
		bodies = append(bodies, strings.ReplaceAll(got.body, address, "X"))
	}
	if bodies[0] != bodies[1] {
		t.Error("another company's contact and an unknown address get different answers")
	}
}

func TestFilesThatDoNotFit(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.browser(w.signIn(w.ana))
	path := "/help/tickets/" + w.anas.String() + "/replies"
	many := make([]upload, portal.MaxFiles+1)
	for i := range many {
		many[i] = upload{fmt.Sprintf("%d.txt", i), strings.NewReader("x")}
	}
	for _, tt := range []struct {
		name   string
		files  []upload
		status int
		says   string
	}{
		{"too large", []upload{{"film.mov", zeros(portal.MaxFileSize + 1)}, {"a.txt", strings.NewReader("x")}}, http.StatusUnprocessableEntity, "film.mov is larger than 25 MB"},
		{"too many", many, http.StatusUnprocessableEntity, "At most 10 files fit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ana.send(path, tt.files, "body", "Here is the film", "how", "send")
			doc := got.dom(t)
			if got.StatusCode != tt.status || textOf(find(doc, "id", "f-body")[0]) != "Here is the film" {
				t.Errorf("got %d, wanted %d with the text still there", got.StatusCode, tt.status)
			}
			if p := find(doc, "id", "p-files"); len(p) != 1 || !strings.Contains(textOf(p[0]), tt.says) {
				t.Errorf("beside the field there is no %q", tt.says)
			}
		})
	}
	if got := ana.get("/help/tickets/" + w.anas.String()); strings.Contains(got.body, "Here is the film") {
		t.Error("the refused message was kept")
	}
}

func TestBodyThatIsTooLargeKeepsItsText(t *testing.T) {
	w := newWorld(t, nil)
	s := New(Options{App: w.app, Now: w.clock.Now, TempDir: t.TempDir()})
	// A small limit stands for the real one of a quarter of a gigabyte.
	var parts bytes.Buffer
	form := multipart.NewWriter(&parts)
	_ = form.WriteField("body", "Here is the film")
	file, _ := form.CreateFormFile("files", "film.mov")
	_, _ = io.Copy(file, zeros(1<<20))
	_ = form.Close()
	r, _ := http.NewRequest(http.MethodPost, "/", &parts)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Body = http.MaxBytesReader(nil, r.Body, 64<<10)
	f, err := s.readForm(r)
	defer f.Close()
	if page.StatusOf(err) != http.StatusRequestEntityTooLarge || f.Value("body") != "Here is the film" {
		t.Errorf("got %v and the text %q, wanted 413 and the text", err, f.Value("body"))
	}
}

func TestUploadsLeaveNoFilesBehind(t *testing.T) {
	w := newWorld(t, nil)
	dir := t.TempDir()
	w.server.Config.Handler = New(Options{App: w.app, Now: w.clock.Now, TempDir: dir}).Handler()
	ana := w.browser(w.signIn(w.ana))
	ana.send("/help/tickets/new", []upload{{"a.txt", strings.NewReader("x")}, {"b.txt", strings.NewReader("y")}}, "subject", "Two files", "body", "See there.")
	ana.send("/help/tickets/new", []upload{{"c.txt", strings.NewReader("x")}}, "subject", "", "body", "")
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("%d temporary files are left, %v", len(left), err)
	}
}

func TestAgentsChooseWhoReads(t *testing.T) {
	w := newWorld(t, nil)
	agent, ana := w.browser(w.signInAgent()), w.browser(w.signIn(w.ana))
	ticket := "/help/tickets/" + w.anas.String()
	page := agent.get(ticket)
	for _, want := range []string{`name="how" value="public"`, `name="how" value="note"`, "Read by Ana Berg", "Read by agents only"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the agent's form lacks %q", want)
		}
	}
	if got := agent.post(ticket+"/replies", "body", "To whom?"); got.StatusCode != http.StatusUnprocessableEntity || textOf(find(got.dom(t), "id", "f-body")[0]) != "To whom?" {
		t.Errorf("without a choice: %d, wanted 422 with the text still there", got.StatusCode)
	}
	agent.post(ticket+"/replies", "body", "Between us: **old firmware**", "how", "note")
	agent.post(ticket+"/replies", "body", "Please **restart** it", "how", "public")
	if got := agent.get(ticket); !strings.Contains(got.body, "<strong>old firmware</strong>") || len(find(got.dom(t), "class", "message note")) != 1 {
		t.Error("the agent does not see the note, set apart")
	}
	got := ana.get(ticket)
	if strings.Contains(got.body, "old firmware") || strings.Contains(got.body, "internal note") || strings.Contains(got.body, w.agent.Email) {
		t.Error("the customer's page holds the note or the agent's address")
	}
	if !strings.Contains(got.body, "<strong>restart</strong>") || !strings.Contains(got.body, "Ines Holm") {
		t.Error("the customer does not see the answer and who gave it")
	}
	w.portal.Tickets.ShowAgent = portal.AgentTeam
	w.savePortal()
	if got := ana.get(ticket); strings.Contains(got.body, "Ines") {
		t.Error("the agent's name is shown although the team's is to be")
	}
	if got := ana.get("/help/tickets.csv?status=all"); strings.Contains(got.body, "Ines") {
		t.Error("the CSV names the agent although the team is to be named")
	}
}

func TestDraftIsKeptWhileWriting(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.browser(w.signIn(w.ana))
	if got := ana.post("/help/tickets/new/draft", "subject", "Half a", "body", "sentence", "role", "admin"); got.StatusCode != http.StatusNoContent {
		t.Fatalf("keeping a draft: %d", got.StatusCode)
	}
	got := ana.get("/help/tickets/new")
	doc := got.dom(t)
	if attr(find(doc, "id", "f-subject")[0], "value") != "Half a" || textOf(find(doc, "id", "f-body")[0]) != "sentence" || !strings.Contains(got.body, "begun to write") {
		t.Error("the form does not hold the draft")
	}
	if got := w.browser(w.signIn(w.bo)).get("/help/tickets/new"); strings.Contains(got.body, "Half a") {
		t.Error("Bo sees Ana's draft")
	}
	ana.send("/help/tickets/new", nil, "subject", "A whole", "body", "sentence")
	if got := ana.get("/help/tickets/new"); strings.Contains(got.body, "begun to write") {
		t.Error("the draft is still there after the ticket was opened")
	}
}

func TestNewTicketBindsNoOtherFields(t *testing.T) {
	w := newWorld(t, nil)
	visit := w.visit(w.signIn(w.ana))
	f := filled(map[string]string{"subject": "a", "body": "b", "requester": "9", "company": "9", "status": "closed", "field_assignee": "3"})
	if got := newTicket(visit, f); len(got.Fields) != 0 || got.Follows != 0 || got.Confidential {
		t.Errorf("fields the form does not have were taken: %+v", got)
	}
	if got := slices.Sorted(func(yield func(string) bool) {
		for name := range draftFields(f) {
			if !yield(name) {
				return
			}
		}
	}); !slices.Equal(got, []string{"body", "field_assignee", "subject"}) {
		t.Errorf("a draft keeps %q", got)
	}
}
