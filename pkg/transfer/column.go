package transfer

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/portalctl/portalctl/pkg/portal"
)

// kind is what a file holds: how its columns are called, by us and elsewhere.
type kind struct {
	plural  string
	sample  []string
	columns []string          // ours, in the order exports write them
	aliases map[string]string // a foreign name, as a property key, to ours or to one that only reading knows
	prefix  string            // of columns that hold one custom property each
	// required are columns of which one must be there.
	required []string
	// reserved are keys that custom properties may not have, because rules and
	// commands read a field of our own by them.
	reserved []string
	// foreign tells files of other kinds by their columns, for a hint.
	foreign map[string]string
}

// layout is what the columns of one file mean.
type layout struct {
	kind   *kind
	header []string
	known  map[string]int
	extra  []extraColumn
	own    bool // ours, with escaped cells
}

// extraColumn is a column that is kept as a custom property.
type extraColumn struct {
	index int
	key   string
}

// The columns of a rejects file beside the original ones.
const (
	lineColumn   = "line"
	reasonColumn = "reason"
)

// maxColumns is far above what HubSpot exports with all properties.
const maxColumns = 5000

func (k *kind) layout(header []string, notes *Notes) (layout, error) {
	if len(header) > maxColumns {
		return layout{}, portal.Invalidf("import.header", "file", "the file has %d columns; at most %d are read", len(header), maxColumns)
	}
	l := layout{kind: k, known: map[string]int{}, own: true}
	for _, name := range header {
		l.header = append(l.header, norm.NFC.String(strings.TrimSpace(name)))
	}
	rejects := isRejects(l.header)
	for i, name := range l.header {
		if rejects {
			name = Unescape(name)
			l.header[i] = name
		}
		if name == "" || rejects && i >= len(l.header)-2 {
			continue
		}
		if slices.Contains(k.columns, name) {
			l.add(name, i, notes)
			continue
		}
		if key, ok := strings.CutPrefix(name, k.prefix); ok {
			l.addExtra(key, i, notes)
			continue
		}
		l.own = false
		key := portal.PropertyKey(name)
		switch {
		case slices.Contains(k.columns, key):
			l.add(key, i, notes)
		case k.aliases[key] != "":
			l.add(k.aliases[key], i, notes)
		case strings.HasPrefix(key, "associated_"), strings.HasPrefix(key, "all_associated_"):
			// Links to deals, notes and the like: lists of things that are
			// not here.
		default:
			l.addExtra(key, i, notes)
		}
	}
	// What a spreadsheet would run is escaped in our exports, and in the
	// rejects of any file.
	l.own = l.own || rejects
	return l, l.complete()
}

func (l *layout) add(name string, i int, notes *Notes) {
	if first, twice := l.known[name]; twice {
		notes.Add(fmt.Sprintf("the columns %q and %q mean the same; the first is used", l.header[first], l.header[i]))
		return
	}
	l.known[name] = i
}

// maxKey is the longest key of a custom property, in characters. HubSpot's
// labels are longer at times.
const maxKey = 60

func (l *layout) addExtra(key string, i int, notes *Notes) {
	key = portal.PropertyKey(visible(key))
	if runes := []rune(key); len(runes) > maxKey {
		key = portal.PropertyKey(string(runes[:maxKey]))
	}
	if key == "" {
		return
	}
	if slices.Contains(l.kind.reserved, key) {
		notes.Add(fmt.Sprintf("the column %q was left out: there is a field of that name, which it does not fill", l.header[i]))
		return
	}
	if j := slices.IndexFunc(l.extra, func(e extraColumn) bool { return e.key == key }); j >= 0 {
		notes.Add(fmt.Sprintf("the columns %q and %q mean the same; the first is used", l.header[l.extra[j].index], l.header[i]))
		return
	}
	l.extra = append(l.extra, extraColumn{i, key})
}

func (l *layout) complete() error {
	for _, name := range l.kind.required {
		if l.has(name) {
			return nil
		}
	}
	found := strings.Join(l.header, ", ")
	if len(found) > 200 {
		found = strings.ToValidUTF8(found[:200], "") + " …"
	}
	err := portal.Invalidf("import.columns", "file", "no column of the file is called %q; it has: %s", l.kind.required[0], found)
	for _, e := range l.extra {
		if other := l.kind.foreign[e.key]; other != "" {
			return err.WithHint("this looks like %s; use `%s import`", other, other)
		}
	}
	return err.WithHint("the first line names the columns, such as %s", strings.Join(l.kind.sample, ","))
}

func (l *layout) has(name string) bool {
	_, ok := l.known[name]
	return ok
}

// keeps reports whether a custom property with the key has a column.
func (l *layout) keeps(key string) bool {
	return slices.ContainsFunc(l.extra, func(e extraColumn) bool { return e.key == key })
}

// fit checks a row's number of cells; empty ones at the end may be too many.
func (l *layout) fit(cells []string) ([]string, string) {
	n := len(l.header)
	if len(cells) > n && blank(cells[n:]) {
		cells = cells[:n]
	}
	if len(cells) != n {
		return cells, fmt.Sprintf("the row has %s, the first line has %d", plural(len(cells), "cell"), n)
	}
	return cells, ""
}

// cell returns a row's cell in a known column, or empty text.
func (l *layout) cell(row Row, name string) string {
	i, ok := l.known[name]
	if !ok || i >= len(row.Cells) {
		return ""
	}
	return l.text(row.Cells[i])
}

// text undoes what exports do to a cell, and brings its characters to NFC.
func (l *layout) text(cell string) string {
	if l.own {
		cell = Unescape(cell)
	}
	return norm.NFC.String(cell)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
