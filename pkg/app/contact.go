package app

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// ContactInput is what a command says about a contact. What is nil stays as
// it is; empty text removes.
type ContactInput struct {
	Email, Name, MemberEmail, Language, TimeZone *string
	Notify                                       *portal.ContactNotify
	// Companies replaces all of the contact's companies, named by name or
	// domain. The first is primary unless Primary names another.
	Companies *[]string
	// Primary names the primary company; the contact joins it if need be.
	Primary    *string
	Properties map[string]string
}

// ContactRow is a contact with the names a list shows.
type ContactRow struct {
	portal.Contact
	PrimaryName  string
	CompanyNames []string // primary first
}

// ContactView is everything known of one contact.
type ContactView struct {
	ContactRow
	Groups      []portal.Group
	Memberships []Membership
	Consents    []portal.Consent // the last first
	Tickets     int              // as requester, up to 1,000
	Capped      bool             // there are more
	HasFactor   bool             // they have an authenticator app
}

// Membership is where a contact stands in one portal.
type Membership struct {
	portal.Member
	PortalName string
	Entry      portal.Entry
}

// countTo is where counts for showing stop; more are "1,000+".
const countTo = 1000

// ContactQuery narrows Contacts.
type ContactQuery struct {
	Search, Company, Group string
	After                  string // the last address of the page before
	Limit                  int
}

// Contacts lists contacts by address.
func (a *App) Contacts(ctx context.Context, q ContactQuery) (rows []ContactRow, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		f := store.ContactFilter{Query: q.Search, After: strings.ToLower(strings.TrimSpace(q.After)), Limit: q.Limit}
		if q.Company != "" {
			company, err := companyNamed(ctx, tx, q.Company)
			if err != nil {
				return err
			}
			f.Company = company.ID
		}
		if q.Group != "" {
			group, err := groupNamed(ctx, tx, q.Group)
			if err != nil {
				return err
			}
			f.Group = group.ID
		}
		contacts, err := tx.Contacts(ctx, f)
		if err != nil {
			return err
		}
		rows, err = contactRows(ctx, tx, contacts)
		return err
	})
	return rows, err
}

func contactRows(ctx context.Context, tx *store.Tx, contacts []portal.Contact) ([]ContactRow, error) {
	names := map[portal.CompanyID]string{}
	rows := make([]ContactRow, len(contacts))
	for i, c := range contacts {
		rows[i].Contact = c
		for _, id := range c.Companies {
			if _, ok := names[id]; !ok {
				company, err := tx.Company(ctx, id)
				if err != nil {
					return nil, err
				}
				names[id] = company.Name
			}
			if id == c.Primary {
				rows[i].PrimaryName = names[id]
				rows[i].CompanyNames = slices.Insert(rows[i].CompanyNames, 0, names[id])
			} else {
				rows[i].CompanyNames = append(rows[i].CompanyNames, names[id])
			}
		}
	}
	return rows, nil
}

// Contact finds a contact by e-mail address.
func (a *App) Contact(ctx context.Context, address string) (c *portal.Contact, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		c, err = contactWith(ctx, tx, "email", address)
		return err
	})
	return c, err
}

// contactWith finds a contact by the address an operator typed.
func contactWith(ctx context.Context, tx *store.Tx, field, address string) (*portal.Contact, error) {
	address, err := email(field, address)
	if err != nil {
		return nil, err
	}
	c, err := tx.ContactByEmail(ctx, address)
	if portal.KindOf(err) == portal.NotFound {
		return nil, portal.NotFoundf("contact.none", "there is no contact %s", address).
			WithHint("add it with `portalctl contacts add --email %s`", address)
	}
	if err == nil && c.Erased() {
		return nil, portal.NotFoundf("contact.none", "the contact was erased; %s only holds the place of their tickets", address)
	}
	return c, err
}

// notErased refuses what somebody began before they were erased, such as a
// long upload: their session was there when it began.
func notErased(ctx context.Context, tx *store.Tx, id portal.ContactID) error {
	c, err := tx.Contact(ctx, id)
	if err == nil && c.Erased() {
		return portal.NotFoundf("contact.none", "there is no such contact")
	}
	return err
}

