package incoming

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/jhillyerd/enmime/v2"
)

// libraryMails are the mails that come with libraries, by their folder. A
// library that is not there, as in a build from vendored modules, is passed
// over.
func libraryMails(t testing.TB) map[string][]byte {
	t.Helper()
	mails := map[string][]byte{}
	for _, from := range []struct {
		args   []string
		folder string
	}{
		{[]string{"list", "-m", "-f", "{{.Dir}}", "github.com/jhillyerd/enmime/v2"}, "testdata"},
		{[]string{"list", "-m", "-f", "{{.Dir}}", "github.com/wneessen/go-mail"}, "testdata"},
		{[]string{"env", "GOROOT"}, "src/mime/multipart/testdata"},
	} {
		out, err := exec.CommandContext(t.Context(), "go", from.args...).Output() // #nosec G204 -- fixed words
		root := strings.TrimSpace(string(out))
		if err != nil || root == "" {
			continue
		}
		dir := filepath.Join(root, filepath.FromSlash(from.folder))
		_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil //nolint:nilerr // what cannot be read is passed over
			}
			raw, err := os.ReadFile(name) // #nosec G304 -- below a module's testdata
			if err == nil && len(raw) < 1<<20 {
				mails[strings.TrimPrefix(name, dir)] = raw
			}
			return nil
		})
	}
	return mails
}

// TestParseReadsOthersFixtures reads the mails that libraries test themselves
// with: what is promised of every mail holds, and reading is repeatable.
func TestParseReadsOthersFixtures(t *testing.T) {
	mails := libraryMails(t)
	if len(mails) == 0 {
		t.Skip("the modules' fixtures are not here")
	}
	for name, raw := range mails {
		t.Run(name, func(t *testing.T) {
			m := Parse(raw)
			checkIncoming(t, m)
			if again := Parse(raw); !reflect.DeepEqual(m, again) {
				t.Error("read twice, it says two things")
			}
		})
	}
}

// TestParseFindsWhatEnmimeFinds compares with the library on its own mails:
// whatever attachment it finds, with content, is found here too, byte for byte.
func TestParseFindsWhatEnmimeFinds(t *testing.T) {
	parser := enmime.NewParser(enmime.DisableCharacterDetection(true), enmime.SkipMalformedParts(true))
	compared := 0
	for name, raw := range libraryMails(t) {
		if filepath.Ext(name) != ".raw" {
			continue
		}
		envelope, err := parser.ReadEnvelope(strings.NewReader(string(raw)))
		if err != nil {
			continue
		}
		m := Parse(raw)
		have := map[string]bool{}
		for _, f := range m.Files {
			have[string(f.Content)] = true
		}
		for _, part := range append(envelope.Attachments, envelope.Inlines...) {
			if len(part.Content) == 0 || len(part.Errors) > 0 || strings.HasPrefix(part.ContentType, "text/") {
				continue
			}
			compared++
			if !have[string(part.Content)] {
				t.Errorf("%s: the file %q (%s, %d bytes) is not found", name, part.FileName, part.ContentType, len(part.Content))
			}
		}
	}
	if compared == 0 {
		t.Skip("the modules' fixtures are not here")
	}
	t.Logf("%d files compared", compared)
}
