package portal

import "cmp"

// ContactNotify is of what a contact hears by mail about tickets.
type ContactNotify string

// The choices. None of them keeps back mail about the account itself.
const (
	NotifyAll    ContactNotify = "all"    // every public message of tickets they take part in
	NotifyMine   ContactNotify = "mine"   // only of tickets they opened
	NotifyNone   ContactNotify = "none"   // nothing about tickets
	NotifyDigest ContactNotify = "digest" // once a day, what happened
)

// ContactNotifies lists the choices in the order pages show them.
var ContactNotifies = []ContactNotify{NotifyAll, NotifyMine, NotifyDigest, NotifyNone}

// ParseContactNotify reads all, mine, none or digest.
func ParseContactNotify(s string) (ContactNotify, error) {
	return oneOf("contact.notify", "notify", "a choice of notices", s, ContactNotifies...)
}

// String names the choice; a contact without one hears everything.
func (n ContactNotify) String() string { return string(cmp.Or(n, NotifyAll)) }

// MailContent is how much of a ticket mail shows.
type MailContent string

// The contents. Hidden mail says that there is something to read and shows
// nothing of it: no subject, no words, no names. It holds for mail to agents,
// too, as theirs travels the same way.
const (
	MailFull   MailContent = "full"
	MailHidden MailContent = "hidden"
)

// ParseMailContent reads full or hidden.
func ParseMailContent(s string) (MailContent, error) {
	return oneOf("tickets.mail_content", "mail-content", "a way to show tickets in mail", s, MailFull, MailHidden)
}

// String names the content; the zero value is full.
func (c MailContent) String() string { return string(cmp.Or(c, MailFull)) }

// HidesMail reports whether mail shows nothing of tickets.
func (s *TicketSettings) HidesMail() bool { return s.MailContent == MailHidden }

// PlusAddressing says whether a mail server delivers support+anything@ to
// support@.
type PlusAddressing string

// The settings. Nearly every server does, so the zero value uses it once mail
// is known to come in.
const (
	PlusAuto PlusAddressing = ""
	PlusOn   PlusAddressing = "on"
	PlusOff  PlusAddressing = "off"
)

// ParsePlus reads auto, on or off.
func ParsePlus(s string) (PlusAddressing, error) {
	p, err := oneOf("inbox.plus", "plus", "a setting for plus addresses", s, "auto", PlusOn, PlusOff)
	if p == "auto" {
		return PlusAuto, err
	}
	return p, err
}

// String names the setting; the zero value is auto.
func (p PlusAddressing) String() string { return cmp.Or(string(p), "auto") }

// TellDesk says who hears by mail of new tickets and customers' messages: the
// agents, or the inbox's own address.
type TellDesk string

// The settings. The zero value tells the agents, and the address when no agent
// is there who wants to hear.
const (
	TellAuto    TellDesk = ""
	TellAgents  TellDesk = "agents"
	TellAddress TellDesk = "address"
	TellBoth    TellDesk = "both"
)

// ParseTellDesk reads auto, agents, address or both.
func ParseTellDesk(s string) (TellDesk, error) {
	t, err := oneOf("inbox.tell", "tell", "a choice of who is told", s, "auto", TellAgents, TellAddress, TellBoth)
	if t == "auto" {
		return TellAuto, err
	}
	return t, err
}

// String names the setting; the zero value is auto.
func (t TellDesk) String() string { return cmp.Or(string(t), "auto") }
