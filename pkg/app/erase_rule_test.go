package app

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func (w *world) thread(n portal.TicketNumber) (t *portal.Ticket, messages []portal.Message, events []portal.Event) {
	w.t.Helper()
	w.read(func(ctx context.Context, tx *store.Tx) (err error) {
		if t, err = tx.Ticket(ctx, n); err != nil {
			return err
		}
		if messages, err = tx.Messages(ctx, t, true); err != nil {
			return err
		}
		events, err = tx.Events(ctx, n, true)
		return err
	})
	return t, messages, events
}

func (w *world) opened(c *portal.Contact, subject string, files ...Upload) portal.TicketNumber {
	w.t.Helper()
	n, err := w.OpenTicket(w.t.Context(), w.as(c), NewTicket{Subject: subject, Body: "It is broken.", Files: files})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestErasedPersonLeavesTheThread(t *testing.T) {
	w := newWorld(t, nil)
	open, closed, bos := w.opened(w.ana, "Leak"), w.opened(w.ana, "Noise"), w.opened(w.bo, "Dust")
	if err := w.DeskReply(t.Context(), w.agent.ID, closed, Answer{Body: "Done.", Close: true}); err != nil {
		t.Fatal(err)
	}
	if err := w.DeskReply(t.Context(), w.agent.ID, bos, Answer{Body: "As ana@example.com told us."}); err != nil {
		t.Fatal(err)
	}
	if err := w.AddParticipant(t.Context(), w.as(w.bo), bos, w.ana.Email); err != nil {
		t.Fatal(err)
	}
	others := w.opened(w.bo, "Paint")
	if err := w.Reply(t.Context(), w.as(w.bo), others, Answer{Body: "Ana knows more; Anabel does not."}); err != nil {
		t.Fatal(err)
	}
	anabel := w.opened(w.bo, "Anabel")
	done := w.erase("Ana@Example.com", erasing)
	if slices.Contains(done.Mentions.Tickets, anabel) {
		t.Errorf("%s is listed, which names somebody else", anabel)
	}
	if !slices.Equal(done.Open, []portal.TicketNumber{open}) || done.Tickets != 3 || done.Messages != 2 {
		t.Errorf("open %v of %d tickets, %d messages; want %v of 3, 2", done.Open, done.Tickets, done.Messages, open)
	}
	if !slices.Equal(done.Mentions.Tickets, []portal.TicketNumber{bos, others}) {
		t.Errorf("others mention her in %v; want %v and %v", done.Mentions.Tickets, bos, others)
	}
	ticket, messages, _ := w.thread(closed)
	if ticket.Subject != "[gone]" || ticket.RequesterName != "[erased en]" || ticket.Status != portal.Closed {
		t.Errorf("the ticket is %q of %q, %s", ticket.Subject, ticket.RequesterName, ticket.Status)
	}
	if len(messages) != 2 || messages[0].Body != "[gone]" || messages[0].AuthorName != "[erased en]" || messages[1].Body != "Done." {
		t.Errorf("the thread is %+v", messages)
	}
	ticket, messages, events := w.thread(bos)
	if ticket.Subject != "Dust" || len(ticket.Participants) != 0 || messages[0].Body != "It is broken." {
		t.Errorf("Bo's ticket became %q, %v, %q", ticket.Subject, ticket.Participants, messages[0].Body)
	}
	if last := events[len(events)-1]; last.Kind != portal.EventParticipantAdded || last.To != "[erased en]" {
		t.Errorf("Bo's history ends with %s of %q", last.Kind, last.To)
	}
	if c, err := w.Contacts(t.Context(), ContactQuery{}); err != nil || len(c) != 2 {
		t.Errorf("%d contacts are listed, %v; want 2", len(c), err)
	}
	_, err := w.ShowContact(t.Context(), done.Contact.Email)
	wantCode(t, err, "contact.none")
}

func TestErasingEndsEveryWayIn(t *testing.T) {
	w := newWorld(t, nil)
	token, stale := w.signIn(w.ana), w.as(w.ana)
	link := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})
	n := w.opened(w.ana, "Leak")
	w.mails()
	if err := w.DeskReply(t.Context(), w.agent.ID, n, Answer{Body: "Which one?"}); err != nil {
		t.Fatal(err)
	}
	if done := w.erase(w.ana.Email, erasing); done.MailsWaiting != 1 {
		t.Errorf("%d mails were taken back; want 1", done.MailsWaiting)
	}
	if v := w.visit(token); v.SignedIn() || v.Session != nil {
		t.Errorf("the session still opens the portal for %+v", v.Contact)
	}
	_, err := w.UseLink(t.Context(), w.visit(""), link, LinkAnswer{}, phone)
	wantCode(t, err, "token.unknown")
	// A request that began before must not bring words back.
	wantCode(t, w.Reply(t.Context(), stale, n, Answer{Body: "Again"}), "contact.none")
	_, err = w.OpenTicket(t.Context(), stale, NewTicket{Subject: "Again", Body: "Again"})
	wantCode(t, err, "contact.none")
	wantCode(t, w.KeepDraft(t.Context(), stale, "new", map[string]string{"body": "Again"}), "contact.none")
	wantCode(t, w.SaveProfile(t.Context(), stale, "Ana", "en", ""), "contact.none")
	// Nobody is told any more.
	if err := w.DeskReply(t.Context(), w.agent.ID, n, Answer{Body: "Closing.", Close: true}); err != nil {
		t.Fatal(err)
	}
	if mails := w.mails(); len(mails) != 0 {
		t.Errorf("mails wait: %v", mails)
	}
}

