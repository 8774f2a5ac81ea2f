package incoming

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// FuzzParse reads anything: what Parse promises holds, and the same bytes say
// the same thing twice. The steps run without the net that Parse has, so that
// a panic shows.
func FuzzParse(f *testing.F) {
	mails, err := filepath.Glob(filepath.Join("testdata", "mail", "*.eml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range mails {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, raw := range libraryMails(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := string(raw)
		p := testParser()
		p.parse(raw)
		m := p.m
		checkIncoming(t, m)
		// Nothing a mail holds is worth more than its size: three bytes for one
		// at most, where a charset becomes UTF-8 twice over, in text and file.
		size := len(m.Text) + len(m.Quoted) + len(m.Subject)
		for _, file := range m.Files {
			size += len(file.Content)
		}
		if size > 8*len(raw)+1000 {
			t.Errorf("%d bytes became %d", len(raw), size)
		}
		if string(raw) != before {
			t.Error("the mail was changed while it was read")
		}
		if again := Parse(raw); !reflect.DeepEqual(m, again) {
			t.Errorf("read twice, it says two things:\n%+v\n%+v", m, again)
		}
	})
}

// FuzzDecodeWords decodes any header value: the result holds no encoding's
// bytes that are not UTF-8, and is stable for what needs no decoding.
func FuzzDecodeWords(f *testing.F) {
	for _, s := range []string{
		"=?utf-8?Q?a=C3=A4?=", "=?utf-8?B?w6Q=?= =?utf-8?B?w6Q=?=", "=?gb2312?B?1tC5+g==?=", "=?utf-8?Q?a b", "=?=?=?=", "=?a?B?=?a?Q?",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := testParser()
		got := line(decodeWords(p.raw8(s), p))
		checkLine(t, "value", got)
		if len(got) > 3*maxLine {
			t.Errorf("%d bytes", len(got))
		}
	})
}
