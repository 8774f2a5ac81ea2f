package app

import (
	"context"
	"fmt"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// parcel is a letter ready to be sent, or why the mail must not be sent.
type parcel struct {
	letter *portal.Letter
	drop   string
	// general is where an answer goes that is about no one ticket.
	general string
}

func dropped(format string, args ...any) (parcel, error) {
	return parcel{drop: fmt.Sprintf(format, args...)}, nil
}

// carriesLink reports whether a mail carries a one-time link or code, which is
// made when the mail is.
func carriesLink(kind store.MailKind) bool {
	switch kind {
	case store.MailInvitation, store.MailSignIn, store.MailRegister, store.MailReset, store.MailProof, store.MailEmailProof:
		return true
	}
	return tellsOwner(kind)
}

// tellsOwner reports whether a mail tells somebody what was done to their
// account; it carries a link to say that it was not them.
func tellsOwner(kind store.MailKind) bool {
	switch kind {
	case store.MailPasswordChanged, store.MailNewDevice, store.MailEmailChanged,
		store.MailFactorOn, store.MailFactorOff, store.MailRecoveryUsed, store.MailFactorTried, store.MailPasskeyAdded, store.MailPasskeyRemoved:
		return true
	}
	return false
}

// packing is a mail being made into a letter.
type packing struct {
	*App
	tx      *store.Tx
	mail    *store.Mail
	portal  *portal.Portal
	contact *portal.Contact // nil when the mail is to nobody known
	entry   portal.Entry    // of the contact
	member  *portal.Member
	letter  portal.Letter
}

// pack makes a mail into a letter. It asks again whether its recipient may
// enter and see what it tells, because much can change while a mail waits.
func (a *App) pack(ctx context.Context, tx *store.Tx, m *store.Mail) (parcel, error) {
	k := &packing{App: a, tx: tx, mail: m}
	p, err := k.findPortal(ctx)
	if err != nil {
		return parcel{}, err
	}
	if p == nil && m.Kind != store.MailTest {
		return dropped("there is no portal it could come from")
	}
	k.portal = p
	if why, err := k.findContact(ctx); err != nil || why != "" {
		return parcel{drop: why}, err
	}
	if err := k.begin(ctx); err != nil {
		return parcel{}, err
	}
	pack, ok := packers[m.Kind]
	if !ok {
		return dropped("there is no mail of kind %q", m.Kind)
	}
	if p != nil && p.State == portal.Draft && m.Kind != store.MailTest && m.Agent == 0 && m.Inbox == 0 {
		return dropped("the portal is a draft")
	}
	general := k.letter.ReplyTo
	why, err := pack(k, ctx)
	if portal.KindOf(err) == portal.NotFound {
		return dropped("what it is about does not exist any more")
	}
	if err == nil && why == "" {
		err = k.face(ctx)
	}
	return parcel{&k.letter, why, general}, err
}

// face gives mail to customers the portal's face. Mail to the desk is for people
// who know where it comes from.
func (k *packing) face(ctx context.Context) error {
	if k.portal == nil || k.letter.Office || k.mail.Agent != 0 || k.portal.IsDesk() {
		return nil
	}
	b := &k.portal.Brand
	k.letter.FooterLinks = b.FooterLinks
	i := b.Image(portal.ImageMail)
	if i == nil {
		return nil
	}
	kept, err := k.tx.ImageOf(ctx, k.portal.ID, portal.ImageMail)
	if portal.KindOf(err) == portal.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	k.letter.Logo = &portal.LetterLogo{
		PNG: kept.Data, Width: i.Width, Height: i.Height, LostOnLight: i.LostOnLight, LostOnDark: i.LostOnDark,
	}
	return nil
}

// packers fill in each kind of letter; they return why it must not be sent.
var packers = map[store.MailKind]func(*packing, context.Context) (string, error){
	store.MailInvitation:      (*packing).invitation,
	store.MailSignIn:          (*packing).signIn,
	store.MailRegister:        (*packing).register,
	store.MailRegisterKnown:   (*packing).registerKnown,
	store.MailReset:           (*packing).reset,
	store.MailPasswordChanged: (*packing).passwordChanged,
	store.MailProof:           (*packing).proof,
	store.MailNewDevice:       (*packing).newDevice,
	store.MailEmailProof:      (*packing).emailProof,
	store.MailEmailChanged:    (*packing).notMe,
	store.MailFactorOn:        (*packing).notMe,
	store.MailFactorOff:       (*packing).factorOff,
	store.MailRecoveryUsed:    (*packing).recoveryUsed,
	store.MailFactorTried:     (*packing).notMe,
	store.MailPasskeyAdded:    (*packing).passkeyChanged,
	store.MailPasskeyRemoved:  (*packing).passkeyChanged,
	store.MailApproved:        (*packing).approved,
	store.MailRefused:         (*packing).refused,
	store.MailAccess:          (*packing).invitation,
	store.MailTicketReceived:  (*packing).aboutTicket,
	store.MailMessage:         (*packing).aboutTicket,
	store.MailTicketClosed:    (*packing).aboutTicket,
	store.MailParticipant:     (*packing).aboutTicket,
	store.MailDeskTicket:      (*packing).toDesk,
	store.MailDeskMessage:     (*packing).toDesk,
	store.MailAgentTicket:     (*packing).aboutTicketToAgent,
	store.MailAgentMessage:    (*packing).aboutTicketToAgent,
	store.MailAgentAssigned:   (*packing).aboutTicketToAgent,
	store.MailAgentMention:    (*packing).aboutTicketToAgent,
	store.MailAgentPromise:    (*packing).aboutTicketToAgent,
	store.MailAgentSnoozed:    (*packing).aboutTicketToAgent,
	store.MailDeskPending:     (*packing).pending,
	store.MailTest:            func(*packing, context.Context) (string, error) { return "", nil },
}

// findPortal is the mail's portal. One about a ticket that was opened in none,
// such as an imported one, comes from a portal its recipient may enter.
func (k *packing) findPortal(ctx context.Context) (*portal.Portal, error) {
	if k.mail.Portal != 0 {
		p, err := k.tx.Portal(ctx, k.mail.Portal)
		if portal.KindOf(err) == portal.NotFound {
			return nil, nil
		}
		return p, err
	}
	if k.mail.Agent != 0 {
		return deskPortal(ctx, k.tx)
	}
	portals, err := k.tx.Portals(ctx)
	if err != nil || len(portals) == 0 {
		return nil, err
	}
	for i := range portals {
		if portals[i].State != portal.Live || k.mail.Contact == 0 {
			continue
		}
		entry, _, err := entryOf(ctx, k.tx, &portals[i], k.mail.Contact)
		if err != nil {
			return nil, err
		}
		if entry.Allowed {
			return &portals[i], nil
		}
	}
	return &portals[0], nil
}

// findContact loads who the mail is to. A mail goes to no address that is not
// the contact's any more.
func (k *packing) findContact(ctx context.Context) (why string, err error) {
	if k.mail.Contact == 0 || k.mail.Inbox != 0 || k.mail.Kind == store.MailDeskPending {
		return "", nil
	}
	c, err := k.tx.Contact(ctx, k.mail.Contact)
	if portal.KindOf(err) == portal.NotFound {
		return "the contact does not exist any more", nil
	}
	if err != nil {
		return "", err
	}
	if k.mail.Kind == store.MailEmailProof || k.mail.Kind == store.MailEmailChanged {
		// To the address before, and to the one not theirs yet.
	} else if k.mail.Recipient != c.RegistrationEmail() && (carriesLink(k.mail.Kind) || k.mail.Recipient != c.Email) {
		return "the address is not the contact's any more", nil
	}
	k.contact = c
	k.entry, k.member, err = entryOf(ctx, k.tx, k.portal, c.ID)
	return "", err
}

// begin fills in what every letter has.
func (k *packing) begin(ctx context.Context) error {
	l := &k.letter
	l.Kind, l.To, l.MessageID, l.At = portal.LetterKind(k.mail.Kind), k.mail.Recipient, k.mail.HeaderID, k.mail.CreatedAt
	l.Portal, l.Language, l.Zone = "portalctl", "en", time.UTC
	zone := ""
	if p := k.portal; p != nil {
		base, err := k.base(ctx, k.tx)
		if err != nil {
			return err
		}
		l.Portal, l.Accent, l.Language, l.Label = p.Name, p.Accent, p.Language(), p.Tickets.LabelOne
		if l.Texts, err = ownTexts(ctx, k.tx, p); err != nil {
			return err
		}
		at, err := whereServed(ctx, k.tx, p)
		if err != nil {
			return err
		}
		l.Home, zone = siteURL(at, base)+at.BasePath(), p.TimeZone
		inbox, err := portalInbox(ctx, k.tx, p)
		if err != nil && portal.KindOf(err) != portal.NotFound {
			return err
		}
		if inbox != nil {
			l.ReplyTo = inbox.Address
		}
	}
	if c := k.contact; c != nil {
		l.Name = c.Name
		if p := k.portal; p != nil {
			l.Language = p.LanguageFor(c.Language)
		} else if c.Language != "" {
			l.Language = c.Language
		}
		if c.TimeZone != "" {
			zone = c.TimeZone
		}
	}
	if loc, err := time.LoadLocation(zone); err == nil {
		l.Zone = loc
	}
	return nil
}

// link makes the one-time link of a mail. The first attempt ends the person's
// older links; a repeat does not, as the first may have arrived after all. A
// notice's link works beside those of other notices.
func (k *packing) link(ctx context.Context, t *store.Token, life time.Duration) error {
	token, hash, err := auth.NewToken()
	if err != nil {
		return err
	}
	t.Portal = k.portal.ID
	if t.Contact != 0 && t.Kind != store.TokenNotMe {
		// Whoever uses the link reads the mail at this address.
		t.Email = k.mail.Recipient
	}
	if k.mail.Attempts <= 1 {
		if err := k.endOlder(ctx, t); err != nil {
			return err
		}
	}
	t.Hash, t.ExpiresAt = hash, k.tx.Now.Add(life)
	if err := k.tx.AddToken(ctx, t); err != nil {
		return err
	}
	k.letter.Link, k.letter.Valid, k.letter.Once = k.letter.Home+LinkPath(t.Kind, token), life, true
	return nil
}

func (k *packing) endOlder(ctx context.Context, t *store.Token) error {
	switch t.Kind {
	case store.TokenNotMe:
		return nil
	case store.TokenSignIn:
		return k.tx.EndOlderLinks(ctx, portal.Person{Contact: t.Contact, Agent: t.Agent}, t.Familiar)
	}
	return endOlder(ctx, k.tx, t)
}

// stranger says why the contact may not enter, or "".
func (k *packing) stranger() string {
	switch {
	case k.contact == nil:
		return "it names no contact"
	case k.portal.State != portal.Live:
		return "the portal is not live"
	case !k.entry.Allowed:
		return k.entry.Why
	}
	return ""
}
