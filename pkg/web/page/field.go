package page

import (
	"strconv"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
)

// Field is an input with everything that belongs to it.
type Field struct {
	Name, Label, Hint string
	Type              string // "" is text
	Autocomplete      string
	Mode              string // the keyboard telephones offer
	Required          bool
	Plain             bool // neither required nor called optional
	Max               string
	List              []Option // makes it a choice
	Rows              string   // makes it a text area
}

// Attributes are what every kind of input has in common.
func (d Field) Attributes(f *Form) templ.Attributes {
	a := templ.Attributes{"id": "f-" + d.Name, "name": d.Name}
	if d.Required {
		a["required"] = true
	}
	if d.Autocomplete != "" {
		a["autocomplete"] = d.Autocomplete
	}
	if d.Mode != "" {
		a["inputmode"] = d.Mode
	}
	if d.Max != "" {
		a["maxlength"] = d.Max
	}
	if d.Type == "email" {
		a["spellcheck"], a["autocapitalize"] = "false", "none"
	}
	described := ""
	if d.Hint != "" {
		described = "h-" + d.Name
	}
	if f.Problem(d.Name) != "" {
		a["aria-invalid"] = "true"
		described += " p-" + d.Name
	}
	if described != "" {
		a["aria-describedby"] = described
	}
	return a
}

func (d Field) kind() string {
	if d.Type == "" {
		return "text"
	}
	return d.Type
}

// direction is the writing direction of a field: addresses and numbers run
// left to right, other texts as they begin.
func (d Field) direction() string {
	switch d.Type {
	case "email", "number", "date", "url":
		return "ltr"
	}
	return "auto"
}

// FieldClass marks a field something is wrong with.
func FieldClass(f *Form, name string) string {
	if f.Problem(name) != "" {
		return "field field-bad"
	}
	return "field"
}

// Option is one of the things a field lets somebody choose.
type Option struct {
	Value, Label string
	Chosen       bool
}

// summary is a problem as the summary says it: which field, and what.
func (p Problem) summary(v *i18n.Printer) string {
	if p.Label == "" {
		return p.Text
	}
	return v.T("form.problem_of", "Field", p.Label, "Problem", p.Text)
}

// FileLimits are said before anything is chosen.
type FileLimits struct {
	Hint           string
	MaxFiles, Size string // for the script
	Many, Large    string // what the script says when there are too many or one is too large
}

// LimitsOfFiles are what a form says of the files it takes.
func LimitsOfFiles(p *i18n.Printer) FileLimits {
	return FileLimits{
		Hint:     p.T("files.hint", "Files", portal.MaxFiles, "Size", p.Bytes(portal.MaxFileSize)),
		MaxFiles: strconv.Itoa(portal.MaxFiles), Size: strconv.Itoa(portal.MaxFileSize),
		Many:  p.T("files.too_many", "Files", portal.MaxFiles),
		Large: p.T("files.too_large", "Size", p.Bytes(portal.MaxFileSize)),
	}
}
