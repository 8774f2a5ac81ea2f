package app

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/mail/incoming"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

var erasing = EraseOptions{Words: func(language string) (string, string) { return "[erased " + language + "]", "[gone]" }}

func (w *world) erase(address string, o EraseOptions) *Erasure {
	w.t.Helper()
	done, err := w.EraseContact(w.t.Context(), address, o)
	if err != nil {
		w.t.Fatalf("erase %s: %v", address, err)
	}
	return done
}

// raw opens the store past its own package, for what only a test writes or
// looks at.
func (w *world) raw() *sql.DB {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(w.store.Path())+"?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { db.Close() })
	return db
}

// everything is what a store and its files hold, as bytes: each value of each
// table by its place, the words of the search index, the database file, its
// log and the files.
func (w *world) everything() map[string][]byte {
	w.t.Helper()
	ctx, db, all := w.t.Context(), w.raw(), map[string][]byte{}
	_, err := db.ExecContext(ctx, "CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab (main, message_search, row)")
	if err != nil {
		w.t.Fatal(err)
	}
	tables := w.rows(ctx, db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' UNION SELECT 'vocabulary'")
	for _, table := range tables {
		name := string(table[0].value)
		for n, row := range w.rows(ctx, db, `SELECT * FROM "`+name+`"`) {
			for _, c := range row {
				all[fmt.Sprintf("%s.%s of row %d", name, c.column, n+1)] = c.value
			}
		}
	}
	for _, path := range []string{w.store.Path(), w.store.Path() + "-wal"} {
		content, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			w.t.Fatal(err)
		}
		all["the file "+filepath.Base(path)] = content
	}
	err = filepath.WalkDir(w.store.FilesDir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all["the file "+path] = content
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
	return all
}

// remains lists where one of the words still stands, whatever its case.
func remains(all map[string][]byte, words ...string) []string {
	var found []string
	for place, content := range all {
		content = bytes.ToLower(content)
		for _, word := range words {
			if bytes.Contains(content, []byte(strings.ToLower(word))) {
				found = append(found, fmt.Sprintf("%q in %s", word, place))
			}
		}
	}
	slices.Sort(found)
	return found
}

// vocabulary is every word of an author that stands somewhere.
func vocabulary(all map[string][]byte) map[string]bool {
	words := map[string]bool{}
	for _, content := range all {
		for _, word := range authored.FindAll(content, -1) {
			words[string(word)] = true
		}
	}
	return words
}

var authored = regexp.MustCompile(`q(ana|bo|eve|desk)x[a-z]{10}`)

// author makes texts of words that nobody else uses.
type author struct {
	who   string
	rand  *rand.Rand
	words []string
}

func newAuthor(name string, r *rand.Rand) *author { return &author{who: "q" + name + "x", rand: r} }

func (a *author) word() string {
	letters := make([]byte, 10)
	for i := range letters {
		letters[i] = byte('a' + a.rand.IntN(26))
	}
	word := a.who + string(letters)
	a.words = append(a.words, word)
	return word
}

func (a *author) text(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = a.word()
	}
	return strings.Join(words, " ")
}

// secret is as author.word, for bytes.
func (a *author) secret() []byte { return []byte(a.word()) }

