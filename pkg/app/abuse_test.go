package app

import (
	"context"
	"encoding/base64"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func TestDraftsOfMadeUpTicketsAreNotKept(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	token := w.signIn(w.ana)
	ana := w.visit(token)
	anas, eves := w.open(ana, NewTicket{}), w.open(w.as(w.eve), NewTicket{})
	w.clock.Add(2 * portal.DefaultIdleTimeout)
	for name, v := range map[string]*Visit{"signed in": w.as(w.ana), "ended": w.visit(token)} {
		for key, want := range map[string]bool{"new": true, anas.String(): true, eves.String(): false, "T-987654": false} {
			err := w.KeepDraft(ctx, v, key, map[string]string{"body": "x"})
			if want && err != nil || !want && portal.KindOf(err) != portal.NotFound {
				t.Errorf("%s, draft of %s: %v", name, key, err)
			}
		}
	}
}

func TestFilesOfRefusedMessagesCount(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.as(w.ana)
	send := func(size int64) error {
		_, err := w.OpenTicket(t.Context(), ana, NewTicket{
			Subject: "S", Body: "B", Follows: 999999,
			Files: []Upload{{Name: "zeros", Content: io.LimitReader(zeros{}, size)}},
		})
		return err
	}
	wantCode(t, send(1000), "ticket.none")
	w.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.CountBy(ctx, "files:1", filesPerDay-1000, time.Hour)
		return err
	})
	if w.ana.ID != 1 {
		t.Fatalf("Ana is contact %d", w.ana.ID)
	}
	wantCode(t, send(1000), "file.too_many_bytes")
	w.clock.Add(25 * time.Hour)
	ana = w.as(w.ana)
	wantCode(t, send(1000), "ticket.none")
}

func TestManyAddressesAreNotLookedUp(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.as(w.ana)
	before := w.store.Queries()
	_, err := w.OpenTicket(t.Context(), ana, NewTicket{Subject: "S", Body: "B", Participants: slices.Repeat([]string{w.bo.Email}, 10_000)})
	wantCode(t, err, "participant.too_many")
	if n := w.store.Queries() - before; n > 100 {
		t.Errorf("%d statements ran", n)
	}
}

func TestDraftPortalHidesBehindLinks(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.State = portal.Draft })
	agents := w.link(store.Token{Kind: store.TokenSignIn, Agent: w.agent.ID})
	anas := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})
	for path, want := range map[string]bool{
		agents: true, anas: false, "": false, "x": false, "x/y": false, agents + "/": false, strings.Repeat("A", 43): false,
	} {
		_, err := w.Enter(t.Context(), "portal.test", "/help/sign-in/link/"+path, "")
		if want && err != nil || !want && portal.KindOf(err) != portal.NotFound {
			t.Errorf("a draft at …/link/%s: %v", path, err)
		}
	}
}

// An invitation, or a registration with an address that is known, proves the
// address for this portal. It is no way around the present password.
func TestJoiningKeepsThePasswordThereIs(t *testing.T) {
	const other = "seven quiet rivers at dusk"
	w := newWorld(t, func(p *portal.Portal) { p.Access.Mode, p.Access.Groups = portal.ModeSelfRegister, nil })
	ctx := t.Context()
	w.withPassword(w.ana)
	for _, token := range []store.Token{
		{Kind: store.TokenRegister, Email: w.ana.Email}, {Kind: store.TokenInvitation, Contact: w.ana.ID},
	} {
		link := w.link(token)
		if state, err := w.PeekToken(ctx, w.visit(""), token.Kind, link); err != nil || state.NeedsPassword {
			t.Errorf("%s: asked for a new password: %+v, %v", token.Kind, state, err)
		}
		in, _, err := w.Join(ctx, w.visit(""), token.Kind, link, Joining{Name: "Ana", Password: other}, phone)
		if err != nil || w.visit(in.Token).Contact == nil {
			t.Fatalf("%s: %v", token.Kind, err)
		}
		if _, err := w.SignIn(ctx, w.visit(""), w.ana.Email, goodPassword, "", phone); err != nil {
			t.Errorf("%s: the password was changed: %v", token.Kind, err)
		}
	}
}

