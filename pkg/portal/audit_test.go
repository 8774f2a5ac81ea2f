package portal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// declaredKinds are the constants of type AuditKind in this package, by name.
func declaredKinds(t *testing.T) map[string]AuditKind {
	t.Helper()
	kinds := map[string]AuditKind{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "AuditKind" {
				return true
			}
			for i, name := range spec.Names {
				text, err := strconv.Unquote(spec.Values[i].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				kinds[name.Name] = AuditKind(text)
			}
			return true
		})
	}
	return kinds
}

func TestAuditKindsListsThemAll(t *testing.T) {
	declared := declaredKinds(t)
	for name, kind := range declared {
		if !slices.Contains(AuditKinds, kind) {
			t.Errorf("AuditKinds lacks %s (%s), so audit list --kind does not know it", name, kind)
		}
	}
	if len(declared) != len(AuditKinds) {
		t.Errorf("AuditKinds has %d kinds, %d are declared", len(AuditKinds), len(declared))
	}
}

func TestAuditRanges(t *testing.T) {
	for _, test := range []struct {
		ids  []AuditID
		want string
	}{
		{nil, ""},
		{[]AuditID{3}, "3"},
		{[]AuditID{3, 4, 5, 7, 9, 10}, "3-5,7,9-10"},
	} {
		got := FormatAuditRanges(test.ids)
		if got != test.want {
			t.Errorf("%v is written %q, want %q", test.ids, got, test.want)
		}
		var again []AuditID
		for _, r := range ParseAuditRanges(got) {
			for id := r[0]; id <= r[1]; id++ {
				again = append(again, id)
			}
		}
		if !slices.Equal(again, test.ids) {
			t.Errorf("%q reads back as %v, want %v", got, again, test.ids)
		}
	}
	for _, text := range []string{"x", "3-", "-3", "5-3", "0", "1-2-3", ","} {
		if got := ParseAuditRanges(text); len(got) > 0 {
			t.Errorf("%q read as %v", text, got)
		}
	}
}

// Every field counts in the chain, and none runs into the next.
func TestChainHashCoversEveryField(t *testing.T) {
	base := AuditRow{ID: 7, At: time.UnixMilli(1000), Kind: AuditSignIn, Operator: "ab", About: "cd", Detail: []byte("d")}
	seen := map[string]string{string(base.ChainHash([]byte("p"))): "the row itself"}
	for name, change := range map[string]func(*AuditRow){
		"id":       func(r *AuditRow) { r.ID++ },
		"at":       func(r *AuditRow) { r.At = r.At.Add(time.Millisecond) },
		"kind":     func(r *AuditRow) { r.Kind = AuditSignOut },
		"contact":  func(r *AuditRow) { r.By.Contact = 1 },
		"agent":    func(r *AuditRow) { r.By.Agent = 1 },
		"portal":   func(r *AuditRow) { r.Portal = 1 },
		"operator": func(r *AuditRow) { r.Operator = "x" },
		"about":    func(r *AuditRow) { r.About = "x" },
		"detail":   func(r *AuditRow) { r.Detail = []byte("x") },
		"border":   func(r *AuditRow) { r.Operator, r.About = "abc", "d" },
	} {
		r := base
		change(&r)
		hash := string(r.ChainHash([]byte("p")))
		if other, twice := seen[hash]; twice {
			t.Errorf("another %s has the same hash as %s", name, other)
		}
		seen[hash] = name
	}
	if _, same := seen[string(base.ChainHash([]byte("q")))]; same {
		t.Error("the entry before does not count")
	}
}

func FuzzParseAuditHead(f *testing.F) {
	f.Add("0:")
	f.Add("12:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
	f.Add("x:1")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := ParseAuditHead(s)
		if err != nil {
			return
		}
		if again, err := ParseAuditHead(h.String()); err != nil || again.String() != h.String() {
			t.Errorf("%q parsed as %v, which reads back as %v, %v", s, h, again, err)
		}
	})
}
