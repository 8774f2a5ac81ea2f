package helpdesk

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// concrete fills the placeholders of a route with things of another inbox.
func (w *world) concrete(pattern string) (method, target string) {
	method, target, _ = strings.Cut(pattern, " ")
	return method, path("%s", strings.NewReplacer("{number}", w.invoice.String(), "{id}", "1", "{$}", "", "{answer}", "1", "{kind}", "answer").Replace(target))
}

func (b *browser) ask(method, target string, header ...string) answer {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), method, b.w.server.URL+target, strings.NewReader(url.Values{"x": {"y"}}.Encode()))
	if err != nil {
		b.w.t.Fatal(err)
	}
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.do(r)
}

func TestEveryRouteIsClosedToStrangersAndCustomers(t *testing.T) {
	w := newWorld(t)
	w.app.StopFeed() // streams would stay open
	customer := w.browser(nil)
	customer.hold(w.session(store.Session{Contact: w.ana.ID, Portal: w.portal.ID}))
	for _, rt := range w.desk().routes() {
		method, target := w.concrete(rt.pattern)
		for who, b := range map[string]*browser{"a stranger": w.browser(nil), "a customer": customer} {
			got := b.ask(method, target)
			if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), "/helpdesk/sign-in") {
				t.Errorf("%s's %s %s answers %d to %q, wanted 303 to the sign-in page", who, method, target, got.StatusCode, got.Header.Get("Location"))
			}
		}
	}
}

func TestNoFormIsTakenFromAnotherSite(t *testing.T) {
	w := newWorld(t)
	ines := w.browser(w.ines)
	for _, rt := range w.desk().routes() {
		method, target := w.concrete(rt.pattern)
		if method == http.MethodGet {
			continue
		}
		if got := ines.ask(method, target, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); got.StatusCode != http.StatusForbidden {
			t.Errorf("%s %s from another site answers %d, wanted 403", method, target, got.StatusCode)
		}
		if got := ines.ask(method, target, "Content-Type", "text/plain"); got.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("%s %s as text/plain answers %d, wanted 415", method, target, got.StatusCode)
		}
	}
}

func TestTicketsOfOtherInboxesAreNotThere(t *testing.T) {
	w := newWorld(t)
	w.app.StopFeed()
	omar := w.browser(w.omar)
	for _, rt := range w.desk().routes() {
		if !strings.Contains(rt.pattern, "{number}") {
			continue
		}
		method, target := w.concrete(rt.pattern)
		got, none := omar.ask(method, target), omar.ask(method, strings.Replace(target, w.invoice.String(), "T-99999", 1))
		place := strings.Replace(got.Header.Get("Location"), w.invoice.String(), "T-99999", 1)
		if got.StatusCode != none.StatusCode || place != none.Header.Get("Location") || got.StatusCode == http.StatusOK {
			t.Errorf("%s %s of another inbox answers %d to %q, and of a ticket that is not there %d to %q",
				method, target, got.StatusCode, place, none.StatusCode, none.Header.Get("Location"))
		}
		if method == http.MethodGet && got.StatusCode != http.StatusNotFound {
			t.Errorf("%s %s of another inbox answers %d, wanted 404", method, target, got.StatusCode)
		}
	}
}

// desk is the server behind the world's chain.
func (w *world) desk() *Server { return New(Options{App: w.app, Now: w.clock.Now}) }

func TestUnknownPathsArePages(t *testing.T) {
	w := newWorld(t)
	w.browser(w.ines).get(path("/nowhere")).wants(t, http.StatusNotFound, "<h1>", "Unassigned")
	if got := w.browser(w.ines).ask(http.MethodPost, path("/settings/x")); got.StatusCode != http.StatusNotFound {
		t.Errorf("POST to nowhere answers %d", got.StatusCode)
	}
	if got := w.browser(w.ines).ask(http.MethodPut, path("/settings")); got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") == "" {
		t.Errorf("PUT /settings answers %d, Allow %q", got.StatusCode, got.Header.Get("Allow"))
	}
}

func TestWhatWasTypedIsGivenBackWhenTheSessionEnded(t *testing.T) {
	w := newWorld(t)
	w.browser(nil).post(path("/views"), "body", "a long answer").wants(t, http.StatusUnauthorized, "a long answer", "/helpdesk/sign-in")
}

