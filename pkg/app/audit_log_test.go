package app

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// entries of a kind, newest first, as a list shows them.
func (w *world) auditLines(q AuditQuery) []AuditLine {
	w.t.Helper()
	lines, err := w.AuditLog(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return lines
}

// erase takes away the details about a contact.
func (w *world) eraseDetails(c *portal.Contact) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.EraseAuditDetails(ctx, c.ID)
		return err
	})
}

func TestAuditExportProvesItself(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	name := "Ana <b> & \u2028 Öberg"
	if _, _, err := w.SetContact(ctx, "ana@example.com", ContactInput{Email: new("a&b@example.com"), Name: &name}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.DisableMembers(ctx, w.portal, []string{"bo@example.com"}); err != nil {
		t.Fatal(err)
	}
	w.eraseDetails(w.bo)
	var file bytes.Buffer
	n, head, err := w.ExportAudit(ctx, &file)
	if err != nil {
		t.Fatal(err)
	}
	check := func(text string) *portal.AuditChain {
		t.Helper()
		chain, err := VerifyAuditExport(strings.NewReader(text), head)
		if err != nil {
			t.Fatal(err)
		}
		return chain
	}
	if c := check(file.String()); c.Broken != 0 || c.Entries != int64(n) || c.Erased != 1 || c.Head.String() != head.String() {
		t.Errorf("%d of %d entries, %d erased, head %s, %v", c.Entries, n, c.Erased, c.Head, c.Breaks)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(file.String(), "\n"), "\n")
	for i := 1; i < len(lines); i++ {
		cut := strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), "")
		if c := check(cut); c.Broken == 0 {
			t.Errorf("nobody noticed that line %d was taken out: %s", i+1, lines[i])
		}
	}
	for i := range file.Len() {
		// Any byte, as long as the file still reads.
		changed := bytes.Clone(file.Bytes())
		changed[i] ^= 1
		c, err := VerifyAuditExport(bytes.NewReader(changed), head)
		if err == nil && c.Broken == 0 && !sameExport(changed, file.Bytes()) {
			t.Fatalf("nobody noticed a change of byte %d: …%s…", i, changed[max(0, i-30):min(len(changed), i+10)])
		}
	}
}

// sameExport reports a change that leaves every value as it was: the case of
// a hash's letters or of a name's, which JSON does not mind.
func sameExport(a, b []byte) bool {
	return bytes.EqualFold(a, b)
}

func TestAuditNamesErasedPeople(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	if _, err := w.DisableMembers(ctx, w.portal, []string{"bo@example.com"}); err != nil {
		t.Fatal(err)
	}
	lines := w.auditLines(AuditQuery{Kinds: []string{"member"}})
	if len(lines) != 1 || lines[0].What != "bo@example.com" || lines[0].Where != "Help" || lines[0].Erased {
		t.Fatalf("before: %+v", lines)
	}
	if _, err := w.EraseContact(ctx, "bo@example.com", EraseOptions{Words: func(string) (string, string) { return "Erased", "(erased)" }}); err != nil {
		t.Fatal(err)
	}
	lines = w.auditLines(AuditQuery{Kinds: []string{"member"}})
	if len(lines) != 1 || lines[0].What != "contact 2 (erased)" || !lines[0].Erased || len(lines[0].Changed) != 0 {
		t.Errorf("after: %+v", lines)
	}
}

func TestAuditPrunesOldEntries(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	disable := func(address string) {
		t.Helper()
		if _, err := w.DisableMembers(ctx, w.portal, []string{address}); err != nil {
			t.Fatal(err)
		}
	}
	disable("ana@example.com")
	w.clock.Add(31 * 24 * time.Hour)
	disable("bo@example.com")
	w.tidy(ctx)
	if n := len(w.auditLines(AuditQuery{})); n != 2 {
		t.Fatalf("%d entries without a retention, want 2", n)
	}
	if _, err := w.SetAuditRetention(ctx, 30); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.tidy(ctx)
		var kinds []string
		for _, l := range w.auditLines(AuditQuery{}) {
			kinds = append(kinds, string(l.Kind))
		}
		if got := strings.Join(kinds, " "); got != "audit.pruned audit.retention member.disabled" {
			t.Errorf("after pruning: %s", got)
		}
	}
	chain, err := w.VerifyAudit(ctx)
	if err != nil || chain.Broken != 0 || chain.Start.ID != 1 {
		t.Errorf("start %v, %v, %v", chain.Start, chain.Breaks, err)
	}
	// The export begins there too.
	var file bytes.Buffer
	if _, _, err := w.ExportAudit(ctx, &file); err != nil {
		t.Fatal(err)
	}
	if c, err := VerifyAuditExport(&file); err != nil || c.Broken != 0 || c.Start.ID != 1 {
		t.Errorf("exported: %+v, %v", c, err)
	}
}

func TestParseRetention(t *testing.T) {
	for text, want := range map[string]int{"off": 0, " OFF ": 0, "30d": 30, "365d": 365, "36500d": 36500} {
		if got, err := ParseRetention(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "0d", "29d", "36501d", "365", "-30d", "1y", "d", "30dd"} {
		if got, err := ParseRetention(text); err == nil {
			t.Errorf("%q: %d, want an error", text, got)
		}
	}
}

func TestAgentFileViewIsNotedOnceAnHour(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	ana := w.as(w.ana)
	n, err := w.OpenTicket(ctx, ana, NewTicket{Subject: "Broken", Body: "See the file.", Files: []Upload{{Name: "a.txt", Content: strings.NewReader("text")}}})
	if err != nil {
		t.Fatal(err)
	}
	view, err := w.Ticket(ctx, ana, n)
	if err != nil {
		t.Fatal(err)
	}
	id := view.Messages[0].Files[0].ID
	open := func(v *Visit) {
		t.Helper()
		_, content, err := w.File(ctx, v, id)
		if err != nil {
			t.Fatal(err)
		}
		content.Close()
	}
	open(ana)
	agent := w.asAgent()
	agent.Device = phone
	for range 3 {
		open(agent)
	}
	lines := w.auditLines(AuditQuery{Kinds: []string{"file.viewed"}})
	if len(lines) != 1 || lines[0].Who != "agent@example.com" || lines[0].Address != phone.Address || lines[0].About != aboutFile(id) || lines[0].Changes[0].To != n.String() {
		t.Fatalf("%+v", lines)
	}
	w.clock.Add(fileViewEvery)
	open(agent)
	if lines := w.auditLines(AuditQuery{Kinds: []string{"file.viewed"}}); len(lines) != 2 {
		t.Errorf("an hour later: %d entries, want 2", len(lines))
	}
}

// A change that fails leaves no entry, and one without an entry does not
// stand.
func TestAuditGoesWithTheAct(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	if _, err := w.DisableMembers(ctx, w.portal, []string{"ana@example.com", "nobody@example.com"}); portal.KindOf(err) != portal.NotFound {
		t.Fatal(err)
	}
	if lines := w.auditLines(AuditQuery{}); len(lines) != 0 {
		t.Errorf("what failed was noted: %+v", lines)
	}
	failed := errors.New("on purpose")
	err := w.store.Write(ctx, func(tx *store.Tx) error {
		return errors.Join(w.note(ctx, tx, portal.AuditServer, 0, aboutServer), failed)
	})
	if !errors.Is(err, failed) || len(w.auditLines(AuditQuery{})) != 0 {
		t.Errorf("%v", err)
	}
}
