package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"

	"github.com/portalctl/portalctl/pkg/portal"
)

// AddAudit writes an entry at the end of the audit log and sets its ID and At.
func (tx *Tx) AddAudit(ctx context.Context, e *portal.AuditEntry) error {
	var last portal.AuditID
	var previous []byte
	if _, err := tx.one(ctx, `SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1`, nil, func(r row) error {
		return r.Scan(&last, &previous)
	}); err != nil {
		return err
	}
	data, err := json.Marshal(e.AuditDetail)
	if err != nil {
		return err
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails; crypto/rand
	e.ID, e.At = last+1, tx.Now
	detail := detailHash(salt, data)
	if err := tx.do(ctx, `INSERT INTO audit (id, at, kind, contact_id, agent_id, operator, portal_id, about, detail, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		e.ID, stamp(e.At), e.Kind, e.By.Contact, e.By.Agent, e.Operator, e.Portal, e.About, detail, chainHash(previous, e, detail)); err != nil {
		return err
	}
	return tx.do(ctx, `INSERT INTO audit_detail (id, salt, data) VALUES ($1, $2, $3)`, e.ID, salt, string(data))
}

// detailHash stands for the detail in the chain. The salt goes with the
// detail when that is erased, so that nobody can guess what it said.
func detailHash(salt, data []byte) []byte {
	h := sha256.New()
	h.Write(salt)
	h.Write(data)
	return h.Sum(nil)
}

// chainHash covers an entry and the hash of the one before it. Every field is
// preceded by its length, so that no two entries read the same.
func chainHash(previous []byte, e *portal.AuditEntry, detail []byte) []byte {
	h := sha256.New()
	number := func(n int64) {
		_ = binary.Write(h, binary.BigEndian, n)
	}
	field := func(b []byte) {
		number(int64(len(b)))
		h.Write(b)
	}
	field(previous)
	number(int64(e.ID))
	number(e.At.UnixMilli())
	field([]byte(e.Kind))
	number(int64(e.By.Contact))
	number(int64(e.By.Agent))
	field([]byte(e.Operator))
	number(int64(e.Portal))
	field([]byte(e.About))
	field(detail)
	return h.Sum(nil)
}
