package app

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// claimed takes the mail that is due, as a server that sends would.
func (w *world) claimed() *store.MailClaim {
	w.t.Helper()
	var claim *store.MailClaim
	w.write(func(ctx context.Context, tx *store.Tx) (err error) {
		claim, err = tx.ClaimMail(ctx)
		return err
	})
	return claim
}

func (w *world) join(group string, addresses ...string) *GroupChange {
	w.t.Helper()
	done, err := w.ChangeGroup(w.t.Context(), group, addresses, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

func (w *world) leave(group string, addresses ...string) *GroupChange {
	w.t.Helper()
	done, err := w.ChangeGroup(w.t.Context(), group, nil, addresses)
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

func TestInvitationsOfAChangeWaitTwoMinutes(t *testing.T) {
	w := newWorld(t, nil)
	w.connect()
	w.stranger("new@example.com")
	done := w.join("customers", "new@example.com")
	if want := w.clock.Now().Add(2 * time.Minute); !done.Until.Equal(want) {
		t.Errorf("the invitation goes out at %v; want %v", done.Until, want)
	}
	w.clock.Add(2*time.Minute - time.Second)
	if c := w.claimed(); c != nil {
		t.Fatalf("a mail goes out within the grace: %+v", c.Mail)
	}
	w.clock.Add(time.Second)
	if c := w.claimed(); c == nil || c.Kind != store.MailInvitation {
		t.Errorf("after the grace %+v goes out; want the invitation", c)
	}
}

func TestWithoutTheGraceInvitationsGoOutAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	w.connect()
	w.inviteNow = true
	w.stranger("new@example.com")
	if done := w.join("customers", "new@example.com"); !done.Until.IsZero() || w.claimed() == nil {
		t.Errorf("joining gave %+v; want the mail due at once", done)
	}
	if done := w.leave("customers", "new@example.com"); done.TakenBack != 0 || done.Told != 1 {
		t.Errorf("leaving gave %+v; want it told already", done)
	}
}

func TestUndoingAChangeTakesItsInvitationsBack(t *testing.T) {
	w := newWorld(t, nil)
	w.connect()
	new := w.stranger("new@example.com")
	w.join("customers", "new@example.com")
	if done := w.leave("customers", "new@example.com"); done.TakenBack != 1 || done.Told != 0 {
		t.Errorf("leaving gave %+v; want the invitation taken back", done)
	}
	if got := w.statusOf(new); got != "" {
		t.Errorf("the contact is %q; want no membership", got)
	}
	w.clock.Add(time.Hour)
	if c := w.claimed(); c != nil {
		t.Errorf("a mail goes out all the same: %+v", c.Mail)
	}
	// As if it never was: the next time counts anew.
	if done := w.join("customers", "new@example.com"); done.Mails != 1 {
		t.Errorf("joining again gave %+v; want an invitation", done)
	}
	// Once a server has begun to send it, it is out.
	w.clock.Add(3 * time.Minute)
	if w.claimed() == nil {
		t.Fatal("no mail is due")
	}
	if done := w.leave("customers", "new@example.com"); done.TakenBack != 0 || done.Told != 1 || w.statusOf(new) != portal.Invited {
		t.Errorf("leaving gave %+v, status %q; want it told", done, w.statusOf(new))
	}
	// Who comes back gets a new invitation, as the old one ended.
	if done := w.join("customers", "new@example.com"); done.Mails != 1 {
		t.Errorf("coming back gave %+v; want an invitation", done)
	}
}

func TestAccessSetBackTakesInvitationsBack(t *testing.T) {
	w := newWorld(t, nil)
	w.connect()
	w.stranger("new@example.com")
	if _, _, err := w.AddGroup(t.Context(), "partners", nil); err != nil {
		t.Fatal(err)
	}
	w.join("partners", "new@example.com")
	both, one := []string{"customers", "partners"}, []string{"customers"}
	r, err := w.SetAccess(t.Context(), w.portal.ID, AccessChanges{Groups: &both})
	if err != nil || r.Invited != 4 || r.Mails != 4 || r.Until.IsZero() {
		t.Fatalf("a second group gave %+v, %v; want four invited", r.Invitations, err)
	}
	if r, err = w.SetAccess(t.Context(), w.portal.ID, AccessChanges{Groups: &one}); err != nil || r.TakenBack != 1 {
		t.Errorf("without it %+v, %v; want one taken back", r.Invitations, err)
	}
	w.clock.Add(time.Minute)
	back, err := w.RecallInvitations(t.Context(), w.portal, nil)
	if err != nil || back.Back != 3 || back.InGroup != 3 {
		t.Errorf("recalling gave %+v, %v; want the other three", back, err)
	}
	if got := w.mails(); len(got) > 0 {
		t.Errorf("mails %v; want none", got)
	}
}

func TestRecallCannotTakeBackWhatIsOut(t *testing.T) {
	w := newWorld(t, nil)
	w.connect()
	w.stranger("a@example.com")
	w.stranger("b@example.com")
	w.join("customers", "a@example.com", "b@example.com")
	w.clock.Add(2 * time.Minute)
	claim := w.claimed()
	if claim == nil {
		t.Fatal("no mail is due")
	}
	r, err := w.RecallInvitations(t.Context(), w.portal, nil)
	if err != nil || r.Back != 1 || len(r.Changes) != 1 {
		t.Fatalf("recalling gave %+v, %v; want the one nobody sends", r, err)
	}
	newCourier(w.App).finish(t.Context(), claim, ids(claim.All()), store.MailResult{State: store.MailSent})
	r, err = w.RecallInvitations(t.Context(), w.portal, nil)
	if err != nil || r.Back != 0 || len(r.Changes) != 0 || r.Gone != 1 {
		t.Errorf("recalling again gave %+v, %v; want to hear of the one that is out", r, err)
	}
	named, err := w.RecallInvitations(t.Context(), w.portal, []string{claim.Recipient})
	if err != nil || named.Changes[0].Changed {
		t.Errorf("recalling one that is out gave %+v, %v", named, err)
	}
}

// An invitation by name goes at once and takes the place of one that waits.
func TestInvitingByNameEndsTheGraceAndOlderLinks(t *testing.T) {
	w := newWorld(t, nil)
	w.connect()
	new := w.stranger("new@example.com")
	w.join("customers", "new@example.com")
	old := w.link(store.Token{Kind: store.TokenInvitation, Contact: new.ID})
	if _, err := w.InviteMembers(t.Context(), w.portal, []string{"new@example.com"}); err != nil {
		t.Fatal(err)
	}
	if got := w.mails(); !slices.Equal(got, []string{"invitation to new@example.com"}) {
		t.Errorf("mails %v; want one", got)
	}
	if r, err := w.RecallInvitations(t.Context(), w.portal, nil); err != nil || r.Back != 0 {
		t.Errorf("recalling took back %d, %v; want none", r.Back, err)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		if _, err := validToken(ctx, tx, &Visit{Portal: w.portal}, store.TokenInvitation, old); err == nil {
			t.Error("the older link works beside the new one")
		}
		return nil
	})
}

func TestNobodyIsInvitedTwiceAtTheSameTime(t *testing.T) {
	w := newWorld(t, nil)
	w.connect()
	new := w.stranger("new@example.com")
	const changes = 50
	for i := range changes {
		w.groupOf(fmt.Sprintf("group %d", i))
	}
	var wait sync.WaitGroup
	var invited atomic.Int32
	for i := range changes {
		wait.Go(func() {
			done, err := w.ChangeGroup(t.Context(), fmt.Sprintf("group %d", i), []string{"new@example.com"}, nil)
			if err != nil {
				t.Error(err)
				return
			}
			invited.Add(int32(done.Invited))
		})
	}
	wait.Wait()
	if got := w.mails(); invited.Load() != 1 || !slices.Equal(got, []string{"invitation to new@example.com"}) {
		t.Errorf("%d changes invited, mails %v; want one", invited.Load(), got)
	}
	if w.statusOf(new) != portal.Invited {
		t.Errorf("the contact is %q", w.statusOf(new))
	}
}

// A mail that waits would end the link that was handed over in its place.
func TestALinkHandedOverTakesThePlaceOfTheMail(t *testing.T) {
	w := newWorld(t, nil)
	w.connect()
	w.stranger("new@example.com")
	w.join("customers", "new@example.com")
	if _, _, err := w.LinkFor(t.Context(), w.portal, "new@example.com"); err != nil {
		t.Fatal(err)
	}
	if got := w.mails(); len(got) > 0 {
		t.Errorf("mails %v; want none beside the link", got)
	}
	if r, err := w.RecallInvitations(t.Context(), w.portal, nil); err != nil || r.Back != 0 {
		t.Errorf("recalling took back %d, %v; want none, as they have a link", r.Back, err)
	}
}

// A mail that had failed and got through after all is an invitation again.
func TestAnInvitationThatGetsThroughIsNotFailed(t *testing.T) {
	w := newWorld(t, nil)
	w.connect()
	new := w.stranger("new@example.com")
	w.inviteNow = true
	w.join("customers", "new@example.com")
	for _, tt := range []struct {
		state store.MailState
		want  portal.MemberStatus
	}{{store.MailFailed, portal.Failed}, {store.MailSent, portal.Invited}} {
		claim := w.claimed()
		if claim == nil {
			t.Fatal("no mail is due")
		}
		newCourier(w.App).finish(t.Context(), claim, ids(claim.All()), store.MailResult{State: tt.state, Error: "no such mailbox"})
		m := w.memberOf(w.portal, new)
		if m.Status != tt.want || m.FailedAt.IsZero() == (tt.want == portal.Failed) {
			t.Errorf("after the mail was %s the member is %+v; want %s", tt.state, m, tt.want)
		}
		if tt.state == store.MailFailed {
			if _, err := w.RetryMails(t.Context(), []portal.MailID{claim.ID}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// second makes another portal on the same domain, for the same groups.
func (w *world) second(slug string) *portal.Portal {
	w.t.Helper()
	p := *w.portal
	p.Slug, p.Name = slug, "The "+slug
	w.write(func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AddPortal(ctx, &p); err != nil {
			return err
		}
		read, err := tx.Portal(ctx, p.ID)
		p = *read
		return err
	})
	return &p
}

func (w *world) memberOf(p *portal.Portal, c *portal.Contact) (m portal.Member) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		found, err := memberOrNil(ctx, tx, p, c.ID)
		if found != nil {
			m = *found
		}
		return err
	})
	return m
}

func TestRegisteredOnceIsRegisteredInEveryPortal(t *testing.T) {
	w := newWorld(t, nil)
	w.connect()
	w.groupOf("partners")
	other := w.second("other")
	w.portal.Access.Groups = w.portal.Access.Groups[:1]
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.SavePortal(ctx, w.portal) })
	new := w.stranger("new@example.com")
	w.setMember(new, portal.Registered)

	done := w.join("partners", "new@example.com")
	if done.Invited != 1 || done.Registered != 1 || done.Mails != 1 {
		t.Errorf("joining gave %+v; want them registered and told", done)
	}
	m := w.memberOf(other, new)
	if m.Status != portal.Registered || !m.RegisteredAt.Equal(w.clock.Now()) || !m.LastSignInAt.IsZero() {
		t.Errorf("the membership is %+v; want registered now", m)
	}
	if got := w.mails(); !slices.Equal(got, []string{"access_given to new@example.com"}) {
		t.Errorf("mails %v; want one that tells, without an invitation", got)
	}
	// Within the grace it can be taken back like any other.
	w.leave("partners", "new@example.com")
	w.join("partners", "new@example.com")
	if done := w.leave("partners", "new@example.com"); done.TakenBack != 1 || w.memberOf(other, new).Status != "" {
		t.Errorf("leaving gave %+v, status %q; want it taken back", done, w.memberOf(other, new).Status)
	}
}

