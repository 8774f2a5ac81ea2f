package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func companyView(p *portal.Portal) { p.Tickets.Permissions = portal.PermitCompany }

func (w *world) open(v *Visit, in NewTicket) portal.TicketNumber {
	w.t.Helper()
	if in.Subject == "" {
		in.Subject = "The printer is on fire"
	}
	if in.Body == "" {
		in.Body = "It burns."
	}
	n, err := w.OpenTicket(w.t.Context(), v, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) ticket(v *Visit, n portal.TicketNumber) *TicketView {
	w.t.Helper()
	view, err := w.Ticket(w.t.Context(), v, n)
	if err != nil {
		w.t.Fatal(err)
	}
	return view
}

func TestConversationFromOpeningToReopening(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	ana, agent := w.as(w.ana), w.asAgent()
	n := w.open(ana, NewTicket{Files: []Upload{{Name: `C:\fire\photo.png`, Content: strings.NewReader("\x89PNG\r\n\x1a\nfire")}}})
	if n != portal.FirstTicketNumber {
		t.Errorf("the first ticket is %s", n)
	}
	if got, want := strings.Join(w.mails(), ", "), "ticket_received to ana@example.com, agent_ticket to agent@example.com"; got != want {
		t.Errorf("opening told %s, want %s", got, want)
	}
	if err := w.Reply(ctx, agent, n, Answer{Body: "psst, she is right", Note: true}); err != nil {
		t.Fatal(err)
	}
	if err := w.Reply(ctx, agent, n, Answer{Body: "Use **water**."}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.mails(), ", "); got != "message to ana@example.com" {
		t.Errorf("answering told %s", got)
	}
	list, err := w.Tickets(ctx, ana, ListQuery{})
	if err != nil || len(list.Rows) != 1 || !list.Rows[0].Unread || list.Rows[0].Status != portal.WaitingOnCustomer {
		t.Fatalf("list %+v, %v", list.Rows, err)
	}
	view := w.ticket(ana, n)
	if len(view.Messages) != 2 || view.Messages[0].Files[0].Name != "photo.png" || view.Messages[1].Format != portal.Markdown {
		t.Errorf("messages %+v", view.Messages)
	}
	for _, e := range view.Events {
		if e.Kind.Internal() {
			t.Errorf("the customer sees the event %s", e.Kind)
		}
	}
	if got := w.ticket(agent, n); len(got.Messages) != 3 {
		t.Errorf("the agent sees %d messages", len(got.Messages))
	}
	if list, _ = w.Tickets(ctx, ana, ListQuery{}); list.Rows[0].Unread {
		t.Error("read, and still unread")
	}
	if err := w.Reply(ctx, ana, n, Answer{Body: "Thanks", Close: true}); err != nil {
		t.Fatal(err)
	}
	if got := w.ticket(ana, n); got.Ticket.Status != portal.Closed || !got.MayReopen || got.MayClose {
		t.Errorf("after closing: %+v", got)
	}
	w.clock.Add(13 * 24 * time.Hour)
	ana = w.as(w.ana)
	if err := w.Reply(ctx, ana, n, Answer{Body: "It burns again"}); err != nil {
		t.Fatal(err)
	}
	if got := w.ticket(ana, n).Ticket.Status; got != portal.WaitingOnUs {
		t.Errorf("reopened to %s", got)
	}
	if err := w.CloseTicket(ctx, ana, n); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(15 * 24 * time.Hour)
	ana = w.as(w.ana)
	wantCode(t, w.Reply(ctx, ana, n, Answer{Body: "And again"}), "ticket.closed")
	wantCode(t, w.ReopenTicket(ctx, ana, n), "ticket.closed")
	if got := w.ticket(ana, n); !got.ClosedForGood {
		t.Error("the page does not offer a new ticket")
	}
	next := w.open(ana, NewTicket{Follows: n})
	if got := w.ticket(ana, next); got.Follows != n {
		t.Errorf("follows %s, want %s", got.Follows, n)
	}
}

// everyDoor tries each way to a ticket and reports which ones opened.
func (w *world) everyDoor(v *Visit, n portal.TicketNumber, file portal.FileID) map[string]error {
	ctx := w.t.Context()
	_, show := w.Ticket(ctx, v, n)
	_, _, download := w.File(ctx, v, file)
	_, follow := w.OpenTicket(ctx, v, NewTicket{Subject: "x", Body: "y", Follows: n})
	return map[string]error{
		"show":         show,
		"file":         download,
		"follow":       follow,
		"reply":        w.Reply(ctx, v, n, Answer{Body: "hi"}),
		"close":        w.CloseTicket(ctx, v, n),
		"reopen":       w.ReopenTicket(ctx, v, n),
		"confidential": w.SetConfidential(ctx, v, n, false),
		"add":          w.AddParticipant(ctx, v, n, v.Contact.Email),
		"remove":       w.RemoveParticipant(ctx, v, n, w.ana.ID),
	}
}

func TestSomebodyElsesTicketIsTheSameAsNone(t *testing.T) {
	w := newWorld(t, companyView)
	ana := w.as(w.ana)
	open := w.open(ana, NewTicket{Subject: "unguessable xylophone", Files: []Upload{{Name: "a.txt", Content: strings.NewReader("secret")}}})
	hidden := w.open(ana, NewTicket{Confidential: true, Files: []Upload{{Name: "a.txt", Content: strings.NewReader("secret")}}})
	file := func(n portal.TicketNumber) portal.FileID { return w.ticket(ana, n).Messages[0].Files[0].ID }
	for _, c := range []struct {
		name string
		who  *portal.Contact
		n    portal.TicketNumber
	}{{"another company", w.eve, open}, {"a colleague's confidential one", w.bo, hidden}} {
		t.Run(c.name, func(t *testing.T) {
			v := w.as(c.who)
			there, missing := w.everyDoor(v, c.n, file(c.n)), w.everyDoor(v, 9999, 9999)
			for door, err := range there {
				if portal.KindOf(err) != portal.NotFound {
					t.Errorf("%s: got %v, want not found", door, err)
				}
				want := strings.ReplaceAll(missing[door].Error(), "T-9999", c.n.String())
				if err == nil || err.Error() != want {
					t.Errorf("%s: %v differs from a ticket that does not exist: %v", door, err, missing[door])
				}
			}
			for _, q := range []ListQuery{{Status: "all"}, {Status: "all", Scope: store.ScopeCompany}, {Query: "xylophone"}, {Query: c.n.String(), Scope: store.ScopeCompany}} {
				list, err := w.Tickets(t.Context(), v, q)
				if err != nil {
					t.Fatal(err)
				}
				if slices.ContainsFunc(list.Rows, func(r portal.TicketRow) bool { return r.Number == c.n }) {
					t.Errorf("%+v lists it", q)
				}
			}
		})
	}
}

func TestCompanyReadMayLookButNotTouch(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { companyView(p); p.Tickets.CompanyAccess = portal.CompanyRead })
	n := w.open(w.as(w.ana), NewTicket{Files: []Upload{{Name: "a.txt", Content: strings.NewReader("x")}}})
	bo := w.as(w.bo)
	view := w.ticket(bo, n)
	if view.MayReply || view.MayClose || view.MayInvite || view.MayConfide {
		t.Errorf("offered: %+v", view)
	}
	for door, err := range w.everyDoor(bo, n, view.Messages[0].Files[0].ID) {
		reads := door == "show" || door == "file" || door == "follow"
		if reads && err != nil || !reads && portal.KindOf(err) != portal.Forbidden {
			t.Errorf("%s: %v", door, err)
		}
	}
}

