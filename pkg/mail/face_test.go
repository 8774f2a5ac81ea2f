package mail

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jhillyerd/enmime/v2"

	"github.com/portalctl/portalctl/pkg/portal"
)

// branded is a letter with a company's face.
func branded(t *testing.T, kind portal.LetterKind) *portal.Letter {
	t.Helper()
	var logo bytes.Buffer
	if err := png.Encode(&logo, image.NewGray(image.Rect(0, 0, 120, 40))); err != nil {
		t.Fatal(err)
	}
	l := *letters("en")[kind]
	l.Logo = &portal.LetterLogo{PNG: logo.Bytes(), Width: 120, Height: 40, LostOnDark: true}
	l.FooterLinks = []portal.WebLink{{Label: "Imprint", URL: "https://nordic.example/imprint"}, {Label: "<b>", URL: "https://nordic.example/?a=1&b=2"}}
	return &l
}

func TestMailsCarryTheFace(t *testing.T) {
	l := branded(t, portal.LetterMessage)
	m, err := testWriter().Compose(l)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	e, err := enmime.ReadEnvelope(bytes.NewReader(raw))
	if err != nil || len(e.Errors) > 0 {
		t.Fatal(err, e.Errors)
	}
	if len(e.Attachments) != 0 || len(e.Inlines) != 1 {
		t.Fatalf("%d attachments and %d pictures within; wanted 0 and 1", len(e.Attachments), len(e.Inlines))
	}
	logo := e.Inlines[0]
	if !bytes.Equal(logo.Content, l.Logo.PNG) || logo.ContentType != "image/png" || logo.ContentID != "logo.m1@support.nordic.example" {
		t.Errorf("the logo came out as %s, %q, %d bytes", logo.ContentType, logo.ContentID, len(logo.Content))
	}
	for _, want := range []string{
		`src="cid:logo.m1@support.nordic.example"`, `width="120"`, `height="40"`, `alt="Nordic Tools"`, `class="plate-dark"`,
		`href="https://nordic.example/imprint"`, "&lt;b&gt;",
	} {
		if !strings.Contains(e.HTML, want) {
			t.Errorf("the HTML has no %s", want)
		}
	}
	for _, want := range []string{"\nImprint: https://nordic.example/imprint\n", "\n<b>: https://nordic.example/?a=1&b=2\n"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the text has no %q:\n%s", want, m.Text)
		}
	}
	if n := strings.Count(e.HTML, "src="); n != 1 {
		t.Errorf("the HTML has %d sources; the logo is to be the only one", n)
	}
	if *writeTo != "" {
		if err := os.WriteFile(filepath.Join(*writeTo, "branded.html"), []byte(m.HTML), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMailToTheDeskHasNoFace(t *testing.T) {
	l := branded(t, portal.LetterDeskTicket)
	m, err := testWriter().Compose(l)
	if err != nil {
		t.Fatal(err)
	}
	if m.LogoID != "" || len(m.Logo) > 0 || strings.Contains(m.HTML, "<img") || strings.Contains(m.Text, "Imprint") {
		t.Error("mail to the desk carries a company's face")
	}
}
