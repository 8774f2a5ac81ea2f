package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// SaveCertificate writes down how a host's certificate goes.
func (tx *Tx) SaveCertificate(ctx context.Context, c portal.Certificate) error {
	return tx.do(ctx, `INSERT INTO certificate (host, state, issuer, not_after, failures, error, error_at, next_at, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (host) DO UPDATE SET state = excluded.state, issuer = excluded.issuer, not_after = excluded.not_after,
			failures = excluded.failures, error = excluded.error, error_at = excluded.error_at, next_at = excluded.next_at, at = excluded.at`,
		c.Host, c.State, c.Issuer, stamp(c.NotAfter), c.Failures, c.Error, stamp(c.ErrorAt), stamp(c.NextAt), stamp(tx.Now))
}

// Certificates are those of all hosts, by host.
func (tx *Tx) Certificates(ctx context.Context) ([]portal.Certificate, error) {
	return list(ctx, tx, `SELECT host, state, issuer, not_after, failures, error, error_at, next_at, at FROM certificate ORDER BY host`, nil,
		func(r row) (c portal.Certificate, err error) {
			err = r.Scan(&c.Host, &c.State, &c.Issuer, timeInto{&c.NotAfter}, &c.Failures, &c.Error,
				timeInto{&c.ErrorAt}, timeInto{&c.NextAt}, timeInto{&c.At})
			return c, err
		})
}

// RemoveCertificate forgets how a host's certificate went.
func (tx *Tx) RemoveCertificate(ctx context.Context, host string) error {
	return tx.do(ctx, `DELETE FROM certificate WHERE host = $1`, host)
}
