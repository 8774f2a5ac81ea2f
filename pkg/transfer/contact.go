package transfer

import (
	"encoding/csv"
	"io"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// Contact is a contact as a file gives them. Empty fields say nothing about
// the contact, so they change nothing when one is known already.
type Contact struct {
	Line        int    `json:"-"`
	Email       string `json:"email"`
	Name        string `json:"name"`
	MemberEmail string `json:"member_email,omitempty"`
	Language    string `json:"language,omitempty"`
	TimeZone    string `json:"time_zone,omitempty"`
	ExternalID  string `json:"external_id,omitempty"`
	// Primary is the primary company, which is one of Companies too.
	Primary   CompanyRef   `json:"primary_company,omitzero"`
	Companies []CompanyRef `json:"companies,omitempty"`
	// AllCompanies is set when the file lists every company of the contact,
	// so that one it does not name is one no longer.
	AllCompanies bool              `json:"-"`
	Properties   map[string]string `json:"properties,omitempty"`
	CreatedAt    time.Time         `json:"created_at,omitzero"`
	UpdatedAt    time.Time         `json:"updated_at,omitzero"`
}

const propertyPrefix = "property."

var contactKind = &kind{
	plural: "contacts",
	sample: []string{"email", "name", "companies"},
	columns: []string{
		"email", "name", "member_email", "language", "time_zone", "external_id",
		"primary_company", "companies", "created_at", "updated_at",
	},
	prefix:   propertyPrefix,
	required: []string{"email"},
	aliases: map[string]string{
		"e_mail": "email", "email_address": "email", "e_mail_address": "email", "mail": "email",
		"full_name": "name", "contact_name": "name",
		"first_name": "first_name", "firstname": "first_name", "given_name": "first_name",
		"last_name": "last_name", "lastname": "last_name", "surname": "last_name", "family_name": "last_name",
		"preferred_language": "language", "hs_language": "language",
		"timezone": "time_zone", "hs_timezone": "time_zone",
		"record_id": "external_id", "record_id_contact": "external_id", "contact_id": "external_id", "hs_object_id": "external_id", "vid": "external_id",
		"associated_company_ids": "company_ids", "associated_company_id": "company_ids",
		"associated_company": "company_names", "associated_companies": "company_names",
		"primary_associated_company_id": "primary_id", "associated_company_ids_(primary)": "primary_id", "associatedcompanyid": "primary_id",
		"associated_company_(primary)": "primary_name", "primary_associated_company": "primary_name",
		// HubSpot's "Company name" is not here: it is what contacts type into
		// forms about themselves, and belonging to a company shows its tickets.
		// It stays a property.
		"company": "company_name", "organisation": "company_name", "organization": "company_name",
		"create_date": "created_at", "createdate": "created_at", "created": "created_at",
		"last_modified_date": "updated_at", "lastmodifieddate": "updated_at", "last_modified": "updated_at",
	},
	reserved: []string{"email", "name", "member_email", "language", "time_zone", "company", "primary_company", "domain"},
	foreign: map[string]string{
		"ticket_name": "tickets", "ticket_id": "tickets", "ticket_status": "tickets", "subject": "tickets",
		"company_domain_name": "companies", "domain": "companies",
	},
}

// NewContacts reads a file of contacts.
func NewContacts(src Source, size int64, o Options) (*Reader[Contact], error) {
	zones := &zoneNames{}
	r, err := open(src, size, contactKind, o, func(r *Reader[Contact], row Row) (Record[Contact], error) {
		p := &parser{file: r.file, row: row}
		c := p.contact(zones)
		return Record[Contact]{Value: c, Problems: p.problems, Rows: []Row{row}}, nil
	})
	if err != nil {
		return nil, err
	}
	if l := r.file; l.keeps("company_name") && !l.has("companies") && !l.has("company_ids") && !l.has("company_names") && !l.has("company_name") {
		l.notes.Add("\"Company name\" is what contacts say about themselves and was kept as a property; to tie them to companies, export the column \"Associated Company\" too, or call the column \"company\"")
	}
	return r, nil
}

func (p *parser) contact(zones *zoneNames) Contact {
	c := Contact{
		Line:        p.row.Line,
		Email:       p.email("email"),
		Name:        p.line("name"),
		MemberEmail: p.email("member_email"),
		Language:    p.language(),
		TimeZone:    zones.read(p),
		ExternalID:  p.id("external_id"),
		CreatedAt:   p.date("created_at"),
		UpdatedAt:   p.date("updated_at"),
		Properties:  p.extras(),
	}
	if c.Email == "" && len(p.problems) == 0 {
		p.fail("email", "", "the contact has no e-mail address")
	}
	if c.Name == "" {
		c.Name = p.lineOf("first_name", p.raw("first_name")+" "+p.raw("last_name"))
	}
	p.companies(&c)
	return c
}

// companies reads the contact's companies from our own columns, HubSpot's
// association columns, or a column with the company's name, whichever comes
// first.
func (p *parser) companies(c *Contact) {
	c.Companies = p.refs("companies")
	if len(c.Companies) == 0 {
		c.Companies = p.companyRefs("company_ids", "company_names")
	}
	c.AllCompanies = len(c.Companies) > 0
	c.Primary = p.primary()
	if len(c.Companies) == 0 && c.Primary.Zero() {
		if name := p.line("company_name"); name != "" {
			c.Companies = []CompanyRef{{Name: name}}
		}
	}
	switch {
	case c.Primary.Zero():
		// A file that has no word for the primary company lists it first.
		if len(c.Companies) > 0 && !p.file.has("primary_company") && !p.file.has("primary_id") && !p.file.has("primary_name") {
			c.Primary = c.Companies[0]
		}
	default:
		for i, other := range c.Companies {
			if same(c.Primary, other) {
				c.Primary = merge(c.Primary, other)
				c.Companies[i] = c.Primary
				return
			}
		}
		c.Companies = append([]CompanyRef{c.Primary}, c.Companies...)
	}
}

func (p *parser) primary() CompanyRef {
	if refs := p.refs("primary_company"); len(refs) > 0 {
		return refs[0]
	}
	if refs := p.companyRefs("primary_id", "primary_name"); len(refs) > 0 {
		return refs[0]
	}
	return CompanyRef{}
}

// same reports whether two references name one company, by the best of what
// both give.
func same(a, b CompanyRef) bool {
	switch {
	case a.ExternalID != "" && b.ExternalID != "":
		return a.ExternalID == b.ExternalID
	case a.Domain != "" && b.Domain != "":
		return a.Domain == b.Domain
	}
	return a.Name != "" && strings.EqualFold(a.Name, b.Name)
}

func merge(a, b CompanyRef) CompanyRef {
	if a.Name == "" {
		a.Name = b.Name
	}
	if a.Domain == "" {
		a.Domain = b.Domain
	}
	if a.ExternalID == "" {
		a.ExternalID = b.ExternalID
	}
	return a
}

func (p *parser) date(column string) time.Time {
	t, err := p.file.dates.parse(p.raw(column))
	if err != nil {
		p.fail(column, p.raw(column), err.Error())
	}
	return t
}

// languageNames are the names HubSpot writes for languages; it goes on with
// the country behind a hyphen.
var languageNames = map[string]string{
	"english": "en", "swedish": "sv", "svenska": "sv", "danish": "da", "dutch": "nl", "finnish": "fi", "french": "fr",
	"german": "de", "italian": "it", "norwegian": "no", "polish": "pl", "portuguese": "pt", "spanish": "es",
}

// language reads a code (sv, sv-SE) or a name (Swedish, English - UK) and
// returns the language's code without the country. What it does not know it
// leaves out, with a notice: the portal's language is good enough.
func (p *parser) language() string {
	value := p.line("language")
	if value == "" {
		return ""
	}
	first, _, _ := strings.Cut(strings.ToLower(value), " ")
	if code := languageNames[first]; code != "" {
		return code
	}
	tag, err := language.Parse(value)
	if base, confidence := tag.Base(); err == nil && confidence == language.Exact && tag != language.Und {
		return base.String()
	}
	p.file.notes.Add("a language that is not known was left out")
	return ""
}

// zoneNames reads time zones, and remembers them because a file has few.
type zoneNames struct{ known map[string]string }

// read returns an IANA name. HubSpot writes "UTC -05:00 America New York",
// "america_slash_new_york" or the name itself; what cannot be read is left
// out, with a notice.
func (z *zoneNames) read(p *parser) string {
	value := p.line("time_zone")
	if value == "" {
		return ""
	}
	name, ok := z.known[value]
	if !ok {
		name = findZone(value)
		if z.known == nil || len(z.known) > 1000 {
			z.known = map[string]string{}
		}
		z.known[value] = name
	}
	if name == "" {
		p.file.notes.Add("a time zone that is not known was left out")
	}
	return name
}

func findZone(value string) string {
	for _, name := range zoneSpellings(value) {
		if name == "" || name == "Local" {
			continue
		}
		if loc, err := time.LoadLocation(name); err == nil {
			return loc.String()
		}
	}
	return ""
}

func zoneSpellings(value string) []string {
	s := strings.ReplaceAll(value, "_slash_", "/")
	if rest, ok := strings.CutPrefix(s, "UTC "); ok {
		if i := strings.IndexFunc(rest, func(r rune) bool { return r >= 'A' && r <= 'Z' }); i >= 0 {
			s = rest[i:]
		}
	}
	area, place, _ := strings.Cut(s, " ")
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' })
	for i, part := range parts {
		words := strings.FieldsFunc(part, func(r rune) bool { return r == '_' || r == ' ' })
		for j, w := range words {
			words[j] = strings.ToUpper(w[:1]) + strings.ToLower(w[1:])
		}
		parts[i] = strings.Join(words, "_")
	}
	return []string{value, area + "/" + strings.ReplaceAll(place, " ", "_"), strings.Join(parts, "/")}
}

// ContactWriter writes contacts as CSV.
type ContactWriter struct {
	out        *csv.Writer
	properties []string
}

// NewContactWriter writes the line with the column names. properties are the
// keys of the custom properties that get a column.
func NewContactWriter(w io.Writer, properties []string) (*ContactWriter, error) {
	out := &ContactWriter{csv.NewWriter(w), properties}
	return out, out.out.Write(withExtras(contactKind, properties))
}

// Write adds a contact.
func (w *ContactWriter) Write(c *Contact) error {
	var primary []CompanyRef
	if !c.Primary.Zero() {
		primary = []CompanyRef{c.Primary}
	}
	cells := []string{
		c.Email, c.Name, c.MemberEmail, c.Language, c.TimeZone, c.ExternalID,
		formatRefs(primary), formatRefs(c.Companies), formatTime(c.CreatedAt), formatTime(c.UpdatedAt),
	}
	return writeCells(w.out, cells, w.properties, c.Properties)
}

// Flush writes what is buffered and returns the first error there was.
func (w *ContactWriter) Flush() error {
	w.out.Flush()
	return w.out.Error()
}

func withExtras(k *kind, extras []string) []string {
	header := append([]string{}, k.columns...)
	for _, key := range extras {
		header = append(header, k.prefix+key)
	}
	return header
}

func writeCells(out *csv.Writer, cells, keys []string, extras map[string]string) error {
	for _, key := range keys {
		cells = append(cells, extras[key])
	}
	for i, c := range cells {
		cells[i] = Escape(c)
	}
	return out.Write(cells)
}
