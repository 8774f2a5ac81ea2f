package incoming

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// reply is a case of testdata/split: a text, and what of it stays visible.
type reply struct {
	name                  string
	text, visible, quoted string
}

// replies reads the cases of a file. Each begins with "=== name"; a line that
// stays visible begins with +, one that is folded away with -, and the rest of
// the line is the mail's. A full stop stands for an empty line.
func replies(t testing.TB, file string) []reply {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []reply
	var text, visible, quoted []string
	end := func() {
		if len(cases) > 0 {
			c := &cases[len(cases)-1]
			c.text, c.visible, c.quoted = strings.Join(text, "\n"), strings.Join(visible, "\n"), strings.Join(quoted, "\n")
		}
		text, visible, quoted = nil, nil, nil
	}
	for i, line := range strings.Split(strings.TrimRight(string(raw), "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "=== "):
			end()
			cases = append(cases, reply{name: line[4:]})
		case line == ".":
			text = append(text, "")
		case strings.HasPrefix(line, "+"):
			text, visible = append(text, line[1:]), append(visible, line[1:])
		case strings.HasPrefix(line, "-"):
			text, quoted = append(text, line[1:]), append(quoted, line[1:])
		default:
			t.Fatalf("%s:%d: %q begins with none of + - . ===", file, i+1, line)
		}
	}
	end()
	return cases
}

func replyFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/split/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no replies: %v", err)
	}
	return files
}

// filled returns the lines of a text that are not empty, without space at
// their ends.
func filled(text string) []string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestSplitReplies(t *testing.T) {
	total := 0
	for _, file := range replyFiles(t) {
		names := map[string]bool{}
		for _, r := range replies(t, file) {
			total++
			if names[r.name] {
				t.Errorf("%s: two cases %q", file, r.name)
			}
			names[r.name] = true
			t.Run(filepath.Base(file)+"/"+r.name, func(t *testing.T) {
				visible, quoted := split(r.text)
				if !slices.Equal(filled(visible), filled(r.visible)) || !slices.Equal(filled(quoted), filled(r.quoted)) {
					t.Errorf("of\n%s\nvisible is\n%s\n---- and quoted\n%s\n---- wanted visible\n%s\n---- and quoted\n%s",
						r.text, visible, quoted, r.visible, r.quoted)
				}
				// Mail over the wire has the other line ends.
				crlf, rest := split(strings.ReplaceAll(r.text, "\n", "\r\n"))
				if !slices.Equal(filled(crlf), filled(visible)) || !slices.Equal(filled(rest), filled(quoted)) {
					t.Errorf("with carriage returns, visible is\n%s", crlf)
				}
			})
		}
	}
	if total < 120 {
		t.Errorf("%d replies; the corpus lost some", total)
	}
}

// TestSplitLooksAtALineOnce counts the bytes looked at, since a clock would
// only count on a quiet machine.
func TestSplitLooksAtALineOnce(t *testing.T) {
	for name, unit := range map[string]string{
		"colons":    "12:14 2026 a@b.example c:\n",
		"wrote":     "On 3 May 2026, at 10:14 Ana wrote\n",
		"quotes":    "> a\nb\n",
		"labels":    "From: a\n",
		"dividers":  "--- a ---\n",
		"rules":     "__________\n",
		"blanks":    "\n",
		"hyphens":   "--\n",
		"markers":   "##-\n",
		"one line":  "On 3 May 2026 Ana wrote: ",
		"footers":   "Sent from my iPhone\n",
		"wide":      "在 2026年\n",
		"intros":    "On 3 May 2026, at 10:14\n> a\nAna wrote:\n> b\n",
		"signature": "--\n> a\n",
	} {
		t.Run(name, func(t *testing.T) {
			cost := func(size int) int {
				l := newLetter(strings.Repeat(unit, size/len(unit)))
				l.findQuotes()
				l.findSignatures(l.findCut())
				return l.looked
			}
			for _, size := range []int{10 << 10, 200 << 10} {
				if got := cost(size); got > 20*size+100_000 {
					t.Errorf("%d bytes of %q: looked at %d", size, unit, got)
				}
			}
		})
	}
}

// What is behind the bound goes where the last line went that was looked at.
func TestSplitBounds(t *testing.T) {
	answer := strings.Repeat("and so on\n", mostLines+10) + "the end"
	if visible, quoted := split(answer); quoted != "" || !strings.HasSuffix(visible, "the end") {
		t.Errorf("a long answer lost %d bytes to the quotation", len(quoted))
	}
	visible, quoted := split("Thanks\n\n" + strings.Repeat("> more\n", mostLines+10) + "> the end")
	if visible != "Thanks" || !strings.HasSuffix(quoted, "> the end") {
		t.Errorf("a long quotation left %d bytes visible", len(visible))
	}
}

func FuzzSplit(f *testing.F) {
	for _, file := range replyFiles(f) {
		for _, r := range replies(f, file) {
			f.Add(r.text)
		}
	}
	f.Add("--\n--\n> a\n--")
	f.Add(">\n\n>\na:\n>")
	f.Fuzz(func(t *testing.T, text string) {
		visible, quoted := split(text)
		if v, q := split(text); v != visible || q != quoted {
			t.Fatalf("%q comes out in two ways", text)
		}
		all := filled(text)
		if len(all) > 0 && len(filled(visible)) == 0 {
			t.Fatalf("%q: nothing is visible", text)
		}
		if problem := lost(all, filled(visible), filled(quoted)); problem != "" {
			t.Fatalf("%q\nvisible %q\nquoted %q\n%s", text, visible, quoted, problem)
		}
		l := newLetter(text)
		l.findQuotes()
		l.findSignatures(l.findCut())
		if l.looked > 20*len(text)+100_000 {
			t.Fatalf("%d bytes: looked at %d", len(text), l.looked)
		}
	})
}

// lost checks that every line is on one side, in its order: what is visible
// stands together, and quoted is what is above and below it.
func lost(all, visible, quoted []string) string {
	if len(all) != len(visible)+len(quoted) {
		return fmt.Sprintf("%d lines became %d", len(all), len(visible)+len(quoted))
	}
	// How far quoted agrees with the text from above, and from below.
	head, tail := 0, 0
	for head < len(quoted) && all[head] == quoted[head] {
		head++
	}
	for tail < len(quoted) && all[len(all)-1-tail] == quoted[len(quoted)-1-tail] {
		tail++
	}
	// Several places fit only where lines repeat; a few of them will do.
	from := max(0, len(quoted)-tail)
	for above := from; above <= min(head, from+500); above++ {
		if slices.Equal(all[above:above+len(visible)], visible) {
			return ""
		}
	}
	if head-from > 500 {
		return ""
	}
	return "lines changed their order"
}

func BenchmarkSplit(b *testing.B) {
	var mail strings.Builder
	mail.WriteString("Thanks, that did it.\n\nOn Sunday, 3 May 2026 at 10:14, Ana Berg <ana@desk.example> wrote:\n")
	for mail.Len() < 1<<20 {
		mail.WriteString("> have you tried this:\n> turning it off, and on 3 May 2026 at 10:14 on again?\nyes:\n")
	}
	text := mail.String()
	for _, size := range []int{10 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				split(text[:size])
			}
		})
	}
}
