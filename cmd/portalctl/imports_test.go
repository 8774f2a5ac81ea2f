package main_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/portalctl/portalctl"

// packageMap says, from the top down, what each package of the program may
// import from pkg/. A folder below a package follows that package's rule
// unless it has a line of its own. An import never points up this list.
var packageMap = []struct {
	name    string
	imports []string
}{
	{"cmd/portalctl", []string{"cli", "prompt", "termguard"}},
	{"cli", []string{
		"helpdesk", "web", "web/page", "app", "mail", "manifest", "transfer", "store",
		"prompt", "output", "config", "certs", "socket", "auth", "sso", "dns", "i18n", "portal",
	}},
	{"helpdesk", []string{"web/page", "app", "i18n", "portal"}},
	{"web", []string{"web/page", "app", "i18n", "portal"}},
	{"web/page", []string{"app", "i18n", "portal"}},
	// app takes the records that transfer reads into the store; it passes on no
	// bytes of its own, and transfer stays below it.
	{"app", []string{"transfer", "store", "auth", "sso", "dns", "picture", "portal"}},
	{"mail", []string{"socket", "i18n", "portal"}},
	{"manifest", []string{"portal"}},
	{"transfer", []string{"portal"}},
	{"store", []string{"portal"}},
	{"prompt", []string{"portal"}},
	{"output", []string{"portal"}},
	{"config", []string{"portal"}},
	{"sso", []string{"portal"}},
	{"certs", []string{"portal"}},
	{"dns", []string{"portal"}},
	{"picture", []string{"portal"}},
	{"socket", nil},
	{"certs", []string{"portal"}},
	{"auth", nil},
	{"i18n", nil},
	{"portal", nil},
	{"termguard", nil},
}

// onlyIn names the packages that keep a library to themselves, so that the
// rest runs without a terminal, or moves to another engine, untouched.
var onlyIn = []struct {
	library string // an import path and all below it
	owners  []string
}{
	{"github.com/charmbracelet/huh", []string{"prompt"}},
	{"github.com/olekukonko/tablewriter", []string{"output"}},
	{"github.com/spf13/viper", []string{"config"}},
	{"github.com/spf13/cobra", []string{"cli"}},
	{"github.com/pressly/goose", []string{"store"}},
	{"github.com/coreos/go-oidc", []string{"sso"}},
	{"golang.org/x/oauth2", []string{"sso"}},
	{"github.com/caddyserver/certmagic", []string{"certs"}},
	{"github.com/mholt/acmez", []string{"certs"}},
	{"go.uber.org/zap", []string{"certs"}},
	{"github.com/srwiley", []string{"picture"}},
	{"github.com/emersion/go-imap", []string{"mail", "portaltest"}},
	// portaltest fills a store with a million tickets, many rows a statement.
	{"modernc.org/sqlite", []string{"store", "portaltest"}},
	{"database/sql", []string{"store", "portaltest"}},
}

// outside lists what pure packages must not reach for, standard library
// included: portal has no I/O and is handed the time instead of a context.
var outside = []string{
	"context", "os", "syscall", "net", "database/sql", "io/fs", "io/ioutil",
	"path/filepath", "log", "log/slog", "embed", "plugin", "testing",
}

// pureNet are the packages below net that only take strings apart.
var pureNet = []string{"net/mail", "net/netip", "net/url"}

// source is one Go file as far as the rules are concerned.
type source struct {
	folder  string // "cmd/portalctl", "pkg/web/page"
	test    bool
	imports []string
}

// mapEntry finds the line that rules a folder, by the longest name.
func mapEntry(folder string) (index int, ok bool) {
	name := strings.TrimPrefix(folder, "pkg/")
	for ; name != "."; name = path.Dir(name) {
		for i, p := range packageMap {
			if p.name == name {
				return i, true
			}
		}
	}
	return 0, false
}