// TestNothingIsLeftOfSomebodyErased fills every table at random and looks for
// each word in all of the store after one of its writers was erased.
func TestNothingIsLeftOfSomebodyErased(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 29))
			w := newWorld(t, nil)
			people := []*portal.Contact{w.ana, w.bo, w.eve}
			writers := make([]*author, len(people))
			var tickets []portal.TicketNumber
			for i, c := range people {
				writers[i] = newAuthor(c.Name, r)
				w.rename(c, writers[i])
			}
			for i, c := range people {
				tickets = append(tickets, w.write1(c, writers[i], 3+r.IntN(4))...)
			}
			for range 60 {
				i := r.IntN(len(people))
				w.happen(people[i], writers[i], tickets[r.IntN(len(tickets))], r)
			}
			for i, c := range people {
				w.ownRows(c, writers[i])
				w.mailsOf(c, writers[i], tickets[r.IntN(len(tickets))])
			}
			agents := newAuthor("desk", r)
			for _, n := range tickets {
				if err := w.DeskReply(t.Context(), w.agent.ID, n, Answer{Body: agents.text(3), Note: r.IntN(2) == 0}); err != nil {
					t.Fatal(err)
				}
			}

			victim := r.IntN(len(people))
			before := vocabulary(w.everything())
			for _, word := range writers[victim].words {
				if !before[word] {
					t.Fatalf("%q stands nowhere even before; the test would prove nothing", word)
				}
			}
			gone := people[victim]
			if plan := w.erase(gone.Email, EraseOptions{DryRun: true, Words: erasing.Words}); plan.Messages == 0 {
				t.Errorf("the dry run would replace no message: %+v", plan.Erased)
			}
			w.erase(gone.Email, erasing)
			after := w.everything()
			// Each word of theirs begins alike; so do their name and addresses.
			if left := remains(after, writers[victim].who); len(left) > 0 {
				t.Errorf("%d traces of %s are left:\n%s", len(left), gone.Email, strings.Join(left[:min(len(left), 20)], "\n"))
			}
			if n := len(after["the file portal.db-wal"]); n != 0 {
				t.Errorf("the log still has %d bytes", n)
			}
			// Everybody else's words are all still there.
			now := vocabulary(after)
			for i, other := range append(writers, agents) {
				if i == victim {
					continue
				}
				for _, word := range other.words {
					if !now[word] {
						t.Errorf("%q of somebody else is gone", word)
					}
				}
			}
			if err := w.store.Check(t.Context()); err != nil {
				t.Error(err)
			}
			w.read(func(ctx context.Context, tx *store.Tx) error {
				chain, err := tx.VerifyAudit(ctx)
				if err == nil && len(chain.Breaks) > 0 {
					t.Errorf("the audit log does not hold together any more: %v", chain.Breaks)
				}
				return err
			})
			viewer := operatorViewer()
			for _, word := range writers[victim].words {
				w.read(func(ctx context.Context, tx *store.Tx) error {
					found, err := tx.SearchTickets(ctx, &viewer, 0, word, store.TicketFilter{}, 5)
					if len(found) > 0 {
						t.Errorf("the search for %q finds %v", word, found)
					}
					return err
				})
			}
		})
	}
}

func (w *world) read(fn func(context.Context, *store.Tx) error) {
	w.t.Helper()
	ctx := w.t.Context()
	if err := w.store.Read(ctx, func(tx *store.Tx) error { return fn(ctx, tx) }); err != nil {
		w.t.Fatal(err)
	}
}

// rename gives a contact words of their own in every field.
func (w *world) rename(c *portal.Contact, a *author) {
	c.Name, c.Email, c.MemberEmail = a.text(2), a.word()+"@mail.example", a.word()+"@home.example"
	c.ExternalID, c.Properties = a.word(), map[string]string{"plan": a.text(2)}
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.SaveContact(ctx, c) })
}

// write1 opens tickets with a file in each.
func (w *world) write1(c *portal.Contact, a *author, n int) (tickets []portal.TicketNumber) {
	v := w.as(c)
	for range n {
		number, err := w.OpenTicket(w.t.Context(), v, NewTicket{
			Subject: a.text(3), Body: a.text(20),
			Files: []Upload{{Name: a.word() + ".txt", Content: strings.NewReader(a.text(5))}, {Name: "same.txt", Content: strings.NewReader("the same for everybody")}},
		})
		if err != nil {
			w.t.Fatal(err)
		}
		tickets = append(tickets, number)
		w.write(func(ctx context.Context, tx *store.Tx) error {
			t, err := tx.Ticket(ctx, number)
			if err != nil {
				return err
			}
			t.Fields = map[string]string{"order": a.word()}
			return tx.SaveTicket(ctx, t)
		})
	}
	return tickets
}

