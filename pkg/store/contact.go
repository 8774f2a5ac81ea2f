package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// ContactFilter narrows Contacts. After is the last e-mail of the page before.
type ContactFilter struct {
	Query   string // part of name or e-mail
	Company portal.CompanyID
	Group   portal.GroupID
	After   string
	Limit   int // 0: 50
}

// contactColumns are a contact's own and, in one text, their companies with
// the primary one marked by a star.
const contactColumns = `c.id, c.email, c.name, c.member_email, c.language, c.time_zone, c.properties, c.external_id, c.notify, c.bounced, c.bounced_at, c.bounced_why,
	c.created_at, c.updated_at, c.erased_at,
	(SELECT string_agg(CAST(cc.company_id AS TEXT) || CASE cc.is_primary WHEN 1 THEN '*' ELSE '' END, ',')
		FROM contact_company cc WHERE cc.contact_id = c.id)`

func contactInto(c *portal.Contact) []any {
	return []any{
		&c.ID, &c.Email, &c.Name, &c.MemberEmail, &c.Language, &c.TimeZone,
		jsonInto{&c.Properties},
		&c.ExternalID,
		&c.Notify,
		&c.Bounced,
		timeInto{&c.BouncedAt},
		&c.BouncedWhy,
		timeInto{&c.CreatedAt},
		timeInto{&c.UpdatedAt},
		timeInto{&c.ErasedAt},
		companiesInto{c},
	}
}

func scanContact(r row) (c portal.Contact, err error) {
	err = r.Scan(contactInto(&c)...)
	return c, err
}

// companiesInto scans the last of contactColumns.
type companiesInto struct{ c *portal.Contact }

// Scan implements sql.Scanner.
func (d companiesInto) Scan(v any) error {
	text, _ := v.(string)
	if text == "" {
		return nil
	}
	for item := range strings.SplitSeq(text, ",") {
		digits, primary := strings.CutSuffix(item, "*")
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return err
		}
		if primary {
			d.c.Primary = portal.CompanyID(n)
		}
		d.c.Companies = append(d.c.Companies, portal.CompanyID(n))
	}
	slices.Sort(d.c.Companies)
	return nil
}

func noContact() error { return portal.NotFoundf("contact.none", "there is no such contact") }

// Contact returns a contact with their companies; NotFound contact.none.
func (tx *Tx) Contact(ctx context.Context, id portal.ContactID) (*portal.Contact, error) {
	return find(ctx, tx, noContact(), `SELECT `+contactColumns+` FROM contact c WHERE c.id = $1`, []any{id}, scanContact)
}

// ContactByEmail returns the contact with exactly this address, in lower
// case; NotFound contact.none.
func (tx *Tx) ContactByEmail(ctx context.Context, email string) (*portal.Contact, error) {
	return find(ctx, tx, portal.NotFoundf("contact.none", "there is no contact %s", email).With("Email", email),
		`SELECT `+contactColumns+` FROM contact c WHERE c.email = $1`, []any{email}, scanContact)
}

// ContactForSignIn returns the contact who signs in with the address: whose
// member e-mail it is, else whose own address it is and who has no member
// e-mail; NotFound contact.none.
func (tx *Tx) ContactForSignIn(ctx context.Context, email string) (*portal.Contact, error) {
	missing := portal.NotFoundf("contact.none", "there is no contact %s", email).With("Email", email)
	return find(ctx, tx, missing, `SELECT `+contactColumns+` FROM contact c WHERE c.id = coalesce(
		(SELECT id FROM contact WHERE member_email = $1 AND member_email <> ''),
		(SELECT id FROM contact WHERE email = $1 AND member_email IN ('', $1) AND erased_at IS NULL))`, []any{email}, scanContact)
}

// ContactByExternal returns the contact with the id of another system;
// NotFound contact.none.
func (tx *Tx) ContactByExternal(ctx context.Context, id string) (*portal.Contact, error) {
	return find(ctx, tx, noContact(),
		`SELECT `+contactColumns+` FROM contact c WHERE c.external_id = $1 AND c.external_id <> ''`, []any{id}, scanContact)
}

// Contacts returns contacts by e-mail; those who were erased are none.
func (tx *Tx) Contacts(ctx context.Context, f ContactFilter) ([]portal.Contact, error) {
	q := newQuery(`SELECT ` + contactColumns + ` FROM contact c`)
	if f.Company != 0 {
		q.add(` JOIN contact_company m ON m.contact_id = c.id AND m.company_id = ?`, f.Company)
	}
	if f.Group != 0 {
		q.add(` JOIN group_contact g ON g.contact_id = c.id AND g.group_id = ?`, f.Group)
	}
	q.add(` WHERE c.email > ? AND c.erased_at IS NULL`, f.After)
	if strings.TrimSpace(f.Query) != "" {
		q.add(` AND (c.email LIKE ? ESCAPE '\' OR c.name_key LIKE ? ESCAPE '\')`, part(f.Query), part(f.Query))
	}
	q.add(` ORDER BY c.email LIMIT ?`, limitOr(f.Limit, 50))
	return list(ctx, tx, q.text(), q.args, scanContact)
}

