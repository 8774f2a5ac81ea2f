package cli

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// startPreview runs portal preview on a kept demo's store, and returns its link.
func startPreview(t *testing.T, d *demo, args ...string) (link string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var out lockedBuffer
	done := make(chan int, 1)
	env := &Env{
		In: strings.NewReader(""), Out: &out, Err: &out, Now: time.Now, Version: "test", User: "olle",
		Getenv: func(key string) string { return map[string]string{"HOME": d.temp}[key] }, Environ: func() []string { return nil },
	}
	go func() {
		done <- Run(ctx, env, append([]string{"portal", "preview", "help", "--store", d.store}, args...))
	}()
	pattern := regexp.MustCompile(`http://\S+/-/preview/\S+`)
	deadline := time.After(time.Minute)
	for pattern.FindString(out.String()) == "" {
		select {
		case code := <-done:
			t.Fatalf("the preview ended with %d:\n%s", code, out.String())
		case <-deadline:
			t.Fatalf("the preview is not ready after a minute:\n%s", out.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return pattern.FindString(out.String()), func() int {
		cancel()
		return <-done
	}
}

func TestPreviewShowsWhatIsNotWritten(t *testing.T) {
	keep := t.TempDir()
	d := startDemo(t, "--keep", keep)
	d.store = filepath.Join(keep, "portal.db")
	d.stop()

	link, stop := startPreview(t, d, "--name", "Changed", "--accent", "#ffee00", "--logo", "none", "--logo-dark", "none", "--banner", "Closed on Friday.", "--as", "noah@harbour-hotels.example")
	base, _, _ := strings.Cut(link, "/-/")
	status := func(c *http.Client, method, address string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader("body=x"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	stranger := &http.Client{Timeout: 10 * time.Second}
	for _, path := range []string{"/help/", "/help/sign-in", "/-/health", "/favicon.ico", "/-/preview/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		if got := status(stranger, http.MethodGet, base+path); got != http.StatusNotFound {
			t.Errorf("%s without the link: %d, want 404", path, got)
		}
	}
	if got := status(stranger, http.MethodHead, link); got != http.StatusNotFound {
		t.Errorf("HEAD of the link: %d, want 404", got)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	list := get(t, c, link)
	for _, want := range []string{"Tickets · Changed", "Closed on Friday.", "A preview", "You are looking as Noah Berger", "Display of the bar machine"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list has no %q", want)
		}
	}
	if strings.Contains(list, "/-/image/") {
		t.Error("the list shows the logo that was taken away")
	}
	if got := status(stranger, http.MethodGet, link); got != http.StatusNotFound {
		t.Errorf("the link used twice: %d, want 404", got)
	}
	ticket := get(t, c, base+"/help/tickets/T-1037")
	if !strings.Contains(ticket, "Espresso machine") {
		t.Error("the ticket does not show")
	}
	for _, path := range []string{"/help/tickets/T-1037/replies", "/help/tickets/new", "/help/sign-out", "/help/sign-in/link", "/help/tickets/T-1037/draft", "/help/tickets/T-1037/close"} {
		if got := status(c, http.MethodPost, base+path); got != http.StatusForbidden {
			t.Errorf("POST %s: %d, want 403", path, got)
		}
	}
	for _, path := range []string{"/help/account", "/help/tickets.csv"} {
		if got := status(c, http.MethodGet, base+path); got != http.StatusForbidden {
			t.Errorf("GET %s: %d, want 403", path, got)
		}
	}
	if got := status(c, http.MethodGet, base+"/helpdesk"); got != http.StatusNotFound {
		t.Errorf("the help desk: %d, want 404", got)
	}
	if code := stop(); code != 0 {
		t.Errorf("the preview ended with %d", code)
	}

	// Nothing but the look itself is in the store, as any look is.
	if _, shown := d.run("portal", "show"); !strings.Contains(shown, "Brewline Support") || strings.Contains(shown, "Changed ") || strings.Contains(shown, "Closed on") {
		t.Errorf("the preview changed the portal:\n%s", shown)
	}
	_, entries := d.run("audit", "list", "--output", "csv")
	if opened, ended := strings.Count(entries, "view.opened"), strings.Count(entries, "view.ended"); opened != 1 || ended != 1 {
		t.Errorf("%d looks opened and %d ended in the audit log, want one each:\n%s", opened, ended, entries)
	}
}

func TestPreviewOnlyOnThisMachine(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", "example.com:80", ":8080", "127.0.0.1"} {
		err := runPortalPreview(t.Context(), &Env{}, portalPreviewOptions{Listen: address})
		if err == nil || !strings.Contains(err.Error(), "is not an address of this machine alone") {
			t.Errorf("--listen %s: %v", address, err)
		}
	}
}
