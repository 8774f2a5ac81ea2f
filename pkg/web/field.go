package web

import "github.com/a-h/templ"

// field is an input with everything that belongs to it.
type field struct {
	Name, Label, Hint string
	Type              string // "" is text
	Autocomplete      string
	Mode              string // the keyboard telephones offer
	Required          bool
	Plain             bool // neither required nor called optional
	Max               string
	List              []option // makes it a choice
	Rows              string   // makes it a text area
}

// attributes are what every kind of input has in common.
func (d field) attributes(f *form) templ.Attributes {
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

func (d field) kind() string {
	if d.Type == "" {
		return "text"
	}
	return d.Type
}

// direction is the writing direction of a field: addresses and numbers run
// left to right, other texts as they begin.
func (d field) direction() string {
	switch d.Type {
	case "email", "number", "date", "url":
		return "ltr"
	}
	return "auto"
}

// fieldClass marks a field something is wrong with.
func fieldClass(f *form, name string) string {
	if f.Problem(name) != "" {
		return "field field-bad"
	}
	return "field"
}