// AddContact writes a new contact with their companies and sets ID and times;
// Conflict contact.exists when the address, or the id of another system, is
// taken.
func (tx *Tx) AddContact(ctx context.Context, c *portal.Contact) error {
	if err := tx.addressFree(ctx, c); err != nil {
		return err
	}
	c.CreatedAt, c.UpdatedAt, c.Notify = tx.Now, tx.Now, cmp.Or(c.Notify, portal.NotifyAll)
	err := tx.value(ctx, &c.ID, `INSERT INTO contact (email, name, name_key, member_email, language, time_zone, properties, external_id, notify, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) RETURNING id`,
		c.Email, c.Name, fold(c.Name), c.MemberEmail, c.Language, c.TimeZone, mapJSON(c.Properties), c.ExternalID, c.Notify, stamp(tx.Now))
	if err := contactExists(err, c); err != nil {
		return err
	}
	if err := tx.addCompanies(ctx, c); err != nil {
		return err
	}
	return tx.followRules(ctx, c, true)
}

// SaveContact writes a changed contact, their companies too.
func (tx *Tx) SaveContact(ctx context.Context, c *portal.Contact) error {
	if err := tx.addressFree(ctx, c); err != nil {
		return err
	}
	c.UpdatedAt = tx.Now
	n, err := tx.exec(ctx, `UPDATE contact SET email = $2, name = $3, name_key = $4, member_email = $5, language = $6, time_zone = $7,
		properties = $8, external_id = $9, notify = $10, updated_at = $11 WHERE id = $1 AND erased_at IS NULL`,
		c.ID, c.Email, c.Name, fold(c.Name), c.MemberEmail, c.Language, c.TimeZone, mapJSON(c.Properties), c.ExternalID,
		cmp.Or(c.Notify, portal.NotifyAll), stamp(tx.Now))
	if err := oneChanged(n, contactExists(err, c), noContact()); err != nil {
		return err
	}
	if err := tx.leaveCompanies(ctx, c); err != nil {
		return err
	}
	if err := tx.addCompanies(ctx, c); err != nil {
		return err
	}
	return tx.followRules(ctx, c, false)
}

// leaveCompanies takes the contact out of companies that are theirs no more,
// and out of none that still are: those rows know how they came to be.
func (tx *Tx) leaveCompanies(ctx context.Context, c *portal.Contact) error {
	had, err := list(ctx, tx, `SELECT company_id FROM contact_company WHERE contact_id = $1`, []any{c.ID},
		func(r row) (id portal.CompanyID, err error) { return id, r.Scan(&id) })
	if err != nil {
		return err
	}
	for _, id := range had {
		if c.In(id) || id == c.Primary {
			continue
		}
		if err := tx.do(ctx, `DELETE FROM contact_company WHERE contact_id = $1 AND company_id = $2`, c.ID, id); err != nil {
			return err
		}
	}
	// There is one primary company at any time.
	return tx.do(ctx, `UPDATE contact_company SET is_primary = 0 WHERE contact_id = $1 AND company_id <> $2`, c.ID, c.Primary)
}

func (tx *Tx) addCompanies(ctx context.Context, c *portal.Contact) error {
	if c.Primary != 0 && !c.In(c.Primary) {
		c.Companies = append(c.Companies, c.Primary)
		slices.Sort(c.Companies)
	}
	for _, id := range c.Companies {
		err := tx.do(ctx, `INSERT INTO contact_company (contact_id, company_id, is_primary) VALUES ($1, $2, $3)
			ON CONFLICT (contact_id, company_id) DO UPDATE SET is_primary = excluded.is_primary`,
			c.ID, id, flag(id == c.Primary))
		if isForeignKey(err) {
			return noCompany()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addressFree refuses an address that stands for another contact at sign-in:
// whoever reads its mail would come in as that one.
func (tx *Tx) addressFree(ctx context.Context, c *portal.Contact) error {
	for _, a := range []struct{ address, column string }{
		{c.Email, "member_email"}, {c.MemberEmail, "email"}, {c.MemberEmail, "member_email"},
	} {
		if a.address == "" {
			continue
		}
		taken, err := tx.exists(ctx, `SELECT 1 FROM contact WHERE `+a.column+` = $1 AND `+a.column+` <> '' AND id <> $2`, a.address, c.ID)
		if err != nil {
			return err
		}
		if taken {
			return portal.Conflictf("contact.exists", "another contact signs in with the address %s already", a.address).With("Email", a.address)
		}
	}
	return nil
}

func contactExists(err error, c *portal.Contact) error {
	if isUnique(err) {
		return portal.Conflictf("contact.exists", "there is a contact with the address %s already", c.Email).With("Email", c.Email)
	}
	return err
}

// RemoveContact removes a contact who is requester of no ticket, with their
// memberships, sessions and links; Conflict contact.has_tickets.
func (tx *Tx) RemoveContact(ctx context.Context, id portal.ContactID) error {
	n, err := tx.exec(ctx, `DELETE FROM contact WHERE id = $1`, id)
	if isForeignKey(err) {
		return portal.Conflictf("contact.has_tickets", "the contact has opened tickets").
			WithHint("disable the contact's access with `portalctl members disable` instead")
	}
	tx.forgetMoves(id)
	return oneChanged(n, err, noContact())
}
