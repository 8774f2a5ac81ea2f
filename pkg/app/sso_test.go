package app

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest/oidctest"
	"github.com/portalctl/portalctl/pkg/store"
)

// ssoWorld is a world whose portal an identity provider lets people into.
type ssoWorld struct {
	*world
	idp *oidctest.Provider
}

func newSSOWorld(t *testing.T, change func(*AccessChanges)) *ssoWorld {
	t.Helper()
	w := &ssoWorld{world: newWorld(t, nil)}
	w.idp = oidctest.New(t, w.clock.Now)
	w.set(func(c *AccessChanges) {
		c.Mode = ptr(portal.ModeSSO)
		c.SSO = SSOChanges{
			Issuer: &w.idp.Issuer, ClientID: ptr(oidctest.ClientID), Secret: ptr(oidctest.Secret),
			EmailDomains: &[]string{"example.com"}, AllowPrivate: ptr(true),
		}
		if change != nil {
			change(c)
		}
	})
	return w
}

func (w *ssoWorld) set(change func(*AccessChanges)) *AccessResult {
	w.t.Helper()
	var c AccessChanges
	change(&c)
	r, err := w.SetAccess(w.t.Context(), w.portal.ID, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// visitProvider follows a journey as the browser does, up to the answer.
func (w *ssoWorld) visitProvider(j *SSOJourney) url.Values {
	w.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(j.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	back, err := res.Location()
	if err != nil {
		w.t.Fatal(err)
	}
	if got := back.Scheme + "://" + back.Host + back.Path; got != "http://portal.test:8080/help/sso/callback" {
		w.t.Fatalf("the provider leads back to %s", got)
	}
	return back.Query()
}

func (w *ssoWorld) begin() *SSOJourney {
	w.t.Helper()
	j, err := w.BeginSSO(w.t.Context(), w.visit(""), "/help/tickets/new", "ref-1", phone)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// signInSSO makes the whole journey.
func (w *ssoWorld) signInSSO() (*SignedIn, error) {
	w.t.Helper()
	j := w.begin()
	return w.FinishSSO(w.t.Context(), w.visit(""), j.Token, w.visitProvider(j), "ref-2", phone)
}

func (w *ssoWorld) mustSignIn() *Visit {
	w.t.Helper()
	in, err := w.signInSSO()
	if err != nil {
		w.t.Fatal(err)
	}
	v := w.visit(in.Token)
	if v.Contact == nil {
		w.t.Fatalf("signed in by the provider, and the visit is %+v", v)
	}
	return v
}

// lastAudit is the newest entry of a kind; nil when there is none.
func (w *world) lastAudit(kind portal.AuditKind) *portal.AuditEntry {
	w.t.Helper()
	var rows []portal.AuditRow
	err := w.store.Read(w.t.Context(), func(tx *store.Tx) (err error) {
		rows, err = tx.Audit(w.t.Context(), store.AuditFilter{Kinds: []portal.AuditKind{kind}, Limit: 1})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(rows) == 0 {
		return nil
	}
	e := rows[0].Entry()
	return &e
}

func auditValue(e *portal.AuditEntry, field string) string {
	if e == nil {
		return ""
	}
	for _, c := range e.Changes {
		if c.Field == field {
			return c.To
		}
	}
	return ""
}

// wantRefusal checks that somebody stayed outside, and that the operator can
// read why.
func (w *ssoWorld) wantRefusal(err error, code string, kind portal.AuditKind, reason string) {
	w.t.Helper()
	wantCode(w.t, err, code)
	e := w.lastAudit(kind)
	if got := auditValue(e, "reason"); got != reason {
		w.t.Errorf("the audit log gives the reason %q, wanted %q: %+v", got, reason, e)
	}
	if got := auditValue(e, "reference"); !strings.HasPrefix(got, "ref-") {
		w.t.Errorf("the audit log gives the reference %q", got)
	}
}

func TestProviderLinksContactByProvenAddress(t *testing.T) {
	w := newSSOWorld(t, nil)
	v := w.mustSignIn()
	if v.Contact.ID != w.ana.ID || v.Member.Status != portal.Registered || v.Session.Way != portal.MethodSSO || v.Gate != "" {
		t.Errorf("the visit is %+v, member %+v, session %+v", v.Contact, v.Member, v.Session)
	}
	if v.Contact.Name != "ana" || v.Contact.Language != "" {
		t.Errorf("what the contact had was overwritten: %+v", v.Contact)
	}
	if e := w.lastAudit(portal.AuditIdentity); e == nil || e.By != portal.ByContact(w.ana.ID) || auditValue(e, "subject") != "0001" {
		t.Errorf("the link is not in the audit log: %+v", e)
	}
	if e := w.lastAudit(portal.AuditSignIn); e == nil || auditValue(e, "way") != "sso" {
		t.Errorf("the sign-in is not in the audit log: %+v", e)
	}

	// From now on the subject counts, whatever else the provider says.
	w.idp.Person["email"], w.idp.Person["email_verified"] = "bo@example.com", false
	if v := w.mustSignIn(); v.Contact.ID != w.ana.ID || v.Contact.Email != "ana@example.com" {
		t.Errorf("with another address at the provider the visit is %+v", v.Contact)
	}
	if e := w.lastAudit(portal.AuditIdentity); auditValue(e, "email_at_provider") != "bo@example.com" {
		t.Errorf("the other address is not in the audit log: %+v", e)
	}
}

func TestProviderMakesContacts(t *testing.T) {
	w := newSSOWorld(t, nil)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		w.acme.Domain = "example.com"
		return tx.SaveCompany(ctx, w.acme)
	})
	w.idp.Person = map[string]any{"sub": "new", "email": "Nils@Example.com", "email_verified": "true", "given_name": "Nils", "family_name": "Öberg", "locale": "sv_SE"}
	v := w.mustSignIn()
	c := v.Contact
	if c.Email != "nils@example.com" || c.Name != "Nils Öberg" || c.Language != "sv-SE" || c.Primary != w.acme.ID {
		t.Errorf("the new contact is %+v", c)
	}
}

func TestProviderIsNotBelievedAboutEverything(t *testing.T) {
	tests := []struct {
		name   string
		bend   func(*ssoWorld)
		code   string
		reason string
	}{
		{"unverified address", func(w *ssoWorld) { w.idp.Person["email_verified"] = false }, "sso.refused", "email_unverified"},
		{"address nobody verified", func(w *ssoWorld) { delete(w.idp.Person, "email_verified") }, "sso.refused", "email_unverified"},
		{"no address", func(w *ssoWorld) {
			delete(w.idp.Person, "email")
		}, "sso.refused", "email_missing"},
		{"no address that could be one", func(w *ssoWorld) { w.idp.Person["email"] = "ana" }, "sso.refused", "email"},
		{"address of another domain", func(w *ssoWorld) { w.idp.Person["email"] = "ana@other.example" }, "sso.refused", "email_domain"},
		{"address of a domain below", func(w *ssoWorld) { w.idp.Person["email"] = "ana@sub.example.com" }, "sso.refused", "email_domain"},
		{"address of an agent", func(w *ssoWorld) { w.idp.Person["email"] = "agent@example.com" }, "sso.refused", "email_of_agent"},
		{"address of a contact who signs in with another", func(w *ssoWorld) {
			w.write(func(ctx context.Context, tx *store.Tx) error {
				w.ana.MemberEmail = "ana@private.example"
				return tx.SaveContact(ctx, w.ana)
			})
		}, "sso.refused", "email_taken"},
		{"contact linked with another subject", func(w *ssoWorld) {
			w.write(func(ctx context.Context, tx *store.Tx) error {
				return tx.SaveIdentity(ctx, w.idp.Issuer, "0000", w.ana.ID)
			})
		}, "sso.refused", "linked_to_other"},
		{"disabled member", func(w *ssoWorld) {
			if _, err := w.DisableMembers(w.t.Context(), w.portal, []string{"ana@example.com"}); err != nil {
				w.t.Fatal(err)
			}
		}, "sso.refused", "disabled"},
		{"group missing", func(w *ssoWorld) {
			w.set(func(c *AccessChanges) { c.Groups = &[]string{"portal"} })
		}, "sso.refused", "group_missing"},
		{"other groups", func(w *ssoWorld) {
			w.set(func(c *AccessChanges) { c.Groups = &[]string{"portal"} })
			w.idp.Person["groups"] = []string{"Portal", "portal2"}
		}, "sso.refused", "group"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newSSOWorld(t, nil)
			tt.bend(w)
			before := w.contacts()
			_, err := w.signInSSO()
			w.wantRefusal(err, tt.code, portal.AuditSignInRefused, tt.reason)
			if now := w.contacts(); now != before {
				t.Errorf("%d contacts became %d", before, now)
			}
		})
	}
}

func (w *ssoWorld) contacts() (n int) {
	w.t.Helper()
	err := w.store.Read(w.t.Context(), func(tx *store.Tx) error {
		list, err := tx.Contacts(w.t.Context(), store.ContactFilter{Limit: 100})
		n = len(list)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestGroupOfTheProviderLetsIn(t *testing.T) {
	w := newSSOWorld(t, func(c *AccessChanges) { c.Groups = &[]string{"portal", "partners"} })
	w.idp.Person["groups"] = []string{"staff", "portal"}
	in, err := w.signInSSO()
	if err != nil {
		t.Fatal(err)
	}
	// Out of the group: the next sign-in fails and ends what was open.
	w.idp.Person["groups"] = []string{"staff"}
	_, err = w.signInSSO()
	w.wantRefusal(err, "sso.refused", portal.AuditSignInRefused, "group")
	if v := w.visit(in.Token); v.SignedIn() || v.Session != nil {
		t.Errorf("out of the group, the session lives: %+v", v.Session)
	}
	if e := w.lastAudit(portal.AuditSignInRefused); e.By != portal.ByContact(w.ana.ID) {
		t.Errorf("the refusal does not say whose: %+v", e)
	}
}

func TestJourneyCountsOnce(t *testing.T) {
	w := newSSOWorld(t, nil)
	j := w.begin()
	answer := w.visitProvider(j)
	results := make([]error, 10)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() {
			_, results[i] = w.FinishSSO(t.Context(), w.visit(""), j.Token, answer, "ref-3", phone)
		})
	}
	all.Wait()
	if n := len(slices.DeleteFunc(results, func(err error) bool { return err != nil })); n != 1 {
		t.Errorf("%d of 10 answers signed in, wanted one", n)
	}
	if n := w.idp.Asked("/token"); n != 1 {
		t.Errorf("the code was handed in %d times", n)
	}
}

func TestJourneyBelongsToItsBrowser(t *testing.T) {
	w := newSSOWorld(t, nil)
	mine, theirs := w.begin(), w.begin()
	answer := w.visitProvider(theirs)
	_, err := w.FinishSSO(t.Context(), w.visit(""), mine.Token, answer, "ref-4", phone)
	w.wantRefusal(err, "sso.failed", portal.AuditSignInFailed, "state")
	for _, token := range []string{"", "x", strings.Repeat("A", 43)} {
		_, err := w.FinishSSO(t.Context(), w.visit(""), token, answer, "ref-5", phone)
		w.wantRefusal(err, "sso.failed", portal.AuditSignInFailed, "state")
	}
	// Somebody else's answer did not end the journey.
	if _, err := w.FinishSSO(t.Context(), w.visit(""), mine.Token, w.visitProvider(mine), "ref-6", phone); err != nil {
		t.Errorf("after an answer that was not mine: %v", err)
	}
	// And too late is too late.
	w.clock.Add(SSOLife)
	_, err = w.FinishSSO(t.Context(), w.visit(""), theirs.Token, answer, "ref-7", phone)
	w.wantRefusal(err, "sso.failed", portal.AuditSignInFailed, "state")
}

func TestProviderThatIsDown(t *testing.T) {
	w := newSSOWorld(t, nil)
	w.idp.Stop()
	w.clock.Add(25 * time.Hour)
	_, err := w.BeginSSO(t.Context(), w.visit(""), "", "ref-8", phone)
	w.wantRefusal(err, "sso.down", portal.AuditSignInFailed, "unreachable")
	if strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("the visitor is told too much: %v", err)
	}
}

func TestProviderAloneLetsIn(t *testing.T) {
	w := newSSOWorld(t, nil)
	token := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})
	if in, err := w.UseLink(t.Context(), w.visit(""), token, LinkAnswer{}, phone); err == nil {
		if v := w.visit(in.Token); v.Contact != nil {
			t.Error("a mailed link lets a customer in past the provider")
		}
	}
	w.withPassword(w.ana)
	_, err := w.SignIn(t.Context(), w.visit(""), "ana@example.com", goodPassword, "", phone)
	wantCode(t, err, "sign_in.wrong")
	_, err = w.MemberLink(t.Context(), w.visit("").Portal, w.ana.ID)
	wantCode(t, err, "member.sso")
	if v := w.asAgent(); v.Agent == nil {
		t.Error("agents do not get in by their link any more")
	}
}

// Sessions end when the door does.
func TestOldDoorIsShut(t *testing.T) {
	tests := map[string]struct {
		change func(*AccessChanges)
		ends   bool
	}{
		"another label":   {func(c *AccessChanges) { c.SSO.Label = ptr("Acme") }, false},
		"another group":   {func(c *AccessChanges) { c.Groups = &[]string{"portal"} }, true},
		"another domain":  {func(c *AccessChanges) { c.SSO.EmailDomains = &[]string{"acme.com"} }, true},
		"another client":  {func(c *AccessChanges) { c.SSO.ClientID, c.SSO.Secret = ptr("other"), ptr("s") }, true},
		"self-registered": {func(c *AccessChanges) { c.Mode = ptr(portal.ModeSelfRegister) }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newSSOWorld(t, nil)
			in, err := w.signInSSO()
			if err != nil {
				t.Fatal(err)
			}
			w.set(tt.change)
			if v := w.visit(in.Token); v.SignedIn() == tt.ends {
				t.Errorf("signed in is %t", v.SignedIn())
			}
		})
	}
}

