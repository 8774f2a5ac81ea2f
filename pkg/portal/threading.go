package portal

import "slices"

// Where a mail that comes in belongs. The rule is here, without a store, so
// that every combination can be tried; what it is asked about is found in app.

// MailKey is what a reply address or a Message-ID of ours says: which ticket a
// mail was about, and the one person it was sent to. It says nothing of who
// writes now.
type MailKey struct {
	Ticket TicketNumber
	To     Person
	Inbox  InboxID // the mail was to an inbox
}

// MailReference is how a mail points at a ticket. The words are stable in JSON.
type MailReference string

// The ways of pointing, the strongest first.
const (
	RefNone    MailReference = ""
	RefAddress MailReference = "reply_address"
	RefMailID  MailReference = "message_id"
	RefTag     MailReference = "subject_tag"
)

// MailPointers is everything a mail points at tickets with. Keys have been
// checked: what stands here was made by this store.
type MailPointers struct {
	Envelope   []MailKey // recipients the mail was delivered for
	Recipients []MailKey // recipients the headers name
	InReplyTo  []MailKey
	References []MailKey // oldest first
	Tags       []TicketNumber
}

// Choose returns the ticket the mail is about, and by what. The strongest way
// of pointing decides alone. Conflict is set when that one names several
// tickets; of References, which are a history, the newest counts.
func (p *MailPointers) Choose() (by MailReference, ticket TicketNumber, conflict bool) {
	for _, keys := range [][]MailKey{p.Envelope, p.Recipients} {
		if len(keys) > 0 {
			return RefAddress, keys[0].Ticket, !sameTicket(keys)
		}
	}
	switch {
	case len(p.InReplyTo) > 0:
		return RefMailID, p.InReplyTo[0].Ticket, !sameTicket(p.InReplyTo)
	case len(p.References) > 0:
		return RefMailID, p.References[len(p.References)-1].Ticket, false
	case len(p.Tags) > 0:
		return RefTag, p.Tags[0], slices.ContainsFunc(p.Tags, func(n TicketNumber) bool { return n != p.Tags[0] })
	}
	return RefNone, 0, false
}

func sameTicket(keys []MailKey) bool {
	return !slices.ContainsFunc(keys, func(k MailKey) bool { return k.Ticket != keys[0].Ticket })
}

// HasKeyOf reports whether the mail carries a key for the ticket that was sent
// to this agent.
func (p *MailPointers) HasKeyOf(agent AgentID, ticket TicketNumber) bool {
	own := MailKey{Ticket: ticket, To: Person{Agent: agent}}
	return agent != 0 && slices.Contains(slices.Concat(p.Envelope, p.Recipients, p.InReplyTo, p.References), own)
}

// MailSender is who a mail names as its sender, as far as the store knows them.
type MailSender string

// The senders.
const (
	FromNobody  MailSender = "nobody" // not one address in one From header
	FromOwn     MailSender = "own"    // one of our own addresses, or a Message-ID of ours came back
	FromAgent   MailSender = "agent"
	FromContact MailSender = "contact"
	FromUnknown MailSender = "unknown"
)

// MailTicket is how the ticket stands that a mail points at.
type MailTicket string

// The ways a ticket stands.
const (
	TicketOpen    MailTicket = "open"
	TicketReopens MailTicket = "reopens" // closed, and a customer's answer would still open it
	TicketOver    MailTicket = "over"    // closed for good
	TicketGone    MailTicket = "gone"    // there is none of that number
)

// MailCase is all that counts when it is decided what becomes of a mail.
type MailCase struct {
	From   MailSender
	Barred bool // an operator has shut the sender out: a disabled agent or member
	Proof  SenderProof
	Auto   AutoMark
	// TooMany is set when the sender has sent more mail than anybody writes.
	TooMany bool
	// TooLarge is set when only the mail's header was fetched.
	TooLarge bool

	Unknown       UnknownSender // what the inbox does with unknown senders
	TrustUnproven bool          // the inbox takes senders at their word

	Ref      MailReference
	Conflict bool // it names several tickets
	// The rest is about the ticket, and counts only with a Ref.
	Ticket MailTicket
	Party  bool // the sender is requester or participant
	// Strict is set when the ticket lies in another inbox, which does not take
	// senders at their word.
	Strict  bool
	OwnKey  bool // the mail carries a key that was sent to this agent
	Visible bool // the agent sees tickets of its inbox
}

