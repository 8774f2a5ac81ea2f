package web

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

// codeField is a field for a short code, by the keys of its label and hint.
func codeField(v *view, label, hint string) field {
	return field{Name: "code", Label: v.T(label), Hint: v.T(hint), Mode: "numeric", Autocomplete: "one-time-code", Required: true, Max: "20"}
}
