package web

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// visitor is a browser that finds every host at the test's server.
type visitor struct {
	http.Client
}

func (w *world) visitor(follow bool) *visitor {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	v := &visitor{http.Client{Jar: jar, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, w.server.Listener.Addr().String())
		},
	}}}
	if !follow {
		v.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	w.t.Cleanup(v.CloseIdleConnections)
	return v
}

// signedIn has the visitor hold a session at every host.
func (v *visitor) signedIn(session string, sites ...string) *visitor {
	for _, site := range sites {
		u, _ := url.Parse(site)
		v.Jar.SetCookies(u, []*http.Cookie{{Name: "portalctl", Value: session, Path: "/"}})
	}
	return v
}

func (v *visitor) ask(ctx context.Context, method, address string, form url.Values) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://"+r.URL.Host)
	}
	res, err := v.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// The portal's address, its domain and their languages change all the time,
// while people read, sign in and write at any address it ever had.
func TestAddressesChangeUnderLoad(t *testing.T) {
	const rounds = 40
	w := newWorld(t, nil)
	w.connect("support.example.com", "help.example.com")
	sites := []string{w.server.URL, w.site("support.example.com"), w.site("help.example.com")}
	slugs := []string{"help", "support", "hjalp"}
	hosts := []string{app.System, "support.example.com", "help.example.com"}
	// Every address was the portal's own once, so that it is one from now on.
	var addresses []string
	for i, host := range hosts {
		for _, slug := range slugs {
			w.set(app.PortalChanges{Domain: &host, Slug: &slug})
			addresses = append(addresses, sites[i]+"/"+slug)
		}
	}
	ana := w.signInAtOwn(w.ana)
	ctx := t.Context()

	var workers sync.WaitGroup
	// A change for every few requests, under way or about to be.
	turn := make(chan struct{})
	work := func(one func(round int)) {
		workers.Go(func() {
			for round := range rounds {
				turn <- struct{}{}
				one(round)
			}
		})
	}
	ticket := "/tickets/" + w.anas.String()
	reader := w.visitor(true).signedIn(ana, sites...)
	work(func(round int) {
		from := addresses[round%len(addresses)] + ticket + "?print=1"
		res, body, err := reader.ask(ctx, http.MethodGet, from, nil)
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(body, "The scanner shows error 7") || !strings.HasSuffix(res.Request.URL.String(), ticket+"?print=1") {
			t.Errorf("reading at %s: %v, %s", from, err, told(res))
		}
	})
	stranger := w.visitor(true)
	work(func(round int) {
		from := addresses[(round*2+1)%len(addresses)] + "/sign-in"
		res, body, err := stranger.ask(ctx, http.MethodGet, from, nil)
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(body, `name="email"`) {
			t.Errorf("the sign-in page at %s: %v, %s", from, err, told(res))
		}
	})
	// Forms are sent from pages that stood open while the address changed.
	signer := w.visitor(false)
	work(func(round int) {
		from := addresses[(round*5+2)%len(addresses)] + "/sign-in/link"
		res, body, err := signer.ask(ctx, http.MethodPost, from, url.Values{"email": {fmt.Sprintf("nobody%d@example.com", round%4)}})
		if err != nil || !leadsOn(res, body) && res.StatusCode != http.StatusTooManyRequests {
			t.Errorf("asking for a link at %s: %v, %s", from, err, told(res))
		}
	})
	for writer := range 2 {
		visitor := w.visitor(false).signedIn(ana, sites...)
		work(func(round int) {
			from := addresses[(round*4+writer)%len(addresses)] + ticket + "/replies"
			res, body, err := visitor.ask(ctx, http.MethodPost, from, url.Values{"body": {fmt.Sprintf("Answer %d of %d.", round, writer)}})
			if err != nil || !leadsOn(res, body) {
				t.Errorf("answering at %s: %v, %s", from, err, told(res))
			}
		})
	}
	go func() {
		workers.Wait()
		close(turn)
	}()
	requests := 0
	for range turn {
		requests++
		if requests%3 != 0 {
			continue
		}
		change := requests / 3
		w.set(app.PortalChanges{Domain: &hosts[change*2%3], Slug: &slugs[change/2%3]})
		language := []string{"en", "sv"}[change/3%2]
		if _, _, err := w.app.SetDomain(ctx, hosts[change%3], app.DomainChanges{Language: &language}); err != nil {
			t.Fatal(err)
		}
	}

	for writer := range 2 {
		for round := range rounds {
			if n := w.messages(w.anas, fmt.Sprintf("Answer %d of %d.", round, writer)); n != 1 {
				t.Errorf("answer %d of writer %d is there %d times, want once", round, writer, n)
			}
		}
	}
	// Whatever the last change was, every address leads to the portal.
	all, err := w.app.Addresses(ctx, w.portal.ID)
	if err != nil || len(all) != len(addresses) {
		t.Fatalf("the portal has %d addresses, want %d: %v", len(all), len(addresses), err)
	}
	for _, from := range addresses {
		res, _, err := reader.ask(ctx, http.MethodGet, from+ticket, nil)
		if err != nil || res.StatusCode != http.StatusOK || res.Request.URL.String() != all[0].URL+ticket[1:] {
			t.Errorf("%s leads to %s, want %s: %v", from, told(res), all[0].URL+ticket[1:], err)
		}
	}
}

// leadsOn reports whether a form was taken and leads to another page.
func leadsOn(res *http.Response, body string) bool {
	return res.StatusCode == http.StatusSeeOther ||
		res.StatusCode == http.StatusOK && (strings.Contains(body, "This portal has moved") || strings.Contains(body, "Portalen har flyttat"))
}

func told(res *http.Response) string {
	if res == nil {
		return "no answer"
	}
	return fmt.Sprintf("%d at %s to %q", res.StatusCode, res.Request.URL, res.Header.Get("Location"))
}

// signInAtOwn signs a contact in where the portal lies.
func (w *world) signInAtOwn(c *portal.Contact) string {
	w.t.Helper()
	all, err := w.app.Addresses(w.t.Context(), w.portal.ID)
	i := slices.IndexFunc(all, func(v app.AddressView) bool { return v.Kind == app.OwnAddress })
	if err != nil || i < 0 {
		w.t.Fatalf("the portal has no address: %v", err)
	}
	u, err := url.Parse(all[i].URL)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.useAt(u.Host, u.Path, w.token(store.Token{Kind: store.TokenSignIn, Contact: c.ID, Email: c.Email}))
}
