package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// from sends a form from a network address, without a browser's cookies.
func (w *world) from(address, path string, cookies []*http.Cookie, fields ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, w.server.URL+path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = address + ":40000"
	for _, c := range cookies {
		r.AddCookie(c)
	}
	got := httptest.NewRecorder()
	w.server.Config.Handler.ServeHTTP(got, r)
	return got
}

// Ten thousand failures from as many networks slow the account down, cost no
// memory that stays, and do not keep its owner from the mailed link.
func TestOwnerGetsInWhileManyNetworksGuess(t *testing.T) {
	const tries = 10_000
	w := newWorld(t, nil)
	guess := func(i int) int {
		address := fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255)
		return w.from(address, "/help/sign-in", nil, "email", "ana@example.com", "password", fmt.Sprintf("guess number %d", i)).Code
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	answers := map[int]int{}
	for i := range tries / 10 {
		answers[guess(i)]++
	}
	w.log.Reset()
	before := heap()
	for i := tries / 10; i < tries; i++ {
		answers[guess(i)]++
		if i%1000 == 0 {
			w.log.Reset()
		}
	}
	w.log.Reset()
	if after := heap(); after > before+4<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	if checked := answers[http.StatusUnprocessableEntity]; checked > 20 || answers[http.StatusTooManyRequests] != tries-checked {
		t.Errorf("the guesses were answered %v; want a few 422 and then 429", answers)
	}
	if got := w.from("192.0.2.50", "/help/sign-in", nil, "email", "ana@example.com", "password", anasPassword); got.Code != http.StatusTooManyRequests {
		t.Errorf("the right password in the middle of it answers %d", got.Code)
	}
	token := w.token(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID, Email: w.ana.Email})
	if got := w.from("192.0.2.50", "/help/sign-in/link/"+token, nil); got.Code != http.StatusSeeOther {
		t.Errorf("the owner's link answers %d:\n%s", got.Code, got.Body)
	}
}

// Strangers who ask for links in somebody's name use up their own share of
// mails, and cannot void the link its owner asked for.
func TestStrangersCannotCrowdOutTheOwnersLink(t *testing.T) {
	w := newWorld(t, nil)
	link := w.token(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID, Email: w.ana.Email})
	known := w.from("192.0.2.50", "/help/sign-in/link/"+link, nil).Result().Cookies()
	known = slices.DeleteFunc(known, func(c *http.Cookie) bool { return c.Name != page.DeviceCookie })
	if len(known) != 1 {
		t.Fatal("signing in gave the browser nothing to be recognised by")
	}
	mails := func() (n int, familiar bool) {
		err := w.store.Read(t.Context(), func(tx *store.Tx) error {
			list, err := tx.Outbox(t.Context(), store.OutboxFilter{Limit: 100})
			for _, m := range list {
				if m.Kind != store.MailSignIn {
					continue
				}
				n++
				familiar = familiar || m.Data["familiar"] != ""
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, familiar
	}
	for i := range 40 {
		w.from(fmt.Sprintf("10.0.0.%d", i), "/help/sign-in/link", nil, "email", "ana@example.com")
	}
	n, _ := mails()
	if n != 5 {
		t.Fatalf("strangers had %d mails sent, want 5", n)
	}
	w.from("192.0.2.50", "/help/sign-in/link", known, "email", "ana@example.com")
	if n, familiar := mails(); n != 6 || !familiar {
		t.Errorf("the owner's browser asked for a link and %d mails are there (its own: %t)", n, familiar)
	}
	mine := w.token(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID, Familiar: true})
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.EndOlderLinks(ctx, portal.Person{Contact: w.ana.ID}, false)
	})
	if got := w.from("192.0.2.50", "/help/sign-in/link/"+mine, known); got.Code != http.StatusSeeOther {
		t.Errorf("the owner's link after a stranger asked for one answers %d", got.Code)
	}
}

// BenchmarkFormsTellNothing measures each form for an address that is known,
// unknown or disabled, in turn, so that a busy machine hits all alike. It
// reports how far the medians lie apart, in percent of the smallest.
func BenchmarkFormsTellNothing(b *testing.B) {
	forms := []struct {
		name, path string
		fields     []string
		mode       portal.AccessMode
	}{
		{"password", "/help/sign-in", []string{"password", "a wrong guess at it"}, portal.ModeGroups},
		{"link", "/help/sign-in/link", nil, portal.ModeGroups},
		{"reset", "/help/reset", nil, portal.ModeGroups},
		{"register", "/help/register", nil, portal.ModeSelfRegister},
	}
	for _, form := range forms {
		b.Run(form.name, func(b *testing.B) {
			w := newWorld(b, nil)
			w.portal.Access.Mode = form.mode
			w.savePortal()
			w.write(func(ctx context.Context, tx *store.Tx) error {
				return tx.SaveMember(ctx, &portal.Member{PortalID: w.portal.ID, ContactID: w.bo.ID, Status: portal.Disabled})
			})
			ctx, stop := context.WithCancel(b.Context())
			done := make(chan struct{})
			go func() { defer close(done); w.app.Run(ctx) }()
			defer func() { stop(); <-done }()
			who := []string{"ana@example.com", "nobody@example.com", "bo@example.com"}
			took := make([][]time.Duration, len(who))
			const tries = 200
			for b.Loop() {
				for i := range took {
					took[i] = took[i][:0]
				}
				for try := range tries {
					for i, address := range who {
						// Each account fails rarely enough to be checked each time.
						w.clock.Add(25 * time.Hour)
						network := fmt.Sprintf("10.%d.%d.%d", i, try>>8, try&255)
						began := time.Now()
						w.from(network, form.path, nil, append([]string{"email", address}, form.fields...)...)
						took[i] = append(took[i], time.Since(began))
						// What is done behind this answer must not count for the next.
						time.Sleep(4 * time.Millisecond)
					}
				}
				w.log.Reset()
			}
			var medians []float64
			for i := range took {
				slices.Sort(took[i])
				medians = append(medians, float64(took[i][tries/2].Nanoseconds()))
			}
			b.ReportMetric(100*(slices.Max(medians)-slices.Min(medians))/slices.Min(medians), "%apart")
			b.ReportMetric(medians[0]/1e3, "known-µs")
			b.ReportMetric(medians[1]/1e3, "unknown-µs")
			b.ReportMetric(medians[2]/1e3, "disabled-µs")
			b.ReportMetric(0, "ns/op")
		})
	}
}
