package app

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/mail"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/portaltest/smtptest"
	"github.com/portalctl/portalctl/pkg/store"
)

// through gives the world a mailer that sends to the server.
func (w *world) through(s *smtptest.Server) *world {
	w.t.Helper()
	sender, err := mail.NewSender(mail.Server{Host: s.Host, Port: s.Port, Security: mail.NoTLS, Timeout: 2 * time.Second},
		&mail.Writer{From: netmail.Address{Address: "support@example.com"}, Now: w.clock.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.mailer = sender
	return w
}

// queue writes mails into the outbox and returns them.
func (w *world) queue(mails ...*store.Mail) []*store.Mail {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for _, m := range mails {
			if m.Portal == 0 {
				m.Portal = w.portal.ID
			}
			if err := tx.QueueMail(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
	return mails
}

// signInMail is a mail to a contact that carries a link.
func signInMail(c *portal.Contact) *store.Mail {
	return &store.Mail{Kind: store.MailSignIn, Contact: c.ID, Recipient: c.Email}
}

// outbox reads a mail as it stands.
func (w *world) outbox(id portal.MailID) *store.Mail {
	w.t.Helper()
	var m *store.Mail
	err := w.store.Read(w.t.Context(), func(tx *store.Tx) (err error) {
		m, err = tx.OutboxMail(w.t.Context(), id)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// deliver runs the courier until nothing is due and nothing is being sent.
func (w *world) deliver() { w.t.Helper(); w.courier().drain(w.t) }

func (w *world) courier() *courier {
	c := newCourier(w.App)
	c.rest = 0 // a server out of order is tried again with each mail
	return c
}

func (c *courier) drain(t *testing.T) {
	t.Helper()
	c.idle = make(chan struct{}, c.workers)
	for range c.workers {
		c.idle <- struct{}{}
	}
	var busy sync.WaitGroup
	for {
		for c.claimed(t.Context(), t.Context(), &busy) {
		}
		busy.Wait()
		if !c.claimed(t.Context(), t.Context(), &busy) {
			return
		}
	}
}

func (w *world) wantState(m *store.Mail, want store.MailState, attempts int) {
	w.t.Helper()
	if got := w.outbox(m.ID); got.State() != want || got.Attempts != attempts {
		w.t.Errorf("the %s mail to %s is %s after %d attempts (%s), want %s after %d",
			m.Kind, m.Recipient, got.State(), got.Attempts, got.LastError, want, attempts)
	}
}

var linkInMail = regexp.MustCompile(`http://portal\.test:8080/help/sign-in/link/([A-Za-z0-9_-]+)`)

// body returns a mail's text with soft line breaks of its encoding undone.
func mailBody(m *smtptest.Mail) string {
	return strings.ReplaceAll(strings.ReplaceAll(string(m.Raw), "=\r\n", ""), "=3D", "=")
}

func TestMailedLinkSignsInAndTheStoreNeverHeldIt(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	m := w.queue(signInMail(w.ana))[0]
	w.deliver()
	w.wantState(m, store.MailSent, 1)
	got := server.Wait(t, 1)[0]
	if got.To != "ana@example.com" || got.Message(t).Header.Get("Message-Id") != m.HeaderID {
		t.Errorf("the mail went to %s with %s, want %s", got.To, got.Message(t).Header.Get("Message-Id"), m.HeaderID)
	}
	link := linkInMail.FindStringSubmatch(mailBody(got))
	if link == nil {
		t.Fatalf("there is no link in\n%s", got.Raw)
	}
	if in := w.outbox(m.ID); strings.Contains(fmt.Sprint(in), link[1]) {
		t.Errorf("the outbox holds the token: %+v", in)
	}
	if _, err := w.UseLink(t.Context(), w.visit(""), link[1], LinkAnswer{}, phone); err != nil {
		t.Errorf("the link does not sign in: %v", err)
	}
}

func TestServerDownLosesNothingAndRepeatsNothing(t *testing.T) {
	w := newWorld(t, nil)
	down := smtptest.Server{Host: "127.0.0.1", Port: 1}
	w.through(&down)
	m := w.queue(signInMail(w.ana))[0]
	for i, pause := range []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute} {
		w.deliver()
		w.wantState(m, store.MailWaiting, i+1)
		got := w.outbox(m.ID)
		if wait := got.DueAt.Sub(w.clock.Now()); wait != pause || got.LastError == "" {
			t.Errorf("after attempt %d the next is in %v (%q), want %v", i+1, wait, got.LastError, pause)
		}
		w.clock.Add(pause)
	}
	server := smtptest.Start(t, smtptest.Options{})
	w.through(server).deliver()
	w.wantState(m, store.MailSent, 4)
	w.clock.Add(24 * time.Hour)
	w.deliver()
	if n := len(server.Mails()); n != 1 {
		t.Errorf("%d mails came, want 1", n)
	}
}

func TestRefusals(t *testing.T) {
	answer := atomic.Int32{}
	answer.Store(450)
	server := smtptest.Start(t, smtptest.Options{Rcpt: func(to string) error {
		if code := int(answer.Load()); code != 0 && to == "ana@example.com" {
			return smtptest.Refuse(code, "not now, or never")
		}
		return nil
	}})
	w := newWorld(t, func(p *portal.Portal) { p.Access.Mode = portal.ModeSelfRegister }).through(server)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for _, c := range []*portal.Contact{w.ana, w.bo} {
			if err := tx.SaveMember(ctx, &portal.Member{PortalID: w.portal.ID, ContactID: c.ID, Status: portal.Invited, InvitedAt: tx.Now}); err != nil {
				return err
			}
		}
		return nil
	})
	mails := w.queue(&store.Mail{Kind: store.MailInvitation, Contact: w.ana.ID, Recipient: w.ana.Email},
		&store.Mail{Kind: store.MailInvitation, Contact: w.bo.ID, Recipient: w.bo.Email})
	w.deliver()
	w.wantState(mails[0], store.MailWaiting, 1)
	w.wantState(mails[1], store.MailSent, 1)

	answer.Store(550)
	w.clock.Add(time.Minute)
	w.deliver()
	w.wantState(mails[0], store.MailFailed, 2)
	if got := w.outbox(mails[0].ID).LastError; !strings.Contains(got, "550") {
		t.Errorf("the reason is %q, want the server's 550", got)
	}
	member := func(c *portal.Contact) portal.MemberStatus {
		var m *portal.Member
		w.write(func(ctx context.Context, tx *store.Tx) (err error) {
			m, err = tx.Member(ctx, w.portal.ID, c.ID)
			return err
		})
		return m.Status
	}
	if a, b := member(w.ana), member(w.bo); a != portal.Failed || b != portal.Invited {
		t.Errorf("the members are %s and %s, want failed and invited", a, b)
	}
	w.clock.Add(50 * time.Hour)
	w.deliver()
	w.wantState(mails[0], store.MailFailed, 2)

	// An operator may try it again after all.
	answer.Store(0)
	if done, err := w.RetryFailedMails(t.Context()); err != nil || done != 1 {
		t.Errorf("retried %d, %v", done, err)
	}
	w.deliver()
	w.wantState(mails[0], store.MailSent, 1)
}

func TestDyingAfterTheTextRepeatsWithTheSameID(t *testing.T) {
	var texts []string
	server := smtptest.Start(t, smtptest.Options{Data: func(m *smtptest.Mail) error {
		texts = append(texts, mailBody(m))
		if len(texts) == 1 {
			return smtptest.ErrDie
		}
		return nil
	}})
	w := newWorld(t, nil).through(server)
	m := w.queue(signInMail(w.ana))[0]
	w.deliver()
	w.wantState(m, store.MailWaiting, 1)
	w.clock.Add(time.Minute)
	w.deliver()
	w.wantState(m, store.MailSent, 2)
	if len(texts) != 2 {
		t.Fatalf("%d texts were sent, want 2", len(texts))
	}
	for i, text := range texts {
		if !strings.Contains(text, "Message-ID: "+m.HeaderID) {
			t.Errorf("text %d does not carry %s", i+1, m.HeaderID)
		}
	}
	// Whichever of the two the recipient's server kept, its link works.
	first := linkInMail.FindStringSubmatch(texts[0])
	if _, err := w.UseLink(t.Context(), w.visit(""), first[1], LinkAnswer{}, phone); err != nil {
		t.Errorf("the link of the first text does not sign in: %v", err)
	}
}

func TestSlowRecipientHoldsUpNobody(t *testing.T) {
	release := make(chan struct{})
	server := smtptest.Start(t, smtptest.Options{Rcpt: func(to string) error {
		if to == "ana@example.com" {
			<-release
		}
		return nil
	}})
	w := newWorld(t, nil).through(server)
	var slow []*store.Mail
	for range 10 {
		slow = append(slow, signInMail(w.ana))
	}
	w.queue(slow...)
	quick := w.queue(signInMail(w.bo), signInMail(w.eve))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.courier().run(ctx) }()
	for _, m := range server.Wait(t, 2) {
		if m.To == "ana@example.com" {
			t.Error("the slow recipient's mail came before it was let in")
		}
	}
	close(release)
	server.Wait(t, 12)
	stop()
	<-done
	for _, m := range append(slow, quick...) {
		w.wantState(m, store.MailSent, 1)
	}
}

func TestStoppingFinishesWhatBegan(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	server := smtptest.Start(t, smtptest.Options{Data: func(*smtptest.Mail) error {
		close(began)
		<-release
		return nil
	}})
	w := newWorld(t, nil).through(server)
	m := w.queue(signInMail(w.ana))[0]
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Deliver(ctx) }()
	<-began
	stop()
	close(release)
	<-done
	w.wantState(m, store.MailSent, 1)

	// What does not end in time is cut, and tried again by whoever is next.
	stuck := make(chan struct{})
	defer close(stuck)
	began = make(chan struct{})
	server = smtptest.Start(t, smtptest.Options{Rcpt: func(string) error { close(began); <-stuck; return nil }})
	w.through(server)
	m = w.queue(signInMail(w.bo))[0]
	ctx, stop = context.WithCancel(t.Context())
	c := w.courier()
	c.grace = 20 * time.Millisecond
	done = make(chan struct{})
	go func() { defer close(done); c.run(ctx) }()
	<-began
	stop()
	<-done
	w.wantState(m, store.MailWaiting, 1)
}

func TestQueuedMailLeavesAtOnce(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	ctx, stop := context.WithCancel(t.Context())
	c := w.courier()
	c.poll = time.Hour // only the wake-up call can be what sends it
	done := make(chan struct{})
	go func() { defer close(done); c.run(ctx) }()
	if _, err := w.RequestLink(ctx, w.visit(""), "ana@example.com", "/tickets", phone); err != nil {
		t.Fatal(err)
	}
	server.Wait(t, 1)
	stop()
	<-done
}

func TestTwoServersSendEachMailOnce(t *testing.T) {
	var mu sync.Mutex
	came := map[string]int{}
	server := smtptest.Start(t, smtptest.Options{Rcpt: func(to string) error {
		mu.Lock()
		defer mu.Unlock()
		came[to]++
		return nil
	}})
	path := filepath.Join(t.TempDir(), "portal.db")
	clock := portaltest.NewClock()
	first := portaltest.OpenStore(t, path, store.Options{Create: true, Now: clock.Now})
	second := portaltest.OpenStore(t, path, store.Options{Now: clock.Now})
	const mails = 60
	err := first.Write(t.Context(), func(tx *store.Tx) error {
		for i := range mails {
			if err := tx.QueueMail(t.Context(), &store.Mail{Kind: store.MailTest, Recipient: fmt.Sprintf("r%d@example.com", i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sender, err := mail.NewSender(mail.Server{Host: server.Host, Port: server.Port, Security: mail.NoTLS},
		&mail.Writer{From: netmail.Address{Address: "support@example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for _, s := range []*store.Store{first, second} {
		app := New(Options{Store: s, Hasher: auth.NewHasher(1), Now: clock.Now, Mailer: sender})
		both.Go(func() { newCourier(app).drain(t) })
	}
	both.Wait()
	if n := len(server.Mails()); n != mails {
		t.Errorf("%d mails came, want %d", n, mails)
	}
	for to, n := range came {
		if n != 1 {
			t.Errorf("%s got %d mails", to, n)
		}
	}
}

func TestCrashInTheMiddleIsPickedUpWhenTheLeaseEnds(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	m := w.queue(signInMail(w.ana))[0]
	w.write(func(ctx context.Context, tx *store.Tx) error {
		claim, err := tx.ClaimMail(ctx)
		if err == nil && (claim == nil || claim.ID != m.ID) {
			err = fmt.Errorf("claimed %+v", claim)
		}
		return err
	}) // and dies
	w.deliver()
	w.wantState(m, store.MailWaiting, 1)
	w.clock.Add(store.MailLease)
	w.deliver()
	w.wantState(m, store.MailSent, 2)
	if n := len(server.Mails()); n != 1 {
		t.Errorf("%d mails came, want 1", n)
	}
}

func TestClockSetBackHoldsNothingUp(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	waits := w.queue(signInMail(w.ana))[0]
	leased := w.queue(signInMail(w.bo))[0]
	soon := w.queue(&store.Mail{Kind: store.MailSignIn, Contact: w.eve.ID, Recipient: w.eve.Email, DueAt: w.clock.Now().Add(-71*time.Hour - 30*time.Minute)})[0]
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for range 3 {
			claim, err := tx.ClaimMail(ctx)
			if err != nil {
				return err
			}
			if claim.ID == waits.ID {
				later := store.MailResult{State: store.MailWaiting, DueAt: tx.Now.Add(store.LongestMailPause), Error: "later"}
				if err := tx.FinishMail(ctx, claim, []portal.MailID{claim.ID}, later); err != nil {
					return err
				}
			}
		}
		return nil
	})
	w.clock.Add(-72 * time.Hour)
	w.deliver()
	w.wantState(waits, store.MailSent, 2)
	w.wantState(leased, store.MailSent, 2)
	// Its time is half an hour away, which is a usual pause.
	w.wantState(soon, store.MailWaiting, 1)
}

func TestGivesUpAfterTwoDays(t *testing.T) {
	w := newWorld(t, nil).through(&smtptest.Server{Host: "127.0.0.1", Port: 1})
	m := w.queue(signInMail(w.ana))[0]
	for range 100 {
		w.deliver()
		if w.outbox(m.ID).State() != store.MailWaiting {
			break
		}
		w.clock.Add(w.outbox(m.ID).DueAt.Sub(w.clock.Now()))
	}
	got := w.outbox(m.ID)
	age := w.clock.Now().Sub(got.CreatedAt)
	if got.State() != store.MailFailed || age < 48*time.Hour || age > 50*time.Hour || got.Attempts < 40 {
		t.Errorf("the mail is %s after %v and %d attempts (%s)", got.State(), age, got.Attempts, got.LastError)
	}

	// A machine that was off for a week has not tried for two days.
	m = w.queue(signInMail(w.bo))[0]
	w.clock.Add(7 * 24 * time.Hour)
	w.deliver()
	w.wantState(m, store.MailWaiting, 1)
}

func TestServerOutOfOrderIsLeftAlone(t *testing.T) {
	w := newWorld(t, nil).through(&smtptest.Server{Host: "127.0.0.1", Port: 1})
	mails := w.queue(signInMail(w.ana), signInMail(w.bo), signInMail(w.eve))
	c := newCourier(w.App)
	c.workers, c.rest = 1, time.Hour
	c.drain(t)
	tried := 0
	for _, m := range mails {
		tried += w.outbox(m.ID).Attempts
	}
	if tried != 1 {
		t.Errorf("%d mails were tried with a server out of order, want 1", tried)
	}
}

func TestManyNoticesBecomeADigest(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	v := w.as(w.ana)
	for i := range 40 {
		w.open(v, NewTicket{Subject: fmt.Sprintf("Matter %d", i)})
	}
	w.deliver()
	singles := func() (n int) {
		for _, m := range server.Mails() {
			if m.To == "ana@example.com" {
				n++
			}
		}
		return n
	}
	if n := singles(); n != store.NoticesPerHour {
		t.Errorf("%d notices came at once, want %d", n, store.NoticesPerHour)
	}
	w.clock.Add(30 * time.Minute)
	w.open(v, NewTicket{Subject: "Matter 40"})
	w.deliver()
	if n := singles(); n != store.NoticesPerHour {
		t.Errorf("%d notices came within the hour, want %d", n, store.NoticesPerHour)
	}
	w.clock.Add(30 * time.Minute)
	w.deliver()
	if n := singles(); n != store.NoticesPerHour+1 {
		t.Fatalf("%d mails came after the hour, want one more than %d", n, store.NoticesPerHour)
	}
	digest := server.Mails()[len(server.Mails())-1]
	if subject := digest.Message(t).Header.Get("Subject"); subject != "11 notices from Help" {
		t.Errorf("the last mail is %q, want the digest", subject)
	}
	for i := range 41 {
		if text := mailBody(digest); strings.Contains(text, fmt.Sprintf("Matter %d\r\n", i)) != (i >= 30) {
			t.Errorf("the digest is wrong about Matter %d", i)
		}
	}
	w.clock.Add(24 * time.Hour)
	w.deliver()
	if waiting := w.mails(); len(waiting) != 0 {
		t.Errorf("still waiting: %v", waiting)
	}
}

func TestMailIsAskedAgainWhetherItMayGo(t *testing.T) {
	var w *world
	var n portal.TicketNumber
	save := func(change func(*portal.Portal)) {
		w.write(func(ctx context.Context, tx *store.Tx) error {
			p, err := tx.Portal(ctx, w.portal.ID)
			if err != nil {
				return err
			}
			change(p)
			return tx.SavePortal(ctx, p)
		})
	}
	ticket := func(change func(*portal.Ticket)) {
		w.write(func(ctx context.Context, tx *store.Tx) error {
			tk, err := tx.Ticket(ctx, n)
			if err != nil {
				return err
			}
			change(tk)
			return tx.SaveTicket(ctx, tk)
		})
	}
	contact := func(change func(*portal.Contact)) {
		w.write(func(ctx context.Context, tx *store.Tx) error {
			c, err := tx.Contact(ctx, w.bo.ID)
			if err != nil {
				return err
			}
			change(c)
			return tx.SaveContact(ctx, c)
		})
	}
	disable := func() {
		w.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.SaveMember(ctx, &portal.Member{PortalID: w.portal.ID, ContactID: w.bo.ID, Status: portal.Disabled, DisabledAt: tx.Now})
		})
	}
	notice := func(kind store.MailKind) *store.Mail {
		return &store.Mail{Kind: kind, Contact: w.bo.ID, Recipient: "bo@example.com", Ticket: n, Notice: true}
	}
	account := func(kind store.MailKind) *store.Mail {
		return &store.Mail{Kind: kind, Contact: w.bo.ID, Recipient: "bo@example.com"}
	}
	tests := map[string]struct {
		mail   func() *store.Mail
		change func()
		want   store.MailState
	}{
		"nothing changed":         {func() *store.Mail { return notice(store.MailParticipant) }, func() {}, store.MailSent},
		"no participant any more": {func() *store.Mail { return notice(store.MailParticipant) }, func() { ticket(func(tk *portal.Ticket) { tk.Participants = nil }) }, store.MailDropped},
		"disabled":                {func() *store.Mail { return notice(store.MailParticipant) }, disable, store.MailDropped},
		"out of the group": {func() *store.Mail { return notice(store.MailParticipant) }, func() {
			w.write(func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.RemoveFromGroup(ctx, w.group.ID, w.bo.ID)
				return err
			})
		}, store.MailDropped},
		"another address":   {func() *store.Mail { return notice(store.MailParticipant) }, func() { contact(func(c *portal.Contact) { c.Email = "other@example.com" }) }, store.MailDropped},
		"draft":             {func() *store.Mail { return notice(store.MailParticipant) }, func() { save(func(p *portal.Portal) { p.State = portal.Draft }) }, store.MailDropped},
		"reopened":          {func() *store.Mail { return notice(store.MailTicketClosed) }, func() {}, store.MailDropped},
		"closed":            {func() *store.Mail { return notice(store.MailTicketClosed) }, func() { ticket(func(tk *portal.Ticket) { tk.Close(w.clock.Now()) }) }, store.MailSent},
		"sign-in, disabled": {func() *store.Mail { return account(store.MailSignIn) }, disable, store.MailDropped},
		"sign-in, paused":   {func() *store.Mail { return account(store.MailSignIn) }, func() { save(func(p *portal.Portal) { p.State = portal.Paused }) }, store.MailDropped},
		"sign-in, password only": {func() *store.Mail { return account(store.MailSignIn) }, func() {
			save(func(p *portal.Portal) { p.Access.Methods = []portal.SignInMethod{portal.MethodPassword} })
		}, store.MailDropped},
		"reset, link only":            {func() *store.Mail { return account(store.MailReset) }, func() { save(func(p *portal.Portal) { p.Access.Methods = []portal.SignInMethod{portal.MethodLink} }) }, store.MailDropped},
		"invitation, system domain":   {func() *store.Mail { return account(store.MailInvitation) }, func() {}, store.MailDropped},
		"password changed, disabled":  {func() *store.Mail { return account(store.MailPasswordChanged) }, disable, store.MailSent},
		"registration where none are": {func() *store.Mail { return &store.Mail{Kind: store.MailRegister, Recipient: "new@example.com"} }, func() {}, store.MailDropped},
		"agent disabled": {func() *store.Mail {
			return &store.Mail{Kind: store.MailSignIn, Agent: w.agent.ID, Recipient: w.agent.Email}
		}, func() {
			w.agent.Disabled = true
			w.write(func(ctx context.Context, tx *store.Tx) error { return tx.SaveAgent(ctx, w.agent) })
		}, store.MailDropped},
		"agent": {func() *store.Mail {
			return &store.Mail{Kind: store.MailSignIn, Agent: w.agent.ID, Recipient: w.agent.Email}
		}, func() { save(func(p *portal.Portal) { p.State = portal.Draft }) }, store.MailSent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server := smtptest.Start(t, smtptest.Options{})
			w = newWorld(t, nil).through(server)
			n = w.open(w.as(w.ana), NewTicket{Participants: []string{"bo@example.com"}})
			w.mails()
			m := w.queue(tt.mail())[0]
			tt.change()
			w.deliver()
			got := w.outbox(m.ID)
			if got.State() != tt.want || (got.LastError == "") != (tt.want == store.MailSent) {
				t.Errorf("the mail is %s (%q), want %s", got.State(), got.LastError, tt.want)
			}
			if sent := len(server.Mails()); (sent == 1) != (tt.want == store.MailSent) {
				t.Errorf("%d mails went out", sent)
			}
		})
	}
}

func TestConversationByMail(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, func(p *portal.Portal) { p.Tickets.ShowAgent = portal.AgentTeam }).through(server)
	v := w.as(w.ana)
	n := w.open(v, NewTicket{Subject: "Pump <b>leaks</b>", Body: "It leaks & drips."})
	if err := w.Reply(t.Context(), w.asAgent(), n, Answer{Body: "secret", Note: true}); err != nil {
		t.Fatal(err)
	}
	if err := w.Reply(t.Context(), w.asAgent(), n, Answer{Body: "We come by."}); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	thread := ""
	for _, m := range server.Mails() {
		msg := m.Message(t)
		if subject := msg.Header.Get("Subject"); subject != "["+n.String()+"] Pump <b>leaks</b>" {
			t.Errorf("the mail to %s has the subject %q", m.To, subject)
		}
		root, _, _ := strings.Cut(msg.Header.Get("References"), " ")
		if thread != "" && root != thread || root == "" {
			t.Errorf("the mails do not stay in one thread: %q and %q", thread, root)
		}
		thread = root
		text := mailBody(m)
		if strings.Contains(text, "secret") {
			t.Errorf("an internal note went to %s", m.To)
		}
		if m.To == "ana@example.com" {
			if strings.Contains(text, "Ines") || strings.Contains(text, "agent@example.com") {
				t.Errorf("the agent's name went out although the team answers:\n%s", text)
			}
			if to := msg.Header.Get("Reply-To"); !strings.Contains(to, "support@example.com") {
				t.Errorf("answers go to %q", to)
			}
		}
	}
	if len(server.Mails()) != 3 {
		t.Errorf("%d mails went out, want received, desk and message", len(server.Mails()))
	}
}

// flaky is a mailer that does as it is told.
type flaky func(*portal.Letter) portal.Delivery

func (flaky) From() string { return "support@example.com" }
func (f flaky) Send(_ context.Context, l *portal.Letter) portal.Delivery {
	return f(l)
}

func TestDeliveredMailIsNotSentAgainWhateverTheStoreDoes(t *testing.T) {
	w := newWorld(t, nil)
	sent := 0
	w.mailer = flaky(func(*portal.Letter) portal.Delivery { sent++; return portal.Delivery{Outcome: portal.Delivered} })
	m := w.queue(signInMail(w.ana))[0]
	c := w.courier()
	c.drain(t)
	// The lease ran out and another attempt began before the first one could
	// write that it was done.
	c.sent[m.ID] = true
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.QueueMail(ctx, &store.Mail{Kind: store.MailSignIn, Portal: w.portal.ID, Contact: w.ana.ID, Recipient: "ana@example.com"})
	})
	c.sent[m.ID+1] = true
	c.drain(t)
	if sent != 1 {
		t.Errorf("sent %d times, want 1", sent)
	}
	if got := w.outbox(m.ID + 1).State(); got != store.MailSent {
		t.Errorf("the second is %s", got)
	}
}

func TestPanicCostsOneAttempt(t *testing.T) {
	w := newWorld(t, nil)
	w.mailer = flaky(func(*portal.Letter) portal.Delivery { panic(errors.New("a bug")) })
	m := w.queue(signInMail(w.ana))[0]
	w.deliver()
	w.wantState(m, store.MailWaiting, 1)
}

func TestTestMail(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil)
	if _, err := w.SendTest(t.Context(), w.portal, "ana@example.com"); portal.KindOf(err) != portal.Conflict {
		t.Errorf("without a mail server: %v", err)
	}
	d, err := w.through(server).SendTest(t.Context(), w.portal, "ana@example.com")
	if err != nil || d.Outcome != portal.Delivered {
		t.Errorf("got %+v, %v", d, err)
	}
	if d, err := w.SendTest(t.Context(), nil, "ana@example.com"); err != nil || d.Outcome != portal.Delivered {
		t.Errorf("without a portal: %+v, %v", d, err)
	}
	if got := server.Mails()[0].Message(t).Header.Get("Subject"); got != "Test mail from Help" {
		t.Errorf("the subject is %q", got)
	}
}
