package app

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// connected puts the portal on a domain of the operator's own, from which
// invitations are mailed.
func (w *world) connect() {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		d := &portal.Domain{Kind: portal.ConnectedDomain, Host: "help.example.com", Language: "en", Token: "x", VerifiedAt: tx.Now}
		if err := tx.AddDomain(ctx, d); err != nil {
			return err
		}
		w.portal.DomainID = d.ID
		if err := tx.SavePortal(ctx, w.portal); err != nil {
			return err
		}
		var err error
		w.portal, err = tx.Portal(ctx, w.portal.ID)
		return err
	})
}

// stranger adds a contact who is in no group.
func (w *world) stranger(address string) *portal.Contact {
	w.t.Helper()
	c, _, err := w.AddContact(w.t.Context(), ContactInput{Email: &address})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) groupOf(name string) {
	w.t.Helper()
	g, _, err := w.AddGroup(w.t.Context(), name, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.portal.Access.Groups = append(w.portal.Access.Groups, g.ID)
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.SavePortal(ctx, w.portal) })
}

func (w *world) statusOf(c *portal.Contact) portal.MemberStatus {
	w.t.Helper()
	var status portal.MemberStatus
	w.write(func(ctx context.Context, tx *store.Tx) error {
		m, err := memberOrNil(ctx, tx, w.portal, c.ID)
		if m != nil {
			status = m.Status
		}
		return err
	})
	return status
}

func TestJoiningAGroupInvitesOnceAlthoughTwoGroupsNameTheContact(t *testing.T) {
	w := newWorld(t, nil)
	w.connect()
	w.groupOf("partners")
	new := w.stranger("new@example.com")

	done, err := w.ChangeGroup(t.Context(), "customers", []string{"new@example.com", "NEW@example.com", "ana@example.com"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(done.Added, []string{"new@example.com"}) || !slices.Equal(done.Unchanged, []string{"ana@example.com"}) || done.Invited != 1 || done.Mails != 1 {
		t.Errorf("joining gave %+v; want new@example.com added and invited, ana@example.com unchanged", done)
	}
	if got := w.mails(); !slices.Equal(got, []string{"invitation to new@example.com"}) {
		t.Errorf("mails %v; want one invitation", got)
	}
	done, err = w.ChangeGroup(t.Context(), "partners", []string{"new@example.com"}, nil)
	if err != nil || len(done.Added) != 1 || done.Invited != 0 || len(w.mails()) != 0 {
		t.Errorf("joining a second group gave %+v, %v; want no second invitation", done, err)
	}
	if got := w.statusOf(new); got != portal.Invited {
		t.Errorf("the contact is %q; want invited", got)
	}
}

func TestJoiningAGroupOnTheSystemDomainMailsNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.stranger("new@example.com")
	done, err := w.ChangeGroup(t.Context(), "customers", []string{"new@example.com"}, nil)
	if err != nil || done.Invited != 1 || done.Mails != 0 || !slices.Equal(done.Silent, []string{"Help"}) {
		t.Errorf("joining gave %+v, %v; want a silent invitation", done, err)
	}
	if got := w.mails(); len(got) > 0 {
		t.Errorf("mails %v; want none", got)
	}
}

func TestJoiningAGroupOfADraftWaits(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.State = portal.Draft })
	new := w.stranger("new@example.com")
	done, err := w.ChangeGroup(t.Context(), "customers", []string{"new@example.com"}, nil)
	if err != nil || done.Invited != 0 || !slices.Equal(done.Waiting, []string{"Help"}) || w.statusOf(new) != "" {
		t.Errorf("joining gave %+v, %v; want it to wait until the portal is live", done, err)
	}
}

func TestUnknownAddressesChangeNothingAndAreAllNamed(t *testing.T) {
	w := newWorld(t, nil)
	w.stranger("new@example.com")
	_, err := w.ChangeGroup(t.Context(), "customers", []string{"new@example.com", "no@example.com", "nor@example.com"}, []string{"ana"})
	if n := len(portal.Errors(err)); n != 3 {
		t.Errorf("got %d problems: %v; want both unknown ones and the wrong address", n, err)
	}
	list, err := w.GroupContacts(t.Context(), "customers", "", 50)
	if err != nil || len(list) != 3 {
		t.Errorf("the group has %d contacts, %v; want it as it was", len(list), err)
	}
	_, err = w.ChangeGroup(t.Context(), "customers", []string{"new@example.com"}, []string{"new@example.com"})
	wantCode(t, err, "group.both")
}

