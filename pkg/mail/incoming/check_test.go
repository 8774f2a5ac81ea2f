package incoming

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/portalctl/portalctl/pkg/portal"
)

// checkIncoming holds a mail against what Parse promises of every mail.
func checkIncoming(t *testing.T, m *portal.Incoming) {
	t.Helper()
	if slices.Contains(m.Problems, problemInternal) {
		t.Error("a step panicked")
	}
	checkLine(t, "subject", m.Subject)
	for _, list := range [][]portal.MailAddress{m.From, m.ReplyTo, m.To, m.CC} {
		if len(list) > maxAddresses*2 {
			t.Errorf("%d addresses of one kind", len(list))
		}
		for _, a := range list {
			checkLine(t, "name", a.Name)
			checkAddress(t, a.Address)
			if a.Name == "" && a.Address == "" {
				t.Error("an address with neither name nor address")
			}
		}
	}
	for _, address := range m.Delivered {
		checkAddress(t, address)
	}
	checkLine(t, "return path", m.ReturnPath)
	ids := slices.Concat(m.InReplyTo, m.References)
	if m.MessageID != "" {
		ids = append(ids, m.MessageID)
	}
	for _, id := range ids {
		left, right, ok := strings.Cut(id, "@")
		if !ok || left == "" || right == "" || strings.ContainsAny(id, "<> \t\n") {
			t.Errorf("the id %q is not left@right", id)
		}
		checkLine(t, "id", id)
	}
	checkText(t, "text", m.Text)
	checkText(t, "quoted text", m.Quoted)
	if n := len(m.Text) + len(m.Quoted); n > MaxText*2 {
		t.Errorf("%d bytes of text", n)
	}
	if len(m.Files) > maxParts+maxPictures+1 {
		t.Errorf("%d files", len(m.Files))
	}
	for _, f := range m.Files {
		checkLine(t, "file name", f.Name)
		checkLine(t, "content id", f.ContentID)
		if f.Name == "" || len(f.Name) > 255 || strings.ContainsAny(f.Name, "/\\") || f.Name == "." || f.Name == ".." {
			t.Errorf("%q is no name for a file", f.Name)
		}
		top, sub, ok := strings.Cut(f.Type, "/")
		if !ok || !isToken(top) || !isToken(sub) {
			t.Errorf("%q is no type of a file", f.Type)
		}
		if sum := sha256.Sum256(f.Content); f.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("the hash of %q is not that of its content", f.Name)
		}
	}
	if dup := slices.Compact(slices.Sorted(slices.Values(m.Problems))); len(dup) != len(m.Problems) {
		t.Errorf("problems are named twice: %q", m.Problems)
	}
	if m.Date.IsZero() != m.Date.UTC().IsZero() || m.Date.Year() > 2200 {
		t.Errorf("the date %v", m.Date)
	}
}

func checkLine(t *testing.T, what, s string) {
	t.Helper()
	checkText(t, what, s)
	if strings.ContainsAny(s, "\n\t") || s != strings.TrimSpace(s) || strings.ContainsFunc(s, portal.IsBidiControl) {
		t.Errorf("the %s %q is not one clean line", what, s)
	}
	if len(s) > 2*maxLine {
		t.Errorf("the %s is %d bytes long", what, len(s))
	}
}

func checkText(t *testing.T, what, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Errorf("the %s %.200q is not valid UTF-8", what, s)
	}
	if !norm.NFC.IsNormalString(s) {
		t.Errorf("the %s %.200q is not in NFC", what, s)
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }); i >= 0 {
		t.Errorf("the %s holds the control character %q", what, s[i:i+1])
	}
}

func checkAddress(t *testing.T, address string) {
	t.Helper()
	if address == "" {
		return
	}
	if again, err := portal.ParseEmail("address", address); err != nil || again != address {
		t.Errorf("the address %q reads as %q, %v", address, again, err)
	}
}

// testParser reads pieces of a mail, without the net below its steps.
func testParser() *parser { return &parser{m: &portal.Incoming{}} }
