package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// lookLink is the path of a link to look as a contact, as an operator gets it.
func (w *world) lookLink(c *portal.Contact) string {
	w.t.Helper()
	base, err := url.Parse(w.server.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	operator := app.New(app.Options{Store: w.store, Now: w.clock.Now, BaseURL: base, Operator: "olle"})
	defer w.store.OnMoves(func(context.Context, *store.Tx, []store.GroupMove) (func(), error) { return nil, nil })
	link, err := operator.OpenAs(w.t.Context(), w.portal, c.Email)
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimPrefix(link.URL, w.server.URL)
}

// looking is a browser in which an operator looks as a contact.
func (w *world) looking(c *portal.Contact) *browser {
	w.t.Helper()
	b := w.browser("")
	if got := b.post(w.lookLink(c)); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/help/tickets" {
		w.t.Fatalf("the look opened with %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	return b
}

const lookMark = `class="look"`

func TestLookOpensByItsButtonOnce(t *testing.T) {
	w := newWorld(t, nil)
	link := w.lookLink(w.ana)
	b := w.browser("")
	for range 3 {
		got := b.get(link)
		if got.StatusCode != http.StatusOK || !strings.Contains(got.body, "ana@example.com") || !strings.Contains(got.body, "olle") {
			t.Fatalf("the link's page answers %d: %s", got.StatusCode, got.body)
		}
	}
	if got := b.get("/help/tickets"); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("looking at the link opened it: %d", got.StatusCode)
	}
	if got := b.post(link); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("the button answers %d", got.StatusCode)
	}
	if got := w.browser("").post(link); got.StatusCode != http.StatusGone || strings.Contains(got.body, "ana@example.com") {
		t.Errorf("a second use answers %d", got.StatusCode)
	}
	if got := b.get("/help/tickets"); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "scanner") || !strings.Contains(got.body, lookMark) {
		t.Errorf("Ana's list answers %d: %s", got.StatusCode, got.body)
	}
}

func TestLookLinkRunsOut(t *testing.T) {
	w := newWorld(t, nil)
	link := w.lookLink(w.ana)
	w.clock.Add(app.LookLinkLife)
	b := w.browser("")
	if got := b.get(link); got.StatusCode != http.StatusGone {
		t.Errorf("the page of a link that is too old answers %d", got.StatusCode)
	}
	if got := b.post(link); got.StatusCode != http.StatusGone {
		t.Errorf("a link that is too old answers %d", got.StatusCode)
	}
	if got := b.post("/help/view/nonsense"); got.StatusCode != http.StatusNotFound {
		t.Errorf("no link at all answers %d", got.StatusCode)
	}
}

// Whatever the route: nothing is written, private pages stay shut, and every
// page that opens says what this is.
func TestLookChangesNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SaveDraft(ctx, w.ana.ID, w.anas.String(), map[string]string{"body": "not sent yet"})
	})
	b := w.looking(w.ana)
	before := w.traces()
	shut := 0
	walk(t, w, func(t *testing.T, rt route, method, path string) {
		if rt.pattern == "POST /sign-out" || strings.Contains(rt.pattern, "{token}") {
			t.Skip("ends the look, or is for a link")
		}
		var got answer
		if method == http.MethodGet {
			got = b.get(path)
		} else {
			got = b.post(path, "body", "x", "subject", "x", "name", "x", "participant", w.bo.Email, "confidential", "on")
		}
		private := strings.HasPrefix(path, "/help/account") || path == "/help/tickets.csv"
		if (method != http.MethodGet || private) && got.StatusCode != http.StatusForbidden {
			t.Errorf("%s answers %d, want 403", rt.pattern, got.StatusCode)
		}
		if got.StatusCode == http.StatusForbidden {
			shut++
		}
		page := strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") && got.StatusCode != http.StatusSeeOther
		if page && !strings.Contains(got.body, lookMark) {
			t.Errorf("%s shows no mark: %d\n%s", rt.pattern, got.StatusCode, got.body)
		}
		if strings.Contains(got.body, "not sent yet") {
			t.Errorf("%s shows what Ana typed and did not send", rt.pattern)
		}
	})
	if shut < 20 {
		t.Errorf("only %d routes were shut", shut)
	}
	if after := w.traces(); after != before {
		t.Errorf("the look left traces: %+v before, %+v after", before, after)
	}
}

