package app

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// deskWorld is a world with a ticket of Ana's and a second agent.
type deskWorld struct {
	*world
	n     portal.TicketNumber
	ines  *Visit
	olle  *Visit
	first portal.MessageID // what Ana wrote
}

func newDeskWorld(t *testing.T) *deskWorld {
	t.Helper()
	w := &deskWorld{world: newWorld(t, nil)}
	n, err := w.OpenTicket(t.Context(), w.as(w.ana), NewTicket{Subject: "The pump leaks", Body: "Since Tuesday."})
	if err != nil {
		t.Fatal(err)
	}
	w.n = n
	w.ines = w.agentVisit(w.agent)
	w.olle = w.agentVisit(w.addAgent("olle@example.com", "Olle Ek", true))
	w.first = w.ticket().LastPublic
	w.mails()
	return w
}

func (w *world) addAgent(email, name string, every bool, inboxes ...portal.InboxID) *portal.Agent {
	w.t.Helper()
	g := &portal.Agent{Email: email, Name: name, Role: portal.RoleAgent, EveryInbox: every, Inboxes: inboxes}
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.AddAgent(ctx, g) })
	return g
}

// agentVisit is an agent at the help desk.
func (w *world) agentVisit(g *portal.Agent) *Visit {
	w.t.Helper()
	v, err := w.Enter(w.t.Context(), "portal.test:8080", "/helpdesk", "")
	if err != nil {
		w.t.Fatal(err)
	}
	v.Agent, v.Viewer = g, portal.AgentViewer(g)
	return v
}

func (w *deskWorld) ticket() *portal.Ticket {
	w.t.Helper()
	d, err := w.ShowTicket(w.t.Context(), w.n, true)
	if err != nil {
		w.t.Fatal(err)
	}
	return d.Ticket
}

// said lists the public messages after Ana's first.
func (w *deskWorld) said() []string {
	w.t.Helper()
	d, err := w.ShowTicket(w.t.Context(), w.n, false)
	if err != nil {
		w.t.Fatal(err)
	}
	list := []string{}
	for _, m := range d.Messages[1:] {
		list = append(list, m.Body)
	}
	return list
}

func (w *deskWorld) send(v *Visit, body string, in DeskAnswer) *portal.PendingAnswer {
	w.t.Helper()
	in.Body = body
	if in.Seen == 0 {
		in.Seen = w.ticket().LastPublic
	}
	p, err := w.SendAnswer(w.t.Context(), v, w.n, in)
	if err != nil {
		w.t.Fatalf("send %q: %v", body, err)
	}
	return p
}

