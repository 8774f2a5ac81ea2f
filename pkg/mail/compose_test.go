package mail

import (
	"flag"
	"fmt"
	"maps"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
)

var writeTo = flag.String("mails", "", "write every mail as HTML into this folder, to look at")

var testTime = time.Date(2026, 11, 22, 13, 5, 0, 0, time.UTC)

func testWriter() *Writer {
	return &Writer{From: netmail.Address{Address: "support@nordic.example"}, Now: func() time.Time { return testTime }}
}

// letters has one of each kind.
func letters(lang string) map[portal.LetterKind]*portal.Letter {
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		panic(err)
	}
	base := portal.Letter{
		To: "anna.lind@acme.example", Name: "Anna Lind", Language: lang, Zone: zone,
		Portal: "Nordic Tools", Accent: "#0f5fc2", Home: "https://support.nordic.example/help", ReplyTo: "support@nordic.example",
		MessageID: "<m1@support.nordic.example>", At: testTime,
	}
	subject, body := "The pump leaks after the service on Tuesday", "Hello,\n\nthe pump we got back on Tuesday leaks at the flange. Pictures are attached; the order is at\nhttps://shop.nordic.example/orders/77123.\n\nCan somebody come by this week?\n\nAnna Lind"
	answer := "Hello Anna,\n\nthank you for the pictures. That is the gasket, and it is on us.\n\n  * Wednesday 9–11\n  * Thursday 13–15\n\nWhich one suits you? You can read up on the part at https://docs.nordic.example/gasket?v=2."
	if lang == "sv" {
		subject, body = "Pumpen läcker efter servicen i tisdags", "Hej,\n\npumpen vi fick tillbaka i tisdags läcker vid flänsen. Bilder är bifogade; beställningen finns på\nhttps://shop.nordic.example/orders/77123.\n\nKan någon komma förbi i veckan?\n\nAnna Lind"
		answer = "Hej Anna,\n\ntack för bilderna. Det är packningen, och den står vi för.\n\n  * onsdag 9–11\n  * torsdag 13–15\n\nVilken tid passar dig? Läs mer om delen på https://docs.nordic.example/gasket?v=2."
	}
	ticket := &portal.Ticket{
		Number: 1042, Subject: subject, Status: portal.WaitingOnUs, Priority: portal.High, Category: "Service", Requester: 7,
		RequesterName: "Anna Lind", RequesterEmail: "anna.lind@acme.example", CompanyName: "Acme AB", CreatedAt: testTime,
	}
	link := base.Home + "/tickets/T-1042"
	files := []portal.File{{Name: "flange.jpg", Size: 2516582}, {Name: "order 77123.pdf", Size: 48_000}}
	asked := &portal.Message{Kind: portal.Public, Contact: 7, AuthorName: "Anna Lind", Body: body, Format: portal.Plain, Files: files}
	answered := &portal.Message{Kind: portal.Public, Agent: 1, AuthorName: "Per Berg", Body: answer, Format: portal.Plain}

	all := map[portal.LetterKind]*portal.Letter{}
	add := func(kind portal.LetterKind, change func(*portal.Letter)) {
		l := base
		l.Kind = kind
		change(&l)
		all[kind] = &l
	}
	once := func(path string, valid time.Duration) func(*portal.Letter) {
		return func(l *portal.Letter) {
			l.Link, l.Valid, l.Once = base.Home+path+"/9vXlq7sJr0Qm2Yb4cZpUeA8nKdTfHwGi5oRxLySM1Bk", valid, true
		}
	}
	about := func(m *portal.Message, by string) func(*portal.Letter) {
		return func(l *portal.Letter) {
			l.Ticket, l.Message, l.By, l.Link, l.Thread = ticket, m, by, link, portal.TicketThread(ticket, "support.nordic.example")
		}
	}
	answerable := func(l *portal.Letter) {
		l.Answer, l.ReplyTo = true, "support+t1042.c7.kabcdefgh23456723@nordic.example"
		l.Before, l.Parent = []string{"<m0@support.nordic.example>"}, "<CAK9=pump.1@mail.acme.example>"
	}
	office := func(f func(*portal.Letter)) func(*portal.Letter) {
		return func(l *portal.Letter) {
			f(l)
			l.To, l.Name, l.Inbox, l.Office, l.ReplyTo = "support@nordic.example", "", "Support", true, ""
			l.Fields = []portal.LetterField{{Label: "Order number", Value: "77123"}, {Label: "Empty", Value: ""}}
		}
	}
	add(portal.LetterInvitation, once("/invitation", 7*24*time.Hour))
	add(portal.LetterSignIn, once("/sign-in/link", 10*time.Minute))
	add(portal.LetterRegister, func(l *portal.Letter) { once("/register", time.Hour)(l); l.Name = "" })
	add(portal.LetterRegisterKnown, func(l *portal.Letter) { l.Link, l.Name = base.Home+"/sign-in", "" })
	add(portal.LetterReset, once("/reset", 30*time.Minute))
	add(portal.LetterPasswordChanged, once("/not-me", 7*24*time.Hour))
	add(portal.LetterProof, func(l *portal.Letter) { l.Code, l.Valid = "048213", 10*time.Minute })
	add(portal.LetterNewDevice, func(l *portal.Letter) {
		once("/not-me", 7*24*time.Hour)(l)
		l.Device, l.From = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "203.0.113.9"
	})
	for _, kind := range []portal.LetterKind{portal.LetterPasskeyAdded, portal.LetterPasskeyRemoved} {
		add(kind, func(l *portal.Letter) {
			once("/not-me", 7*24*time.Hour)(l)
			l.Passkey, l.Device, l.From = "Chrome on Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36", "203.0.113.9"
		})
	}
	add(portal.LetterEmailProof, func(l *portal.Letter) { once("/account/email", 30*time.Minute)(l); l.Name = "" })
	add(portal.LetterEmailChanged, once("/not-me", 7*24*time.Hour))
	add(portal.LetterFactorOn, once("/not-me", 7*24*time.Hour))
	add(portal.LetterFactorOff, func(l *portal.Letter) { once("/not-me", 7*24*time.Hour)(l); l.Reset = true })
	add(portal.LetterRecoveryUsed, func(l *portal.Letter) { once("/not-me", 7*24*time.Hour)(l); l.Left = 2 })
	add(portal.LetterFactorTried, once("/not-me", 7*24*time.Hour))
	add(portal.LetterApproved, func(l *portal.Letter) { l.Link = base.Home + "/sign-in" })
	add(portal.LetterRefused, func(l *portal.Letter) { l.Reason = "We know no <Acme> of that name.\n\nWrite to sales@nordic.example." })
	add(portal.LetterAccess, func(l *portal.Letter) { l.Link = base.Home + "/sign-in" })
	add(portal.LetterTicketReceived, func(l *portal.Letter) {
		about(asked, "")(l)
		l.Usual, l.Answer = 4*time.Hour, true
	})
	add(portal.LetterMessage, func(l *portal.Letter) {
		about(answered, "Per Berg")(l)
		l.Signature = "**Per Berg**, service\n+46 8 123 45 67"
		l.AlsoTo = []string{"Eva Ek", "Bo Lund"}
		l.Promise = testTime.Add(27 * time.Hour)
		answerable(l)
	})
	agents := func(m *portal.Message, by string) func(*portal.Letter) {
		return func(l *portal.Letter) {
			about(m, by)(l)
			l.To, l.Name, l.Office, l.List, l.ListID = "per@nordic.example", "Per Berg", true, "Support", "inbox-3.support.nordic.example"
			l.Home, l.Link = "https://support.nordic.example/helpdesk", "https://support.nordic.example/helpdesk/tickets/T-1042"
			l.History = []portal.Message{*answered, *asked}
			l.History[0].At, l.History[1].At = testTime.Add(-26*time.Hour), testTime.Add(-27*time.Hour)
			answerable(l)
		}
	}
	add(portal.LetterAgentTicket, func(l *portal.Letter) { agents(asked, "Anna Lind")(l); l.History = nil })
	add(portal.LetterAgentMessage, agents(asked, "Anna Lind"))
	add(portal.LetterAgentAssigned, agents(nil, ""))
	add(portal.LetterAgentMention, agents(nil, "Per Berg"))
	add(portal.LetterAgentPromise, func(l *portal.Letter) { agents(nil, "")(l); l.Promise = testTime.Add(time.Hour) })
	add(portal.LetterAgentSnoozed, agents(nil, ""))
	add(portal.LetterTicketClosed, func(l *portal.Letter) {
		about(nil, "Per Berg")(l)
		l.ReopenDays = 14
		for i := range 5 {
			l.Rate = append(l.Rate, fmt.Sprintf("%s/rate/t1042.c7.kabcdefgh23456723?stars=%d", base.Home, i+1))
		}
		answerable(l)
	})
	add(portal.LetterParticipant, func(l *portal.Letter) {
		about(nil, "Eva Ek")(l)
		l.Unsubscribe = base.Home + "/account/notifications/c7.participant.abcdefgh23456723"
	})
	add(portal.LetterDeskTicket, office(about(asked, "Anna Lind")))
	add(portal.LetterDeskMessage, office(about(asked, "Anna Lind")))
	add(portal.LetterDeskPending, office(func(l *portal.Letter) { l.By = "Anna Lind <anna.lind@acme.example>" }))
	add(portal.LetterTest, func(l *portal.Letter) { l.Name = "" })
	add(portal.LetterDigest, func(l *portal.Letter) {
		l.Link, l.Daily, l.Unsubscribe = base.Home+"/tickets", true, base.Home+"/account/notifications/c7.digest.abcdefgh23456723"
		for _, kind := range []portal.LetterKind{portal.LetterTicketReceived, portal.LetterMessage, portal.LetterParticipant, portal.LetterTicketClosed} {
			notice := *all[kind]
			l.Notices = append(l.Notices, notice)
		}
	})
	return all
}

