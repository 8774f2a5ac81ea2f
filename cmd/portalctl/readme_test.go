package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/portalctl/portalctl/pkg/config"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocks returns the README's code blocks of one kind, in their order.
func blocks(text, kind string) []string {
	var found []string
	for _, m := range regexp.MustCompile("(?s)```sh "+kind+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

// TestReadmeTour runs the tour as it is written, in a shell.
func TestReadmeTour(t *testing.T) {
	text := readme(t)
	tour := strings.Join(blocks(text, "tour"), "\n")
	serve := blocks(text, "serve")
	if strings.Count(tour, "portalctl ") < 10 || len(serve) != 1 {
		t.Fatalf("the README has no tour any more:\n%s", tour)
	}
	dir := t.TempDir()
	script := fmt.Sprintf(`[!exec:sh] skip 'the tour is written for a shell'
exec sh -e tour.sh
stdout 'T-1001 +The drill smells of smoke +their turn +Ana Berg'
stdout 'yes, ana@acme.example sees T-1001'
stdout 'http://127.0.0.1:8080/help/invitation/'
# Once more, it is all as it was.
exec sh -e first.sh
stderr unchanged
freeport PORT
exec %s --listen 127.0.0.1:$PORT &serve&
exec portalctl members link ana@acme.example
-- tour.sh --
%s
-- first.sh --
%s
`, strings.TrimSpace(serve[0]), tour, blocks(text, "tour")[0])
	if err := os.WriteFile(filepath.Join(dir, "tour.txt"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: dir, RequireExplicitExec: true, Cmds: commands(),
		Setup: func(env *testscript.Env) error { return setUp(t, env) },
	})
}

// TestReadmeListsEverySetting holds the table of settings to the program.
func TestReadmeListsEverySetting(t *testing.T) {
	text := readme(t)
	for _, s := range config.Settings() {
		standard := s.Default
		if standard != "" {
			standard = "`" + standard + "`"
		}
		if row := fmt.Sprintf("| `%s` | `%s` | %s | %s |\n", s.Key, s.Env(), standard, s.Usage); !strings.Contains(text, row) {
			t.Errorf("the README lacks this row:\n%s", row)
		}
	}
}
