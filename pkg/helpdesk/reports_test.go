package helpdesk

import (
	"context"
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestReportsTellOfTheAgentsInboxesOnly(t *testing.T) {
	w := newWorld(t)
	if _, err := w.app.DeskClose(t.Context(), portal.ByAgent(w.ines.ID), w.invoice); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		who            *portal.Agent
		opened, closed string
	}{{w.ines, "2", "1"}, {w.omar, "1", "0"}} {
		got := w.browser(test.who).get("/helpdesk/reports.csv?by=inbox")
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(got.body, "\ufeff"))).ReadAll()
		if err != nil || got.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v\n%s", test.who.Name, got.StatusCode, err, got.body)
		}
		opened, closed := 0, 0
		for _, row := range rows[1:] {
			opened += int(row[1][0] - '0')
			closed += int(row[3][0] - '0')
		}
		if string(rune('0'+opened)) != test.opened || string(rune('0'+closed)) != test.closed {
			t.Errorf("%s reads of %d opened and %d closed, wanted %s and %s:\n%s", test.who.Name, opened, closed, test.opened, test.closed, got.body)
		}
		if page := w.browser(test.who).get("/helpdesk/reports").body; !strings.Contains(page, "<svg class=\"chart\"") {
			t.Errorf("%s sees no chart", test.who.Name)
		}
	}
	if page := w.browser(w.omar).get("/helpdesk/reports?by=inbox").body; strings.Contains(page, "Billing") {
		t.Error("an agent reads the name of an inbox that is not theirs")
	}
}

func TestReportsGiveBackDatesThatCannotBe(t *testing.T) {
	w := newWorld(t)
	ines := w.browser(w.ines)
	got := ines.get("/helpdesk/reports?from=2026-05-02&to=2026-05-01&by=agent")
	if got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, "The first day must lie before the last one.") || !strings.Contains(got.body, `value="2026-05-02"`) {
		t.Errorf("dates the wrong way round answer %d:\n%s", got.StatusCode, got.body)
	}
	if got := ines.get("/helpdesk/reports?by=moon"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("an unknown kind of report answers %d", got.StatusCode)
	}
	if got := ines.get("/helpdesk/reports?from=tomorrow&weeks=-3&inbox=x"); got.StatusCode != http.StatusOK {
		t.Errorf("an old bookmark answers %d", got.StatusCode)
	}
}

func TestChartsHaveRoundLinesAndHarmlessWords(t *testing.T) {
	for largest, want := range map[float64]float64{0: 4, 1: 4, 4: 4, 5: 8, 9: 20, 20: 20, 21: 40, 41: 80, 300: 400, 0.3: 4} {
		c := chart{Series: []series{{Values: []float64{largest}}}}
		if got := c.top(); got != want {
			t.Errorf("the top line over %g is %g, wanted %g", largest, got, want)
		}
	}
	var b strings.Builder
	evil := `"><script>alert(1)</script>`
	c := chart{ID: evil, Title: evil, Labels: []string{evil}, Full: []string{evil}, Series: []series{{evil, []float64{1}}}, Words: func(float64) string { return evil }}
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script") || strings.Contains(b.String(), `"">`) {
		t.Errorf("the drawing holds what was typed as it was typed:\n%s", b.String())
	}
}

func TestWeeksOfReportsBeginAsTheReadersDo(t *testing.T) {
	w := newWorld(t)
	ines := w.browser(w.ines)
	for accept, first := range map[string]time.Weekday{"en-US": time.Sunday, "en-GB": time.Monday, "sv-SE": time.Monday, "ar-EG": time.Saturday} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/helpdesk/reports.csv?weeks=2", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Language", accept)
		got := ines.do(r)
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(got.body, "\ufeff"))).ReadAll()
		if err != nil || len(rows) != 3 {
			t.Fatalf("%s: %v\n%s", accept, err, got.body)
		}
		for _, row := range rows[1:] {
			if day, err := time.Parse(time.DateOnly, row[0]); err != nil || day.Weekday() != first {
				t.Errorf("%s: a week begins on %s, wanted a %s", accept, row[0], first)
			}
		}
	}
}
