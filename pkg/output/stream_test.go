package output

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestStreamPrintsWhatListPrints(t *testing.T) {
	columns := []Column{{Name: "email", Head: "E-mail", Keep: true}, {Name: "marks", Head: "Marks"}, {Name: "at"}, {Name: "n", Head: "N"}}
	for _, format := range []string{JSON, CSV, Table} {
		for _, n := range []int{0, 1, 3, streamBlock, 2*streamBlock + 7} {
			if format == Table && n > streamBlock {
				continue // headings are repeated; see below
			}
			var rows [][]any
			for i := range n {
				rows = append(rows, []any{fmt.Sprintf("=a%d@example.com", i), []string{"x", "\x1b[31m"}, time.Unix(int64(i), 0), i})
			}
			var listed, streamed, noteList, noteStream bytes.Buffer
			if err := (&Printer{Out: &listed, Note: &noteList, Format: format}).List(columns, rows, "nobody"); err != nil {
				t.Fatal(err)
			}
			s := (&Printer{Out: &streamed, Note: &noteStream, Format: format}).Stream(columns)
			for _, row := range rows {
				if err := s.Row(row...); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close("nobody"); err != nil {
				t.Fatal(err)
			}
			if listed.String() != streamed.String() || noteList.String() != noteStream.String() || s.Count() != n {
				t.Errorf("%s, %d rows: streamed\n%.300s\nlisted\n%.300s", format, n, &streamed, &listed)
			}
		}
	}
}

func TestALongStreamedTableRepeatsItsHeadings(t *testing.T) {
	var out bytes.Buffer
	s := (&Printer{Out: &out}).Stream([]Column{{Name: "n", Head: "Number"}})
	for i := range 2*streamBlock + 1 {
		if err := s.Row(i); err != nil {
			t.Fatal(err)
		}
		if held := len(s.held); held > streamBlock {
			t.Fatalf("%d rows are held back, want at most %d", held, streamBlock)
		}
	}
	if err := s.Close(""); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), "NUMBER"); got != 3 {
		t.Errorf("%d headings, want 3", got)
	}
	if err := s.Row(1, 2); err == nil {
		t.Error("a row with too many values is taken")
	}
}