func TestLeavingTheLastGroupEndsSessionsAndLinks(t *testing.T) {
	w := newWorld(t, nil)
	w.groupOf("partners")
	if _, err := w.ChangeGroup(t.Context(), "partners", []string{"ana@example.com"}, nil); err != nil {
		t.Fatal(err)
	}
	session := w.signIn(w.ana)
	link := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})

	done, err := w.ChangeGroup(t.Context(), "customers", nil, []string{"ana@example.com"})
	if err != nil || done.Ended != 0 || !w.visit(session).SignedIn() {
		t.Fatalf("leaving one of two groups gave %+v, %v, signed in %v; want to stay signed in", done, err, w.visit(session).SignedIn())
	}
	done, err = w.ChangeGroup(t.Context(), "partners", nil, []string{"ana@example.com"})
	if err != nil || done.Ended != 1 || w.visit(session).SignedIn() {
		t.Errorf("leaving the last group gave %+v, %v, signed in %v; want the session ended", done, err, w.visit(session).SignedIn())
	}
	if state, err := w.PeekToken(t.Context(), w.visit(""), store.TokenSignIn, link); err != nil || state.Valid {
		t.Errorf("the link is %+v, %v; want it void", state, err)
	}
	// Let in again, what was ended stays ended.
	if _, err := w.ChangeGroup(t.Context(), "partners", []string{"ana@example.com"}, nil); err != nil || w.visit(session).SignedIn() {
		t.Errorf("back in the group (%v) the old session lives again", err)
	}
}

func TestDisablingEndsEverythingAndInvitingLetsBackIn(t *testing.T) {
	w := newWorld(t, nil)
	w.connect()
	session := func() bool { return w.alive(w.ana) }
	w.startSession(w.ana)
	if !session() {
		t.Fatal("no session to begin with")
	}
	list, err := w.DisableMembers(t.Context(), w.portal, []string{"ana@example.com"})
	if err != nil || !list[0].Changed || list[0].Ended != 1 || session() || w.statusOf(w.ana) != portal.Disabled {
		t.Errorf("disabling gave %+v, %v, session %v, status %q", list, err, session(), w.statusOf(w.ana))
	}
	list, err = w.DisableMembers(t.Context(), w.portal, []string{"ana@example.com"})
	if err != nil || list[0].Changed {
		t.Errorf("disabling again gave %+v, %v; want unchanged", list, err)
	}
	_, _, err = w.LinkFor(t.Context(), w.portal, "ana@example.com")
	wantCode(t, err, "entry.disabled")

	list, err = w.InviteMembers(t.Context(), w.portal, []string{"ana@example.com"})
	if err != nil || !list[0].Mailed || w.statusOf(w.ana) != portal.Invited {
		t.Errorf("inviting gave %+v, %v, status %q; want invited", list, err, w.statusOf(w.ana))
	}
	if got := w.mails(); !slices.Equal(got, []string{"invitation to ana@example.com"}) {
		t.Errorf("mails %v; want one invitation", got)
	}
}

// startSession and alive look at sessions in the store, whatever the host.
func (w *world) startSession(c *portal.Contact) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.AddSession(ctx, &store.Session{Hash: []byte(c.Email), Portal: w.portal.ID, Contact: c.ID, ExpiresAt: tx.Now.Add(1e12)})
	})
}

func (w *world) alive(c *portal.Contact) (alive bool) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		list, err := tx.Sessions(ctx, c.ID, 0)
		alive = len(list) > 0
		return err
	})
	return alive
}

