package app

import (
	"context"
	"maps"
	"slices"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/transfer"
)

// companyImport takes a file of companies.
type companyImport struct {
	importer[transfer.Company]
	seen seen
}

func (im *companyImport) company(ctx context.Context, tx *store.Tx, in *transfer.Company) (outcome, error) {
	var out outcome
	in.Domain = withoutPublic(in.Domain, &out)
	c, err := notFound(tx.CompanyMatching(ctx, in.ExternalID, in.Domain, in.Name))
	if err != nil {
		return out, err
	}
	if c == nil {
		if err := checkPast(tx, in.CreatedAt, in.UpdatedAt); err != nil {
			return out, err
		}
		c = &portal.Company{
			Name: in.Name, Domain: in.Domain, ExternalID: in.ExternalID, Properties: in.Properties,
			CreatedAt: in.CreatedAt, UpdatedAt: in.UpdatedAt,
		}
		if err := tx.ImportCompany(ctx, c); err != nil {
			return out, err
		}
		im.seen.add(int64(c.ID))
		out.created = true
		return out, nil
	}
	next := *c
	fill(&next.Name, in.Name)
	fill(&next.Domain, in.Domain)
	if next.ExternalID == "" {
		next.ExternalID = in.ExternalID
	}
	next.Properties = merged(c.Properties, in.Properties)
	changed := next.Name != c.Name || next.Domain != c.Domain || next.ExternalID != c.ExternalID || !maps.Equal(next.Properties, c.Properties)
	switch {
	case !changed:
		im.seen.add(int64(c.ID))
		return out, nil
	case im.seen.has(int64(c.ID)):
		return out, portal.Conflictf("import.twice", "the company %q stands in the file before, with other values; the first row was taken", c.Name)
	}
	im.seen.add(int64(c.ID))
	out.updated = true
	return out, tx.SaveCompany(ctx, &next)
}

// withoutPublic leaves out a domain that gives addresses to anybody: as a
// company's, it would make all of them belong to it.
func withoutPublic(domain string, out *outcome) string {
	if domain == "" || !publicMailDomain(domain) {
		return domain
	}
	out.notes = append(out.notes, "a company's domain is one at which anybody can have an address; it was left out")
	return ""
}

// companyOf finds the company a row names, or creates it when the row knows
// what it is called; 0 when it names none but by a public mail domain.
func companyOf(ctx context.Context, tx *store.Tx, cache *importCache, ref transfer.CompanyRef, out *outcome) (portal.CompanyID, error) {
	ref.Domain = withoutPublic(ref.Domain, out)
	if ref.Zero() {
		return 0, nil
	}
	if id := cache.companies[ref]; id != 0 {
		return id, nil
	}
	c, err := notFound(tx.CompanyMatching(ctx, ref.ExternalID, ref.Domain, ref.Name))
	switch {
	case err != nil:
		return 0, err
	case c == nil:
		if c, err = newCompany(ref); err != nil {
			return 0, err
		}
		if err := tx.AddCompany(ctx, c); err != nil {
			return 0, err
		}
		out.companies++
	case c.ExternalID == "" && ref.ExternalID != "", c.Domain == "" && ref.Domain != "":
		// Known by name so far: what the row adds makes it known for sure.
		if c.ExternalID == "" {
			c.ExternalID = ref.ExternalID
		}
		if c.Domain == "" {
			c.Domain = ref.Domain
		}
		if err := tx.SaveCompany(ctx, c); err != nil {
			return 0, err
		}
	}
	cache.companies[ref] = c.ID
	return c.ID, nil
}

func newCompany(ref transfer.CompanyRef) (*portal.Company, error) {
	c := &portal.Company{Name: ref.Name, Domain: ref.Domain, ExternalID: ref.ExternalID}
	if c.Name == "" {
		c.Name = c.Domain
	}
	if c.Name == "" {
		return nil, portal.NotFoundf("company.none", "there is no company with the id %s, and the row does not say what it is called; import the companies first", ref.ExternalID)
	}
	return c, nil
}

// fill writes what a file says; nothing, when it says nothing.
func fill(to *string, said string) {
	if said != "" {
		*to = said
	}
}

func merged(old, said map[string]string) map[string]string {
	next := maps.Clone(old)
	if next == nil {
		next = map[string]string{}
	}
	maps.Copy(next, said)
	return next
}

// sorted is a list of companies in order, each once.
func sorted(ids []portal.CompanyID) []portal.CompanyID {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
