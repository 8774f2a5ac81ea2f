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

// labels are the keys of what fields are called.
var labels = map[string]string{
	"email": "sign_in.email", "password": "sign_in.password", "present": "account.password_present", "name": "account.name",
	"agree": "join.consent", "language": "account.language", "time_zone": "account.zone", "subject": "column.subject",
	"body": "ticket.message", "files": "files.label", "participants": "new.participants", "participant": "ticket.add_person",
}

// labelOf is what a field is called, for the summary of problems.
func (v *view) labelOf(name string) string {
	if key, ok := labels[name]; ok {
		return v.T(key)
	}
	if v.Visit != nil {
		for _, f := range v.Visit.Portal.Tickets.Fields {
			if "field_"+f.Key == name {
				return v.fieldLabel(f.Key, v.fieldName(f.Key))
			}
		}
	}
	return ""
}

// fieldName is what a field without a label of the operator's is called.
func (v *view) fieldName(key string) string {
	switch key {
	case "priority", "category":
		return v.T("column." + key)
	}
	return key
}

// summary is a problem as the summary says it: which field, and what.
func (v *view) summary(p problem) string {
	if p.Label == "" {
		return p.Text
	}
	return v.T("form.problem_of", "Field", p.Label, "Problem", p.Text)
}

// codeField is a field for a short code, by the keys of its label and hint.
func codeField(v *view, label, hint string) field {
	return field{Name: "code", Label: v.T(label), Hint: v.T(hint), Mode: "numeric", Autocomplete: "one-time-code", Required: true, Max: "20"}
}
