package portal

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// How long browsers are told to remember that a domain speaks TLS. A year is
// what the lists that browsers ship ask for at least, and long enough that
// nobody who comes back is caught without; two are as long as anybody may ask
// for, since there is no way back before.
const (
	yearHSTS    = 365 * day
	longestHSTS = 2 * yearHSTS
)

// HSTS is for how long browsers are told to use nothing but TLS.
type HSTS struct {
	Auto       bool          // as long as the domain has been served well, from a day on, up to a year
	For        time.Duration // without Auto; zero has browsers forget it
	Subdomains bool          // hosts below the domain as well
}

// ParseHSTS reads auto, on, off or a time such as 30d or 12h, each but off with
// ",subdomains" behind it when hosts below the domain are meant as well.
func ParseHSTS(s string) (HSTS, error) {
	bad := Invalidf("domain.hsts", "hsts", "%q says nothing of how long browsers are to use TLS alone", s).
		WithHint("use auto, on (a year), off, or a time up to 730d, such as 30d; add ,subdomains for the hosts below as well")
	word, more, several := strings.Cut(strings.ToLower(strings.TrimSpace(s)), ",")
	h := HSTS{Subdomains: several}
	if several && strings.TrimSpace(more) != "subdomains" {
		return HSTS{}, bad
	}
	switch word = strings.TrimSpace(word); word {
	case AutoHSTS, "":
		h.Auto = true
	case "on":
		h.For = yearHSTS
	case "off":
		if several {
			return HSTS{}, bad
		}
	default:
		d, ok := parseLength(word)
		if !ok || d < time.Minute || d > longestHSTS {
			return HSTS{}, bad
		}
		h.For = d
	}
	if word == "" && several {
		return HSTS{}, bad
	}
	return h, nil
}

// parseLength reads a time in days, or as Go writes durations.
func parseLength(s string) (time.Duration, bool) {
	if number, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(number)
		return time.Duration(n) * day, err == nil && n > 0 && n <= 10_000
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}

// String is what ParseHSTS reads.
func (h HSTS) String() string {
	word := AutoHSTS
	switch {
	case h.Auto:
	case h.For == yearHSTS:
		word = "on"
	case h.For == 0:
		word = "off"
	case h.For%day == 0:
		word = fmt.Sprintf("%dd", h.For/day)
	default:
		word = h.For.String()
	}
	if h.Subdomains {
		word += ",subdomains"
	}
	return word
}

// StrictTransport is the Strict-Transport-Security of a page of the domain that
// goes out by TLS now; "" when there is none. By itself it grows: a domain that
// was served well for three days is one whose visitors may count on TLS for the
// next three. A mistake of the first days, such as a certificate that is not
// renewed, thus locks nobody out for longer than it went well.
func (d *Domain) StrictTransport(now time.Time) string {
	h, err := ParseHSTS(d.HSTS)
	if err != nil {
		return ""
	}
	length := h.For
	if h.Auto {
		served := now.Sub(d.ServedSince)
		if d.ServedSince.IsZero() || !d.LostAt.IsZero() || served < day {
			return ""
		}
		length = min(served.Truncate(day), yearHSTS)
	}
	value := fmt.Sprintf("max-age=%d", int64(length/time.Second))
	if h.Subdomains {
		value += "; includeSubDomains"
	}
	return value
}
