package cli

import (
	"encoding/base64"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/mail"
	"github.com/portalctl/portalctl/pkg/portal"
)

const demoAccent = portal.DefaultAccent

// mailPath is where the demo's mail is read. It exists only there.
const mailPath = "/-/mail"

// mailReader shows what a Recorder kept, under the demo's own address only: a
// page of somebody else's whose name is made to point here reads nothing.
func mailReader(box *mail.Recorder, host string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+mailPath, func(w http.ResponseWriter, r *http.Request) {
		render(w, r, mailList(box.Messages()))
	})
	mux.HandleFunc("GET "+mailPath+"/{number}", func(w http.ResponseWriter, r *http.Request) {
		if m, n := pick(box, r); m != nil {
			render(w, r, mailShow(m, n, linksIn(m.Text)))
			return
		}
		http.NotFound(w, r)
	})
	mux.HandleFunc("GET "+mailPath+"/{number}/html", func(w http.ResponseWriter, r *http.Request) {
		m, _ := pick(box, r)
		if m == nil {
			http.NotFound(w, r)
			return
		}
		// Mail is styled in its lines, as mail programs want it, and may do
		// nothing else.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox allow-top-navigation-by-user-activation allow-popups")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		page := m.HTML
		if m.LogoID != "" {
			// Where the mail's parts do not come along, the logo stands in the page.
			page = strings.ReplaceAll(page, "cid:"+html.EscapeString(m.LogoID), "data:image/png;base64,"+base64.StdEncoding.EncodeToString(m.Logo))
		}
		_, _ = w.Write([]byte(page))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != host {
			http.Error(w, "not served here", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func render(w http.ResponseWriter, r *http.Request, c templ.Component) {
	w.Header().Set("Cache-Control", "no-store")
	templ.Handler(c).ServeHTTP(w, r)
}

// pick finds the mail a path names; numbers count from 1, oldest first.
func pick(box *mail.Recorder, r *http.Request) (*mail.Message, int) {
	n, err := strconv.Atoi(r.PathValue("number"))
	all := box.Messages()
	if err != nil || n < 1 || n > len(all) {
		return nil, 0
	}
	return all[n-1], n
}

var linkPattern = regexp.MustCompile(`https?://[^\s<>"]+`)

// linksIn finds the links of a mail's text, each once.
func linksIn(text string) []string {
	var links []string
	seen := map[string]bool{}
	for _, l := range linkPattern.FindAllString(text, -1) {
		l = strings.TrimRight(l, ".,;:)")
		if !seen[l] {
			seen[l] = true
			links = append(links, l)
		}
	}
	return links
}
