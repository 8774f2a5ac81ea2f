package cli

import (
	"context"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/mail/source"
	"github.com/portalctl/portalctl/pkg/portal"
)

// taker hands mail from its sources to the app.
type taker struct{ app *app.App }

// Take implements source.Taker.
func (t taker) Take(ctx context.Context, a *portal.Arrival) (*portal.LedgerEntry, error) {
	return t.app.TakeMail(ctx, a)
}

// Accepts implements source.Taker.
func (t taker) Accepts(ctx context.Context, recipient string) (portal.InboxID, error) {
	return t.app.AcceptsMail(ctx, recipient)
}

// Place implements source.Taker.
func (t taker) Place(ctx context.Context, inbox portal.InboxID) (portal.IMAPPlace, error) {
	return t.app.MailboxPlace(ctx, inbox)
}

// Reached implements source.Taker.
func (t taker) Reached(ctx context.Context, inbox portal.InboxID, p portal.IMAPPlace) error {
	return t.app.MailboxReached(ctx, inbox, p)
}

// Sources implements source.Taker.
func (t taker) Sources(ctx context.Context) ([]source.Mailbox, error) {
	boxes, err := t.app.Mailboxes(ctx)
	list := make([]source.Mailbox, len(boxes))
	for i := range boxes {
		list[i] = mailboxOf(&boxes[i])
	}
	return list, err
}

func mailboxOf(b *app.Mailbox) source.Mailbox {
	return source.Mailbox{Inbox: b.Inbox, Name: b.Name, Password: b.Password, IMAPSource: b.IMAPSource}
}

// incomingWords are what messages made from mail say in a language.
func incomingWords(language string) app.MailWords {
	p := i18n.For(language)
	return app.MailWords{
		NoSubject: p.T("incoming.no_subject"),
		NoText:    p.T("incoming.no_text"),
		TextCut:   p.T("incoming.text_cut"),
		FilesLeft: func(names string) string { return p.T("incoming.files_left", "Names", names) },
	}
}
