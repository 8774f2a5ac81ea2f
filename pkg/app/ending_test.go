package app

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// held is everything by which a contact could get in, or already is.
type held struct {
	session, view                string // tokens of cookies
	link, invitation, reset, see string // of one-time links
	handshake                    []byte
}

const handshakeTest store.HandshakeKind = "test"

// hold lets a contact hold one of everything.
func (w *world) hold(c *portal.Contact) (h held) {
	w.t.Helper()
	hour := w.clock.Now().Add(time.Hour)
	h.session = w.signIn(c)
	for _, l := range []struct {
		to   *string
		kind store.TokenKind
	}{{&h.link, store.TokenSignIn}, {&h.invitation, store.TokenInvitation}, {&h.reset, store.TokenReset}, {&h.see, store.TokenView}} {
		*l.to = w.link(store.Token{Kind: l.kind, Contact: c.ID, ExpiresAt: hour})
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		token, hash, err := auth.NewToken()
		if err != nil {
			return err
		}
		h.view = token
		err = tx.AddSession(ctx, &store.Session{Hash: hash, Portal: w.portal.ID, Contact: c.ID, OpenedBy: "root", Way: portal.WayView, ExpiresAt: hour})
		if err != nil {
			return err
		}
		h.handshake = auth.HashToken("a browser's")
		return tx.AddHandshake(ctx, &store.Handshake{
			Hash: h.handshake, Kind: handshakeTest, Portal: w.portal.ID, Person: portal.Person{Contact: c.ID}, Data: []byte{}, ExpiresAt: hour,
		})
	})
	return h
}

// left lists what of it still works.
func (w *world) left(h held) (works []string) {
	w.t.Helper()
	for name, token := range map[string]string{"session": h.session, "view": h.view} {
		v, err := w.Enter(w.t.Context(), "portal.test:8080", "/help/tickets", token)
		if err == nil && v.SignedIn() {
			works = append(works, name)
		}
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for kind, token := range map[store.TokenKind]string{
			store.TokenSignIn: h.link, store.TokenInvitation: h.invitation, store.TokenReset: h.reset, store.TokenView: h.see,
		} {
			if _, err := validToken(ctx, tx, &Visit{Portal: w.portal}, kind, token); err == nil {
				works = append(works, string(kind)+" link")
			}
		}
		if _, err := tx.Handshake(ctx, handshakeTest, h.handshake); err == nil {
			works = append(works, "handshake")
		}
		return nil
	})
	slices.Sort(works)
	return works
}

