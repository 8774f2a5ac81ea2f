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

// demo is a sample portal being served for a test.
type demo struct {
	home  string   // the portal's address, without a slash at the end
	links []string // customer, colleague, agent
	store string
	temp  string
	given map[string]bool // what newestMail has returned
	stop  func() (code int, output string)
	run   func(args ...string) (code int, output string) // another command on the same store
}

func (d *demo) mail() string { return strings.TrimSuffix(d.home, "/help") + mailPath }

// startDemo serves the sample; it ends with the test.
func startDemo(t *testing.T, args ...string) *demo {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d := &demo{temp: t.TempDir(), given: map[string]bool{}}
	t.Setenv("TMPDIR", d.temp)
	newEnv := func(out io.Writer) *Env {
		return &Env{
			In: strings.NewReader(""), Out: out, Err: out, Now: time.Now, Version: "test",
			Getenv: func(key string) string { return map[string]string{"HOME": d.temp}[key] }, Environ: func() []string { return nil },
		}
	}
	var out lockedBuffer
	done := make(chan int, 1)
	go func() {
		done <- Run(ctx, newEnv(&out), append([]string{"demo", "--listen", "127.0.0.1:0"}, args...))
	}()
	d.stop = sync.OnceValues(func() (int, string) {
		cancel()
		return <-done, out.String()
	})
	t.Cleanup(func() { d.stop() })

	ready := regexp.MustCompile(`Brewline Support: (http://\S+)/`)
	deadline := time.After(time.Minute)
	for ready.FindString(out.String()) == "" {
		select {
		case code := <-done:
			done <- code
			t.Fatalf("the demo ended with %d:\n%s", code, out.String())
		case <-deadline:
			t.Fatalf("the demo is not ready after a minute:\n%s", out.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	d.home = ready.FindStringSubmatch(out.String())[1]
	d.links = regexp.MustCompile(`http://\S+/sign-in/link/\S+`).FindAllString(out.String(), -1)
	if len(d.links) != 3 {
		t.Fatalf("%d links, want 3:\n%s", len(d.links), out.String())
	}
	d.run = func(args ...string) (int, string) {
		var out lockedBuffer
		code := Run(context.Background(), newEnv(&out), append(args, "--store", d.store))
		return code, out.String()
	}
	return d
}

func TestDemoLinksSignInThreePeople(t *testing.T) {
	d := startDemo(t)
	home := d.home
	count := regexp.MustCompile(`href="[^"]*/tickets/T-\d+`)
	var seen []int
	for _, link := range d.links {
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
	if mail := get(t, http.DefaultClient, d.mail()); !strings.Contains(mail, "Display of the bar machine") {
		t.Errorf("the mail reader shows no mail:\n%s", mail)
	}
	if code, output := d.stop(); code != 0 {
		t.Errorf("the demo ended with %d:\n%s", code, output)
	}
	if left, err := os.ReadDir(d.temp); err != nil || len(left) > 0 {
		t.Errorf("the demo left %v, %v", left, err)
	}
}