func TestEveryMailInEveryLanguage(t *testing.T) {
	for _, language := range i18n.Languages() {
		all := letters(language.Code)
		if len(all) != len(scripts) {
			t.Fatalf("there are %d letters and %d scripts", len(all), len(scripts))
		}
		for kind, l := range all {
			name := fmt.Sprintf("%s in %s", kind, language.Name)
			m, err := testWriter().Compose(l)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for what, s := range map[string]string{"subject": m.Subject, "text": m.Text, "HTML": m.HTML} {
				for _, bad := range []string{"⟦", "⟧", "{{", "}}", "%!", "<nil>", "<no value>", "&amp;#"} {
					if strings.Contains(s, bad) {
						t.Errorf("%s: the %s contains %q:\n%s", name, what, bad, s)
					}
				}
				if strings.TrimSpace(s) == "" {
					t.Errorf("%s: the %s is empty", name, what)
				}
				if l.Link != "" && what != "subject" && !strings.Contains(s, l.Link) {
					t.Errorf("%s: the %s does not have the link", name, what)
				}
			}
			if m.From.Name != "Nordic Tools" || m.To.Address != l.To || m.MessageID != l.MessageID {
				t.Errorf("%s: the envelope is %v to %v with %s", name, m.From, m.To, m.MessageID)
			}
			if l.Ticket != nil && (!strings.HasPrefix(m.Subject, "[T-1042] "+l.Ticket.Subject) || m.References[0] != l.Thread || m.ThreadIndex == "" || m.Topic != m.Subject) {
				t.Errorf("%s: it does not stay in its thread: %q, %v", name, m.Subject, m.References)
			}
			if _, err := m.Bytes(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			wellFormed(t, name, m.HTML)
			if *writeTo != "" {
				file := filepath.Join(*writeTo, fmt.Sprintf("%s.%s", kind, language.Code))
				for ext, s := range map[string]string{".html": m.HTML, ".txt": flowed(m.Text)} {
					if err := os.WriteFile(file+ext, []byte(s), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

// wellFormed walks the HTML: every element is closed, nothing is loaded from
// anywhere, and there is nothing that acts.
func wellFormed(t *testing.T, name, page string) {
	t.Helper()
	var open []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) != 0 {
				t.Errorf("%s: %v is not closed", name, open)
			}
			return
		case html.StartTagToken:
			tag := z.Token()
			if slices.Contains([]string{"img", "script", "link", "iframe", "object", "form", "input", "video", "svg"}, tag.Data) {
				t.Errorf("%s: there is a %s element", name, tag.Data)
			}
			for _, a := range tag.Attr {
				if a.Key == "src" || a.Key == "background" || strings.HasPrefix(a.Key, "on") || strings.Contains(a.Val, "url(") {
					t.Errorf("%s: %s has %s=%q", name, tag.Data, a.Key, a.Val)
				}
				if a.Key == "href" && !strings.HasPrefix(a.Val, "https://") {
					t.Errorf("%s: a link leads to %q", name, a.Val)
				}
			}
			if tag.Data != "meta" && tag.Data != "br" {
				open = append(open, tag.Data)
			}
		case html.EndTagToken:
			tag := z.Token()
			if len(open) == 0 || open[len(open)-1] != tag.Data {
				t.Fatalf("%s: %s ends within %v", name, tag.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func TestMailsRead(t *testing.T) {
	for _, lang := range []string{"en", "sv"} {
		for _, kind := range []portal.LetterKind{portal.LetterInvitation, portal.LetterMessage, portal.LetterDeskTicket, portal.LetterAgentMessage, portal.LetterDigest} {
			m, err := testWriter().Compose(letters(lang)[kind])
			if err != nil {
				t.Fatal(err)
			}
			golden(t, fmt.Sprintf("%s.%s.txt", kind, lang), "Subject: "+m.Subject+"\n\n"+flowed(m.Text))
			if kind == portal.LetterMessage {
				golden(t, fmt.Sprintf("%s.%s.html", kind, lang), m.HTML)
			}
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s has changed; look at it and run the test with UPDATE=1:\n%s", path, got)
	}
}

// What a stranger can cause to be sent to somebody else's address says
// nothing the stranger chose.
func TestUnprovenAddressGetsFixedWords(t *testing.T) {
	for _, kind := range []portal.LetterKind{portal.LetterRegister, portal.LetterRegisterKnown} {
		m, err := testWriter().Compose(letters("en")[kind])
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(m.Text, "Anna") || strings.Contains(m.HTML, "Anna") || m.To.Name != "" {
			t.Errorf("%s names somebody:\n%s", kind, m.Text)
		}
	}
}

func TestHostileTextIsHarmless(t *testing.T) {
	evil := "<script>alert(1)</script><img src=x onerror=y>\"'&{{.Portal}}\u202eevil\u2066\x00\x1b[31m\r\nBcc: x@evil.example"
	for kind, l := range letters("en") {
		l.Name, l.Portal, l.By, l.Inbox, l.Label = evil, evil, evil, evil, evil
		l.Fields = append(l.Fields, portal.LetterField{Label: evil, Value: evil})
		if l.Ticket != nil {
			l.Ticket = &portal.Ticket{Number: 1042, Subject: evil, Category: evil, RequesterName: evil, CompanyName: evil, AssigneeName: evil, Priority: portal.High}
		}
		if l.Message != nil {
			l.Message = &portal.Message{Body: evil, Format: portal.Plain, AuthorName: evil, Files: []portal.File{{Name: evil}}}
		}
		for i := range l.Notices {
			l.Notices[i].By, l.Notices[i].Ticket = evil, &portal.Ticket{Number: 1, Subject: evil}
		}
		m, err := testWriter().Compose(l)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if _, err := m.Bytes(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		wellFormed(t, string(kind), m.HTML)
		for _, bad := range []string{"<script", "<img", "\u202e", "\u2066", "\x00", "\x1b"} {
			if strings.Contains(m.HTML, bad) || bad[0] != '<' && (strings.Contains(m.Text, bad) || strings.Contains(m.Subject, bad)) {
				t.Errorf("%s: %q went through", kind, bad)
			}
		}
	}
}

func TestMessageFormats(t *testing.T) {
	l := letters("en")[portal.LetterMessage]
	w := testWriter()
	w.HTML = func(body string, format portal.BodyFormat) string {
		return "<p>rendered " + string(format) + " of " + fmt.Sprint(len(body)) + "</p>"
	}
	l.Message = &portal.Message{Body: "**bold**", Format: portal.Markdown, AuthorName: "Per"}
	m, err := w.Compose(l)
	if err != nil || !strings.Contains(m.HTML, "<p>rendered markdown of 8</p>") || !strings.Contains(m.Text, "**bold**") {
		t.Errorf("Markdown: %v\n%s", err, m.Text)
	}
	l.Message = &portal.Message{Body: "<p>Hej <b>på</b> dig</p>", Format: portal.HTML, AuthorName: "Per"}
	m, err = testWriter().Compose(l)
	if err != nil || strings.Contains(m.HTML, "<b>") || !strings.Contains(m.HTML, "Hej på dig") || !strings.Contains(m.Text, "Hej på dig") {
		t.Errorf("HTML without a renderer: %v\n%s", err, m.Text)
	}
	l.Message = &portal.Message{Body: strings.Repeat("word ", 10_000), Format: portal.Markdown, AuthorName: "Per"}
	m, err = w.Compose(l)
	if err != nil || len(m.HTML) > 60_000 || !strings.Contains(m.Text, "longer than fits") || !strings.Contains(m.HTML, "longer than fits") {
		t.Errorf("a long text: %v, %d bytes of HTML", err, len(m.HTML))
	}
}

func TestLettersThatCannotBeWritten(t *testing.T) {
	for name, l := range map[string]*portal.Letter{
		"no kind":    {To: "a@b.example"},
		"no ticket":  {Kind: portal.LetterMessage, To: "a@b.example"},
		"no message": {Kind: portal.LetterMessage, To: "a@b.example", Ticket: &portal.Ticket{}},
	} {
		if m, err := testWriter().Compose(l); err == nil {
			t.Errorf("%s: it was written:\n%s", name, m.Text)
		}
	}
}

func TestOwnWordForTicket(t *testing.T) {
	l := letters("sv")[portal.LetterTicketClosed]
	l.Label = "Fall"
	m, err := testWriter().Compose(l)
	if err != nil || !strings.Contains(m.HTML, "Fall T-1042 är avslutat") || strings.Contains(strings.ToLower(m.Text), "ärende") {
		t.Errorf("%v:\n%s", err, m.Text)
	}
}

func TestRecorderKeepsTheLast(t *testing.T) {
	r := NewRecorder(testWriter(), 2)
	all := letters("en")
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		if d := r.Send(t.Context(), all[kind]); d.Outcome != portal.Delivered {
			t.Errorf("%s: %+v", kind, d)
		}
	}
	if d := r.Send(t.Context(), &portal.Letter{Kind: portal.LetterTest, To: "nobody"}); d.Outcome != portal.Permanent {
		t.Errorf("to nobody: %+v", d)
	}
	got := r.Messages()
	if len(got) != 2 || got[1].Subject != "[T-1042] "+all[portal.LetterTicketReceived].Ticket.Subject {
		t.Errorf("kept %d messages, want the last two of %d", len(got), len(all))
	}
}