func TestBulkChangesWhatItMayAndSaysWhatNot(t *testing.T) {
	w := newWorld(t)
	omar := w.browser(w.omar)
	got := omar.post(path("/tickets/bulk"), "act", "close", "ticket", w.scanner.String(), "ticket", w.invoice.String(), "ticket", "T-99999", "ticket", "x")
	got.wants(t, http.StatusConflict, "1 ticket changed.", w.invoice.String(), "T-99999")
	got.lacks(t, "Invoice 2041")
	list := omar.get(path("/tickets?queue=closed"))
	list.wants(t, http.StatusOK, "The scanner shows error 7")

	got = omar.post(path("/tickets/bulk"), "act", "reopen", "ticket", w.scanner.String(), "return_to", "/helpdesk/tickets?queue=all")
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/helpdesk/tickets?queue=all" {
		t.Fatalf("reopening answers %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	omar.get(path("/tickets?queue=all")).wants(t, http.StatusOK, "1 ticket changed.", "The scanner shows error 7")
	for _, act := range [][]string{
		{"act", "assign", "assignee", itoa(int64(w.omar.ID))}, {"act", "priority", "priority", "urgent"}, {"act", "tag", "tags", "vip, printer"}, {"act", "snooze", "until", "tomorrow"},
	} {
		if got := omar.post(path("/tickets/bulk"), append(act, "ticket", w.scanner.String())...); got.StatusCode != http.StatusSeeOther {
			t.Errorf("%v answers %d\n%s", act, got.StatusCode, got.body)
		}
	}
	omar.get(path("/tickets?queue=mine")).lacks(t, "The scanner shows")
	omar.get(path("/tickets?queue=snoozed")).wants(t, http.StatusOK, "The scanner shows error 7", "vip", "printer", "Urgent", "Omar Falk")
	// Another site's address is no way back.
	if got := omar.post(path("/tickets/bulk"), "act", "wake", "ticket", w.scanner.String(), "return_to", "//evil.example/"); got.Header.Get("Location") != "/helpdesk/tickets" {
		t.Errorf("it leads back to %q", got.Header.Get("Location"))
	}
}

func TestBulkAsksBeforeItChangesMany(t *testing.T) {
	w := newWorld(t)
	ines := w.browser(w.ines)
	fields := []string{"act", "close"}
	for range 12 {
		fields = append(fields, "ticket", w.open(w.support, "One of many", "Again.").String())
	}
	got := ines.post(path("/tickets/bulk"), fields...)
	got.wants(t, http.StatusOK, "Change 12 tickets?", `name="sure"`)
	ines.get(path("/tickets?queue=closed")).lacks(t, "One of many")
	if got := ines.post(path("/tickets/bulk"), append(fields, "sure", "yes")...); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("being sure answers %d", got.StatusCode)
	}
	ines.get(path("/tickets?queue=closed")).wants(t, http.StatusOK, "12 tickets changed.", "One of many")
}

func TestSearchFindsByTheWordsCustomersUse(t *testing.T) {
	w := newWorld(t)
	ines, omar := w.browser(w.ines), w.browser(w.omar)
	if _, err := w.app.TagTicket(t.Context(), handOf(w.ines), w.scanner, "vip", ""); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"error 7", "since this morning", "Berg", "ana@example.com", "ana", "acme", "vip", w.scanner.String(), strings.TrimPrefix(w.scanner.String(), "T-")} {
		ines.get(path("/tickets?q=%s", url.QueryEscape(words))).wants(t, http.StatusOK, "The scanner shows error 7")
	}
	for _, words := range []string{"Invoice 2041", "charged", "Berg", "acme", w.invoice.String()} {
		omar.get(path("/tickets?q=%s", url.QueryEscape(words))).lacks(t, "Invoice 2041 twice")
	}
	ines.get(path("/tickets?q=%s", url.QueryEscape(`<script>"*`))).wants(t, http.StatusOK, "Nothing found", "&lt;script&gt;")
	// Closed tickets are found too, unless a queue is asked for.
	if _, err := w.app.DeskClose(t.Context(), portal.ByAgent(w.ines.ID), w.scanner); err != nil {
		t.Fatal(err)
	}
	ines.get(path("/tickets?q=error")).wants(t, http.StatusOK, "The scanner shows error 7")
	ines.get(path("/tickets?q=error&queue=all")).lacks(t, "The scanner shows error 7")
}

