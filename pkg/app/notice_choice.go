package app

import (
	"cmp"
	"context"
	"crypto/hmac"
	"strconv"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// notifyChanged lets go what waits for a digest that the contact gets no more.
// Whether they want to hear of it is asked again when it is sent.
func notifyChanged(ctx context.Context, tx *store.Tx, c *portal.Contact) error {
	if c.Notify == portal.NotifyDigest {
		return nil
	}
	return tx.ReleaseDigest(ctx, c.Email)
}

// SaveNotify changes of what the visiting contact hears by mail.
func (a *App) SaveNotify(ctx context.Context, v *Visit, choice string) error {
	if err := contactOnly(v); err != nil {
		return err
	}
	notify, err := portal.ParseContactNotify(choice)
	if err != nil {
		return err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		c, err := tx.Contact(ctx, v.Contact.ID)
		if err != nil {
			return err
		}
		return saveNotify(ctx, tx, c, notify)
	})
	a.wakeMail()
	return err
}

func saveNotify(ctx context.Context, tx *store.Tx, c *portal.Contact, notify portal.ContactNotify) error {
	if cmp.Or(c.Notify, portal.NotifyAll) == notify {
		return nil
	}
	c.Notify = notify
	if err := tx.SaveContact(ctx, c); err != nil {
		return err
	}
	return notifyChanged(ctx, tx, c)
}

// NoticeKind is a kind of mail that can be turned off from within it.
type NoticeKind string

// The kinds: mail about tickets somebody only takes part in, and the digest.
// Answers to what somebody asked themselves can be turned off on their account
// page, but not by one click in a mail program, which may be a slip.
const (
	NoticesAsParticipant NoticeKind = "participant"
	NoticesDigest        NoticeKind = "digest"
)

// NoticeLink is what a link that turns notices off is about: which, and the
// language of whoever got it.
type NoticeLink struct {
	Kind     NoticeKind
	Language string
}

// purposeNotices is what the keys of links that turn notices off are made for.
const purposeNotices = "notices off"

// noticesPath is where the pages lie that turn notices off, below a portal.
const noticesPath = "/account/notifications/"

// unsubscribe gives a letter the page that turns its kind of notice off, where
// it is of such a kind.
func (k *packing) unsubscribe(t *portal.Ticket) error {
	var kind NoticeKind
	switch {
	case !k.mail.DigestAt.IsZero():
		kind = NoticesDigest
	case t.Requester != k.contact.ID:
		kind = NoticesAsParticipant
	default:
		return nil
	}
	path, err := k.NoticeOffPath(k.contact, kind)
	k.letter.Unsubscribe = k.letter.Home + path
	return err
}

// NoticeOffPath is the path, below a portal, of the page that turns a kind of
// notice off for a contact. The link needs no session and lets nobody in: it
// can do that one thing.
func (a *App) NoticeOffPath(c *portal.Contact, kind NoticeKind) (string, error) {
	token, err := a.noticeToken(c, kind)
	return noticesPath + token, err
}

// noticeToken names a contact and a kind of notice, with a key that only this
// store can make and that holds for their present address alone.
func (a *App) noticeToken(c *portal.Contact, kind NoticeKind) (string, error) {
	key := "c" + strconv.FormatInt(int64(c.ID), 10) + "." + string(kind)
	proof, err := a.sign(purposeNotices, key, c.Email)
	return key + "." + proof, err
}

func noNoticeLink() error {
	return portal.NotFoundf("notices.link", "this link turns nothing off")
}

// NoticeOff reads a link that turns a kind of notice off. Whoever has it may do
// no more than that, so nobody signs in. A link to an address the contact does
// not have any more is none.
func (a *App) NoticeOff(ctx context.Context, token string) (n NoticeLink, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		c, kind, err := a.readNoticeToken(ctx, tx, token)
		if err == nil {
			n = NoticeLink{kind, c.Language}
		}
		return err
	})
	return n, err
}

// TurnNoticeOff turns off the kind of notice a link names; once more changes
// nothing. A choice that is narrower already stays.
func (a *App) TurnNoticeOff(ctx context.Context, token string) (n NoticeLink, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		c, kind, err := a.readNoticeToken(ctx, tx, token)
		if err != nil {
			return err
		}
		n = NoticeLink{kind, c.Language}
		switch {
		case kind == NoticesAsParticipant && cmp.Or(c.Notify, portal.NotifyAll) == portal.NotifyAll:
			return saveNotify(ctx, tx, c, portal.NotifyMine)
		case kind == NoticesDigest && c.Notify == portal.NotifyDigest:
			return saveNotify(ctx, tx, c, portal.NotifyNone)
		}
		return nil
	})
	return n, err
}

func (a *App) readNoticeToken(ctx context.Context, tx *store.Tx, token string) (*portal.Contact, NoticeKind, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || !strings.HasPrefix(parts[0], "c") {
		return nil, "", noNoticeLink()
	}
	id, err := strconv.ParseInt(parts[0][1:], 10, 64)
	kind := NoticeKind(parts[1])
	if err != nil || kind != NoticesAsParticipant && kind != NoticesDigest {
		return nil, "", noNoticeLink()
	}
	c, err := tx.Contact(ctx, portal.ContactID(id))
	if portal.KindOf(err) == portal.NotFound || err == nil && c.Erased() {
		return nil, "", noNoticeLink()
	}
	if err != nil {
		return nil, "", err
	}
	want, err := a.noticeToken(c, kind)
	if err != nil {
		return nil, "", err
	}
	if !hmac.Equal([]byte(want), []byte(token)) {
		return nil, "", noNoticeLink()
	}
	return c, kind, nil
}
