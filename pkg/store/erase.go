package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Erasing takes somebody out of the store for good. What others need stays and
// says nothing of them any more: a ticket keeps its number, its status and
// what everybody else wrote. ErasePlaces says what becomes of each column.

// Eraser is what erasing somebody needs to know.
type Eraser struct {
	Name string // stands where their name stood
	Text string // stands where they wrote something
	// Mark recognises the address again, so that erasing twice can say so. It
	// must not tell the address to anybody who reads the store.
	Mark []byte
	// Counters are the keys of limits that count what they did.
	Counters []string
}

// Erased is what erasing somebody did.
type Erased struct {
	Contact      portal.Contact        // what is left of them
	Open         []portal.TicketNumber // tickets of theirs that somebody still has to answer
	Places       map[string]int        // how many rows of each table were removed or replaced
	Messages     int                   // of theirs, replaced
	Files        []string              // the hashes of files they sent; other messages may have the same
	Tickets      int                   // that they took part in
	MailsWaiting int                   // that will not be sent any more
}

// erasedEmail stands for the address of somebody erased. RFC 2606 keeps
// .invalid free, so no mail can go there and nobody can prove that it is
// theirs.
func erasedEmail(id portal.ContactID) string { return fmt.Sprintf("erased-%d@erased.invalid", id) }

// ErasedBefore returns contacts who were erased and had the address with this
// mark, the last first.
func (tx *Tx) ErasedBefore(ctx context.Context, mark []byte) ([]portal.Contact, error) {
	return list(ctx, tx, `SELECT `+contactColumns+` FROM contact c WHERE c.erased_mark = $1 ORDER BY c.erased_at DESC, c.id DESC`,
		[]any{mark}, scanContact)
}

