package i18n

import (
	"testing"
	"time"
)

// How dates, clocks and numbers are written where Norwegian, Danish, Finnish
// and Dutch are read.
func TestDatesAndNumbersOfTheNorth(t *testing.T) {
	at := time.Date(2026, time.January, 31, 9, 5, 0, 0, time.UTC)
	tests := []struct{ lang, exact, short, yesterday, tuesday, number, size string }{
		{"nb", "31. januar 2026 kl. 09:05", "31. jan. 2026", "i går kl. 09:05", "tirsdag kl. 09:05", "1\u00a0234\u00a0567", "2,4\u00a0MB"},
		{"da", "31. januar 2026 kl. 09.05", "31. jan. 2026", "i går kl. 09.05", "tirsdag kl. 09.05", "1.234.567", "2,4\u00a0MB"},
		{"fi", "31. tammikuuta 2026 klo 9.05", "31.1.2026", "eilen klo 9.05", "ti klo 9.05", "1\u00a0234\u00a0567", "2,4\u00a0Mt"},
		{"nl", "31 januari 2026 om 09:05", "31 jan 2026", "gisteren om 09:05", "dinsdag om 09:05", "1.234.567", "2,4\u00a0MB"},
	}
	for _, tt := range tests {
		p := For(tt.lang)
		got := []string{
			p.DateTime(at), p.DateShort(at), p.Relative(at.AddDate(0, 0, 1), at),
			p.Relative(at, at.AddDate(0, 0, -4)), p.Number(1234567), p.Bytes(2516582),
		}
		for i, want := range []string{tt.exact, tt.short, tt.yesterday, tt.tuesday, tt.number, tt.size} {
			if got[i] != want {
				t.Errorf("%s: got %q, want %q", tt.lang, got[i], want)
			}
		}
	}
}
