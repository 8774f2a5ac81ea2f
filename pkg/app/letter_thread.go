package app

import (
	"context"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// thread gives a letter its place among the mails its reader has. Every mail
// about a ticket refers to one id that names the ticket and no mail, so that
// mail programs keep them together whatever was deleted; then to the last mail
// the reader got about it and the last one they wrote. Mails of other people
// are never named: their ids tell of their machines, and the reader has none
// of them.
func (k *packing) thread(ctx context.Context, t *portal.Ticket) error {
	host, err := k.tx.MailHost(ctx, k.mail.Portal)
	if err != nil {
		return err
	}
	before, err := k.tx.MailBefore(ctx, k.mail)
	if err != nil {
		return err
	}
	own, err := k.tx.MailOf(ctx, t.Number, portal.Person{Contact: k.mail.Contact, Agent: k.mail.Agent})
	if err != nil {
		return err
	}
	l := &k.letter
	l.Thread = portal.TicketThread(t, host)
	if own.HeaderID != "" {
		own.HeaderID = "<" + strings.Trim(own.HeaderID, "<>") + ">"
	}
	first, last := own, before
	if own.HeaderID != "" && own.At.After(before.At) {
		first, last = before, own
	}
	if l.Parent = last.HeaderID; first.HeaderID != "" {
		l.Before = []string{first.HeaderID}
		if l.Parent == "" {
			l.Parent, l.Before = first.HeaderID, nil
		}
	}
	return nil
}

// answers says where an answer to the letter goes: to an address of the inbox
// that names the ticket and this reader, where mail to such addresses arrives.
func (k *packing) answers(ctx context.Context, t *portal.Ticket, inbox *portal.Inbox) error {
	l := &k.letter
	l.ReplyTo, l.Answer = inbox.Address, false
	if inbox.Address == "" {
		return nil
	}
	var err error
	if l.Answer, err = takesMail(ctx, k.tx, inbox); err != nil {
		return err
	}
	if !l.Answer || inbox.Mail.Plus == portal.PlusOff {
		return nil
	}
	l.ReplyTo, err = k.replyAddress(inbox.Address, keyOf(k.mail, t))
	return err
}

// takesMail reports whether mail to the inbox reaches this program: there is a
// mailbox to fetch from, it was said so, or some came.
func takesMail(ctx context.Context, tx *store.Tx, inbox *portal.Inbox) (bool, error) {
	if inbox.Mail.IMAP != nil || inbox.Mail.Plus == portal.PlusOn {
		return true, nil
	}
	return tx.MailComesIn(ctx, inbox.ID)
}

// keyOf is the key of a mail: the ticket and the one reader it goes to.
func keyOf(m *store.Mail, t *portal.Ticket) replyKey {
	return replyKey{Ticket: t.Number, To: portal.Person{Contact: m.Contact, Agent: m.Agent}, Inbox: m.Inbox}
}
