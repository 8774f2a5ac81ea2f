package portaltest

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver, for writing a million rows past the store

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Seeded is a store full of tickets: 50 tickets a contact, 10 contacts a
// company, except that one contact has 1 % and one company 5 % of all
// tickets. Every ticket has two public messages. The same size is the same
// store each time.
type Seeded struct {
	*store.Store
	Tickets, Contacts, Companies int

	Typical   *portal.Viewer // a contact with 50 tickets, company view
	Big       *portal.Viewer // the contact with 1 % of all tickets, who sees only their own
	Colleague *portal.Viewer // somebody of the company with 5 % of all tickets, company view
	Agent     *portal.Viewer
	Inbox     portal.InboxID

	Common, Usual, Rare string // words: in most messages, in some, in few
}

// SeedSize is how many tickets benchmarks run on: PORTALCTL_BENCH_TICKETS, or
// 10,000 so that everyday runs stay short.
func SeedSize(t testing.TB) int {
	t.Helper()
	v := os.Getenv("PORTALCTL_BENCH_TICKETS")
	if v == "" {
		return 10_000
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1000 {
		t.Fatalf("PORTALCTL_BENCH_TICKETS is %q; set it to a number of tickets from 1000", v)
	}
	return n
}

// Seed returns a store of SeedSize tickets; it closes with the test. The file
// is kept and used again when PORTALCTL_BENCH_DIR names a folder; remove it
// when the schema or this generator changes.
func Seed(t testing.TB, o store.Options) *Seeded {
	t.Helper()
	n := SeedSize(t)
	g := newGenerator(n)
	dir, keep := os.Getenv("PORTALCTL_BENCH_DIR"), true
	if dir == "" {
		dir, keep = t.TempDir(), false
	}
	path := filepath.Join(dir, fmt.Sprintf("seed-%d.db", n))
	if _, err := os.Stat(path); !keep || err != nil {
		temp := path + ".new"
		_ = os.Remove(temp)
		if err := g.write(t.Context(), temp); err != nil {
			t.Fatalf("seed %d tickets: %v", n, err)
		}
		if err := os.Rename(temp, path); err != nil {
			t.Fatal(err)
		}
	}
	viewer := func(c int, companies bool) *portal.Viewer {
		v := &portal.Viewer{Contact: portal.ContactID(c), CompanyReply: true, Basis: portal.RulePermitContact}
		if companies {
			v.Companies, v.Basis = []portal.CompanyID{portal.CompanyID(g.companyOf(c))}, portal.RuleCompany
		}
		return v
	}
	agent := portal.AgentViewer(&portal.Agent{ID: 1, Role: portal.RoleAdmin})
	return &Seeded{
		Store: OpenStore(t, path, o), Tickets: n, Contacts: g.contacts, Companies: g.companies,
		Typical: viewer(25, true), Big: viewer(1, false), Colleague: viewer(11, true), Agent: &agent, Inbox: 1,
		Common: g.words[0], Usual: g.words[40], Rare: g.words[4000],
	}
}

type generator struct {
	tickets, contacts, companies int
	words                        []string
	rand                         *rand.Rand
	zipf                         *rand.Zipf
}

func newGenerator(tickets int) *generator {
	r := rand.New(rand.NewPCG(7, 11))
	g := &generator{tickets: tickets, rand: r}
	g.contacts = max(40, tickets/50/10*10)
	g.companies = g.contacts / 10
	g.words = vocabulary(20_000)
	g.zipf = rand.NewZipf(r, 1.07, 4, uint64(len(g.words)-1))
	return g
}

// vocabulary makes words of two to four syllables, each different.
func vocabulary(n int) []string {
	syllables := strings.Fields("ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu bra cle dri flo gru")
	words := make([]string, n)
	for i := range words {
		var b strings.Builder
		for k := i + len(syllables); k > 0; k /= len(syllables) {
			b.WriteString(syllables[k%len(syllables)])
		}
		words[i] = b.String()
	}
	return words
}

func (g *generator) companyOf(contact int) int { return (contact-1)/10 + 1 }

func (g *generator) text(words int) string {
	var b strings.Builder
	for i := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(g.words[g.zipf.Uint64()])
	}
	return b.String()
}

// requester spreads the tickets: contact 1 has 1 % of them, company 2 has
// 5 %, the others share the rest alike.
func (g *generator) requester(i int) int {
	switch p := i % 100; {
	case p == 0:
		return 1
	case p <= 5:
		return 11 + g.rand.IntN(10)
	}
	return 21 + g.rand.IntN(g.contacts-20)
}

// write makes the store at path: rows first, a hundred a statement, then the
// indexes.
func (g *generator) write(ctx context.Context, path string) error {
	s, err := store.Open(ctx, path, store.Options{Create: true})
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-65536)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := g.fill(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "PRAGMA analysis_limit = 1000; ANALYZE; PRAGMA journal_mode(WAL)"); err != nil {
		return err
	}
	return db.Close()
}