// traces are what a contact's own visit would change.
type traces struct {
	signedIn time.Time
	read     portal.MessageID
	draft    string
	sessions int
	name     string
}

func (w *world) traces() (x traces) {
	w.t.Helper()
	err := w.store.Read(w.t.Context(), func(tx *store.Tx) error {
		ctx := w.t.Context()
		m, err := tx.Member(ctx, w.portal.ID, w.ana.ID)
		if err != nil {
			return err
		}
		viewer := portal.NewViewer(w.ana, &w.portal.Tickets)
		d, err := tx.TicketDetailFor(ctx, &viewer, w.anas)
		if err != nil {
			return err
		}
		c, err := tx.Contact(ctx, w.ana.ID)
		if err != nil {
			return err
		}
		sessions, err := tx.Sessions(ctx, w.ana.ID, 0)
		x = traces{m.LastSignInAt, d.ReadMark, d.Draft["body"], len(sessions), c.Name}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

// An answer nobody has read stays unread when an operator reads it.
func TestLookMarksNothingRead(t *testing.T) {
	w := newWorld(t, nil)
	if err := w.app.DeskReply(t.Context(), w.agent.ID, w.anas, app.Answer{Body: "Have you restarted it?"}); err != nil {
		t.Fatal(err)
	}
	before := w.traces()
	if got := w.looking(w.ana).get("/help/tickets/" + w.anas.String()); !strings.Contains(got.body, "restarted") {
		t.Fatalf("the answer is not shown: %d", got.StatusCode)
	}
	if after := w.traces(); after != before {
		t.Errorf("%+v before, %+v after", before, after)
	}
}

func TestLookEnds(t *testing.T) {
	for name, end := range map[string]func(w *world, b *browser){
		"by its button":                  func(_ *world, b *browser) { b.post("/help/sign-out") },
		"after its time":                 func(w *world, _ *browser) { w.clock.Add(app.LookLife + time.Second) },
		"when Ana signs out everywhere":  func(w *world, _ *browser) { w.signOutEverywhere() },
		"when Ana is disabled":           func(w *world, _ *browser) { w.disable(w.ana) },
		"when another link takes over":   func(w *world, b *browser) { b.post(w.lookLink(w.bo)) },
		"while the portal takes a break": func(w *world, _ *browser) { w.portal.State = portal.Paused; w.savePortal() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			b := w.looking(w.ana)
			// In use to the last.
			for range 7 {
				w.clock.Add(2 * time.Minute)
				if got := b.get("/help/tickets"); !strings.Contains(got.body, "scanner") {
					t.Fatalf("the look ended early: %d", got.StatusCode)
				}
			}
			end(w, b)
			if got := b.get("/help/tickets/" + w.anas.String()); strings.Contains(got.body, "scanner") {
				t.Error("the look goes on")
			}
			// What is posted then is nobody's draft.
			b.post("/help/tickets/"+w.anas.String()+"/replies", "body", "typed by the operator")
			if x := w.traces(); x.draft != "" {
				t.Errorf("Ana has a draft now: %q", x.draft)
			}
		})
	}
}

func (w *world) signOutEverywhere() {
	w.t.Helper()
	if err := w.app.EndAllSessions(w.t.Context(), w.visit(w.signIn(w.ana))); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) disable(c *portal.Contact) {
	w.t.Helper()
	if _, err := w.app.DisableMembers(w.t.Context(), w.portal, []string{c.Email}); err != nil {
		w.t.Fatal(err)
	}
}

// A contact who is kept out after the link was made keeps the look out too.
func TestLookOpensNothingForWhoMayNotEnter(t *testing.T) {
	w := newWorld(t, nil)
	link := w.lookLink(w.ana)
	w.disable(w.ana)
	b := w.browser("")
	if got := b.get(link); got.StatusCode < 400 || strings.Contains(got.body, "ana@example.com") {
		t.Errorf("the link's page answers %d", got.StatusCode)
	}
	if got := b.post(link); got.StatusCode < 400 {
		t.Errorf("the link answers %d", got.StatusCode)
	}
}
