package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// decision is what becomes of a mail, and whom and what it concerns.
type decision struct {
	portal.MailOutcome
	known   *portal.LedgerEntry // the line the mail has already
	same    *portal.LedgerEntry // a duplicate: the first
	proof   portal.SenderProof
	inbox   *portal.Inbox   // nil: none takes mail for its recipients
	portal  *portal.Portal  // of the ticket, or of a new one
	contact *portal.Contact // the sender, where known
	agent   *portal.Agent
	ticket  *portal.Ticket // that the mail points at; where that was merged, the one it is part of
	bounced *store.Mail    // the mail of ours that came back
	why     string         // what the server said of it
}

// makesMessage reports whether a message is written, which needs its files.
func (d *decision) makesMessage() bool { return d.Step != portal.TakeNothing }

// decide finds out all that counts and asks the rule. With count set, what the
// sender has sent is counted; that is for the transaction that takes the mail.
func (in *intake) decide(ctx context.Context, tx *store.Tx, count bool) (*decision, error) {
	d := &decision{}
	var err error
	if d.known, err = tx.LedgerEntryAt(ctx, in.entry.Inbox, in.entry.Place); err != nil || d.known != nil {
		return d, err
	}
	if err := in.findInbox(ctx, tx, d); err != nil {
		return nil, err
	}
	trusted := ""
	if d.inbox != nil {
		trusted = d.inbox.Mail.TrustedServer
	}
	d.proof = in.mail.Proof(trusted)
	if err := in.findSame(ctx, tx, d); err != nil || d.same != nil {
		return d, err
	}
	if in.broken {
		d.MailOutcome = portal.MailOutcome{Decision: portal.MailHeld, Reason: portal.ReasonUnreadable}
		return d, nil
	}
	if d.inbox == nil {
		d.MailOutcome = portal.MailOutcome{Decision: portal.MailHeld, Reason: portal.ReasonNoInbox}
		return d, nil
	}
	if in.mail.Bounce != nil {
		return d, in.decideBounce(ctx, tx, d)
	}
	return d, in.judge(ctx, tx, d, count)
}

// judge fills in the case for the rule.
func (in *intake) judge(ctx context.Context, tx *store.Tx, d *decision, count bool) error {
	c := portal.MailCase{
		Proof: d.proof, Auto: in.mail.Auto, TooLarge: in.arrival.Size > 0,
		Unknown: d.inbox.Mail.Unknown, TrustUnproven: d.inbox.Mail.TrustUnproven,
	}
	pointers, err := in.pointers(ctx, tx)
	if err != nil {
		return err
	}
	if err := in.findTicket(ctx, tx, d, &c, pointers); err != nil {
		return err
	}
	if err := in.findPortal(ctx, tx, d); err != nil {
		return err
	}
	if c.From, err = in.findSender(ctx, tx, d, &c, pointers); err != nil {
		return err
	}
	if c.TooMany, err = in.tooMany(ctx, tx, d, count); err != nil {
		return err
	}
	if d.ticket != nil {
		if err := in.standing(ctx, tx, d, &c); err != nil {
			return err
		}
	}
	d.MailOutcome = c.Decide()
	if d.Decision == portal.MailCreated && d.portal == nil {
		d.MailOutcome = portal.MailOutcome{Decision: portal.MailHeld, Reason: portal.ReasonNoPortal}
	}
	return nil
}

// findInbox is the inbox a mail was fetched for, or the one that has one of its
// addresses: those of the delivery first, as headers name others too.
func (in *intake) findInbox(ctx context.Context, tx *store.Tx, d *decision) (err error) {
	if in.arrival.Inbox != 0 {
		d.inbox, err = tx.Inbox(ctx, in.arrival.Inbox)
		return err
	}
	for _, addresses := range [][]string{in.arrival.Recipients, in.mail.Delivered, addressesIn(in.mail.To, in.mail.CC)} {
		if d.inbox, err = in.inboxOf(ctx, tx, addresses); err != nil || d.inbox != nil {
			return err
		}
	}
	return nil
}

func addressesIn(lists ...[]portal.MailAddress) []string {
	var all []string
	for _, list := range lists {
		for _, a := range list {
			all = append(all, a.Address)
		}
	}
	return all
}

// inboxOf returns the inbox that one of the addresses leads to, or nil. An
// address with a key of ours leads to its ticket's inbox also when that has
// another address by now.
func (a *App) inboxOf(ctx context.Context, tx *store.Tx, addresses []string) (*portal.Inbox, error) {
	inboxes, err := tx.Inboxes(ctx)
	if err != nil {
		return nil, err
	}
	for _, address := range addresses {
		address = strings.ToLower(strings.TrimSpace(address))
		if i := slices.IndexFunc(inboxes, func(i portal.Inbox) bool { return isAddressOf(&i, address) }); i >= 0 {
			return &inboxes[i], nil
		}
		if _, key, ok := a.readReplyAddress(address); ok {
			t, err := tx.Ticket(ctx, key.Ticket)
			if err == nil {
				return tx.Inbox(ctx, t.InboxID)
			}
			if portal.KindOf(err) != portal.NotFound {
				return nil, err
			}
		}
	}
	return nil, nil
}