// due lets the time pass and sends what is due.
func (w *deskWorld) due() {
	w.t.Helper()
	w.clock.Add(portal.UndoFor)
	if _, err := w.sendDue(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *deskWorld) draft(v *Visit, mode portal.DeskMode) *store.DeskDraft {
	w.t.Helper()
	c, err := w.Conversation(w.t.Context(), v, w.n, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	if mode == portal.ModeNote {
		return c.Note
	}
	return c.Answer
}

func TestAnswerWaitsAndIsSentOnce(t *testing.T) {
	w := newDeskWorld(t)
	if err := w.KeepDeskDraft(t.Context(), w.ines, w.n, portal.ModeAnswer, map[string]string{"body": "We are"}); err != nil {
		t.Fatal(err)
	}
	files, err := w.KeepDeskFiles(t.Context(), w.ines, w.n, portal.ModeAnswer, []Upload{{Name: "plan.txt", Content: strings.NewReader("the plan")}}, nil)
	if err != nil || len(files) != 1 {
		t.Fatalf("files: %v, %v", files, err)
	}
	w.send(w.ines, "We are on it.", DeskAnswer{Files: []portal.FileID{files[0].ID}})
	if d := w.draft(w.ines, portal.ModeAnswer); len(d.Form) != 0 || len(d.Files) != 0 {
		t.Errorf("the draft is left: %+v", d)
	}
	wait, err := w.sendDue(t.Context())
	if err != nil || wait != portal.UndoFor {
		t.Errorf("the worker waits %s, %v; want %s", wait, err, portal.UndoFor)
	}
	seen, err := w.Ticket(t.Context(), w.as(w.ana), w.n)
	if err != nil || len(seen.Messages) != 1 || len(w.mails()) != 0 || w.ticket().Status != portal.New {
		t.Errorf("before its time the customer sees %d messages, the ticket is %s (%v)", len(seen.Messages), w.ticket().Status, err)
	}
	// Bytes of a file that only a waiting answer names are kept.
	if known := w.known(files[0].SHA256); !known {
		t.Error("the file of a waiting answer would be swept out")
	}
	// Several processes find it due at once.
	w.clock.Add(portal.UndoFor)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := w.sendDue(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := w.said(); !slices.Equal(got, []string{"We are on it."}) {
		t.Errorf("sent %q, want it once", got)
	}
	if got := w.mails(); !slices.Equal(got, []string{"message to ana@example.com"}) {
		t.Errorf("mails %q", got)
	}
	d, err := w.ShowTicket(t.Context(), w.n, false)
	if err != nil || len(d.Messages[1].Files) != 1 || d.Messages[1].Files[0].Name != "plan.txt" || d.Status != portal.WaitingOnCustomer {
		t.Errorf("sent as %+v of a ticket that is %s (%v)", d.Messages[1], d.Status, err)
	}
	if !w.known(files[0].SHA256) {
		t.Error("the file of the message is not known")
	}
}

func (w *world) known(sha256 string) (known bool) {
	w.t.Helper()
	err := w.store.Read(w.t.Context(), func(tx *store.Tx) (err error) {
		known, err = tx.FileKnown(w.t.Context(), sha256)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return known
}

// What waits when the process goes is sent by the next one, also when it falls
// over in the middle of sending.
func TestAnswerSurvivesACrash(t *testing.T) {
	w := newDeskWorld(t)
	w.send(w.ines, "Sent after all", DeskAnswer{})
	w.clock.Add(time.Hour)
	func() {
		defer func() { _ = recover() }()
		_ = w.store.Write(t.Context(), func(tx *store.Tx) error {
			p, _, err := tx.NextPendingAnswer(t.Context())
			if err != nil {
				return err
			}
			if why, err := w.post(t.Context(), tx, p); err != nil || why != "" {
				t.Errorf("post: %q, %v", why, err)
			}
			panic("the process falls over")
		})
	}()
	if got := w.said(); len(got) != 0 {
		t.Fatalf("half sent: %q", got)
	}
	next := New(Options{Store: w.store, Hasher: w.hasher, Now: w.clock.Now, BaseURL: w.baseURL})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { next.Run(ctx) })
	for range 500 {
		if len(w.said()) > 0 {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	stop()
	running.Wait()
	if got := w.said(); !slices.Equal(got, []string{"Sent after all"}) {
		t.Errorf("sent %q", got)
	}
}

func TestUndoPutsTheAnswerBack(t *testing.T) {
	w := newDeskWorld(t)
	files, err := w.KeepDeskFiles(t.Context(), w.ines, w.n, portal.ModeAnswer, []Upload{{Name: "a.txt", Content: strings.NewReader("a")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := w.send(w.ines, "Too fast", DeskAnswer{Files: []portal.FileID{files[0].ID}, Next: portal.AnswerCloses})
	if _, err := w.UndoAnswer(t.Context(), w.olle, p.ID); portal.KindOf(err) != portal.Conflict {
		t.Errorf("another agent takes it back: %v", err)
	}
	// They began the next one already.
	if err := w.KeepDeskDraft(t.Context(), w.ines, w.n, portal.ModeAnswer, map[string]string{"body": "And then"}); err != nil {
		t.Fatal(err)
	}
	if n, err := w.UndoAnswer(t.Context(), w.ines, p.ID); err != nil || n != w.n {
		t.Fatalf("undo: %v, %v", n, err)
	}
	d := w.draft(w.ines, portal.ModeAnswer)
	if d.Form["body"] != "Too fast\n\nAnd then" || d.Form["next"] != "close" || len(d.Files) != 1 || d.Files[0].Name != "a.txt" || d.Why != "" {
		t.Errorf("the form holds %+v", d)
	}
	w.due()
	if got := w.said(); len(got) != 0 {
		t.Errorf("sent all the same: %q", got)
	}
	p = w.send(w.ines, "Right", DeskAnswer{})
	w.due()
	if _, err := w.UndoAnswer(t.Context(), w.ines, p.ID); err == nil {
		t.Error("an answer that was sent is taken back")
	} else {
		wantCode(t, err, "answer.sent")
	}
}

// What becomes of an answer when the ticket changes while it waits.
func TestAnswerMeetsAChangedTicket(t *testing.T) {
	w := newDeskWorld(t)
	ctx := t.Context()
	ana := w.as(w.ana)
	reset := func(status portal.Status) {
		w.write(func(ctx context.Context, tx *store.Tx) error {
			ticket, err := tx.Ticket(ctx, w.n)
			if err != nil {
				return err
			}
			ticket.Status, ticket.MergedInto = status, 0
			ticket.ClosedAt = time.Time{}
			if err := tx.RemoveDeskDraft(ctx, w.ines.Agent.ID, w.n.String()+" answer"); err != nil {
				return err
			}
			return tx.SaveTicket(ctx, ticket)
		})
	}
	for _, c := range []struct {
		name   string
		next   portal.AfterAnswer
		change func() error
		sent   bool
		why    string
		status portal.Status
	}{
		{"nothing changes", portal.AnswerWaits, func() error { return nil }, true, "", portal.WaitingOnCustomer},
		{"the desk keeps the turn", portal.AnswerKeeps, func() error { return nil }, true, "", portal.WaitingOnUs},
		{"it closes", portal.AnswerCloses, func() error { return nil }, true, "", portal.Closed},
		{"the customer closes", portal.AnswerWaits, func() error { return w.CloseTicket(ctx, ana, w.n) }, false, "answer.back_closed", portal.Closed},
		{"another agent closes", portal.AnswerCloses, func() error { return w.CloseTicket(ctx, w.olle, w.n) }, false, "answer.back_closed", portal.Closed},
		{"its author closes", portal.AnswerWaits, func() error { return w.CloseTicket(ctx, w.ines, w.n) }, true, "", portal.Closed},
		{"the customer writes", portal.AnswerCloses, func() error { return w.Reply(ctx, ana, w.n, Answer{Body: "One more thing"}) }, true, "", portal.WaitingOnUs},
		{"it is merged", portal.AnswerWaits, func() error {
			other, err := w.OpenTicket(ctx, ana, NewTicket{Subject: "Other", Body: "Other"})
			if err != nil {
				return err
			}
			return w.store.Write(ctx, func(tx *store.Tx) error {
				ticket, err := tx.Ticket(ctx, w.n)
				if err != nil {
					return err
				}
				ticket.MergedInto = other
				return tx.SaveTicket(ctx, ticket)
			})
		}, false, "answer.back_merged", portal.WaitingOnUs},
		{"the agent is disabled", portal.AnswerWaits, func() error { return w.disable(w.ines.Agent, true) }, false, "answer.back_disabled", portal.WaitingOnUs},
	} {
		t.Run(c.name, func(t *testing.T) {
			reset(portal.WaitingOnUs)
			before := len(w.said())
			p := w.send(w.ines, c.name, DeskAnswer{Next: c.next})
			w.clock.Add(time.Second)
			if err := c.change(); err != nil {
				t.Fatal(err)
			}
			between := len(w.said())
			w.due()
			if err := w.disable(w.ines.Agent, false); err != nil {
				t.Fatal(err)
			}
			if got := len(w.said()) > between; got != c.sent {
				t.Errorf("sent: %t, want %t (%d, %d messages)", got, c.sent, before, between)
			}
			if got := w.ticket().Status; got != c.status {
				t.Errorf("the ticket is %s, want %s", got, c.status)
			}
			d := w.draft(w.ines, portal.ModeAnswer)
			if into := w.ticket().MergedInto; into != 0 {
				page, err := w.Conversation(ctx, w.ines, into, 0)
				if err != nil {
					t.Fatal(err)
				}
				d = page.Answer
			}
			if back := d.Form["body"] == p.Body; back == c.sent || d.Why != c.why {
				t.Errorf("the form holds %q because of %q, want because of %q", d.Form["body"], d.Why, c.why)
			}
		})
	}
}

func (w *world) disable(g *portal.Agent, yes bool) error {
	changed := *g
	changed.Disabled = yes
	return w.store.Write(w.t.Context(), func(tx *store.Tx) error { return tx.SaveAgent(w.t.Context(), &changed) })
}

func TestAnswerMeetsAnother(t *testing.T) {
	w := newDeskWorld(t)
	ctx := t.Context()
	try := func(v *Visit, in DeskAnswer) error {
		in.Body = "My answer"
		_, err := w.SendAnswer(ctx, v, w.n, in)
		return err
	}
	wantCode(t, try(w.ines, DeskAnswer{}), "answer.newer") // a page that knew nothing
	if err := w.Reply(ctx, w.olle, w.n, Answer{Body: "Olle was faster"}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, try(w.ines, DeskAnswer{Seen: w.first}), "answer.newer")
	newer, err := w.NewerMessages(ctx, w.ines, w.n, w.first)
	if err != nil || len(newer) != 1 || newer[0].Body != "Olle was faster" || newer[0].AuthorName != "Olle Ek" {
		t.Errorf("newer: %+v, %v", newer, err)
	}
	if err := try(w.olle, DeskAnswer{Seen: w.first}); err != nil {
		t.Errorf("one's own message is in the way: %v", err)
	}
	// Olle's second answer waits.
	wantCode(t, try(w.ines, DeskAnswer{Seen: w.ticket().LastPublic}), "answer.newer")
	pulse, err := w.KeepPresence(ctx, w.ines, w.n, portal.ModeAnswer, w.ticket().LastPublic)
	if err != nil || !pulse.Newer {
		t.Errorf("the page is not told: %+v, %v", pulse, err)
	}
	if err := try(w.ines, DeskAnswer{Seen: w.first, Anyway: true}); err != nil {
		t.Errorf("send anyway: %v", err)
	}
	w.due()
	if got := len(w.said()); got != 3 {
		t.Errorf("%d messages, want 3: %q", got, w.said())
	}
}

func TestAnswersAreLimited(t *testing.T) {
	w := newDeskWorld(t)
	ctx := t.Context()
	stranger := w.agentVisit(w.addAgent("lim@example.com", "Lim", false))
	long := strings.Repeat("å", portal.MaxBody/2+1)
	for name, c := range map[string]struct {
		err  func() error
		code string
	}{
		"empty":     {func() error { _, err := w.SendAnswer(ctx, w.ines, w.n, DeskAnswer{Body: " \n"}); return err }, "field.required"},
		"too long":  {func() error { _, err := w.SendAnswer(ctx, w.ines, w.n, DeskAnswer{Body: long}); return err }, "field.too_large"},
		"odd bytes": {func() error { _, err := w.SendAnswer(ctx, w.ines, w.n, DeskAnswer{Body: "a\xffb"}); return err }, "field.utf8"},
		"not their inbox": {func() error {
			_, err := w.SendAnswer(ctx, stranger, w.n, DeskAnswer{Body: "x", Anyway: true})
			return err
		}, "ticket.none"},
		"a contact": {func() error { _, err := w.SendAnswer(ctx, w.as(w.ana), w.n, DeskAnswer{Body: "x"}); return err }, "desk.agents"},
		"somebody's file": {func() error {
			files, err := w.KeepDeskFiles(ctx, w.olle, w.n, portal.ModeAnswer, []Upload{{Name: "x", Content: strings.NewReader("x")}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.SendAnswer(ctx, w.ines, w.n, DeskAnswer{Body: "x", Anyway: true, Files: []portal.FileID{files[0].ID}})
			return err
		}, "desk.file_gone"},
		"too many files": {func() error {
			_, err := w.KeepDeskFiles(ctx, w.ines, w.n, portal.ModeAnswer, slices.Repeat([]Upload{{Name: "x", Content: bytes.NewReader(nil)}}, 11), nil)
			return err
		}, "file.too_many"},
		"note of a stranger": {func() error { return w.SaveNote(ctx, stranger, w.n, "x", nil) }, "ticket.none"},
		"draft of a stranger": {func() error {
			return w.KeepDeskDraft(ctx, stranger, w.n, portal.ModeNote, map[string]string{"body": "x"})
		}, "ticket.none"},
		"draft of a contact": {func() error {
			return w.KeepDeskDraft(ctx, w.as(w.ana), w.n, portal.ModeNote, map[string]string{"body": "x"})
		}, "desk.agents"},
		"draft too long": {func() error {
			return w.KeepDeskDraft(ctx, w.ines, w.n, portal.ModeNote, map[string]string{"body": long + long})
		}, "draft.too_large"},
		"draft of no mode":   {func() error { return w.KeepDeskDraft(ctx, w.ines, w.n, "public", map[string]string{"body": "x"}) }, "desk.mode"},
		"page of a stranger": {func() error { _, err := w.Conversation(ctx, stranger, w.n, 0); return err }, "ticket.none"},
		"page of a contact":  {func() error { _, err := w.Conversation(ctx, w.as(w.ana), w.n, 0); return err }, "desk.agents"},
		"history":            {func() error { _, err := w.DeskHistory(ctx, stranger, w.n); return err }, "ticket.none"},
		"presence":           {func() error { _, err := w.KeepPresence(ctx, stranger, w.n, portal.ModeAnswer, 0); return err }, "ticket.none"},
	} {
		if err := c.err(); err == nil {
			t.Errorf("%s: nothing was refused", name)
		} else {
			wantCode(t, err, c.code)
		}
	}
	if got := w.said(); len(got) != 0 {
		t.Errorf("sent %q", got)
	}
}

func TestDraftsOfAnswerAndNoteAreKeptApart(t *testing.T) {
	w := newDeskWorld(t)
	ctx := t.Context()
	for mode, text := range map[portal.DeskMode]string{portal.ModeAnswer: "for Ana", portal.ModeNote: "about Ana"} {
		if err := w.KeepDeskDraft(ctx, w.ines, w.n, mode, map[string]string{"body": text}); err != nil {
			t.Fatal(err)
		}
	}
	// Another browser of the same agent; not another agent.
	if a, n := w.draft(w.ines, portal.ModeAnswer), w.draft(w.ines, portal.ModeNote); a.Form["body"] != "for Ana" || n.Form["body"] != "about Ana" {
		t.Errorf("answer %q, note %q", a.Form, n.Form)
	}
	if d := w.draft(w.olle, portal.ModeAnswer); len(d.Form) != 0 {
		t.Errorf("Olle reads %q", d.Form)
	}
	if err := w.SaveNote(ctx, w.ines, w.n, "about Ana", nil); err != nil {
		t.Fatal(err)
	}
	if a, n := w.draft(w.ines, portal.ModeAnswer), w.draft(w.ines, portal.ModeNote); a.Form["body"] != "for Ana" || len(n.Form) != 0 {
		t.Errorf("after the note: answer %q, note %q", a.Form, n.Form)
	}
	if len(w.mails()) != 0 || len(w.said()) != 0 {
		t.Error("the note left the desk")
	}
	if err := w.KeepDeskDraft(ctx, w.ines, w.n, portal.ModeAnswer, map[string]string{"body": " "}); err != nil {
		t.Fatal(err)
	}
	if d := w.draft(w.ines, portal.ModeAnswer); len(d.Form) != 0 {
		t.Errorf("an emptied draft is left: %q", d.Form)
	}
}

func TestPresenceLastsFortySeconds(t *testing.T) {
	w := newDeskWorld(t)
	ctx := t.Context()
	here := func(v *Visit, mode portal.DeskMode) []string {
		t.Helper()
		p, err := w.KeepPresence(ctx, v, w.n, mode, w.ticket().LastPublic)
		if err != nil {
			t.Fatal(err)
		}
		list := []string{}
		for _, one := range p.Present {
			list = append(list, one.Name+" "+string(one.Mode))
		}
		return list
	}
	want := func(got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("present %q, want %q", got, want)
		}
	}
	want(here(w.ines, portal.ModeAnswer))
	want(here(w.olle, "odd"), "Ines answer")
	want(here(w.ines, portal.ModeNote), "Olle Ek viewing")
	w.clock.Add(portal.PresentFor - time.Second)
	want(here(w.olle, portal.ModeViewing), "Ines note")
	w.clock.Add(2 * time.Second)
	want(here(w.olle, portal.ModeViewing))
	if err := w.EndPresence(ctx, w.olle, w.n); err != nil {
		t.Fatal(err)
	}
	want(here(w.ines, portal.ModeViewing))
}

// Whoever hears of a read mark sees when.
func TestDeskSeesWhatCustomersHaveRead(t *testing.T) {
	w := newDeskWorld(t)
	w.send(w.ines, "Look", DeskAnswer{})
	w.due()
	w.clock.Add(time.Minute)
	if _, err := w.Ticket(t.Context(), w.as(w.ana), w.n); err != nil {
		t.Fatal(err)
	}
	read := w.clock.Now()
	w.clock.Add(time.Hour)
	c, err := w.Conversation(t.Context(), w.olle, w.n, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Parties) != 1 || c.Parties[0].Seen != c.Ticket.LastPublic || c.Parties[0].SeenAt.Sub(read).Abs() > time.Second {
		t.Errorf("parties %+v, want Ana to have read %d at %s", c.Parties, c.Ticket.LastPublic, read)
	}
}
