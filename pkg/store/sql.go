package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// conn is one connection with the statements it has prepared. They are kept
// for its life: parsing costs as much as a short query. One goroutine uses it
// at a time.
type conn struct {
	sql   *sql.Conn
	stmts map[string]*sql.Stmt
}

// maxStmts bounds the statements a connection keeps. The texts are composed
// from fixed parts and far fewer; the bound only stops a mistake from growing.
const maxStmts = 400

func newConn(ctx context.Context, db *sql.DB) (*conn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{sql: c, stmts: make(map[string]*sql.Stmt)}, nil
}

func (c *conn) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	if len(c.stmts) >= maxStmts {
		for text, s := range c.stmts {
			s.Close()
			delete(c.stmts, text)
			break
		}
	}
	s, err := c.sql.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = s
	return s, nil
}

// run executes a statement without parameters that is no query of a caller:
// the begin and end of transactions.
func (c *conn) run(ctx context.Context, query string) error {
	s, err := c.stmt(ctx, query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(ctx)
	return err
}

func (c *conn) close() {
	for _, s := range c.stmts {
		s.Close()
	}
	c.sql.Close()
}

// drop throws the connection away instead of handing it back, because nobody
// knows what state it is in.
func (c *conn) drop() *conn {
	_ = c.sql.Raw(func(any) error { return driver.ErrBadConn })
	c.close()
	return nil
}

// prepared returns the statement and the context to run it under. Inside
// Write that context has no end: SQLite answers an interrupt by rolling back
// the whole transaction, which would take the neighbours' work along.
func (tx *Tx) prepared(ctx context.Context, query string) (context.Context, *sql.Stmt, error) {
	if tx.writes {
		ctx = context.WithoutCancel(ctx)
	}
	if tx.broken != nil {
		return ctx, nil, tx.broken
	}
	tx.queries.Add(1)
	s, err := tx.c.stmt(ctx, query)
	return ctx, s, tx.check(err)
}

// check translates a driver's error, and remembers one after which SQLite may
// have ended the transaction.
func (tx *Tx) check(err error) error {
	if err == nil {
		return nil
	}
	if tx.writes && endsTransaction(err) {
		tx.broken = translate(err)
	}
	return translate(err)
}

// exec runs a statement and returns how many rows it changed.
func (tx *Tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	ctx, s, err := tx.prepared(ctx, query)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, tx.check(err)
	}
	return res.RowsAffected()
}

// do runs a statement whose count of changed rows does not matter.
func (tx *Tx) do(ctx context.Context, query string, args ...any) error {
	_, err := tx.exec(ctx, query, args...)
	return err
}

// row is what scan functions read from.
type row interface{ Scan(dest ...any) error }

// one reads the first row; found is false when there is none.
func (tx *Tx) one(ctx context.Context, query string, args []any, scan func(row) error) (found bool, err error) {
	ctx, s, err := tx.prepared(ctx, query)
	if err != nil {
		return false, err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return false, tx.check(err)
	}
	defer rows.Close()
	if rows.Next() {
		found = true
		err = scan(rows)
	}
	if err == nil {
		err = rows.Err()
	}
	if err == nil {
		// A statement with RETURNING has only run when it is closed.
		err = rows.Close()
	}
	return found && err == nil, tx.check(err)
}

// value reads the first column of the first row into dest, which keeps what
// it holds when there is no row.
func (tx *Tx) value(ctx context.Context, dest any, query string, args ...any) error {
	_, err := tx.one(ctx, query, args, func(r row) error { return r.Scan(dest) })
	return err
}

// exists reports whether the query has a row.
func (tx *Tx) exists(ctx context.Context, query string, args ...any) (bool, error) {
	var n int
	return tx.one(ctx, query, args, func(r row) error { return r.Scan(&n) })
}

// list reads every row with scan.
func list[T any](ctx context.Context, tx *Tx, query string, args []any, scan func(row) (T, error)) ([]T, error) {
	ctx, s, err := tx.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return nil, tx.check(err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, tx.check(err)
		}
		all = append(all, v)
	}
	return all, tx.check(rows.Err())
}

// each calls scan for the rows until it wants no more; what is not asked for
// is not computed.
func (tx *Tx) each(ctx context.Context, query string, args []any, scan func(row) (more bool, err error)) error {
	ctx, s, err := tx.prepared(ctx, query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return tx.check(err)
	}
	defer rows.Close()
	for rows.Next() {
		more, err := scan(rows)
		if err != nil {
			return tx.check(err)
		}
		if !more {
			return nil
		}
	}
	return tx.check(rows.Err())
}

// find reads one row with scan, or returns the error that says it is missing.
func find[T any](ctx context.Context, tx *Tx, missing error, query string, args []any, scan func(row) (T, error)) (*T, error) {
	var v T
	found, err := tx.one(ctx, query, args, func(r row) (err error) {
		v, err = scan(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, missing
	}
	return &v, nil
}

// stamp is a time as the store keeps it: milliseconds, NULL for never.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// timeInto scans what stamp wrote.
type timeInto struct{ t *time.Time }

// Scan implements sql.Scanner.
func (d timeInto) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*d.t = time.Time{}
	case int64:
		*d.t = time.UnixMilli(v).UTC()
	default:
		return fmt.Errorf("a time is stored as %T", v)
	}
	return nil
}

// ref is an id as the store keeps it: NULL for none.
func ref[T ~int64](id T) any {
	if id == 0 {
		return nil
	}
	return int64(id)
}

// refInto scans what ref wrote.
func refInto[T ~int64](id *T) sql.Scanner { return idInto[T]{id} }

type idInto[T ~int64] struct{ id *T }

// Scan implements sql.Scanner.
func (d idInto[T]) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*d.id = 0
	case int64:
		*d.id = T(v)
	default:
		return fmt.Errorf("an id is stored as %T", v)
	}
	return nil
}

// jsonOf is a value as JSON text. Only types of portal come here, which
// always encode.
func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// mapJSON is jsonOf for a map that may be nil.
func mapJSON(m map[string]string) string {
	if len(m) == 0 {
		return "{}"
	}
	return jsonOf(m)
}

// jsonInto scans JSON text.
type jsonInto struct{ v any }

// Scan implements sql.Scanner.
func (d jsonInto) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		if v == "{}" {
			return nil
		}
		return json.Unmarshal([]byte(v), d.v)
	default:
		return fmt.Errorf("JSON is stored as %T", v)
	}
}

// flag is a truth as the store keeps it.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// oneChanged turns "no row changed" into the error that says what is missing.
func oneChanged(n int64, err, missing error) error {
	if err == nil && n == 0 {
		return missing
	}
	return err
}

// lax makes destinations keep what they hold when the column is NULL, as in
// a row that joined nothing.
func lax(dest []any) []any {
	for i, d := range dest {
		if _, ok := d.(sql.Scanner); !ok {
			dest[i] = laxInto{d}
		}
	}
	return dest
}

type laxInto struct{ dest any }

// Scan implements sql.Scanner for the kinds of value the schema has.
func (d laxInto) Scan(v any) error {
	to := reflect.ValueOf(d.dest).Elem()
	switch v := v.(type) {
	case nil:
	case string:
		to.SetString(v)
	case []byte:
		to.SetBytes(bytes.Clone(v))
	case int64:
		if to.Kind() == reflect.Bool {
			to.SetBool(v != 0)
		} else {
			to.SetInt(v)
		}
	default:
		return fmt.Errorf("a column is stored as %T", v)
	}
	return nil
}
