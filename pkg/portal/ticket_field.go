package portal

import (
	"slices"
	"strings"
	"time"
)

// TicketField is a field of the form for a new ticket, beside subject and
// description.
type TicketField struct {
	Key      string    `json:"key"` // priority and category are the ticket's own
	Label    string    `json:"label,omitempty"`
	Type     FieldType `json:"type"`
	Options  []string  `json:"options,omitempty"`
	Required bool      `json:"required,omitempty"`
}

// FieldType is what a field takes.
type FieldType string

// The types of field.
const (
	FieldText   FieldType = "text"
	FieldLong   FieldType = "long"
	FieldNumber FieldType = "number"
	FieldDate   FieldType = "date"
	FieldChoice FieldType = "choice"
)

// ParseFields reads the fields of the new-ticket form as operators write
// them, separated by commas: KEY[*][:LABEL[:TYPE[:OPTION|OPTION…]]], where *
// makes a field required and TYPE is text, long, number, date or choice.
// priority needs no more than its name; category needs its options:
//
//	priority,category:Area:choice:Billing|Technical,order_number*:Order number
func ParseFields(s string) ([]TicketField, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var fields []TicketField
	for item := range strings.SplitSeq(s, ",") {
		f, err := parseField(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(fields, func(g TicketField) bool { return g.Key == f.Key }) {
			return nil, Invalidf("tickets.fields", "fields", "the field %q stands twice", f.Key)
		}
		fields = append(fields, f)
	}
	return fields, nil
}

func parseField(item string) (TicketField, error) {
	parts := strings.SplitN(item, ":", 4)
	key, required := strings.CutSuffix(strings.TrimSpace(parts[0]), "*")
	f := TicketField{Key: PropertyKey(key), Required: required, Type: FieldText}
	if f.Key == "" || len(f.Key) > 40 || strings.Trim(f.Key, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return f, Invalidf("tickets.fields", "fields", "%q does not start with a field's key; write it like order_number*:Order number:text", item)
	}
	if slices.Contains([]string{"subject", "body", "description", "files", "confidential"}, f.Key) {
		return f, Invalidf("tickets.fields", "fields", "the form has %q already; leave it out", f.Key)
	}
	if len(parts) > 1 {
		label, err := CleanLine("fields", parts[1])
		if err != nil {
			return f, err
		}
		f.Label = label
	}
	if len(parts) > 2 && strings.TrimSpace(parts[2]) != "" {
		f.Type = FieldType(strings.ToLower(strings.TrimSpace(parts[2])))
	}
	if f.Key == "priority" {
		f.Type = FieldChoice
		return f, nil
	}
	switch f.Type {
	case FieldText, FieldLong, FieldNumber, FieldDate:
		if len(parts) > 3 {
			return f, Invalidf("tickets.fields", "fields", "the field %q has options but is of type %s; only choice has options", f.Key, f.Type)
		}
	case FieldChoice:
		if len(parts) > 3 {
			for option := range strings.SplitSeq(parts[3], "|") {
				o, err := CleanLine("fields", option)
				if err != nil {
					return f, err
				}
				if o != "" {
					f.Options = append(f.Options, o)
				}
			}
		}
		if len(f.Options) == 0 {
			return f, Invalidf("tickets.fields", "fields", "the field %q is a choice without options; write them like %s:Area:choice:Billing|Technical", f.Key, f.Key)
		}
	default:
		return f, Invalidf("tickets.fields", "fields", "%q is not a type of field; use text, long, number, date or choice", f.Type)
	}
	if f.Key == "category" && f.Type != FieldChoice {
		return f, Invalidf("tickets.fields", "fields", "category needs its options; write it like category:Area:choice:Billing|Technical")
	}
	if f.Label == "" && f.Key != "category" {
		f.Label = strings.ToUpper(f.Key[:1]) + strings.ReplaceAll(f.Key[1:], "_", " ")
	}
	return f, nil
}

// FormatFields writes fields as ParseFields reads them.
func FormatFields(fields []TicketField) string {
	items := make([]string, len(fields))
	for i, f := range fields {
		s := f.Key
		if f.Required {
			s += "*"
		}
		if f.Key == "priority" {
			if f.Label != "" {
				s += ":" + f.Label
			}
			items[i] = s
			continue
		}
		s += ":" + f.Label + ":" + string(f.Type)
		if len(f.Options) > 0 {
			s += ":" + strings.Join(f.Options, "|")
		}
		items[i] = s
	}
	return strings.Join(items, ",")
}

// Check returns the value of a field as it is stored, or what is wrong with
// what was typed.
func (f *TicketField) Check(value string) (string, error) {
	name := "field_" + f.Key
	var err error
	if f.Type == FieldLong {
		if strings.TrimSpace(value) != "" {
			value, err = CleanBody(name, value)
		} else {
			value = ""
		}
	} else {
		value, err = CleanLine(name, value)
	}
	if err != nil {
		return "", err
	}
	if value == "" {
		if f.Required {
			return "", Invalidf("field.required", name, "%s is missing", f.Key)
		}
		return "", nil
	}
	switch {
	case f.Key == "priority":
		p, err := ParsePriority(value)
		return string(p), err
	case f.Type == FieldChoice && !slices.Contains(f.Options, value):
		return "", Invalidf("field.choice", name, "%q is not one of %s", value, strings.Join(f.Options, ", "))
	case f.Type == FieldNumber && strings.Trim(value, "0123456789.,- ") != "":
		return "", Invalidf("field.number", name, "%q is not a number", value)
	case f.Type == FieldDate:
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return "", Invalidf("field.date", name, "%q is not a date; write it like 2026-01-31", value)
		}
	}
	return value, nil
}
