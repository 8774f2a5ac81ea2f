package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest/smtptest"
)

var ours = netmail.Address{Name: "Nordic Tools", Address: "support@nordic.example"}

func testMessage() *Message {
	return &Message{
		From: ours, To: netmail.Address{Name: "Åsa Öberg", Address: "asa@acme.example"},
		ReplyTo: netmail.Address{Name: "Nordic Tools", Address: "inbox@nordic.example"},
		Subject: "[T-1042] Pumpen läcker 🚰", Text: "Hej!\n\n.a line with a dot\nFrom here on\n> not a quote\n" + strings.Repeat("word ", 60),
		HTML: "<p>Hej på dig</p>", MessageID: "<m1@nordic.example>", InReplyTo: "<ticket.1042.abc@nordic.example>",
		References: []string{"<ticket.1042.abc@nordic.example>"}, Date: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	}
}

func sender(t *testing.T, s *smtptest.Server, security Security, change ...func(*Server)) *Sender {
	t.Helper()
	server := Server{Host: s.Host, Port: s.Port, Security: security, TLS: s.Client, Timeout: 5 * time.Second, Hello: "portal.test"}
	for _, f := range change {
		f(&server)
	}
	sender, err := NewSender(server, &Writer{From: ours})
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

func TestMailArrivesWhole(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	m := testMessage()
	if d := sender(t, server, NoTLS).SendMessage(t.Context(), m); d.Outcome != portal.Delivered {
		t.Fatalf("got %+v, want delivered", d)
	}
	got := server.Mails()[0]
	if got.From != "support@nordic.example" || got.To != "asa@acme.example" {
		t.Errorf("the envelope is from %s to %s", got.From, got.To)
	}
	msg := got.Message(t)
	for header, want := range map[string]string{
		"From": `"Nordic Tools" <support@nordic.example>`, "To": "Åsa Öberg <asa@acme.example>",
		"Reply-To": `"Nordic Tools" <inbox@nordic.example>`, "Subject": m.Subject,
		"Message-Id": m.MessageID, "In-Reply-To": m.InReplyTo, "References": m.References[0],
		"Date": "Sun, 22 Nov 2026 12:00:00 +0000", "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
		"User-Agent": "", "X-Mailer": "", "Sender": "", "Precedence": "",
	} {
		value, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get(header))
		if err != nil || value != want {
			t.Errorf("%s is %q (%v), want %q", header, value, err, want)
		}
	}
	text, html := parts(t, msg)
	if back := unflow(text); back != m.Text+"\n" && strings.TrimRight(back, " \n") != strings.TrimRight(m.Text, " \n") {
		t.Errorf("the text part reads back as\n%q\nwant\n%q", back, m.Text)
	}
	if html != m.HTML {
		t.Errorf("the HTML part is %q", html)
	}
	for line := range strings.SplitSeq(string(got.Raw), "\r\n") {
		if len(line) > 998 {
			t.Errorf("a line has %d bytes", len(line))
		}
		if strings.ContainsAny(line, "\n\x00") {
			t.Errorf("the line %q has a bare line end", line)
		}
	}
}

// parts returns the text and HTML part of a mail, decoded.
func parts(t *testing.T, msg *netmail.Message) (text, html string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("the mail is %s (%v), want multipart/alternative", kind, err)
	}
	reader := multipart.NewReader(msg.Body, params["boundary"])
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return text, html
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		kind, params, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if !strings.EqualFold(params["charset"], "utf-8") {
			t.Errorf("%s is in %q", kind, params["charset"])
		}
		content := strings.ReplaceAll(string(body), "\r\n", "\n")
		switch kind {
		case "text/plain":
			if params["format"] != "flowed" {
				t.Errorf("the text part does not say format=flowed: %s", part.Header.Get("Content-Type"))
			}
			text = content
		case "text/html":
			html = content
		}
	}
}