func TestErasingTwiceIsDoneAlready(t *testing.T) {
	w := newWorld(t, nil)
	first := w.erase(w.ana.Email, erasing)
	w.clock.Add(1000)
	for _, address := range []string{w.ana.Email, first.Contact.Email} {
		again := w.erase(address, erasing)
		if !again.Already || again.Contact.ID != first.Contact.ID || !again.Contact.ErasedAt.Equal(first.Contact.ErasedAt) {
			t.Errorf("erase %s again: already %v, %+v", address, again.Already, again.Contact)
		}
	}
	_, err := w.EraseContact(t.Context(), "nobody@example.com", erasing)
	wantCode(t, err, "contact.none")

	// The address comes back as somebody new, and goes again.
	c, added, err := w.AddContact(t.Context(), ContactInput{Email: &w.ana.Email})
	if err != nil || !added || c.ID == w.ana.ID {
		t.Fatalf("added %v as %d, %v", added, c.ID, err)
	}
	if third := w.erase(w.ana.Email, erasing); third.Already || third.Contact.ID != c.ID {
		t.Errorf("the new contact was not erased: %+v", third.Erased)
	}
}

func TestDryRunOfErasingChangesNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.opened(w.ana, "Leak", Upload{Name: "leak.txt", Content: strings.NewReader("drip")})
	tables := func() map[string]string {
		all := map[string]string{}
		for place, content := range w.everything() {
			if !strings.HasPrefix(place, "the file portal.db") {
				all[place] = string(content)
			}
		}
		return all
	}
	before := tables()
	plan := w.erase(w.ana.Email, EraseOptions{DryRun: true, Words: erasing.Words})
	if after := tables(); !maps.Equal(before, after) {
		t.Error("the dry run changed the store")
	}
	if done := w.erase(w.ana.Email, erasing); !maps.Equal(done.Places, plan.Places) {
		t.Errorf("erasing did %v; the dry run told %v", done.Places, plan.Places)
	}
}

func TestErasingTakesFilesThatNobodyElseSent(t *testing.T) {
	w := newWorld(t, nil)
	upload := func(content string) Upload { return Upload{Name: "a.txt", Content: strings.NewReader(content)} }
	w.opened(w.ana, "Leak", upload("only hers"), upload("of both"))
	w.opened(w.bo, "Dust", upload("of both"))
	done := w.erase(w.ana.Email, erasing)
	if len(done.Files) != 2 || done.FilesGone != 1 {
		t.Errorf("%d of %d files went; want 1 of 2", done.FilesGone, len(done.Files))
	}
	all := w.everything()
	if left := remains(all, "only hers"); len(left) > 0 {
		t.Errorf("her file is left: %v", left)
	}
	if len(remains(all, "of both")) == 0 {
		t.Error("Bo's file is gone")
	}
}

func TestFileTakenAwayDuringUploadIsAskedForAgain(t *testing.T) {
	w := newWorld(t, nil)
	files, _, err := w.addFiles(t.Context(), []Upload{{Name: "a.txt", Content: strings.NewReader("the same")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.Files().Remove(files[0].SHA256); err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.filesThere(files), "file.gone")
	if _, err := os.Stat(w.store.FilesDir()); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Files().Remove(files[0].SHA256); err != nil {
		t.Errorf("removing what is gone: %v", err)
	}
}

func TestErasedContactJoinsNoGroupByRule(t *testing.T) {
	w := newWorld(t, nil)
	gone := w.erase(w.ana.Email, erasing).Contact
	w.write(func(ctx context.Context, tx *store.Tx) error {
		g := &portal.Group{Name: "everybody"}
		if err := tx.AddGroup(ctx, g); err != nil {
			return err
		}
		rule, err := portal.ParseRule("email contains erased")
		if err != nil {
			return err
		}
		if err := tx.SetRules(ctx, g, portal.RuleSet{rule}, func([]store.GroupMove) error { return nil }); err != nil {
			return err
		}
		in, err := tx.InGroup(ctx, g.ID, gone.ID)
		if in {
			t.Error("rules put the erased contact into a group")
		}
		return err
	})
}

// Somebody with hundreds of tickets is erased in one go all the same.
func TestErasingSomebodyWithManyTickets(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 500 tickets")
	}
	w := newWorld(t, nil)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for i := range 500 {
			ticket := &portal.Ticket{Subject: fmt.Sprint("Leak ", i), Status: portal.Closed, Priority: portal.Normal, Requester: w.ana.ID, InboxID: w.portal.Tickets.InboxID}
			if err := tx.AddTicket(ctx, ticket); err != nil {
				return err
			}
			if err := tx.AddMessage(ctx, ticket, &portal.Message{Kind: portal.Public, Contact: w.ana.ID, Body: "drip", Format: portal.Plain}); err != nil {
				return err
			}
		}
		return nil
	})
	done := w.erase(w.ana.Email, erasing)
	if done.Tickets != 500 || done.Messages != 500 || len(remains(w.everything(), "leak", "drip")) > 0 {
		t.Errorf("%d messages of %d tickets were replaced, and some may be left", done.Messages, done.Tickets)
	}
}
