package incoming

import (
	"unicode"

	"golang.org/x/text/encoding/charmap"
)

// looksLike names the charset that undeclared bytes are most likely in. The
// libraries that do this weigh dozens of charsets at once and settle ties by
// chance; mail without a charset comes from few places, and the same mail must
// always read the same.
func looksLike(raw []byte) string {
	if name := doubleByte(raw); name != "" {
		return name
	}
	if name := cyrillic(raw); name != "" {
		return name
	}
	return "windows-1252"
}

// doubleByte tells the charsets of East Asia apart by which rows of their
// tables a text is written in; "" when it is none of them.
func doubleByte(raw []byte) string {
	var pairs, odd, kana, hangul, level1, big5, sjis, sjisOdd int
	for i := 0; i < len(raw); i++ {
		if raw[i] < 0x80 {
			continue
		}
		// A pair with both bytes above A0 is what EUC and GB2312 have.
		if i+1 < len(raw) && raw[i] >= 0xa1 && raw[i+1] >= 0xa1 {
			pairs++
			switch lead := raw[i]; {
			case lead == 0xa4 || lead == 0xa5:
				kana++
			case lead >= 0xb0 && lead <= 0xc8:
				hangul++
				level1++
			case lead >= 0xb0 && lead <= 0xd7:
				level1++
			}
			i++
			continue
		}
		odd++
	}
	for i := 0; i+1 < len(raw); i++ {
		lead, trail := raw[i], raw[i+1]
		if lead < 0x80 {
			continue
		}
		switch {
		case lead >= 0xa4 && lead <= 0xc6 && (trail >= 0x40 && trail <= 0x7e || trail >= 0xa1):
			big5++
			i++
		case lead == 0xa1 || lead >= 0xc9 && lead <= 0xf9:
			i++
		}
	}
	for i := 0; i < len(raw); i++ {
		lead := raw[i]
		switch {
		case lead < 0x80:
		case (lead >= 0x81 && lead <= 0x9f || lead >= 0xe0 && lead <= 0xfc) && i+1 < len(raw) && raw[i+1] >= 0x40 && raw[i+1] != 0x7f && raw[i+1] <= 0xfc:
			if lead == 0x82 || lead == 0x83 || lead == 0x81 || lead >= 0x88 && lead <= 0x9f {
				sjis++
			}
			i++
		default:
			sjisOdd++
		}
	}
	switch {
	case sjis >= 2 && sjis > 4*sjisOdd && sjis > pairs:
		return "shift_jis"
	case pairs >= 2 && odd*20 <= pairs && kana*5 >= pairs:
		return "euc-jp"
	case pairs >= 4 && odd*20 <= pairs && hangul*10 >= pairs*9:
		return "euc-kr"
	case pairs >= 2 && odd*20 <= pairs && level1*10 >= pairs*6 && !latinShape(raw):
		return "gb18030"
	case big5 >= 3 && big5*3 >= highBytes(raw) && !latinShape(raw):
		return "big5"
	}
	return ""
}

// latinShape reports whether bytes above ASCII stand one or two together beside
// letters of ASCII, as accented letters do.
func latinShape(raw []byte) bool {
	beside, high := 0, 0
	letter := func(i int) bool {
		return i >= 0 && i < len(raw) && (raw[i]|0x20) >= 'a' && (raw[i]|0x20) <= 'z'
	}
	for i := 0; i < len(raw); {
		if raw[i] < 0x80 {
			i++
			continue
		}
		from := i
		for i < len(raw) && raw[i] >= 0x80 {
			i++
		}
		high += i - from
		if i-from <= 2 && (letter(from-1) || letter(i)) {
			beside += i - from
		}
	}
	return beside*2 > high
}

// cyrillic tells KOI8-R from windows-1251 and ISO-8859-5: in the right one most
// letters are small.
func cyrillic(raw []byte) string {
	if latinShape(raw) {
		return ""
	}
	best, name := 0, ""
	for _, c := range []struct {
		name string
		page *charmap.Charmap
	}{{"windows-1251", charmap.Windows1251}, {"koi8-r", charmap.KOI8R}, {"iso-8859-5", charmap.ISO8859_5}, {"ibm866", charmap.CodePage866}} {
		score, high := 0, 0
		for _, b := range raw {
			if b < 0x80 {
				continue
			}
			high++
			switch r := c.page.DecodeByte(b); {
			case r >= 'а' && r <= 'я':
				score += 2
			case unicode.Is(unicode.Cyrillic, r):
				score++
			case !unicode.IsPunct(r) && r != '\u00a0' && r != '№':
				score -= 3
			}
		}
		if score > best && score*10 >= high*14 {
			best, name = score, c.name
		}
	}
	return name
}