func TestRegisteringTurnsOtherInvitationsIntoMemberships(t *testing.T) {
	w := newWorld(t, nil)
	w.connect()
	other := w.second("other")
	new := w.stranger("new@example.com")
	if done := w.join("customers", "new@example.com"); done.Mails != 2 {
		t.Fatalf("joining gave %+v; want two invitations", done)
	}
	token := w.link(store.Token{Kind: store.TokenInvitation, Contact: new.ID, ExpiresAt: w.clock.Now().Add(time.Hour)})
	if _, _, err := w.Join(t.Context(), &Visit{Portal: w.portal}, store.TokenInvitation, token, Joining{Name: "New"}, phone); err != nil {
		t.Fatal(err)
	}
	if m := w.memberOf(other, new); m.Status != portal.Registered {
		t.Errorf("in the other portal they are %q; want registered", m.Status)
	}
	// What waits to be sent for the other portal tells them, and carries no link to register.
	var waiting []store.Mail
	w.write(func(ctx context.Context, tx *store.Tx) (err error) {
		waiting, err = tx.Outbox(ctx, store.OutboxFilter{States: []store.MailState{store.MailWaiting}})
		return err
	})
	for i := range waiting {
		if waiting[i].Portal != other.ID {
			continue
		}
		p, err := newCourier(w.App).parcel(t.Context(), &waiting[i])
		if err != nil || p.letter == nil || p.letter.Kind != portal.LetterAccess || p.letter.Once {
			t.Errorf("the letter is %+v, dropped %q, %v; want one that tells of the access", p.letter, p.drop, err)
		}
		return
	}
	t.Error("nothing tells them of the other portal")
}

