package web

import (
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// The parts of forms are page's, which the help desk's forms are made of too.
type (
	form       = page.Form
	field      = page.Field
	option     = page.Option
	fileLimits = page.FileLimits
)

// filled makes a form with values nobody has sent yet.
func filled(values map[string]string) *form { return page.Filled(values) }

// readForm reads what was posted; see page.ReadForm.
func (s *Server) readForm(r *http.Request) (*form, error) { return page.ReadForm(r, s.tempDir) }

// refuse turns an error into problems of the form; see page.Form.Refuse.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, v *view, f *form, err error, fields ...string) {
	f.Refuse(w, r, v.Printer, v.labelOf, err, fields...)
}

func problems(v *view, f *form) templ.Component { return page.Problems(v.Printer, f) }

func input(v *view, f *form, d field) templ.Component { return page.Input(v.Printer, f, d) }

func problemOf(v *view, f *form, name string) templ.Component {
	return page.ProblemOf(v.Printer, f, name)
}

func files(v *view, f *form, limits fileLimits) templ.Component {
	return page.FilesInput(v.Printer, f, limits)
}

func (v *view) fileLimits() fileLimits { return page.LimitsOfFiles(v.Printer) }

// draftFields are the fields of a form that are worth keeping.
func draftFields(f *form) map[string]string {
	kept := map[string]string{}
	for name, values := range f.Values {
		switch {
		case name == "subject", name == "body", name == "participants", name == "confidential", name == "follows", strings.HasPrefix(name, "field_"):
			if value := values[0]; value != "" && len(value) <= portal.MaxBody {
				kept[name] = value
			}
		}
	}
	return kept
}