func TestSessionOfAnotherPortalsProviderIsNone(t *testing.T) {
	w := newSSOWorld(t, nil)
	in, err := w.signInSSO()
	if err != nil {
		t.Fatal(err)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		p := *w.visit("").Portal
		p.ID, p.Slug = 0, "other"
		if err := tx.AddPortal(ctx, &p); err != nil {
			return err
		}
		return tx.SaveMember(ctx, &portal.Member{PortalID: p.ID, ContactID: w.ana.ID, Status: portal.Registered, RegisteredAt: tx.Now})
	})
	v, err := w.Enter(t.Context(), "portal.test:8080", "/other/tickets", in.Token)
	if err != nil {
		t.Fatal(err)
	}
	if v.Contact != nil {
		t.Error("a session that one portal's provider opened counts in another")
	}
}

func TestSignOutLeadsToTheProvider(t *testing.T) {
	w := newSSOWorld(t, nil)
	v := w.mustSignIn()
	if strings.Contains(string(v.Session.Provider), "eyJ") {
		t.Error("the ID token lies open in the store")
	}
	if err := w.SignOut(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	to, err := w.ProviderSignOut(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Path != "/logout" || !strings.HasPrefix(to, w.idp.Issuer) || q.Get("client_id") != oidctest.ClientID ||
		q.Get("post_logout_redirect_uri") != "http://portal.test:8080/help/sso/signed-out" || strings.Count(q.Get("id_token_hint"), ".") != 2 {
		t.Errorf("sign out at %s", to)
	}
	if !w.SignedOutAtProvider(q.Get("state")) {
		t.Error("the state that was sent along is not known")
	}
	w.clock.Add(time.Hour)
	for _, state := range []string{q.Get("state"), "", "x", "AAAA"} {
		if w.SignedOutAtProvider(state) {
			t.Errorf("the state %q counts", state)
		}
	}
}

func TestProviderWithoutSignOut(t *testing.T) {
	w := newSSOWorld(t, nil)
	w.idp.Discovery = func(d map[string]any) { delete(d, "end_session_endpoint") }
	w.clock.Add(time.Hour)
	v := w.mustSignIn()
	if to, err := w.ProviderSignOut(t.Context(), v); to != "" || err != nil {
		t.Errorf("sign out at %q, %v", to, err)
	}
}

func TestClientSecretIsSealed(t *testing.T) {
	w := newSSOWorld(t, nil)
	sealed := func() (b []byte) {
		t.Helper()
		if err := w.store.Read(t.Context(), func(tx *store.Tx) (err error) {
			b, err = tx.Secret(t.Context(), clientSecret(w.portal.ID))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := sealed()
	if len(first) == 0 || strings.Contains(string(first), oidctest.Secret) {
		t.Fatalf("the secret is kept as %q", first)
	}
	if r := w.set(func(c *AccessChanges) { c.SSO.Secret = ptr(oidctest.Secret) }); len(r.Changes) != 0 {
		t.Errorf("the same secret again changes %v", r.Changes)
	}
	r := w.set(func(c *AccessChanges) { c.SSO.Secret = ptr("another") })
	if len(r.Changes) != 1 || r.Changes[0].Field != "client-secret" || strings.Contains(r.Changes[0].String(), "another") {
		t.Errorf("another secret changes %v", r.Changes)
	}
	w.set(func(c *AccessChanges) { c.SSO.Secret = ptr("") })
	if sealed() != nil {
		t.Error("a public client keeps a secret")
	}
	w.set(func(c *AccessChanges) { c.SSO.Secret = ptr("third") })
	w.set(func(c *AccessChanges) { c.Mode = ptr(portal.ModeSelfRegister) })
	if sealed() != nil || kept(t, w.App, w.portal.ID).Access.SSO != nil {
		t.Error("another mode keeps the provider's settings")
	}
}

func TestProviderSettingsAreChecked(t *testing.T) {
	tests := []struct {
		name   string
		change func(*AccessChanges)
		code   string
	}{
		{"no provider behind the address", func(c *AccessChanges) {
			c.SSO.Issuer, c.SSO.Secret = ptr("http://127.0.0.1:1"), ptr("s")
		}, "access.provider"},
		{"private address without leave", func(c *AccessChanges) { c.SSO.AllowPrivate = ptr(false) }, "access.issuer"},
		{"in the clear", func(c *AccessChanges) { c.SSO.Issuer = ptr("http://login.example.com") }, "access.issuer"},
		{"no client", func(c *AccessChanges) { c.SSO.ClientID = ptr("") }, CodeMissing},
		{"no mail domain", func(c *AccessChanges) { c.SSO.EmailDomains = &[]string{} }, CodeMissing},
		{"no mail domain at all", func(c *AccessChanges) { c.SSO.EmailDomains = &[]string{"com"} }, "access.allow_domain"},
		{"the old secret for a new client", func(c *AccessChanges) { c.SSO.ClientID = ptr("other") }, CodeMissing},
		{"two scopes in one", func(c *AccessChanges) { c.SSO.Scopes = &[]string{"groups roles"} }, "access.scope"},
		{"options of registration", func(c *AccessChanges) { c.Approval = ptr(true) }, "access.options"},
		{"other ways in", func(c *AccessChanges) { c.Methods = &[]portal.SignInMethod{portal.MethodLink} }, "access.options"},
		{"a second factor of ours", func(c *AccessChanges) { c.SecondFactor = ptr(portal.FactorRequired) }, "access.options"},
		{"its options in another mode", func(c *AccessChanges) {
			c.Mode, c.SSO.Label = ptr(portal.ModeSelfRegister), ptr("Acme")
		}, "access.options"},
	}
	w := newSSOWorld(t, nil)
	before := kept(t, w.App, w.portal.ID).Access
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c AccessChanges
			tt.change(&c)
			_, err := w.SetAccess(t.Context(), w.portal.ID, c)
			wantCode(t, err, tt.code)
			if now := kept(t, w.App, w.portal.ID).Access; !reflect.DeepEqual(now, before) {
				t.Errorf("a refused change left %+v", now.SSO)
			}
		})
	}
	r := w.set(func(c *AccessChanges) {
		c.SSO.Issuer, c.SSO.Secret, c.SSO.Offline = ptr("https://login.example.com"), ptr("s"), true
	})
	if r.SSO.Asked || r.SSO.Redirect != "http://portal.test:8080/help/sso/callback" {
		t.Errorf("offline: %+v", r.SSO)
	}
}
