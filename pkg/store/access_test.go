package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	p := &portal.Portal{Name: "Help " + slug, Slug: slug, State: portal.Live, Accent: portal.DefaultAccent, TimeZone: "Europe/Stockholm",
		Tickets: portal.DefaultTicketSettings(), Access: portal.DefaultAccessSettings()}
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

func TestInternalMessagesStayAtTheDesk(t *testing.T) {
	d := newDesk(t)
	k := d.open(t, &d.bo, "a", "x")
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AddMessage(ctx, k, &portal.Message{Kind: portal.Note, Agent: d.agent.ID, Body: "secret", Format: portal.Plain}); err != nil {
			return err
		}
		for _, e := range []portal.EventKind{portal.EventCreated, portal.EventNoted, portal.EventAssigned} {
			if err := tx.AddEvent(ctx, &portal.Event{Ticket: k.Number, Kind: e, By: portal.ByContact(d.bo.ID)}); err != nil {
				return err
			}
		}
		return nil
	})
	read(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		for internal, want := range map[bool][3]any{false: {1, 1, "bo"}, true: {2, 3, "bo@acme.example"}} {
			messages, err := tx.Messages(ctx, k, internal)
			if err != nil {
				return err
			}
			events, err := tx.Events(ctx, k.Number, internal)
			if err != nil {
				return err
			}
			// bo has no name; customers do not read each other's addresses.
			got := [3]any{len(messages), len(events), messages[0].AuthorName}
			if got != want || events[0].ByName != want[2] {
				t.Errorf("internal %v: %v, %q, want %v", internal, got, events[0].ByName, want)
			}
		}
		row, err := tx.Tickets(ctx, sees(&d.anna), 0, store.TicketFilter{Scope: store.ScopeCompany}, store.TicketPage{})
		if err != nil || row[0].RequesterName != "bo" {
			t.Errorf("a colleague reads %q, %v", row[0].RequesterName, err)
		}
		return nil
	})
}

func TestWhatIsInUseCannotBeRemovedOrTaken(t *testing.T) {
	d := newDesk(t)
	p := d.addPortal(t, "help")
	group, host := portal.Group{Name: "Kunder"}, portal.Domain{Kind: portal.ConnectedDomain, Host: "help.example.com", Language: "sv", Token: "x"}
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AddGroup(ctx, &group); err != nil {
			return err
		}
		if err := tx.AddDomain(ctx, &host); err != nil {
			return err
		}
		p.Access.Groups, p.DomainID = []portal.GroupID{group.ID}, host.ID
		return tx.SavePortal(ctx, p)
	})
	d.open(t, &d.anna, "a", "x", func(k *portal.Ticket) { k.Assignee = d.agent.ID })
	system := portal.DomainID(1)
	for name, test := range map[string]struct {
		do   func(ctx context.Context, tx *store.Tx) error
		want string
	}{
		"a portal's domain": {func(ctx context.Context, tx *store.Tx) error { return tx.RemoveDomain(ctx, host.ID) }, "domain.in_use"},
		"the system domain": {func(ctx context.Context, tx *store.Tx) error { return tx.RemoveDomain(ctx, system) }, "domain.system"},
		"no domain":         {func(ctx context.Context, tx *store.Tx) error { return tx.RemoveDomain(ctx, 99) }, "domain.none"},
		"a portal's inbox":  {func(ctx context.Context, tx *store.Tx) error { return tx.RemoveInbox(ctx, d.inbox.ID) }, "inbox.in_use"},
		"a portal's group":  {func(ctx context.Context, tx *store.Tx) error { return tx.RemoveGroup(ctx, group.ID) }, "group.in_use"},
		"an agent at work":  {func(ctx context.Context, tx *store.Tx) error { return tx.RemoveAgent(ctx, d.agent.ID) }, "agent.in_use"},
		"a requester":       {func(ctx context.Context, tx *store.Tx) error { return tx.RemoveContact(ctx, d.anna.ID) }, "contact.has_tickets"},
		"somebody else":     {func(ctx context.Context, tx *store.Tx) error { return tx.RemoveContact(ctx, d.bo.ID) }, ""},
		"nobody":            {func(ctx context.Context, tx *store.Tx) error { return tx.RemoveContact(ctx, 99) }, "contact.none"},
		"a host, twice": {func(ctx context.Context, tx *store.Tx) error {
			return tx.AddDomain(ctx, &portal.Domain{Kind: portal.ConnectedDomain, Host: host.Host, Language: "en", Token: "y"})
		}, "domain.exists"},
		"an address, twice": {func(ctx context.Context, tx *store.Tx) error { q := *p; return tx.AddPortal(ctx, &q) }, "portal.address_taken"},
		"a group's name in another case": {func(ctx context.Context, tx *store.Tx) error {
			return tx.AddGroup(ctx, &portal.Group{Name: "KUNDER"})
		}, "group.exists"},
		"an inbox's name": {func(ctx context.Context, tx *store.Tx) error {
			return tx.AddInbox(ctx, &portal.Inbox{Name: "SUPPORT", Kind: portal.InboxHelpdesk})
		}, "inbox.exists"},
		"an agent's address": {func(ctx context.Context, tx *store.Tx) error {
			return tx.AddAgent(ctx, &portal.Agent{Email: d.agent.Email, Role: portal.RoleAgent})
		}, "agent.exists"},
		"a contact's address": {func(ctx context.Context, tx *store.Tx) error {
			return tx.AddContact(ctx, &portal.Contact{Email: d.anna.Email})
		}, "contact.exists"},
		"a company that is gone": {func(ctx context.Context, tx *store.Tx) error {
			return tx.AddContact(ctx, &portal.Contact{Email: "x@example.com", Primary: 99})
		}, "company.none"},
	} {
		if got := code(t, attempt(t, d.Store, test.do)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	// An id is never given again, or the search index would let its next
	// owner find what was not theirs.
	dora := portal.Contact{Email: "dora@acme.example"}
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.RemoveContact(ctx, d.cecily.ID); err != nil {
			return err
		}
		return tx.AddContact(ctx, &dora)
	})
	if dora.ID <= d.cecily.ID {
		t.Errorf("id %d was given again", dora.ID)
	}
}