// isAddressOf reports whether mail to the address is the inbox's, whatever
// stands between a plus sign and the @.
func isAddressOf(i *portal.Inbox, address string) bool {
	if i.Address == "" {
		return false
	}
	local, domain, _ := cutLast(address, '@')
	base, _, _ := strings.Cut(local, "+")
	own, ownDomain, _ := cutLast(i.Address, '@')
	return domain == ownDomain && (local == own || base == own)
}

// findSame finds the first mail that this one is again.
func (in *intake) findSame(ctx context.Context, tx *store.Tx, d *decision) (err error) {
	if d.same, err = tx.SameMail(ctx, in.entry.SHA256); err != nil || d.same != nil {
		return err
	}
	trusted := d.proof == portal.SenderProven ||
		d.proof == portal.SenderUnproven && d.inbox != nil && d.inbox.Mail.TrustUnproven
	if !trusted {
		return nil
	}
	like := in.entry
	like.Proof = d.proof
	d.same, err = tx.SameMessage(ctx, &like)
	return err
}

// pointers are the tickets the mail points at.
func (in *intake) pointers(ctx context.Context, tx *store.Tx) (*portal.MailPointers, error) {
	p := &portal.MailPointers{
		Envelope:   in.addressKeys(in.arrival.Recipients),
		Recipients: in.addressKeys(append(slices.Clone(in.mail.Delivered), addressesIn(in.mail.To, in.mail.CC)...)),
		InReplyTo:  in.idKeys(in.mail.InReplyTo),
		References: in.idKeys(in.mail.References),
	}
	for _, n := range portal.SubjectTags(in.mail.Subject) {
		_, err := tx.Ticket(ctx, n)
		if portal.KindOf(err) == portal.NotFound {
			continue // another desk writes numbers alike
		}
		if err != nil {
			return nil, err
		}
		p.Tags = append(p.Tags, n)
	}
	return p, nil
}

func (in *intake) addressKeys(addresses []string) []portal.MailKey {
	var keys []portal.MailKey
	for _, address := range addresses {
		if _, key, ok := in.readReplyAddress(address); ok && !slices.Contains(keys, portal.MailKey(key)) {
			keys = append(keys, portal.MailKey(key))
		}
	}
	return keys
}

func (in *intake) idKeys(ids []string) []portal.MailKey {
	var keys []portal.MailKey
	for _, id := range ids {
		if key, ok := in.readMailID(id); ok {
			keys = append(keys, portal.MailKey(key))
		}
	}
	return keys
}

// mergesFollowed bounds how many mergers are followed to the ticket that is
// left.
const mergesFollowed = 20

// findTicket loads the ticket the mail is about.
func (in *intake) findTicket(ctx context.Context, tx *store.Tx, d *decision, c *portal.MailCase, p *portal.MailPointers) error {
	var number portal.TicketNumber
	if c.Ref, number, c.Conflict = p.Choose(); c.Ref == portal.RefNone {
		return nil
	}
	c.Ticket = portal.TicketGone
	for range mergesFollowed {
		t, err := tx.Ticket(ctx, number)
		if portal.KindOf(err) == portal.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		d.ticket = t
		if t.MergedInto == 0 {
			break
		}
		number = t.MergedInto
	}
	c.Ticket = portal.TicketOpen
	return nil
}