func (g *generator) fill(ctx context.Context, tx *sql.Tx) error {
	indexes, err := dropIndexes(ctx, tx)
	if err != nil {
		return err
	}
	const start = 1_700_000_000_000
	_, err = tx.ExecContext(ctx, `INSERT INTO inbox (name, name_key, kind, address, created_at) VALUES ('Support', 'support', 'inbox', 'support@desk.example', $1);
		INSERT INTO agent (email, name, role, created_at) VALUES ('alva@desk.example', 'Alva', 'agent', $1)`, start)
	if err != nil {
		return err
	}
	companies := newRows(ctx, tx, "company (name, name_key, created_at, updated_at)")
	for i := 1; i <= g.companies; i++ {
		name := fmt.Sprintf("Company %d", i)
		companies.add(name, strings.ToLower(name), start, start)
	}
	contacts := newRows(ctx, tx, "contact (email, name, name_key, created_at, updated_at)")
	belongs := newRows(ctx, tx, "contact_company (contact_id, company_id, is_primary)")
	for i := 1; i <= g.contacts; i++ {
		name := fmt.Sprintf("Contact %d", i)
		contacts.add(fmt.Sprintf("contact%d@company%d.example", i, g.companyOf(i)), name, strings.ToLower(name), start, start)
		belongs.add(i, g.companyOf(i), 1)
	}
	tickets := newRows(ctx, tx, "ticket (number, subject, status, priority, category, contact_id, company_id, inbox_id, assignee_id, created_at, updated_at, status_at, closed_at, last_public)")
	participants := newRows(ctx, tx, "participant (ticket, contact_id, updated_at)")
	messages := newRows(ctx, tx, "message (id, ticket, kind, contact_id, agent_id, body, format, at)")
	found := newRows(ctx, tx, "message_search (rowid, scope, subject, body)")
	reads := newRows(ctx, tx, "read_mark (contact_id, ticket, message_id)")
	message := 0
	for i := range g.tickets {
		number, who := i+1001, g.requester(i)
		subject := g.text(3 + g.rand.IntN(4))
		created := int64(start) + int64(i)*60_000
		updated := created + g.rand.Int64N(int64(30*24*time.Hour/time.Millisecond))
		status, closed := portal.Statuses[g.rand.IntN(3)], any(nil)
		if g.rand.IntN(10) < 7 {
			status, closed = portal.Closed, updated
		}
		var assignee any
		if g.rand.IntN(2) == 0 {
			assignee = 1
		}
		scope := fmt.Sprintf("c%d k%d", who, g.companyOf(who))
		if g.rand.IntN(20) == 0 {
			other := (who-1)/10*10 + 1 + g.rand.IntN(10)
			if other != who {
				participants.add(number, other, updated)
				scope += fmt.Sprintf(" c%d", other)
			}
		}
		for m, by := range [][2]any{{who, nil}, {nil, 1}} {
			message++
			body := g.text(10 + g.rand.IntN(30))
			messages.add(message, number, "public", by[0], by[1], body, "text", created+int64(m)*1000)
			found.add(message, scope, subject, body)
		}
		if g.rand.IntN(2) == 0 {
			reads.add(who, number, message)
		}
		tickets.add(number, subject, status, portal.Normal, "", who, g.companyOf(who), 1, assignee, created, updated, updated, closed, message)
	}
	for _, r := range []*rows{companies, contacts, belongs, tickets, participants, messages, found, reads} {
		if err := r.flush(); err != nil {
			return err
		}
	}
	for _, text := range indexes {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// dropIndexes drops every index a CREATE INDEX made and returns how to make
// them again.
func dropIndexes(ctx context.Context, tx *sql.Tx) (texts []string, err error) {
	r, err := tx.QueryContext(ctx, "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var names []string
	for r.Next() {
		var name, text string
		if err := r.Scan(&name, &text); err != nil {
			return nil, err
		}
		names, texts = append(names, name), append(texts, text)
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, err := tx.ExecContext(ctx, `DROP INDEX "`+name+`"`); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// rows collects rows and writes a hundred in one statement.
type rows struct {
	ctx     context.Context // lives as long as one call of fill
	tx      *sql.Tx
	into    string
	columns int
	full    *sql.Stmt
	args    []any
	err     error
}

const rowsAtOnce = 100

func newRows(ctx context.Context, tx *sql.Tx, into string) *rows {
	return &rows{ctx: ctx, tx: tx, into: into, columns: strings.Count(into, ",") + 1}
}

func (r *rows) add(values ...any) {
	r.args = append(r.args, values...)
	if len(r.args) == rowsAtOnce*r.columns {
		r.put()
	}
}

func (r *rows) put() {
	if r.err != nil || len(r.args) == 0 {
		return
	}
	n := len(r.args) / r.columns
	text := func() string {
		one := "(" + strings.Repeat("?, ", r.columns-1) + "?)"
		return "INSERT INTO " + r.into + " VALUES " + strings.Repeat(one+", ", n-1) + one
	}
	switch {
	case n < rowsAtOnce:
		_, r.err = r.tx.ExecContext(r.ctx, text(), r.args...)
	default:
		if r.full == nil {
			if r.full, r.err = r.tx.PrepareContext(r.ctx, text()); r.err != nil {
				return
			}
		}
		_, r.err = r.full.ExecContext(r.ctx, r.args...)
	}
	r.args = r.args[:0]
}

func (r *rows) flush() error {
	r.put()
	return r.err
}
