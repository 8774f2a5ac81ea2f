package portal

import (
	"fmt"
	"testing"
)

func TestEveryAccentCanBeRead(t *testing.T) {
	check := func(t *testing.T, accent string, p Palette, page, surface rgb) {
		t.Helper()
		color := func(s string) rgb {
			c, ok := parseRGB(s)
			if !ok {
				t.Fatalf("accent %s: %q is not a colour", accent, s)
			}
			return c
		}
		pairs := []struct {
			name string
			a, b rgb
			want float64
		}{
			{"text on page", color(p.Text), page, 4.5},
			{"text on surface", color(p.Text), surface, 4.5},
			{"text on soft", color(p.Text), color(p.Soft), 4.5},
			{"button text", color(p.OnFill), color(p.Fill), 4.5},
			{"button text under the pointer", color(p.OnFill), color(p.Hover), 4.5},
			{"line on page", color(p.Line), page, 3},
			{"line on surface", color(p.Line), surface, 3},
		}
		for _, pair := range pairs {
			if got := contrast(pair.a, pair.b); got < pair.want {
				t.Errorf("accent %s, %s: contrast %.2f of %v on %v, wanted %.1f", accent, pair.name, got, pair.a, pair.b, pair.want)
			}
		}
	}
	for r := 0; r <= 255; r += 17 {
		for g := 0; g <= 255; g += 17 {
			for b := 0; b <= 255; b += 17 {
				accent := fmt.Sprintf("#%02x%02x%02x", r, g, b)
				theme := NewTheme(accent)
				check(t, accent+" light", theme.Light, lightPage, lightSurface)
				check(t, accent+" dark", theme.Dark, darkPage, darkSurface)
				if t.Failed() {
					return
				}
			}
		}
	}
}

func TestThemeKeepsAnAccentThatIsGoodAlready(t *testing.T) {
	if got := NewTheme("#0f5fc2").Light.Fill; got != "#0f5fc2" {
		t.Errorf("the default accent became %s, wanted it as it is", got)
	}
	if got, want := NewTheme("red; } body {"), NewTheme("#0f5fc2"); got != want {
		t.Errorf("what is not a colour gave %+v, wanted the default %+v", got, want)
	}
}
