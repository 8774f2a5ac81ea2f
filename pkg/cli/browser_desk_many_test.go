package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// TestBrowserDeskOfFiveThousandTickets works in a queue nobody could read to
// its end.
func TestBrowserDeskOfFiveThousandTickets(t *testing.T) {
	chromium, keep := browser(t), t.TempDir()
	d := startDemo(t, "--keep", keep)
	openTickets(t, filepath.Join(keep, "portal.db"), 5000)
	b := newTab(chromium, t, 1280, true)
	b.followLink(d.links[2])
	b.keys("g")
	b.keysTo("a")
	b.wantText("h1", "All open")
	b.until("a page of fifty", "document.querySelectorAll('.queue-row').length === 50")
	b.until("a count that stops", "document.querySelector('[data-count=\"queue:all\"]').textContent.includes('1,000+')")
	for range 49 {
		b.keys("j")
	}
	last := b.eval("document.activeElement.closest('.queue-row').querySelector('.queue-check').value")
	b.press(".pager a[rel=next]")
	b.until("the next page", "document.querySelectorAll('.queue-row').length === 50 && !document.querySelector('.queue-check[value=\""+last+"\"]')")

	b.keys("/")
	b.until("the search field", "document.activeElement.id === 'desk-q'")
	b.keys("needle4242")
	b.keysTo(kb.Enter)
	b.until("the one ticket in five thousand", "document.querySelectorAll('.queue-row').length === 1")
	b.keys("jx")
	b.do(chromedp.Focus(chromedp.CSS("button[name=act][value=assign]")))
	b.keysTo(kb.Enter)
	b.wantText(".flash", "changed")
}

// openTickets writes tickets of the sample's first contact into a store.
func openTickets(t *testing.T, path string, count int) {
	t.Helper()
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Write(t.Context(), func(tx *store.Tx) error {
		ctx := context.Background()
		sample, err := tx.Ticket(ctx, portal.FirstTicketNumber)
		if err != nil {
			return err
		}
		for i := range count {
			at := tx.Now.Add(-time.Duration(count-i) * time.Minute)
			k := &portal.Ticket{
				Subject: fmt.Sprintf("Matter needle%d", i), Status: portal.WaitingOnUs, Priority: portal.Normal, Requester: sample.Requester,
				Company: sample.Company, InboxID: sample.InboxID, PortalID: sample.PortalID, CreatedAt: at,
			}
			if err := tx.AddTicket(ctx, k); err != nil {
				return err
			}
			m := &portal.Message{Kind: portal.Public, Contact: sample.Requester, Body: "One of many.", Format: portal.Plain, At: at}
			if err := tx.AddMessage(ctx, k, m); err != nil {
				return err
			}
			if err := tx.SaveTicket(ctx, k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
