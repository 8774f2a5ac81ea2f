package app

import (
	"context"
	"encoding/hex"
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
	why, err := pack(k, ctx)
	if portal.KindOf(err) == portal.NotFound {
		return dropped("what it is about does not exist any more")
	}
	return parcel{&k.letter, why}, err
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
		l.Home, zone = siteURL(p, base)+p.BasePath(), p.TimeZone
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
		if c.Language != "" {
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

func (k *packing) invitation(ctx context.Context) (string, error) {
	switch {
	case k.contact == nil:
		return "it names no contact", nil
	case !k.entry.Allowed:
		return k.entry.Why, nil
	case k.member == nil:
		return "the contact is not invited any more", nil
	case k.member.Status == portal.Registered && !k.member.LastSignInAt.IsZero():
		return "the contact has registered since", nil
	case !SendsInvitations(k.portal):
		return "the portal sends no invitations", nil
	case k.member.Status == portal.Registered:
		// In another portal, so that they need nothing but to know.
		k.letter.Kind, k.letter.Link = portal.LetterAccess, k.letter.Home+"/sign-in"
		return "", nil
	}
	return "", k.link(ctx, &store.Token{Kind: store.TokenInvitation, Contact: k.contact.ID}, InvitationLife)
}

func (k *packing) signIn(ctx context.Context) (string, error) {
	t := &store.Token{Kind: store.TokenSignIn, ReturnTo: LocalPath(k.mail.Data["return_to"])}
	t.Familiar = k.mail.Data["familiar"] != ""
	var err error
	if t.Asked, err = hex.DecodeString(k.mail.Data["asked"]); err != nil {
		return "it names no browser", nil
	}
	if t.Code, err = hex.DecodeString(k.mail.Data["code"]); err != nil {
		return "it names no code", nil
	}
	if k.mail.Agent != 0 {
		if why, err := k.toAgent(ctx); why != "" || err != nil {
			return why, err
		}
		t.Agent = k.mail.Agent
		return "", k.link(ctx, t, SignInLinkLife)
	}
	if why := k.stranger(); why != "" {
		return why, nil
	}
	if !k.portal.Access.Allows(portal.MethodLink) {
		return "the portal does not sign in by mailed link any more", nil
	}
	t.Contact = k.contact.ID
	return "", k.link(ctx, t, SignInLinkLife)
}

func (k *packing) register(ctx context.Context) (string, error) {
	if k.portal.State != portal.Live || k.portal.Access.Mode != portal.ModeSelfRegister {
		return "the portal takes no registrations any more", nil
	}
	// A stranger chose the address; nothing else of theirs goes into the mail.
	return "", k.link(ctx, &store.Token{
		Kind: store.TokenRegister, Email: k.mail.Recipient,
		ReturnTo: LocalPath(k.mail.Data["return_to"]),
	}, RegistrationLife)
}

func (k *packing) registerKnown(context.Context) (string, error) {
	if why := k.stranger(); why != "" {
		return why, nil
	}
	k.letter.Name, k.letter.Link = "", k.letter.Home+"/sign-in"
	return "", nil
}

func (k *packing) reset(ctx context.Context) (string, error) {
	t := &store.Token{Kind: store.TokenReset, Contact: k.mail.Contact, Agent: k.mail.Agent}
	if k.mail.Agent != 0 {
		if why, err := k.toAgent(ctx); why != "" || err != nil {
			return why, err
		}
		return "", k.link(ctx, t, ResetLinkLife)
	}
	if why := k.stranger(); why != "" {
		return why, nil
	}
	if !k.portal.Access.Allows(portal.MethodPassword) {
		return "the portal does not sign in by password any more", nil
	}
	return "", k.link(ctx, t, ResetLinkLife)
}

// passwordChanged is told whether or not the contact may still enter: it may
// have been somebody else who changed it.
func (k *packing) passwordChanged(ctx context.Context) (string, error) { return k.notMe(ctx) }

// notMe is a notice about somebody's own account, with a link that signs out
// everywhere. It goes out whether or not they may still enter.
func (k *packing) notMe(ctx context.Context) (string, error) {
	if why, err := k.toAgent(ctx); why != "" || err != nil {
		return why, err
	}
	return "", k.link(ctx, &store.Token{
		Kind: store.TokenNotMe, Contact: k.mail.Contact, Agent: k.mail.Agent, Email: k.mail.Recipient, ReturnTo: k.mail.Data["page"],
	}, NotMeLife)
}

// toAgent fills in whom a letter about an agent's own account goes to.
func (k *packing) toAgent(ctx context.Context) (string, error) {
	if k.mail.Agent == 0 {
		return "", nil
	}
	agent, err := k.tx.Agent(ctx, k.mail.Agent)
	if err != nil {
		return "", err
	}
	if agent.Disabled || agent.Email != k.mail.Recipient {
		return "the agent does not have this address any more", nil
	}
	k.letter.Name = agent.Name
	return "", nil
}

func (k *packing) newDevice(ctx context.Context) (string, error) {
	k.letter.Device, k.letter.From = k.mail.Data["browser"], k.mail.Data["address"]
	return k.notMe(ctx)
}

func (k *packing) passkeyChanged(ctx context.Context) (string, error) {
	k.letter.Passkey = k.mail.Data["passkey"]
	return k.newDevice(ctx)
}

// proof makes the code that is typed where it was asked for.
func (k *packing) proof(ctx context.Context) (string, error) {
	if why, err := k.toAgent(ctx); why != "" || err != nil {
		return why, err
	}
	hash, err := hex.DecodeString(k.mail.Data["handshake"])
	if err != nil {
		return "it names no proof", nil
	}
	k.letter.Code, err = newProofCode(ctx, k.tx, hash)
	k.letter.Valid = ProofLife
	if portal.KindOf(err) == portal.NotFound {
		return "the code is not asked for any more", nil
	}
	return "", err
}

func (k *packing) emailProof(ctx context.Context) (string, error) {
	// Nobody has proven the address: nothing anybody typed goes into the mail.
	k.letter.Name = ""
	return "", k.link(ctx, &store.Token{Kind: store.TokenEmail, Contact: k.contact.ID, Email: k.mail.Recipient}, EmailLinkLife)
}

func (k *packing) approved(context.Context) (string, error) {
	if why := k.stranger(); why != "" {
		return why, nil
	}
	k.letter.Link = k.letter.Home + "/sign-in"
	return "", nil
}

// refused tells why somebody is not let in. It goes to an address that was
// proven, and to nobody who was let in since.
func (k *packing) refused(context.Context) (string, error) {
	switch {
	case k.contact == nil:
		return "it names no contact", nil
	case k.member == nil || k.member.Status != portal.Disabled || k.member.RefusedAt.IsZero():
		return "it was decided otherwise", nil
	}
	k.letter.Reason, k.letter.At = k.member.Refusal, k.member.RefusedAt
	return "", nil
}

// aboutTicket is a notice to somebody who takes part in a ticket.
func (k *packing) aboutTicket(ctx context.Context) (string, error) {
	if k.contact == nil {
		return "it names no contact", nil
	}
	if !k.entry.Allowed {
		return k.entry.Why, nil
	}
	viewer := portal.NewViewer(k.contact, &k.portal.Tickets)
	t, err := k.tx.TicketFor(ctx, &viewer, k.mail.Ticket)
	if portal.KindOf(err) == portal.NotFound {
		return "the contact may not see the ticket any more", nil
	}
	if err != nil {
		return "", err
	}
	if !viewer.Sees(t).See || !t.Party(k.contact.ID) {
		return "the contact does not take part in the ticket any more", nil
	}
	if err := k.ticket(ctx, t); err != nil {
		return "", err
	}
	if why, err := k.message(ctx, t, false); why != "" || err != nil {
		return why, err
	}
	switch k.mail.Kind {
	case store.MailTicketClosed:
		if t.Status != portal.Closed {
			return "the ticket is open again", nil
		}
		k.letter.ReopenDays = k.portal.Tickets.ReopenDays
		return "", k.doneBy(ctx, t, portal.EventClosed)
	case store.MailParticipant:
		return "", k.doneBy(ctx, t, portal.EventParticipantAdded)
	}
	return "", nil
}

// ticket fills in a letter about a ticket.
func (k *packing) ticket(ctx context.Context, t *portal.Ticket) error {
	host, err := k.tx.MailHost(ctx, k.mail.Portal)
	if err != nil {
		return err
	}
	l := &k.letter
	l.Ticket, l.Link = t, l.Home+"/tickets/"+t.Number.String()
	l.Thread = portal.TicketThread(t, host)
	inbox, err := k.tx.Inbox(ctx, t.InboxID)
	if err != nil {
		return err
	}
	l.ReplyTo = inbox.Address
	return nil
}

// message fills in the message a letter is about. Only public ones leave the
// desk.
func (k *packing) message(ctx context.Context, t *portal.Ticket, office bool) (string, error) {
	if k.mail.Message == 0 {
		return "", nil
	}
	messages, err := k.tx.MessagesBefore(ctx, t, false, k.mail.Message+1, 1)
	if err != nil {
		return "", err
	}
	for i := range messages {
		m := &messages[i]
		if m.ID != k.mail.Message || m.Kind != portal.Public {
			continue
		}
		if m.Agent != 0 && !office && k.portal.Tickets.ShowAgent == portal.AgentTeam {
			m.AuthorName = ""
		}
		k.letter.Message, k.letter.By, k.letter.At = m, m.AuthorName, m.At
		return "", nil
	}
	return "the message does not exist any more", nil
}

// doneBy fills in who did what a letter tells: the newest event of its kind.
func (k *packing) doneBy(ctx context.Context, t *portal.Ticket, kind portal.EventKind) error {
	events, err := k.tx.Events(ctx, t.Number, false)
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.Kind != kind {
			continue
		}
		k.letter.By, k.letter.At = e.ByName, e.At
		if e.By.Agent != 0 && k.portal.Tickets.ShowAgent == portal.AgentTeam {
			k.letter.By = ""
		}
	}
	return nil
}

// toDesk is a mail to the inbox a ticket lies in.
func (k *packing) toDesk(ctx context.Context) (string, error) {
	if why, err := k.desk(ctx); why != "" || err != nil {
		return why, err
	}
	t, err := k.tx.Ticket(ctx, k.mail.Ticket)
	if err != nil {
		return "", err
	}
	if err := k.ticket(ctx, t); err != nil {
		return "", err
	}
	k.letter.ReplyTo = ""
	for _, f := range k.portal.Tickets.Fields {
		if value := t.Fields[f.Key]; value != "" && f.Key != "priority" && f.Key != "category" {
			k.letter.Fields = append(k.letter.Fields, portal.LetterField{Label: f.Label, Value: value})
		}
	}
	return k.message(ctx, t, true)
}

// desk addresses a letter to the inbox, wherever that is now.
func (k *packing) desk(ctx context.Context) (string, error) {
	inbox, err := k.tx.Inbox(ctx, k.mail.Inbox)
	if err != nil {
		return "", err
	}
	if inbox.Address == "" {
		return "the inbox has no address any more", nil
	}
	k.letter.To, k.letter.Inbox, k.letter.Office, k.letter.ReplyTo = inbox.Address, inbox.Name, true, ""
	return "", nil
}

// pending tells the inbox that somebody waits for approval.
func (k *packing) pending(ctx context.Context) (string, error) {
	address := k.desk
	if k.mail.Agent != 0 {
		address = k.toAgent
		k.letter.Office, k.letter.ReplyTo = true, ""
	}
	if why, err := address(ctx); why != "" || err != nil {
		return why, err
	}
	c, err := k.tx.Contact(ctx, k.mail.Contact)
	if err != nil {
		return "", err
	}
	member, err := k.tx.Member(ctx, k.portal.ID, c.ID)
	if err != nil {
		return "", err
	}
	if member.Status != portal.Pending {
		return "it was decided already", nil
	}
	k.letter.By = c.Email
	if c.Name != "" {
		k.letter.By = c.Name + " <" + c.Email + ">"
	}
	return "", nil
}
