package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// strike types keys where the focus is.
func (b *tab) strike(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// settled waits until the page is there and a JavaScript expression holds.
func (b *tab) settled(what, expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if yes, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("document.readyState === 'complete' && Boolean("+expression+")")); err == nil && yes {
			return
		}
	}
	b.t.Fatalf("waited in vain until %s\non %s:\n%s", what, b.where(), b.text("main"))
}

// An agent answers, takes it back, answers again and writes a note, with the
// keyboard alone.
func TestBrowserAgentAnswersByKeyboard(t *testing.T) {
	d := startDemo(t)
	b := newTab(browser(t), t, 1280, true)
	b.followLink(d.links[2])
	desk := strings.TrimSuffix(d.home, "/help") + "/helpdesk"
	b.open(desk + "/tickets?queue=us")
	b.strike("j\r")
	b.settled("a ticket is open", "document.querySelector('[data-talk]')")

	b.strike("r")
	b.settled("the answer has the focus", "document.activeElement.id === 'answer-body'")
	b.strike("Sent too early")
	b.do(chromedp.KeyEvent("\r", chromedp.KeyModifiers(2)))
	b.settled("the answer waits", "document.querySelector('[data-due] [data-undo]')")
	b.wantText(".talk-waiting", "Sent too early")
	b.strike("u")
	b.settled("the answer is back", "!document.querySelector('[data-due]') && document.getElementById('answer-body')?.value.endsWith('Sent too early')")

	b.strike("r")
	b.settled("the answer has the focus", "document.activeElement.id === 'answer-body'")
	b.strike(", and now right")
	b.do(chromedp.KeyEvent("\r", chromedp.KeyModifiers(2)))
	b.settled("the answer waits", "document.querySelector('[data-due]')")
	b.settled("the answer is sent", "!document.querySelector('[data-due]') && document.querySelector('.thread').textContent.includes('and now right')")

	b.strike("n")
	b.settled("the note has the focus", "document.activeElement.id === 'note-body' && document.getElementById('note').open && !document.getElementById('answer').open")
	b.strike("Only for us")
	b.do(chromedp.KeyEvent("\r", chromedp.KeyModifiers(2)))
	b.settled("the note is saved", "[...document.querySelectorAll('.talk-note')].some((note) => note.textContent.includes('Only for us'))")
}
