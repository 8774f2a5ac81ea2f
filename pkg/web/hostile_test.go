package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/web/page"
	"golang.org/x/net/html"
)

// hostile is markup, an attribute's end, a script address, and an override of
// the writing direction, with a mark to find it by.
const hostile = `"'><script>zap(1)</script><img src=x onerror=zap(2)><a href="javascript:zap(3)">x</a> \u202ezap`

func TestMarkupIsHarmlessEverywhere(t *testing.T) {
	w := newWorld(t, nil)
	line := strings.ReplaceAll(hostile, `\u202e`, "")
	body := strings.ReplaceAll(hostile, `\u202e`, "\u202e")
	fields := []portal.TicketField{{Key: "category", Type: portal.FieldChoice, Label: line, Options: []string{line}}, {Key: "extra", Label: line, Type: portal.FieldText}}
	w.portal.Name, w.portal.Tickets.LabelOne, w.portal.Tickets.LabelMany, w.portal.Tickets.Fields = line, line, line, fields
	w.portal.Tickets.Columns = portal.TicketColumns
	w.portal.Tickets.Permissions = portal.PermitCompany
	w.savePortal()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		w.ana.Name, w.agent.Name, w.acme.Name = line, line, line
		if err := tx.SaveContact(ctx, w.ana); err != nil {
			return err
		}
		if err := tx.SaveCompany(ctx, w.acme); err != nil {
			return err
		}
		return tx.SaveAgent(ctx, w.agent)
	})
	ana, agent := w.browser(w.signIn(w.ana)), w.browser(w.signInAgent())
	n := w.open(w.ana, app.NewTicket{
		Subject: line, Body: body, Fields: map[string]string{"category": line, "extra": line},
		Files: []app.Upload{{Name: line + ".txt", Content: strings.NewReader("x")}},
	})
	ticket := "/help/tickets/" + n.String()
	for _, format := range []string{"note", "public"} {
		if got := agent.post(ticket+"/replies", "body", body, "how", format); got.StatusCode != http.StatusSeeOther {
			t.Fatalf("the agent's %s: %d", format, got.StatusCode)
		}
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		view, err := tx.TicketFor(ctx, &portal.Viewer{Agent: w.agent.ID}, n)
		if err != nil {
			return err
		}
		return tx.AddMessage(ctx, view, &portal.Message{Ticket: n, Kind: portal.Public, Contact: w.ana.ID, Body: body, Format: portal.HTML, At: tx.Now})
	})
	ana.post(ticket+"/draft", "body", body)

	pages := map[string]answer{
		"list": ana.get("/help/tickets?view=company&status=all"), "agent's list": agent.get("/help/tickets?q=" + strings.ReplaceAll("%22%3E%3Cscript%3Ezap(1)%3C/script%3E", " ", "+")),
		"ticket": ana.get(ticket), "agent's ticket": agent.get(ticket), "print": ana.get(ticket + "?print"), "account": ana.get("/help/account"),
		"new": ana.get("/help/tickets/new?follows=%22%3E%3Cscript%3Ezap"), "sign-in": w.browser("").get("/help/sign-in?return_to=/help/%22%3E%3Cscript%3Ezap(1)%3C/script%3E"),
		"refused new":    ana.send("/help/tickets/new", nil, "subject", line, "participants", line, "field_extra", line, "follows", line),
		"refused reply":  ana.send(ticket+"/replies", []upload{{line, zeros(portal.MaxFileSize + 1)}}, "body", body),
		"refused person": ana.post(ticket+"/participants", "participant", line), "refused account": ana.post("/help/account/profile", "name", strings.Repeat(line, 9), "language", line, "time_zone", line),
		"refused sign-in": w.browser("").post("/help/sign-in", "email", line, "password", line, "return_to", line), "error": ana.get("/help/%3Cscript%3Ezap(1)%3C/script%3E"),
	}
	for name, page := range pages {
		if page.StatusCode >= 500 {
			t.Errorf("%s answers %d:\n%s", name, page.StatusCode, w.log)
		}
		if !strings.Contains(page.body, "zap") && name != "account" && name != "error" && name != "new" {
			t.Errorf("%s does not show what was typed; the test looks at nothing", name)
		}
		for _, bad := range poison(page.dom(t)) {
			t.Errorf("%s: %s", name, bad)
		}
	}
	csv := ana.get("/help/tickets.csv?view=company&status=all")
	if csv.Header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(csv.body, "zap") {
		t.Errorf("the CSV is %s", csv.Header.Get("Content-Type"))
	}
}

// poison lists what a page must not hold: scripts that are not ours, handlers,
// script addresses, overrides of the writing direction.
func poison(doc *html.Node) []string {
	var bad []string
	for n := range doc.Descendants() {
		switch n.Type {
		case html.TextNode:
			if strings.ContainsFunc(n.Data, func(r rune) bool { return r == 0x202e || unicode.Is(unicode.Cc, r) && r != '\n' && r != '\t' }) && n.Parent.Data != "textarea" {
				bad = append(bad, fmt.Sprintf("a control character in %q", n.Data))
			}
		case html.ElementNode:
			if n.Data == "script" && !strings.HasPrefix(attr(n, "src"), "/-/assets/") {
				bad = append(bad, "a script: "+textOf(n))
			}
			for _, a := range n.Attr {
				value := strings.ToLower(strings.TrimSpace(a.Val))
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(value, "javascript:") {
					bad = append(bad, fmt.Sprintf("<%s %s=%q>", n.Data, a.Key, a.Val))
				}
			}
			if n.Data == "img" && !strings.HasPrefix(attr(n, "src"), "/help/files/") {
				bad = append(bad, "a picture from "+attr(n, "src"))
			}
		}
	}
	return bad
}

func TestCSVCellsAreNoFormulas(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+46": "'+46", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "|cmd": "'|cmd", "＝1": "'＝1",
		"T-1001": "T-1001", "": "", "a=b": "a=b",
	} {
		if got := page.CSVCell(in); got != want {
			t.Errorf("page.CSVCell(%q) is %q, wanted %q", in, got, want)
		}
	}
}
