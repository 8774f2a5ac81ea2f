package incoming

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jhillyerd/enmime/v2"

	"github.com/portalctl/portalctl/pkg/portal"
)

// TestBounces reads testdata/bounce: reports in the manner of many servers,
// and mail that only looks like one. Every report about bo@customer.example
// concerns the same mail of ours.
func TestBounces(t *testing.T) {
	const gone = "bo@customer.example failed 5.1.1 permanent"
	const ours = "m42.k7f3@desk.example"
	tests := []struct {
		file      string
		want      []string // address, action, status, and whether it is permanent
		messageID string
	}{
		{"postfix", []string{gone}, ours},
		{"postfix-delayed", []string{"bo@customer.example delayed 4.4.1"}, ours},
		{"several", []string{
			"bo@customer.example delivered 2.1.5", "cy@customer.example failed 5.1.1 permanent",
			"di@customer.example delayed 4.2.0", "ed@customer.example relayed 2.0.0", "staff@customer.example expanded 2.1.5",
		}, ours},
		{"no-blank-lines", []string{gone, "cy@customer.example failed 5.2.1 permanent"}, ours},
		{"mailbox-full", []string{"bo@customer.example failed 5.2.2"}, ours},
		{"quota-without-status", []string{"bo@customer.example failed 5.0.0"}, ours},
		{"too-large", []string{"bo@customer.example failed 5.3.4"}, ours},
		{"expired", []string{"bo@customer.example failed 4.4.1 permanent"}, ours},
		{"passed-on", []string{gone}, ours},
		{"other-letters", []string{"jörg@customer.example failed 5.1.1 permanent"}, ours},
		{"office365", []string{"bo@customer.example failed 5.1.10 permanent"}, ours},
		{"exchange-2003", []string{gone}, ""},
		{"exchange-html", []string{gone}, ours},
		{"exim", []string{gone}, ours},
		{"exim-delayed", []string{"bo@customer.example delayed "}, ""},
		{"qmail", []string{gone, "cy@customer.example failed 5.2.2"}, ours},
		{"gmail", []string{gone}, ours},
		{"gmail-old", []string{gone}, ours},
		{"yahoo", []string{"bo@customer.example failed  permanent"}, ours},
		{"sendmail", []string{gone}, ""},
		{"courier", []string{gone}, ""},
		{"domino", []string{"bo@customer.example failed  permanent"}, ""},
		{"aol-like", []string{"bo@customer.example failed  permanent"}, ""},
		{"postfix-text", []string{gone, "cy@customer.example failed  permanent"}, ""},
		{"german", []string{"bo@customer.example failed "}, ours},
		{"french", []string{gone}, ""},
		{"spanish", []string{gone}, ""},
		{"russian", []string{gone}, ""},
		{"japanese", []string{gone}, ""},
		{"chinese", []string{gone}, ""},
		{"unreadable", []string{}, ours},
		{"mixed", []string{gone}, ours},
		{"empty-status", []string{gone}, ours},

		{"not-vacation", nil, ""},
		{"not-complaint", nil, ""},
		{"not-receipt", nil, ""},
		{"not-receipt-unnamed", nil, ""},
		{"not-challenge", nil, ""},
		{"not-passed-on", nil, ""},
		{"not-attached", nil, ""},
		{"not-postmaster", nil, ""},
	}
	files, err := filepath.Glob("testdata/bounce/*.eml")
	if err != nil || len(files) != len(tests) {
		t.Errorf("%d files for %d cases: %v", len(files), len(tests), err)
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join("testdata", "bounce", tt.file+".eml"))
			if err != nil {
				t.Fatal(err)
			}
			m := Parse(raw)
			if tt.want == nil {
				if m.Bounce != nil {
					t.Fatalf("%s is taken for a bounce: %+v", tt.file, *m.Bounce)
				}
				if m.Auto == portal.AutoBounce {
					t.Errorf("%s is marked as a bounce", tt.file)
				}
				return
			}
			if m.Bounce == nil {
				t.Fatalf("%s is no bounce; its text is\n%s", tt.file, m.Text)
			}
			if m.Auto != portal.AutoBounce {
				t.Errorf("%s is marked %q", tt.file, m.Auto)
			}
			got := []string{}
			for _, r := range m.Bounce.Recipients {
				line := fmt.Sprintf("%s %s %s", r.Address, r.Action, r.Status)
				if r.Permanent {
					line += " permanent"
				}
				got = append(got, line)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s: %q\nwanted %q\n%+v", tt.file, got, tt.want, m.Bounce.Recipients)
			}
			if m.Bounce.MessageID != tt.messageID {
				t.Errorf("%s is about %q, wanted %q", tt.file, m.Bounce.MessageID, tt.messageID)
			}
		})
	}
}