// MailReason says why a mail was decided on as it was. The words are stable in
// JSON.
type MailReason string

// The reasons.
const (
	ReasonNew        MailReason = "new"             // created: a known sender's new matter
	ReasonAccepted   MailReason = "sender_accepted" // created: the inbox takes unknown senders
	ReasonFollows    MailReason = "ticket_closed"   // created: the ticket it answers is closed for good
	ReasonAnswer     MailReason = "answer"          // appended
	ReasonReopened   MailReason = "reopened"        // appended, and the ticket is open again
	ReasonAgent      MailReason = "agent_answer"    // appended as an agent's public message
	ReasonNote       MailReason = "agent_note"      // appended as an agent's note
	ReasonAutomatic  MailReason = "automatic"       // appended, ignored or held: no person wrote it
	ReasonOwn        MailReason = "own_mail"        // ignored: our own mail came back
	ReasonBounce     MailReason = "bounce"          // ignored: a mail of ours could not be delivered
	ReasonReport     MailReason = "delivery_report" // ignored: a report about no mail of ours, or of no failure
	ReasonNoSender   MailReason = "no_sender"
	ReasonUnknown    MailReason = "sender_unknown"
	ReasonUnproven   MailReason = "sender_unproven"
	ReasonContra     MailReason = "sender_contradicted"
	ReasonBarred     MailReason = "sender_disabled"
	ReasonNotParty   MailReason = "not_a_party"
	ReasonConflict   MailReason = "references_conflict"
	ReasonGone       MailReason = "ticket_gone"
	ReasonAgentKey   MailReason = "agent_no_key"   // an agent, without a key that was sent to them
	ReasonAgentInbox MailReason = "agent_no_inbox" // an agent who is not given the ticket's inbox
	ReasonTooMany    MailReason = "too_many"
	ReasonTooLarge   MailReason = "too_large"
	ReasonUnreadable MailReason = "unreadable" // nothing could be made of it
	ReasonNoInbox    MailReason = "no_inbox"   // no inbox has one of its addresses
	ReasonNoPortal   MailReason = "no_portal"  // the inbox belongs to no portal yet
	ReasonSame       MailReason = "same_mail"
	ReasonAcceptedBy MailReason = "accepted" // held, and somebody has accepted it
	ReasonRefused    MailReason = "refused"  // held, and somebody has refused it
)

// MailStep is what is done with a mail.
type MailStep string

// The steps. The zero value does nothing but write the line of the ledger.
const (
	TakeNothing     MailStep = ""
	TakeOpen        MailStep = "open"         // a new ticket of the sender
	TakeOpenNext    MailStep = "open_next"    // a new ticket that continues the closed one
	TakeOpenUnknown MailStep = "open_unknown" // a new contact with a new ticket
	TakeAnswer      MailStep = "answer"       // a customer's public message
	TakeAgentAnswer MailStep = "agent_answer" // an agent's message: public, or a note
	TakeKeep        MailStep = "keep"         // a message only the desk sees, and nothing else changes
)

// MailOutcome is what becomes of a mail.
type MailOutcome struct {
	Decision MailDecision
	Reason   MailReason
	Step     MailStep
	// Answerable says that the sender may be told of it: a person, proven.
	Answerable bool
}

// Decide says what becomes of a mail. Bounces and mail that was taken before
// are dealt with elsewhere.
//
// A reference says which ticket, never who: only a sender who is trusted and a
// party is appended. Automatic mail changes no state: from a trusted party it
// is kept with the ticket, for the desk's eyes; marks that stand on people's
// mail too are looked at by somebody; the rest is ignored. An agent speaks by
// real proof and a key that was sent to them, whatever the inbox trusts.
func (c *MailCase) Decide() MailOutcome {
	switch {
	case c.From == FromOwn:
		return ignored(ReasonOwn)
	case c.Auto != AutoNone:
		return c.automatic()
	case c.From == FromNobody:
		return held(ReasonNoSender)
	case c.Barred:
		return held(ReasonBarred)
	case c.From == FromAgent:
		return c.agent()
	case c.From == FromUnknown:
		return c.unknown()
	case c.Proof == SenderContradicted:
		return held(ReasonContra)
	case !c.trusted():
		return held(ReasonUnproven)
	case c.TooLarge:
		return held(ReasonTooLarge)
	case c.TooMany:
		return held(ReasonTooMany)
	case c.Ref == RefNone:
		return MailOutcome{MailCreated, ReasonNew, TakeOpen, c.Proof == SenderProven}
	}
	return c.answer()
}