// EraseContact takes a contact out of every table. Their row stays under
// another address, because their tickets name it; nobody can sign in as it.
// The caller removes the files and calls Scrub when it is all on disk.
func (tx *Tx) EraseContact(ctx context.Context, c *portal.Contact, e Eraser) (*Erased, error) {
	if c.Erased() {
		return nil, noContact()
	}
	// What is deleted must not lie readable in the free parts of pages.
	if err := tx.do(ctx, `PRAGMA secure_delete = 1`); err != nil {
		return nil, err
	}
	defer func() { _ = tx.do(ctx, `PRAGMA secure_delete = 0`) }() // only costs time when it stays on
	done := &Erased{Places: map[string]int{}}
	for _, step := range []func(context.Context, *portal.Contact, *Eraser, *Erased) error{
		tx.eraseTickets, tx.eraseMentions, tx.eraseMails, tx.eraseIncoming, tx.eraseRows, tx.eraseContact,
	} {
		if err := step(ctx, c, &e, done); err != nil {
			return nil, err
		}
	}
	slices.Sort(done.Files)
	done.Files = slices.Compact(done.Files)
	left, err := tx.Contact(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	done.Contact = *left
	return done, nil
}

// eraseTickets replaces what they wrote in tickets, one after the other, so
// that somebody with thousands takes no more memory than with one.
func (tx *Tx) eraseTickets(ctx context.Context, c *portal.Contact, e *Eraser, done *Erased) error {
	numbers, err := list(ctx, tx, `SELECT number FROM ticket WHERE contact_id = $1
		UNION SELECT ticket FROM participant WHERE contact_id = $1
		UNION SELECT ticket FROM message WHERE contact_id = $1
		UNION SELECT ticket FROM event WHERE contact_id = $1 AND kind = 'created' ORDER BY 1`, []any{c.ID},
		func(r row) (n portal.TicketNumber, err error) { return n, r.Scan(&n) })
	if err != nil {
		return err
	}
	if err := tx.counted(ctx, done, "participant", `DELETE FROM participant WHERE contact_id = $1`, c.ID); err != nil {
		return err
	}
	for _, n := range numbers {
		t, err := tx.Ticket(ctx, n)
		if err != nil {
			return err
		}
		if err := tx.eraseTicket(ctx, c, e, done, t); err != nil {
			return fmt.Errorf("erase from ticket %s: %w", n, err)
		}
	}
	done.Tickets = len(numbers)
	return nil
}

func (tx *Tx) eraseTicket(ctx context.Context, c *portal.Contact, e *Eraser, done *Erased, t *portal.Ticket) error {
	mine := t.Requester == c.ID
	if mine && t.Status != portal.Closed {
		done.Open = append(done.Open, t.Number)
	}
	messages, err := list(ctx, tx, `SELECT id, coalesce(contact_id, 0), coalesce(agent_id, 0), author FROM message WHERE ticket = $1`, []any{t.Number},
		func(r row) (m portal.Message, err error) {
			return m, r.Scan(&m.ID, &m.Contact, &m.Agent, &m.AuthorName)
		})
	if err != nil {
		return err
	}
	for _, m := range messages {
		// An import may have known the author by name only.
		named := m.Contact == 0 && m.Agent == 0 && names(c, m.AuthorName)
		if m.Contact != c.ID && !named {
			continue
		}
		if err := tx.eraseMessage(ctx, e, done, &m, named); err != nil {
			return err
		}
	}
	if err := tx.eraseQuoted(ctx, done, t.Number); err != nil {
		return err
	}
	wrote, err := tx.wroteSubject(ctx, c.ID, t)
	if err != nil {
		return err
	}
	if mine {
		t.RatingText = ""
	}
	if wrote {
		t.Subject = e.Text
		for key := range t.Fields {
			if key != fieldFollows {
				t.Fields[key] = e.Text
			}
		}
		done.Places["ticket"]++
	}
	if _, err := tx.exec(ctx, `UPDATE ticket SET subject = $2, fields = $3, rating_text = $4, file_count =
			(SELECT count(*) FROM file f JOIN message m ON m.id = f.message_id WHERE f.ticket = $1 AND m.kind = 'public')
		WHERE number = $1`, t.Number, t.Subject, mapJSON(t.Fields), t.RatingText); err != nil {
		return err
	}
	return tx.reindex(ctx, t)
}

// fieldFollows names another ticket, and so nothing of anybody.
const fieldFollows = "follows"

// wroteSubject reports whether the ticket's subject and fields are the
// contact's words: whoever opened it wrote them.
func (tx *Tx) wroteSubject(ctx context.Context, c portal.ContactID, t *portal.Ticket) (bool, error) {
	by := portal.Actor{}
	_, err := tx.one(ctx, `SELECT contact_id, agent_id FROM event WHERE ticket = $1 AND kind = 'created' ORDER BY id LIMIT 1`, []any{t.Number},
		func(r row) error { return r.Scan(refInto(&by.Contact), refInto(&by.Agent)) })
	if by.Contact != 0 || by.Agent != 0 {
		return by.Contact == c, err
	}
	return t.Requester == c, err
}

func (tx *Tx) eraseMessage(ctx context.Context, e *Eraser, done *Erased, m *portal.Message, named bool) error {
	author := ""
	if named {
		author = e.Name
	}
	if err := tx.do(ctx, `UPDATE message SET body = $2, quoted = '', format = 'text', author = $3, external_id = '' WHERE id = $1`, m.ID, e.Text, author); err != nil {
		return err
	}
	hashes, err := list(ctx, tx, `DELETE FROM file WHERE message_id = $1 RETURNING sha256`, []any{m.ID},
		func(r row) (hash string, err error) { return hash, r.Scan(&hash) })
	done.Places["message"]++
	done.Places["file"] += len(hashes)
	done.Messages++
	done.Files = append(done.Files, hashes...)
	return err
}

// eraseQuoted takes out what mail in a ticket quotes, whoever sent it: their
// program has copied there what the erased wrote. The sources of such mail go
// with it; those of mail that became no message go in their time.
func (tx *Tx) eraseQuoted(ctx context.Context, done *Erased, n portal.TicketNumber) error {
	if err := tx.counted(ctx, done, "message", `UPDATE message SET quoted = '' WHERE ticket = $1 AND quoted <> ''`, n); err != nil {
		return err
	}
	hashes, err := list(ctx, tx, `UPDATE incoming SET kept_until = NULL
		WHERE ticket = $1 AND ticket IS NOT NULL AND message_id IS NOT NULL AND kept_until IS NOT NULL RETURNING sha256`, []any{n},
		func(r row) (hash string, err error) { return hash, r.Scan(&hash) })
	done.Files = append(done.Files, hashes...)
	return err
}

// names reports whether a name that stands alone is the contact's: their name
// or one of their addresses.
func names(c *portal.Contact, name string) bool {
	if name = strings.TrimSpace(name); name == "" {
		return false
	}
	return slices.ContainsFunc([]string{c.Name, c.Email, c.MemberEmail}, func(s string) bool { return strings.EqualFold(s, name) })
}

// eraseMentions replaces their name where a column of its own holds it, in
// whichever ticket.
func (tx *Tx) eraseMentions(ctx context.Context, c *portal.Contact, e *Eraser, done *Erased) error {
	if err := tx.counted(ctx, done, "event", `UPDATE event SET
			from_value = CASE from_value WHEN '' THEN '' ELSE $2 END, to_value = CASE to_value WHEN '' THEN '' ELSE $2 END
		WHERE about_id = $1`, c.ID, e.Name); err != nil {
		return err
	}
	for _, address := range addressesOf(c) {
		if err := tx.counted(ctx, done, "event", `UPDATE event SET
				from_value = CASE lower(from_value) WHEN $1 THEN $2 ELSE from_value END,
				to_value = CASE lower(to_value) WHEN $1 THEN $2 ELSE to_value END
			WHERE lower(from_value) = $1 OR lower(to_value) = $1`, address, e.Name); err != nil {
			return err
		}
		if err := tx.counted(ctx, done, "message", `UPDATE message SET author = $2
			WHERE contact_id IS NULL AND agent_id IS NULL AND instr(lower(author), $1) > 0`, address, e.Name); err != nil {
			return err
		}
		if err := tx.counted(ctx, done, "message", `UPDATE message SET quoted = ''
			WHERE quoted <> '' AND instr(lower(quoted), $1) > 0`, address); err != nil {
			return err
		}
	}
	return nil
}

// addressesOf are the addresses by which a contact is known, in lower case.
func addressesOf(c *portal.Contact) []string {
	if c.MemberEmail == "" || c.MemberEmail == c.Email {
		return []string{c.Email}
	}
	return []string{c.Email, c.MemberEmail}
}

// eraseMails takes back mail to them and forgets what was sent. Mail that
// would tell others of what they wrote is not sent: it would tell of nothing.
func (tx *Tx) eraseMails(ctx context.Context, c *portal.Contact, _ *Eraser, done *Erased) error {
	const theirs = `(contact_id = $1 OR recipient = $2 OR recipient = $3)`
	args := []any{c.ID, c.Email, addressesOf(c)[len(addressesOf(c))-1]}
	err := tx.value(ctx, &done.MailsWaiting, `SELECT count(*) FROM outbox WHERE `+theirs+` AND `+unsent, args...)
	if err != nil {
		return err
	}
	if err := tx.counted(ctx, done, "outbox", `DELETE FROM outbox WHERE `+theirs, args...); err != nil {
		return err
	}
	return tx.do(ctx, `UPDATE outbox SET dropped_at = $2, lease_until = NULL, last_error = 'who wrote the message was erased'
		WHERE message_id IN (SELECT id FROM message WHERE contact_id = $1) AND `+unsent, c.ID, stamp(tx.Now))
}

// eraseIncoming removes the lines of mail they sent, and its sources.
func (tx *Tx) eraseIncoming(ctx context.Context, c *portal.Contact, _ *Eraser, done *Erased) error {
	hashes, err := list(ctx, tx, `DELETE FROM incoming WHERE contact_id = $1 OR sender = $2 OR sender = $3 RETURNING sha256`,
		[]any{c.ID, c.Email, addressesOf(c)[len(addressesOf(c))-1]}, func(r row) (hash string, err error) { return hash, r.Scan(&hash) })
	done.Places["incoming"] += len(hashes)
	done.Files = append(done.Files, hashes...)
	return err
}

// eraseRows removes the rows that are about nobody else.
func (tx *Tx) eraseRows(ctx context.Context, c *portal.Contact, e *Eraser, done *Erased) error {
	for _, table := range []string{
		"contact_company", "group_contact", "member", "credential", "passkey_user", "passkey", "second_factor", "recovery_code",
		"identity", "handshake", "device", "token", "session", "consent", "read_mark", "draft",
	} {
		if err := tx.counted(ctx, done, table, `DELETE FROM `+table+` WHERE contact_id = $1`, c.ID); err != nil {
			return err
		}
	}
	for _, address := range addressesOf(c) {
		if err := tx.counted(ctx, done, "token", `DELETE FROM token WHERE email = $1`, address); err != nil {
			return err
		}
		// What a browser began before anybody knew whose it is.
		if err := tx.counted(ctx, done, "handshake", `DELETE FROM handshake WHERE instr(lower(CAST(data AS TEXT)), $1) > 0`, address); err != nil {
			return err
		}
		if err := tx.counted(ctx, done, "counter", `DELETE FROM counter WHERE key LIKE $1 ESCAPE '\'`, "%:"+likeText(address)); err != nil {
			return err
		}
		if err := tx.counted(ctx, done, "desk_draft", `DELETE FROM desk_draft WHERE key = 'new' AND instr(lower(form), $1) > 0`, address); err != nil {
			return err
		}
	}
	for _, key := range e.Counters {
		if err := tx.counted(ctx, done, "counter", `DELETE FROM counter WHERE key = $1`, key); err != nil {
			return err
		}
	}
	tx.forgetMoves(c.ID)
	return nil
}

func (tx *Tx) eraseContact(ctx context.Context, c *portal.Contact, e *Eraser, done *Erased) error {
	return tx.counted(ctx, done, "contact", `UPDATE contact SET email = $2, name = $3, name_key = $4, member_email = '', proven = '', language = '', time_zone = '',
			properties = '{}', external_id = '', notify = 'all', bounced = '', bounced_at = NULL, bounced_why = '', updated_at = $5, erased_at = $5, erased_mark = $6 WHERE id = $1`,
		c.ID, erasedEmail(c.ID), e.Name, fold(e.Name), stamp(tx.Now), e.Mark)
}

// counted runs a statement and counts what it changed.
func (tx *Tx) counted(ctx context.Context, done *Erased, table, query string, args ...any) error {
	n, err := tx.exec(ctx, query, args...)
	done.Places[table] += int(n)
	return err
}

// likeText is text as it stands in a LIKE pattern, with ESCAPE '\'.
func likeText(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
