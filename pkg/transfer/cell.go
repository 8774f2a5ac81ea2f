package transfer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Escape makes a cell harmless in a spreadsheet: one that would be taken for
// a formula gets a leading apostrophe. Unescape undoes exactly that.
func Escape(cell string) string {
	if risky(cell) {
		return "'" + cell
	}
	return cell
}

// Unescape takes away the apostrophe Escape added.
func Unescape(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && risky(rest) {
		return rest
	}
	return cell
}

// risky reports whether a cell begins with = + - @, a tab or a carriage
// return, after any number of apostrophes: an escaped cell is escaped again,
// so that nothing is lost.
func risky(cell string) bool {
	rest := strings.TrimLeft(cell, "'")
	return rest != "" && strings.IndexByte("=+-@\t\r", rest[0]) >= 0
}

// parser reads the cells of one row and collects what is wrong with them.
type parser struct {
	file     *file
	row      Row
	problems []Problem
}

func (p *parser) fail(column, value, why string) {
	if utf8.RuneCountInString(value) > 100 {
		value = string([]rune(value)[:99]) + "…"
	}
	name := column
	if i, ok := p.file.known[column]; ok {
		name = p.file.header[i]
	}
	p.problems = append(p.problems, Problem{Line: p.row.Line, Column: name, Value: value, Reason: why})
}

func (p *parser) raw(column string) string { return p.file.cell(p.row, column) }

// trimmed returns a cell without white space around it.
func (p *parser) trimmed(column string) string { return strings.TrimSpace(p.raw(column)) }

// line reads one line of text. Invisible characters, which arrive with what
// people paste, are dropped here: nobody could find them to mend the file.
func (p *parser) line(column string) string { return p.lineOf(column, p.raw(column)) }

func (p *parser) lineOf(column, value string) string {
	s, err := portal.CleanLine(p.label(column), visible(value))
	if err != nil {
		p.fail(column, value, reason(err))
	}
	return s
}

func (p *parser) label(column string) string {
	if i, ok := p.file.known[column]; ok && p.file.header[i] != "" {
		return p.file.header[i]
	}
	return column
}

func visible(s string) string {
	if !utf8.ValidString(s) {
		// Left as it is, to be refused for what it is.
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), portal.IsBidiControl(r), r == '\ufeff', r == '\u200b':
			return -1
		}
		return r
	}, s)
}

// email reads an address; empty text stays empty.
func (p *parser) email(column string) string {
	value := strings.TrimSpace(visible(p.raw(column)))
	if value == "" {
		return ""
	}
	address, err := cleanEmail(p.label(column), value)
	if err != nil {
		p.fail(column, value, reason(err))
	}
	return address
}

// cleanEmail reads an address as the rest of the product does: a domain with
// letters outside ASCII becomes its ASCII form.
func cleanEmail(field, s string) (string, error) {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		if domain, err := idna.Lookup.ToASCII(s[i+1:]); err == nil {
			s = s[:i+1] + domain
		}
	}
	return portal.ParseEmail(field, s)
}

// id reads an identifier of another system.
func (p *parser) id(column string) string {
	value := p.line(column)
	if rounded(value) {
		p.fail(column, value, "a spreadsheet has rounded this number; export the file again and do not save it from the spreadsheet")
	}
	return value
}

// rounded reports whether a spreadsheet wrote a long number as 1.23457E+11:
// several records would then share it.
func rounded(s string) bool {
	mantissa, exponent, ok := strings.Cut(strings.ToUpper(s), "E+")
	return ok && len(mantissa) > 0 && len(exponent) > 0 &&
		strings.Trim(mantissa, "0123456789.,") == "" && strings.Trim(exponent, "0123456789") == ""
}

// list splits a cell with several values.
func list(s string) []string {
	var values []string
	for v := range strings.SplitSeq(s, ";") {
		if v = strings.TrimSpace(v); v != "" {
			values = append(values, v)
		}
	}
	return values
}

// extras reads the columns that become custom properties.
func (p *parser) extras() map[string]string {
	var properties map[string]string
	for _, e := range p.file.extra {
		value := p.file.text(p.row.Cells[e.index])
		if strings.TrimSpace(value) == "" {
			continue
		}
		value, err := portal.CleanBody(p.file.header[e.index], value)
		if err != nil {
			if strings.TrimSpace(value) != "" || !missing(err) {
				p.problems = append(p.problems, Problem{Line: p.row.Line, Column: p.file.header[e.index], Reason: reason(err)})
			}
			continue
		}
		if value = strings.TrimSpace(value); value == "" {
			continue
		}
		if properties == nil {
			properties = map[string]string{}
		}
		properties[e.key] = value
	}
	return properties
}

func missing(err error) bool {
	errs := portal.Errors(err)
	return len(errs) == 1 && errs[0].Code == "field.required"
}

// CleanDomain reads a company's own host name, also from a web address, and
// returns it in ASCII and lower case without a leading www.
func CleanDomain(s string) (string, error) {
	host := strings.ToLower(strings.TrimSpace(visible(s)))
	host = strings.TrimPrefix(strings.TrimPrefix(host, "https://"), "http://")
	if i := strings.IndexAny(host, "/?#:"); i >= 0 {
		host = host[:i]
	}
	host = strings.TrimSuffix(host, ".")
	for strings.HasPrefix(host, "www.") {
		host = strings.TrimPrefix(host, "www.")
	}
	if host == "" {
		return "", nil
	}
	bad := portal.Invalidf("company.domain", "domain", "%q is not a host name; write it like acme.com", s)
	host, err := idna.Lookup.ToASCII(host)
	if err != nil || len(host) > 253 || !strings.Contains(host, ".") || strings.HasPrefix(host, "www.") ||
		strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
		return "", bad
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return "", bad
		}
	}
	return host, nil
}

func (p *parser) domain(column string) string {
	domain, err := CleanDomain(p.raw(column))
	if err != nil {
		p.fail(column, p.raw(column), reason(err))
	}
	return domain
}
