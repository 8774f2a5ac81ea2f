package mail

import (
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

// An operator's sentences stand in both parts of a mail, in their language
// alone; clock and dates are those of the recipient's country.
func TestMailHasThePortalsOwnSentences(t *testing.T) {
	own := portal.NewTexts([]portal.PortalText{{Language: "en", Key: "mail.hello", Text: portal.Text{"other": "Good day, {{.Name}} & all"}}})
	for lang, want := range map[string]string{"en": "Good day, Anna Lind & all", "en-US": "Good day, Anna Lind & all", "sv": "Hej Anna Lind"} {
		l := letters(lang)[portal.LetterNewDevice]
		l.Texts = own
		m, err := testWriter().Compose(l)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, strings.ReplaceAll(want, "&", "&amp;")) {
			t.Errorf("%s: the mail lacks %q:\n%s", lang, want, m.Text)
		}
		time := map[string]string{"en": "14:05", "en-US": "2:05 PM", "sv": "14:05"}[lang]
		if !strings.Contains(m.Text, time) {
			t.Errorf("%s: the mail lacks the time %q:\n%s", lang, time, m.Text)
		}
	}
}
