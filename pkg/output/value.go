package output

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// timeLayout is short, sorts as text, and is read the same everywhere.
const timeLayout = "2006-01-02 15:04"

// tableText is a value as a person reads it.
func (p *Printer) tableText(value any) string {
	switch v := value.(type) {
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case time.Time:
		if v.IsZero() {
			return ""
		}
		zone := p.Zone
		if zone == nil {
			zone = time.Local
		}
		return v.In(zone).Format(timeLayout)
	}
	return text(value, ", ")
}

// csvCell is a value as a spreadsheet reads it. A text that a spreadsheet would
// run as a formula gets a ' in front, which spreadsheets hide.
func csvCell(value any) string {
	switch v := value.(type) {
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(time.RFC3339)
	}
	s := text(value, ";")
	if isNumber(value) || s == "" || !strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return s
	}
	return "'" + s
}

// jsonValue keeps types: numbers are numbers, lists are lists, and what is not
// there is null, but for lists, which are empty.
func jsonValue(value any) any {
	switch v := value.(type) {
	case time.Time:
		if v.IsZero() {
			return nil
		}
		return v.UTC().Format(time.RFC3339)
	case []string:
		if v == nil {
			return []string{}
		}
		return v
	case map[string]string:
		if v == nil {
			return map[string]string{}
		}
		return v
	case json.Marshaler:
		return v
	case fmt.Stringer:
		if isNil(value) {
			return nil
		}
		return v.String()
	}
	return value
}

// text is what tables and CSV have in common.
func text(value any, separator string) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case []string:
		return strings.Join(v, separator)
	case map[string]string:
		pairs := make([]string, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, key+"="+v[key])
		}
		return strings.Join(pairs, separator)
	case fmt.Stringer:
		if isNil(value) {
			return ""
		}
		return v.String()
	}
	if isNil(value) {
		return ""
	}
	return fmt.Sprint(value)
}

func isNil(value any) bool {
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		return v.IsNil()
	default:
		return !v.IsValid()
	}
}

// isNumber reports whether a value prints as a number, so that -5 stays -5.
func isNumber(value any) bool {
	if _, ok := value.(fmt.Stringer); ok {
		return false
	}
	switch reflect.ValueOf(value).Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64:
		return true
	default:
		return false
	}
}

func surrogates(r rune) (high, low rune) { return utf16.EncodeRune(r) }
