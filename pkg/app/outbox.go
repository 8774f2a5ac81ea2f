package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Outbox lists mails, newest first.
func (a *App) Outbox(ctx context.Context, f store.OutboxFilter) (list []store.Mail, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.Outbox(ctx, f)
		return err
	})
	return list, err
}

// MailChange is what a command did to one mail of the outbox.
type MailChange struct {
	store.Mail
	Changed bool
}

// RetryMails makes mails due now.
func (a *App) RetryMails(ctx context.Context, ids []portal.MailID) ([]MailChange, error) {
	done, err := a.changeMails(ctx, ids, (*store.Tx).RetryMail)
	if err == nil {
		a.wakeMail()
	}
	return done, err
}

// DropMails makes sure that mails are never sent.
func (a *App) DropMails(ctx context.Context, ids []portal.MailID) ([]MailChange, error) {
	return a.changeMails(ctx, ids, (*store.Tx).DropMail)
}

func (a *App) changeMails(ctx context.Context, ids []portal.MailID,
	change func(*store.Tx, context.Context, portal.MailID) (bool, error),
) ([]MailChange, error) {
	var all []MailChange
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		all = nil
		for _, id := range ids {
			changed, err := change(tx, ctx, id)
			if err != nil {
				return err
			}
			m, err := tx.OutboxMail(ctx, id)
			if err != nil {
				return err
			}
			all = append(all, MailChange{*m, changed})
		}
		return nil
	})
	return all, err
}

// failedBatch bounds how many mails one transaction makes due again.
const failedBatch = 500

// RetryFailedMails makes every failed mail due now and returns how many.
func (a *App) RetryFailedMails(ctx context.Context) (n int, err error) {
	f := store.OutboxFilter{States: []store.MailState{store.MailFailed}, Limit: failedBatch}
	for {
		list, err := a.Outbox(ctx, f)
		if err != nil || len(list) == 0 {
			return n, err
		}
		ids := make([]portal.MailID, len(list))
		for i, m := range list {
			ids[i] = m.ID
		}
		done, err := a.RetryMails(ctx, ids)
		if err != nil {
			return n, err
		}
		for _, m := range done {
			if m.Changed {
				n++
			}
		}
		f.Before = list[len(list)-1].ID
	}
}