// happen does one thing of many to a ticket, as whoever may.
func (w *world) happen(c *portal.Contact, a *author, n portal.TicketNumber, r *rand.Rand) {
	w.write(func(ctx context.Context, tx *store.Tx) error {
		t, err := tx.Ticket(ctx, n)
		if err != nil {
			return err
		}
		switch r.IntN(8) {
		case 0:
			return w.addParticipant(ctx, tx, t, c, portal.ByOperator)
		case 1:
			t.Participants = slices.DeleteFunc(slices.Clone(t.Participants), func(id portal.ContactID) bool { return id == c.ID })
			return saveWithEvent(ctx, tx, t, portal.Event{Kind: portal.EventParticipantRemoved, By: portal.ByOperator, About: c.ID, From: c.ShownName()})
		case 2: // imported, by somebody known by name only
			if t.Requester != c.ID {
				return nil
			}
			return tx.AddMessage(ctx, t, &portal.Message{Kind: portal.Public, AuthorName: c.Name, Body: a.text(4), Format: portal.Plain})
		case 3:
			return tx.AddMessage(ctx, t, &portal.Message{Kind: portal.Public, AuthorName: "via " + c.Email, Body: "forwarded", Format: portal.Plain})
		case 5: // somebody else's mail program quotes what they were sent
			m := &portal.Message{Kind: portal.Note, Agent: w.agent.ID, Body: "quoted", Format: portal.Plain, Quoted: "To: " + c.Email, Via: portal.ByMail}
			if t.Requester != c.ID {
				return tx.AddMessage(ctx, t, m)
			}
			m = &portal.Message{Kind: portal.Note, Agent: w.agent.ID, Body: "quoted", Format: portal.Plain, Quoted: strings.Join(a.words[len(a.words)-5:], " "), Via: portal.ByMail}
			if err := tx.AddMessage(ctx, t, m); err != nil {
				return err
			}
			blob, err := w.store.Files().Add(ctx, "mail", strings.NewReader(fmt.Sprintf("quoted %d\n> %s", m.ID, a.words[len(a.words)-1])), 1<<20)
			if err != nil {
				return err
			}
			return tx.AddLedgerEntry(ctx, &portal.LedgerEntry{
				Source: portal.SourceIngest, Decision: portal.MailAppended, Reason: portal.ReasonNote, Sender: "agent@example.com",
				SHA256: blob.SHA256, Size: blob.Size, Ticket: n, Message: m.ID, Agent: w.agent.ID, KeptUntil: tx.Now.Add(rawKept),
			})
		case 6: // a report that mail to them came back, in the words of their server
			return tx.AddEvent(ctx, &portal.Event{Ticket: n, Kind: portal.EventUndelivered, About: c.ID, From: "550 <" + c.Email + "> unknown", To: c.Name})
		case 4:
			return tx.AddEvent(ctx, &portal.Event{Ticket: n, Kind: portal.EventImported, By: portal.ByOperator, To: c.Email})
		}
		m := &portal.Message{Kind: portal.Public, Contact: c.ID, Body: a.text(1 + r.IntN(200)), Format: portal.Plain}
		return w.addMessage(ctx, tx, t, m, portal.ByContact(c.ID), false, false)
	})
	w.clock.Add(time.Minute)
}

// ownRows writes a row of every other table that can name a contact.
func (w *world) ownRows(c *portal.Contact, a *author) {
	w.t.Helper()
	ctx, now, person := w.t.Context(), w.clock.Now().UnixMilli(), portal.Person{Contact: c.ID}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for _, err := range []error{
			tx.SetPasswordHash(ctx, person, a.word()),
			tx.SetSecondFactor(ctx, person, a.secret(), 1),
			tx.SetRecoveryCodes(ctx, person, [][]byte{a.secret(), a.secret()}),
			tx.AddConsent(ctx, c.ID, w.portal.ID, 1, "en", a.text(3)),
			tx.SaveDraft(ctx, c.ID, "new", map[string]string{"body": a.text(5)}),
			tx.AddToken(ctx, &store.Token{Hash: a.secret(), Kind: store.TokenReset, Portal: w.portal.ID, Contact: c.ID, ReturnTo: "/" + a.word(), ExpiresAt: tx.Now.Add(time.Hour)}),
			tx.AddToken(ctx, &store.Token{Hash: a.secret(), Kind: store.TokenRegister, Portal: w.portal.ID, Email: c.Email, ExpiresAt: tx.Now.Add(time.Hour)}),
			tx.AddHandshake(ctx, &store.Handshake{Hash: a.secret(), Kind: "test", Person: person, Data: a.secret(), ExpiresAt: tx.Now.Add(time.Hour)}),
			tx.AddHandshake(ctx, &store.Handshake{Hash: a.secret(), Kind: "test", Data: []byte(`{"email":"` + c.MemberEmail + `"}`), ExpiresAt: tx.Now.Add(time.Hour)}),
			tx.AddSession(ctx, &store.Session{Hash: a.secret(), Portal: w.portal.ID, Contact: c.ID, UserAgent: a.word(), Address: a.word(), Provider: a.secret(), ExpiresAt: tx.Now.Add(time.Hour)}),
			tx.QueueMail(ctx, &store.Mail{Kind: store.MailReset, Portal: w.portal.ID, Contact: c.ID, Recipient: c.MemberEmail, Data: map[string]string{"return_to": "/" + a.word()}}),
			tx.QueueMail(ctx, &store.Mail{Kind: store.MailRegister, Portal: w.portal.ID, Recipient: c.Email}),
			tx.SaveMember(ctx, &portal.Member{PortalID: w.portal.ID, ContactID: c.ID, Status: portal.Registered, Refusal: a.text(2)}),
		} {
			if err != nil {
				return err
			}
		}
		if _, _, err := tx.MeetDevice(ctx, person, a.secret()); err != nil {
			return err
		}
		e := portal.AuditEntry{Kind: portal.AuditSignIn, By: person.Actor(), About: person.About()}
		e.Address, e.AuditDetail.Agent = a.word(), a.word()
		e.Changes = []portal.AuditChange{{Field: "name", From: a.word(), To: c.Name}}
		if err := tx.AddAudit(ctx, &e); err != nil {
			return err
		}
		strange := portal.AuditEntry{Kind: portal.AuditSignInFailed}
		strange.Email = c.Email
		if err := tx.AddAudit(ctx, &strange); err != nil {
			return err
		}
		for _, key := range append(countersOf(c), "tickets:"+c.Email, "changes:"+c.Email) {
			if _, err := tx.Count(ctx, key, time.Hour); err != nil {
				return err
			}
		}
		return nil
	})
	db := w.raw()
	for _, row := range []struct {
		query string
		args  []any
	}{
		{`INSERT INTO passkey_user (handle, contact_id) VALUES ($1, $2)`, []any{a.secret(), c.ID}},
		{`INSERT INTO passkey (contact_id, host, credential_id, credential, name, created_at) VALUES ($1, 'portal.test', $2, $3, $4, $5)`, []any{c.ID, a.secret(), a.word(), a.word(), now}},
		{`INSERT INTO identity (issuer, subject, contact_id, created_at, last_sign_in_at) VALUES ('https://id.example', $1, $2, $3, $3)`, []any{a.word(), c.ID, now}},
	} {
		if _, err := db.ExecContext(ctx, row.query, row.args...); err != nil {
			w.t.Fatalf("%s: %v", row.query, err)
		}
	}
}

