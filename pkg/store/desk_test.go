package store_test

import (
	"context"
	"slices"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

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