func TestConnectionIsProtected(t *testing.T) {
	start := smtptest.Start(t, smtptest.Options{STARTTLS: true})
	implicit := smtptest.Start(t, smtptest.Options{TLS: true})
	plain := smtptest.Start(t, smtptest.Options{})
	stranger := func(s *Server) { s.TLS = nil }
	tests := map[string]struct {
		server   *smtptest.Server
		security Security
		change   func(*Server)
		want     portal.Outcome
	}{
		"STARTTLS":                   {server: start, security: STARTTLS, want: portal.Delivered},
		"implicit TLS":               {server: implicit, security: TLS, want: portal.Delivered},
		"STARTTLS not offered":       {server: plain, security: STARTTLS, want: portal.Temporary},
		"TLS where there is none":    {server: plain, security: TLS, want: portal.Temporary},
		"plain where TLS is wanted":  {server: implicit, security: STARTTLS, change: func(s *Server) { s.Timeout = 100 * time.Millisecond }, want: portal.Temporary},
		"unknown certificate":        {server: start, security: STARTTLS, change: stranger, want: portal.Temporary},
		"unknown certificate, TLS":   {server: implicit, security: TLS, change: stranger, want: portal.Temporary},
		"another name's certificate": {server: start, security: STARTTLS, change: func(s *Server) { s.TLS.ServerName = "else.example" }, want: portal.Temporary},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := len(tt.server.Mails())
			s := sender(t, tt.server, tt.security, func(s *Server) {
				if s.TLS != nil {
					s.TLS = s.TLS.Clone()
				}
				if tt.change != nil {
					tt.change(s)
				}
			})
			d := s.SendMessage(t.Context(), testMessage())
			if d.Outcome != tt.want || d.Server != (tt.want != portal.Delivered) {
				t.Fatalf("got %+v, want %v", d, tt.want)
			}
			mails := tt.server.Mails()[before:]
			if tt.want != portal.Delivered {
				if len(mails) != 0 {
					t.Error("a mail went out all the same")
				}
				if err := s.Check(t.Context()); portal.KindOf(err) != portal.Unavailable {
					t.Errorf("Check says %v", err)
				}
				return
			}
			if len(mails) != 1 || !mails[0].Secure {
				t.Errorf("the mail did not come over TLS: %+v", mails)
			}
			if err := s.Check(t.Context()); err != nil {
				t.Errorf("Check says %v", err)
			}
		})
	}
	if _, err := NewSender(Server{Host: "mail.example.com", Port: 25, Security: NoTLS}, &Writer{From: ours}); portal.KindOf(err) != portal.Invalid {
		t.Errorf("a far server without TLS: %v, want Invalid", err)
	}
}

func TestSignIn(t *testing.T) {
	for _, security := range []Security{STARTTLS, TLS, NoTLS} {
		server := smtptest.Start(t, smtptest.Options{STARTTLS: security == STARTTLS, TLS: security == TLS, User: "portal", Password: "s3cret"})
		as := func(user, password string) *Sender {
			return sender(t, server, security, func(s *Server) { s.User, s.Password = user, password })
		}
		if d := as("portal", "s3cret").SendMessage(t.Context(), testMessage()); d.Outcome != portal.Delivered {
			t.Errorf("%s: got %+v, want delivered", security, d)
		} else if got := server.Mails()[0].User; got != "portal" {
			t.Errorf("%s: signed in as %q", security, got)
		}
		if err := as("portal", "s3cret").Check(t.Context()); err != nil {
			t.Errorf("%s: Check says %v", security, err)
		}
		for _, wrong := range []*Sender{as("portal", "guess"), as("", "")} {
			d := wrong.SendMessage(t.Context(), testMessage())
			if d.Outcome != portal.Temporary || d.Code/100 != 5 {
				t.Errorf("%s: not signed in: got %+v, want temporary with the server's 5xx", security, d)
			}
		}
		err := as("portal", "guess").Check(t.Context())
		if portal.KindOf(err) != portal.Unavailable || !strings.Contains(err.Error(), "535") || strings.Contains(err.Error(), "guess") {
			t.Errorf("%s: Check says %v", security, err)
		}
		if n := len(server.Mails()); n != 1 {
			t.Errorf("%s: %d mails were taken, want 1", security, n)
		}
	}
}