func TestOneInvitationOrRegistrationLetsInOnce(t *testing.T) {
	for _, kind := range []store.TokenKind{store.TokenInvitation, store.TokenRegister} {
		t.Run(string(kind), func(t *testing.T) {
			w := newWorld(t, func(p *portal.Portal) {
				if kind == store.TokenRegister {
					p.Access.Mode, p.Access.Groups = portal.ModeSelfRegister, nil
				}
			})
			link := store.Token{Kind: kind, ExpiresAt: w.clock.Now().Add(time.Hour)}
			if kind == store.TokenInvitation {
				link.Contact = w.ana.ID
			} else {
				link.Email = "new@example.com"
			}
			token := w.link(link)
			visit := w.visit("")
			var wait sync.WaitGroup
			var in atomic.Int32
			for range 50 {
				wait.Go(func() {
					_, _, err := w.Join(t.Context(), visit, kind, token, Joining{Name: "New"}, phone)
					switch code := codeOf(err); {
					case err == nil:
						in.Add(1)
					case code != "token.used":
						t.Errorf("got %v; want token.used", err)
					}
				})
			}
			wait.Wait()
			if in.Load() != 1 {
				t.Errorf("%d of 50 got in; want exactly one", in.Load())
			}
		})
	}
}

func codeOf(err error) string {
	for _, e := range portal.Errors(err) {
		return e.Code
	}
	return ""
}
