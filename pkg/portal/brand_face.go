package portal

import (
	"hash/fnv"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The fonts a portal can be shown in, beside the system's.
const (
	FontInter  = "inter"
	FontSource = "source-sans"
	FontSerif  = "source-serif"
	FontVazir  = "vazirmatn"
)

// Fonts are the names of the fonts shipped, as flags take them.
var Fonts = []string{FontInter, FontSource, FontSerif, FontVazir}

// ParseFont reads the name of a font; system, the reader's own, is "".
func ParseFont(s string) (string, error) {
	font, err := oneOf("portal.font", "font", "a font of portalctl", s, append([]string{"system"}, Fonts...)...)
	if font == "system" {
		font = ""
	}
	return font, err
}

// How many links stand at the head and the foot of a page.
const (
	MaxHeaderLinks = 5
	MaxFooterLinks = 8
)

// maxLabel is the longest text of a link, in characters.
const maxLabel = 40

// ParseWebLinks reads links written LABEL=URL, at most so many. The word none
// alone is no links.
func ParseWebLinks(field string, list []string, most int) ([]WebLink, error) {
	if len(list) == 1 && strings.EqualFold(strings.TrimSpace(list[0]), "none") {
		return nil, nil
	}
	if len(list) > most {
		return nil, Invalidf("portal.links", field, "%d links are too many; there is room for %d", len(list), most)
	}
	var links []WebLink
	for _, s := range list {
		l, err := ParseWebLink(field, s)
		if err != nil {
			return nil, err
		}
		links = append(links, l)
	}
	return links, nil
}

// ParseWebLink reads a link written LABEL=URL.
func ParseWebLink(field, s string) (WebLink, error) {
	label, address, ok := strings.Cut(s, "=")
	label, err := CleanLine(field, label)
	if err != nil {
		return WebLink{}, err
	}
	if !ok || label == "" {
		return WebLink{}, Invalidf("portal.link", field, "%q is not a link; write it like \"Company=https://example.com\"", s)
	}
	if utf8.RuneCountInString(label) > maxLabel {
		return WebLink{}, Invalidf("portal.link", field, "%q is too long for a link; up to %d characters fit", label, maxLabel)
	}
	address, err = ParseWebURL(field, address)
	return WebLink{Label: label, URL: address}, err
}

// ParseWebURL checks the address of a place outside the portal: http, https or
// mailto, and nothing hidden in it.
func ParseWebURL(field, s string) (string, error) {
	s = strings.TrimSpace(s)
	bad := Invalidf("portal.link_url", field, "%q is not an address a link can lead to; write it like https://example.com or mailto:info@example.com", s)
	if s == "" || len(s) > 500 || !utf8.ValidString(s) {
		return "", bad
	}
	for _, r := range s {
		if r <= ' ' || r >= 0x7f && r < 0xa1 || r == '\\' || r == '"' || r == '<' || r == '>' || IsBidiControl(r) {
			return "", bad
		}
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", bad
	}
	switch u.Scheme {
	case "http", "https":
		// A name and password in front of the host make one site look like
		// another.
		if u.Hostname() == "" || u.User != nil || u.Opaque != "" {
			return "", bad
		}
	case "mailto":
		address, _, _ := strings.Cut(u.Opaque, "?")
		if _, err := ParseEmail(field, address); err != nil {
			return "", bad
		}
	default:
		return "", bad
	}
	return u.String(), nil
}

// MaxBanner is the longest text of a banner, in characters.
const MaxBanner = 300

// ParseBannerText checks the text of a banner, which is one paragraph.
func ParseBannerText(s string) (string, error) {
	if n := utf8.RuneCountInString(s); n > MaxBanner {
		return "", Invalidf("portal.banner", "banner", "the banner has %d characters; up to %d fit", n, MaxBanner).
			WithHint("link to the rest with --banner-link")
	}
	// It is longer than other lines may be, so it is checked in parts.
	var parts []string
	for s = strings.Join(strings.Fields(s), " "); s != ""; {
		part := s
		for i := range s {
			if i >= MaxLine {
				part = s[:i]
				break
			}
		}
		if _, err := CleanLine("banner", part); err != nil {
			return "", err
		}
		parts, s = append(parts, part), s[len(part):]
	}
	return strings.Join(parts, ""), nil
}

// bannerTimes are the ways to write a time in the portal's zone.
var bannerTimes = []string{"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02"}

// ParseBannerTime reads a time in the portal's zone, or one that names its own
// (RFC 3339). A day alone is its beginning. The words now and always, which set
// no limit, give the zero time.
func ParseBannerTime(field, s string, zone *time.Location) (time.Time, error) {
	s = strings.TrimSpace(s)
	switch strings.ToLower(s) {
	case "", "now", "always", "none":
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	for _, layout := range bannerTimes {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, Invalidf("portal.banner_time", field, "%q is not a time; write it like \"2026-12-01 08:00\", or with a zone like 2026-12-01T08:00:00+01:00", s)
}

// Key tells one announcement from another, so that who has put one away sees
// the next.
func (b *Banner) Key() string {
	link := WebLink{}
	if b.Link != nil {
		link = *b.Link
	}
	h := fnv.New64a()
	for _, part := range []string{b.Text, link.Label, link.URL, b.StartsAt.UTC().Format(time.RFC3339)} {
		_, _ = h.Write([]byte(part + "\x00")) // a hash takes everything
	}
	return strconv.FormatUint(h.Sum64(), 36)
}
