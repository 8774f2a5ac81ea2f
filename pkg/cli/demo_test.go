package cli

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// lockedBuffer is a buffer one goroutine writes and another reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// get reads a page and fails the test unless it is there.
func get(t *testing.T, c *http.Client, address string) string {
	t.Helper()
	resp, err := c.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s\n%s", address, resp.Status, body)
	}
	return string(body)
}

func TestDemoLinksSignInThreePeople(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	var out, errOut lockedBuffer
	env := Env{In: strings.NewReader(""), Out: &out, Err: &errOut, Now: time.Now,
		Getenv: func(key string) string { return map[string]string{"HOME": temp}[key] }, Environ: func() []string { return nil }, Version: "test"}
	done := make(chan int, 1)
	go func() { done <- Run(ctx, &env, []string{"demo", "--listen", "127.0.0.1:0"}) }()

	ready := regexp.MustCompile(`Brewline Support: (http://\S+)`)
	deadline := time.After(time.Minute)
	for ready.FindString(out.String()) == "" {
		select {
		case code := <-done:
			t.Fatalf("the demo ended with %d:\n%s%s", code, out.String(), errOut.String())
		case <-deadline:
			t.Fatalf("the demo is not ready after a minute:\n%s%s", out.String(), errOut.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	links := regexp.MustCompile(`http://\S+/sign-in/link/\S+`).FindAllString(out.String(), -1)
	if len(links) != 3 {
		t.Fatalf("%d links, want 3:\n%s", len(links), out.String())
	}
	home := strings.TrimSuffix(ready.FindStringSubmatch(out.String())[1], "/")
	count := regexp.MustCompile(`href="[^"]*/tickets/T-\d+`)
	var seen []int
	for _, link := range links {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &http.Client{Jar: jar, Timeout: 10 * time.Second}
		get(t, c, link)
		resp, err := c.PostForm(link, url.Values{})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.HasSuffix(resp.Request.URL.Path, "/tickets") {
			t.Fatalf("the link leads to %s: %s", resp.Request.URL.Path, resp.Status)
		}
		all := get(t, c, home+"/tickets.csv?status=all&view=company")
		seen = append(seen, strings.Count(all, "\nT-"))
		if !count.MatchString(get(t, c, home+"/tickets?status=all")) {
			t.Error("the list shows no ticket")
		}
	}
	// The customer sees his own, the colleague the company's but not what
	// is confidential, the agent everything.
	if seen[0] < 10 || seen[1] <= seen[0] || seen[2] <= seen[1] || seen[2] != 40 {
		t.Errorf("tickets seen by customer, colleague and agent: %v, want more each time and 40 in the end", seen)
	}
	if mail := get(t, http.DefaultClient, strings.TrimSuffix(home, "/help")+"/-/mail"); !strings.Contains(mail, "Display of the bar machine") {
		t.Errorf("the mail reader shows no mail:\n%s", mail)
	}
	stop()
	if code := <-done; code != 0 {
		t.Errorf("the demo ended with %d:\n%s", code, errOut.String())
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("the demo left %v, %v", left, err)
	}
}
