package store

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// inOutbox runs fn in a transaction of a new store.
func inOutbox(t *testing.T, fn func(ctx context.Context, tx *Tx) error) {
	t.Helper()
	s := openHere(t)
	if err := s.Write(t.Context(), func(tx *Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func queueTests(ctx context.Context, tx *Tx, n int) error {
	for i := range n {
		if err := tx.QueueMail(ctx, &Mail{Kind: MailTest, Recipient: fmt.Sprintf("R%d@Example.com", i)}); err != nil {
			return err
		}
	}
	return nil
}

func TestOutboxIsListedByState(t *testing.T) {
	inOutbox(t, func(ctx context.Context, tx *Tx) error {
		if err := queueTests(ctx, tx, 8); err != nil {
			return err
		}
		for id, column := range map[portal.MailID]string{2: "sent_at", 4: "failed_at", 6: "dropped_at"} {
			if err := tx.do(ctx, `UPDATE outbox SET `+column+` = $2 WHERE id = $1`, id, stamp(tx.Now)); err != nil {
				return err
			}
		}
		for want, f := range map[string]OutboxFilter{
			"8 7 6 5 4 3 2 1": {},
			"8 7 5 3 1":       {States: []MailState{MailWaiting}},
			"2":               {States: []MailState{MailSent}},
			"6 4":             {States: []MailState{MailFailed, MailDropped, MailFailed}},
			"5 3":             {States: []MailState{MailWaiting}, Before: 7, Limit: 2},
			"7":               {Recipient: "r6@EXAMPLE.com"},
			"":                {Recipient: "r6@example.com", States: []MailState{MailFailed}},
		} {
			mails, err := tx.Outbox(ctx, f)
			if err != nil {
				return err
			}
			var got []string
			for _, m := range mails {
				got = append(got, fmt.Sprint(m.ID))
				if len(f.States) == 1 && m.State() != f.States[0] {
					t.Errorf("%+v returned a mail that is %s", f, m.State())
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%+v returned %v, want %s", f, got, want)
			}
		}
		if _, err := tx.Outbox(ctx, OutboxFilter{States: []MailState{"lost"}}); portal.KindOf(err) != portal.Invalid {
			t.Errorf("an unknown state: %v", err)
		}
		if _, err := tx.OutboxMail(ctx, 99); portal.KindOf(err) != portal.NotFound {
			t.Errorf("an unknown mail: %v", err)
		}
		return nil
	})
}

func TestMailIsRetriedAndDroppedByHand(t *testing.T) {
	inOutbox(t, func(ctx context.Context, tx *Tx) error {
		if err := queueTests(ctx, tx, 4); err != nil {
			return err
		}
		finish := func(id portal.MailID, state MailState) error {
			c, err := tx.ClaimMail(ctx)
			if err != nil {
				return err
			}
			if c == nil || c.ID != id {
				return fmt.Errorf("claimed %+v, want %d", c, id)
			}
			if state == "" {
				return nil
			}
			return tx.FinishMail(ctx, c, []portal.MailID{id}, MailResult{State: state, Error: "no"})
		}
		for id, state := range []MailState{1: MailFailed, 2: MailSent, 3: ""} {
			if id == 0 {
				continue
			}
			if err := finish(portal.MailID(id), state); err != nil {
				return err
			}
		}
		steps := []struct {
			what    string
			fn      func(context.Context, portal.MailID) (bool, error)
			id      portal.MailID
			changed bool
			state   MailState
		}{
			{"retry a failed", tx.RetryMail, 1, true, MailWaiting},
			{"retry a sent", tx.RetryMail, 2, false, MailSent},
			{"retry one being sent", tx.RetryMail, 3, false, MailWaiting},
			{"retry a waiting", tx.RetryMail, 4, true, MailWaiting},
			{"drop a waiting", tx.DropMail, 4, true, MailDropped},
			{"drop it again", tx.DropMail, 4, false, MailDropped},
			{"retry a dropped", tx.RetryMail, 4, false, MailDropped},
			{"drop one being sent", tx.DropMail, 3, false, MailWaiting},
			{"drop a sent", tx.DropMail, 2, false, MailSent},
		}
		for _, s := range steps {
			changed, err := s.fn(ctx, s.id)
			if err != nil {
				return err
			}
			m, err := tx.OutboxMail(ctx, s.id)
			if err != nil {
				return err
			}
			if changed != s.changed || m.State() != s.state {
				t.Errorf("%s: changed %v and %s, want %v and %s", s.what, changed, m.State(), s.changed, s.state)
			}
		}
		if _, err := tx.RetryMail(ctx, 99); portal.KindOf(err) != portal.NotFound {
			t.Errorf("retry an unknown: %v", err)
		}
		return nil
	})
}

func TestLateResultOfALostLeaseCounts(t *testing.T) {
	now := time.Now()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "portal.db"), Options{Create: true, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	step := func(fn func(ctx context.Context, tx *Tx) error) {
		t.Helper()
		if err := s.Write(t.Context(), func(tx *Tx) error { return fn(t.Context(), tx) }); err != nil {
			t.Fatal(err)
		}
	}
	claim := func() (c *MailClaim) {
		step(func(ctx context.Context, tx *Tx) (err error) { c, err = tx.ClaimMail(ctx); return err })
		return c
	}
	finish := func(c *MailClaim, state MailState) (got MailState) {
		step(func(ctx context.Context, tx *Tx) error {
			if err := tx.FinishMail(ctx, c, []portal.MailID{1}, MailResult{State: state, DueAt: tx.Now, Error: "late"}); err != nil {
				return err
			}
			m, err := tx.OutboxMail(ctx, 1)
			got = m.State()
			return err
		})
		return got
	}
	step(func(ctx context.Context, tx *Tx) error { return queueTests(ctx, tx, 1) })
	first := claim()
	if first == nil || claim() != nil {
		t.Fatal("a mail was claimed twice, or not at all")
	}
	now = now.Add(MailLease)
	second := claim()
	if second == nil {
		t.Fatal("a lease that has run out holds")
	}
	// The first one wakes up. That it failed is no news to the second; that
	// it delivered is.
	if got := finish(first, MailFailed); got != MailWaiting {
		t.Errorf("a late failure made the mail %s", got)
	}
	if claim() != nil {
		t.Error("a late failure ended the second lease")
	}
	if got := finish(first, MailSent); got != MailSent {
		t.Errorf("a late delivery left the mail %s", got)
	}
	if got := finish(second, MailFailed); got != MailSent {
		t.Errorf("after it was delivered the mail is %s", got)
	}
}

func TestMessageIDsAreUniqueAndNameTheDomain(t *testing.T) {
	inOutbox(t, func(ctx context.Context, tx *Tx) error {
		var ids []string
		queue := func(p portal.PortalID, want string) error {
			m := &Mail{Kind: MailTest, Recipient: "r@example.com", Portal: p}
			if err := tx.QueueMail(ctx, m); err != nil {
				return err
			}
			if !strings.HasSuffix(m.HeaderID, "@"+want+">") || slices.Contains(ids, m.HeaderID) {
				t.Errorf("the id is %s, want a new one of %s", m.HeaderID, want)
			}
			ids = append(ids, m.HeaderID)
			return nil
		}
		if err := queue(0, "portalctl.localhost"); err != nil {
			return err
		}
		if err := tx.SetMeta(ctx, "base_url", "http://127.0.0.1:8080"); err != nil {
			return err
		}
		if err := queue(0, "portalctl.localhost"); err != nil {
			return err
		}
		if err := tx.SetMeta(ctx, "base_url", "https://Desk.example.com:8443"); err != nil {
			return err
		}
		if err := queue(0, "desk.example.com"); err != nil {
			return err
		}
		d := &portal.Domain{Kind: portal.ConnectedDomain, Host: "support.example.com", Language: "en", Token: "x"}
		if err := tx.AddDomain(ctx, d); err != nil {
			return err
		}
		p := &portal.Portal{
			Name: "Help", DomainID: d.ID, State: portal.Live, Accent: portal.DefaultAccent, TimeZone: "UTC",
			Tickets: portal.DefaultTicketSettings(), Access: portal.DefaultAccessSettings(),
		}
		if err := tx.AddPortal(ctx, p); err != nil {
			return err
		}
		return queue(p.ID, "support.example.com")
	})
}

func TestOldMailIsForgotten(t *testing.T) {
	now := time.Now()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "portal.db"), Options{Create: true, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for round := range 2 {
		err := s.Write(t.Context(), func(tx *Tx) error {
			ctx := t.Context()
			if round == 1 {
				if n, err := tx.SweepMail(ctx, 1000); err != nil || n != 2 {
					t.Errorf("swept %d, %v, want 2", n, err)
				}
				left, err := tx.Outbox(ctx, OutboxFilter{})
				if err != nil || len(left) != 1 || left[0].ID != 3 {
					t.Errorf("left %+v, %v", left, err)
				}
				return nil
			}
			if err := queueTests(ctx, tx, 3); err != nil {
				return err
			}
			for _, state := range []MailState{MailSent, MailFailed} {
				c, err := tx.ClaimMail(ctx)
				if err != nil {
					return err
				}
				if err := tx.FinishMail(ctx, c, []portal.MailID{c.ID}, MailResult{State: state}); err != nil {
					return err
				}
			}
			n, err := tx.SweepMail(ctx, 1000)
			if n != 0 {
				t.Errorf("swept %d mails of today", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(mailKept + time.Hour)
	}
}

// Claiming looks at mails that wait, never at those that are done with.
func TestOutboxIsReadFromItsIndexes(t *testing.T) {
	inOutbox(t, func(ctx context.Context, tx *Tx) error {
		for name, tt := range map[string]struct {
			sql  string
			args []any
			want string
		}{
			"due":     {`SELECT id FROM outbox WHERE ` + dueMail + ` ORDER BY due_at, id LIMIT 1`, tx.dueArgs(), "outbox_due"},
			"blocked": {`SELECT id FROM outbox WHERE ` + dueMail + ` LIMIT 1`, tx.dueArgs(), "outbox_recipient (recipient=? AND sent_at=?)"},
			"waiting": {`SELECT ` + mailColumns + ` FROM outbox WHERE ` + unsent + ` ORDER BY id DESC LIMIT 50`, nil, "outbox_waiting"},
			"failed":  {`SELECT ` + mailColumns + ` FROM outbox WHERE ` + stateIs[MailFailed] + ` ORDER BY id DESC LIMIT 50`, nil, "outbox_failed"},
			"dropped": {`SELECT ` + mailColumns + ` FROM outbox WHERE ` + stateIs[MailDropped] + ` ORDER BY id DESC LIMIT 50`, nil, "outbox_dropped"},
			"notices": {
				`SELECT sent_at FROM outbox WHERE recipient = $1 AND notice = 1 AND sent_at > $2 AND sent_at <= $3 ORDER BY sent_at DESC LIMIT 30`,
				[]any{"r", 1, 2},
				"outbox_recipient (recipient=? AND sent_at>? AND sent_at<?)",
			},
		} {
			q := newQuery(tt.sql)
			q.args = tt.args
			if plan := planOf(t, tx, q); !strings.Contains(plan, tt.want) || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%s is not read by %s:\n%s", name, tt.want, plan)
			}
		}
		return nil
	})
}
