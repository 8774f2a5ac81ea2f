package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// code is the code of a portal error, "" for nil.
func code(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	e := &portal.Error{}
	if !errors.As(err, &e) {
		t.Fatalf("an error without a code: %v", err)
	}
	return e.Code
}

// attempt runs one change in a transaction of its own.
func attempt(t *testing.T, s *store.Store, fn func(ctx context.Context, tx *store.Tx) error) error {
	t.Helper()
	return s.Write(t.Context(), func(tx *store.Tx) error { return fn(t.Context(), tx) })
}

// addPortal puts a portal with the slug under the system domain.
func (d *desk) addPortal(t *testing.T, slug string) *portal.Portal {
	t.Helper()
	p := &portal.Portal{
		Name: "Help " + slug, Slug: slug, State: portal.Live, Accent: portal.DefaultAccent, TimeZone: "Europe/Stockholm",
		Tickets: portal.DefaultTicketSettings(), Access: portal.DefaultAccessSettings(),
	}
	p.Tickets.InboxID = d.inbox.ID
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		system, err := tx.SystemDomain(ctx)
		if err != nil {
			return err
		}
		p.DomainID = system.ID
		return tx.AddPortal(ctx, p)
	})
	return p
}

func TestTokenWorksExactlyOnce(t *testing.T) {
	d := newDesk(t)
	hash := []byte("hash")
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		return tx.AddToken(ctx, &store.Token{Hash: hash, Kind: store.TokenSignIn, Contact: d.anna.ID, ReturnTo: "/tickets", ExpiresAt: tx.Now.Add(10 * time.Minute)})
	})
	if err := attempt(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.UseToken(ctx, hash, store.TokenReset)
		return err
	}); code(t, err) != "token.unknown" {
		t.Errorf("used as another kind: %v", err)
	}
	var wg sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		wg.Go(func() {
			errs[i] = d.Write(t.Context(), func(tx *store.Tx) error {
				got, err := tx.UseToken(t.Context(), hash, store.TokenSignIn)
				if err == nil && (got.Contact != d.anna.ID || got.ReturnTo != "/tickets") {
					t.Errorf("token %+v", got)
				}
				return err
			})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		switch code(t, err) {
		case "":
			won++
		case "token.used":
		default:
			t.Errorf("a loser got %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d used it", won, len(errs))
	}
}

func TestTokensExpireAndEnd(t *testing.T) {
	d := newDesk(t)
	add := func(name string, token store.Token) {
		t.Helper()
		write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
			token.Hash, token.ExpiresAt = []byte(name), tx.Now.Add(10*time.Minute)
			return tx.AddToken(ctx, &token)
		})
	}
	use := func(name string, kind store.TokenKind) string {
		t.Helper()
		return code(t, attempt(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.UseToken(ctx, []byte(name), kind)
			return err
		}))
	}
	add("old", store.Token{Kind: store.TokenSignIn, Contact: d.anna.ID})
	d.clock.Add(10 * time.Minute)
	if got := use("old", store.TokenSignIn); got != "token.expired" {
		t.Errorf("after ten minutes: %q", got)
	}
	if got := use("never", store.TokenSignIn); got != "token.unknown" {
		t.Errorf("one that never was: %q", got)
	}
	add("anna's", store.Token{Kind: store.TokenSignIn, Contact: d.anna.ID})
	add("anna's reset", store.Token{Kind: store.TokenReset, Contact: d.anna.ID})
	add("bo's", store.Token{Kind: store.TokenSignIn, Contact: d.bo.ID})
	add("alva's", store.Token{Kind: store.TokenSignIn, Agent: d.agent.ID})
	add("a stranger's", store.Token{Kind: store.TokenRegister, Email: "new@acme.example"})
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.EndTokens(ctx, d.anna.ID, 0, "", store.TokenSignIn); err != nil {
			return err
		}
		if err := tx.EndTokens(ctx, 0, 0, ""); err != nil { // nobody's
			return err
		}
		return tx.EndTokens(ctx, 0, 0, "new@acme.example")
	})
	for name, want := range map[string]struct {
		kind store.TokenKind
		code string
	}{
		"anna's": {store.TokenSignIn, "token.used"}, "a stranger's": {store.TokenRegister, "token.used"},
		"anna's reset": {store.TokenReset, ""}, "bo's": {store.TokenSignIn, ""}, "alva's": {store.TokenSignIn, ""},
	} {
		if got := use(name, want.kind); got != want.code {
			t.Errorf("%s: %q, want %q", name, got, want.code)
		}
	}
}

