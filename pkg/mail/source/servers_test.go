package source

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest/mailtest"
)

// heard is a desk that tells of each mail it takes.
func heard(d *desk) chan string {
	taken := make(chan string, 100)
	d.after = func(a *portal.Arrival) { taken <- subject(a) }
	return taken
}

func next(t *testing.T, s *mailtest.Servers, taken chan string) string {
	t.Helper()
	select {
	case subject := <-taken:
		return subject
	case <-time.After(20 * time.Second):
		t.Fatalf("no mail was taken\n%s", s.Log())
		return ""
	}
}

// Real servers: mail handed in at Postfix lies in Dovecot, is fetched from
// there as it comes, and is moved; other mail Postfix delivers by LMTP.
func TestFetchAndLMTPWithRealServers(t *testing.T) {
	l, err := ListenLMTP(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	const support, sales, mia = "support@example.com", "sales@example.com", "mia@nordic.example"
	s := mailtest.Start(t, mailtest.Options{
		Mailboxes: []string{support, mia}, Gone: []string{"gone.example"},
		Portal: map[string]string{"help.example.com": "inet:" + l.Addr().String()},
		LMTP:   map[string]string{sales: "inet:" + l.Addr().String(), "nobody@example.com": "inet:" + l.Addr().String()},
	})

	d := &desk{}
	taken := heard(d)
	box := Mailbox{Inbox: 1, Name: "Support", Password: mailtest.Password}
	box.Host, box.Port, box.Security, box.User = "localhost", s.IMAPS, portal.MailTLS, support
	box.Since, box.After, box.MoveTo = time.Now(), portal.AfterMove, "Done"
	o := Options{TLS: s.Client}
	report, err := Check(t.Context(), box, portal.IMAPPlace{}, o)
	if err != nil || report.Mails != 0 || !report.Idle {
		t.Fatalf("the mailbox: %+v, %v", report, err)
	}
	d.set(box)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{}, 2)
	go func() {
		NewFetcher(d, o).Run(ctx)
		ended <- struct{}{}
	}()
	lmtpDesk := &desk{}
	delivered := heard(lmtpDesk)
	go func() {
		if err := ServeLMTP(ctx, l, lmtpDesk, nil); err != nil {
			t.Error(err)
		}
		ended <- struct{}{}
	}()
	defer func() {
		cancel()
		<-ended
		<-ended
	}()

	send := func(to, subject, text string) {
		t.Helper()
		mail := fmt.Sprintf("From: %s\nTo: %s\nSubject: %s\nMessage-ID: <%s@nordic.example>\n\n%s\n", mia, to, subject, subject, text)
		if err := s.Send(mia, to, mail); err != nil {
			t.Fatal(err)
		}
	}
	send(support, "one", "The pump is loud.")
	send("support+t1.c2@example.com", "two", ".\n..\nFrom here\n"+strings.Repeat("ä", 400))
	for range 2 {
		next(t, s, taken)
	}
	send(sales, "three", ".\n..\nFrom here\n"+strings.Repeat("x", 3000))
	if got := next(t, s, delivered); got != "three" {
		t.Errorf("delivered %q", got)
	}
	a := lmtpDesk.snap().taken[0]
	if a.Inbox != 2 || a.EnvelopeFrom != mia || a.Recipients[0] != sales || !strings.Contains(string(a.Raw), "\r\n.\r\n..\r\nFrom here\r\n") {
		t.Errorf("arrival: %+v\n%s", a, a.Raw)
	}
	// A recipient no inbox has comes back to the sender, as does one whose
	// server knows nobody of that name.
	send("nobody@example.com", "four", "Is there anybody?")
	send("ada@gone.example", "five", "Is there anybody?")
	for _, m := range s.Wait(t, mia, 2) {
		if !strings.Contains(string(m.Raw), "5.1.1") || !strings.HasPrefix(m.Header.Get("Content-Type"), "multipart/report") {
			t.Errorf("the bounce:\n%s", m.Raw)
		}
	}
	// Where portalctl has the whole domain, it is asked before mail is taken.
	if err := s.Deliver(mia, "nobody@help.example.com", "Subject: six\n\nIs there anybody?\n"); err == nil || !strings.Contains(err.Error(), "No inbox has this address") {
		t.Errorf("mail for nobody: %v", err)
	}
	if err := s.Deliver(mia, "sales@help.example.com", "Subject: seven\n\nIs there anybody?\n"); err != nil {
		t.Error(err)
	} else if got := next(t, s, delivered); got != "seven" {
		t.Errorf("delivered %q", got)
	}
	// Something of every size.
	send(support, "large", strings.Repeat("It is very loud.\n", 5<<20/17))
	if got := next(t, s, taken); got != "large" {
		t.Errorf("taken %q", got)
	}
	cancel()
	<-ended
	<-ended
	ended <- struct{}{}
	ended <- struct{}{}
	if left, moved := s.Count(t, support, "INBOX"), s.Count(t, support, "Done"); left != 0 || moved != 3 {
		t.Errorf("%d mails left, %d moved", left, moved)
	}
	for _, entry := range d.snap().taken {
		if !strings.Contains(string(entry.Raw), "\r\nReceived: ") {
			t.Errorf("not a mail that travelled: %.300s", entry.Raw)
		}
	}
}
