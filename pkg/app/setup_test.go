package app

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// complete fills in what a set-up cannot do without.
func complete(s Setup) Setup {
	name, slug, mode, permissions := "Nordic Tools", "help", portal.ModeSelfRegister, portal.PermitContact
	if s.Name == nil {
		s.Name = &name
	}
	if s.Slug == nil {
		s.Slug = &slug
	}
	if s.Domain == "" {
		s.Domain = System
	}
	if s.Inbox.Name == "" {
		s.Inbox = InboxChoice{Name: "Support", Kind: portal.InboxMail, Address: "support@example.com"}
	}
	if s.Tickets.Permissions == nil {
		s.Tickets.Permissions = &permissions
	}
	if s.Access.Mode == nil {
		s.Access.Mode = &mode
	}
	return s
}

func setUp(t *testing.T, a *App, s Setup) *portal.Portal {
	t.Helper()
	r, err := a.SetUp(t.Context(), complete(s))
	if err != nil || !r.Created {
		t.Fatalf("set up %+v: %+v, %v", s, r, err)
	}
	return r.Portal
}

func ptr[T any](v T) *T { return &v }

func TestSetUpMakesEverythingOnce(t *testing.T) {
	a, _ := domainApp(t, "https://portal.example.net", nil)
	s := complete(Setup{Domain: "support.example.com", Language: "sv", Access: AccessChanges{
		Mode: ptr(portal.ModeGroups), Groups: &[]string{"Customers", "Partners"},
	}})
	r, err := a.SetUp(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Created || !r.NewDomain || !r.NewInbox || !slices.Equal(r.NewGroups, []string{"Customers", "Partners"}) || len(r.Changes) > 0 {
		t.Errorf("the first time: %+v", r)
	}
	p := kept(t, a, r.Portal.ID)
	if p.Name != "Nordic Tools" || p.State != portal.Live || p.Domain.Host != "support.example.com" || p.Language() != "sv" ||
		p.Domain.Verified() || p.Tickets.InboxID != r.Inbox.ID || len(p.Access.Groups) != 2 || p.Accent != portal.DefaultAccent {
		t.Errorf("kept %+v", p)
	}
	again, err := a.SetUp(t.Context(), s)
	if err != nil || !again.Unchanged() || again.Portal.ID != p.ID {
		t.Errorf("the same again: %+v, %v; want unchanged", again, err)
	}
}

func TestSetUpAgainChangesWhatDiffers(t *testing.T) {
	a, _ := domainApp(t, DefaultBaseURL, nil)
	p := setUp(t, a, Setup{})
	r, err := a.SetUp(t.Context(), Setup{
		Domain: System, Slug: ptr("help"), Name: ptr("New name"), Language: "sv",
		Inbox: InboxChoice{Name: "support", Address: "new@example.com"}, Tickets: TicketChanges{Permissions: ptr(portal.PermitCompany)},
	})
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, c := range r.Changes {
		fields = append(fields, c.Field)
	}
	if r.Created || !slices.Equal(fields, []string{"language", "name", "inbox-address", "permissions"}) {
		t.Errorf("changes %v of %+v", fields, r)
	}
	got := kept(t, a, p.ID)
	inbox, err := a.Inbox(t.Context(), "Support")
	if err != nil || got.Name != "New name" || got.Language() != "sv" || got.Tickets.Permissions != portal.PermitCompany || inbox.Address != "new@example.com" {
		t.Errorf("kept %+v, inbox %+v, %v", got, inbox, err)
	}
	if got.Access.Mode != portal.ModeSelfRegister {
		t.Errorf("what was not said changed: mode %q", got.Access.Mode)
	}
}

func TestSetUpLeavesDraftsAndPausesAlone(t *testing.T) {
	a, _ := domainApp(t, DefaultBaseURL, nil)
	p := setUp(t, a, Setup{Draft: true})
	if p.State != portal.Draft {
		t.Fatalf("a draft is %s", p.State)
	}
	if r, err := a.SetUp(t.Context(), complete(Setup{})); err != nil || r.Portal.State != portal.Live {
		t.Errorf("set up without --draft: %+v, %v; want live", r, err)
	}
	if _, err := a.SetPortal(t.Context(), p.ID, PortalChanges{State: ptr(portal.Paused)}); err != nil {
		t.Fatal(err)
	}
	if r, err := a.SetUp(t.Context(), complete(Setup{})); err != nil || !r.Unchanged() {
		t.Errorf("set up a paused portal again: %+v, %v; want unchanged", r, err)
	}
}

func TestSetUpNamesEverythingThatIsMissing(t *testing.T) {
	for _, tt := range []struct {
		name  string
		setup Setup
		want  []string
	}{
		{"nothing said", Setup{}, []string{"domain", "slug", "name", "inbox", "permissions", "access"}},
		{"no kind of inbox", complete(Setup{Inbox: InboxChoice{Name: "Support"}}), []string{"inbox-kind"}},
		{"no address", complete(Setup{Inbox: InboxChoice{Name: "Support", Kind: portal.InboxMail}}), []string{"inbox-address"}},
		{"no group", complete(Setup{Access: AccessChanges{Mode: ptr(portal.ModeGroups)}}), []string{"group"}},
		{"no rule", complete(Setup{Tickets: TicketChanges{Permissions: ptr(portal.PermitRules)}}), []string{"rule"}},
		{"bad slug", complete(Setup{Slug: ptr("a/b")}), []string{"slug"}},
		{"bad domain", complete(Setup{Domain: "localhost"}), []string{"domain"}},
		{"bad address", complete(Setup{Inbox: InboxChoice{Name: "S", Kind: portal.InboxMail, Address: "x"}}), []string{"inbox-address"}},
		{"an option of the other mode", complete(Setup{Access: AccessChanges{Groups: &[]string{"G"}}}), []string{"group"}},
		{"bad zone", complete(Setup{TimeZone: ptr("Mars/Olympus")}), []string{"time-zone"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := NewKnown()
			err := tt.setup.Check(k)
			var fields []string
			for _, e := range portal.Errors(err) {
				fields = append(fields, e.Field)
				if e.Kind != portal.Invalid {
					t.Errorf("%v is %v, want Invalid", e, e.Kind)
				}
			}
			if !slices.Equal(fields, tt.want) {
				t.Errorf("fields at fault %q, want %q: %v", fields, tt.want, err)
			}
			a, _ := domainApp(t, DefaultBaseURL, nil)
			if _, err := a.SetUp(t.Context(), tt.setup); err == nil {
				t.Error("set up all the same")
			}
			after, err := a.Known(t.Context())
			if err != nil || len(after.Portals)+len(after.Inboxes)+len(after.Groups) > 0 || len(after.Domains) != 1 {
				t.Errorf("something was written: %+v, %v", after, err)
			}
		})
	}
}

func TestCheckingWritesNothingAndChangesNothing(t *testing.T) {
	a, _ := domainApp(t, DefaultBaseURL, nil)
	setUp(t, a, Setup{})
	k, err := a.Known(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other := complete(Setup{Name: ptr("Other"), Language: "sv", Inbox: InboxChoice{Name: "Support", Kind: portal.InboxHelpdesk}})
	if err := other.Check(k); err != nil {
		t.Fatal(err)
	}
	if k.Portals[0].Name != "Nordic Tools" || k.Domains[0].Language != "en" || k.Inboxes[0].Kind != portal.InboxMail {
		t.Errorf("checking changed what it was given: %+v", k)
	}
}

func TestOpeningADraftInvitesItsGroups(t *testing.T) {
	a, _ := domainApp(t, DefaultBaseURL, nil)
	addContacts(t, a, "Customers", "ann@example.com", "bo@example.com")
	s := Setup{Domain: "support.example.com", Draft: true, Access: AccessChanges{Mode: ptr(portal.ModeGroups), Groups: &[]string{"Customers"}}}
	p := setUp(t, a, s)
	if counts, err := a.MemberCounts(t.Context(), p.ID); err != nil || len(counts) > 0 {
		t.Errorf("members of a draft: %v, %v; want none", counts, err)
	}
	r, err := a.SetPortal(t.Context(), p.ID, PortalChanges{State: ptr(portal.Live)})
	if err != nil || r.Invited != 2 || r.Mails != 2 {
		t.Errorf("opening: %+v, %v; want 2 invited by 2 mails", r, err)
	}
	if counts, err := a.MemberCounts(t.Context(), p.ID); err != nil || counts[portal.Invited] != 2 {
		t.Errorf("members: %v, %v; want 2 invited", counts, err)
	}
}

func TestSystemDomainMailsNoAccessGroups(t *testing.T) {
	a, _ := domainApp(t, DefaultBaseURL, nil)
	addContacts(t, a, "Customers", "ann@example.com")
	p := setUp(t, a, Setup{})
	r, err := a.SetAccess(t.Context(), p.ID, AccessChanges{Mode: ptr(portal.ModeGroups), Groups: &[]string{"customers"}})
	if err != nil || r.Invited != 1 || r.Mails != 0 || !MailWithheld(r.Portal) {
		t.Errorf("groups on the system domain: %+v, %v; want 1 invited and no mail", r, err)
	}
}

func addContacts(t *testing.T, a *App, group string, addresses ...string) {
	t.Helper()
	err := a.store.Write(t.Context(), func(tx *store.Tx) error {
		g := portal.Group{Name: group}
		if err := tx.AddGroup(t.Context(), &g); err != nil {
			return err
		}
		for _, address := range addresses {
			c := portal.Contact{Email: address}
			if err := tx.AddContact(t.Context(), &c); err != nil {
				return err
			}
			if _, err := tx.AddToGroup(t.Context(), g.ID, c.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAccessModes(t *testing.T) {
	a, _ := domainApp(t, DefaultBaseURL, nil)
	addContacts(t, a, "Customers")
	p := setUp(t, a, Setup{})
	for _, step := range []struct {
		name    string
		changes AccessChanges
		want    string // the changes, joined
		refused string // the field at fault
	}{
		{"limits", AccessChanges{AllowDomains: &[]string{"@Example.com", "example.com", "exempel.se"}, Approval: ptr(true)}, "allow-domain: example.com,exempel.se; approval: off -> on", ""},
		{"the same", AccessChanges{AllowDomains: &[]string{"exempel.se", "example.com"}}, "", ""},
		{"groups belong to groups", AccessChanges{Groups: &[]string{"Customers"}}, "", "group"},
		{"not a domain", AccessChanges{AllowDomains: &[]string{"com"}}, "", "allow-domain"},
		{"groups without a group", AccessChanges{Mode: ptr(portal.ModeGroups)}, "", "group"},
		{"unknown group", AccessChanges{Mode: ptr(portal.ModeGroups), Groups: &[]string{"Nobody"}}, "", "group"},
		{
			"to groups",
			AccessChanges{Mode: ptr(portal.ModeGroups), Groups: &[]string{"customers"}},
			"mode: self-register -> groups; allow-domain: example.com,exempel.se -> none; approval: on -> off; group: Customers", "",
		},
		{"approval belongs to self-register", AccessChanges{Approval: ptr(true)}, "", "approval"},
		{"methods and timeout", AccessChanges{Methods: &[]portal.SignInMethod{portal.MethodLink}, IdleTimeout: ptr(time.Hour)}, "methods: password,link,passkey -> link; idle-timeout: 40m0s -> 1h0m0s", ""},
		{"consent", AccessChanges{Consent: ptr("Be kind.")}, "consent: version 1", ""},
		{"the same consent", AccessChanges{Consent: ptr("Be kind.")}, "", ""},
		{"another consent", AccessChanges{Consent: ptr("Be very kind.")}, "consent: version 1 -> version 2", ""},
		{"no consent", AccessChanges{Consent: ptr("")}, "consent: version 2 -> none", ""},
		{"consent again", AccessChanges{Consent: ptr("Be kind.")}, "consent: version 3", ""},
		{"back", AccessChanges{Mode: ptr(portal.ModeSelfRegister)}, "mode: groups -> self-register; group: Customers -> none", ""},
	} {
		before := kept(t, a, p.ID)
		r, err := a.SetAccess(t.Context(), p.ID, step.changes)
		if step.refused != "" {
			all := portal.Errors(err)
			if len(all) != 1 || all[0].Field != step.refused {
				t.Errorf("%s: %v, want a fault of %s", step.name, err, step.refused)
			}
			if after := kept(t, a, p.ID); !after.UpdatedAt.Equal(before.UpdatedAt) || after.Access.Mode != before.Access.Mode {
				t.Errorf("%s: refused and written all the same", step.name)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		var got []string
		for _, c := range r.Changes {
			got = append(got, c.String())
		}
		if strings.Join(got, "; ") != step.want {
			t.Errorf("%s: changes %q, want %q", step.name, strings.Join(got, "; "), step.want)
		}
	}
}

func TestTicketSettings(t *testing.T) {
	a, _ := domainApp(t, DefaultBaseURL, nil)
	p := setUp(t, a, Setup{})
	if _, _, err := a.AddInbox(t.Context(), "Desk", portal.InboxHelpdesk, ""); err != nil {
		t.Fatal(err)
	}
	rule, err := portal.ParseRule("department equals Finance")
	if err != nil {
		t.Fatal(err)
	}
	fields, err := portal.ParseFields("priority,order*:Order number")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name    string
		changes TicketChanges
		want    string
		refused string
	}{
		{"inbox", TicketChanges{Inbox: ptr("desk")}, "inbox: Support -> Desk", ""},
		{"inbox by address", TicketChanges{Inbox: ptr("support@example.com")}, "inbox: Desk -> Support", ""},
		{"unknown inbox", TicketChanges{Inbox: ptr("nowhere")}, "", "inbox"},
		{"rules without a rule", TicketChanges{Permissions: ptr(portal.PermitRules)}, "", "rule"},
		{"a rule switches to rules", TicketChanges{Rules: &portal.RuleSet{rule}}, "permissions: contact -> rules; rule: department equals Finance", ""},
		{"the same", TicketChanges{Rules: &portal.RuleSet{rule}, Permissions: ptr(portal.PermitRules)}, "", ""},
		{"rules that company would ignore", TicketChanges{Rules: &portal.RuleSet{rule}, Permissions: ptr(portal.PermitCompany)}, "", "rule"},
		{"company drops the rules", TicketChanges{Permissions: ptr(portal.PermitCompany), CompanyScope: ptr(portal.AllCompanies), CompanyAccess: ptr(portal.CompanyRead)}, "permissions: rules -> company; rule: department equals Finance -> none; company-scope: primary -> all; company-access: reply -> read", ""},
		{"closing", TicketChanges{CustomersClose: ptr(false), ReopenDays: ptr(0)}, "customers-close: on -> off; reopen-days: 14 -> 0", ""},
		{"too many days", TicketChanges{ReopenDays: ptr(-1)}, "", "reopen-days"},
		{"form", TicketChanges{Fields: &fields, Label: ptr("Case:Cases"), ShowAgent: ptr(portal.AgentTeam)}, "fields: priority,order*:Order number:text; show-agent: name -> team; label: Case:Cases", ""},
		{"half a label", TicketChanges{Label: ptr("Case")}, "", "label"},
	} {
		_, changes, err := a.ConfigureTickets(t.Context(), p.ID, step.changes)
		if step.refused != "" {
			all := portal.Errors(err)
			if len(all) != 1 || all[0].Field != step.refused {
				t.Errorf("%s: %v, want a fault of %s", step.name, err, step.refused)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		var got []string
		for _, c := range changes {
			got = append(got, c.String())
		}
		if strings.Join(got, "; ") != step.want {
			t.Errorf("%s: changes %q, want %q", step.name, strings.Join(got, "; "), step.want)
		}
	}
	s := kept(t, a, p.ID).Tickets
	if s.Permissions != portal.PermitCompany || len(s.Rules) > 0 || s.CompanyScope != portal.AllCompanies || s.CustomersClose || s.ReopenDays != 0 || s.LabelMany != "Cases" {
		t.Errorf("kept %+v", s)
	}
}

func TestInboxes(t *testing.T) {
	a, _ := domainApp(t, DefaultBaseURL, nil)
	p := setUp(t, a, Setup{})
	i, created, err := a.AddInbox(t.Context(), "Sales", portal.InboxMail, "Sales@Example.com")
	if err != nil || !created || i.Address != "sales@example.com" {
		t.Fatalf("add: %+v, %v, %v", i, created, err)
	}
	if _, created, err = a.AddInbox(t.Context(), "sales", portal.InboxMail, "sales@example.com"); err != nil || created {
		t.Errorf("the same again: created %v, %v; want unchanged", created, err)
	}
	if _, _, err = a.AddInbox(t.Context(), "Sales", portal.InboxHelpdesk, ""); portal.KindOf(err) != portal.Conflict {
		t.Errorf("another of that name: %v, want Conflict", err)
	}
	if _, _, err = a.AddInbox(t.Context(), "Mail", portal.InboxMail, ""); portal.KindOf(err) != portal.Invalid {
		t.Errorf("without an address: %v, want Invalid", err)
	}
	if _, _, err = a.SetInbox(t.Context(), "Sales", InboxChanges{Address: ptr("")}); portal.KindOf(err) != portal.Invalid {
		t.Errorf("taking the address away: %v, want Invalid", err)
	}
	_, changes, err := a.SetInbox(t.Context(), "sales@example.com", InboxChanges{Kind: ptr(portal.InboxHelpdesk), Address: ptr("")})
	if err != nil || len(changes) != 2 {
		t.Errorf("to a help desk: %v, %v; want two changes", changes, err)
	}
	if err := a.RemoveInbox(t.Context(), "Support"); portal.KindOf(err) != portal.Conflict || !strings.Contains(err.Error(), p.Name) {
		t.Errorf("remove the default inbox: %v, want Conflict naming the portal", err)
	}
	if err := a.RemoveInbox(t.Context(), "Sales"); err != nil {
		t.Errorf("remove a free inbox: %v", err)
	}
}

func TestPortalIsFoundBySlugNameAndAddress(t *testing.T) {
	a, _ := domainApp(t, DefaultBaseURL, nil)
	if _, err := a.PortalNamed(t.Context(), ""); portal.KindOf(err) != portal.NotFound {
		t.Errorf("no portal: %v, want NotFound", err)
	}
	one := setUp(t, a, Setup{})
	if p, err := a.PortalNamed(t.Context(), ""); err != nil || p.ID != one.ID {
		t.Errorf("the only portal: %+v, %v", p, err)
	}
	two := setUp(t, a, Setup{Domain: "support.example.com", Name: ptr("Second")})
	for name, want := range map[string]portal.PortalID{
		"nordic tools": one.ID, "Second": two.ID, "system/help": one.ID, "support.example.com/help/": two.ID,
	} {
		if p, err := a.PortalNamed(t.Context(), name); err != nil || p.ID != want {
			t.Errorf("portal %q: %+v, %v; want %d", name, p, err, want)
		}
	}
	for name, want := range map[string]portal.Kind{"": portal.Invalid, "help": portal.Invalid, "nothing": portal.NotFound} {
		if _, err := a.PortalNamed(t.Context(), name); portal.KindOf(err) != want {
			t.Errorf("portal %q: %v, want %v", name, err, want)
		}
	}
}

func TestStatusNamesWhatIsMissing(t *testing.T) {
	names := portaltest.NewDNS(t)
	a, _ := domainApp(t, DefaultBaseURL, asking(names))
	missing := func(mail bool) []string {
		s, err := a.Status(t.Context(), mail)
		if err != nil {
			t.Fatal(err)
		}
		var commands []string
		for _, m := range s.Missing {
			commands = append(commands, m.Command)
		}
		return commands
	}
	if got := missing(false); !slices.Equal(got, []string{"portalctl init"}) {
		t.Errorf("an empty store misses %q", got)
	}
	setUp(t, a, Setup{Domain: "support.example.com", Draft: true, Access: AccessChanges{Mode: ptr(portal.ModeGroups), Groups: &[]string{"Customers"}}})
	want := []string{
		`portalctl groups members "Customers" --add NAME@EXAMPLE.COM`, "portalctl portal set --state live",
		"portalctl domain verify support.example.com", "portalctl agents add NAME@EXAMPLE.COM", "portalctl serve --smtp smtp://USER@HOST:587",
	}
	if got := missing(false); !slices.Equal(got, want) {
		t.Errorf("misses %q, want %q", got, want)
	}
	if got := missing(true); slices.Contains(got, want[4]) {
		t.Errorf("misses mail although there is a mail server: %q", got)
	}
}
