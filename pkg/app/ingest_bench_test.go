package app

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/mail/incoming"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// newBenchPost is a store with a portal and an inbox that takes proven senders.
func newBenchPost(b *testing.B) *post {
	b.Helper()
	s, clock := portaltest.StoreClock(b)
	words := MailWords{NoSubject: "-", NoText: "-", TextCut: "-", FilesLeft: func(s string) string { return s }}
	w := &world{clock: clock}
	w.App = New(Options{
		Store: s, Hasher: auth.NewHasher(1), Now: clock.Now, Parse: incoming.Parse, MailWords: func(string) MailWords { return words },
	})
	p := &post{world: w, inbox: &portal.Inbox{
		Name: "Support", Kind: portal.InboxMail, Address: "support@example.com",
		Mail: portal.MailIn{TrustedServer: "mx.example.com", Unknown: portal.UnknownAccept},
	}}
	err := s.Write(b.Context(), func(tx *store.Tx) error {
		ctx := context.WithoutCancel(b.Context())
		system, err := tx.SystemDomain(ctx)
		if err != nil {
			return err
		}
		if err := tx.AddInbox(ctx, p.inbox); err != nil {
			return err
		}
		o := &portal.Portal{
			Name: "Help", DomainID: system.ID, Slug: "help", State: portal.Live, Accent: portal.DefaultAccent, TimeZone: "UTC",
			Tickets: portal.DefaultTicketSettings(), Access: portal.DefaultAccessSettings(),
		}
		o.Tickets.InboxID, o.Access.Mode = p.inbox.ID, portal.ModeSelfRegister
		return tx.AddPortal(ctx, o)
	})
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// BenchmarkTakeMail takes mails of a known sender, each in its transaction,
// synced to disk: alone, with a picture, and many at a time.
func BenchmarkTakeMail(b *testing.B) {
	picture := strings.Repeat(strings.Repeat("QUJD", 19)+"\n", 1400) // 100 KiB
	for _, c := range []struct {
		name, body string
		together   int
	}{
		{"text", "", 1}, {"file", picture, 1}, {"text/8 at a time", "", 8},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newBenchPost(b)
			n := 0
			mail := func() []byte {
				n++
				from := fmt.Sprintf("From: b%d@example.com\nMessage-ID: <%d.%s@example.com>\nSubject: Mail %d\n", n, n, strings.ReplaceAll(c.name, " ", ""), n)
				head := "Authentication-Results: mx.example.com; dmarc=pass header.from=example.com\n" + from
				if c.body == "" {
					return []byte(head + "\nA few words about a pump that drips.\n")
				}
				return []byte(head + "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee the picture.\n\n" +
					"--b\nContent-Type: image/png; name=pump.png\nContent-Transfer-Encoding: base64\n\n" + fmt.Sprintf("%012d", n) + "\n" + c.body + "--b--\n")
			}
			mails := make(chan []byte, b.N)
			for range b.N {
				mails <- mail()
			}
			close(mails)
			b.ResetTimer()
			done := make(chan error, c.together)
			for range c.together {
				go func() {
					for raw := range mails {
						e, err := w.TakeMail(b.Context(), &portal.Arrival{Inbox: w.inbox.ID, Source: portal.SourceIngest, Raw: raw})
						if err == nil && e.Decision != portal.MailCreated {
							err = fmt.Errorf("a mail was %s (%s)", e.Decision, e.Reason)
						}
						if err != nil {
							done <- err
							return
						}
					}
					done <- nil
				}()
			}
			for range c.together {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
		})
	}
}
