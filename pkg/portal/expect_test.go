package portal_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestParseExpectations(t *testing.T) {
	text := "\ufeff# who may what\r\n" +
		"Ana@Acme.example may sign in\r\n" +
		"\n" +
		"ana@acme.example\tMAY see t-1001 # her own\n" +
		"  bo#1@acme.example may not answer 1002 [portal Help #1]  # not his\n" +
		"eve@beta.example may  not  sign  in [ Portal  Nordic   Tools ]"
	want := []portal.Expectation{
		{Line: 2, Contact: "ana@acme.example", Act: portal.ActSignIn},
		{Line: 4, Contact: "ana@acme.example", Act: portal.ActSee, Ticket: 1001},
		{Line: 5, Contact: "bo#1@acme.example", Not: true, Act: portal.ActAnswer, Ticket: 1002, Portal: "Help #1"},
		{Line: 6, Contact: "eve@beta.example", Not: true, Act: portal.ActSignIn, Portal: "Nordic Tools"},
	}
	got, err := portal.ParseExpectations(text)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestParseExpectationsNamesEveryBadLine(t *testing.T) {
	lines := map[string]string{
		"ana may see T-1":                               `line 1: "ana" is not an e-mail address`,
		"a@b.example":                                   "may",
		"a@b.example may":                               "what a@b.example may do is missing",
		"a@b.example may not":                           "what a@b.example may do is missing",
		"a@b.example can see T-1":                       "may",
		"a@b.example may no see T-1":                    `"no see T-1" is nothing that can be expected`,
		"a@b.example may see":                           "which ticket a@b.example may see is missing",
		"a@b.example may see x7":                        `"x7" is not a ticket number`,
		"a@b.example may see T-1 T-2":                   `"T-2" is too much`,
		"a@b.example may sign in now":                   "nothing that can be expected",
		"a@b.example may see T-1 [help]":                "write it like [portal help]",
		"a@b.example may see T-1 [portal]":              "write it like [portal help]",
		"a@b.example may see T-1 [portal a":             "write it like [portal help]",
		"a@b.example may see T-1 [portal a] x":          "write it like [portal help]",
		"a@b.example may see T-1 [portal a] [portal b]": "write it like [portal help]",
		"[portal a]":                                    "nobody is named",
		"# only a comment":                              "no line says",
		"":                                              "no line says",
		"a@b.example may see \xff":                      "UTF-8",
	}
	var all strings.Builder
	for line, want := range lines {
		got, err := portal.ParseExpectations(line)
		if err == nil || !strings.Contains(err.Error(), want) || portal.KindOf(err) != portal.Invalid {
			t.Errorf("%q: got %v, %v; want an Invalid error with %q", line, got, err, want)
		}
		if strings.HasPrefix(want, "which") || strings.HasPrefix(want, `"`) {
			all.WriteString(line + "\n")
		}
	}
	_, err := portal.ParseExpectations(all.String())
	if n, want := len(portal.Errors(err)), strings.Count(all.String(), "\n"); n != want {
		t.Errorf("%d problems in %q, want %d: %v", n, all.String(), want, err)
	}
}

func FuzzParseExpectations(f *testing.F) {
	for _, s := range []string{
		"ana@acme.example may sign in\nbo@acme.example may not see T-7 [portal Help #1] # why",
		"a#b@c.example may answer 9 [portal a b]", "# nothing", "x may", "a@b.example may see T-1 [portal [x]]",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := portal.ParseExpectations(s)
		if err != nil {
			return
		}
		var b strings.Builder
		line := 0
		for _, e := range list {
			for ; line < e.Line-1; line++ {
				b.WriteString("\n")
			}
			b.WriteString(e.String() + "\n")
			line++
		}
		again, err := portal.ParseExpectations(b.String())
		if err != nil || !slices.Equal(list, again) {
			t.Errorf("%q reads as %+v; written %q it reads as %+v, %v", s, list, b.String(), again, err)
		}
	})
}
