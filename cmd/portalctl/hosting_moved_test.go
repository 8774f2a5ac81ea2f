package main

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/portalctl/portalctl/pkg/portaltest"
)

// Slug, domain and language are changed by commands while the served portal is
// asked for at every address it has or had: nobody is left outside.
func TestServeFollowsAPortalThatMoves(t *testing.T) {
	dns := portaltest.NewDNS(t)
	m := newMachine(t)
	m.env = append(m.env, "PORTALCTL_RESOLVER="+dns.Addr)
	h := m.serve()
	dns.Paste(m.run("domain", "connect", "support.example.com", "--output", "zone", "--quiet"))
	m.run("domain", "verify", "support.example.com")
	own := h.base[strings.Index(h.base, "//")+2:]
	support := "support.example.com" + own[strings.LastIndex(own, ":"):]

	var mu sync.Mutex
	addresses := []string{own + "/help"}
	enough := make(chan struct{})
	var visitors sync.WaitGroup
	for range 3 {
		visitors.Go(func() {
			for asked := 0; ; asked++ {
				select {
				case <-enough:
					if asked > 30 {
						return
					}
				default:
				}
				mu.Lock()
				at := addresses[asked%len(addresses)]
				mu.Unlock()
				if status, landed, body := h.visit(t, at+"/sign-in"); status != http.StatusOK || !strings.Contains(body, `name="email"`) {
					t.Errorf("http://%s/sign-in leads to %d at %s", at, status, landed)
					return
				}
			}
		})
	}
	for _, move := range []struct {
		to  string
		set []string
	}{
		{own + "/support", []string{"portal", "set", "--slug", "support"}},
		{own, []string{"portal", "set", "--slug", ""}},
		{support, []string{"portal", "set", "--domain", "support.example.com"}},
		{support, []string{"domain", "set", "support.example.com", "--language", "sv"}},
		{support + "/hjalp", []string{"portal", "set", "--slug", "hjalp"}},
		{own + "/help", []string{"portal", "set", "--domain", "system", "--slug", "help"}},
	} {
		m.run(move.set...)
		mu.Lock()
		addresses = append(addresses, move.to)
		mu.Unlock()
	}
	close(enough)
	visitors.Wait()
	for _, at := range addresses {
		if _, landed, _ := h.visit(t, at+"/sign-in?a=b"); landed != "http://"+own+"/help/sign-in?a=b" {
			t.Errorf("http://%s leads to %s, want the portal's present address", at, landed)
		}
	}
	m.run("portal", "address", "remove", "support.example.com/hjalp", "--yes")
	if status, _, _ := h.visit(t, support+"/hjalp/nothing"); status == http.StatusOK {
		t.Errorf("an address that was ended answers %d", status)
	}
	if code := h.stop(); code != 0 {
		t.Errorf("stopped with exit %d: %s", code, h.log())
	}
}

// visit asks for an address and follows where it leads, as a browser does that
// finds every host here.
func (h *host) visit(t *testing.T, address string) (status int, landed, body string) {
	own := h.base[strings.Index(h.base, "//")+2:]
	landed = "http://" + address
	for range 6 {
		name, path, _ := strings.Cut(strings.TrimPrefix(landed, "http://"), "/")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+own+"/"+path, nil)
		if err != nil {
			t.Error(err)
			return 0, landed, ""
		}
		r.Host = name
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Errorf("GET %s: %v", landed, err)
			return 0, landed, ""
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			t.Errorf("GET %s: %v", landed, err)
		}
		to := answer.Header.Get("Location")
		if to == "" {
			return answer.StatusCode, landed, string(text)
		}
		if strings.HasPrefix(to, "/") {
			to = "http://" + name + to
		}
		landed = to
	}
	return 0, landed, "it leads on and on"
}
