package helpdesk

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// seenOf is what the form for answers says it has seen.
func seenOf(t *testing.T, a answer) string {
	t.Helper()
	found := regexp.MustCompile(`name="seen" value="(\d+)"`).FindStringSubmatch(a.body)
	if found == nil {
		t.Fatalf("no form for answers in\n%s", a.body)
	}
	return found[1]
}

// messages are what stands in a ticket.
func (w *world) messages(n portal.TicketNumber, internal bool) []portal.Message {
	w.t.Helper()
	d, err := w.app.ShowTicket(w.t.Context(), n, internal)
	if err != nil {
		w.t.Fatal(err)
	}
	return d.Messages
}

// multi sends a form with a file.
func (b *browser) multi(path, file, content string, fields ...string) answer {
	b.w.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := m.WriteField(fields[i], fields[i+1]); err != nil {
			b.w.t.Fatal(err)
		}
	}
	part, err := m.CreateFormFile("files", file)
	if err == nil {
		_, err = part.Write([]byte(content))
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		b.w.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodPost, b.w.server.URL+path, &body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

func TestConversationTellsAnswersFromNotes(t *testing.T) {
	w := newWorld(t)
	ines := w.browser(w.ines)
	ticket := path("/tickets/%s", w.scanner)
	seen := seenOf(t, ines.get(ticket))
	ines.post(ticket+"/notes", "body", "She is *important* <b>x</b>").wants(t, http.StatusSeeOther)
	ines.post(ticket+"/answers", "body", "We look **into** it", "seen", seen, "next", "wait").wants(t, http.StatusSeeOther)
	page := ines.get(ticket)
	page.wants(t, http.StatusOK,
		"The scanner shows error 7", "Since this morning.", "talk-customer", "talk-note", "Internal note – only agents see it",
		"She is <em>important</em>", "talk-waiting", "Sending in 10 s", "We look <strong>into</strong> it",
		"Send to Ana Berg", "Save note – only agents see it", "Acme")
	page.lacks(t, "<b>x</b>")
	if got := len(w.messages(w.scanner, false)); got != 1 {
		t.Errorf("%d public messages before the answer is due", got)
	}
	// Another agent sees that it waits, and may not take it back.
	omar := w.browser(w.omar)
	other := omar.get(ticket)
	other.wants(t, http.StatusOK, "talk-waiting")
	other.lacks(t, "/undo/")
	undo := regexp.MustCompile(`/helpdesk/tickets/[^"]+/undo/\d+`).FindString(page.body)
	if undo == "" {
		t.Fatal("there is no way to take the answer back")
	}
	omar.post(undo).wants(t, http.StatusSeeOther)
	omar.get(ticket).wants(t, http.StatusOK, "talk-waiting", "It was too late")
	ines.post(undo).wants(t, http.StatusSeeOther)
	back := ines.get(ticket)
	back.wants(t, http.StatusOK, "We look **into** it</textarea>", "Nothing was sent")
	back.lacks(t, "talk-waiting")
}

func TestConversationKeepsWhatIsRefused(t *testing.T) {
	w := newWorld(t)
	ines := w.browser(w.ines)
	ticket := path("/tickets/%s", w.scanner)
	seen := seenOf(t, ines.get(ticket))
	// Files stay with the draft although the text is missing.
	ines.multi(ticket+"/answers", "plan.txt", "the plan", "body", " ", "seen", seen, "next", "wait").wants(t, http.StatusUnprocessableEntity, "plan.txt", "Files that go along")
	keep := regexp.MustCompile(`name="keep" value="(\d+)"`).FindStringSubmatch(ines.get(ticket).body)
	if keep == nil {
		t.Fatal("the file is lost")
	}
	ines.post(ticket+"/answers", "body", strings.Repeat("long ", 21<<10), "seen", seen, "next", "wait", "shown", keep[1], "keep", keep[1]).
		wants(t, http.StatusUnprocessableEntity, "long long")
	ines.post(ticket+"/answers", "body", "odd \xff bytes", "seen", seen, "next", "wait", "shown", keep[1], "keep", keep[1]).wants(t, http.StatusUnprocessableEntity)
	ines.post(ticket+"/answers", "body", "x", "seen", seen, "next", "explode").wants(t, http.StatusUnprocessableEntity)
	if _, err := w.app.CannedAnswers(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	// A colleague was faster.
	if err := w.app.DeskReply(t.Context(), w.omar.ID, w.scanner, app.Answer{Body: "Omar was faster"}); err != nil {
		t.Fatal(err)
	}
	met := ines.post(ticket+"/answers", "body", "My own words", "seen", seen, "next", "wait", "shown", keep[1], "keep", keep[1])
	met.wants(t, http.StatusConflict, "Written since you opened this", "Omar was faster", "My own words</textarea>", "Send anyway", "plan.txt")
	if got := len(w.messages(w.scanner, false)); got != 2 {
		t.Errorf("%d messages", got)
	}
	ines.post(ticket+"/answers", "body", "My own words", "seen", seen, "anyway", "yes", "shown", keep[1], "keep", keep[1]).wants(t, http.StatusSeeOther)
	ines.get(ticket).wants(t, http.StatusOK, "talk-waiting", "plan.txt")
}

func TestComposerWorksWithoutScript(t *testing.T) {
	w := newWorld(t)
	ines := w.browser(w.ines)
	ticket := path("/tickets/%s", w.scanner)
	ines.post(path("/canned/new"), "name", "Hello", "body", "Hi {{first_name}}", "inbox", "").wants(t, http.StatusSeeOther)
	ines.post(path("/canned/new"), "name", "Odd", "body", "Hi {{firstname}}", "inbox", "").wants(t, http.StatusUnprocessableEntity, "{{firstname}}", "{{first_name}}")
	ines.post(path("/canned/new"), "name", "hello", "body", "Hi", "inbox", "").wants(t, http.StatusConflict)
	canned := regexp.MustCompile(`name="canned" value="(\d+)"`).FindStringSubmatch(ines.get(ticket).body)
	if canned == nil {
		t.Fatal("the canned answer is not offered")
	}
	ines.post(ticket+"/compose/answer", "body", "One moment.", "canned", canned[1]).wants(t, http.StatusSeeOther)
	ines.get(ticket).wants(t, http.StatusOK, "One moment.\n\nHi Ana</textarea>")
	ines.get(ticket+"/canned/"+canned[1]).wants(t, http.StatusOK, "Hi Ana")
	preview := ines.post(ticket+"/compose/note", "body", "look at *this*", "preview", "yes")
	preview.wants(t, http.StatusSeeOther)
	ines.get(strings.Split(preview.Header.Get("Location"), "#")[0]).wants(t, http.StatusOK, "look at <em>this</em>", "look at *this*</textarea>", "One moment.")
	ines.post(ticket+"/preview", "body", "see <script>x</script> **b** [x](javascript:alert(1))").wants(t, http.StatusOK, "<strong>b</strong>")
	ines.post(ticket+"/preview", "body", "<script>x</script> [x](javascript:alert(1))").lacks(t, "<script", "javascript:")
	ines.post(ticket+"/draft/note", "body", "half a tho").wants(t, http.StatusNoContent)
	w.browser(w.ines).get(ticket).wants(t, http.StatusOK, "half a tho</textarea>")
	w.browser(w.omar).get(ticket).lacks(t, "half a tho")
	ines.get(path("/canned")).wants(t, http.StatusOK, "Hello", "All inboxes")
	omar := w.browser(w.omar)
	omar.post(path("/canned/%s", canned[1]), "name", "Hello", "body", "changed", "inbox", "").wants(t, http.StatusForbidden)
	ines.post(path("/canned/%s", canned[1]), "name", "Hello you", "body", "Hi {{customer}}", "inbox", "Support").wants(t, http.StatusSeeOther)
	omar.get(path("/canned/%s", canned[1])).wants(t, http.StatusOK, "Hello you")
	omar.post(path("/canned/%s/remove", canned[1])).wants(t, http.StatusSeeOther)
	ines.get(path("/canned/%s", canned[1])).wants(t, http.StatusNotFound)
}

// Who may not is answered as if nothing were there, on each of the routes.
func TestConversationOfAnotherInbox(t *testing.T) {
	w := newWorld(t)
	omar, nobody := w.browser(w.omar), w.browser(nil)
	secret := path("/tickets/%s", w.invoice)
	for _, get := range []string{"", "/history", "/canned/1"} {
		a := omar.get(secret + get)
		a.wants(t, http.StatusNotFound)
		a.lacks(t, "Invoice 2041")
		nobody.get(secret+get).wants(t, http.StatusSeeOther)
	}
	for _, post := range []string{
		"/answers", "/notes", "/compose/answer", "/compose/note", "/draft/answer", "/preview", "/presence", "/close", "/reopen", "/participants", "/participants/1/remove",
	} {
		a := omar.post(secret+post, "body", "x", "seen", "99", "participant", "x@example.com", "anyway", "1")
		a.wants(t, http.StatusNotFound)
		a.lacks(t, "Invoice 2041")
	}
	if got := len(w.messages(w.invoice, true)); got != 1 {
		t.Errorf("%d messages in a ticket that is not theirs", got)
	}
	// A foreign page posts nothing, nor does a customer.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+path("/tickets/%s/notes", w.scanner), strings.NewReader("body=x"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Origin", "https://evil.example")
	w.browser(w.ines).do(r).wants(t, http.StatusForbidden)
	ana := w.browser(nil)
	ana.hold(w.session(store.Session{Contact: w.ana.ID}))
	ana.post(path("/tickets/%s/answers", w.scanner), "body", "x", "anyway", "1").wants(t, http.StatusUnauthorized)
	ana.get(path("/tickets/%s", w.scanner)).wants(t, http.StatusSeeOther)
	if got := len(w.messages(w.scanner, true)); got != 1 {
		t.Errorf("%d messages, want 1", got)
	}
}

func TestPageIsToldWhoIsThere(t *testing.T) {
	w := newWorld(t)
	ines, omar := w.browser(w.ines), w.browser(w.omar)
	ticket := path("/tickets/%s", w.scanner)
	seen := seenOf(t, ines.get(ticket))
	ines.post(ticket+"/presence", "mode", "answer", "seen", seen).wants(t, http.StatusOK, `"present":[]`, `"newer":false`)
	omar.post(ticket+"/presence", "mode", "odd", "seen", seen).wants(t, http.StatusOK, `"Ines Holm is writing an answer"`)
	omar.get(ticket).wants(t, http.StatusOK, "Ines Holm is writing an answer")
	ines.post(ticket+"/presence", "mode", "gone").wants(t, http.StatusNoContent)
	omar.post(ticket+"/presence", "mode", "note", "seen", seen).wants(t, http.StatusOK, `"present":[]`)
}

func TestMentionsAndHistory(t *testing.T) {
	w := newWorld(t)
	ines := w.browser(w.ines)
	ticket := path("/tickets/%s", w.scanner)
	ines.post(path("/tickets/%s/notes", w.invoice), "body", "@Omar can you?").wants(t, http.StatusUnprocessableEntity, "Omar Falk may not see", "@Omar can you?</textarea>")
	ines.post(ticket+"/notes", "body", "@Omar can you?").wants(t, http.StatusSeeOther)
	// The list marks it until it was read there.
	list := path("/tickets?queue=all")
	w.browser(w.omar).get(list).wants(t, http.StatusOK, "Names you")
	w.browser(w.omar).get(path("/tickets?q=scanner")).wants(t, http.StatusOK, "Names you")
	ines.get(list).lacks(t, "Names you")
	w.browser(w.omar).get(ticket).wants(t, http.StatusOK, "Names you")
	w.browser(w.omar).get(list).lacks(t, "Names you")
	ines.get(ticket).lacks(t, "Names you")
	ines.post(ticket+"/close").wants(t, http.StatusSeeOther)
	ines.post(ticket+"/participants", "participant", "nobody@example.com").wants(t, http.StatusUnprocessableEntity)
	ines.get(ticket).wants(t, http.StatusOK, "Ines Holm closed this", "An answer opens it again")
	ines.get(ticket+"/history").wants(t, http.StatusOK, "Ines Holm wrote an internal note", "Ines Holm closed this")
	ines.post(ticket+"/reopen").wants(t, http.StatusSeeOther)
}

func TestNewTicketForACustomer(t *testing.T) {
	w := newWorld(t)
	ines, omar := w.browser(w.ines), w.browser(w.omar)
	ines.get(path("/tickets/new?contact=berg")).wants(t, http.StatusOK, "Ana Berg", "email=ana%40example.com")
	ines.get(path("/tickets/new?email=ana%%40example.com")).wants(t, http.StatusOK, `value="ana@example.com"`)
	ines.post(path("/tickets/new"), "email", "new@example.com", "subject", "Hello", "body", "World").wants(t, http.StatusUnprocessableEntity, "Add them as a new contact", "World</textarea>")
	opened := ines.post(path("/tickets/new"), "email", "new@example.com", "name", "Nea", "add", "yes", "subject", "Hello", "body", "World", "as", "agent")
	opened.wants(t, http.StatusSeeOther)
	ines.get(opened.Header.Get("Location")).wants(t, http.StatusOK, "Nea", "World", "Answer – customers read it")
	omar.post(path("/tickets/new"), "email", "ana@example.com", "subject", "s", "body", "b", "inbox", "2").wants(t, http.StatusNotFound)
}

// Nothing internal reaches a customer: neither notes nor what waits.
func TestCustomersReadNothingOfTheDesk(t *testing.T) {
	w := newWorld(t)
	ines := w.browser(w.ines)
	ticket := path("/tickets/%s", w.scanner)
	ines.post(ticket+"/notes", "body", "secret-note").wants(t, http.StatusSeeOther)
	ines.post(ticket+"/answers", "body", "secret-pending", "seen", seenOf(t, ines.get(ticket))).wants(t, http.StatusSeeOther)
	ines.post(ticket+"/draft/answer", "body", "secret-draft").wants(t, http.StatusNoContent)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		viewer := portal.NewViewer(w.ana, &w.portal.Tickets)
		ticket, err := tx.TicketDetailFor(ctx, &viewer, w.scanner)
		if err != nil {
			return err
		}
		messages, err := tx.Messages(ctx, &ticket.Ticket, false)
		if err != nil {
			return err
		}
		for _, m := range messages {
			if strings.Contains(m.Body, "secret") {
				t.Errorf("a customer reads %q", m.Body)
			}
		}
		if len(ticket.Draft) != 0 {
			t.Errorf("a customer finds the draft %q", ticket.Draft)
		}
		events, err := tx.Events(ctx, w.scanner, false)
		for _, e := range events {
			if e.Kind == portal.EventNoted {
				t.Error("a customer learns of a note")
			}
		}
		return err
	})
}