// findPortal is the ticket's portal; that of a new one is the portal the inbox
// says, or the first whose new tickets go there, or the only one there is.
func (in *intake) findPortal(ctx context.Context, tx *store.Tx, d *decision) error {
	portals, err := tx.Portals(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(portals, func(a, b portal.Portal) int { return int(a.ID - b.ID) })
	wanted := d.inbox.Mail.Portal
	if d.ticket != nil && d.ticket.PortalID != 0 {
		wanted = d.ticket.PortalID
	}
	for _, is := range []func(*portal.Portal) bool{
		func(p *portal.Portal) bool { return p.ID == wanted },
		func(p *portal.Portal) bool { return p.Tickets.InboxID == d.inbox.ID },
		func(*portal.Portal) bool { return len(portals) == 1 },
	} {
		if i := slices.IndexFunc(portals, func(p portal.Portal) bool { return is(&p) }); i >= 0 {
			d.portal = &portals[i]
			return nil
		}
	}
	return nil
}

// findSender finds who the From address is. Somebody who is an agent and a
// contact speaks as an agent when the mail carries a key that was sent to the
// agent, and else as the customer they are.
func (in *intake) findSender(ctx context.Context, tx *store.Tx, d *decision, c *portal.MailCase, p *portal.MailPointers) (portal.MailSender, error) {
	sender, ok := in.mail.Sender()
	if own, err := in.isOwn(ctx, tx, sender.Address); err != nil || own {
		return portal.FromOwn, err
	}
	if !ok {
		return portal.FromNobody, nil
	}
	agent, err := tx.AgentByEmail(ctx, in.entry.Sender)
	if err != nil && portal.KindOf(err) != portal.NotFound {
		return "", err
	}
	contact, err := senderContact(ctx, tx, in.entry.Sender)
	if err != nil {
		return "", err
	}
	if agent != nil {
		c.OwnKey = d.ticket != nil && in.hasKey(p, agent.ID, d.ticket, c)
	}
	if agent != nil && (c.OwnKey || contact == nil) {
		d.agent, c.Barred = agent, agent.Disabled
		return portal.FromAgent, nil
	}
	if contact == nil {
		return portal.FromUnknown, nil
	}
	if contact.Erased() {
		return portal.FromNobody, nil // nobody writes from the address that holds their place
	}
	d.contact = contact
	if d.portal == nil {
		return portal.FromContact, nil
	}
	member, err := tx.Member(ctx, d.portal.ID, contact.ID)
	if err != nil && portal.KindOf(err) != portal.NotFound {
		return "", err
	}
	c.Barred = err == nil && member.Status == portal.Disabled
	return portal.FromContact, nil
}

// hasKey reports whether the mail has a key of the agent for the ticket, or for
// the one it was before a merger.
func (in *intake) hasKey(p *portal.MailPointers, agent portal.AgentID, t *portal.Ticket, c *portal.MailCase) bool {
	_, number, _ := p.Choose()
	return c.Ref != portal.RefNone && (p.HasKeyOf(agent, t.Number) || p.HasKeyOf(agent, number))
}

// senderContact is the contact with the address, be it the one registration
// mail goes to; nil when nobody has it.
func senderContact(ctx context.Context, tx *store.Tx, address string) (*portal.Contact, error) {
	for _, find := range []func(context.Context, string) (*portal.Contact, error){tx.ContactByEmail, tx.ContactForSignIn} {
		c, err := find(ctx, address)
		if portal.KindOf(err) == portal.NotFound {
			continue
		}
		return c, err
	}
	return nil, nil
}

// isOwn reports whether the mail is one of ours that came back: it has a
// Message-ID we made, or comes from an address that is ours.
func (in *intake) isOwn(ctx context.Context, tx *store.Tx, sender string) (bool, error) {
	if _, ok := in.readMailID(in.mail.MessageID); ok {
		return true, nil
	}
	if in.mail.MessageID != "" {
		mail, err := tx.MailWithID(ctx, in.mail.MessageID)
		if err != nil || mail != nil {
			return mail != nil, err
		}
	}
	if sender == "" {
		return false, nil
	}
	base, _, _ := in.readReplyAddress(sender)
	inboxes, err := tx.Inboxes(ctx)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(inboxes, func(i portal.Inbox) bool { return i.Address != "" && i.Address == base }) {
		return true, nil
	}
	from, err := tx.Meta(ctx, MetaMailFrom)
	return from != "" && strings.EqualFold(bareAddress(from), base), err
}

// bareAddress is the bare address of one that may have a name before it.
func bareAddress(s string) string {
	if _, rest, found := strings.Cut(s, "<"); found {
		s, _, _ = strings.Cut(rest, ">")
	}
	return strings.TrimSpace(s)
}

// standing says how the ticket stands to the sender.
func (in *intake) standing(ctx context.Context, tx *store.Tx, d *decision, c *portal.MailCase) error {
	t := d.ticket
	settings := portal.TicketSettings{}
	if d.portal != nil {
		settings = d.portal.Tickets
	}
	if t.Status == portal.Closed {
		c.Ticket = portal.TicketOver
		if t.MayReopen(tx.Now, &settings) {
			c.Ticket = portal.TicketReopens
		}
	}
	c.Party = d.contact != nil && t.Party(d.contact.ID)
	if d.agent != nil {
		viewer := portal.AgentViewer(d.agent)
		c.Visible = viewer.Sees(t).See
	}
	if t.InboxID == d.inbox.ID {
		return nil
	}
	inbox, err := tx.Inbox(ctx, t.InboxID)
	c.Strict = err != nil || !inbox.Mail.TrustUnproven
	return err
}

// tooMany reports whether the sender has sent more than anybody writes. Mail
// that is proven counts apart, or whoever forges an address could use up what
// its owner may send. The counters' keys end with the address, by which
// erasing finds them.
func (in *intake) tooMany(ctx context.Context, tx *store.Tx, d *decision, count bool) (bool, error) {
	if in.entry.Sender == "" {
		return false, nil
	}
	whose := string(d.proof) + ":" + in.entry.Sender
	keys := map[string]int{"mail-in:" + whose: mailsOfSender}
	if d.ticket != nil {
		keys["mail-in:"+d.ticket.Number.String()+":"+whose] = mailsOfTicket
	}
	over := false
	for key, most := range keys {
		read := tx.Counter
		if count {
			read = func(ctx context.Context, key string) (store.Counter, error) { return tx.Count(ctx, key, time.Hour) }
		}
		c, err := read(ctx, key)
		if err != nil {
			return false, err
		}
		over = over || c.Count > most
	}
	return over, nil
}
