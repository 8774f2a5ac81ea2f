package web

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func TestFormsTellNothingApart(t *testing.T) {
	for _, form := range []struct {
		path   string
		fields []string
		mode   portal.AccessMode
	}{
		{"/help/sign-in", []string{"password", "a wrong guess at it"}, portal.ModeGroups},
		{"/help/sign-in/link", nil, portal.ModeGroups},
		{"/help/reset", nil, portal.ModeGroups},
		{"/help/register", nil, portal.ModeSelfRegister},
	} {
		w := newWorld(t, nil)
		w.portal.Access.Mode = form.mode
		w.savePortal()
		w.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.SaveMember(ctx, &portal.Member{PortalID: w.portal.ID, ContactID: w.bo.ID, Status: portal.Disabled})
		})
		var first answer
		var firstHeader http.Header
		for i, address := range []string{"ana@example.com", "nobody@example.com", "bo@example.com", "ines@desk.example"} {
			got := w.browser("").post(form.path, append([]string{"email", address}, form.fields...)...)
			got.body = strings.ReplaceAll(got.body, address, "ADDRESS")
			header := maps.Clone(got.Header)
			for _, random := range []string{"Date", "Content-Length"} {
				header.Del(random)
			}
			for n, c := range header["Set-Cookie"] {
				name, rest, _ := strings.Cut(c, "=")
				_, rest, _ = strings.Cut(rest, ";")
				header["Set-Cookie"][n] = name + ";" + rest
			}
			if i == 0 {
				first, firstHeader = got, header
				continue
			}
			if got.StatusCode != first.StatusCode || got.body != first.body {
				t.Errorf("%s answers %s with %d and %s with %d, or in other words", form.path, address, got.StatusCode, "ana@example.com", first.StatusCode)
			}
			if !maps.EqualFunc(header, firstHeader, func(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }) {
				t.Errorf("%s answers %s with the headers\n%v\nand ana@example.com with\n%v", form.path, address, header, firstHeader)
			}
		}
	}
}

func TestPasswordsAreMaskedAndManagersHelp(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.browser(w.signIn(w.ana))
	reset := w.token(store.Token{Kind: store.TokenReset, Contact: w.bo.ID})
	invited := w.token(store.Token{Kind: store.TokenInvitation, Contact: w.eve.ID})
	for path, b := range map[string]*browser{
		"/help/sign-in": w.browser(""), "/help/reset/" + reset: w.browser(""), "/help/invitation/" + invited: w.browser(""),
		"/help/account": ana, "/help/account/proof": ana,
	} {
		doc, fields := b.get(path).dom(t), 0
		for _, name := range []string{"password", "present", "next"} {
			for _, field := range find(doc, "name", name) {
				fields++
				if kind, fill := attr(field, "type"), attr(field, "autocomplete"); kind != "password" || fill != "current-password" && fill != "new-password" {
					t.Errorf("%s: the field %s is of type %q, filled in as %q", path, name, kind, fill)
				}
				if attr(field, "maxlength") != "" && len(attr(field, "maxlength")) < 3 {
					t.Errorf("%s: the field %s takes %s characters", path, name, attr(field, "maxlength"))
				}
			}
		}
		if fields == 0 {
			t.Errorf("%s has no field for a password; the test looks at nothing", path)
		}
	}
}

func TestEveryPrivatePageOffersToSignOut(t *testing.T) {
	w := newWorld(t, nil)
	ana, agent := w.browser(w.signIn(w.ana)), w.browser(w.signInAgent())
	ticket := "/help/tickets/" + w.anas.String()
	for _, b := range []*browser{ana, agent} {
		for _, path := range []string{"/help/tickets", "/help/tickets/new", ticket, "/help/account", "/help/account/proof"} {
			if b == agent && path == "/help/tickets/new" {
				continue // agents open none here
			}
			got := b.get(path)
			if got.StatusCode != http.StatusOK || len(find(got.dom(t), "action", "/help/sign-out")) == 0 {
				t.Errorf("%s answers %d and offers no way to sign out", path, got.StatusCode)
			}
		}
	}
}