func TestInvitingTakesGroupsAndStatesIntoAccount(t *testing.T) {
	w := newWorld(t, nil)
	w.stranger("new@example.com")
	_, err := w.InviteMembers(t.Context(), w.portal, []string{"new@example.com"})
	wantCode(t, err, "entry.no_group")
	_, _, err = w.LinkFor(t.Context(), w.portal, "new@example.com")
	wantCode(t, err, "entry.no_group")
	_, err = w.InviteMembers(t.Context(), w.portal, []string{"ghost@example.com"})
	wantCode(t, err, "contact.none")

	w.setMember(w.ana, portal.Registered)
	list, err := w.InviteMembers(t.Context(), w.portal, []string{"ana@example.com"})
	if err != nil || list[0].Changed || list[0].Mailed {
		t.Errorf("inviting a registered member gave %+v, %v; want unchanged", list, err)
	}
	w.setMember(w.bo, portal.Pending)
	_, err = w.InviteMembers(t.Context(), w.portal, []string{"bo@example.com"})
	wantCode(t, err, "member.pending")
	_, _, err = w.LinkFor(t.Context(), w.portal, "bo@example.com")
	wantCode(t, err, "member.pending")

	to, url, err := w.LinkFor(t.Context(), w.portal, "eve@example.com")
	if err != nil || to != "eve@example.com" || !strings.HasPrefix(url, "http://portal.test:8080/help/invitation/") {
		t.Errorf("a link for Eve is %q, %q, %v", to, url, err)
	}
}

func (w *world) setMember(c *portal.Contact, status portal.MemberStatus) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SaveMember(ctx, &portal.Member{PortalID: w.portal.ID, ContactID: c.ID, Status: status, InvitedAt: tx.Now})
	})
}

func TestApprovingLetsInAndTells(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Access.Mode, p.Access.Groups = portal.ModeSelfRegister, nil })
	w.setMember(w.ana, portal.Pending)
	list, err := w.ApproveMembers(t.Context(), w.portal, []string{"ana@example.com"})
	if err != nil || !list[0].Changed || w.statusOf(w.ana) != portal.Registered {
		t.Errorf("approving gave %+v, %v, status %q", list, err, w.statusOf(w.ana))
	}
	if got := w.mails(); !slices.Equal(got, []string{"approved to ana@example.com"}) {
		t.Errorf("mails %v; want one that tells", got)
	}
	list, err = w.ApproveMembers(t.Context(), w.portal, []string{"ana@example.com"})
	if err != nil || list[0].Changed || len(w.mails()) > 0 {
		t.Errorf("approving again gave %+v, %v; want unchanged and no mail", list, err)
	}
	_, err = w.ApproveMembers(t.Context(), w.portal, []string{"bo@example.com"})
	wantCode(t, err, "member.none")
	w.setMember(w.bo, portal.Disabled)
	_, err = w.ApproveMembers(t.Context(), w.portal, []string{"bo@example.com"})
	wantCode(t, err, "member.not_pending")
}

func TestSeveralMembersAreChangedTogetherOrNotAtAll(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Access.Mode, p.Access.Groups = portal.ModeSelfRegister, nil })
	w.setMember(w.ana, portal.Registered)
	_, err := w.DisableMembers(t.Context(), w.portal, []string{"ana@example.com", "bo@example.com"})
	wantCode(t, err, "member.none")
	if got := w.statusOf(w.ana); got != portal.Registered {
		t.Errorf("Ana is %q after a refused command; want registered", got)
	}
}

func TestRemovingAMemberNeedsThemOutOfTheGroups(t *testing.T) {
	w := newWorld(t, nil)
	w.startSession(w.ana)
	w.setMember(w.ana, portal.Registered)
	_, err := w.RemoveMembers(t.Context(), w.portal, []string{"ana@example.com"})
	wantCode(t, err, "member.in_group")
	if _, err := w.ChangeGroup(t.Context(), "customers", nil, []string{"ana@example.com"}); err != nil {
		t.Fatal(err)
	}
	list, err := w.RemoveMembers(t.Context(), w.portal, []string{"ana@example.com"})
	if err != nil || !list[0].Changed || w.statusOf(w.ana) != "" || w.alive(w.ana) {
		t.Errorf("removing gave %+v, %v, status %q, session %v", list, err, w.statusOf(w.ana), w.alive(w.ana))
	}
}
