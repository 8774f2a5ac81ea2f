package helpdesk

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// bulkAsk is from how many tickets on an act asks before it does anything.
const bulkAsk = 11

// bulkPage asks whether several tickets are to be changed, or says which
// could not be.
type bulkPage struct {
	*view
	Act     app.BulkAct
	Back    templ.SafeURL
	Heading string
	Fields  [][2]string // what was chosen, to be sent again
	Result  *app.BulkResult
	Failed  []bulkFailure
}

type bulkFailure struct {
	Number string
	URL    templ.SafeURL
	Why    string
}

func (s *Server) bulk(w http.ResponseWriter, r *http.Request) error {
	f, err := page.ReadForm(r, s.tempDir)
	defer f.Close()
	if err != nil {
		return err
	}
	visit := visitFrom(r)
	back := page.ReturnPath(visit.Portal.BasePath()+"/tickets", f.Value("return_to"))
	if back == "" {
		back = visit.Portal.BasePath() + "/tickets"
	}
	c, err := bulkChange(f, s.now(), page.ZoneOf(visit))
	if err != nil {
		return err
	}
	if len(c.Tickets) == 0 {
		page.SetFlash(w, r, "bulk_none")
		return page.Redirect(w, r, back)
	}
	if len(c.Tickets) >= bulkAsk && f.Value("sure") == "" {
		return s.bulkConfirm(w, r, f, c, back)
	}
	result, err := s.app.BulkTickets(r.Context(), visit, c)
	if err != nil {
		return err
	}
	if len(result.Failed) == 0 {
		page.SetFlash(w, r, "bulk_done."+strconv.Itoa(result.Changed))
		return page.Redirect(w, r, back)
	}
	return s.bulkFailed(w, r, c, result, back)
}

// bulkChange reads what is to be done.
func bulkChange(f *page.Form, now time.Time, zone *time.Location) (app.BulkChange, error) {
	c := app.BulkChange{Act: app.BulkAct(f.Value("act")), Priority: portal.Priority(f.Value("priority")), Tags: f.Value("tags")}
	for _, text := range f.Values["ticket"] {
		if n, err := portal.ParseTicketNumber(text); err == nil && !slices.Contains(c.Tickets, n) {
			c.Tickets = append(c.Tickets, n)
		}
	}
	if c.Act == app.BulkAssign {
		id, err := strconv.ParseInt(f.Value("assignee"), 10, 64)
		if err != nil || id < 0 {
			return c, portal.Invalidf("desk.bulk_assignee", "assignee", "nobody was chosen to assign to")
		}
		c.Assignee = portal.AgentID(id)
	}
	if c.Act == app.BulkSnooze {
		if c.Until = snoozeUntil(f.Value("until"), now.In(zone)); c.Until.IsZero() {
			return c, portal.Invalidf("desk.bulk_until", "until", "%q is no time to snooze until", f.Value("until"))
		}
	}
	return c, nil
}

// snoozes are the times a ticket can be put off to from the list.
var snoozes = []string{"hours", "tomorrow", "monday", "week"}

// snoozeHour is when the day of a ticket that was put off begins.
const snoozeHour = 8

// snoozeUntil is one of snoozes, seen from now; zero for what is none of them.
func snoozeUntil(choice string, now time.Time) time.Time {
	day := func(days int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, snoozeHour, 0, 0, 0, now.Location())
	}
	switch choice {
	case "hours":
		return now.Add(3 * time.Hour).Truncate(time.Minute)
	case "tomorrow":
		return day(1)
	case "monday":
		return day((int(time.Monday-now.Weekday())+6)%7 + 1)
	case "week":
		return day(7)
	}
	return time.Time{}
}

func (s *Server) bulkConfirm(w http.ResponseWriter, r *http.Request, f *page.Form, c app.BulkChange, back string) error {
	v, err := s.view(w, r, "")
	if err != nil {
		return err
	}
	p := bulkPage{view: v, Act: c.Act, Back: templ.SafeURL(back), Fields: [][2]string{{"act", string(c.Act)}, {"return_to", back}, {"sure", "yes"}}}
	for _, name := range []string{"assignee", "priority", "tags", "until"} {
		p.Fields = append(p.Fields, [2]string{name, f.Value(name)})
	}
	for _, n := range c.Tickets {
		p.Fields = append(p.Fields, [2]string{"ticket", n.String()})
	}
	p.Heading = v.N("bulk.sure", len(c.Tickets))
	v.Title = p.Heading
	return page.Render(w, r, http.StatusOK, bulkConfirmView(p))
}

func (s *Server) bulkFailed(w http.ResponseWriter, r *http.Request, c app.BulkChange, result *app.BulkResult, back string) error {
	v, err := s.view(w, r, "bulk.failed_title")
	if err != nil {
		return err
	}
	p := bulkPage{view: v, Act: c.Act, Back: templ.SafeURL(back), Heading: v.Title, Result: result}
	for _, one := range result.Failed {
		p.Failed = append(p.Failed, bulkFailure{
			one.Ticket.String(), templ.SafeURL(v.Base + "/tickets/" + one.Ticket.String()), page.Words(v.Printer, one.Err),
		})
	}
	return page.Render(w, r, http.StatusConflict, bulkFailedView(p))
}

// bulkDone is the notice about tickets that were changed: "bulk_done.3".
func bulkDone(p *i18n.Printer, key string) string {
	count, ok := strings.CutPrefix(key, "bulk_done.")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || n < 0 || n > app.MaxBulk {
		return ""
	}
	return p.N("flash.bulk_done", n)
}

// bulkChoices are what the bar below a list offers.
type bulkChoices struct {
	Agents, Priorities, Snoozes []page.Option
}

func (v *view) bulkChoices() *bulkChoices {
	b := &bulkChoices{Agents: []page.Option{
		{Value: strconv.FormatInt(int64(v.Agent.ID), 10), Label: v.T("bulk.me")}, {Value: "0", Label: v.T("tickets.unassigned")},
	}}
	for _, a := range v.Frame.Agents {
		if a.ID != v.Agent.ID {
			b.Agents = append(b.Agents, page.Option{Value: strconv.FormatInt(int64(a.ID), 10), Label: a.Name})
		}
	}
	for _, one := range portal.Priorities {
		b.Priorities = append(b.Priorities, page.Option{Value: string(one), Label: v.T("priority." + string(one)), Chosen: one == portal.Normal})
	}
	for _, one := range snoozes {
		b.Snoozes = append(b.Snoozes, page.Option{Value: one, Label: v.T("bulk.until." + one)})
	}
	return b
}
