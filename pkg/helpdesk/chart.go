package helpdesk

import (
	"context"
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// chart is a picture of columns: for each label one column of each series. It
// is drawn on the server as SVG, in the colours of the page's style sheet; the
// table beside it says the same to who cannot see it.
type chart struct {
	ID     string // within the page
	Title  string
	Labels []string // under the columns
	Full   []string // of the same, in full, for the tips
	Series []series
	Top    float64 // the least value of the top line; 0: whatever the values need
	Words  func(float64) string
	// Mirrored has the oldest at the right, as languages written from there do.
	Mirrored bool
}

// series is one kind of column.
type series struct {
	Name   string
	Values []float64
}

// The drawing's measures, in its own units.
const (
	chartWidth  = 720
	chartHeight = 240
	chartLeft   = 64 // room for the words of the lines
	chartFoot   = 26
	chartHead   = 12
	chartLines  = 4
)

// x is where something of a width lies that begins at a distance from the side
// the reader begins at.
func (c chart) x(begin, width float64) float64 {
	if c.Mirrored {
		return chartWidth - begin - width
	}
	return begin
}

// Render draws the chart.
func (c chart) Render(_ context.Context, w io.Writer) error {
	top := c.top()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" viewBox="0 0 %d %d" role="img" aria-labelledby="%s">`, chartWidth, chartHeight, html.EscapeString(c.ID))
	fmt.Fprintf(&b, `<title id="%s">%s</title>`, html.EscapeString(c.ID), html.EscapeString(c.Title))
	bottom := float64(chartHeight - chartFoot)
	height := bottom - chartHead
	for i := range chartLines + 1 {
		value := top * float64(i) / chartLines
		y := bottom - height*float64(i)/chartLines
		fmt.Fprintf(&b, `<line class="chart-line" x1="%.0f" y1="%.1f" x2="%.0f" y2="%.1f"/>`, c.x(chartLeft, 0), y, c.x(chartWidth, 0), y)
		fmt.Fprintf(&b, `<text class="chart-words" x="%.0f" y="%.1f" text-anchor="end">%s</text>`, c.x(chartLeft-8, 0), y+4, html.EscapeString(c.Words(value)))
	}
	c.columns(&b, top, bottom, height)
	b.WriteString(`</svg>`)
	_, err := io.WriteString(w, b.String())
	return err
}

func (c chart) columns(b *strings.Builder, top, bottom, height float64) {
	if len(c.Labels) == 0 {
		return
	}
	slot := float64(chartWidth-chartLeft) / float64(len(c.Labels))
	wide := min(slot*0.7/float64(len(c.Series)), 36)
	every := int(math.Ceil(56 / slot)) // labels that have room
	for i, label := range c.Labels {
		middle := chartLeft + slot*(float64(i)+0.5)
		left := middle - wide*float64(len(c.Series))/2
		for n, s := range c.Series {
			tall := 0.0
			if top > 0 {
				tall = height * s.Values[i] / top
			}
			tip := c.Full[i] + ": " + s.Name + " " + c.Words(s.Values[i])
			fmt.Fprintf(b, `<rect class="chart-%c" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"><title>%s</title></rect>`,
				'a'+n, c.x(left+wide*float64(n), max(wide-1, 1)), bottom-tall, max(wide-1, 1), tall, html.EscapeString(tip))
		}
		if i%every == 0 {
			fmt.Fprintf(b, `<text class="chart-words" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, c.x(middle, 0), bottom+18, html.EscapeString(label))
		}
	}
}

// top is the value of the top line, which every column stays below; the lines
// under it are round and whole.
func (c chart) top() float64 {
	largest := c.Top
	for _, s := range c.Series {
		for _, v := range s.Values {
			largest = max(largest, v)
		}
	}
	if largest <= 0 {
		return chartLines
	}
	if c.Top > 0 && largest <= c.Top {
		return c.Top
	}
	size := math.Pow(10, math.Floor(math.Log10(largest/chartLines)))
	line := 10 * size
	for _, step := range []float64{1, 2, 5} {
		if largest <= chartLines*step*size {
			line = step * size
			break
		}
	}
	return chartLines * max(line, 1)
}

// share is the part of 100 that a value is of the largest one, for a bar in a
// table's row.
func share(value, largest float64) int {
	if largest <= 0 || value <= 0 {
		return 0
	}
	return max(int(math.Round(100*value/largest)), 1)
}
