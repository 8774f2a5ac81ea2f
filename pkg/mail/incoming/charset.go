package incoming

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// charsetNames are names that mail uses and no register knows, and names that
// mean more than they say: what calls itself GB2312 holds GBK.
var charsetNames = map[string]string{
	"utf8": "utf-8", "utf_8": "utf-8", "utf-8-sig": "utf-8", "utf8mb4": "utf-8", "unicode-1-1-utf-8": "utf-8",
	"cp65001": "utf-8", "65001": "utf-8", "utf": "utf-8", "unicode": "utf-8",
	"utf7": "utf-7", "unicode-1-1-utf-7": "utf-7", "x-unicode-2-0-utf-7": "utf-7", "csunicode11utf7": "utf-7",
	"us-ascii": "us-ascii", "ascii": "us-ascii", "ansi_x3.4-1968": "us-ascii", "ansi-x3.4-1968": "us-ascii", "iso646-us": "us-ascii", "iso-ir-6": "us-ascii",
	"us": "us-ascii", "usascii": "us-ascii", "7bit": "us-ascii", "8bit": "us-ascii",
	"x-unknown": "us-ascii", "unknown-8bit": "us-ascii", "x-user-defined": "us-ascii", "unknown": "us-ascii",
	"iso-8859-1": "windows-1252", "latin1": "windows-1252", "latin-1": "windows-1252", "iso8859-1": "windows-1252",
	"iso_8859-1": "windows-1252", "8859-1": "windows-1252", "iso-8859": "windows-1252", "iso88591": "windows-1252",
	"ansi": "windows-1252", "cp-1252": "windows-1252", "1252": "windows-1252", "western": "windows-1252",
	"we8iso8859p1": "windows-1252", "iso: western": "windows-1252", "windows1252": "windows-1252",
	"cp-1250": "windows-1250", "cp-1251": "windows-1251", "win-1251": "windows-1251", "win1251": "windows-1251",
	"windows1251": "windows-1251", "windows1250": "windows-1250",
	"gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "cp936": "gb18030", "x-gbk": "gb18030",
	"gb": "gb18030", "gb2312-80": "gb18030", "euc-cn": "gb18030", "windows-936": "gb18030", "ms936": "gb18030",
	"gb-2312": "gb18030", "gb2312_charset": "gb18030", "936": "gb18030", "chinesesimplified": "gb18030",
	"hz": "hz-gb-2312", "cp950": "big5", "windows-950": "big5", "big5-hkscs": "big5", "big-5": "big5", "136": "big5",
	"cp932": "shift_jis", "windows-932": "shift_jis", "sjis-win": "shift_jis", "x-ms-cp932": "shift_jis",
	"shift-jis": "shift_jis", "shiftjis": "shift_jis", "cp943": "shift_jis",
	"iso-2022-jp-1": "iso-2022-jp", "iso-2022-jp-2": "iso-2022-jp", "iso-2022-jp-3": "iso-2022-jp",
	"iso-2022-jp-ms": "iso-2022-jp", "cp50220": "iso-2022-jp", "cp50221": "iso-2022-jp", "jis": "iso-2022-jp",
	"eucjp": "euc-jp", "eucjp-win": "euc-jp", "cp51932": "euc-jp", "ujis": "euc-jp",
	"cp949": "euc-kr", "uhc": "euc-kr", "ms949": "euc-kr", "ks_c_5601": "euc-kr", "euckr": "euc-kr", "x-windows-949": "euc-kr",
	"tis620": "windows-874", "cp874": "windows-874", "iso-8859-8-i": "iso-8859-8", "iso-8859-6-i": "iso-8859-6",
	"x-mac-ce": "x-mac-ce", "utf-16": "utf-16", "utf16": "utf-16", "utf-32": "utf-32", "ucs-2": "utf-16be",
}

// charsets are those the registers lack or read in another way.
var charsets = map[string]encoding.Encoding{
	"utf-16":     unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"utf-32":     utf32.UTF32(utf32.BigEndian, utf32.UseBOM),
	"utf-32be":   utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM),
	"utf-32le":   utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM),
	"hz-gb-2312": simplifiedchinese.HZGB2312,
	"cp850":      charmap.CodePage850,
	"cp437":      charmap.CodePage437,
	"cp852":      charmap.CodePage852,
	"cp858":      charmap.CodePage858,
	"cp866":      charmap.CodePage866,
}