func TestRegistrationFollowsTheSettingsOfTheMoment(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) {
		p.Access.Mode, p.Access.Groups, p.Access.Approval, p.Access.AllowDomains = portal.ModeSelfRegister, nil, true, []string{"acme.test"}
	})
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SaveMember(ctx, &portal.Member{PortalID: w.portal.ID, ContactID: w.ana.ID, Status: portal.Invited})
	})
	join := func(address string) (bool, error) {
		token := w.link(store.Token{Kind: store.TokenRegister, Email: address})
		_, pending, err := w.Join(t.Context(), w.visit(""), store.TokenRegister, token, Joining{Name: "N"}, phone)
		return pending, err
	}
	if pending, err := join(w.ana.Email); pending || err != nil {
		t.Errorf("somebody who was invited awaits approval: %t, %v", pending, err)
	}
	if pending, err := join("new@acme.test"); !pending || err != nil {
		t.Errorf("a stranger: pending %t, %v", pending, err)
	}
	_, err := join("new@elsewhere.test")
	wantCode(t, err, "token.unknown")
}

// Guesses sent all at once pass the first look before a failure counts. While
// one is checked, which takes long here, the others use up what is free.
func TestManyGuessesAtOnceAreSlowedLikeOthers(t *testing.T) {
	w := newWorld(t, nil)
	salt := make([]byte, 16)
	b64 := base64.RawStdEncoding.EncodeToString
	slow := "$argon2id$v=19$m=65536,t=16,p=1$" + b64(salt) + "$" + b64(argon2.IDKey([]byte(goodPassword), salt, 16, 64<<10, 1, 32))
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SetPasswordHash(ctx, portal.Person{Contact: w.ana.ID}, slow)
	})
	v, before := w.visit(""), w.store.Queries()
	const looked = 6 // the statements before the check: counters, contact, rights and hash
	guess := make(chan error, 1)
	go func() {
		_, err := w.SignIn(t.Context(), v, w.ana.Email, goodPassword, "", phone)
		guess <- err
	}()
	for w.store.Queries() < before+looked {
		runtime.Gosched()
	}
	for range freeFailures {
		if err := w.failed(t.Context(), "fail:account:"+addressKey(w.ana.Email), "fail:net:elsewhere", portal.AuditEntry{Kind: portal.AuditSignInFailed}); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, <-guess, "sign_in.slow")
}

func TestLinksGoOnlyToTheAddressToSignInWith(t *testing.T) {
	w := newWorld(t, nil)
	sent := 0
	w.mailer = flaky(func(*portal.Letter) portal.Delivery { sent++; return portal.Delivery{Outcome: portal.Delivered} })
	m := w.queue(signInMail(w.ana))[0]
	home := "ana@home.example"
	if _, _, err := w.SetContact(t.Context(), w.ana.Email, ContactInput{MemberEmail: &home}); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	if sent != 0 || w.outbox(m.ID).State() != store.MailDropped {
		t.Errorf("a link went to the address from before: %d, %s", sent, w.outbox(m.ID).State())
	}
}

func TestDigestLosesNoNoticeThatCameLater(t *testing.T) {
	w := newWorld(t, nil)
	sent := 0
	w.mailer = flaky(func(*portal.Letter) portal.Delivery { sent++; return portal.Delivery{Outcome: portal.Delivered} })
	n := w.open(w.as(w.ana), NewTicket{})
	w.mails()
	notice := func() *store.Mail {
		return w.queue(&store.Mail{Kind: store.MailTicketReceived, Contact: w.ana.ID, Recipient: w.ana.Email, Ticket: n, Notice: true})[0]
	}
	first, later := notice(), notice()
	c := w.courier()
	// The first went out, its lease ran out before that could be written, and
	// the next claim holds another notice as well.
	c.sent[first.ID] = true
	claim := &store.MailClaim{}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		got, err := tx.ClaimMail(ctx)
		if err != nil {
			return err
		}
		claim = got
		claim.Folded = []store.Mail{*later}
		return nil
	})
	c.handle(t.Context(), claim)
	if sent != 0 || w.outbox(first.ID).State() != store.MailSent || w.outbox(later.ID).State() != store.MailWaiting {
		t.Fatalf("sent %d; the first is %s, the later %s", sent, w.outbox(first.ID).State(), w.outbox(later.ID).State())
	}
	c.drain(t)
	if sent != 1 || w.outbox(later.ID).State() != store.MailSent {
		t.Errorf("sent %d; the later is %s", sent, w.outbox(later.ID).State())
	}
}