// ShowContact returns a contact with companies, groups, memberships and how
// many tickets it opened.
func (a *App) ShowContact(ctx context.Context, address string) (v *ContactView, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		c, err := contactWith(ctx, tx, "email", address)
		if err != nil {
			return err
		}
		rows, err := contactRows(ctx, tx, []portal.Contact{*c})
		if err != nil {
			return err
		}
		v = &ContactView{ContactRow: rows[0]}
		if v.Groups, err = tx.GroupsOf(ctx, c.ID); err != nil {
			return err
		}
		if v.Memberships, err = memberships(ctx, tx, c.ID); err != nil {
			return err
		}
		if v.Consents, err = tx.Consents(ctx, c.ID); err != nil {
			return err
		}
		if v.HasFactor, err = tx.HasFactor(ctx, portal.Person{Contact: c.ID}); err != nil {
			return err
		}
		viewer := operatorViewer()
		v.Tickets, err = tx.CountTickets(ctx, &viewer, store.TicketFilter{Requester: c.ID}, countTo+1)
		if v.Tickets > countTo {
			v.Tickets, v.Capped = countTo, true
		}
		return err
	})
	return v, err
}

func memberships(ctx context.Context, tx *store.Tx, c portal.ContactID) ([]Membership, error) {
	members, err := tx.MembershipsOf(ctx, c)
	if err != nil {
		return nil, err
	}
	all := make([]Membership, len(members))
	for i, m := range members {
		p, err := tx.Portal(ctx, m.PortalID)
		if err != nil {
			return nil, err
		}
		in, err := tx.InGroups(ctx, p.ID, c)
		if err != nil {
			return nil, err
		}
		all[i] = Membership{Member: m, PortalName: p.Name, Entry: portal.MayEnter(p, &m, in)}
	}
	return all, nil
}

// AddContact adds a contact. One who is there already and has all that is
// said is left alone: added is false.
func (a *App) AddContact(ctx context.Context, in ContactInput) (c *portal.Contact, added bool, err error) {
	if in.Email == nil {
		return nil, false, portal.Invalidf("field.required", "email", "email is missing")
	}
	address, err := email("email", *in.Email)
	if err != nil {
		return nil, false, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		c, err = tx.ContactByEmail(ctx, address)
		known := err == nil
		if portal.KindOf(err) == portal.NotFound {
			c, err = &portal.Contact{Email: address}, nil
		}
		if err != nil {
			return err
		}
		changes, err := in.apply(ctx, a, tx, c)
		if err != nil {
			return err
		}
		if known {
			if len(changes) > 0 {
				return portal.Conflictf("contact.exists", "the contact %s is there already, with another %s", address, changes[0].Field).
					WithHint("change it with `portalctl contacts set %s`", address)
			}
			return nil
		}
		added = true
		if err := tx.AddContact(ctx, c); err != nil {
			return err
		}
		return a.noteContact(ctx, tx, portal.AuditContactAdded, c.ID, append([]Change{fact("email", c.Email)}, changes...))
	})
	return c, added && err == nil, err
}

// SetContact changes a contact. A new address ends sessions, links, password
// and passkeys that belong to the old one.
func (a *App) SetContact(ctx context.Context, address string, in ContactInput) (c *portal.Contact, changes []Change, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if c, err = contactWith(ctx, tx, "email", address); err != nil {
			return err
		}
		old := *c
		if changes, err = in.apply(ctx, a, tx, c); err != nil || len(changes) == 0 {
			return err
		}
		if err := tx.SaveContact(ctx, c); err != nil {
			return err
		}
		if err := a.noteContact(ctx, tx, portal.AuditContactChanged, c.ID, changes); err != nil {
			return err
		}
		if old.Email == c.Email && old.RegistrationEmail() == c.RegistrationEmail() {
			return nil
		}
		return addressGiven(ctx, tx, c.ID)
	})
	return c, changes, err
}

// addressGiven ends what a contact had by an older address, now that somebody
// else than they gave them another: sessions, links, and the password and
// passkeys too. Whoever proves the new one may not be who chose those. An
// authenticator app stays, as it lets nobody in by itself.
func addressGiven(ctx context.Context, tx *store.Tx, c portal.ContactID) error {
	who := portal.Person{Contact: c}
	if err := tx.SetPasswordHash(ctx, who, ""); err != nil {
		return err
	}
	keys, err := tx.Passkeys(ctx, who)
	if err != nil {
		return err
	}
	for i := range keys {
		if err := tx.RemovePasskey(ctx, who, keys[i].ID); err != nil {
			return err
		}
	}
	if err := tx.ForgetDevices(ctx, who); err != nil {
		return err
	}
	if _, err := tx.EndSessions(ctx, c, 0, 0, "the address changed"); err != nil {
		return err
	}
	if err := tx.EndTokens(ctx, c, 0, ""); err != nil {
		return err
	}
	return tx.EndHandshakes(ctx, c)
}

