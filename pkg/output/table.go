package output

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

const (
	gap         = 2  // between columns
	leastCut    = 8  // no text is cut shorter
	comfortable = 24 // a spare column goes before others get narrower than this
	ellipsis    = "…"
)

// table prints rows under headings, within the width. First spare columns give
// way, then the widest texts are cut; only when nothing is left to give does a
// table get wider than it may.
func (p *Printer) table(columns []Column, rows [][]any) error {
	columns, cells, right := p.cells(columns, rows)
	columns, cells, right = dropSpare(columns, cells, right, p.width())
	widths := fit(columns, cells, right, p.width())

	header := make([]string, len(columns))
	align := make([]tw.Align, len(columns))
	for i, c := range columns {
		header[i] = cut(strings.ToUpper(c.Head), widths[i])
		align[i] = tw.AlignLeft
		if right[i] {
			align[i] = tw.AlignRight
		}
	}
	for _, row := range cells {
		for i := range row {
			row[i] = cut(row[i], widths[i])
		}
	}
	return p.render(header, align, cells)
}

// sheet prints one thing, a line for each column, long texts wrapped beside
// their heading.
func (p *Printer) sheet(columns []Column, row []any) error {
	var b strings.Builder
	indent := 0
	for _, c := range columns {
		indent = max(indent, twwidth.Width(c.Head)+1+gap)
	}
	room := max(p.width()-indent, 20)
	for i, c := range columns {
		if c.Head == "" {
			continue
		}
		value := CleanText(p.tableText(row[i]))
		if strings.TrimSpace(value) == "" {
			value = "-"
		}
		b.WriteString(c.Head + ":" + strings.Repeat(" ", indent-twwidth.Width(c.Head)-1))
		lines := strings.Split(value, "\n")
		if !c.Keep {
			lines = wrap(value, room)
		}
		b.WriteString(strings.Join(lines, "\n"+strings.Repeat(" ", indent)) + "\n")
	}
	_, err := p.Out.Write(trimLines([]byte(b.String())))
	return err
}

func (p *Printer) width() int {
	if p.Width <= 0 {
		return DefaultWidth
	}
	return p.Width
}

// cells turns values into harmless text, leaves out columns that tables do not
// show, and says which columns hold only numbers and stand to the right.
func (p *Printer) cells(columns []Column, rows [][]any) (shown []Column, cells [][]string, right []bool) {
	cells = make([][]string, len(rows))
	for i, c := range columns {
		if c.Head == "" {
			continue
		}
		shown = append(shown, c)
		numbers := true
		for r, row := range rows {
			cells[r] = append(cells[r], Clean(p.tableText(row[i])))
			numbers = numbers && (isNumber(row[i]) || row[i] == nil)
		}
		right = append(right, numbers)
	}
	return shown, cells, right
}

// dropSpare leaves out spare columns, the last first, while the rest would not
// be comfortable to read.
func dropSpare(columns []Column, cells [][]string, right []bool, width int) ([]Column, [][]string, []bool) {
	for {
		widths, least := measure(columns, cells, right, comfortable)
		if total(least) <= width || total(widths) <= width {
			return columns, cells, right
		}
		at := -1
		for i, c := range columns {
			if c.Spare {
				at = i
			}
		}
		if at < 0 {
			return columns, cells, right
		}
		columns = slices.Delete(slices.Clone(columns), at, at+1)
		right = slices.Delete(slices.Clone(right), at, at+1)
		for r := range cells {
			cells[r] = slices.Delete(cells[r], at, at+1)
		}
	}
}

// fit takes from the widest text, one cell at a time, until the table fits or
// nothing more can be taken.
func fit(columns []Column, cells [][]string, right []bool, width int) []int {
	widths, least := measure(columns, cells, right, leastCut)
	for total(widths) > width {
		widest := -1
		for i := range widths {
			if widths[i] > least[i] && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return widths
}

// measure returns how wide each column is and how narrow it may get.
func measure(columns []Column, cells [][]string, right []bool, cutTo int) (widths, least []int) {
	widths, least = make([]int, len(columns)), make([]int, len(columns))
	for i, c := range columns {
		widths[i] = twwidth.Width(c.Head)
		for _, row := range cells {
			widths[i] = max(widths[i], twwidth.Width(row[i]))
		}
		least[i] = widths[i]
		if !c.Keep && !right[i] {
			least[i] = min(widths[i], max(cutTo, twwidth.Width(c.Head)))
		}
	}
	return widths, least
}

func total(widths []int) int {
	sum := gap * max(len(widths)-1, 0)
	for _, w := range widths {
		sum += w
	}
	return sum
}

func (p *Printer) render(header []string, align []tw.Align, cells [][]string) error {
	var b bytes.Buffer
	// Everything is cut and cleaned already: tablewriter only has to align.
	cell := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoWrap: tw.WrapNone, AutoFormat: tw.Off},
		Alignment:  tw.CellAlignment{Global: tw.AlignLeft, PerColumn: align},
		Padding:    tw.CellPadding{Global: tw.Padding{Left: tw.Empty, Right: strings.Repeat(" ", gap), Overwrite: true}},
	}
	t := tablewriter.NewTable(&b,
		tablewriter.WithConfig(tablewriter.Config{Header: cell, Row: cell}),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Settings: tw.Settings{
				Separators: tw.SeparatorsNone,
				Lines:      tw.LinesNone,
			},
		})))
	t.Header(header)
	for _, row := range cells {
		if err := t.Append(row); err != nil {
			return fmt.Errorf("add a row to the table: %w", err)
		}
	}
	if err := t.Render(); err != nil {
		return fmt.Errorf("draw the table: %w", err)
	}
	_, err := p.Out.Write(trimLines(b.Bytes()))
	return err
}

// cut shortens a text to a width and marks that it did.
func cut(s string, width int) string {
	if twwidth.Width(s) <= width {
		return s
	}
	return twwidth.Truncate(s, width, ellipsis)
}

// wrap breaks a text at spaces, and words that are longer than a line anywhere.
// Indentation at the start of a line is kept, spaces at a break are not.
func wrap(s string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(strings.ReplaceAll(s, "\t", "    "), "\n") {
		line := ""
		for word := range strings.SplitAfterSeq(paragraph, " ") {
			if line != "" && twwidth.Width(line)+twwidth.Width(strings.TrimRight(word, " ")) > width {
				lines = append(lines, line)
				line = ""
			}
			pieces := split(line+word, width)
			lines = append(lines, pieces[:len(pieces)-1]...)
			line = pieces[len(pieces)-1]
		}
		lines = append(lines, line)
	}
	return lines
}

// split breaks a line without spaces, such as a long link, at the width. The
// pieces joined are the line again, so that it can still be copied.
func split(line string, width int) []string {
	var lines []string
	for twwidth.Width(strings.TrimRight(line, " ")) > width {
		at, used := 0, 0
		for i, r := range line {
			w := twwidth.Width(string(r))
			if used+w > width {
				at = i
				break
			}
			used += w
		}
		if at == 0 {
			break
		}
		lines = append(lines, line[:at])
		line = line[at:]
	}
	return append(lines, line)
}

// trimLines drops the space that aligning leaves at line ends.
func trimLines(b []byte) []byte {
	lines := bytes.Split(b, []byte("\n"))
	for i, line := range lines {
		lines[i] = bytes.TrimRight(line, " ")
	}
	return bytes.Join(lines, []byte("\n"))
}
