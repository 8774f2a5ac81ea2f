package portal

import (
	"strings"
	"testing"
)

func TestMailboxesAreReadAndWritten(t *testing.T) {
	for in, want := range map[string]string{
		"imaps://support@example.com@mail.example.com/INBOX": "imaps://support@example.com@mail.example.com/INBOX",
		"imaps://support%40example.com@Mail.Example.com:993": "imaps://support@example.com@mail.example.com/INBOX",
		"imap://desk@mail.example.com/inbox":                 "imap://desk@mail.example.com/INBOX",
		"imap://desk@mail.example.com:1143/Support/New mail": "imap://desk@mail.example.com:1143/Support/New%20mail",
		"imap://desk@127.0.0.1:143/INBOX?starttls=off":       "imap://desk@127.0.0.1/INBOX?starttls=off",
		"imaps://desk@[2001:db8::7]/":                        "imaps://desk@[2001:db8::7]/INBOX",
		"imaps://desk@[2001:db8::7]:9993/":                   "imaps://desk@[2001:db8::7]:9993/INBOX",
		"imaps://o%3Fd%3Ad@mail.example.com/":                "imaps://o%3Fd%3Ad@mail.example.com/INBOX",
		"imap://desk@mail.example.com/INBOX?starttls=off":    "", // to others only with TLS
		"imaps://desk@127.0.0.1/INBOX?starttls=off":          "",
		"imaps://desk:secret@mail.example.com/":              "",
		"imaps://mail.example.com/INBOX":                     "",
		"imaps://desk@/INBOX":                                "",
		"imaps://desk@mail.example.com:0/":                   "",
		"imaps://desk@mail.example.com:99999/":               "",
		"pop3://desk@mail.example.com/":                      "",
		"imaps://desk@mail.example.com/?folder=x":            "",
		"mail.example.com":                                   "",
		"imaps://desk@mail.example.com/a\nb":                 "",
	} {
		box, err := ParseIMAP(in)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q is read as %s", in, box)
		case want == "":
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("%q: the error shows the password: %v", in, err)
			}
		case err != nil:
			t.Errorf("%q: %v", in, err)
		case box.String() != want:
			t.Errorf("%q is written %q, want %q", in, box, want)
		default:
			again, err := ParseIMAP(box.String())
			if err != nil || !again.SameFolder(box) || again.Security != box.Security {
				t.Errorf("%q reads back as %v, %v", box, again, err)
			}
		}
	}
}

func FuzzParseIMAP(f *testing.F) {
	f.Add("imaps://support@example.com@mail.example.com:993/INBOX")
	f.Add("imap://a%3Ab@[::1]:143/x%2Fy?starttls=off")
	f.Fuzz(func(t *testing.T, s string) {
		box, err := ParseIMAP(s)
		if err != nil {
			return
		}
		again, err := ParseIMAP(box.String())
		if err != nil || !again.SameFolder(box) || again.Security != box.Security {
			t.Errorf("%q is %+v, written %q, which reads as %+v, %v", s, box, box, again, err)
		}
	})
}

func TestWhatBecomesOfTakenMailIsRead(t *testing.T) {
	for in, want := range map[string]string{"seen": "seen", "KEEP": "keep", " delete ": "delete", "move: Done/2026": "move:Done/2026", "move:": "", "move": "", "seen:x": "", "": "", "burn": ""} {
		after, folder, err := ParseAfter(in)
		if got := (&IMAPSource{After: after, MoveTo: folder}).AfterText(); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is read as %q, %v; want %q", in, got, err, want)
		}
	}
}
