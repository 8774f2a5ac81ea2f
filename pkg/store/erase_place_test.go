package store_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// schemaColumn is a column erasing has to have an answer for.
type schemaColumn struct{ table, name string }

// columnsOfPeople are the columns that refer to a contact, are called as if
// they did, or can hold words or bytes.
func columnsOfPeople(t *testing.T, db *sql.DB) []schemaColumn {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '%\_search\_%' ESCAPE '\' AND m.name <> 'goose_db_version'
			AND (c.type NOT IN ('INTEGER', 'REAL') OR c.name LIKE '%contact%' OR EXISTS (SELECT 1 FROM pragma_foreign_key_list(m.name) f
				WHERE f."from" = c.name AND f."table" = 'contact'))`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []schemaColumn
	for rows.Next() {
		var c schemaColumn
		if err := rows.Scan(&c.table, &c.name); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(c.name, "_search") && c.name != "rank" { // FTS5's own
			all = append(all, c)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func openRaw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestErasingHasAnAnswerForEveryColumn(t *testing.T) {
	db := openRaw(t, portaltest.Store(t).Path())
	decided := map[schemaColumn]bool{}
	for _, p := range store.ErasePlaces {
		for name := range strings.FieldsSeq(p.Columns) {
			c := schemaColumn{p.Table, name}
			if decided[c] {
				t.Errorf("%s.%s is decided twice", c.table, c.name)
			}
			decided[c] = true
		}
		if p.Why == "" || !slices.Contains([]store.Fate{store.FateRemoved, store.FateReplaced, store.FateStays, store.FateNothing}, p.Fate) {
			t.Errorf("%s (%s) is %q because %q; say both", p.Table, p.Columns, p.Fate, p.Why)
		}
	}
	there := columnsOfPeople(t, db)
	if len(there) < 60 {
		t.Fatalf("found only %d columns of people: %v", len(there), there)
	}
	for _, c := range there {
		if !decided[c] {
			t.Errorf("%s.%s may hold something of a contact: say in ErasePlaces what erasing does to it, do it in EraseContact, and add it to the random test", c.table, c.name)
		}
		delete(decided, c)
	}
	for c := range decided {
		t.Errorf("ErasePlaces names %s.%s, which the schema does not have", c.table, c.name)
	}
}

// A column nobody has decided on must be noticed, whichever way it refers to a
// contact.
func TestNewColumnsOfPeopleAreNoticed(t *testing.T) {
	db := openRaw(t, portaltest.Store(t).Path())
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE note (id INTEGER PRIMARY KEY, author INTEGER REFERENCES contact (id), text TEXT, size INTEGER) STRICT;
		ALTER TABLE company ADD COLUMN contact_number INTEGER`); err != nil {
		t.Fatal(err)
	}
	there := columnsOfPeople(t, db)
	for _, want := range []schemaColumn{{"note", "author"}, {"note", "text"}, {"company", "contact_number"}} {
		if !slices.Contains(there, want) {
			t.Errorf("%s.%s was not noticed", want.table, want.name)
		}
	}
	if slices.Contains(there, schemaColumn{"note", "size"}) {
		t.Error("note.size holds a number of nobody and was taken for a column of people")
	}
}
