package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// NoteMailbox writes down how fetching from an inbox's mailbox goes, for
// Status. What serve has not seen itself stays as it was written before.
func (a *App) NoteMailbox(ctx context.Context, s portal.MailboxStatus) error {
	s.Error = oneLine(s.Error)
	return a.store.Write(ctx, func(tx *store.Tx) error { return tx.SaveMailboxStatus(ctx, s) })
}

// MailboxView is a mailbox at a glance. Status is zero when serve has not
// looked at it yet.
type MailboxView struct {
	Inbox  portal.Inbox
	Status portal.MailboxStatus
}

// mailboxes puts the inboxes mail is fetched for together with how that goes.
func mailboxes(ctx context.Context, tx *store.Tx, inboxes []portal.Inbox) ([]MailboxView, error) {
	all, err := tx.MailboxStatuses(ctx)
	if err != nil {
		return nil, err
	}
	known := map[portal.InboxID]portal.MailboxStatus{}
	for _, s := range all {
		known[s.Inbox] = s
	}
	var views []MailboxView
	for _, i := range inboxes {
		if i.Mail.IMAP != nil {
			views = append(views, MailboxView{Inbox: i, Status: known[i.ID]})
		}
	}
	return views, nil
}
