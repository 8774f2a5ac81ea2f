package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// addAudit writes entries in a transaction of their own.
func addAudit(t testing.TB, s *store.Store, list ...portal.AuditEntry) {
	t.Helper()
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		for i := range list {
			if err := tx.AddAudit(t.Context(), &list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// addContact adds a contact with nothing but an address.
func addContact(t testing.TB, s *store.Store, email string) portal.ContactID {
	t.Helper()
	c := portal.Contact{Email: email}
	if err := s.Write(t.Context(), func(tx *store.Tx) error { return tx.AddContact(t.Context(), &c) }); err != nil {
		t.Fatal(err)
	}
	return c.ID
}

func entry(kind portal.AuditKind, by portal.ContactID, about string, changes ...portal.AuditChange) portal.AuditEntry {
	e := portal.AuditEntry{Kind: kind, By: portal.ByContact(by), About: about}
	if by == 0 {
		e.By, e.Operator = portal.ByOperator, "root"
	}
	e.Changes = changes
	return e
}

func verify(t testing.TB, s *store.Store, heads ...portal.AuditHead) (chain *portal.AuditChain) {
	t.Helper()
	err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
		chain, err = tx.VerifyAudit(t.Context(), heads...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

func auditHead(t testing.TB, s *store.Store) (h portal.AuditHead) {
	t.Helper()
	err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
		h, err = tx.AuditHead(t.Context())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// raw runs statements on the file of a store, as somebody would who has it.
func raw(t testing.TB, path string, statements ...string) error {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			return err
		}
	}
	return nil
}

func TestAuditRefusesChange(t *testing.T) {
	s := portaltest.Store(t)
	addAudit(t, s, entry(portal.AuditPortalAdded, 0, "portal:1"), entry(portal.AuditAccess, 0, "portal:1"))
	for _, statement := range []string{
		`UPDATE audit SET operator = 'nobody' WHERE id = 1`,
		`UPDATE audit_detail SET data = '{}' WHERE id = 1`,
		`DELETE FROM audit WHERE id = 1`,
		`DELETE FROM audit`,
		`INSERT OR REPLACE INTO audit SELECT id, at, kind, contact_id, agent_id, 'nobody', portal_id, about, detail, hash FROM audit WHERE id = 2`,
		`INSERT OR REPLACE INTO audit_detail SELECT id, salt, '{}' FROM audit_detail WHERE id = 2`,
	} {
		err := raw(t, s.Path(), statement)
		if err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v, want it refused", statement, err)
		}
	}
	if c := verify(t, s); c.Broken != 0 || c.Entries != 2 {
		t.Errorf("after what was refused: %d entries, %v", c.Entries, c.Breaks)
	}
}

func TestAuditVerifyFindsTampering(t *testing.T) {
	s := portaltest.Store(t)
	for i := range 9 {
		addAudit(t, s, entry(portal.AuditAccess, 0, fmt.Sprintf("portal:%d", i), portal.AuditChange{Field: "mode", From: "groups", To: "sso"}))
	}
	head := auditHead(t, s)
	open := []string{`DROP TRIGGER audit_update`, `DROP TRIGGER audit_detail_update`, `DROP TRIGGER audit_delete`}
	for _, test := range []struct {
		name      string
		tamper    []string
		wantID    portal.AuditID
		wantKind  string
		wantCount int
	}{
		{"nothing", nil, 0, "", 0},
		{"an entry removed", []string{`DELETE FROM audit WHERE id = 4`}, 4, portal.BreakGap, 1},
		{"several entries removed", []string{`DELETE FROM audit WHERE id BETWEEN 3 AND 6`}, 3, portal.BreakGap, 1},
		{"the first entry removed", []string{`DELETE FROM audit WHERE id = 1`}, 1, portal.BreakGap, 1},
		{"who did it", []string{`UPDATE audit SET operator = 'nobody' WHERE id = 5`}, 5, portal.BreakRow, 1},
		{"when", []string{`UPDATE audit SET at = at + 1 WHERE id = 5`}, 5, portal.BreakRow, 1},
		{"what", []string{`UPDATE audit SET about = 'portal:77' WHERE id = 9`}, 9, portal.BreakRow, 1},
		{"a hash", []string{`UPDATE audit SET hash = zeroblob(32) WHERE id = 5`}, 5, portal.BreakRow, 2},
		{"a detail", []string{`UPDATE audit_detail SET data = replace(data, 'sso', 'link') WHERE id = 2`}, 2, portal.BreakDetail, 1},
		{"a salt", []string{`UPDATE audit_detail SET salt = zeroblob(16) WHERE id = 2`}, 2, portal.BreakDetail, 1},
		{"a detail removed", []string{`DELETE FROM audit_detail WHERE id = 7`}, 7, portal.BreakMissing, 1},
		{"two entries swapped", []string{`UPDATE audit SET id = 70 WHERE id = 7`, `UPDATE audit SET id = 7 WHERE id = 8`, `UPDATE audit SET id = 8 WHERE id = 70`}, 7, portal.BreakRow, 5},
		{"the end cut off", []string{`DELETE FROM audit WHERE id > 6`}, 7, portal.BreakEnd, 1},
		{
			"the end cut off and its mark", []string{
				`DELETE FROM audit WHERE id > 8`, `DELETE FROM audit_detail WHERE id > 8`,
				`UPDATE meta SET value = (SELECT id || ':' || lower(hex(hash)) FROM audit ORDER BY id DESC LIMIT 1) WHERE key = 'audit_head'`,
			}, 9, portal.BreakEnd, 1,
		},
		{"all of it", []string{`DELETE FROM audit`}, 1, portal.BreakEnd, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "copy.db")
			if err := s.CopyTo(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			if err := raw(t, path, append(open, test.tamper...)...); err != nil {
				t.Fatal(err)
			}
			c := verify(t, portaltest.OpenStore(t, path, store.Options{}), head)
			if c.Broken != test.wantCount {
				t.Fatalf("%d breaks, want %d: %v", c.Broken, test.wantCount, c.Breaks)
			}
			if test.wantCount > 0 && (c.Breaks[0].ID != test.wantID || c.Breaks[0].Kind != test.wantKind) {
				t.Errorf("found %v, want %s at %d", c.Breaks[0], test.wantKind, test.wantID)
			}
		})
	}
}

// An end that was cut off stays to be seen when the log goes on.
func TestAuditGoesOnAfterItsHead(t *testing.T) {
	s := portaltest.Store(t)
	for range 3 {
		addAudit(t, s, entry(portal.AuditAccess, 0, "portal:1"))
	}
	if err := raw(t, s.Path(), `DROP TRIGGER audit_delete`, `DELETE FROM audit WHERE id = 3`, `DELETE FROM audit_detail WHERE id = 3`); err != nil {
		t.Fatal(err)
	}
	addAudit(t, s, entry(portal.AuditAccess, 0, "portal:1"))
	if c := verify(t, s); c.Broken != 1 || c.Breaks[0].Kind != portal.BreakGap || c.Breaks[0].ID != 3 {
		t.Errorf("got %v, want a gap at 3", c.Breaks)
	}
}

// A log that somebody wrote anew, chain and all, is found by a head that was
// kept elsewhere.
func TestAuditHeadKeptElsewhere(t *testing.T) {
	one, other := portaltest.Store(t), portaltest.Store(t)
	addAudit(t, one, entry(portal.AuditAccess, 0, "portal:1"))
	kept := auditHead(t, one)
	addAudit(t, one, entry(portal.AuditAccess, 0, "portal:1"))
	addAudit(t, other, entry(portal.AuditAccess, 0, "portal:2"), entry(portal.AuditAccess, 0, "portal:2"))
	if c := verify(t, one, kept); c.Broken != 0 {
		t.Errorf("the log that was noted: %v", c.Breaks)
	}
	if c := verify(t, other, kept); c.Broken != 1 || c.Breaks[0].Kind != portal.BreakHead {
		t.Errorf("another log: %v, want another head", c.Breaks)
	}
}

func TestEraseAuditDetails(t *testing.T) {
	s := portaltest.Store(t)
	ctx := t.Context()
	anna, joanna := addContact(t, s, "anna@acme.example"), addContact(t, s, "joanna@acme.example")
	failed := entry(portal.AuditSignInFailed, 0, "")
	failed.Email = "anna@acme.example"
	addAudit(t, s,
		entry(portal.AuditSignIn, anna, portal.AboutContact(anna), portal.AuditChange{Field: "way", To: "link"}),                      // 1: theirs
		entry(portal.AuditSignIn, joanna, portal.AboutContact(joanna), portal.AuditChange{Field: "way", To: "link"}),                  // 2
		entry(portal.AuditContactChanged, 0, portal.AboutContact(anna), portal.AuditChange{Field: "email", From: "old@acme.example"}), // 3: about them
		failed, // 4: names them
		entry(portal.AuditSignInFailed, 0, "", portal.AuditChange{Field: "email", To: "joanna@acme.example"}),        // 5
		entry(portal.AuditLink, 0, "agent:1", portal.AuditChange{Field: "to", To: "Anna <anna@acme.example>, more"}), // 6: names them
		entry(portal.AuditSignInFailed, 0, "", portal.AuditChange{Field: "email", To: "old@acme.example"}),           // 7: the address they had
	)
	var n int
	erase := func() error {
		return s.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.EraseAuditDetails(ctx, anna)
			return err
		})
	}
	if err := erase(); err != nil || n != 5 {
		t.Fatalf("erased %d, %v; want 5", n, err)
	}
	c := verify(t, s)
	if c.Broken != 0 || c.Erased != 5 || c.Entries != 8 {
		t.Errorf("%d entries, %d erased, %v", c.Entries, c.Erased, c.Breaks)
	}
	err := s.Read(ctx, func(tx *store.Tx) error {
		return tx.EachAudit(ctx, func(r *portal.AuditRow) error {
			want := r.ID == 2 || r.ID == 5 || r.ID == 8
			if r.HasDetail != want || strings.Contains(string(r.Data), `"anna@`) {
				t.Errorf("entry %d has a detail: %v, want %v: %s", r.ID, r.HasDetail, want, r.Data)
			}
			if r.ID == 3 && r.About != portal.AboutContact(anna) {
				t.Errorf("entry 3 is about %q", r.About)
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
	// The record of an erasure stays, also when somebody is erased again.
	if err := erase(); err != nil {
		t.Fatal(err)
	}
	if c := verify(t, s); c.Broken != 0 || c.Erased != 5 {
		t.Errorf("erased again: %d, %v", c.Erased, c.Breaks)
	}
	// A detail that goes with it unnoticed is missed all the same.
	if err := raw(t, s.Path(), `DELETE FROM audit_detail WHERE id = 2`); err != nil {
		t.Fatal(err)
	}
	if c := verify(t, s); c.Broken != 1 || c.Breaks[0].Kind != portal.BreakMissing || c.Breaks[0].ID != 2 {
		t.Errorf("got %v", c.Breaks)
	}
}

func TestPruneAudit(t *testing.T) {
	s, clock := portaltest.StoreClock(t)
	ctx := t.Context()
	addAudit(t, s, entry(portal.AuditAccess, 0, "portal:1"), entry(portal.AuditAccess, 0, "portal:2"))
	clock.Add(20 * 24 * time.Hour)
	addAudit(t, s, entry(portal.AuditAccess, 0, "portal:3"))
	clock.Add(20 * 24 * time.Hour)
	addAudit(t, s, entry(portal.AuditAccess, 0, "portal:4"))
	var marked int64
	prune := func(days, limit int) (gone int64) {
		t.Helper()
		err := s.Write(ctx, func(tx *store.Tx) (err error) {
			if marked, err = tx.MarkPruned(ctx, tx.Now.AddDate(0, 0, -days), &portal.AuditEntry{}); err != nil {
				return err
			}
			gone, err = tx.Prune(ctx, limit)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return gone
	}
	if gone := prune(50, 10); gone != 0 || marked != 0 {
		t.Errorf("%d marked and %d gone before their time", marked, gone)
	}
	// Killed between two batches: what was marked is not told any more.
	if gone := prune(30, 1); gone != 1 || marked != 2 {
		t.Errorf("%d marked, %d gone; want 2 and 1", marked, gone)
	}
	if c := verify(t, s); c.Broken != 0 || c.Start.ID != 2 || c.Entries != 3 {
		t.Errorf("half pruned: start %v, %d entries, %v", c.Start, c.Entries, c.Breaks)
	}
	if gone := prune(30, 10); gone != 1 || marked != 0 {
		t.Errorf("%d marked, %d gone; want 0 and 1", marked, gone)
	}
	if err := raw(t, s.Path(), `DELETE FROM audit WHERE id = 3`); err == nil {
		t.Error("an entry after the mark was removed")
	}
	if gone := prune(10, 10); gone != 1 || marked != 1 {
		t.Errorf("%d marked, %d gone; want 1 and 1", marked, gone)
	}
	if c := verify(t, s); c.Broken != 0 || c.Start.ID != 3 || c.Entries != 3 {
		t.Errorf("pruned: start %v, %d entries, %v", c.Start, c.Entries, c.Breaks)
	}
	// More than was agreed shows.
	if err := raw(t, s.Path(), `DROP TRIGGER audit_delete`, `DELETE FROM audit WHERE id = 4`); err != nil {
		t.Fatal(err)
	}
	if c := verify(t, s); c.Broken != 1 || c.Breaks[0].ID != 4 || c.Breaks[0].Kind != portal.BreakGap {
		t.Errorf("got %v, want a gap at 4", c.Breaks)
	}
}

func TestAuditFilters(t *testing.T) {
	s, clock := portaltest.StoreClock(t)
	ctx := t.Context()
	anna := addContact(t, s, "anna@acme.example")
	began := clock.Now()
	addAudit(t, s, entry(portal.AuditSignIn, anna, portal.AboutContact(anna)), entry(portal.AuditAccess, 0, "portal:1"))
	later := clock.Add(time.Hour)
	addAudit(t, s, entry(portal.AuditDisabled, 0, portal.AboutContact(anna)), entry(portal.AuditSight, anna, "ticket:T-1001"))
	for _, test := range []struct {
		name string
		f    store.AuditFilter
		want []portal.AuditID
	}{
		{"all", store.AuditFilter{}, []portal.AuditID{4, 3, 2, 1}},
		{"a page", store.AuditFilter{Limit: 2}, []portal.AuditID{4, 3}},
		{"the next page", store.AuditFilter{Limit: 2, Before: 3}, []portal.AuditID{2, 1}},
		{"kinds", store.AuditFilter{Kinds: []portal.AuditKind{portal.AuditSignIn, portal.AuditAccess}}, []portal.AuditID{2, 1}},
		{"about", store.AuditFilter{About: []string{"portal:1"}}, []portal.AuditID{2}},
		{"by or about a contact", store.AuditFilter{Person: portal.Person{Contact: anna}}, []portal.AuditID{4, 3, 1}},
		{"since", store.AuditFilter{Since: later}, []portal.AuditID{4, 3}},
		{"until", store.AuditFilter{Until: later}, []portal.AuditID{2, 1}},
		{"between", store.AuditFilter{Since: began, Until: later, Kinds: []portal.AuditKind{portal.AuditSignIn}}, []portal.AuditID{1}},
		{"none", store.AuditFilter{Since: later.Add(time.Millisecond)}, nil},
	} {
		var got []portal.AuditID
		err := s.Read(ctx, func(tx *store.Tx) error {
			rows, err := tx.Audit(ctx, test.f)
			for _, r := range rows {
				got = append(got, r.ID)
			}
			return err
		})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: %v, %v; want %v", test.name, got, err, test.want)
		}
	}
}

// An entry stands exactly when what it tells happened.
func TestAuditGoesWithItsTransaction(t *testing.T) {
	s := portaltest.Store(t)
	failed := errors.New("on purpose")
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		e := entry(portal.AuditAccess, 0, "portal:1")
		return errors.Join(tx.AddAudit(t.Context(), &e), failed)
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	addAudit(t, s, entry(portal.AuditAccess, 0, "portal:2"))
	if c := verify(t, s); c.Broken != 0 || c.Entries != 1 || c.Head.ID != 1 {
		t.Errorf("%d entries, head %v, %v", c.Entries, c.Head, c.Breaks)
	}
}

func BenchmarkAddAudit(b *testing.B) {
	s := portaltest.Store(b)
	ctx := b.Context()
	e := entry(portal.AuditSignIn, 1, "contact:1", portal.AuditChange{Field: "way", To: "link"})
	e.Address, e.Agent = "192.0.2.7", strings.Repeat("Mozilla/5.0 ", 10)
	for b.Loop() {
		// A thousand in one transaction, so that what is measured is not the disk.
		err := s.Write(ctx, func(tx *store.Tx) error {
			for range 1000 {
				one := e
				if err := tx.AddAudit(ctx, &one); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/entry")
}

func BenchmarkVerifyAudit(b *testing.B) {
	const entries = 100_000
	s := portaltest.Store(b)
	ctx := context.WithoutCancel(b.Context())
	for range entries / 10_000 {
		err := s.Write(ctx, func(tx *store.Tx) error {
			for i := range 10_000 {
				e := entry(portal.AuditSignIn, portal.ContactID(i), fmt.Sprintf("contact:%d", i), portal.AuditChange{Field: "way", To: "link"})
				e.Address, e.Agent = "192.0.2.7", strings.Repeat("Mozilla/5.0 ", 10)
				if err := tx.AddAudit(ctx, &e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if c := verify(b, s); c.Broken != 0 || c.Entries != entries {
			b.Fatalf("%d entries, %v", c.Entries, c.Breaks)
		}
	}
}