func TestVisitorIsReadByOneStatement(t *testing.T) {
	d := newDesk(t)
	p, other := d.addPortal(t, "help"), d.addPortal(t, "other")
	group := portal.Group{Name: "Customers"}
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AddGroup(ctx, &group); err != nil {
			return err
		}
		if _, err := tx.AddToGroup(ctx, group.ID, d.anna.ID); err != nil {
			return err
		}
		p.Access.Groups = []portal.GroupID{group.ID}
		if err := tx.SavePortal(ctx, p); err != nil {
			return err
		}
		for _, s := range []*store.Session{
			{Hash: []byte("anna"), Portal: p.ID, Contact: d.anna.ID, ExpiresAt: tx.Now.Add(time.Hour)},
			{Hash: []byte("alva"), Agent: d.agent.ID, ExpiresAt: tx.Now.Add(time.Hour)},
		} {
			if err := tx.AddSession(ctx, s); err != nil {
				return err
			}
		}
		if err := tx.AddConsent(ctx, d.anna.ID, p.ID, 3, "en", "I agree"); err != nil {
			return err
		}
		return tx.SaveMember(ctx, &portal.Member{PortalID: p.ID, ContactID: d.anna.ID, Status: portal.Registered, ReadFrom: 7})
	})
	visit := func(hash string, p portal.PortalID) (v *store.Visitor) {
		t.Helper()
		read(t, d.Store, func(ctx context.Context, tx *store.Tx) (err error) {
			before := d.Queries()
			v, err = tx.Visitor(ctx, []byte(hash), p)
			if n := d.Queries() - before; n != 1 {
				t.Errorf("%d statements", n)
			}
			return err
		})
		return v
	}
	v := visit("anna", p.ID)
	if v.Session == nil || v.Contact == nil || v.Contact.Email != d.anna.Email || v.Contact.Primary != d.acme.ID || v.Agent != nil ||
		v.Member == nil || v.Member.ReadFrom != 7 || !v.InGroup || v.ConsentVersion != 3 || v.SettingsVersion == 0 {
		t.Errorf("anna: %+v", v)
	}
	if v := visit("anna", other.ID); v.Contact == nil || v.Member != nil || v.InGroup || v.ConsentVersion != 0 {
		t.Errorf("anna at another portal: %+v", v)
	}
	if v := visit("alva", p.ID); v.Agent == nil || v.Agent.Email != d.agent.Email || v.Contact != nil || v.Member != nil {
		t.Errorf("an agent: %+v", v)
	}
	if v := visit("nobody", p.ID); v.Session != nil || v.Contact != nil || v.SettingsVersion == 0 {
		t.Errorf("nobody: %+v", v)
	}
	session := visit("anna", p.ID).Session.ID
	if err := attempt(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		return tx.EndSession(ctx, d.bo.ID, 0, session, "stolen")
	}); code(t, err) != "session.none" {
		t.Errorf("bo ending anna's session: %v", err)
	}
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		return tx.EndSession(ctx, d.anna.ID, 0, session, "signed_out")
	})
	if v := visit("anna", p.ID); v.Session == nil || v.Session.EndReason != "signed_out" || v.Contact != nil || v.Member != nil {
		t.Errorf("after the session ended: %+v", v)
	}
	d.clock.Add(time.Hour)
	if v := visit("alva", p.ID); v.Session == nil || v.Agent != nil {
		t.Errorf("after the session expired: %+v", v)
	}
}

func TestSessionsEndTogether(t *testing.T) {
	d := newDesk(t)
	var first store.Session
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		for i := range 3 {
			s := store.Session{Hash: fmt.Append(nil, i), Contact: d.anna.ID, ExpiresAt: tx.Now.Add(time.Hour)}
			if err := tx.AddSession(ctx, &s); err != nil {
				return err
			}
			if i == 0 {
				first = s
			}
		}
		return tx.AddSession(ctx, &store.Session{Hash: []byte("bo"), Contact: d.bo.ID, ExpiresAt: tx.Now.Add(time.Hour)})
	})
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.EndSessions(ctx, d.anna.ID, 0, first.ID, "password")
		if n != 2 {
			t.Errorf("%d ended, want 2", n)
		}
		return err
	})
	read(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		left, err := tx.Sessions(ctx, d.anna.ID, 0)
		if err != nil || len(left) != 1 || left[0].ID != first.ID {
			t.Errorf("anna's: %+v", left)
		}
		left, err = tx.Sessions(ctx, d.bo.ID, 0)
		if len(left) != 1 {
			t.Errorf("bo's: %+v", left)
		}
		return err
	})
}