func TestAnswersAreJudged(t *testing.T) {
	for _, code := range []int{421, 450, 550, 554} {
		refuse := func(string) error { return smtptest.Refuse(code, "no <b>thanks</b>") }
		rcpt := portal.Permanent
		if code < 500 {
			rcpt = portal.Temporary
		}
		tests := map[string]struct {
			options smtptest.Options
			want    portal.Outcome
		}{
			// A refused sender is our set-up's fault, so it is tried again.
			"MAIL": {smtptest.Options{Mail: refuse}, portal.Temporary},
			"RCPT": {smtptest.Options{Rcpt: refuse}, rcpt},
			"DATA": {smtptest.Options{Data: func(*smtptest.Mail) error { return refuse("") }}, rcpt},
		}
		for name, tt := range tests {
			server := smtptest.Start(t, tt.options)
			d := sender(t, server, NoTLS).SendMessage(t.Context(), testMessage())
			wantStatus := fmt.Sprintf("%d.1.1", code/100)
			if d.Outcome != tt.want || d.Code != code || d.Status != wantStatus || d.Server != (name == "MAIL") || !strings.Contains(d.Text, "thanks") {
				t.Errorf("%d at %s: got %+v, want %v with status %s", code, name, d, tt.want, wantStatus)
			}
			if len(server.Mails()) != 0 {
				t.Errorf("%d at %s: the server took the mail", code, name)
			}
		}
	}
	script := map[string]struct {
		answers []string
		want    portal.Outcome
		code    int
	}{
		"refused greeting":    {[]string{"554 5.3.2 go away\r\n"}, portal.Temporary, 554},
		"busy greeting":       {[]string{"421 busy\r\n"}, portal.Temporary, 421},
		"no greeting":         {[]string{""}, portal.Temporary, 0},
		"no SMTP":             {[]string{"HTTP/1.1 400 Bad Request\r\n\r\n"}, portal.Temporary, 0},
		"refused EHLO":        {[]string{"220 hi\r\n", "550 no\r\n", "550 no\r\n"}, portal.Temporary, 550},
		"hangs up after RCPT": {[]string{"220 hi\r\n", "250 me\r\n", "250 ok\r\n", ""}, portal.Temporary, 0},
		"refused DATA":        {[]string{"220 hi\r\n", "250 me\r\n", "250 ok\r\n", "250 ok\r\n", "552 5.3.4 full\r\n"}, portal.Permanent, 552},
		"dies after the text": {[]string{"220 hi\r\n", "250 me\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", ""}, portal.Unknown, 0},
		"nonsense after text": {[]string{"220 hi\r\n", "250 me\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "what?\r\n"}, portal.Unknown, 0},
		"says yes and dies":   {[]string{"220 hi\r\n", "250 me\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 yes\r\n"}, portal.Delivered, 250},
		"several lines":       {[]string{"220-hi\r\n220 there\r\n", "250-me\r\n250 SIZE\r\n", "250 ok\r\n", "550-5.1.1 no\r\n550 5.1.1 such user\r\n"}, portal.Permanent, 550},
		"an endless line":     {[]string{"220 hi\r\n", "250 " + strings.Repeat("x", 1<<20)}, portal.Temporary, 0},
		"a hostile text":      {[]string{"220 hi\r\n", "250 me\r\n", "250 ok\r\n", "550 \x1b[31mred\x00\x07 \xff" + strings.Repeat("long ", 500) + "\r\n"}, portal.Permanent, 550},
	}
	for name, tt := range script {
		host, port := smtptest.Script(t, tt.answers...)
		s, err := NewSender(Server{Host: host, Port: port, Security: NoTLS, Timeout: 5 * time.Second}, &Writer{From: ours})
		if err != nil {
			t.Fatal(err)
		}
		d := s.SendMessage(t.Context(), testMessage())
		if d.Outcome != tt.want || d.Code != tt.code {
			t.Errorf("%s: got %+v, want %v with code %d", name, d, tt.want, tt.code)
		}
		if len([]rune(d.Text)) > 300 || strings.ContainsAny(d.Text, "\x1b\x00\x07\r\n") || d.Text == "" {
			t.Errorf("%s: the text is not fit to be shown: %q", name, d.Text)
		}
	}
}

func TestDeadServerIsTemporary(t *testing.T) {
	s, err := NewSender(Server{Host: "127.0.0.1", Port: 1, Security: NoTLS, Timeout: time.Second}, &Writer{From: ours})
	if err != nil {
		t.Fatal(err)
	}
	if d := s.SendMessage(t.Context(), testMessage()); d.Outcome != portal.Temporary || d.Text == "" {
		t.Errorf("got %+v, want temporary", d)
	}
}

func TestSlowServerIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	wait := func() { <-release }
	tests := map[string]struct {
		options smtptest.Options
		want    portal.Outcome
	}{
		"at RCPT":        {smtptest.Options{Rcpt: func(string) error { wait(); return nil }}, portal.Temporary},
		"after the text": {smtptest.Options{Data: func(*smtptest.Mail) error { wait(); return nil }}, portal.Unknown},
	}
	for name, tt := range tests {
		server := smtptest.Start(t, tt.options)
		s := sender(t, server, NoTLS, func(s *Server) { s.Timeout = 50 * time.Millisecond })
		if d := s.SendMessage(t.Context(), testMessage()); d.Outcome != tt.want {
			t.Errorf("%s: got %+v, want %v", name, d, tt.want)
		}
		// The end of the context cuts a connection that may still wait.
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if d := sender(t, server, NoTLS).SendMessage(ctx, testMessage()); d.Outcome != tt.want {
			t.Errorf("%s, cancelled: got %+v, want %v", name, d, tt.want)
		}
		cancel()
	}
}

// A mail that breaks off in the middle must not be taken for a whole one.
func TestHalfAMailIsNotEnded(t *testing.T) {
	var seen bytes.Buffer
	server := smtptest.Start(t, smtptest.Options{Data: func(m *smtptest.Mail) error { seen.Write(m.Raw); return nil }})
	s := sender(t, server, NoTLS)
	wire, client, err := s.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{
		func() error { return client.Mail("<support@nordic.example>") },
		func() error { return client.Rcpt("<asa@acme.example>") },
		func() error {
			w, err := client.Data()
			_, _ = io.WriteString(w, "Subject: half\r\n\r\nonly ha")
			return err
		},
		wire.Close,
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(server.Mails()); n != 0 || seen.Len() != 0 {
		t.Errorf("the server took %d mails: %q", n, seen.String())
	}
}

func TestHeadersCannotBeInjected(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	s := sender(t, server, NoTLS)
	for _, evil := range []string{"a\r\nBcc: x@evil.example", "a\nBcc: x@evil.example", "a\rb", "a\x00b", "a\u0085b", "a\x7fb", "\xff\xfe"} {
		for name, change := range map[string]func(*Message){
			"subject":       func(m *Message) { m.Subject = evil },
			"sender's name": func(m *Message) { m.From.Name = evil },
			"name":          func(m *Message) { m.To.Name = evil },
			"reply name":    func(m *Message) { m.ReplyTo.Name = evil },
			"address":       func(m *Message) { m.To.Address = evil + "@acme.example" },
			"host":          func(m *Message) { m.To.Address = "asa@" + evil },
			"id":            func(m *Message) { m.MessageID = "<" + evil + "@x>" },
			"reference":     func(m *Message) { m.References = []string{"<" + evil + "@x>"} },
			"answer to":     func(m *Message) { m.InReplyTo = evil },
		} {
			m := testMessage()
			change(m)
			if d := s.SendMessage(t.Context(), m); d.Outcome != portal.Permanent {
				t.Errorf("%q as %s: got %+v, want permanent", evil, name, d)
			}
		}
	}
	for _, address := range []string{"", "asa", "a@b", "asa@acme.example, x@evil.example", "asa@acme.example> SIZE=1", "<asa@acme.example>", "å@acme.example", "x@localhost.evil"} {
		m := testMessage()
		m.To.Address = address
		if d := s.SendMessage(t.Context(), m); d.Outcome != portal.Permanent && address != "x@localhost.evil" {
			t.Errorf("to %q: got %+v, want permanent", address, d)
		}
	}
	for _, m := range server.Mails() {
		if m.To != "x@localhost.evil" {
			t.Errorf("a mail went to %s", m.To)
		}
	}
}

func TestLongAndStrangeMailsKeepTheirLines(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	m := testMessage()
	m.Subject = strings.Repeat("ÅÄÖ 漢字 ", 25)[:200]
	m.Subject = strings.ToValidUTF8(m.Subject, "")
	m.To.Name = strings.Repeat(`"Quote" , ; <Åsa>`, 10)
	m.Text = strings.Repeat("漢", 40_000) + "\n" + strings.Repeat("x", 5000) + "\n.\n..\n"
	m.HTML = "<p>" + strings.Repeat("é", 50_000) + "</p>"
	if d := sender(t, server, NoTLS).SendMessage(t.Context(), m); d.Outcome != portal.Delivered {
		t.Fatalf("got %+v", d)
	}
	got := server.Mails()[0].Message(t)
	subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
	if err != nil || strings.TrimSpace(subject) != strings.TrimSpace(m.Subject) {
		t.Errorf("the subject is %q (%v), want %q", subject, err, m.Subject)
	}
	to, err := got.Header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Name != m.To.Name {
		t.Errorf("To is %v (%v)", to, err)
	}
	text, html := parts(t, got)
	if unflow(text) != m.Text+"\n" && unflow(text) != m.Text {
		t.Error("the text is not what was sent")
	}
	if html != m.HTML {
		t.Error("the HTML is not what was sent")
	}
}

func TestSenderNeedsAServerAndASender(t *testing.T) {
	for name, f := range map[string]func(*Server, *Writer){
		"no host":        func(s *Server, _ *Writer) { s.Host = "" },
		"no port":        func(s *Server, _ *Writer) { s.Port = 0 },
		"no sender":      func(_ *Server, w *Writer) { w.From = netmail.Address{} },
		"a wrong sender": func(_ *Server, w *Writer) { w.From.Address = "support" },
	} {
		s, w := Server{Host: "mail.example.com", Port: 587, TLS: &tls.Config{MinVersion: tls.VersionTLS12}}, Writer{From: ours}
		f(&s, &w)
		if _, err := NewSender(s, &w); portal.KindOf(err) != portal.Invalid {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
}
