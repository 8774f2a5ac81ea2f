package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// metaAuditHead keeps the newest entry of the audit log.
const metaAuditHead = "audit_head"

// AddAudit writes an entry at the end of the audit log and sets its ID and At.
func (tx *Tx) AddAudit(ctx context.Context, e *portal.AuditEntry) error {
	head, err := tx.AuditHead(ctx)
	if err != nil {
		return err
	}
	data, err := json.Marshal(e.AuditDetail)
	if err != nil {
		return err
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails; crypto/rand
	e.ID, e.At = head.ID+1, tx.Now
	r := portal.AuditRow{
		ID: e.ID, At: e.At, Kind: e.Kind, By: e.By, Operator: e.Operator, Portal: e.Portal, About: e.About,
		Detail: portal.AuditDetailHash(salt, data),
	}
	hash := r.ChainHash(head.Hash)
	if err := tx.do(ctx, `INSERT INTO audit (id, at, kind, contact_id, agent_id, operator, portal_id, about, detail, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		r.ID, stamp(r.At), r.Kind, r.By.Contact, r.By.Agent, r.Operator, r.Portal, r.About, r.Detail, hash); err != nil {
		return err
	}
	if err := tx.do(ctx, `INSERT INTO audit_detail (id, salt, data) VALUES ($1, $2, $3)`, r.ID, salt, string(data)); err != nil {
		return err
	}
	return tx.SetMeta(ctx, metaAuditHead, portal.AuditHead{ID: r.ID, Hash: hash}.String())
}

// AuditHead is the newest entry that was written, whether or not it is still
// there.
func (tx *Tx) AuditHead(ctx context.Context) (portal.AuditHead, error) {
	text, err := tx.Meta(ctx, metaAuditHead)
	if err != nil {
		return portal.AuditHead{}, err
	}
	h, err := portal.ParseAuditHead(text)
	if err != nil {
		return h, fmt.Errorf("read the head of the audit log: %w", err)
	}
	return h, nil
}

// AuditFilter narrows Audit.
type AuditFilter struct {
	Kinds []portal.AuditKind
	// About are names of things an entry may concern.
	About []string
	// Person finds what a contact or an agent did, and what concerns them.
	Person       portal.Person
	Portal       portal.PortalID // 0: the whole store
	Since, Until time.Time
	Before       portal.AuditID // the last entry of the page before; 0: the newest
	Limit        int            // 0: 50
}

const auditColumns = `a.id, a.at, a.kind, a.contact_id, a.agent_id, a.operator, a.portal_id, a.about, a.detail, a.hash, d.salt, d.data`

func scanAudit(r row) (a portal.AuditRow, err error) {
	var data *string
	err = r.Scan(&a.ID, timeInto{&a.At}, &a.Kind, &a.By.Contact, &a.By.Agent, &a.Operator, &a.Portal, &a.About, &a.Detail, &a.Hash, &a.Salt, &data)
	a.By.Operator = a.By == (portal.Actor{}) && a.Operator != ""
	if data != nil {
		a.Data, a.HasDetail = []byte(*data), true
	}
	return a, err
}

// Audit returns entries, newest first.
func (tx *Tx) Audit(ctx context.Context, f AuditFilter) ([]portal.AuditRow, error) {
	q, err := tx.auditQuery(ctx, f)
	if err != nil {
		return nil, err
	}
	return list(ctx, tx, q.text(), q.args, scanAudit)
}

func (tx *Tx) auditQuery(ctx context.Context, f AuditFilter) (*query, error) {
	start, err := tx.AuditStart(ctx)
	if err != nil {
		return nil, err
	}
	q := newQuery(`SELECT ` + auditColumns + ` FROM audit a LEFT JOIN audit_detail d ON d.id = a.id`)
	q.add(` WHERE a.id > ?`, start.ID)
	if f.Before > 0 {
		q.add(` AND a.id < ?`, f.Before)
	}
	// The index on time gives the bounds; the entries are read by number.
	if !f.Since.IsZero() {
		q.add(` AND a.at >= ? AND a.id >= (SELECT min(id) FROM audit WHERE at >= ?)`, stamp(f.Since), stamp(f.Since))
	}
	if !f.Until.IsZero() {
		q.add(` AND a.at < ? AND a.id <= (SELECT max(id) FROM audit WHERE at < ?)`, stamp(f.Until), stamp(f.Until))
	}
	if len(f.Kinds) > 0 {
		q.add(` AND a.kind IN (`+marks(len(f.Kinds))+`)`, anys(f.Kinds)...)
	}
	if len(f.About) > 0 {
		q.add(` AND a.about IN (`+marks(len(f.About))+`)`, anys(f.About)...)
	}
	if f.Portal != 0 {
		q.add(` AND a.portal_id = ?`, f.Portal)
	}
	switch {
	case f.Person.Contact != 0:
		q.add(` AND (a.contact_id = ? AND a.contact_id <> 0 OR a.about = ? AND a.about <> '')`, f.Person.Contact, f.Person.About())
	case f.Person.Agent != 0:
		q.add(` AND (a.agent_id = ? AND a.agent_id <> 0 OR a.about = ? AND a.about <> '')`, f.Person.Agent, f.Person.About())
	}
	q.add(` ORDER BY a.id DESC LIMIT ?`, limitOr(f.Limit, 50))
	return q, nil
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

func anys[T any](list []T) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = v
	}
	return all
}

// EachAudit calls row for every entry that is kept, oldest first.
func (tx *Tx) EachAudit(ctx context.Context, each func(*portal.AuditRow) error) error {
	start, err := tx.AuditStart(ctx)
	if err != nil {
		return err
	}
	return tx.each(ctx, `SELECT `+auditColumns+` FROM audit a LEFT JOIN audit_detail d ON d.id = a.id WHERE a.id > $1 ORDER BY a.id`,
		[]any{start.ID}, func(r row) (bool, error) {
			a, err := scanAudit(r)
			if err == nil {
				err = each(&a)
			}
			return err == nil, err
		})
}

// AuditStart is the place before the first entry that is kept: what the
// newest act of the retention says, or the very beginning.
func (tx *Tx) AuditStart(ctx context.Context) (portal.AuditHead, error) {
	var start portal.AuditHead
	_, err := tx.one(ctx, `SELECT `+auditColumns+` FROM audit a LEFT JOIN audit_detail d ON d.id = a.id
		WHERE a.kind = $1 ORDER BY a.id DESC LIMIT 1`, []any{portal.AuditPruned}, func(r row) error {
		a, err := scanAudit(r)
		if err != nil {
			return err
		}
		for _, c := range a.Entry().Changes {
			if c.Field == portal.AuditPrunedField {
				// What is no head leaves the start at 0, and the walk finds
				// the changed entry.
				start, _ = portal.ParseAuditHead(c.To)
			}
		}
		return nil
	})
	return start, err
}

// VerifyAudit walks the audit log as it is and as heads noted elsewhere say
// it was. It reads entry by entry, whatever their number.
func (tx *Tx) VerifyAudit(ctx context.Context, heads ...portal.AuditHead) (*portal.AuditChain, error) {
	start, err := tx.AuditStart(ctx)
	if err != nil {
		return nil, err
	}
	head, err := tx.AuditHead(ctx)
	if err != nil {
		return nil, err
	}
	chain := portal.NewAuditChain(start, append(slices.Clone(heads), head)...)
	err = tx.EachAudit(ctx, func(r *portal.AuditRow) error {
		chain.Add(r)
		return nil
	})
	chain.End()
	return chain, err
}

// EraseAuditDetails takes away the details of every entry by or about a
// contact, and of those that name one of their addresses, and writes down
// which. Call it while the contact's row still has its addresses.
func (tx *Tx) EraseAuditDetails(ctx context.Context, contact portal.ContactID) (int, error) {
	ids, err := tx.auditOf(ctx, contact)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	for _, part := range portal.ParseAuditRanges(portal.FormatAuditRanges(ids)) {
		if err := tx.do(ctx, `DELETE FROM audit_detail WHERE id BETWEEN $1 AND $2`, part[0], part[1]); err != nil {
			return 0, err
		}
	}
	e := &portal.AuditEntry{Kind: portal.AuditErased, About: portal.AboutContact(contact)}
	e.Changes = []portal.AuditChange{{Field: portal.AuditErasedField, To: portal.FormatAuditRanges(ids)}}
	return len(ids), tx.AddAudit(ctx, e)
}

// auditOf returns the entries whose details say something about a contact,
// by number. Records of the log itself are never among them.
func (tx *Tx) auditOf(ctx context.Context, contact portal.ContactID) ([]portal.AuditID, error) {
	c, err := tx.Contact(ctx, contact)
	if err != nil {
		return nil, err
	}
	words := []string{c.Email, c.RegistrationEmail()}
	var ids []portal.AuditID
	own, err := list(ctx, tx, `SELECT `+auditColumns+` FROM audit a JOIN audit_detail d ON d.id = a.id
		WHERE a.contact_id = $1 AND a.contact_id <> 0 OR a.about = $2 AND a.about <> ''`, []any{contact, portal.AboutContact(contact)}, scanAudit)
	if err != nil {
		return nil, err
	}
	for i := range own {
		if ofTheLog(own[i].Kind) {
			continue
		}
		ids = append(ids, own[i].ID)
		// Addresses they had before are theirs as well.
		for _, change := range own[i].Entry().Changes {
			if (change.Field == "email" || change.Field == "member-email") && own[i].About == portal.AboutContact(contact) {
				words = append(words, change.From, change.To)
			}
		}
	}
	slices.Sort(words)
	for _, word := range slices.Compact(words) {
		if word == "" {
			continue
		}
		named, err := tx.auditNaming(ctx, word)
		if err != nil {
			return nil, err
		}
		ids = append(ids, named...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// auditNaming returns entries whose detail holds a word by itself. It reads
// them all, which only erasing does.
func (tx *Tx) auditNaming(ctx context.Context, word string) ([]portal.AuditID, error) {
	text := strings.Trim(jsonOf(word), `"`)
	rows, err := list(ctx, tx, `SELECT `+auditColumns+` FROM audit_detail d JOIN audit a ON a.id = d.id WHERE d.data LIKE $1 ESCAPE '\'`,
		[]any{part(text)}, scanAudit)
	var ids []portal.AuditID
	for i := range rows {
		e := rows[i].Entry()
		texts := []string{e.Email}
		for _, c := range e.Changes {
			texts = append(texts, c.From, c.To)
		}
		if !ofTheLog(e.Kind) && holdsWord(strings.ToLower(strings.Join(texts, "\n")), strings.ToLower(word)) {
			ids = append(ids, e.ID)
		}
	}
	return ids, err
}

// ofTheLog reports an entry whose detail the chain is checked with.
func ofTheLog(kind portal.AuditKind) bool {
	return kind == portal.AuditErased || kind == portal.AuditPruned || kind == portal.AuditRetention
}

// holdsWord reports whether word stands in text with nothing of an address
// around it.
func holdsWord(text, word string) bool {
	ofAddress := func(b byte) bool {
		return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b >= 0x80 || strings.IndexByte("!#$%&'*+-/=?^_`{|}~.@", b) >= 0
	}
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(word)
		if (i == 0 || !ofAddress(text[i-1])) && (end == len(text) || !ofAddress(text[end])) {
			return true
		}
		from = i + 1
	}
}

// MarkPruned notes that entries older than before may be removed, and returns
// how many those are. Their removal is an entry of its own, which holds the
// hash of the last of them, so that the chain is whole from there on.
func (tx *Tx) MarkPruned(ctx context.Context, before time.Time, by *portal.AuditEntry) (n int64, err error) {
	start, err := tx.AuditStart(ctx)
	if err != nil {
		return 0, err
	}
	through := portal.AuditHead{}
	// Only from the old end: whatever follows an entry that is kept stays too.
	_, err = tx.one(ctx, `SELECT a.id, a.hash FROM audit a WHERE a.id > $1
		AND a.id < coalesce((SELECT min(id) FROM audit WHERE id > $1 AND at >= $2), (SELECT max(id) + 1 FROM audit))
		ORDER BY a.id DESC LIMIT 1`, []any{start.ID, stamp(before)}, func(r row) error {
		return r.Scan(&through.ID, &through.Hash)
	})
	if err != nil || through.ID == 0 {
		return 0, err
	}
	by.Kind, by.About = portal.AuditPruned, fmt.Sprintf("audit:%d", through.ID)
	by.Changes = []portal.AuditChange{{Field: portal.AuditPrunedField, To: through.String()}}
	return int64(through.ID - start.ID), tx.AddAudit(ctx, by)
}

// Prune removes at most limit entries that MarkPruned has named, oldest
// first, and returns how many.
func (tx *Tx) Prune(ctx context.Context, limit int) (int64, error) {
	start, err := tx.AuditStart(ctx)
	if err != nil || start.ID == 0 {
		return 0, err
	}
	var last portal.AuditID
	err = tx.value(ctx, &last, `SELECT coalesce(max(id), 0) FROM (SELECT id FROM audit WHERE id <= $1 ORDER BY id LIMIT $2) AS old`, start.ID, limit)
	if err != nil || last == 0 {
		return 0, err
	}
	if err := tx.do(ctx, `DELETE FROM audit_detail WHERE id <= $1`, last); err != nil {
		return 0, err
	}
	return tx.exec(ctx, `DELETE FROM audit WHERE id <= $1`, last)
}
