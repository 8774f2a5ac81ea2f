package helpdesk

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// run lets the app do what serve has it do beside answering.
func (w *world) run() {
	w.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.app.Run(ctx) }()
	w.t.Cleanup(func() { stop(); <-done })
}

// listen opens a stream and returns its lines; closed when it ends.
func (b *browser) listen() <-chan string {
	b.w.t.Helper()
	ctx, stop := context.WithCancel(b.w.t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.w.server.URL+path("/events"), nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	resp, err := b.c.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		b.w.t.Fatalf("the stream answers %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			lines <- s.Text()
		}
	}()
	b.w.t.Cleanup(func() { stop(); _ = resp.Body.Close() })
	return lines
}

// hears waits for a line that holds text; "" waits for the end.
func hears(t *testing.T, lines <-chan string, text string) string {
	t.Helper()
	patience := time.After(20 * time.Second)
	for {
		select {
		case line, open := <-lines:
			if !open && text != "" {
				t.Fatalf("the stream ended before it said %q", text)
			}
			if !open {
				return ""
			}
			if text != "" && strings.Contains(line, text) {
				return line
			}
		case <-patience:
			t.Fatalf("the stream did not say %q", text)
		}
	}
}

func TestPagesAreToldWhatTheirAgentMaySee(t *testing.T) {
	w := newWorld(t)
	w.run()
	ines, omar := w.browser(w.ines).listen(), w.browser(w.omar).listen()
	ctx := t.Context()
	// A ticket of an inbox that is not Omar's, and then one of his.
	for _, n := range []portal.TicketNumber{w.invoice, w.scanner} {
		if _, err := w.app.AssignTicket(ctx, portal.ByAgent(w.ines.ID), n, w.ines.ID); err != nil {
			t.Fatal(err)
		}
	}
	hears(t, ines, w.invoice.String())
	if line := hears(t, omar, w.scanner.String()); strings.Contains(line, w.invoice.String()) {
		t.Errorf("Omar is told of a ticket he may not see: %s", line)
	}
	hears(t, ines, `"queue:mine":"2"`)

	// Access that is lost ends the stream, and so does the end of the session.
	w.write(func(ctx context.Context, tx *store.Tx) error {
		w.omar.Disabled = true
		return tx.SaveAgent(ctx, w.omar)
	})
	if _, err := w.app.AssignTicket(ctx, portal.ByAgent(w.ines.ID), w.scanner, 0); err != nil {
		t.Fatal(err)
	}
	hears(t, omar, "")
	w.app.StopFeed()
	hears(t, ines, "")
	if got := w.browser(w.ines).get(path("/events")); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("while it stops, a stream answers %d, wanted 503", got.StatusCode)
	}
}

func TestPagesHearWhatHappenedBeforeTheyListened(t *testing.T) {
	w := newWorld(t)
	w.run()
	ines := w.browser(w.ines)
	page := ines.get(path("/tickets?queue=all"))
	_, rest, _ := strings.Cut(page.body, `data-events="`)
	address, _, _ := strings.Cut(rest, `"`)
	if _, err := w.app.AssignTicket(t.Context(), portal.ByAgent(w.ines.ID), w.scanner, w.ines.ID); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := ines.c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			lines <- s.Text()
		}
	}()
	hears(t, lines, w.scanner.String())
}

func TestAnAgentHasOnlySoManyStreams(t *testing.T) {
	w := newWorld(t)
	ines := w.browser(w.ines)
	for range 8 {
		ines.listen()
	}
	if got := ines.get(path("/events")); got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" {
		t.Errorf("the ninth stream answers %d, wanted 429", got.StatusCode)
	}
	w.browser(w.omar).listen() // others are not kept out
}