func TestCounterRunsOutAndBlocks(t *testing.T) {
	s, clock := portaltest.StoreClock(t)
	count := func() (c store.Counter) {
		t.Helper()
		write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			c, err = tx.Count(ctx, "k", time.Minute)
			return err
		})
		return c
	}
	now := func() (c store.Counter) {
		t.Helper()
		read(t, s, func(ctx context.Context, tx *store.Tx) (err error) { c, err = tx.Counter(ctx, "k"); return err })
		return c
	}
	if c := now(); c != (store.Counter{}) {
		t.Errorf("before: %+v", c)
	}
	count()
	clock.Add(30 * time.Second)
	if c := count(); c.Count != 2 || !c.Since.Equal(portaltest.Start) || !c.Until.Equal(portaltest.Start.Add(time.Minute)) {
		t.Errorf("twice: %+v", c)
	}
	until := portaltest.Start.Add(time.Hour)
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.Block(ctx, "k", until) })
	if c := now(); c.Count != 2 || !c.BlockedAt.Equal(until) {
		t.Errorf("blocked: %+v", c)
	}
	clock.Add(time.Hour)
	if c := now(); c != (store.Counter{}) {
		t.Errorf("run out: %+v", c)
	}
	if c := count(); c.Count != 1 || !c.BlockedAt.IsZero() {
		t.Errorf("anew: %+v", c)
	}
	clock.Add(-24 * 365 * time.Hour)
	if c := count(); c.Count != 1 || c.Until.Sub(clock.Now()) != time.Minute {
		t.Errorf("with the clock set back: %+v", c)
	}
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.ResetCounter(ctx, "k") })
	if c := now(); c != (store.Counter{}) {
		t.Errorf("reset: %+v", c)
	}
}

func TestSweepRemovesWhatHasRunOut(t *testing.T) {
	d := newDesk(t)
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		for _, life := range []time.Duration{time.Minute, 90 * 24 * time.Hour} {
			name := []byte(life.String())
			for _, err := range []error{
				tx.AddToken(ctx, &store.Token{Hash: name, Kind: store.TokenSignIn, Contact: d.anna.ID, ExpiresAt: tx.Now.Add(life)}),
				tx.AddSession(ctx, &store.Session{Hash: name, Contact: d.anna.ID, ExpiresAt: tx.Now.Add(life)}),
			} {
				if err != nil {
					return err
				}
			}
			if _, err := tx.Count(ctx, life.String(), life); err != nil {
				return err
			}
		}
		return tx.SaveDraft(ctx, d.anna.ID, "new", map[string]string{"body": "x"})
	})
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 0}, {2 * time.Minute, 1}, {25 * time.Hour, 1}, {7 * 24 * time.Hour, 1}, {30 * 24 * time.Hour, 1}, {0, 0}, {100 * 24 * time.Hour, 3}} {
		d.clock.Add(step.after)
		write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
			n, err := tx.Sweep(ctx, 100)
			if n != step.want {
				t.Errorf("%v later: %d removed, want %d", step.after, n, step.want)
			}
			return err
		})
	}
}

func TestDraftIsKeptUntilRemoved(t *testing.T) {
	d := newDesk(t)
	draft := func() (form map[string]string) {
		t.Helper()
		read(t, d.Store, func(ctx context.Context, tx *store.Tx) (err error) {
			form, err = tx.Draft(ctx, d.anna.ID, "new")
			return err
		})
		return form
	}
	if f := draft(); f != nil {
		t.Errorf("before: %v", f)
	}
	for _, body := range []string{"first", "sécond\n\u202e\U0001F600"} {
		write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
			return tx.SaveDraft(ctx, d.anna.ID, "new", map[string]string{"body": body})
		})
		if f := draft(); f["body"] != body {
			t.Errorf("got %q, want %q", f["body"], body)
		}
	}
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error { return tx.RemoveDraft(ctx, d.anna.ID, "new") })
	if f := draft(); f != nil {
		t.Errorf("after: %v", f)
	}
}