func TestCustomersMayBeKeptFromClosing(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Tickets.CustomersClose = false })
	ana := w.as(w.ana)
	n := w.open(ana, NewTicket{})
	wantCode(t, w.CloseTicket(t.Context(), ana, n), "tickets.customers_close")
	wantCode(t, w.Reply(t.Context(), ana, n, Answer{Body: "x", Close: true}), "tickets.customers_close")
	if got := len(w.ticket(ana, n).Messages); got != 1 {
		t.Errorf("the refused answer left %d messages", got)
	}
}

func TestParticipants(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	ana := w.as(w.ana)
	n := w.open(ana, NewTicket{Confidential: true})
	w.mails()
	known := w.AddParticipant(ctx, ana, n, "eve@example.com")
	unknown := w.AddParticipant(ctx, ana, n, "nobody@example.com")
	wantCode(t, known, "participant.unknown")
	if strings.ReplaceAll(known.Error(), "eve", "nobody") != unknown.Error() {
		t.Errorf("%v and %v tell known from unknown", known, unknown)
	}
	for range 2 {
		if err := w.AddParticipant(ctx, ana, n, "bo@example.com"); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(w.mails(), ", "); got != "participant_added to bo@example.com" {
		t.Errorf("adding told %s", got)
	}
	bo := w.as(w.bo)
	if err := w.Reply(ctx, bo, n, Answer{Body: "me too"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.mails(), ", "); got != "message to ana@example.com, agent_message to agent@example.com" {
		t.Errorf("answering told %s", got)
	}
	if err := w.RemoveParticipant(ctx, bo, n, w.bo.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Ticket(ctx, bo, n); portal.KindOf(err) != portal.NotFound {
		t.Errorf("after leaving: %v", err)
	}
}

func TestRefusedFormNamesEveryProblem(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) {
		fields, err := portal.ParseFields("order_number*:Order number,category:Area:choice:Billing|Technical")
		if err != nil {
			t.Fatal(err)
		}
		p.Tickets.Fields = fields
	})
	ana := w.as(w.ana)
	_, err := w.OpenTicket(t.Context(), ana, NewTicket{Fields: map[string]string{"category": "Other", "status": "closed"}})
	var fields []string
	for _, e := range portal.Errors(err) {
		fields = append(fields, e.Field)
	}
	if got := strings.Join(fields, " "); got != "subject body field_order_number field_category" {
		t.Errorf("problems at %q: %v", got, err)
	}
	n := w.open(ana, NewTicket{Fields: map[string]string{"order_number": "A-7", "category": "Billing", "status": "closed", "assignee": "1"}})
	got := w.ticket(ana, n).Ticket
	if got.Category != "Billing" || got.Fields["order_number"] != "A-7" || len(got.Fields) != 1 || got.Status != portal.New {
		t.Errorf("ticket %+v", got)
	}
}

func TestFilesAreKeptWholeAndLimited(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.as(w.ana)
	content := strings.Repeat("å", 400_000)
	n := w.open(ana, NewTicket{Files: []Upload{{Name: "../../etc/pass\x00wd\u202Egnp.txt", Content: strings.NewReader(content)}}})
	id := w.ticket(ana, n).Messages[0].Files[0].ID
	file, r, err := w.File(t.Context(), ana, id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != content {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	if file.Name != "passwdgnp.txt" || file.Type != "text/plain; charset=utf-8" {
		t.Errorf("name %q, type %q", file.Name, file.Type)
	}
	big := Upload{Name: "big", Content: io.LimitReader(zeros{}, portal.MaxFileSize+1)}
	wantCode(t, w.Reply(t.Context(), ana, n, Answer{Body: "x", Files: []Upload{big}}), "file.too_big")
	many := make([]Upload, portal.MaxFiles+1)
	for i := range many {
		many[i] = Upload{Name: "a", Content: strings.NewReader("a")}
	}
	wantCode(t, w.Reply(t.Context(), ana, n, Answer{Body: "x", Files: many}), "file.too_many")
	if got := len(w.ticket(ana, n).Messages); got != 1 {
		t.Errorf("refused answers left %d messages", got)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestSweepKeepsFilesThatMessagesName(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.as(w.ana)
	n := w.open(ana, NewTicket{Files: []Upload{{Name: "a", Content: strings.NewReader("kept")}}})
	blob, err := w.store.Files().Add(t.Context(), "b", strings.NewReader("orphan"), 100)
	if err != nil {
		t.Fatal(err)
	}
	known := func(sha256 string) (bool, error) {
		var known bool
		err := w.store.Read(t.Context(), func(tx *store.Tx) (err error) {
			known, err = tx.FileKnown(t.Context(), sha256)
			return err
		})
		return known, err
	}
	if err := w.store.Files().Sweep(t.Context(), -time.Hour, known); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Files().Open(blob.SHA256); err == nil {
		t.Error("the orphan is still there")
	}
	if _, r, err := w.File(t.Context(), ana, w.ticket(ana, n).Messages[0].Files[0].ID); err != nil {
		t.Errorf("the named file is gone: %v", err)
	} else {
		r.Close()
	}
}

func TestDraftSurvivesAnEndedSession(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	token := w.signIn(w.ana)
	w.clock.Add(2 * portal.DefaultIdleTimeout)
	ended := w.visit(token)
	if ended.SignedIn() || ended.Ended != w.ana.ID {
		t.Fatalf("visit %+v", ended)
	}
	if err := w.KeepDraft(ctx, ended, "new", map[string]string{"subject": "S", "body": "a long letter"}); err != nil {
		t.Fatal(err)
	}
	if err := w.KeepDraft(ctx, ended, "new", nil); err != nil {
		t.Fatal(err)
	}
	ana := w.as(w.ana)
	form, err := w.Draft(ctx, ana, "new")
	if err != nil || form["body"] != "a long letter" {
		t.Fatalf("draft %v, %v", form, err)
	}
	if form, _ := w.Draft(ctx, w.as(w.bo), "new"); form != nil {
		t.Errorf("somebody else reads the draft: %v", form)
	}
	w.open(ana, NewTicket{})
	if form, _ := w.Draft(ctx, ana, "new"); form != nil {
		t.Errorf("sent, and the draft is still there: %v", form)
	}
	if err := w.KeepDraft(ctx, w.visit(""), "new", map[string]string{"body": "x"}); err != nil {
		t.Errorf("a stranger's draft: %v", err)
	}
}

func TestListPagesSortsAndFilters(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	ana := w.as(w.ana)
	for _, s := range []string{"Zebra", "Ångström", "apple", "Öl", "äpple"} {
		w.open(ana, NewTicket{Subject: s})
		w.clock.Add(time.Minute)
	}
	subjects := func(l *TicketList) string {
		var s []string
		for _, r := range l.Rows {
			s = append(s, r.Subject)
		}
		return strings.Join(s, " ")
	}
	get := func(q ListQuery) *TicketList {
		t.Helper()
		l, err := w.Tickets(ctx, ana, q)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	first := get(ListQuery{Limit: 2})
	if subjects(first) != "äpple Öl" || first.Count != 5 || first.First != 1 || first.Prev != "" {
		t.Fatalf("first page %q %+v", subjects(first), first)
	}
	second := get(ListQuery{Limit: 2, After: first.Next})
	third := get(ListQuery{Limit: 2, After: second.Next})
	if subjects(second) != "apple Ångström" || subjects(third) != "Zebra" || third.Next != "" {
		t.Errorf("pages %q, %q", subjects(second), subjects(third))
	}
	back := get(ListQuery{Limit: 2, Before: third.Prev})
	if subjects(back) != subjects(second) || back.Prev == "" || back.Next == "" {
		t.Errorf("back to %q, %+v", subjects(back), back)
	}
	if start := get(ListQuery{Limit: 2, Before: back.Prev}); subjects(start) != subjects(first) || start.Prev != "" {
		t.Errorf("back to %q, %+v", subjects(start), start)
	}
	ana.Contact.Language, ana.Portal.Languages = "sv", []string{"sv"}
	if got := subjects(get(ListQuery{Sort: portal.ColumnSubject, Asc: true})); got != "apple Zebra Ångström äpple Öl" {
		t.Errorf("in Swedish order: %q", got)
	}
	sorted := get(ListQuery{Sort: portal.ColumnNumber, Asc: true, Limit: 2})
	if next := get(ListQuery{Sort: portal.ColumnNumber, Asc: true, Limit: 2, After: sorted.Next}); subjects(next) != "apple Öl" || next.Prev == "" {
		t.Errorf("second sorted page %q", subjects(next))
	}
	if got := get(ListQuery{Query: "appl"}); subjects(got) != "äpple apple" {
		t.Errorf("search %q", subjects(got))
	}
	if got := get(ListQuery{Status: "closed"}); len(got.Rows) != 0 || !got.Any {
		t.Errorf("closed: %+v", got)
	}
	if got := get(ListQuery{After: "rubbish", Status: "rubbish", Sort: "rubbish", Limit: -3}); len(got.Rows) != 5 {
		t.Errorf("an old bookmark lists %d", len(got.Rows))
	}
}

func TestChangeOfSettingsHoldsAtTheNextRequest(t *testing.T) {
	w := newWorld(t, nil)
	token := w.signIn(w.ana)
	other, err := store.Open(t.Context(), w.store.Path(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	change := func(fn func(p *portal.Portal)) {
		t.Helper()
		err := other.Write(t.Context(), func(tx *store.Tx) error {
			p, err := tx.Portal(context.Background(), w.portal.ID)
			if err != nil {
				return err
			}
			fn(p)
			return tx.SavePortal(context.Background(), p)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	change(func(p *portal.Portal) { p.Name = "New name" })
	if got := w.visit(token).Portal.Name; got != "New name" {
		t.Errorf("the page still says %q", got)
	}
	change(func(p *portal.Portal) { p.State = portal.Draft })
	if _, err := w.Enter(t.Context(), "portal.test", "/help/", token); portal.KindOf(err) != portal.NotFound {
		t.Errorf("a draft opens for a customer: %v", err)
	}
	change(func(p *portal.Portal) { p.State, p.Slug = portal.Live, "stod" })
	if _, err := w.Enter(t.Context(), "portal.test", "/help/", token); portal.KindOf(err) != portal.NotFound {
		t.Errorf("the old slug still answers: %v", err)
	}
	if v, err := w.Enter(t.Context(), "PORTAL.test.:9999", "/", ""); err != nil || v.Redirect != "/stod/" {
		t.Errorf("the bare host gives %+v, %v", v, err)
	}
	_, err = w.Enter(t.Context(), "evil.example", "/stod/", token)
	wantCode(t, err, "host.unknown")
}

func TestDraftPortalOpensForAgents(t *testing.T) {
	w := newWorld(t, nil)
	agent, ana := w.signInAgent(), w.signIn(w.ana)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		p, err := tx.Portal(ctx, w.portal.ID)
		if err != nil {
			return err
		}
		p.State = portal.Draft
		return tx.SavePortal(ctx, p)
	})
	if v, err := w.Enter(t.Context(), "portal.test", "/help/", agent); err != nil || v.Agent == nil {
		t.Errorf("a draft does not open for an agent: %+v, %v", v, err)
	}
	for name, token := range map[string]string{"a stranger": "", "a customer": ana} {
		if _, err := w.Enter(t.Context(), "portal.test", "/help/", token); portal.KindOf(err) != portal.NotFound {
			t.Errorf("a draft opens for %s: %v", name, err)
		}
	}
}

func TestLongConversationComesInParts(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.as(w.ana)
	n := w.open(ana, NewTicket{Body: "message 1"})
	var last *TicketView
	for i := 2; i <= 250; i++ {
		if err := w.Reply(t.Context(), ana, n, Answer{Body: fmt.Sprintf("message %d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	before := portal.MessageID(math.MaxInt64)
	for pages := 0; pages < 5 && before != 0; pages++ {
		view, err := w.TicketBefore(t.Context(), ana, n, before)
		if err != nil {
			t.Fatal(err)
		}
		if len(view.Messages) > pageMessages || view.Later != (pages > 0) {
			t.Errorf("part %d has %d messages, later %v", pages, len(view.Messages), view.Later)
		}
		var part []string
		for _, m := range view.Messages {
			part = append(part, m.Body)
		}
		got = append(part, got...)
		before, last = view.Earlier, view
	}
	if last.Earlier != 0 || len(got) != 250 || got[0] != "message 1" || got[249] != "message 250" || !slices.IsSortedFunc(got, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) }) {
		t.Errorf("%d messages came, from %s to %s", len(got), got[0], got[len(got)-1])
	}
	big := strings.Repeat("x", portal.MaxBody-1)
	for range 15 {
		if err := w.Reply(t.Context(), ana, n, Answer{Body: big}); err != nil {
			t.Fatal(err)
		}
	}
	if view := w.ticket(ana, n); len(view.Messages) > 11 || view.Earlier == 0 {
		t.Errorf("one page has %d messages of 100 KiB", len(view.Messages))
	}
}
