package store

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Mentions are the places where other people's words, or settings, hold a
// contact's name or address. Erasing leaves them as they are: they are not the
// contact's own, and only somebody who reads them can say what to do.
type Mentions struct {
	Tickets  []portal.TicketNumber // in messages, subjects and file names of others
	Contacts []string              // addresses of contacts whose properties hold it
	Groups   []string              // access groups by rule
	Portals  []string              // whose settings hold it
	Agent    bool                  // an agent has the address
}

// Any reports whether there is one.
func (m *Mentions) Any() bool {
	return len(m.Tickets)+len(m.Contacts)+len(m.Groups)+len(m.Portals) > 0 || m.Agent
}

// shortestName is how many letters a name has at least that is looked for in
// texts: a shorter one stands in every other word.
const shortestName = 5

// MentionsOf looks for a contact's addresses and name where somebody else put
// them. It reads every text, so it takes time in proportion to the store.
func (tx *Tx) MentionsOf(ctx context.Context, c *portal.Contact) (*Mentions, error) {
	words := addressesOf(c)
	if utf8.RuneCountInString(c.Name) >= shortestName {
		words = append(words, c.Name)
	}
	m := &Mentions{}
	for _, word := range words {
		if err := tx.mentionsOf(ctx, c, "%"+likeText(word)+"%", m); err != nil {
			return nil, err
		}
	}
	if err := tx.calledBy(ctx, c, m); err != nil {
		return nil, err
	}
	slices.Sort(m.Tickets)
	m.Tickets = slices.Compact(m.Tickets)
	for _, names := range []*[]string{&m.Contacts, &m.Groups, &m.Portals} {
		slices.SortFunc(*names, strings.Compare)
		*names = slices.Compact(*names)
	}
	var err error
	m.Agent, err = tx.exists(ctx, `SELECT 1 FROM agent WHERE email = $1 OR email = $2`, words[0], addressesOf(c)[len(addressesOf(c))-1])
	return m, err
}

func (tx *Tx) mentionsOf(ctx context.Context, c *portal.Contact, pattern string, m *Mentions) error {
	tickets, err := list(ctx, tx, `SELECT ticket FROM message WHERE body LIKE $2 ESCAPE '\' AND coalesce(contact_id, 0) <> $1
			AND NOT (contact_id IS NULL AND agent_id IS NULL AND ticket IN (SELECT number FROM ticket WHERE contact_id = $1)
				AND lower(author) IN (lower($3), $4, $5))
		UNION SELECT t.number FROM ticket t WHERE t.contact_id <> $1 AND (t.subject LIKE $2 ESCAPE '\' OR t.fields LIKE $2 ESCAPE '\')
		UNION SELECT f.ticket FROM file f JOIN message m ON m.id = f.message_id
			WHERE f.name LIKE $2 ESCAPE '\' AND coalesce(m.contact_id, 0) <> $1`,
		[]any{c.ID, pattern, c.Name, c.Email, c.RegistrationEmail()},
		func(r row) (n portal.TicketNumber, err error) { return n, r.Scan(&n) })
	if err != nil {
		return err
	}
	m.Tickets = append(m.Tickets, tickets...)
	for _, place := range []struct {
		query string
		names *[]string
	}{
		{`SELECT email FROM contact WHERE id <> $1 AND properties LIKE $2 ESCAPE '\'`, &m.Contacts},
		{`SELECT name FROM access_group WHERE $1 > 0 AND rules LIKE $2 ESCAPE '\'`, &m.Groups},
		{`SELECT name FROM portal WHERE $1 > 0 AND (tickets LIKE $2 ESCAPE '\' OR access LIKE $2 ESCAPE '\')`, &m.Portals},
	} {
		names, err := list(ctx, tx, place.query, []any{c.ID, pattern}, func(r row) (s string, err error) { return s, r.Scan(&s) })
		if err != nil {
			return err
		}
		*place.names = append(*place.names, names...)
	}
	return nil
}

// shortestPart is how many letters a part of a name has at least.
const shortestPart = 3

// calledBy looks for single parts of the name, such as the first, among people
// who know the contact: in messages of others to tickets the contact takes
// part in and to those of the contact's companies. Elsewhere the same name is
// somebody else's.
func (tx *Tx) calledBy(ctx context.Context, c *portal.Contact, m *Mentions) error {
	for _, name := range strings.Fields(c.Name) {
		if utf8.RuneCountInString(name) < shortestPart {
			continue
		}
		err := tx.each(ctx, `SELECT m.ticket, m.body FROM message m WHERE m.body LIKE $2 ESCAPE '\' AND coalesce(m.contact_id, 0) <> $1
			AND m.ticket IN (SELECT number FROM ticket WHERE contact_id = $1
				UNION SELECT ticket FROM participant WHERE contact_id = $1
				UNION SELECT t.number FROM ticket t JOIN contact_company cc ON cc.company_id = t.company_id WHERE cc.contact_id = $1)`,
			[]any{c.ID, "%" + likeText(name) + "%"}, func(r row) (more bool, err error) {
				var n portal.TicketNumber
				var body string
				if err := r.Scan(&n, &body); err != nil {
					return false, err
				}
				if hasWord(body, name) {
					m.Tickets = append(m.Tickets, n)
				}
				return true, nil
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// hasWord reports whether a text has a word, in any case.
func hasWord(text, word string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '\'' }),
		func(s string) bool { return strings.EqualFold(s, word) })
}
