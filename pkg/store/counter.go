package store

import (
	"context"
	"time"
)

// Counter is a limit's state.
type Counter struct {
	Count     int
	Since     time.Time
	Until     time.Time
	BlockedAt time.Time // refused until then
}

func scanCounter(r row) (c Counter, err error) {
	err = r.Scan(&c.Count, timeInto{&c.Since}, timeInto{&c.Until}, timeInto{&c.BlockedAt})
	return c, err
}

// Counter returns the counter; zero when there is none or it has run out.
func (tx *Tx) Counter(ctx context.Context, key string) (c Counter, err error) {
	_, err = tx.one(ctx, `SELECT count, since, until, blocked_at FROM counter WHERE key = $1 AND until > $2`,
		[]any{key, stamp(tx.Now)}, func(r row) (err error) {
			c, err = scanCounter(r)
			return err
		})
	return c, err
}

// Count adds one and returns the counter; one that has run out starts anew and
// lasts for window.
func (tx *Tx) Count(ctx context.Context, key string, window time.Duration) (c Counter, err error) {
	return tx.CountBy(ctx, key, 1, window)
}

// CountBy is Count of more than one at a time, such as bytes.
func (tx *Tx) CountBy(ctx context.Context, key string, n int64, window time.Duration) (c Counter, err error) {
	// A counter that began after now was written before the clock was set
	// back; it starts anew as well, or it would last too long.
	_, err = tx.one(ctx, `INSERT INTO counter (key, count, since, until) VALUES ($1, $4, $2, $3)
		ON CONFLICT (key) DO UPDATE SET
			count = CASE WHEN counter.until > $2 AND counter.since <= $2 THEN counter.count + $4 ELSE $4 END,
			since = CASE WHEN counter.until > $2 AND counter.since <= $2 THEN counter.since ELSE $2 END,
			until = CASE WHEN counter.until > $2 AND counter.since <= $2 THEN counter.until ELSE $3 END,
			blocked_at = CASE WHEN counter.until > $2 AND counter.since <= $2 THEN counter.blocked_at END
		RETURNING count, since, until, blocked_at`, []any{key, stamp(tx.Now), stamp(tx.Now.Add(window)), n}, func(r row) (err error) {
		c, err = scanCounter(r)
		return err
	})
	return c, err
}

// Block refuses the key until then; its counter lives at least as long.
func (tx *Tx) Block(ctx context.Context, key string, until time.Time) error {
	return tx.do(ctx, `INSERT INTO counter (key, count, since, until, blocked_at) VALUES ($1, 0, $2, $3, $3)
		ON CONFLICT (key) DO UPDATE SET blocked_at = excluded.blocked_at,
			until = CASE WHEN counter.until > excluded.until THEN counter.until ELSE excluded.until END`,
		key, stamp(tx.Now), stamp(until))
}

// ResetCounter forgets the counter.
func (tx *Tx) ResetCounter(ctx context.Context, key string) error {
	return tx.do(ctx, `DELETE FROM counter WHERE key = $1`, key)
}

// Sweep removes what has run out: counters, tokens (a day after), sessions (7
// days after their last use once they ended or expired), drafts (30 days),
// handshakes, browsers not seen for 400 days, at most limit rows of each.
func (tx *Tx) Sweep(ctx context.Context, limit int) (removed int, err error) {
	const day = 24 * time.Hour
	for _, s := range []struct {
		query string
		until time.Time
	}{
		{`DELETE FROM counter WHERE key IN (SELECT key FROM counter WHERE until <= $1 ORDER BY until LIMIT $2)`, tx.Now},
		{`DELETE FROM token WHERE hash IN (SELECT hash FROM token WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, tx.Now.Add(-day)},
		{`DELETE FROM handshake WHERE hash IN (SELECT hash FROM handshake WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`, tx.Now},
		{`DELETE FROM device WHERE (contact_id, agent_id, hash) IN (SELECT contact_id, agent_id, hash FROM device
			WHERE seen_at <= $1 ORDER BY seen_at LIMIT $2)`, tx.Now.Add(-400 * day)},
		// seen_at never lies behind ended_at or expires_at by more than a
		// session's life, so the index on it finds the candidates.
		{`DELETE FROM session WHERE id IN (SELECT id FROM session WHERE seen_at <= $1
			AND (ended_at <= $1 OR expires_at <= $1) ORDER BY seen_at LIMIT $2)`, tx.Now.Add(-7 * day)},
		{`DELETE FROM draft WHERE (contact_id, key) IN (SELECT contact_id, key FROM draft WHERE updated_at <= $1 LIMIT $2)`, tx.Now.Add(-30 * day)},
		{`DELETE FROM desk_draft WHERE (agent_id, key) IN (SELECT agent_id, key FROM desk_draft WHERE updated_at <= $1 LIMIT $2)`, tx.Now.Add(-30 * day)},
		{`DELETE FROM desk_file WHERE id IN (SELECT id FROM desk_file WHERE at <= $1 AND answer_id IS NULL LIMIT $2)`, tx.Now.Add(-30 * day)},
		{`DELETE FROM presence WHERE (ticket, agent_id) IN (SELECT ticket, agent_id FROM presence WHERE seen_at <= $1 LIMIT $2)`, tx.Now.Add(-time.Hour)},
	} {
		n, err := tx.exec(ctx, s.query, stamp(s.until), limit)
		if err != nil {
			return removed, err
		}
		removed += int(n)
	}
	return removed, nil
}