func TestPanicsBehindAnAnswerCostNothingElse(t *testing.T) {
	w := newWorld(t, nil)
	w.afterwards(func(context.Context) error { panic("a bug") })
	w.queue(signInMail(w.ana))
	packers[store.MailSignIn], w.mailer = func(*packing, context.Context) (string, error) { panic("a bug") }, flaky(nil)
	t.Cleanup(func() { packers[store.MailSignIn] = (*packing).signIn })
	w.deliver()
}

func TestOrderTellsNothingOfHiddenAgents(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Tickets.ShowAgent = portal.AgentTeam })
	ana := w.as(w.ana)
	zoe := &portal.Agent{Email: "zoe@example.com", Name: "Zoe", Role: portal.RoleAgent, EveryInbox: true}
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.AddAgent(ctx, zoe) })
	first, second := w.open(ana, NewTicket{}), w.open(ana, NewTicket{})
	for n, agent := range map[portal.TicketNumber]portal.AgentID{first: w.agent.ID, second: zoe.ID} {
		if _, err := w.AssignTicket(t.Context(), portal.ByOperator, n, agent); err != nil {
			t.Fatal(err)
		}
	}
	order := func(asc bool) (numbers []portal.TicketNumber) {
		list, err := w.Tickets(t.Context(), ana, ListQuery{Sort: portal.ColumnAssignee, Asc: asc})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list.Rows {
			numbers = append(numbers, r.Number)
		}
		return numbers
	}
	if up, down := order(true), order(false); !slices.Equal(up, down) {
		t.Errorf("sorted by agent the list is %v and %v", up, down)
	}
}

// Portals of one host share its cookies, not what they ask of newcomers.
func TestSessionOfAnotherPortalLeadsPastNoConsent(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	other := *w.portal
	other.Slug, other.Access.Consent, other.Access.ConsentVersion = "other", "Be kind.", 1
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.AddPortal(ctx, &other) })
	enter := func(token string) *Visit {
		v, err := w.Enter(ctx, "portal.test", "/other/tickets", token)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	anas := w.signIn(w.ana)
	v := enter(anas)
	if v.SignedIn() {
		t.Fatal("the session of another portal leads past the terms")
	}
	url, err := w.MemberLink(ctx, &other, w.ana.ID)
	if err != nil {
		t.Fatal(err)
	}
	// Registered in one portal, she needs no invitation to the other.
	token := url[strings.LastIndexByte(url, '/')+1:]
	_, err = w.UseLink(ctx, v, token, LinkAnswer{}, phone)
	wantCode(t, err, "consent.needed")
	in, err := w.UseLink(ctx, v, token, LinkAnswer{Agree: true}, phone)
	if err != nil {
		t.Fatal(err)
	}
	if !enter(in.Token).SignedIn() || !w.visit(in.Token).SignedIn() {
		t.Error("a member of both portals is not signed in to both")
	}
	if w.visit(anas).SignedIn() {
		t.Error("the session from before lives on")
	}
}

func TestSignOutEndsTheSessionOfSomebodyKeptOut(t *testing.T) {
	w := newWorld(t, nil)
	token := w.signIn(w.ana)
	member := func(status portal.MemberStatus) {
		w.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.SaveMember(ctx, &portal.Member{PortalID: w.portal.ID, ContactID: w.ana.ID, Status: status})
		})
	}
	member(portal.Disabled)
	v := w.visit(token)
	if v.SignedIn() {
		t.Fatal("a disabled member is signed in")
	}
	if err := w.SignOut(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	member(portal.Registered)
	if w.visit(token).SignedIn() {
		t.Error("the session outlived signing out")
	}
}

func TestChangesOfTicketsAreLimited(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.as(w.ana)
	n := w.open(ana, NewTicket{})
	for i := range ticketsPerHour {
		if err := w.SetConfidential(t.Context(), ana, n, i%2 == 0); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, w.CloseTicket(t.Context(), ana, n), "limit.requests")
	if err := w.CloseTicket(t.Context(), w.asAgent(), n); err != nil {
		t.Errorf("an agent: %v", err)
	}
	w.clock.Add(time.Hour)
	if err := w.ReopenTicket(t.Context(), w.as(w.ana), n); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}
