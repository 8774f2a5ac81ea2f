package helpdesk

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// stored reads a ticket as the store has it.
func (w *world) stored(n portal.TicketNumber) (t *portal.Ticket) {
	w.t.Helper()
	if err := w.store.Read(w.t.Context(), func(tx *store.Tx) (err error) { t, err = tx.Ticket(w.t.Context(), n); return err }); err != nil {
		w.t.Fatal(err)
	}
	return t
}

func TestThePanelChangesWhatItsFormsSay(t *testing.T) {
	w := newWorld(t)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		w.support.Desk.SetTarget(portal.Normal, portal.Target{Answer: time.Hour, Resolve: 8 * time.Hour})
		return tx.SaveInbox(ctx, w.support)
	})
	n := w.open(w.support, "Paper jam", "Again.")
	at := path("/tickets/%s", n)
	b := w.browser(w.ines)
	b.get(at+"/properties").wants(t, http.StatusOK, "Paper jam", "First answer", "1 hour left", "Our turn", "Omar Falk", "Take it")

	for _, step := range []struct {
		form   string
		fields []string
		holds  func(k *portal.Ticket) bool
	}{
		{"assign", []string{"to", "2"}, func(k *portal.Ticket) bool { return k.Assignee == w.omar.ID }},
		{"set", []string{"priority", "urgent", "category", "Printers"}, func(k *portal.Ticket) bool { return k.Priority == portal.Urgent && k.Category == "Printers" }},
		{"confidential", []string{"confidential", "on"}, func(k *portal.Ticket) bool { return k.Confidential }},
		{"snooze", []string{"in", "tomorrow"}, func(k *portal.Ticket) bool { return k.SnoozedAt(w.clock.Now()) }},
		{"snooze", []string{"wake", "1"}, func(k *portal.Ticket) bool { return k.SnoozedUntil.IsZero() }},
		{"promise", []string{"in", "hour"}, func(k *portal.Ticket) bool {
			return k.PromisedAt.Equal(w.clock.Now().Add(time.Hour).Truncate(time.Millisecond))
		}},
		{"promise", []string{"none", "1"}, func(k *portal.Ticket) bool { return k.PromisedAt.IsZero() }},
		{"tags", []string{"tags", "paper, printer"}, func(*portal.Ticket) bool { return true }},
		{"links", []string{"kind", "blocks", "other", w.scanner.String()}, func(*portal.Ticket) bool { return true }},
		{"set", []string{"inbox", "2"}, func(k *portal.Ticket) bool { return k.InboxID == w.billing.ID && k.Assignee == 0 }},
	} {
		a := b.post(at+"/properties/"+step.form, append(step.fields, "back", "properties")...)
		a.wants(t, http.StatusSeeOther)
		if a.Header.Get("Location") != at+"/properties" {
			t.Errorf("%s leads to %q", step.form, a.Header.Get("Location"))
		}
		if !step.holds(w.stored(n)) {
			t.Errorf("%s %q did not hold: %+v", step.form, step.fields, w.stored(n))
		}
	}
	b.get(at+"/properties").wants(t, http.StatusOK, "Saved.", "paper", "printer", "blocks", "The scanner shows error 7")
	b.post(at+"/properties/tags", "remove", "paper").wants(t, http.StatusSeeOther)
	b.post(at+"/properties/links", "unlink", w.scanner.String()).wants(t, http.StatusSeeOther)
	b.get(at+"/properties").lacks(t, "The scanner shows error 7", `value="paper" class`)
}

