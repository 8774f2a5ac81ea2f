package app

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strconv"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// The addresses answers go to and the Message-IDs of mails about tickets name
// the ticket and the one person they were sent to, with a key that only this
// store can make. They say which ticket is meant, never who writes.

// replyKey is what such an address or Message-ID says.
type replyKey portal.MailKey

// The purposes the key is made for, so that one made for an address is no
// Message-ID.
const (
	purposeReply  = "reply address"
	purposeMailID = "message id"
)

// keyLength is how many letters of five bits a key has: 80 bits.
const keyLength = 16

var keyLetters = base32.StdEncoding.WithPadding(base32.NoPadding)

// String is the key without its proof: t1042.c7. It holds nothing that mail
// servers change but for the case of letters.
func (k replyKey) String() string {
	to := "i" + strconv.FormatInt(int64(k.Inbox), 10)
	switch {
	case k.To.Contact != 0:
		to = "c" + strconv.FormatInt(int64(k.To.Contact), 10)
	case k.To.Agent != 0:
		to = "a" + strconv.FormatInt(int64(k.To.Agent), 10)
	}
	return "t" + strconv.FormatInt(int64(k.Ticket), 10) + "." + to
}

// sign is the proof that this store made the key, bound to a salt.
func (a *App) sign(purpose, key, salt string) (string, error) {
	mark, err := a.sealer.Mark(purpose, []byte(key+" "+salt))
	if err != nil {
		return "", err
	}
	return strings.ToLower(keyLetters.EncodeToString(mark))[:keyLength], nil
}

// replyAddress is the address of an inbox by which an answer finds its ticket:
// support+t1042.c7.k…@example.com.
func (a *App) replyAddress(inbox string, k replyKey) (string, error) {
	at := strings.LastIndexByte(inbox, '@')
	if at <= 0 {
		return "", nil
	}
	proof, err := a.sign(purposeReply, k.String(), "")
	if err != nil {
		return "", err
	}
	return inbox[:at] + "+" + k.String() + ".k" + proof + inbox[at:], nil
}

// readReplyAddress reads what replyAddress wrote, in whatever case it comes
// back. base is the inbox's own address; for an address without a key of ours
// that is the address itself, and ok is false.
func (a *App) readReplyAddress(address string) (base string, k replyKey, ok bool) {
	address = strings.ToLower(strings.TrimSpace(address))
	at := strings.LastIndexByte(address, '@')
	if at <= 0 {
		return address, k, false
	}
	plus := strings.LastIndexByte(address[:at], '+')
	if plus <= 0 {
		return address, k, false
	}
	k, ok = a.readKey(purposeReply, address[plus+1:at], "")
	if !ok {
		return address, replyKey{}, false
	}
	return address[:plus] + address[at:], k, true
}

// mailID makes the Message-ID of a mail about a ticket.
func (a *App) mailID(k replyKey, host string) (string, error) {
	salt := strings.ToLower(rand.Text())
	proof, err := a.sign(purposeMailID, k.String(), salt)
	if err != nil {
		return "", err
	}
	return "<" + salt + "." + k.String() + ".k" + proof + "@" + host + ">", nil
}

// readMailID reads a Message-ID that mailID made, with or without brackets.
func (a *App) readMailID(id string) (k replyKey, ok bool) {
	id = strings.ToLower(strings.Trim(strings.TrimSpace(id), "<>"))
	left, _, found := strings.Cut(id, "@")
	if !found {
		return k, false
	}
	salt, rest, found := strings.Cut(left, ".")
	if !found || salt == "" {
		return k, false
	}
	return a.readKey(purposeMailID, rest, salt)
}

// readKey reads t1042.c7.kPROOF and checks the proof.
func (a *App) readKey(purpose, s, salt string) (k replyKey, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || len(parts[1]) < 2 {
		return k, false
	}
	proof, found := strings.CutPrefix(parts[2], "k")
	ticket, isTicket := strings.CutPrefix(parts[0], "t")
	n, err := strconv.ParseInt(ticket, 10, 64)
	id, idErr := strconv.ParseInt(parts[1][1:], 10, 64)
	if !found || !isTicket || err != nil || idErr != nil || n <= 0 {
		return k, false
	}
	k.Ticket = portal.TicketNumber(n)
	switch parts[1][0] {
	case 'c':
		k.To.Contact = portal.ContactID(id)
	case 'a':
		k.To.Agent = portal.AgentID(id)
	case 'i':
		k.Inbox = portal.InboxID(id)
	default:
		return replyKey{}, false
	}
	// What is read must be written the same, so that each key has one form.
	right, err := a.sign(purpose, k.String(), salt)
	if err != nil || k.String() != parts[0]+"."+parts[1] || !hmac.Equal([]byte(right), []byte(proof)) {
		return replyKey{}, false
	}
	return k, true
}

// queueMail queues a mail about a ticket under a Message-ID that answers are
// known by.
func (a *App) queueMail(ctx context.Context, tx *store.Tx, m *store.Mail) error {
	if m.Ticket != 0 && m.HeaderID == "" {
		host, err := tx.MailHost(ctx, m.Portal)
		if err != nil {
			return err
		}
		k := replyKey{Ticket: m.Ticket, To: portal.Person{Contact: m.Contact, Agent: m.Agent}, Inbox: m.Inbox}
		if m.HeaderID, err = a.mailID(k, host); err != nil {
			return fmt.Errorf("make a Message-ID: %w", err)
		}
	}
	return tx.QueueMail(ctx, m)
}
