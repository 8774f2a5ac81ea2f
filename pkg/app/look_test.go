package app

import (
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestOpenAsOnlyWhereTheContactMayEnter(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	if _, err := w.DisableMembers(ctx, w.portal, []string{"bo@example.com"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ChangeGroup(ctx, "customers", nil, []string{"eve@example.com"}); err != nil {
		t.Fatal(err)
	}
	for address, code := range map[string]string{"bo@example.com": "entry.disabled", "eve@example.com": "entry.no_group", "nobody@example.com": "contact.none"} {
		_, err := w.OpenAs(ctx, w.portal, address)
		wantCode(t, err, code)
	}
	for _, state := range []portal.PortalState{portal.Draft, portal.Paused} {
		if _, err := w.SetPortal(ctx, w.portal.ID, PortalChanges{State: &state}); err != nil {
			t.Fatal(err)
		}
		_, err := w.OpenAs(ctx, w.portal, "ana@example.com")
		wantCode(t, err, "portal.not_live")
	}
	if lines := w.auditLines(AuditQuery{Kinds: []string{"view"}}); len(lines) != 0 {
		t.Errorf("what was refused was noted: %+v", lines)
	}
}

// Made, opened, ended: each is an entry under the operator's name.
func TestLookIsWrittenDown(t *testing.T) {
	w := newWorld(t, nil)
	w.operator = "olle"
	ctx := t.Context()
	open := func(c *portal.Contact) *Visit {
		t.Helper()
		link, err := w.OpenAs(ctx, w.portal, c.Email)
		if err != nil {
			t.Fatal(err)
		}
		token := link.URL[strings.LastIndexByte(link.URL, '/')+1:]
		in, err := w.Look(ctx, w.visit(""), token, phone)
		if err != nil {
			t.Fatal(err)
		}
		v := w.visit(in.Token)
		if !v.ReadOnly || v.Contact == nil || v.Contact.ID != c.ID || v.Session.Way != portal.WayView {
			t.Fatalf("the look is %+v", v)
		}
		return v
	}
	told := func() string {
		t.Helper()
		var b strings.Builder
		for _, l := range w.auditLines(AuditQuery{Kinds: []string{"view", "sign_in", "sign_out"}}) {
			if l.Who != "operator olle" || l.What != "ana@example.com" {
				t.Errorf("%s by %q about %q", l.Kind, l.Who, l.What)
			}
			b.WriteString(string(l.Kind) + " ")
			for _, c := range l.Changes {
				if c.Field == "reason" {
					b.WriteString("(" + c.To + ") ")
				}
			}
		}
		return b.String()
	}
	if err := w.SignOut(ctx, open(w.ana)); err != nil {
		t.Fatal(err)
	}
	if err := w.endLooks(ctx); err != nil {
		t.Fatal(err)
	}
	if got, want := told(), "view.ended (sign_out) view.opened view.made "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	open(w.ana)
	w.clock.Add(LookLife)
	for range 2 {
		if err := w.endLooks(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := told(), "view.ended (time) view.opened view.made view.ended (sign_out) view.opened view.made "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The guard on the pages is not the only one.
func TestLookIsReadOnlyBelowThePages(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	n, err := w.OpenTicket(ctx, w.as(w.ana), NewTicket{Subject: "Broken", Body: "It is."})
	if err != nil {
		t.Fatal(err)
	}
	link, err := w.OpenAs(ctx, w.portal, "ana@example.com")
	if err != nil {
		t.Fatal(err)
	}
	in, err := w.Look(ctx, w.visit(""), link.URL[strings.LastIndexByte(link.URL, '/')+1:], phone)
	if err != nil {
		t.Fatal(err)
	}
	v := w.visit(in.Token)
	for name, act := range map[string]func() error{
		"OpenTicket":      func() error { _, err := w.OpenTicket(ctx, v, NewTicket{Subject: "x", Body: "x"}); return err },
		"Reply":           func() error { return w.Reply(ctx, v, n, Answer{Body: "x"}) },
		"CloseTicket":     func() error { return w.CloseTicket(ctx, v, n) },
		"AddParticipant":  func() error { return w.AddParticipant(ctx, v, n, "bo@example.com") },
		"SetConfidential": func() error { return w.SetConfidential(ctx, v, n, true) },
		"KeepDraft":       func() error { return w.KeepDraft(ctx, v, "new", map[string]string{"body": "x"}) },
		"SaveProfile":     func() error { return w.SaveProfile(ctx, v, "x", "", "") },
	} {
		if err := act(); err == nil {
			t.Errorf("%s worked", name)
		} else {
			wantCode(t, err, "view.read_only")
		}
	}
}