// importProblems lists what breaks the rules in one file.
func importProblems(s source) []string {
	// portaltest, which only tests may import, may itself import any package.
	if below(s.folder, "pkg/portaltest") {
		if s.test {
			return nil
		}
		return libraryProblems("portaltest", s)
	}
	at, ok := mapEntry(s.folder)
	if !ok {
		return []string{"the package is not in the map: give it a line in packageMap"}
	}
	self := packageMap[at].name

	var problems []string
	for _, imp := range s.imports {
		own, ok := strings.CutPrefix(imp, module+"/")
		if !ok {
			continue
		}
		if below(own, "pkg/portaltest") {
			if !s.test {
				problems = append(problems, fmt.Sprintf("imports %s, which is for tests only", own))
			}
			continue
		}
		to, ok := mapEntry(own)
		switch {
		case !ok:
			problems = append(problems, fmt.Sprintf("imports %s, which is not in the map", own))
		case to == at:
			// A part of itself.
		case to < at:
			problems = append(problems, fmt.Sprintf("imports %s, which lies above %s", own, self))
		case s.test:
			// A test may use anything below what it tests.
		case !slices.Contains(packageMap[at].imports, packageMap[to].name):
			problems = append(problems, fmt.Sprintf("imports %s; %s may import %s",
				own, self, listOf(packageMap[at].imports)))
		}
	}
	if s.test {
		return problems
	}
	return append(problems, libraryProblems(self, s)...)
}

// libraryProblems checks the imports from outside the module.
func libraryProblems(self string, s source) []string {
	var problems []string
	for _, imp := range s.imports {
		for _, rule := range onlyIn {
			if below(imp, rule.library) && !slices.Contains(rule.owners, self) {
				problems = append(problems, fmt.Sprintf("imports %s, which only %s may", imp, listOf(rule.owners)))
			}
		}
		switch self {
		case "portal":
			if !standard(imp) && !below(imp, module) {
				problems = append(problems, fmt.Sprintf("imports %s; portal is standard library only", imp))
			}
			if reachesOut(imp) {
				problems = append(problems, fmt.Sprintf("imports %s; portal does no I/O", imp))
			}
		case "termguard":
			// Go initialises it before everything else only as long as it
			// waits for nothing but os.
			if imp != "os" {
				problems = append(problems, fmt.Sprintf("imports %s; termguard imports nothing but os", imp))
			}
		}
	}
	return problems
}

func reachesOut(imp string) bool {
	if slices.Contains(pureNet, imp) {
		return false
	}
	return slices.ContainsFunc(outside, func(root string) bool { return below(imp, root) })
}

// below reports whether an import path is the other one or lies under it, a
// major version's folder included.
func below(imp, root string) bool {
	return imp == root || strings.HasPrefix(imp, root+"/")
}

// standard goes by the rule the Go command uses: module paths outside the
// standard library begin with a host name.
func standard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return !strings.Contains(first, ".")
}

func listOf(names []string) string {
	if len(names) == 0 {
		return "nothing from pkg/"
	}
	return strings.Join(names, ", ")
}

// goSources reads the imports of every Go file below dir's cmd and pkg, for
// all systems at once: build constraints are not looked at.
func goSources(t *testing.T, dir string) map[string]source {
	t.Helper()
	files := map[string]source{}
	for _, top := range []string{"cmd", "pkg"} {
		err := filepath.WalkDir(filepath.Join(dir, top), func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")) {
				return filepath.SkipDir
			}
			if d.IsDir() || filepath.Ext(name) != ".go" {
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(dir, name)
			if err != nil {
				return err
			}
			rel = filepath.ToSlash(rel)
			s := source{folder: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go")}
			for _, spec := range file.Imports {
				imp, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return err
				}
				s.imports = append(s.imports, imp)
			}
			files[rel] = s
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// moduleRoot is the folder that holds go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = up
	}
}

func TestImportsFollowThePackageMap(t *testing.T) {
	files := goSources(t, moduleRoot(t))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, problem := range importProblems(files[name]) {
			t.Errorf("%s %s", name, problem)
		}
	}
	main, ok := files["cmd/portalctl/main.go"]
	if !ok {
		t.Fatalf("cmd/portalctl/main.go is not among the %d files read", len(files))
	}
	if !slices.Contains(main.imports, module+"/pkg/termguard") {
		t.Error("cmd/portalctl/main.go does not import pkg/termguard; every command would wait for silent terminals")
	}
}

func TestPackageMapPointsDown(t *testing.T) {
	for i, p := range packageMap {
		for _, imp := range p.imports {
			to, ok := mapEntry(imp)
			if !ok || packageMap[to].name != imp {
				t.Errorf("%s may import %s, which has no line", p.name, imp)
			} else if to <= i {
				t.Errorf("%s may import %s, which does not lie below it", p.name, imp)
			}
		}
	}
}

