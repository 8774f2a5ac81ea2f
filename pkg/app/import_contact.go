package app

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/transfer"
)

// contactImport takes a file of contacts.
type contactImport struct {
	importer[transfer.Contact]
	seen seen
}

func (im *contactImport) contact(ctx context.Context, tx *store.Tx, in *transfer.Contact) (outcome, error) {
	var out outcome
	if language, err := im.app.language("language", in.Language); err == nil {
		in.Language = language
	} else {
		in.Language = ""
		out.notes = append(out.notes, "a language that portals do not speak was left out")
	}
	c, err := knownContact(ctx, tx, in.ExternalID, in.Email)
	if err != nil {
		return out, err
	}
	if c == nil {
		err := im.add(ctx, tx, in, &out)
		return out, err
	}
	next := *c
	next.Email = in.Email
	fill(&next.Name, in.Name)
	fill(&next.MemberEmail, in.MemberEmail)
	fill(&next.Language, in.Language)
	fill(&next.TimeZone, in.TimeZone)
	if next.ExternalID == "" {
		next.ExternalID = in.ExternalID
	}
	next.Properties = merged(c.Properties, in.Properties)
	if err := im.companies(ctx, tx, &next, in, &out); err != nil {
		return out, err
	}
	switch {
	case equalContacts(c, &next):
		im.seen.add(int64(c.ID))
		return out, nil
	case im.seen.has(int64(c.ID)):
		return out, portal.Conflictf("import.twice", "the contact %s stands in the file before, with other values; the first row was taken", c.Email)
	}
	im.seen.add(int64(c.ID))
	out.updated = true
	return out, im.save(ctx, tx, c, &next)
}

func (im *contactImport) add(ctx context.Context, tx *store.Tx, in *transfer.Contact, out *outcome) error {
	if err := checkPast(tx, in.CreatedAt, in.UpdatedAt); err != nil {
		return err
	}
	c := &portal.Contact{
		Email: in.Email, Name: in.Name, MemberEmail: in.MemberEmail, Language: in.Language, TimeZone: in.TimeZone,
		ExternalID: in.ExternalID, Properties: in.Properties, CreatedAt: in.CreatedAt, UpdatedAt: in.UpdatedAt,
	}
	if err := im.companies(ctx, tx, c, in, out); err != nil {
		return err
	}
	if err := tx.ImportContact(ctx, c); err != nil {
		return err
	}
	im.seen.add(int64(c.ID))
	out.created = true
	return nil
}

// save writes a changed contact. A new address ends what belongs to the old
// one, as it does everywhere.
func (im *contactImport) save(ctx context.Context, tx *store.Tx, old, next *portal.Contact) error {
	if err := tx.SaveContact(ctx, next); err != nil {
		return err
	}
	if old.Email == next.Email && old.RegistrationEmail() == next.RegistrationEmail() {
		return nil
	}
	// The import is one entry; who signs in with an address is one of its own.
	var changes changeList
	changes.note("email", old.Email, next.Email)
	changes.note("member-email", old.MemberEmail, next.MemberEmail)
	if err := im.app.note(ctx, tx, portal.AuditContactChanged, 0, portal.AboutContact(next.ID), changes...); err != nil {
		return err
	}
	return addressGiven(ctx, tx, next.ID)
}

// companies ties the contact to the companies the row names. A row that names
// them all takes the others away.
func (im *contactImport) companies(ctx context.Context, tx *store.Tx, c *portal.Contact, in *transfer.Contact, out *outcome) error {
	var named []portal.CompanyID
	for _, ref := range in.Companies {
		id, err := companyOf(ctx, tx, im.cache, ref, out)
		if err != nil {
			return err
		}
		if id == 0 {
			continue
		}
		named = append(named, id)
		if ref == in.Primary {
			c.Primary = id
		}
	}
	if !in.AllCompanies {
		named = append(named, c.Companies...)
	}
	c.Companies = sorted(named)
	if !c.In(c.Primary) {
		c.Primary = 0
	}
	return nil
}

// knownContact finds a contact by the id of another system, else by address;
// nil when there is none. An address that another contact has is refused.
func knownContact(ctx context.Context, tx *store.Tx, externalID, address string) (*portal.Contact, error) {
	var c *portal.Contact
	var err error
	if externalID != "" {
		if c, err = notFound(tx.ContactByExternal(ctx, externalID)); err != nil {
			return nil, err
		}
	}
	if c != nil && (address == "" || c.Email == address) || address == "" {
		return c, nil
	}
	other, err := notFound(tx.ContactByEmail(ctx, address))
	if err != nil || c == nil {
		return other, err
	}
	if other != nil {
		return nil, portal.Conflictf("contact.exists", "the contact with the id %s is %s here, and %s is another contact", externalID, c.Email, address)
	}
	return c, nil
}

// contactOf finds the contact a ticket names, or creates one who has an
// address; nil when there is neither.
func contactOf(ctx context.Context, tx *store.Tx, ref transfer.ContactRef, out *outcome) (*portal.Contact, error) {
	if ref.ExternalID != "" {
		// The id decides: the address in an old export may be an old one.
		if c, err := notFound(tx.ContactByExternal(ctx, ref.ExternalID)); err != nil || c != nil {
			return c, err
		}
	}
	if ref.Email == "" {
		return nil, nil
	}
	c, err := notFound(tx.ContactByEmail(ctx, ref.Email))
	if err != nil || c != nil {
		return c, err
	}
	c = &portal.Contact{Email: ref.Email, Name: ref.Name, ExternalID: ref.ExternalID}
	out.contacts++
	return c, tx.AddContact(ctx, c)
}

func equalContacts(a, b *portal.Contact) bool {
	return a.Email == b.Email && a.Name == b.Name && a.MemberEmail == b.MemberEmail && a.Language == b.Language &&
		a.TimeZone == b.TimeZone && a.ExternalID == b.ExternalID && a.Primary == b.Primary &&
		slices.Equal(sorted(a.Companies), sorted(b.Companies)) && maps.Equal(a.Properties, b.Properties)
}

// checkPast refuses times that have not come yet; a day is allowed for clocks
// and time zones.
func checkPast(tx *store.Tx, times ...time.Time) error {
	for _, t := range times {
		if t.After(tx.Now.Add(24 * time.Hour)) {
			return portal.Invalidf("import.future", "", "%s lies in the future", t.Format(time.DateTime))
		}
	}
	return nil
}