// noteContact writes down what of a contact's changes bears on rights, if
// anything does.
func (a *App) noteContact(ctx context.Context, tx *store.Tx, kind portal.AuditKind, id portal.ContactID, changes []Change) error {
	some, err := bearing(ctx, tx, changes)
	if err != nil || len(some) == 0 {
		return err
	}
	return a.note(ctx, tx, kind, 0, portal.AboutContact(id), some...)
}

// apply writes what a command says into c and tells what that changed. All
// problems come at once.
func (in *ContactInput) apply(ctx context.Context, a *App, tx *store.Tx, c *portal.Contact) ([]Change, error) {
	var changes []Change
	var problems []error
	set := func(field string, to *string, typed *string, read func(field, s string) (string, error)) {
		if typed == nil {
			return
		}
		next, err := read(field, *typed)
		switch {
		case err != nil:
			problems = append(problems, err)
		case next != *to:
			changes = append(changes, Change{field, *to, next})
			*to = next
		}
	}
	set("email", &c.Email, in.Email, email)
	set("name", &c.Name, in.Name, line)
	set("member-email", &c.MemberEmail, in.MemberEmail, optionalEmail)
	set("language", &c.Language, in.Language, a.language)
	set("time-zone", &c.TimeZone, in.TimeZone, zoneName)
	if in.Notify != nil && *in.Notify != cmp.Or(c.Notify, portal.NotifyAll) {
		changes = append(changes, Change{"notify", c.Notify.String(), in.Notify.String()})
		c.Notify = *in.Notify
		if err := notifyChanged(ctx, tx, c); err != nil {
			return nil, err
		}
	}
	next, more, err := properties(c.Properties, in.Properties)
	if err != nil {
		problems = append(problems, err)
	} else if len(more) > 0 {
		c.Properties = next
		changes = append(changes, more...)
	}
	more, err = in.applyCompanies(ctx, tx, c)
	if err != nil {
		problems = append(problems, err)
	}
	return append(changes, more...), errors.Join(problems...)
}

func optionalEmail(field, s string) (string, error) {
	if strings.TrimSpace(s) == "" {
		return "", nil
	}
	return email(field, s)
}

func (in *ContactInput) applyCompanies(ctx context.Context, tx *store.Tx, c *portal.Contact) ([]Change, error) {
	before, err := companyNames(ctx, tx, c)
	if err != nil {
		return nil, err
	}
	if in.Companies != nil {
		c.Companies, c.Primary = nil, 0
		for _, n := range *in.Companies {
			if strings.TrimSpace(n) == "" {
				continue
			}
			company, err := companyNamed(ctx, tx, n)
			if err != nil {
				return nil, err
			}
			if !c.In(company.ID) {
				c.Companies = append(c.Companies, company.ID)
			}
		}
		if len(c.Companies) > 0 {
			c.Primary = c.Companies[0]
		}
	}
	if in.Primary != nil {
		if strings.TrimSpace(*in.Primary) == "" {
			c.Primary = 0
		} else {
			company, err := companyNamed(ctx, tx, *in.Primary)
			if err != nil {
				return nil, err
			}
			if !c.In(company.ID) {
				c.Companies = append(c.Companies, company.ID)
			}
			c.Primary = company.ID
		}
	}
	after, err := companyNames(ctx, tx, c)
	if err != nil || slices.Equal(before, after) {
		return nil, err
	}
	return []Change{{"company", strings.Join(before, ", "), strings.Join(after, ", ")}}, nil
}

// companyNames names the contact's companies, sorted, the primary marked, so
// that two sets can be compared and shown.
func companyNames(ctx context.Context, tx *store.Tx, c *portal.Contact) ([]string, error) {
	var names []string
	for _, id := range c.Companies {
		company, err := tx.Company(ctx, id)
		if err != nil {
			return nil, err
		}
		if id == c.Primary {
			names = append(names, company.Name+" (primary)")
		} else {
			names = append(names, company.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// RemoveContact removes a contact who opened no ticket, with sessions, links
// and memberships.
func (a *App) RemoveContact(ctx context.Context, address string) (c *portal.Contact, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if c, err = contactWith(ctx, tx, "email", address); err != nil {
			return err
		}
		viewer := operatorViewer()
		n, err := tx.CountTickets(ctx, &viewer, store.TicketFilter{Requester: c.ID}, 1)
		if err != nil {
			return err
		}
		if n > 0 {
			return portal.Conflictf("contact.has_tickets", "%s has opened tickets, which would lose their requester", c.Email).
				WithHint("`portalctl members disable %s` keeps the contact out and the tickets whole", c.Email)
		}
		if err := tx.RemoveContact(ctx, c.ID); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditContactRemoved, 0, portal.AboutContact(c.ID), Change{Field: "email", From: c.Email})
	})
	return c, err
}