// canonicalCharset is the name a charset is decoded by: "" for none named,
// the name itself for one nobody knows.
func canonicalCharset(name string) string {
	name = strings.ToLower(strings.Trim(name, "\"'<>;:,. \t\r\n"))
	for _, prefix := range []string{"charset=", "cs", "x-"} {
		if cut, ok := strings.CutPrefix(name, prefix); ok && charsetNames[cut] != "" {
			name = cut
		}
	}
	name = strings.TrimPrefix(name, "charset=")
	if alias, ok := charsetNames[name]; ok {
		return alias
	}
	switch name {
	case "default", "none", "null", "charset", "_autodetect", "_autodetect_all", "iso-8859-1_charset":
		return ""
	}
	if e, err := htmlindex.Get(name); err == nil {
		if canonical, err := htmlindex.Name(e); err == nil && canonical != "replacement" {
			return canonical
		}
	}
	return strings.Replace(name, "cp-", "cp", 1)
}

// charsetOf finds how to decode a charset by its canonical name; nil: unknown.
func charsetOf(name string) encoding.Encoding {
	if e, ok := charsets[name]; ok {
		return e
	}
	if e, err := htmlindex.Get(name); err == nil && e != encoding.Replacement {
		return e
	}
	for _, index := range []*ianaindex.Index{ianaindex.MIME, ianaindex.IANA} {
		if e, err := index.Encoding(name); err == nil && e != nil {
			return e
		}
	}
	return nil
}

// decodeText makes valid UTF-8 of bytes in a charset, whose name may be
// missing, unknown or wrong; hint is the charset of the text around. It says
// which problem it met.
func decodeText(raw []byte, name, hint string) (text, problem string) {
	declared := canonicalCharset(name)
	switch declared {
	case "utf-7":
		return decodeUTF7(raw), ""
	case "iso-2022-kr":
		return decodeISO2022KR(raw), ""
	case "", "us-ascii", "utf-8":
		if utf8.Valid(raw) {
			if bytes.Contains(raw, []byte("\x1b$")) {
				return decodeWith(raw, "iso-2022-jp"), wrongUnlessNone(declared)
			}
			return string(bytes.TrimPrefix(raw, []byte("\ufeff"))), ""
		}
		if declared == "utf-8" && mostlyUTF8(raw) {
			return strings.ToValidUTF8(string(raw), "\ufffd"), problemWrongCharset
		}
		return guess(raw, hint), wrongUnlessNone(declared)
	}
	e := charsetOf(declared)
	if e == nil {
		if utf8.Valid(raw) {
			return string(raw), problemCharset
		}
		return guess(raw, hint), problemCharset
	}
	if good, bad := countUTF8(raw); bad == 0 && good > 0 && isASCIISuperset(declared) && (singleByte(declared) || good > 3) {
		return string(bytes.TrimPrefix(raw, []byte("\ufeff"))), problemWrongCharset
	}
	if declared == "windows-1252" && notWestern(raw) {
		return guess(raw, ""), problemWrongCharset
	}
	decoded, err := e.NewDecoder().Bytes(raw)
	if err != nil {
		return guess(raw, hint), problemWrongCharset
	}
	text = strings.ToValidUTF8(string(decoded), "\ufffd")
	if bad := strings.Count(text, "\ufffd"); bad > 0 {
		// A few bytes that do not fit are damage; many are another charset.
		if high := highBytes(raw); bad*10 > high {
			if other := guess(raw, hint); strings.Count(other, "\ufffd")*2 < bad {
				return other, problemWrongCharset
			}
		}
		return text, problemWrongCharset
	}
	return text, ""
}

// notWestern reports whether bytes can hardly be a language of Western Europe:
// most of its letters are ASCII, and those of a text that only says it is
// ISO-8859-1, as the programs of half the world did by default, are not.
func notWestern(raw []byte) bool {
	ascii, high := 0, 0
	for _, c := range raw[:min(len(raw), 4<<10)] {
		switch {
		case c >= 0xc0 || c >= 0x80 && c < 0xa0:
			high++
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			ascii++
		}
	}
	return high >= 8 && high > 2*ascii
}

func wrongUnlessNone(declared string) string {
	if declared == "" {
		return ""
	}
	return problemWrongCharset
}

func decodeWith(raw []byte, name string) string {
	if e := charsetOf(name); e != nil {
		if decoded, err := e.NewDecoder().Bytes(raw); err == nil {
			return strings.ToValidUTF8(string(decoded), "\ufffd")
		}
	}
	return strings.ToValidUTF8(string(raw), "\ufffd")
}

// isASCIISuperset reports whether ASCII reads the same in a charset.
func isASCIISuperset(name string) bool {
	return !strings.HasPrefix(name, "utf-16") && !strings.HasPrefix(name, "utf-32") &&
		!strings.HasPrefix(name, "iso-2022") && !strings.HasPrefix(name, "hz-")
}