// Whatever takes somebody's access ends all they hold at once, and for good:
// getting access back brings none of it back.
func TestLosingAccessEndsEverythingAtOnce(t *testing.T) {
	selfRegister := func(p *portal.Portal) { p.Access.Mode, p.Access.Groups = portal.ModeSelfRegister, nil }
	ruled := portal.RuleSet{{{Property: "plan", Op: portal.OpEquals, Values: []string{"gold"}}}}
	other := portal.RuleSet{{{Property: "plan", Op: portal.OpEquals, Values: []string{"silver"}}}}
	anas := []string{"ana@example.com"}
	access := func(c AccessChanges) func(*world) error {
		return func(w *world) error {
			_, err := w.SetAccess(w.t.Context(), w.portal.ID, c)
			return err
		}
	}
	plan := func(value string) func(*world) error {
		return func(w *world) error {
			_, _, err := w.SetContact(w.t.Context(), anas[0], ContactInput{Properties: map[string]string{"plan": value}})
			return err
		}
	}
	group := func(add, remove []string) func(*world) error {
		return func(w *world) error {
			_, err := w.ChangeGroup(w.t.Context(), "customers", add, remove)
			return err
		}
	}
	members := func(change func(*App, context.Context, *portal.Portal, []string) ([]MemberChange, error)) func(*world) error {
		return func(w *world) error {
			_, err := change(w.App, w.t.Context(), w.portal, anas)
			return err
		}
	}
	rules := func(r portal.RuleSet) func(*world) error {
		return func(w *world) error {
			_, _, _, err := w.SetGroup(w.t.Context(), "customers", GroupInput{Rules: &r})
			return err
		}
	}
	byRule := func(w *world) error {
		if err := plan("gold")(w); err != nil {
			return err
		}
		return rules(ruled)(w)
	}
	empty := func(w *world) error {
		_, _, err := w.AddGroup(w.t.Context(), "empty", nil)
		return err
	}
	for name, tt := range map[string]struct {
		portal        func(*portal.Portal)
		first         func(*world) error // before anything is held; may be nil
		change, again func(*world) error // takes access; gives it back, may be nil
	}{
		"the member is disabled":        {nil, nil, members((*App).DisableMembers), members((*App).InviteMembers)},
		"the contact leaves the group":  {nil, nil, group(nil, anas), group(anas, nil)},
		"a property no longer matches":  {nil, byRule, plan("lead"), plan("gold")},
		"the group gets other rules":    {nil, byRule, rules(other), rules(ruled)},
		"the portal names other groups": {nil, empty, access(AccessChanges{Groups: &[]string{"empty"}}), access(AccessChanges{Groups: &[]string{"customers"}})},
		"the mode becomes groups": {
			selfRegister, empty, access(AccessChanges{Mode: new(portal.ModeGroups), Groups: &[]string{"empty"}}),
			access(AccessChanges{Mode: new(portal.ModeSelfRegister)}),
		},
		"the member is removed": {selfRegister, nil, members((*App).RemoveMembers), members((*App).InviteMembers)},
		"the address changes": {nil, nil, func(w *world) error {
			_, _, err := w.SetContact(w.t.Context(), anas[0], ContactInput{Email: new("other@example.com")})
			return err
		}, nil},
		"the contact is removed": {nil, nil, func(w *world) error {
			_, err := w.RemoveContact(w.t.Context(), anas[0])
			return err
		}, nil},
		"the portal is removed": {nil, nil, func(w *world) error { return w.RemovePortal(w.t.Context(), w.portal.ID) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.portal)
			if tt.first != nil {
				if err := tt.first(w); err != nil {
					t.Fatal(err)
				}
			}
			if w.portal.Access.Mode == portal.ModeSelfRegister {
				w.setMember(w.ana, portal.Registered)
			}
			h := w.hold(w.ana)
			if n := len(w.left(h)); n != 7 {
				t.Fatalf("before the change %v works; want everything", w.left(h))
			}
			if err := tt.change(w); err != nil {
				t.Fatal(err)
			}
			if works := w.left(h); len(works) > 0 {
				t.Errorf("still works: %v", works)
			}
			if tt.again == nil {
				return
			}
			if err := tt.again(w); err != nil {
				t.Fatal(err)
			}
			if works := w.left(h); len(works) > 0 {
				t.Errorf("works again with access: %v", works)
			}
		})
	}
}

// Removing a company takes the sight of its tickets with it, at the next look.
func TestRemovingACompanyEndsTheSightOfItsTickets(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Tickets.Permissions = portal.PermitCompany })
	ticket := &portal.Ticket{
		Subject: "Help", Status: portal.New, Priority: portal.Normal, Requester: w.bo.ID, Company: w.acme.ID, InboxID: w.portal.Tickets.InboxID,
	}
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.AddTicket(ctx, ticket) })
	session := w.signIn(w.ana)
	sees := func() bool {
		_, err := w.Ticket(t.Context(), w.visit(session), ticket.Number)
		if err != nil && portal.KindOf(err) != portal.NotFound {
			t.Fatal(err)
		}
		return err == nil
	}
	if !sees() {
		t.Fatal("a colleague does not see the company's ticket")
	}
	if _, err := w.RemoveCompany(t.Context(), w.acme.Name); err != nil {
		t.Fatal(err)
	}
	if sees() {
		t.Error("the ticket is still seen without the company")
	}
}

// Where an identity provider vouches from now on, nobody stays in by what they
// came with, also those who may still enter.
func TestChangingToAProviderEndsEverySession(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Access.Mode, p.Access.Groups = portal.ModeSelfRegister, nil })
	w.setMember(w.ana, portal.Registered)
	h := w.hold(w.ana)
	registration := w.link(store.Token{Kind: store.TokenRegister, Email: "new@example.com"})
	w.write(func(ctx context.Context, tx *store.Tx) error {
		p := *w.portal
		p.Access.Mode = portal.ModeSSO
		ended, err := w.endOutsiders(ctx, tx, &p, portal.ModeSelfRegister, &Invitations{})
		if ended != 2 {
			t.Errorf("%d sessions ended; want the session and the view", ended)
		}
		if _, err := validToken(ctx, tx, &Visit{Portal: w.portal}, store.TokenRegister, registration); err == nil {
			t.Error("a link to register still works")
		}
		return err
	})
	if works := w.left(h); len(works) > 0 {
		t.Errorf("still works: %v", works)
	}
}