func TestSettingsVersionCountsChanges(t *testing.T) {
	d := newDesk(t)
	version := func() (n int64) {
		t.Helper()
		read(t, d.Store, func(ctx context.Context, tx *store.Tx) (err error) { n, err = tx.SettingsVersion(ctx); return err })
		return n
	}
	group := portal.Group{Name: "g"}
	p := d.addPortal(t, "help")
	for name, do := range map[string]func(ctx context.Context, tx *store.Tx) error{
		"a portal saved": func(ctx context.Context, tx *store.Tx) error { return tx.SavePortal(ctx, p) },
		"a group added":  func(ctx context.Context, tx *store.Tx) error { return tx.AddGroup(ctx, &group) },
		"an inbox saved": func(ctx context.Context, tx *store.Tx) error { return tx.SaveInbox(ctx, &d.inbox) },
		"a domain added": func(ctx context.Context, tx *store.Tx) error {
			return tx.AddDomain(ctx, &portal.Domain{Kind: portal.ConnectedDomain, Host: "a.example", Language: "en"})
		},
	} {
		before := version()
		write(t, d.Store, do)
		if version() <= before {
			t.Errorf("%s: the version did not change", name)
		}
	}
}

func TestMembersAreListedWithTheirCompany(t *testing.T) {
	d := newDesk(t)
	p := d.addPortal(t, "help")
	group := portal.Group{Name: "g"}
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AddGroup(ctx, &group); err != nil {
			return err
		}
		for _, c := range []portal.ContactID{d.anna.ID, d.bo.ID} {
			if added, err := tx.AddToGroup(ctx, group.ID, c); err != nil || !added {
				t.Errorf("added %v, %v", added, err)
			}
		}
		if added, err := tx.AddToGroup(ctx, group.ID, d.bo.ID); err != nil || added {
			t.Errorf("added again: %v, %v", added, err)
		}
		p.Access.Groups = []portal.GroupID{group.ID}
		if err := tx.SavePortal(ctx, p); err != nil {
			return err
		}
		for c, status := range map[portal.ContactID]portal.MemberStatus{d.anna.ID: portal.Registered, d.cecily.ID: portal.Pending} {
			if err := tx.SaveMember(ctx, &portal.Member{PortalID: p.ID, ContactID: c, Status: status, LastSignInAt: tx.Now}); err != nil {
				return err
			}
		}
		return nil
	})
	read(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.Members(ctx, store.MemberFilter{Portal: p.ID})
		if err != nil {
			return err
		}
		if len(rows) != 2 || rows[0].Email != d.anna.Email || rows[0].Company != "Acme" || !rows[0].InGroup || rows[1].InGroup || rows[1].Status != portal.Pending {
			t.Errorf("members %+v", rows)
		}
		if rows, err = tx.Members(ctx, store.MemberFilter{Portal: p.ID, After: d.anna.Email, Status: portal.Pending}); err != nil || len(rows) != 1 {
			t.Errorf("pending after anna: %+v, %v", rows, err)
		}
		uninvited, err := tx.UninvitedOfGroups(ctx, p.ID, 0, 10)
		if err != nil || !slices.Equal(uninvited, []portal.ContactID{d.bo.ID}) {
			t.Errorf("uninvited %v, %v", uninvited, err)
		}
		counts, err := tx.MemberCounts(ctx, p.ID)
		if counts[portal.Registered] != 1 || counts[portal.Pending] != 1 {
			t.Errorf("counts %v", counts)
		}
		return err
	})
}

func TestContactsAndCompaniesAreFoundByParts(t *testing.T) {
	d := newDesk(t)
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		c := portal.Contact{Email: "x_y@example.com", Name: "Åsa 100% Öberg"}
		return tx.AddContact(ctx, &c)
	})
	read(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		for query, want := range map[string]int{"": 4, "ÅSA": 1, "öb": 1, "100%": 1, "%": 1, "_": 1, "acme": 2, `\`: 0, "nobody": 0} {
			got, err := tx.Contacts(ctx, store.ContactFilter{Query: query})
			if err != nil {
				return err
			}
			if len(got) != want {
				t.Errorf("%q found %d contacts, want %d", query, len(got), want)
			}
		}
		first, err := tx.Companies(ctx, store.CompanyFilter{Limit: 1})
		if err != nil || len(first) != 1 || first[0].Name != "Acme" || first[0].Contacts != 2 {
			t.Errorf("first company %+v, %v", first, err)
		}
		second, err := tx.Companies(ctx, store.CompanyFilter{After: first[0].Name, AfterID: first[0].ID})
		if err != nil || len(second) != 1 || second[0].Name != "Umbra" {
			t.Errorf("second company %+v, %v", second, err)
		}
		return err
	})
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		return tx.AddCompany(ctx, &portal.Company{Name: "ACME"})
	})
	read(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.CompanyByName(ctx, "acme"); code(t, err) != "company.ambiguous" {
			t.Errorf("two of that name: %v", err)
		}
		k, err := tx.CompanyByName(ctx, "acme.example")
		if err != nil || k.ID != d.acme.ID {
			t.Errorf("by domain: %+v, %v", k, err)
		}
		return nil
	})
}
