package app

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// byApproval makes the portal one to register at, with approval.
func byApproval(p *portal.Portal) {
	p.Access.Mode, p.Access.Groups, p.Access.Approval = portal.ModeSelfRegister, nil, true
}

// ask asks for access with a proven address, and leaves the contact pending.
func (w *world) ask(address string) *portal.Contact {
	w.t.Helper()
	token := w.link(store.Token{Kind: store.TokenRegister, Email: address, ExpiresAt: w.clock.Now().Add(time.Hour)})
	_, pending, err := w.Join(w.t.Context(), w.visit(""), store.TokenRegister, token, Joining{Name: "New"}, phone)
	if err != nil || !pending {
		w.t.Fatalf("asking gave pending %v, %v", pending, err)
	}
	c, err := w.Contact(w.t.Context(), address)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestRefusingTellsTheReasonAndHoldsForAWhile(t *testing.T) {
	w := newWorld(t, byApproval)
	c := w.ask("new@example.com")
	w.mails()
	done, err := w.RefuseMembers(t.Context(), w.portal, []string{"new@example.com"}, "We know no such customer.")
	if err != nil || !done[0].Changed || done[0].Status != portal.Disabled {
		t.Fatalf("refusing gave %+v, %v", done, err)
	}
	m := w.memberOf(w.portal, c)
	if m.Status != portal.Disabled || !m.RefusedAt.Equal(w.clock.Now()) || m.Refusal != "We know no such customer." {
		t.Errorf("the member is %+v; want refused with time and reason", m)
	}
	if again, err := w.RefuseMembers(t.Context(), w.portal, []string{"new@example.com"}, ""); err != nil || again[0].Changed {
		t.Errorf("refusing again gave %+v, %v; want unchanged", again, err)
	}
	var mail store.Mail
	w.write(func(ctx context.Context, tx *store.Tx) error {
		list, err := tx.Outbox(ctx, store.OutboxFilter{States: []store.MailState{store.MailWaiting}})
		mail = list[0]
		return err
	})
	p, err := newCourier(w.App).parcel(t.Context(), &mail)
	if err != nil || p.letter == nil || p.letter.Kind != portal.LetterRefused || p.letter.Reason != m.Refusal || p.letter.Link != "" {
		t.Errorf("the letter is %+v, dropped %q, %v", p.letter, p.drop, err)
	}
	w.mails()

	// Asking again looks the same, and nothing comes of it until it counts.
	for _, tt := range []struct {
		after time.Duration
		want  []string
	}{{time.Hour, nil}, {RefusalHolds, []string{"register to new@example.com"}}} {
		w.clock.Add(tt.after)
		if err := w.Register(t.Context(), w.visit(""), "new@example.com", "", phone); err != nil {
			t.Fatal(err)
		}
		if got := w.mails(); !slices.Equal(got, tt.want) {
			t.Errorf("asking again %v later: mails %v; want %v", tt.after, got, tt.want)
		}
	}
	w.ask("new@example.com")
	if m := w.memberOf(w.portal, c); m.Status != portal.Pending || !m.RefusedAt.IsZero() || m.Refusal != "" {
		t.Errorf("after asking again the member is %+v; want pending, and the refusal gone", m)
	}
}

func TestARefusalCanBeTakenBack(t *testing.T) {
	w := newWorld(t, byApproval)
	c := w.ask("new@example.com")
	if _, err := w.RefuseMembers(t.Context(), w.portal, []string{"new@example.com"}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ApproveMembers(t.Context(), w.portal, []string{"new@example.com"}); err != nil {
		t.Fatal(err)
	}
	if m := w.memberOf(w.portal, c); m.Status != portal.Registered || !m.RefusedAt.IsZero() {
		t.Errorf("the member is %+v; want registered", m)
	}
	_, err := w.RefuseMembers(t.Context(), w.portal, []string{"new@example.com"}, "")
	wantCode(t, err, "member.not_pending")
	_, err = w.RefuseMembers(t.Context(), w.portal, []string{"bo@example.com"}, strings.Repeat("no", 1200))
	wantCode(t, err, "field.too_long")
}

func TestAdminsAreToldWhereTheHelpDeskHasNoAddress(t *testing.T) {
	w := newWorld(t, byApproval)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		desk := &portal.Inbox{Name: "Desk", Kind: portal.InboxHelpdesk}
		if err := tx.AddInbox(ctx, desk); err != nil {
			return err
		}
		w.portal.Tickets.InboxID = desk.ID
		if err := tx.SavePortal(ctx, w.portal); err != nil {
			return err
		}
		for _, a := range []portal.Agent{
			{Email: "boss@desk.example", Name: "Boss", Role: portal.RoleAdmin},
			{Email: "gone@desk.example", Name: "Gone", Role: portal.RoleAdmin, Disabled: true},
			{Email: "agent@desk.example", Name: "Agent", Role: portal.RoleAgent},
		} {
			if err := tx.AddAgent(ctx, &a); err != nil {
				return err
			}
		}
		return nil
	})
	w.ask("new@example.com")
	var told []string
	w.write(func(ctx context.Context, tx *store.Tx) error {
		list, err := tx.Outbox(ctx, store.OutboxFilter{States: []store.MailState{store.MailWaiting}})
		for i := range list {
			p, err := w.pack(ctx, tx, &list[i])
			if err != nil || p.letter == nil {
				t.Errorf("a mail was dropped: %q, %v", p.drop, err)
				continue
			}
			told = append(told, string(p.letter.Kind)+" to "+p.letter.To+" of "+p.letter.By)
		}
		return err
	})
	if !slices.Contains(told, "desk_pending to boss@desk.example of New <new@example.com>") {
		t.Errorf("told were %v; want the admin", told)
	}
	for _, s := range told {
		if strings.Contains(s, "gone@") || strings.Contains(s, "agent@") {
			t.Errorf("%s; want admins who are not disabled", s)
		}
	}
}
