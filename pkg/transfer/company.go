package transfer

import (
	"encoding/csv"
	"io"
	"time"
)

// Company is a company as a file gives it. Empty fields say nothing about it.
type Company struct {
	Line       int               `json:"-"`
	Name       string            `json:"name"`
	Domain     string            `json:"domain,omitempty"`
	ExternalID string            `json:"external_id,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
	CreatedAt  time.Time         `json:"created_at,omitzero"`
	UpdatedAt  time.Time         `json:"updated_at,omitzero"`
}

var companyKind = &kind{
	plural:   "companies",
	sample:   []string{"name", "domain"},
	columns:  []string{"name", "domain", "external_id", "created_at", "updated_at"},
	prefix:   propertyPrefix,
	required: []string{"name", "domain"},
	reserved: []string{"name", "domain", "email", "company"},
	aliases: map[string]string{
		"company_name": "name", "company": "name", "organisation": "name", "organization": "name",
		"company_domain_name": "domain", "company_domain": "domain", "domain_name": "domain",
		"record_id": "external_id", "record_id_company": "external_id", "company_id": "external_id", "hs_object_id": "external_id",
		"create_date": "created_at", "createdate": "created_at", "created": "created_at",
		"last_modified_date": "updated_at", "hs_lastmodifieddate": "updated_at", "last_modified": "updated_at",
	},
	foreign: map[string]string{
		"ticket_name": "tickets", "ticket_id": "tickets", "ticket_status": "tickets", "subject": "tickets",
		"first_name": "contacts", "last_name": "contacts", "email": "contacts",
	},
}

// NewCompanies reads a file of companies.
func NewCompanies(src Source, size int64, o Options) (*Reader[Company], error) {
	return open(src, size, companyKind, o, func(r *Reader[Company], row Row) (Record[Company], error) {
		p := &parser{file: r.file, row: row}
		c := Company{
			Line:       row.Line,
			Name:       p.line("name"),
			Domain:     p.domain("domain"),
			ExternalID: p.id("external_id"),
			CreatedAt:  p.date("created_at"),
			UpdatedAt:  p.date("updated_at"),
			Properties: p.extras(),
		}
		if c.Name == "" {
			// HubSpot knows many companies by nothing but their domain.
			c.Name = c.Domain
		}
		if c.Name == "" && len(p.problems) == 0 {
			p.fail("name", "", "the company has no name")
		}
		return Record[Company]{Value: c, Problems: p.problems, Rows: []Row{row}}, nil
	})
}

// CompanyWriter writes companies as CSV.
type CompanyWriter struct {
	out        *csv.Writer
	properties []string
}

// NewCompanyWriter writes the line with the column names. properties are the
// keys of the custom properties that get a column.
func NewCompanyWriter(w io.Writer, properties []string) (*CompanyWriter, error) {
	out := &CompanyWriter{csv.NewWriter(w), properties}
	return out, out.out.Write(withExtras(companyKind, properties))
}

// Write adds a company.
func (w *CompanyWriter) Write(c *Company) error {
	return writeCells(w.out, []string{c.Name, c.Domain, c.ExternalID, formatTime(c.CreatedAt), formatTime(c.UpdatedAt)},
		w.properties, c.Properties)
}

// Flush writes what is buffered and returns the first error there was.
func (w *CompanyWriter) Flush() error {
	w.out.Flush()
	return w.out.Error()
}