// answer is a trusted contact's mail that points at a ticket.
func (c *MailCase) answer() MailOutcome {
	switch {
	case c.Conflict:
		return held(ReasonConflict)
	case c.Ticket == TicketGone:
		return held(ReasonGone)
	case !c.Party:
		return held(ReasonNotParty)
	case c.Ticket == TicketOver:
		return MailOutcome{MailCreated, ReasonFollows, TakeOpenNext, c.Proof == SenderProven}
	case c.Ticket == TicketReopens:
		return MailOutcome{MailAppended, ReasonReopened, TakeAnswer, false}
	}
	return MailOutcome{MailAppended, ReasonAnswer, TakeAnswer, false}
}

// trusted reports whether the sender counts as who they say they are.
func (c *MailCase) trusted() bool {
	return c.Proof == SenderProven ||
		c.Proof == SenderUnproven && c.TrustUnproven && (c.Ref == RefNone || !c.Strict)
}

func (c *MailCase) agent() MailOutcome {
	switch {
	case c.Proof == SenderContradicted:
		return held(ReasonContra)
	case c.Proof != SenderProven:
		return held(ReasonUnproven)
	case c.Conflict:
		return held(ReasonConflict)
	case c.Ref == RefNone || !c.OwnKey:
		return held(ReasonAgentKey)
	case c.Ticket == TicketGone:
		return held(ReasonGone)
	case !c.Visible:
		return held(ReasonAgentInbox)
	case c.TooLarge:
		return held(ReasonTooLarge)
	case c.TooMany:
		return held(ReasonTooMany)
	}
	return MailOutcome{MailAppended, ReasonAgent, TakeAgentAnswer, false}
}

// unknown is mail from an address nobody knows. A key of ours shows that a
// party handed the conversation on, so such a mail is held even where unknown
// senders are rejected; a tag is soon written by anybody.
func (c *MailCase) unknown() MailOutcome {
	keyed := c.Ref == RefAddress || c.Ref == RefMailID
	switch {
	case c.Unknown == UnknownReject && !keyed:
		return MailOutcome{Decision: MailRejected, Reason: ReasonUnknown}
	case c.Unknown != UnknownAccept || c.Ref != RefNone:
		return held(ReasonUnknown)
	case c.Proof == SenderContradicted:
		return held(ReasonContra)
	case !c.trusted():
		return held(ReasonUnproven)
	case c.TooLarge:
		return held(ReasonTooLarge)
	case c.TooMany:
		return held(ReasonTooMany)
	}
	return MailOutcome{MailCreated, ReasonAccepted, TakeOpenUnknown, c.Proof == SenderProven}
}

// automatic is mail that no person wrote, as far as its marks tell.
func (c *MailCase) automatic() MailOutcome {
	known := c.From == FromContact && !c.Barred && c.trusted()
	about := c.Ref != RefNone && !c.Conflict && c.Ticket != TicketGone && c.Party
	switch {
	case c.TooMany || !known:
		return ignored(ReasonAutomatic)
	case about && !c.TooLarge:
		return MailOutcome{Decision: MailAppended, Reason: ReasonAutomatic, Step: TakeKeep}
	case c.Auto.Weak():
		return held(ReasonAutomatic)
	}
	return ignored(ReasonAutomatic)
}

// Weak reports whether the mark stands on people's mail as well: what came
// over a mailing list, or has a subject such as an answering machine writes.
func (m AutoMark) Weak() bool {
	return m == AutoList || m == AutoPrecedence || m == AutoSubject
}

func held(r MailReason) MailOutcome    { return MailOutcome{Decision: MailHeld, Reason: r} }
func ignored(r MailReason) MailOutcome { return MailOutcome{Decision: MailIgnored, Reason: r} }