func singleByte(name string) bool {
	switch name {
	case "gb18030", "gbk", "big5", "shift_jis", "euc-jp", "euc-kr":
		return false
	}
	return isASCIISuperset(name)
}

// countUTF8 counts the characters beyond ASCII, and the bytes that belong to
// none.
func countUTF8(raw []byte) (good, bad int) {
	for i := 0; i < len(raw); {
		if raw[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && size == 1 {
			bad++
		} else {
			good++
		}
		i += size
	}
	return good, bad
}

// mostlyUTF8 reports whether bytes are UTF-8 with damage, such as a character
// cut in half, rather than another charset.
func mostlyUTF8(raw []byte) bool {
	good, bad := countUTF8(raw)
	return good > 4*bad
}

func highBytes(raw []byte) int {
	n := 0
	for _, c := range raw {
		if c >= utf8.RuneSelf {
			n++
		}
	}
	return n
}

// guess decodes bytes of which nobody knows the charset: as the text around
// them if they fit, else by what they look like, else as windows-1252, in
// which everything is something.
func guess(raw []byte, hint string) string {
	if mostlyUTF8(raw) {
		return strings.ToValidUTF8(string(raw), "\ufffd")
	}
	if hint != "" && hint != "utf-8" && hint != "us-ascii" && hint != "utf-7" {
		if text := decodeWith(raw, hint); !strings.Contains(text, "\ufffd") {
			return text
		}
	}
	name := looksLike(raw[:min(len(raw), 4<<10)])
	if name == "windows-1252" {
		return decodeMixed(raw)
	}
	return decodeWith(raw, name)
}

// decodeMixed reads what is UTF-8 as such and every other byte as windows-1252:
// texts that programs put together of both are common.
func decodeMixed(raw []byte) string {
	var b strings.Builder
	b.Grow(len(raw) + len(raw)/8)
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		if r == utf8.RuneError && size == 1 {
			r = charmap.Windows1252.DecodeByte(raw[0])
		}
		b.WriteRune(r)
		raw = raw[size:]
	}
	return b.String()
}

// decodeUTF7 decodes RFC 2152; what is no UTF-7 stays as it is.
func decodeUTF7(raw []byte) string {
	var b strings.Builder
	for i := 0; i < len(raw); {
		if raw[i] != '+' {
			j := bytes.IndexByte(raw[i:], '+')
			if j < 0 {
				j = len(raw) - i
			}
			b.Write(raw[i : i+j])
			i += j
			continue
		}
		end := i + 1
		for end < len(raw) && base64Values[raw[end]] < 64 && raw[end] != '-' && raw[end] != '_' {
			end++
		}
		letters := raw[i+1 : end]
		switch {
		case len(letters) == 0 && end < len(raw) && raw[end] == '-':
			b.WriteByte('+')
			end++
		case len(letters) < 3:
			b.Write(raw[i:end])
		default:
			b.WriteString(utf16Letters(letters))
			if end < len(raw) && raw[end] == '-' {
				end++
			}
		}
		i = end
	}
	return strings.ToValidUTF8(b.String(), "\ufffd")
}

func utf16Letters(letters []byte) string {
	decoded, _ := unbase64(letters)
	return decodeWith(decoded[:len(decoded)&^1], "utf-16be")
}

// decodeISO2022KR decodes RFC 1557, which is EUC-KR with seven bits.
func decodeISO2022KR(raw []byte) string {
	shifted := false
	plain := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == 0x0e:
			shifted = true
		case c == 0x0f:
			shifted = false
		case c == 0x1b && bytes.HasPrefix(raw[i:], []byte("\x1b$)C")):
			i += 3
		case c == '\n':
			shifted = false
			plain = append(plain, c)
		case shifted && c > ' ':
			plain = append(plain, c|0x80)
		default:
			plain = append(plain, c)
		}
	}
	decoded, err := korean.EUCKR.NewDecoder().Bytes(plain)
	if err != nil {
		return strings.ToValidUTF8(string(raw), "\ufffd")
	}
	return strings.ToValidUTF8(string(decoded), "\ufffd")
}

// fromUTF16 makes UTF-8 of a whole mail that a Windows shell wrote in UTF-16,
// and drops the mark of UTF-8.
func fromUTF16(raw []byte) []byte {
	if bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff")) {
		if decoded, err := charsets["utf-16"].NewDecoder().Bytes(raw); err == nil {
			return decoded
		}
	}
	return bytes.TrimPrefix(raw, []byte("\ufeff"))
}