func TestImportRulesRefuse(t *testing.T) {
	own := func(names ...string) []string {
		for i, n := range names {
			names[i] = module + "/pkg/" + n
		}
		return names
	}
	tests := []struct {
		name string
		file source
		want string // part of the only problem; empty when there is none
	}{
		{"down as the map says", source{folder: "pkg/app", imports: own("store", "auth", "portal")}, ""},
		{"up", source{folder: "pkg/store", imports: own("app")}, "lies above store"},
		{"up to a part of a package", source{folder: "pkg/app", imports: own("web/page")}, "lies above app"},
		{"up from a test", source{folder: "pkg/portal", test: true, imports: own("store")}, "lies above portal"},
		{"down past the map", source{folder: "pkg/web", imports: own("store")}, "web may import"},
		{"down past the map in a test", source{folder: "pkg/web", test: true, imports: own("store")}, ""},
		{"a part of itself", source{folder: "pkg/web", imports: own("web/assets")}, ""},
		{"a part follows the whole", source{folder: "pkg/store/migrations", imports: own("app")}, "lies above store"},
		{"auth is alone", source{folder: "pkg/auth", imports: own("portal")}, "may import nothing from pkg/"},
		{"i18n is alone", source{folder: "pkg/i18n", imports: own("portal")}, "may import nothing from pkg/"},
		{"portaltest in a test", source{folder: "pkg/app", test: true, imports: own("portaltest")}, ""},
		{"a part of portaltest in a test", source{folder: "pkg/mail", test: true, imports: own("portaltest/smtptest")}, ""},
		{"a part of portaltest in the program", source{folder: "pkg/mail", imports: own("portaltest/smtptest")}, "for tests only"},
		{"portaltest in the program", source{folder: "pkg/app", imports: own("portaltest")}, "for tests only"},
		{"portaltest imports any", source{folder: "pkg/portaltest", imports: own("app", "store")}, ""},
		{"unknown package", source{folder: "pkg/util"}, "not in the map"},
		{"unknown import", source{folder: "pkg/app", imports: own("util")}, "not in the map"},
		{"huh elsewhere", source{folder: "pkg/cli", imports: []string{"github.com/charmbracelet/huh"}}, "only prompt"},
		{"huh's parts elsewhere", source{folder: "pkg/cli", imports: []string{"github.com/charmbracelet/huh/spinner"}}, "only prompt"},
		{"huh at home", source{folder: "pkg/prompt", imports: []string{"github.com/charmbracelet/huh"}}, ""},
		{"tablewriter elsewhere", source{folder: "pkg/cli", imports: []string{"github.com/olekukonko/tablewriter/tw"}}, "only output"},
		{"viper elsewhere", source{folder: "pkg/cli", imports: []string{"github.com/spf13/viper"}}, "only config"},
		{"sqlite elsewhere", source{folder: "pkg/app", imports: []string{"modernc.org/sqlite"}}, "only store"},
		{"SQL elsewhere", source{folder: "pkg/app", imports: []string{"database/sql"}}, "only store"},
		{"SQL in portaltest", source{folder: "pkg/portaltest", imports: []string{"database/sql"}}, ""},
		{"huh in portaltest", source{folder: "pkg/portaltest", imports: []string{"github.com/charmbracelet/huh"}}, "only prompt"},
		{"SQL at home", source{folder: "pkg/store", imports: []string{"database/sql", "modernc.org/sqlite"}}, ""},
		{"a library in portal", source{folder: "pkg/portal", imports: []string{"golang.org/x/net/idna"}}, "standard library only"},
		{"files in portal", source{folder: "pkg/portal", imports: []string{"os"}}, "no I/O"},
		{"network in portal", source{folder: "pkg/portal", imports: []string{"net/http"}}, "no I/O"},
		{"parsing addresses in portal", source{folder: "pkg/portal", imports: []string{"net/mail", "net/url"}}, ""},
		{"termguard waits for os", source{folder: "pkg/termguard", imports: []string{"os"}}, ""},
		{"termguard waits for more", source{folder: "pkg/termguard", imports: []string{"fmt"}}, "nothing but os"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := importProblems(tt.file)
			if tt.want == "" {
				if len(got) > 0 {
					t.Errorf("%+v: got %q, wanted no problem", tt.file, got)
				}
				return
			}
			if len(got) != 1 || !strings.Contains(got[0], tt.want) {
				t.Errorf("%+v: got %q, wanted one problem with %q", tt.file, got, tt.want)
			}
		})
	}
}
