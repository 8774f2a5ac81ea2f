package takeout_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/web/takeout"
)

// world is a store in which Ana opened a ticket that Bo and the desk answered,
// takes part in one of Bo's, and wrote to another of Bo's once.
type world struct {
	t       *testing.T
	app     *app.App
	store   *store.Store
	ana, bo *portal.Contact
	agent   *portal.Agent
	numbers []portal.TicketNumber
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, clock := portaltest.StoreClock(t)
	w := &world{t: t, store: s}
	w.app = app.New(app.Options{Store: s, Hasher: auth.NewHasher(2), Now: clock.Now, Operator: "root", Texts: &app.Texts{Languages: i18n.Codes(), Canonical: i18n.Canonical}})
	w.write(func(ctx context.Context, tx *store.Tx) error {
		system, err := tx.SystemDomain(ctx)
		if err != nil {
			return err
		}
		inbox := &portal.Inbox{Name: "Support", Kind: portal.InboxMail, Address: "support@example.com"}
		w.agent = &portal.Agent{Email: "ines@desk.example", Name: "Ines Holm", Role: portal.RoleAgent}
		w.ana = &portal.Contact{Email: "ana@example.com", Name: "Ana <Berg>", Language: "sv", Properties: map[string]string{"plan": "gold"}}
		w.bo = &portal.Contact{Email: "bo@secret.example", Name: "Bo Ek"}
		p := &portal.Portal{
			Languages: []string{"sv"}, Name: "Nordlys", DomainID: system.ID, Slug: "help", State: portal.Live, Accent: portal.DefaultAccent,
			TimeZone: "Europe/Stockholm", Tickets: portal.DefaultTicketSettings(), Access: portal.DefaultAccessSettings(),
		}
		for _, step := range []func() error{
			func() error { return tx.AddInbox(ctx, inbox) },
			func() error { return tx.AddAgent(ctx, w.agent) },
			func() error { return tx.AddContact(ctx, w.ana) },
			func() error { return tx.AddContact(ctx, w.bo) },
			func() error { p.Tickets.InboxID = inbox.ID; return tx.AddPortal(ctx, p) },
			func() error { return tx.AddConsent(ctx, w.ana.ID, p.ID, 1, "sv", "Villkoren för Nordlys") },
			func() error { return tx.SetPasswordHash(ctx, portal.Person{Contact: w.ana.ID}, "the-hash-itself") },
			func() error { return tx.SaveDraft(ctx, w.ana.ID, "new", map[string]string{"body": "Half a thought"}) },
			func() error {
				return tx.AddSession(ctx, &store.Session{Hash: []byte("s"), Portal: p.ID, Contact: w.ana.ID, UserAgent: "Operator's own", Address: "10.9.8.7", OpenedBy: "mallory", ExpiresAt: tx.Now.Add(time.Hour)})
			},
			func() error { return w.ticket(ctx, tx, p, w.ana, "Skanner & <b>läcker</b>", nil) },
			func() error { return w.ticket(ctx, tx, p, w.bo, "Faktura", w.ana) },
			func() error { return w.ticket(ctx, tx, p, w.bo, "Hemligt ärende", nil) },
			func() error { return w.ticket(ctx, tx, p, w.bo, "Annans ärende", nil) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return w.say(ctx, tx, w.numbers[2], &portal.Message{Kind: portal.Public, Contact: w.ana.ID, Body: "Anas ord i Bos ärende", Format: portal.Plain})
	})
	w.write(func(ctx context.Context, tx *store.Tx) error {
		first := w.numbers[0]
		for _, m := range []*portal.Message{
			{Kind: portal.Public, Agent: w.agent.ID, Body: "**Prova** igen <script>alert(1)</script> https://example.com/x", Format: portal.Markdown, Files: []portal.File{w.file("../../con.txt", "svar"), w.file("evil.html", "<script>alert(2)</script>")}},
			{Kind: portal.Note, Agent: w.agent.ID, Body: "internal: a difficult customer", Format: portal.Plain, Files: []portal.File{w.file("note.txt", "internal file")}},
			{Kind: portal.Public, Contact: w.bo.ID, Body: `<p>From mail</p><img src="https://tracker.example/1.gif"><style>@import "https://tracker.example/c.css"</style>`, Format: portal.HTML},
		} {
			if err := w.say(ctx, tx, first, m); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

func (w *world) write(fn func(context.Context, *store.Tx) error) {
	w.t.Helper()
	ctx := w.t.Context()
	if err := w.store.Write(ctx, func(tx *store.Tx) error { return fn(ctx, tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) ticket(ctx context.Context, tx *store.Tx, p *portal.Portal, by *portal.Contact, subject string, with *portal.Contact) error {
	t := &portal.Ticket{Subject: subject, Status: portal.New, Priority: portal.Normal, Requester: by.ID, InboxID: p.Tickets.InboxID, PortalID: p.ID}
	if with != nil {
		t.Participants = []portal.ContactID{with.ID}
	}
	if err := tx.AddTicket(ctx, t); err != nil {
		return err
	}
	w.numbers = append(w.numbers, t.Number)
	return w.say(ctx, tx, t.Number, &portal.Message{Kind: portal.Public, Contact: by.ID, Body: "Först: " + subject, Format: portal.Plain, Files: []portal.File{w.file("bild.png", "png of "+subject)}})
}

func (w *world) say(ctx context.Context, tx *store.Tx, n portal.TicketNumber, m *portal.Message) error {
	t, err := tx.Ticket(ctx, n)
	if err != nil {
		return err
	}
	if err := tx.AddMessage(ctx, t, m); err != nil {
		return err
	}
	return tx.SaveTicket(ctx, t)
}

func (w *world) file(name, content string) portal.File {
	w.t.Helper()
	blob, err := w.store.Files().Add(w.t.Context(), name, strings.NewReader(content), 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	return portal.File{Name: name, Type: blob.Type, Size: blob.Size, SHA256: blob.SHA256}
}

// takeOut returns Ana's zip: its names in order and what lies under each.
func (w *world) takeOut() (names []string, content map[string]string, sum *takeout.Summary, raw []byte) {
	w.t.Helper()
	t, err := w.app.TakeOutOf(w.t.Context(), "ana@example.com")
	if err != nil {
		w.t.Fatal(err)
	}
	var b bytes.Buffer
	if sum, err = takeout.Write(w.t.Context(), &b, t); err != nil {
		w.t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		w.t.Fatal(err)
	}
	content = map[string]string{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			w.t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			w.t.Fatal(err)
		}
		names, content[f.Name] = append(names, f.Name), string(text)
	}
	return names, content, sum, b.Bytes()
}

func TestTakeOutHasAllOfOnePersonAndNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	names, content, sum, _ := w.takeOut()
	if len(names) < 2 || names[0] != "index.html" || names[1] != "data.json" {
		t.Fatalf("the zip begins with %v", names)
	}
	if sum.Tickets != 2 || sum.Messages != 5 || sum.Files != 4 || sum.Missing != 0 {
		t.Errorf("it counts %+v; want 2 tickets, 5 messages, 4 files", *sum)
	}
	all := content["index.html"] + content["data.json"]
	for _, want := range []string{"Ana", "gold", "Villkoren för Nordlys", "Half a thought", "läcker", "Faktura", "Anas ord i Bos ärende", "Bo Ek", w.numbers[2].String()} {
		for _, name := range names[:2] {
			if !strings.Contains(content[name], want) {
				t.Errorf("%s does not hold %q", name, want)
			}
		}
	}
	for place, text := range content {
		for _, not := range []string{"internal", "difficult", "bo@secret.example", "ines@desk.example", "Hemligt", "Annans", "the-hash-itself", "mallory", "10.9.8.7", "Operator's own"} {
			if strings.Contains(text, not) {
				t.Errorf("%s holds %q, which is not for Ana", place, not)
			}
		}
	}
	if !strings.Contains(all, `"by_operator": true`) {
		t.Error("that somebody looked as her is not told")
	}
}

func TestTakeOutNamesAgentsAsItsPortalDoes(t *testing.T) {
	w := newWorld(t)
	for show, want := range map[portal.AgentDisplay]bool{portal.AgentName: true, portal.AgentTeam: false} {
		w.write(func(ctx context.Context, tx *store.Tx) error {
			portals, err := tx.Portals(ctx)
			if err != nil {
				return err
			}
			portals[0].Tickets.ShowAgent = show
			return tx.SavePortal(ctx, &portals[0])
		})
		_, content, _, _ := w.takeOut()
		for _, name := range []string{"index.html", "data.json"} {
			if got := strings.Contains(content[name], "Ines Holm"); got != want {
				t.Errorf("with agents shown by %q, %s names Ines: %v", show, name, got)
			}
		}
	}
}

func TestTakeOutDataIsWholeJSON(t *testing.T) {
	w := newWorld(t)
	names, content, _, _ := w.takeOut()
	var data struct {
		Format  string
		Version int
		MadeAt  time.Time `json:"made_at"`
		Contact struct{ Email, Name string }
		Tickets []struct {
			Number, Subject, Role, Requester string
			Messages                         []struct {
				By, Body string
				Own      bool
				Files    []struct{ Name, Path, SHA256 string }
			}
		}
		Others []struct {
			Number, Subject string
			Messages        []struct{ Body string }
		} `json:"messages_in_tickets_of_others"`
		Consents []portal.Consent
		Log      []portal.PersonalLog
	}
	if err := json.Unmarshal([]byte(content["data.json"]), &data); err != nil {
		t.Fatalf("data.json: %v\n%s", err, content["data.json"])
	}
	if data.Format != "portalctl-personal-data" || data.Version != 1 || !data.MadeAt.Equal(portaltest.Start) || data.Contact.Email != "ana@example.com" {
		t.Errorf("it begins with %q %d %v %q", data.Format, data.Version, data.MadeAt, data.Contact.Email)
	}
	if len(data.Tickets) != 2 || data.Tickets[0].Role != "requester" || data.Tickets[1].Role != "participant" || data.Tickets[1].Requester != "Bo Ek" {
		t.Fatalf("tickets: %+v", data.Tickets)
	}
	if m := data.Tickets[0].Messages; len(m) != 3 || !m[0].Own || m[1].Own || len(m[1].Files) != 2 {
		t.Errorf("messages: %+v", m)
	}
	if len(data.Others) != 1 || data.Others[0].Subject != "" || len(data.Others[0].Messages) != 1 {
		t.Errorf("messages in tickets of others: %+v", data.Others)
	}
	for _, ticket := range data.Tickets {
		for _, m := range ticket.Messages {
			for _, f := range m.Files {
				if !slices.Contains(names, f.Path) {
					t.Errorf("%q is said to lie at %q, where nothing is", f.Name, f.Path)
				}
			}
		}
	}
	// The same again is the same, but for the log, which has this export.
	_, again, _, _ := w.takeOut()
	if cutLog(again["data.json"]) != cutLog(content["data.json"]) {
		t.Error("the second take-out differs from the first")
	}
}

func cutLog(s string) string {
	before, rest, _ := strings.Cut(s, `"log": [`)
	_, after, _ := strings.Cut(rest, `"tickets": [`)
	return before + after
}

// The page opens from a folder: it asks nothing of anybody, runs nothing, and
// its links lead to files of the zip.
func TestTakeOutPageOpensOffline(t *testing.T) {
	w := newWorld(t)
	names, content, _, _ := w.takeOut()
	doc, err := html.Parse(strings.NewReader(content["index.html"]))
	if err != nil {
		t.Fatal(err)
	}
	links, ids := 0, map[string]bool{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"script", "link", "img", "iframe", "form", "object", "base", "video", "audio"}, n.Data) {
			t.Errorf("the page has a <%s>", n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("the id %q stands twice", a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case a.Key == "src" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("the page has %s=%q", a.Key, a.Val)
			case a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "https://example.com/x"):
				name, err := url.PathUnescape(a.Val)
				if err != nil || !slices.Contains(names, name) {
					t.Errorf("the link %q leads to no file of the zip", a.Val)
				}
				links++
			case a.Key == "href" && strings.HasPrefix(a.Val, "#") && a.Val != "#main" && !strings.Contains(content["index.html"], `id="`+a.Val[1:]+`"`):
				t.Errorf("the link %q leads nowhere", a.Val)
			}
		}
	}
	if links != 4 {
		t.Errorf("%d links to files; want 4", links)
	}
	text := content["index.html"]
	if strings.Contains(text, "tracker.example") || strings.Contains(text, "url(") {
		t.Error("something of a message would be loaded or run")
	}
	for _, want := range []string{`<html lang="sv"`, "Dina uppgifter", "default-src &#39;none&#39;", "prefers-color-scheme", "width=device-width"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestTakeOutTellsOfFilesThatAreLost(t *testing.T) {
	w := newWorld(t)
	lost := w.file("bild.png", "png of Faktura")
	if err := w.store.Files().Remove(lost.SHA256); err != nil {
		t.Fatal(err)
	}
	_, content, sum, _ := w.takeOut()
	if sum.Missing != 1 || sum.Files != 3 {
		t.Errorf("it counts %+v; want 1 missing of 4", *sum)
	}
	if !strings.Contains(content["data.json"], `"missing": true`) || !strings.Contains(content["index.html"], "finns inte längre") {
		t.Error("data.json and the page do not both say which is missing")
	}
}

func TestTakeOutStopsWhenNobodyReads(t *testing.T) {
	w := newWorld(t)
	out, err := w.app.TakeOutOf(t.Context(), "ana@example.com")
	if err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no device that is always full")
	}
	defer full.Close()
	if _, err := takeout.Write(t.Context(), full, out); err == nil {
		t.Error("a full disk was not noticed")
	}
}

func TestNamesInTheZipAreHarmless(t *testing.T) {
	w := newWorld(t)
	names := []string{
		"../../etc/passwd", `..\..\win.ini`, "/abs", "C:\\x.txt", "con", "CON.txt", "nul", "a\x00b", "a\nb\r.txt", "\u202egpj.exe", "", ".", "..", "   ", "~", "-rf",
		"name. . .", "trailing.txt.", "evil.HTML", "x.svg", "run.exe", "a.docm", strings.Repeat("å", 300) + ".pdf", "question?.txt", "100%.txt", "a#b.txt", "emoji 🙂.png", "日本.txt", "\xff\xfe.txt",
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		m := &portal.Message{Kind: portal.Public, Contact: w.ana.ID, Body: "x", Format: portal.Plain}
		for _, name := range names {
			f := w.file("x", "content")
			f.Name = name
			m.Files = append(m.Files, f)
		}
		return w.say(ctx, tx, w.numbers[0], m)
	})
	entries, _, sum, _ := w.takeOut()
	if sum.Files != 4+len(names) {
		t.Errorf("%d files; want %d", sum.Files, 4+len(names))
	}
	seen := map[string]bool{}
	for _, name := range entries[2:] {
		parts := strings.Split(name, "/")
		if path.Clean(name) != name || len(parts) != 3 || parts[0] != "files" || !strings.HasPrefix(parts[1], "T-") {
			t.Errorf("%q does not lie in the folder of its ticket", name)
		}
		last := parts[len(parts)-1]
		if strings.ContainsAny(last, "<>:\"|?*\\\x00\n\r%#") || strings.ContainsRune(last, 0x202e) || len(last) > 130 || strings.HasSuffix(last, ".") || strings.HasSuffix(last, " ") || last[0] < '0' || last[0] > '9' {
			t.Errorf("%q is not a name every system keeps", last)
		}
		for _, end := range []string{".html", ".svg", ".exe", ".docm"} {
			if strings.HasSuffix(strings.ToLower(last), end) {
				t.Errorf("%q would run when it is opened", last)
			}
		}
		if seen[strings.ToLower(name)] {
			t.Errorf("%q stands twice", name)
		}
		seen[strings.ToLower(name)] = true
	}
}
