package output

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

type number int

func (n number) String() string { return "T-" + string(rune('0'+n)) }

var columns = []Column{
	{Name: "number", Head: "Number", Keep: true},
	{Name: "subject", Head: "Subject"},
	{Name: "requester", Head: "Requester", Keep: true},
	{Name: "files", Head: "Files"},
	{Name: "open", Head: "Open"},
	{Name: "updated_at", Head: "Updated", Keep: true},
	{Name: "labels", Head: "Labels", Spare: true},
	{Name: "properties"},
}

var at = time.Date(2026, 11, 22, 16, 5, 30, 0, time.UTC)

var rows = [][]any{
	{number(1), "The printer on the third floor is on fire again, please come quickly", "anna@example.com", 3, true, at, []string{"fire", "urgent"}, map[string]string{"b": "2", "a": "1"}},
	{number(2), "短い件名ですがとても広い文字で書かれていますので", "b@example.com", 12, false, time.Time{}, []string(nil), nil},
}

func printer(format string, width int) (*Printer, *bytes.Buffer, *bytes.Buffer) {
	var out, note bytes.Buffer
	zone := time.FixedZone("CET", 3600)
	return &Printer{Out: &out, Note: &note, Format: format, Width: width, Zone: zone}, &out, &note
}

func TestListAsATable(t *testing.T) {
	for name, tt := range map[string]struct {
		width int
		want  string
	}{
		"with room": {200, `
NUMBER  SUBJECT                                                               REQUESTER         FILES  OPEN  UPDATED           LABELS
T-1     The printer on the third floor is on fire again, please come quickly  anna@example.com      3  yes   2026-11-22 17:05  fire, urgent
T-2     短い件名ですがとても広い文字で書かれていますので                      b@example.com        12  no
`},
		"at 80, the default": {0, `
NUMBER  SUBJECT                  REQUESTER         FILES  OPEN  UPDATED
T-1     The printer on the thi…  anna@example.com      3  yes   2026-11-22 17:05
T-2     短い件名ですがとても広…  b@example.com        12  no
`},
		"too narrow for what must stay": {20, `
NUMBER  SUBJECT   REQUESTER         FILES  OPEN  UPDATED
T-1     The pri…  anna@example.com      3  yes   2026-11-22 17:05
T-2     短い件…   b@example.com        12  no
`},
	} {
		p, out, _ := printer(Table, tt.width)
		if err := p.List(columns, rows, "no tickets"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestListAsJSON(t *testing.T) {
	p, out, _ := printer(JSON, 0)
	if err := p.List(columns, rows, "no tickets"); err != nil {
		t.Fatal(err)
	}
	want := `[
  {
    "number": "T-1",
    "subject": "The printer on the third floor is on fire again, please come quickly",
    "requester": "anna@example.com",
    "files": 3,
    "open": true,
    "updated_at": "2026-11-22T16:05:30Z",
    "labels": [
      "fire",
      "urgent"
    ],
    "properties": {
      "a": "1",
      "b": "2"
    }
  },
  {
    "number": "T-2",
    "subject": "短い件名ですがとても広い文字で書かれていますので",
    "requester": "b@example.com",
    "files": 12,
    "open": false,
    "updated_at": null,
    "labels": [],
    "properties": null
  }
]
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestListAsCSV(t *testing.T) {
	p, out, _ := printer(CSV, 0)
	if err := p.List(columns, rows, "no tickets"); err != nil {
		t.Fatal(err)
	}
	want := `number,subject,requester,files,open,updated_at,labels,properties
T-1,"The printer on the third floor is on fire again, please come quickly",anna@example.com,3,true,2026-11-22T16:05:30Z,fire;urgent,a=1;b=2
T-2,短い件名ですがとても広い文字で書かれていますので,b@example.com,12,false,,,
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEmptyLists(t *testing.T) {
	for format, want := range map[string][2]string{
		Table: {"", "no tickets yet\n"},
		JSON:  {"[]\n", ""},
		CSV:   {"number,subject,requester,files,open,updated_at,labels,properties\n", ""},
	} {
		p, out, note := printer(format, 0)
		if err := p.List(columns, nil, "no tickets yet"); err != nil {
			t.Fatal(err)
		}
		if out.String() != want[0] || note.String() != want[1] {
			t.Errorf("%s: printed %q and noted %q, want %q and %q", format, out, note, want[0], want[1])
		}
	}
	p, out, note := printer(Table, 0)
	p.Quiet = true
	if err := p.List(columns, nil, "no tickets yet"); err != nil || out.Len()+note.Len() > 0 {
		t.Errorf("quiet: printed %q, noted %q, %v; want nothing", out, note, err)
	}
}

func TestObject(t *testing.T) {
	link := "https://support.example.com/" + strings.Repeat("abcdefghi/", 8)
	row := []any{number(1), "The printer on the third floor\n\tis on fire again, please come quickly and bring water with you", link, -3, nil, at, []string(nil), map[string]string{"a": "1"}}
	p, out, _ := printer(Table, 60)
	if err := p.Object(columns, row); err != nil {
		t.Fatal(err)
	}
	want := `Number:     T-1
Subject:    The printer on the third floor
                is on fire again, please come quickly and
            bring water with you
Requester:  https://support.example.com/abcdefghi/abcdefghi/abcdefghi/abcdefghi/abcdefghi/abcdefghi/abcdefghi/abcdefghi/
Files:      -3
Open:       -
Updated:    2026-11-22 17:05
Labels:     -
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	p, out, _ = printer(JSON, 0)
	if err := p.Object(columns[:1], row[:1]); err != nil || out.String() != "{\n  \"number\": \"T-1\"\n}\n" {
		t.Errorf("JSON is %q, %v", out, err)
	}
	p, out, _ = printer(CSV, 0)
	if err := p.Object(columns[:1], row[:1]); err != nil || out.String() != "number\nT-1\n" {
		t.Errorf("CSV is %q, %v", out, err)
	}
}

func TestRowsThatDoNotMatchTheColumnsAreErrors(t *testing.T) {
	for _, format := range []string{Table, JSON, CSV} {
		p, out, _ := printer(format, 0)
		if err := p.List(columns[:2], [][]any{{1}}, ""); err == nil || out.Len() > 0 {
			t.Errorf("%s: printed %q, %v; want nothing and an error", format, out, err)
		}
	}
}

func TestWriteErrorsAreReported(t *testing.T) {
	for _, format := range []string{Table, JSON, CSV} {
		p := &Printer{Out: full{}, Format: format}
		if err := p.List(columns, rows, ""); !errors.Is(err, errFull) {
			t.Errorf("%s: List = %v, want %v", format, err, errFull)
		}
		if err := p.Object(columns, rows[0]); !errors.Is(err, errFull) {
			t.Errorf("%s: Object = %v, want %v", format, err, errFull)
		}
	}
}

var errFull = errors.New("no space left on device")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestCSVCellsThatASpreadsheetWouldRun(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  string
	}{
		{"=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"},
		{"+46 8 123", "'+46 8 123"},
		{"-1", "'-1"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"\t=1", "'\t=1"},
		{"\r=1", "'\r=1"},
		{[]string{"=1", "2"}, "'=1;2"},
		{-1, "-1"},
		{int64(-1), "-1"},
		{-1.5, "-1.5"},
		{"a=1", "a=1"},
		{"", ""},
		{nil, ""},
		{(*time.Location)(nil), ""},
	} {
		if got := csvCell(tt.value); got != tt.want {
			t.Errorf("csvCell(%#v) = %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestTerminalsGetNothingTheyWouldObey(t *testing.T) {
	evil := "a\x1b[31mb\x1b]0;title\a\u009b2Jc\u202egpj.exe\x7f\r\nd\x00\ufeff\U000e0041\xff"
	row := []any{evil}
	cols := []Column{{Name: "subject", Head: "Subject"}}
	for _, format := range []string{Table, JSON, CSV} {
		p, out, _ := printer(format, 0)
		p.Terminal = true
		if err := errors.Join(p.List(cols, [][]any{row}, ""), p.Object(cols, row)); err != nil {
			t.Fatal(err)
		}
		for _, r := range out.String() {
			if r != '\n' && invisible(r) {
				t.Errorf("%s holds U+%04X: %q", format, r, out)
			}
		}
	}
	p, out, _ := printer(CSV, 0)
	if err := p.List(cols, [][]any{row}, ""); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(out).ReadAll()
	// The CSV reader turns \r\n inside a field into \n.
	if want := strings.ReplaceAll(evil, "\r\n", "\n"); err != nil || records[1][0] != want {
		t.Errorf("CSV into a file reads back as %q, %v; want %q", records, err, want)
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ in, line, text string }{
		{"plain", "plain", "plain"},
		{" smörgås 👩‍👩‍👧 ❤️ ", "smörgås 👩‍👩‍👧 ❤️", " smörgås 👩‍👩‍👧 ❤️ "},
		{"two\r\nlines\tand\rmore", "two lines and more", "two\nlines\tand more"},
		{"a\u2028b\u0085c", "a b c", "a b c"},
		{"\x1b[2Jgone", "[2Jgone", "[2Jgone"},
		{"bad\xffbyte", "bad\ufffdbyte", "bad\ufffdbyte"},
	} {
		if got := Clean(tt.in); got != tt.line {
			t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.line)
		}
		if got := CleanText(tt.in); got != tt.text {
			t.Errorf("CleanText(%q) = %q, want %q", tt.in, got, tt.text)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b[31m\u202eb\r\n\xff")
	f.Add("👩‍👩‍👧\U000e0041")
	f.Fuzz(func(t *testing.T, s string) {
		line := Clean(s)
		for _, r := range line {
			if invisible(r) {
				t.Errorf("Clean(%q) = %q, which holds U+%04X", s, line, r)
			}
		}
		if again := Clean(line); again != line {
			t.Errorf("Clean(%q) = %q, and cleaned again %q", s, line, again)
		}
	})
}

func FuzzPrinter(f *testing.F) {
	f.Add("The printer is on fire", "短い件名", uint8(40))
	f.Add("\x7f\u009b\u202e\U000e0041 \"quoted\" <b>", "\x00\n\t", uint8(80))
	f.Fuzz(func(t *testing.T, a, b string, width uint8) {
		cols := []Column{{Name: "a", Head: "A"}, {Name: "b", Head: "B"}}
		row := []any{strings.ToValidUTF8(a, "?"), strings.ToValidUTF8(b, "?")}

		p, out, _ := printer(JSON, 0)
		if err := p.Object(cols, row); err != nil {
			t.Fatal(err)
		}
		var back map[string]any
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back["a"] != row[0] || back["b"] != row[1] {
			t.Errorf("%q became %s, which reads back as %q, %v", row, out, back, err)
		}

		p, out, _ = printer(Table, max(int(width), 2*leastCut+gap))
		if err := p.List(cols, [][]any{row}, ""); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != 2 {
			t.Errorf("%q became %d lines: %q", row, len(lines), lines)
		}
		for _, line := range lines {
			if twwidth.Width(line) > p.Width {
				t.Errorf("%q is %d wide, want at most %d", line, twwidth.Width(line), p.Width)
			}
		}
	})
}

func TestWrap(t *testing.T) {
	got := Wrap("The printer\x1b[2J is on fire\n  and so is abcdefghijklmnopqrstuvwxyz", 12)
	want := []string{"The", "printer[2J", "is on fire", "  and so is", "abcdefghijkl", "mnopqrstuvwx", "yz"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