func TestThePanelGivesBackWhatItRefuses(t *testing.T) {
	w := newWorld(t)
	at := path("/tickets/%s/properties", w.scanner)
	b := w.browser(w.ines)
	for name, test := range map[string]struct {
		form   string
		fields []string
		status int
		says   []string
	}{
		"a time that passed": {"snooze", []string{"until", "2001-01-01T10:00"}, http.StatusUnprocessableEntity, []string{"This time has passed", `value="2001-01-01T10:00"`}},
		"no time":            {"promise", []string{"promise", "soon"}, http.StatusUnprocessableEntity, []string{"This is not a time"}},
		"no tag":             {"tags", []string{"tags", "<script>"}, http.StatusUnprocessableEntity, []string{"This is not a tag", "&lt;script&gt;"}},
		"no ticket":          {"links", []string{"kind", "related", "other", "T-99999"}, http.StatusUnprocessableEntity, []string{"There is no ticket T-99999"}},
		"itself":             {"links", []string{"kind", "related", "other", w.scanner.String()}, http.StatusUnprocessableEntity, []string{"is the ticket itself"}},
		"no priority":        {"set", []string{"priority", "whenever"}, http.StatusUnprocessableEntity, []string{"Please choose one of the priorities."}},
		"who cannot have it": {"assign", []string{"to", "99"}, http.StatusNotFound, nil},
	} {
		a := b.post(at+"/"+test.form, test.fields...)
		if a.StatusCode != test.status {
			t.Errorf("%s: answered with %d\n%s", name, a.StatusCode, a.body)
		}
		for _, s := range test.says {
			if !strings.Contains(a.body, s) {
				t.Errorf("%s: does not say %q", name, s)
			}
		}
	}
	// Who does not see a ticket sees neither its panel nor its pages.
	omar := w.browser(w.omar)
	for _, page := range []string{"properties", "merge", "split"} {
		for _, n := range []string{w.invoice.String(), "T-99999", "x"} {
			omar.get(path("/tickets/%s/%s", n, page)).wants(t, http.StatusNotFound)
		}
		omar.post(path("/tickets/%s/%s", w.invoice, strings.Replace(page, "properties", "properties/tags", 1)), "tags", "x", "into", w.scanner.String(), "at", "1").wants(t, http.StatusNotFound)
	}
	// Nor does merging tell of what they do not see.
	omar.get(path("/tickets/%s/merge?into=%s", w.scanner, w.invoice)).wants(t, http.StatusUnprocessableEntity, "There is no ticket "+w.invoice.String())
}

func TestMergingShowsFirstWhatItDoes(t *testing.T) {
	w := newWorld(t)
	var bo portal.Contact
	w.write(func(ctx context.Context, tx *store.Tx) error {
		bo = portal.Contact{Email: "bo@example.com", Name: "Bo Lind"}
		return tx.AddContact(ctx, &bo)
	})
	ana := w.ana
	w.ana = &bo
	bos := w.open(w.support, "Same scanner", "Mine as well.")
	w.ana = ana
	b := w.browser(w.ines)
	at := path("/tickets/%s/merge", bos)
	b.get(at).wants(t, http.StatusOK, "Nothing is done yet")
	a := b.get(at + "?into=" + w.scanner.String())
	a.wants(t, http.StatusOK, "Become participants of "+w.scanner.String(), "Bo Lind &lt;bo@example.com&gt;", "Ana Berg", "Acme", "People come to read")
	_, rest, _ := strings.Cut(a.body, `name="seen" value="`)
	seen, _, _ := strings.Cut(rest, `"`)
	b.post(at, "into", w.scanner.String(), "seen", "made-up").wants(t, http.StatusConflict, "Something has changed")
	done := b.post(at, "into", w.scanner.String(), "seen", seen)
	done.wants(t, http.StatusSeeOther)
	if k := w.stored(bos); k.MergedInto != w.scanner || done.Header.Get("Location") != path("/tickets/%s", w.scanner) {
		t.Errorf("merged into %s, led to %q", k.MergedInto, done.Header.Get("Location"))
	}
	b.get(path("/tickets/%s/properties", bos)).wants(t, http.StatusOK, "Merged into", w.scanner.String())

	split := path("/tickets/%s/split", w.scanner)
	b.get(split).wants(t, http.StatusOK, "Mine as well.", "Bo Lind")
	b.post(split, "at", "9999").wants(t, http.StatusUnprocessableEntity, "Choose a public message")
	b.post(split).wants(t, http.StatusUnprocessableEntity)
	_, rest, _ = strings.Cut(b.get(split).body, `name="at" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	b.post(split, "at", id, "subject", "Bo's scanner").wants(t, http.StatusSeeOther)
	b.get(split).wants(t, http.StatusOK, "only one message")
}
