package main

import (
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// document parses a page as a browser would.
func document(t *testing.T, page string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// hrefs are the links of a page that begin with a prefix, each once.
func hrefs(t *testing.T, page, prefix string) []string {
	t.Helper()
	var list []string
	seen := map[string]bool{}
	for n := range document(t, page).Descendants() {
		for _, a := range n.Attr {
			if a.Key == "href" && strings.HasPrefix(a.Val, prefix) && !seen[a.Val] {
				seen[a.Val] = true
				list = append(list, a.Val)
			}
		}
	}
	return list
}

// filledIn is what a browser sends when somebody agrees to a page's form and
// changes nothing else.
func filledIn(t *testing.T, page string) url.Values {
	t.Helper()
	values := url.Values{}
	for n := range document(t, page).Descendants() {
		if n.Type != html.ElementNode || n.Data != "input" || attribute(n, "name") == "" {
			continue
		}
		value := attribute(n, "value")
		if attribute(n, "type") == "checkbox" && value == "" {
			value = "on"
		}
		values.Set(attribute(n, "name"), value)
	}
	return values
}