func TestViewsAreKeptSharedAndRemoved(t *testing.T) {
	w := newWorld(t)
	ines, omar := w.browser(w.ines), w.browser(w.omar)
	ines.post(path("/views"), "queue", "all", "name", "").wants(t, http.StatusUnprocessableEntity, "Keep this list")
	got := ines.post(path("/views"), "queue", "unassigned", "sort", "created", "name", "Fresh <b>", "shared", "yes")
	shared := got.Header.Get("Location")
	if got.StatusCode != http.StatusSeeOther {
		t.Fatalf("saving answers %d\n%s", got.StatusCode, got.body)
	}
	list := omar.get(shared)
	list.wants(t, http.StatusOK, "Fresh &lt;b&gt;", "The scanner shows error 7")
	list.lacks(t, "Invoice 2041 twice") // what a shared view shows is each reader's own
	id := strings.TrimPrefix(shared, "/helpdesk/tickets?view=")
	if got := omar.post(path("/views/%s/remove", id)); got.StatusCode != http.StatusForbidden {
		t.Errorf("removing somebody's view answers %d, wanted 403", got.StatusCode)
	}
	own := omar.post(path("/views"), "queue", "mine", "name", "Own").Header.Get("Location")
	ownID := strings.TrimPrefix(own, "/helpdesk/tickets?view=")
	for _, target := range []string{"/tickets?view=%s", "/views/%s/remove"} {
		got := ines.get(path("/tickets?view=%s", ownID))
		if strings.Contains(target, "remove") {
			got = ines.post(path(target, ownID))
		}
		if got.StatusCode != http.StatusNotFound {
			t.Errorf("somebody's own view answers %d to others, wanted 404", got.StatusCode)
		}
	}
	second := strings.TrimPrefix(omar.post(path("/views"), "queue", "us", "name", "Second").Header.Get("Location"), "/helpdesk/tickets?view=")
	omar.post(path("/views/%s/move", second), "dir", "up")
	page := omar.get(path("/views"))
	if strings.Index(page.body, "Second") > strings.Index(page.body, ">Own<") {
		t.Error("the view did not move up")
	}
	omar.post(path("/views/%s", second), "name", "Renamed")
	omar.get(path("/views")).wants(t, http.StatusOK, "Renamed")
	omar.post(path("/views/%s/remove", second))
	page = omar.get(path("/views"))
	page.lacks(t, "Renamed")
	ines.post(path("/views/%s/remove", id))
	omar.get(path("/tickets")).lacks(t, "Fresh")
}

func TestAgentsSetTheirDesk(t *testing.T) {
	w := newWorld(t)
	omar := w.browser(w.omar)
	omar.get(path("/settings")).wants(t, http.StatusOK, `value="yes" checked`)
	omar.post(path("/settings"), "language", "xx", "time_zone", "Mars", "notify", "loud").wants(t, http.StatusUnprocessableEntity, `href="#f-notify"`, `href="#f-time_zone"`)
	if got := omar.post(path("/settings"), "language", "sv", "time_zone", "Europe/Stockholm", "notify", "all", "signature", "Omar", "away", "yes"); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("saving answers %d\n%s", got.StatusCode, got.body)
	}
	page := omar.get(path("/tickets"))
	page.wants(t, http.StatusOK, `lang="sv"`, "Mina")
	page.lacks(t, "data-shortcuts", "desk-keys")
}

// TestMarkupStaysText posts markup into everything the list shows.
func TestMarkupStaysText(t *testing.T) {
	w := newWorld(t)
	w.open(w.support, `<script>alert(1)</script>`, "x")
	w.browser(w.ines).get(path("/tickets?queue=all")).lacks(t, "<script>alert")
}

// TestAQueueAsksTheStoreLittle counts a page's statements: who asks, the list,
// and what the navigation says, which may be from a moment ago.
func TestAQueueAsksTheStoreLittle(t *testing.T) {
	w := newWorld(t)
	ines := w.browser(w.ines)
	ines.get(path("/tickets?queue=all"))
	before := w.store.Queries()
	ines.get(path("/tickets?queue=all"))
	if n := w.store.Queries() - before; n > 2 {
		t.Errorf("a queue takes %d statements, wanted 2", n)
	}
}

// TestStreamsPassTheChain holds the wrappers of answers to letting a stream
// through.
func TestStreamsPassTheChain(t *testing.T) {
	flushed := make(chan struct{})
	h, err := page.Compress(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = w.Write([]byte(":\n\n"))
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-flushed
	}))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(page.Log(slog.New(slog.DiscardHandler), page.Pace(h)))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b := make([]byte, 3)
	n, _ := resp.Body.Read(b)
	close(flushed)
	if string(b[:n]) != ":\n\n" || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("the stream begins with %q, encoded as %q", b[:n], resp.Header.Get("Content-Encoding"))
	}
}