// mailsOf lets somebody send mail: a new matter with a file and a quotation, an
// answer that nobody vouches for, an automatic one; and mail to them comes back.
func (w *world) mailsOf(c *portal.Contact, a *author, n portal.TicketNumber) {
	w.t.Helper()
	w.parse = incoming.Parse
	w.mailWords = func(string) MailWords {
		return MailWords{NoSubject: "-", NoText: "-", TextCut: "-", FilesLeft: func(s string) string { return s }}
	}
	var inbox *portal.Inbox
	back := &store.Mail{Kind: store.MailMessage, Portal: w.portal.ID, Contact: c.ID, Recipient: c.Email, Ticket: n}
	w.write(func(ctx context.Context, tx *store.Tx) (err error) {
		if inbox, err = tx.Inbox(ctx, w.portal.Tickets.InboxID); err != nil {
			return err
		}
		inbox.Mail.TrustedServer = "mx.example.com"
		if err := tx.SaveInbox(ctx, inbox); err != nil {
			return err
		}
		return w.queueMail(ctx, tx, back)
	})
	proof := "Authentication-Results: mx.example.com; dmarc=pass header.from=" + portal.EmailDomain(c.Email) + "\n"
	from := "From: " + a.word() + " <" + c.Email + ">\nTo: support@example.com\nMessage-ID: <" + a.word() + "@example.com>\n"
	about := "[" + n.String() + "] "
	for _, raw := range []string{
		proof + from + "Subject: " + a.word() + "\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n" + a.text(3) +
			"\n\nOn Monday, Ines wrote:\n> " + a.text(2) + "\n\n--b\nContent-Type: text/plain; name=" + a.word() + ".txt\nContent-Disposition: attachment\n\n" + a.text(9) + "\n--b--\n",
		"From: " + c.Email + "\nTo: support@example.com\nCc: " + a.word() + "@example.com\nSubject: " + about + a.word() + "\n\n" + a.text(4) + "\n",
		proof + "From: " + c.Email + "\nAuto-Submitted: auto-replied\nSubject: " + about + a.word() + "\n\n" + a.text(4) + "\n",
		"From: MAILER-DAEMON@mx.example.com\nReturn-Path: <>\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n" +
			"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; " + c.Email + "\nAction: failed\nStatus: 5.1.1\n" +
			"Diagnostic-Code: smtp; 550 " + a.word() + "\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: " + back.HeaderID + "\n\n--b--\n",
	} {
		e, err := w.TakeMail(w.t.Context(), &portal.Arrival{Inbox: inbox.ID, Source: portal.SourceIngest, Raw: []byte(raw), HasEnvelope: true, EnvelopeFrom: c.Email})
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Logf("%s: %s (%s)", c.Email, e.Decision, e.Reason)
	}
}

// cell is one value of a table, as its bytes.
type cell struct {
	column string
	value  []byte
}

// rows reads everything a query gives.
func (w *world) rows(ctx context.Context, db *sql.DB, query string) (all [][]cell) {
	w.t.Helper()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		w.t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			w.t.Fatal(err)
		}
		row := make([]cell, len(columns))
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			row[i] = cell{columns[i], fmt.Append(nil, v)}
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return all
}
