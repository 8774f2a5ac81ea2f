package mail

import (
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestNoticesOfTheSecondFactorSayWhatWasDone(t *testing.T) {
	all := letters("en")
	off := *all[portal.LetterFactorOff]
	off.Reset = false
	many := *all[portal.LetterRecoveryUsed]
	many.Left = 7
	for name, tt := range map[string]struct {
		letter   *portal.Letter
		has, not string
	}{
		"turned off by themselves": {&off, "was removed on", "We reset"},
		"reset by the operator":    {all[portal.LetterFactorOff], "We reset the second step", "is asked"},
		"few codes are left":       {all[portal.LetterRecoveryUsed], "You have 2 codes left. Make new ones", "You have 7"},
		"many codes are left":      {&many, "You have 7 codes left.", "Make new ones"},
	} {
		m, err := testWriter().Compose(tt.letter)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(m.Text, "\n", " ")
		if !strings.Contains(text, tt.has) || strings.Contains(text, tt.not) || !strings.Contains(text, tt.letter.Link) {
			t.Errorf("%s: want %q and the link, not %q, in:\n%s", name, tt.has, tt.not, m.Text)
		}
	}
}
