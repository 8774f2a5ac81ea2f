package helpdesk

import (
	"strconv"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

func (v *view) queueURL(q portal.Queue) templ.SafeURL {
	return templ.SafeURL(v.Base + "/tickets?queue=" + string(q))
}

func (v *view) inboxURL(id portal.InboxID) templ.SafeURL {
	return templ.SafeURL(v.Base + "/tickets?inbox=" + strconv.FormatInt(int64(id), 10))
}

func (v *view) viewURL(id int64) templ.SafeURL {
	return templ.SafeURL(v.Base + "/tickets?view=" + strconv.FormatInt(id, 10))
}

// The names of the navigation's entries, by which a page says which of them is
// its own and the script finds their counts.
func queueNav(q portal.Queue) string { return "queue:" + string(q) }

func inboxNav(id portal.InboxID) string         { return "inbox:" + strconv.FormatInt(int64(id), 10) }
func viewNav(id int64) string                   { return "view:" + strconv.FormatInt(id, 10) }
func (v *view) queueName(q portal.Queue) string { return v.T("queue." + string(q)) }

// countText is a count as the navigation says it: nothing for none.
func countText(p *i18n.Printer, c app.Count) string {
	switch {
	case c.N == 0:
		return ""
	case c.Capped:
		return p.Number(c.N) + "+"
	}
	return p.Number(c.N)
}

func (v *view) some(c app.Count) string { return countText(v.Printer, c) }

// countTexts are all counts of the navigation by the names of their entries.
func countTexts(visit *app.Visit, f *app.DeskFrame) map[string]string {
	p := page.PrinterOf(visit)
	texts := map[string]string{"held": countText(p, f.Held)}
	for _, q := range f.Queues {
		texts[queueNav(q.Queue)] = countText(p, q.Count)
	}
	for _, i := range f.Inboxes {
		texts[inboxNav(i.ID)] = countText(p, i.Count)
	}
	return texts
}

// queueIcon is the drawing of a queue.
func queueIcon(q portal.Queue) string {
	switch q {
	case portal.QueueMine:
		return "user"
	case portal.QueueUnassigned:
		return "inbox"
	case portal.QueueUs:
		return "message-circle"
	case portal.QueueCustomer:
		return "send"
	case portal.QueueSnoozed:
		return "clock"
	case portal.QueueClosed:
		return "circle-check"
	}
	return "ticket"
}

// shortcut is a key and what it does.
type shortcut struct{ Keys, Text string }

// shortcuts are those of the overlay, the list's and the ticket's.
func (v *view) shortcuts() []shortcut {
	var all []shortcut
	for _, k := range [...][2]string{
		{"j  k", "move"},
		{"Enter  o", "open"},
		{"x", "select"},
		{"r", "answer"},
		{"n", "note"},
		{"a", "assign"},
		{"c", "close_ticket"},
		{"/", "search"},
		{"g m", "mine"},
		{"g u", "unassigned"},
		{"g w", "us"},
		{"g a", "all"},
		{"g s", "snoozed"},
		{"g h", "held"},
		{"?", "help"},
		{"Esc", "escape"},
	} {
		all = append(all, shortcut{k[0], v.T("keys." + k[1])})
	}
	return all
}
