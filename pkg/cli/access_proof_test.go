package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

func TestSplitWords(t *testing.T) {
	for s, want := range map[string][]string{
		`tickets configure --permissions company`:                    {"tickets", "configure", "--permissions", "company"},
		`portalctl access set groups --group "Big customers"`:        {"access", "set", "groups", "--group", "Big customers"},
		`  contacts set a@b.example --name 'Ann "A" O\'`:             {"contacts", "set", "a@b.example", "--name", `Ann "A" O\`},
		`access set self-register --allow-domain "" --x=a\ b "c\"d"`: {"access", "set", "self-register", "--allow-domain", "", "--x=a b", `c"d`},
	} {
		if got, err := splitWords(s); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v; want %q", s, got, err, want)
		}
	}
	for _, s := range []string{"", "  ", "portalctl", `a "b`, `a 'b`, `a \`} {
		if got, err := splitWords(s); portal.KindOf(err) != portal.Invalid {
			t.Errorf("%q: got %q, %v; want an Invalid error", s, got, err)
		}
	}
}

func FuzzSplitWords(f *testing.F) {
	f.Add(`tickets configure --rule "role equals 'lead'"`)
	f.Add(`a\ b 'c' "" portalctl`)
	f.Fuzz(func(t *testing.T, s string) {
		words, err := splitWords(s)
		if err != nil {
			return
		}
		quoted := []string{"portalctl"}
		for _, w := range words {
			quoted = append(quoted, shellWord(w))
		}
		if again, err := splitWords(strings.Join(quoted, " ")); err != nil || !slices.Equal(words, again) {
			t.Errorf("%q splits into %q; quoted as %q that splits into %q, %v", s, words, quoted, again, err)
		}
	})
}

// Every command that --would runs is there, and none of them leads out of the
// store.
func TestWouldRunsCommandsThatExist(t *testing.T) {
	env, _, _, _ := testEnv(t)
	for _, name := range wouldCommands {
		cmd, _, err := newRootCmd(env).Find(strings.Fields(name))
		if err != nil || cmd.CommandPath() != "portalctl "+name {
			t.Errorf("%q is no command: %v", name, err)
		}
	}
}

func TestTicketsOfAChangeInShort(t *testing.T) {
	set := func(n int, capped bool) app.TicketSet {
		s := app.TicketSet{Count: n, Capped: capped}
		for i := range min(n, 100) {
			s.Numbers = append(s.Numbers, portal.TicketNumber(1001+i))
		}
		return s
	}
	for want, s := range map[string]app.TicketSet{
		"": set(0, false), "T-1001, T-1002": set(2, false), "4": set(4, false), "more than 1000": set(1000, true),
	} {
		if got := newTicketsJSON(s).short(); got != want {
			t.Errorf("%d tickets: %q, want %q", s.Count, got, want)
		}
	}
}
