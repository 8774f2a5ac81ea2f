package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// metaAuditDays keeps for how many days entries of the audit log stay.
const metaAuditDays = "audit_days"

// The shortest and the longest time entries stay. Less than a month would let
// whoever did something sweep their tracks before anybody looks.
const (
	minAuditDays = 30
	maxAuditDays = 36500
)

// ParseRetention reads for how long entries stay: a number of days such as
// 365d, or off, which is 0, for ever.
func ParseRetention(s string) (days int, err error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "off" {
		return 0, nil
	}
	number, inDays := strings.CutSuffix(s, "d")
	days, err = strconv.Atoi(number)
	if err != nil || !inDays || days < minAuditDays || days > maxAuditDays {
		return 0, portal.Invalidf("audit.retention", "retention", "%q is no retention; use %dd to %dd, such as 365d, or off", s, minAuditDays, maxAuditDays)
	}
	return days, nil
}

// FormatRetention writes what ParseRetention reads.
func FormatRetention(days int) string {
	if days == 0 {
		return "off"
	}
	return fmt.Sprintf("%dd", days)
}

// AuditRetention is for how many days entries of the audit log stay; 0: for
// ever.
func (a *App) AuditRetention(ctx context.Context) (days int, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		days, err = auditDays(ctx, tx)
		return err
	})
	return days, err
}

func auditDays(ctx context.Context, tx *store.Tx) (int, error) {
	text, err := tx.Meta(ctx, metaAuditDays)
	if err != nil || text == "" {
		return 0, err
	}
	return strconv.Atoi(text)
}

// SetAuditRetention sets for how many days entries stay; 0: for ever. Older
// ones go with the server's next daily tidying.
func (a *App) SetAuditRetention(ctx context.Context, days int) (changes []Change, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		changes = nil
		kept, err := auditDays(ctx, tx)
		if err != nil || kept == days {
			return err
		}
		if err := tx.SetMeta(ctx, metaAuditDays, strconv.Itoa(days)); err != nil {
			return err
		}
		changes = []Change{{"retention", FormatRetention(kept), FormatRetention(days)}}
		return a.note(ctx, tx, portal.AuditRetention, 0, aboutAudit, changes...)
	})
	return changes, err
}

// pruneRows is how many entries one transaction removes.
const pruneRows = 2000

// pruneAudit removes entries that have been kept long enough. What is to go is
// written down first; killed in between, the next call goes on.
func (a *App) pruneAudit(ctx context.Context) error {
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		days, err := auditDays(ctx, tx)
		if err != nil || days == 0 {
			return err
		}
		_, err = tx.MarkPruned(ctx, tx.Now.AddDate(0, 0, -days), &portal.AuditEntry{})
		return err
	})
	for gone := int64(pruneRows); err == nil && gone == pruneRows; {
		err = a.store.Write(ctx, func(tx *store.Tx) (err error) {
			gone, err = tx.Prune(ctx, pruneRows)
			return err
		})
	}
	return err
}
