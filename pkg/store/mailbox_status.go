package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// SaveMailboxStatus writes down how fetching from an inbox's mailbox goes. An
// inbox that is gone has nothing to write.
func (tx *Tx) SaveMailboxStatus(ctx context.Context, s portal.MailboxStatus) error {
	err := tx.do(ctx, `INSERT INTO mailbox_status (inbox_id, state, since, looked_at, mail_at, waiting, error, error_at, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (inbox_id) DO UPDATE SET state = excluded.state, since = excluded.since, looked_at = coalesce(excluded.looked_at, mailbox_status.looked_at),
			mail_at = coalesce(excluded.mail_at, mailbox_status.mail_at), waiting = excluded.waiting, error = excluded.error, error_at = excluded.error_at, at = excluded.at`,
		s.Inbox, s.State, stamp(s.Since), stamp(s.LookedAt), stamp(s.MailAt), s.Waiting, s.Error, stamp(s.ErrorAt), stamp(tx.Now))
	if isForeignKey(err) {
		return nil
	}
	return err
}

// MailboxStatuses are those of all inboxes serve ever fetched mail for.
func (tx *Tx) MailboxStatuses(ctx context.Context) ([]portal.MailboxStatus, error) {
	return list(ctx, tx, `SELECT inbox_id, state, since, looked_at, mail_at, waiting, error, error_at, at FROM mailbox_status ORDER BY inbox_id`, nil,
		func(r row) (s portal.MailboxStatus, err error) {
			err = r.Scan(&s.Inbox, &s.State, timeInto{&s.Since}, timeInto{&s.LookedAt}, timeInto{&s.MailAt}, &s.Waiting, &s.Error, timeInto{&s.ErrorAt}, timeInto{&s.At})
			return s, err
		})
}
