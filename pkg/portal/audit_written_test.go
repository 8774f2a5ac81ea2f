package portal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A kind that nobody writes is a promise nobody keeps.
func TestEveryAuditKindIsWritten(t *testing.T) {
	var source strings.Builder
	for _, dir := range []string{"../app", "../store"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			// audit_log.go only reads them.
			if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "audit_log.go") {
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	words := map[string]bool{}
	for _, word := range strings.FieldsFunc(source.String(), func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		words[word] = true
	}
	for name, kind := range declaredKinds(t) {
		if !words[name] {
			t.Errorf("nobody writes entries of the kind %s (%s)", name, kind)
		}
	}
}