func TestBounceTextIsOneLine(t *testing.T) {
	raw, err := os.ReadFile("testdata/bounce/postfix.eml")
	if err != nil {
		t.Fatal(err)
	}
	got := Parse(raw).Bounce.Recipients[0].Text
	if want := "550 5.1.1 <bo@customer.example>: Recipient address rejected: User unknown"; got != want {
		t.Errorf("the server said %q, wanted %q", got, want)
	}
	raw, err = os.ReadFile("testdata/bounce/exim.eml")
	if err != nil {
		t.Fatal(err)
	}
	got = Parse(raw).Bounce.Recipients[0].Text
	if !strings.Contains(got, "550 5.1.1 Unrouteable address") || strings.Contains(got, "\n") {
		t.Errorf("the server said %q", got)
	}
}

func TestStatusIn(t *testing.T) {
	for text, want := range map[string]string{
		"5.1.1":                           "5.1.1",
		"550 5.1.10 gone":                 "5.1.10",
		"#5.1.1 smtp;550":                 "5.1.1",
		"550-5.7.26 policy":               "5.7.26",
		"(4.2.2)":                         "4.2.2",
		"5.1.1.":                          "5.1.1",
		"connect to 192.5.1.1[192.0.2.1]": "",
		"5.1.1.1":                         "",
		"15.1.1":                          "",
		"3.1.1":                           "",
		"5.1":                             "",
		"5..1":                            "",
		"version 1.5.1.1":                 "",
		"550 user unknown":                "",
		"":                                "",
	} {
		if got := statusIn(text); got != want {
			t.Errorf("the status in %q is %q, wanted %q", text, got, want)
		}
	}
}

// A report may speak of as many addresses as it likes; we keep some.
func TestBounceIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("Return-Path: <>\nFrom: mailer-daemon@mx.example\nSubject: failure\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n")
	for i := range 3 * mostRecipients {
		fmt.Fprintf(&b, "Final-Recipient: rfc822; u%d@customer.example\nAction: failed\nDiagnostic-Code: smtp; %s\n\n", i, strings.Repeat("x", 2000))
	}
	b.WriteString("--b--\n")
	m := Parse([]byte(b.String()))
	if m.Bounce == nil || len(m.Bounce.Recipients) != mostRecipients {
		t.Fatalf("got %+v", m.Bounce)
	}
	if got := len(m.Bounce.Recipients[0].Text); got > longestReason {
		t.Errorf("a reason of %d bytes", got)
	}
}

// FuzzBounce puts a text where servers write theirs: whatever it says, what is
// understood of it is bounded, and an address is one.
func FuzzBounce(f *testing.F) {
	files, err := filepath.Glob("testdata/bounce/*.eml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no bounces: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		_, body, _ := strings.Cut(string(raw), "\n\n")
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		m := &portal.Incoming{From: []portal.MailAddress{{Address: "mailer-daemon@mx.example"}}, Subject: "failure notice", Text: body}
		letter := textBounce(&enmime.Part{}, m)
		recipients := statusRecipients(body)
		if letter != nil {
			recipients = append(recipients, letter.Recipients...)
		}
		if len(recipients) > 2*mostRecipients {
			t.Errorf("%d recipients", len(recipients))
		}
		for _, r := range recipients {
			local, domain, _ := strings.Cut(r.Address, "@")
			if local == "" || domain == "" || strings.ContainsAny(r.Address, " <>\n") || len(r.Text) > longestReason || strings.Contains(r.Text, "\n") {
				t.Errorf("%q: %+v", body, r)
			}
			if r.Permanent && r.Action != "failed" {
				t.Errorf("%q: permanent although %s", body, r.Action)
			}
			if r.Status != "" && statusIn(r.Status) != r.Status {
				t.Errorf("%q: status %q", body, r.Status)
			}
		}
		messageIDIn(body, true)
	})
}
