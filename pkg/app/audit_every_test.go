package app

import (
	"context"
	"errors"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// unaudited are the methods of App that write no entry of the audit log, and
// why. Whoever adds a method that changes rights, settings or data about
// people writes an entry, and proves it in TestActsAreAudited or in a test of
// its own that is named in auditedElsewhere.
var unaudited = map[string]string{
	"it only reads": `Checks CompanyAgents PlanMerge Properties SplitChoices Tags AcceptsMail Account ActingAgent Agent Agents AuditLog AuditRetention BaseURL Companies Contact Contacts DeskTickets
		Domain DomainRecords Domains LookAtDomain LookAtNew Draft Enter Explain Factor GroupContacts Groups GroupsOfPortal Inbox Inboxes Known MailboxPlace
		MayAddPasskey MemberCounts Members OffersPasskeys NoticeOff NoticeOffPath Outbox Passkey PasskeysWork PeekLook PeekToken PortalNamed
		Portals PreviewChange PreviewGroup PreviewRules ProofWays Proven Ready Review SSOAddresses SendsMail PeekRating RatingPath Report OperatorReport ShowCompany ShowContact
		Desk DeskFrame QueueTickets StopFeed WatchDesk
		ShowGroup ShowMember ShowTicket Status Store TestAccess Tickets URL UsualAnswer VerifyAudit WaitingInvitations`,
	"it reads a portal's face":                                           `Picture PortalAt`,
	"it reads an operator's words for sentences of ours":                 `PortalTexts`,
	"it reads where portals are found":                                   `Address Addresses Neighbour PlanDomainRemoval`,
	"the conversation page of the help desk reads":                       `Canned CannedAnswers CannedNamed DeskHistory DeskOpening FillCanned NewDraft NewerMessages`,
	"a ticket's own history tells which agent did it":                    `SaveNote SendAnswer UndoAnswer`,
	"reading notes that a mention was seen, which is the reader's own":   `Conversation`,
	"a draft is seen by nobody but the agent":                            `KeepDeskDraft KeepDeskFiles KeepNewDraft`,
	"who has a page open is forgotten in a minute":                       `EndPresence KeepPresence`,
	"how serve was started is no change; where links lead is Remember's": `RememberServe`,
	"when a domain was first served by TLS is nobody's act":              `Served`,
	"it works on a copy that is thrown away":                             `OnCopy`,
	"a ticket's own history tells who did it":                            `Assign AssignTicket LinkTickets LookAfterDesk Promise Snooze Split TagTicket UnlinkTickets Wake CloseTicket CreateTicket DeskClose DeskReopen DeskReply OpenDeskTicket OpenTicket Rate RateTicket ReopenTicket Reply`,
	"it does what has a line of its own, to several tickets":             `BulkTickets`,
	"reading moves a read mark, which is the reader's own":               `Ticket TicketBefore`,
	"a view is how an agent looks for tickets, and opens none":           `MoveView RemoveView RenameView SaveView`,
	"a draft is seen by nobody but its writer":                           `KeepDraft`,
	"the outbox itself tells what became of a mail":                      `Deliver DropMails RetryFailedMails RetryMails SendTest`,
	"it only reads, for mail that comes in":                              `HeldMail HeldMails Ledger Mailboxes MailboxAfter RawMail`,
	"the ledger tells what became of a mail that came in":                `MailboxReached NoteMailbox TakeMail`,
	"how certificates go is no act of anybody":                           `CertificateHosts Certificates FirstHost ForgetCertificate KeepCertificates MayHaveCertificate NoteCertificate SiteOf`,
	"of what somebody hears by mail is their own choice":                 `SaveNotify TurnNoticeOff`,
	"it says that a session is in use":                                   `Seen`,
	"it asks for a mail or begins a step that may come to nothing":       `BeginPasskey BeginPasskeyProof BeginPasskeySignIn BeginSSO ChangeEmail MailProof Register RequestLink RequestReset SetUpFactor`,
	"it names a passkey, which changes nothing it opens":                 `RenamePasskey`,
	"it tells where to sign out elsewhere, after SignOut wrote it down":  `ProviderSignOut SignedOutAtProvider`,
	"it calls what has entries of its own":                               `RecheckDomains Run WaitForDomain`,
}

// auditedElsewhere are methods whose entries are checked by tests about what
// else they do, by those who know how to get there.
var auditedElsewhere = `AcceptHeld RefuseHeld AddPasskey Agree ChangePassword ConfirmEmail ConfirmFactor EndAllSessions EndSession EraseContact FinishSSO
	GiveFactor Join NewRecoveryCodes NotMe ProveByMail ProveByPasskey ProveByPassword RecallInvitations RefuseMembers RemovePasskey
	Reset ResetAgentFactor ResetContactFactor SetAgentsFactor SignIn SignInByPasskey TakeOutOf TakeOutOwn TurnOffFactor WithdrawConsent
	CheckDomain Look File`

// act is something done through a method of App, and the kind of the entry it
// has to leave.
type act struct {
	method string
	kind   portal.AuditKind
	do     func(ctx context.Context, w *world) error
}

// failed drops what a call returns beside its error.
func failed(results ...any) error {
	err, _ := results[len(results)-1].(error)
	return err
}

// acts run one after another on one world.
var acts = []act{
	{"SetUp", portal.AuditPortalAdded, func(ctx context.Context, w *world) error {
		return failed(w.SetUp(ctx, Setup{
			Name: new("Second"), Domain: System, Slug: new("second"), Inbox: InboxChoice{Name: "Support"},
			Tickets: TicketChanges{Permissions: new(portal.PermitContact)}, Access: AccessChanges{Mode: new(portal.ModeSelfRegister)},
		}))
	}},
	{"SetPortal", portal.AuditPortalChanged, func(ctx context.Context, w *world) error {
		return failed(w.SetPortal(ctx, w.portal.ID, PortalChanges{Name: new("Renamed")}))
	}},
	{"ConfigureTickets", portal.AuditTickets, func(ctx context.Context, w *world) error {
		return failed(w.ConfigureTickets(ctx, w.portal.ID, TicketChanges{Permissions: new(portal.PermitCompany)}))
	}},
	{"SetAccess", portal.AuditAccess, func(ctx context.Context, w *world) error {
		return failed(w.SetAccess(ctx, w.portal.ID, AccessChanges{IdleTimeout: new(time.Hour)}))
	}},
	{"ConnectDomain", portal.AuditDomainAdded, func(ctx context.Context, w *world) error {
		return failed(w.ConnectDomain(ctx, "support.example.com", "en"))
	}},
	{"SetTexts", portal.AuditTexts, func(ctx context.Context, w *world) error {
		return failed(w.SetTexts(ctx, w.portal.ID, "en", map[string]portal.Text{"sign_in.title": {"other": "Enter"}}))
	}},
	{"AddAddress", portal.AuditAddressAdded, func(ctx context.Context, w *world) error {
		return failed(w.AddAddress(ctx, w.portal.ID, "support.example.com/hjalp"))
	}},
	{"RemoveAddress", portal.AuditAddressRemoved, func(ctx context.Context, w *world) error {
		return failed(w.RemoveAddress(ctx, 0, "support.example.com/hjalp"))
	}},
	{"SetDomainSecurity", portal.AuditDomainChanged, func(ctx context.Context, w *world) error {
		return failed(w.SetDomainSecurity(ctx, "support.example.com", DomainSecurity{HSTS: "on"}))
	}},
	{"SetDomain", portal.AuditDomainChanged, func(ctx context.Context, w *world) error {
		return failed(w.SetDomain(ctx, "support.example.com", DomainChanges{Language: new("sv")}))
	}},
	{"RemoveDomain", portal.AuditDomainRemoved, func(ctx context.Context, w *world) error {
		return failed(w.RemoveDomain(ctx, "support.example.com"))
	}},
	{"SetAddress", portal.AuditServer, func(ctx context.Context, w *world) error { return w.SetAddress(ctx, []string{"192.0.2.7"}) }},
	{"Remember", portal.AuditServer, func(ctx context.Context, w *world) error { return w.Remember(ctx, w.baseURL, "help@example.com") }},
	{"AddInbox", portal.AuditInboxAdded, func(ctx context.Context, w *world) error {
		return failed(w.AddInbox(ctx, "Other", portal.InboxHelpdesk, ""))
	}},
	{"SetInbox", portal.AuditInboxChanged, func(ctx context.Context, w *world) error {
		return failed(w.SetInbox(ctx, "Other", InboxChanges{Name: new("Others")}))
	}},
	{"RemoveInbox", portal.AuditInboxRemoved, func(ctx context.Context, w *world) error { return w.RemoveInbox(ctx, "Others") }},
	{"AddGroup", portal.AuditGroupAdded, func(ctx context.Context, w *world) error { return failed(w.AddGroup(ctx, "Partners", nil)) }},
	{"SetGroup", portal.AuditGroupChanged, func(ctx context.Context, w *world) error {
		return failed(w.SetGroup(ctx, "Partners", GroupInput{Name: new("Friends")}))
	}},
	{"RemoveGroup", portal.AuditGroupRemoved, func(ctx context.Context, w *world) error { return failed(w.RemoveGroup(ctx, "Friends")) }},
	{"AddCompany", portal.AuditCompanyAdded, func(ctx context.Context, w *world) error {
		return failed(w.AddCompany(ctx, CompanyInput{Name: new("Gamma")}))
	}},
	{"SetCompany", portal.AuditCompanyChanged, func(ctx context.Context, w *world) error {
		return failed(w.SetCompany(ctx, "Gamma", CompanyInput{Domain: new("gamma.example")}))
	}},
	{"RemoveCompany", portal.AuditCompanyRemoved, func(ctx context.Context, w *world) error { return failed(w.RemoveCompany(ctx, "Gamma")) }},
	{"AddContact", portal.AuditContactAdded, func(ctx context.Context, w *world) error {
		return failed(w.AddContact(ctx, ContactInput{Email: new("zed@example.com")}))
	}},
	{"SetContact", portal.AuditContactChanged, func(ctx context.Context, w *world) error {
		return failed(w.SetContact(ctx, "zed@example.com", ContactInput{Companies: &[]string{"Acme"}}))
	}},
	{"ChangeGroup", portal.AuditGroupJoined, func(ctx context.Context, w *world) error {
		return failed(w.ChangeGroup(ctx, "customers", []string{"zed@example.com"}, nil))
	}},
	{"ChangeGroup", portal.AuditAccessEnded, func(ctx context.Context, w *world) error {
		return failed(w.ChangeGroup(ctx, "customers", nil, []string{"zed@example.com"}))
	}},
	{"RemoveContact", portal.AuditContactRemoved, func(ctx context.Context, w *world) error { return failed(w.RemoveContact(ctx, "zed@example.com")) }},
	{"LinkFor", portal.AuditLink, func(ctx context.Context, w *world) error { return failed(w.LinkFor(ctx, w.portal, "bo@example.com")) }},
	{"MemberLink", portal.AuditLink, func(ctx context.Context, w *world) error { return failed(w.MemberLink(ctx, w.portal, w.bo.ID)) }},
	{"DisableMembers", portal.AuditDisabled, func(ctx context.Context, w *world) error {
		return failed(w.DisableMembers(ctx, w.portal, []string{"bo@example.com"}))
	}},
	{"InviteMembers", portal.AuditInvited, func(ctx context.Context, w *world) error {
		return failed(w.InviteMembers(ctx, w.portal, []string{"bo@example.com"}))
	}},
	{"OpenAs", portal.AuditViewMade, func(ctx context.Context, w *world) error { return failed(w.OpenAs(ctx, w.portal, "ana@example.com")) }},
	{"AddAgent", portal.AuditAgentAdded, func(ctx context.Context, w *world) error {
		return failed(w.AddAgent(ctx, AgentInput{Email: new("new@desk.example"), Name: new("New")}))
	}},
	{"AgentLink", portal.AuditLink, func(ctx context.Context, w *world) error { return failed(w.AgentLink(ctx, w.portal, w.agent.ID)) }},
	{"SaveDeskSettings", portal.AuditAgentChanged, func(ctx context.Context, w *world) error {
		away := true
		_, err := w.SaveDeskSettings(ctx, &Visit{Portal: portal.DeskPortal(portal.Domain{}), Agent: w.agent}, DeskSettings{Away: &away})
		return err
	}},
	{"SetAgent", portal.AuditAgentChanged, func(ctx context.Context, w *world) error {
		return failed(w.SetAgent(ctx, "new@desk.example", AgentInput{Role: new("admin")}))
	}},
	{"RemoveAgent", portal.AuditAgentRemoved, func(ctx context.Context, w *world) error { return failed(w.RemoveAgent(ctx, "new@desk.example")) }},
	{"ExportContacts", portal.AuditExport, func(ctx context.Context, w *world) error {
		return failed(w.ExportContacts(ctx, io.Discard, ExportCSV))
	}},
	{"ExportCompanies", portal.AuditExport, func(ctx context.Context, w *world) error {
		return failed(w.ExportCompanies(ctx, io.Discard, ExportCSV))
	}},
	{"ExportAllTickets", portal.AuditExport, func(ctx context.Context, w *world) error {
		return failed(w.ExportAllTickets(ctx, io.Discard, ExportJSON))
	}},
	{"ExportAudit", portal.AuditExport, func(ctx context.Context, w *world) error { return failed(w.ExportAudit(ctx, io.Discard)) }},
	{"ExportTickets", portal.AuditExport, func(ctx context.Context, w *world) error {
		return w.ExportTickets(ctx, w.as(w.ana), ListQuery{}, func(*portal.TicketRow) error { return nil })
	}},
	{"ImportContacts", portal.AuditImport, func(ctx context.Context, w *world) error {
		return failed(w.ImportContacts(ctx, strings.NewReader("email\nimp@example.com\n"), 22, ImportOptions{}))
	}},
	{"ImportCompanies", portal.AuditImport, func(ctx context.Context, w *world) error {
		return failed(w.ImportCompanies(ctx, strings.NewReader("name\nImported\n"), 14, ImportOptions{}))
	}},
	{"ImportTickets", portal.AuditImport, func(ctx context.Context, w *world) error {
		return failed(w.ImportTickets(ctx, strings.NewReader("subject,requester_email\nBroken,ana@example.com\n"), 47, ImportOptions{Portal: w.portal}))
	}},
	{"PreviewPortal", portal.AuditViewOpened, func(ctx context.Context, w *world) error {
		return failed(w.PreviewPortal(ctx, w.portal.ID, PortalChanges{}, &url.URL{Scheme: "http", Host: "127.0.0.1:1"}, "ana@example.com"))
	}},
	{"EndPreview", portal.AuditViewEnded, func(ctx context.Context, w *world) error {
		p, err := w.PreviewPortal(ctx, w.portal.ID, PortalChanges{}, &url.URL{Scheme: "http", Host: "127.0.0.1:1"}, "ana@example.com")
		if err != nil {
			return err
		}
		return w.EndPreview(ctx, p)
	}},
	{"SetCanned", portal.AuditCannedAdded, func(ctx context.Context, w *world) error {
		return failed(w.SetCanned(ctx, nil, CannedInput{Name: new("Hello"), Body: new("Hello {{first_name}}")}))
	}},
	{"SetCanned", portal.AuditCannedChanged, func(ctx context.Context, w *world) error {
		return failed(w.SetCanned(ctx, nil, CannedInput{Name: new("hello"), Body: new("Hi {{first_name}}")}))
	}},
	{"RemoveCanned", portal.AuditCannedRemoved, func(ctx context.Context, w *world) error {
		return failed(w.RemoveCanned(ctx, nil, 0, "Hello"))
	}},
	{"OpenFor", portal.AuditContactAdded, func(ctx context.Context, w *world) error {
		return failed(w.OpenFor(ctx, w.asAgent(), NewForContact{Email: "caller@example.com", Add: true, Subject: "By phone", Body: "It rings"}))
	}},
	{"SetConfidential", portal.AuditSight, func(ctx context.Context, w *world) error {
		return w.SetConfidential(ctx, w.as(w.ana), portal.FirstTicketNumber, true)
	}},
	{"AddParticipant", portal.AuditSight, func(ctx context.Context, w *world) error {
		return w.AddParticipant(ctx, w.as(w.ana), portal.FirstTicketNumber, "bo@example.com")
	}},
	{"RemoveParticipant", portal.AuditSight, func(ctx context.Context, w *world) error {
		return w.RemoveParticipant(ctx, w.as(w.ana), portal.FirstTicketNumber, w.bo.ID)
	}},
	{"SetTicket", portal.AuditSight, func(ctx context.Context, w *world) error {
		return failed(w.SetTicket(ctx, CommandHand(portal.ByOperator), portal.FirstTicketNumber, TicketPatch{Confidential: new(false)}))
	}},
	{"Merge", portal.AuditSight, func(ctx context.Context, w *world) error {
		h := CommandHand(portal.ByOperator)
		other, err := w.OpenTicket(ctx, w.as(w.bo), NewTicket{Subject: "another", Body: "x"})
		if err != nil {
			return err
		}
		plan, err := w.PlanMerge(ctx, h, other, portal.FirstTicketNumber)
		if err != nil {
			return err
		}
		return w.Merge(ctx, h, other, portal.FirstTicketNumber, plan.Seen)
	}},
	{"UseLink", portal.AuditSignIn, func(_ context.Context, w *world) error { w.signIn(w.ana); return nil }},
	{"SignOut", portal.AuditSignOut, func(ctx context.Context, w *world) error { return w.SignOut(ctx, w.as(w.ana)) }},
	{"SaveProfile", portal.AuditContactChanged, func(ctx context.Context, w *world) error {
		if err := failed(w.AddGroup(ctx, "Swedes", portal.RuleSet{{{Property: "language", Op: portal.OpEquals, Values: []string{"sv"}}}})); err != nil {
			return err
		}
		if err := failed(w.SetPortal(ctx, w.portal.ID, PortalChanges{Languages: &[]string{"sv"}})); err != nil {
			return err
		}
		return w.SaveProfile(ctx, w.as(w.ana), "Ana", "sv", "")
	}},
	{"SetAuditRetention", portal.AuditRetention, func(ctx context.Context, w *world) error { return failed(w.SetAuditRetention(ctx, 365)) }},
	{"ApproveMembers", portal.AuditApproved, func(ctx context.Context, w *world) error {
		w.write(func(ctx context.Context, tx *store.Tx) error {
			m, err := tx.Member(ctx, w.portal.ID, w.eve.ID)
			if portal.KindOf(err) == portal.NotFound {
				m, err = &portal.Member{PortalID: w.portal.ID, ContactID: w.eve.ID}, nil
			}
			m.Status, m.RequestedAt = portal.Pending, tx.Now
			return errors.Join(err, tx.SaveMember(ctx, m))
		})
		return failed(w.ApproveMembers(ctx, w.portal, []string{"eve@example.com"}))
	}},
	{"RemoveMembers", portal.AuditMemberRemoved, func(ctx context.Context, w *world) error {
		if err := failed(w.SetAccess(ctx, w.portal.ID, AccessChanges{Mode: new(portal.ModeSelfRegister)})); err != nil {
			return err
		}
		return failed(w.RemoveMembers(ctx, w.portal, []string{"eve@example.com"}))
	}},
	{"RemovePortal", portal.AuditPortalRemoved, func(ctx context.Context, w *world) error { return w.RemovePortal(ctx, w.portal.ID) }},
}

// Every method of App is one that leaves an entry, or says why not.
func TestEveryMethodIsAuditedOrSaysWhyNot(t *testing.T) {
	known := map[string]string{}
	list := func(why, names string) {
		for _, name := range strings.Fields(names) {
			if other, twice := known[name]; twice && other != why {
				t.Errorf("%s is listed twice: %q and %q", name, other, why)
			}
			known[name] = why
		}
	}
	for why, names := range unaudited {
		list(why, names)
	}
	list("elsewhere", auditedElsewhere)
	for _, a := range acts {
		list("proven here", a.method)
	}
	all := reflect.TypeFor[*App]()
	for i := range all.NumMethod() {
		name := all.Method(i).Name
		if known[name] == "" {
			t.Errorf("nobody says what App.%s leaves in the audit log: prove its entry in acts, or say why there is none", name)
		}
		delete(known, name)
	}
	for name := range known {
		t.Errorf("App has no method %s any more", name)
	}
}

func TestActsAreAudited(t *testing.T) {
	w := newWorld(t, nil)
	w.operator = "olle"
	ctx := t.Context()
	for _, a := range acts {
		var before portal.AuditID
		if lines := w.auditLines(AuditQuery{Limit: 1}); len(lines) > 0 {
			before = lines[0].ID
		}
		if err := a.do(ctx, w); err != nil {
			t.Fatalf("%s: %v", a.method, err)
		}
		lines := w.auditLines(AuditQuery{Limit: 50})
		lines = slices.DeleteFunc(lines, func(l AuditLine) bool { return l.ID <= before })
		if !slices.ContainsFunc(lines, func(l AuditLine) bool { return l.Kind == a.kind && l.Who != "system" }) {
			t.Errorf("%s left no entry of the kind %s by anybody: %+v", a.method, a.kind, lines)
		}
	}
	if chain, err := w.VerifyAudit(ctx); err != nil || chain.Broken != 0 {
		t.Errorf("%v, %v", chain.Breaks, err)
	}
}
