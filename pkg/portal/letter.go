package portal

import (
	"fmt"
	"strconv"
	"time"
)

// Letter is a mail about to be written: what it says and to whom, with
// everything its words need. It is put together when it is sent, so that no
// text and no one-time link lies in the store before.
type Letter struct {
	Kind LetterKind

	To       string // the address
	Name     string // the recipient's; left empty for an address nobody has proven
	Language string
	Texts    *Texts         // the portal's own sentences; nil: none
	Zone     *time.Location // the recipient's; nil: UTC

	Portal  string // the portal's name
	Accent  string
	Home    string // the portal's URL
	ReplyTo string // the inbox's address, where there is one

	MessageID string // fixed when the mail was queued: <…@host>
	Thread    string // the id every mail about one ticket refers to; empty outside tickets
	// Parent is the mail this one follows in its reader's mailbox, and Before
	// further ones they have, oldest first; ids in brackets. Ids of other
	// programs' mails may be in any form.
	Parent string
	Before []string
	// Answer is set when an answer to the mail is added to the ticket: ReplyTo
	// finds it. The mail then says so, and has the line to write above.
	Answer bool
	// Unsubscribe is the page that turns this kind of notice off; "": none.
	Unsubscribe string
	// List names the inbox an agent's notice comes from, and ListID is the same
	// for machines, such as inbox-3.support.example.com, so that mail programs
	// can sort by it. Both are empty for other mail.
	List, ListID string

	Link    string        // what the button leads to; empty: no button
	Valid   time.Duration // how long a one-time link works
	Once    bool          // the link works once
	Code    string        // to type where it was asked for; empty: none
	Device  string        // the browser it tells of, as its own name for itself
	From    string        // the IP address it tells of
	Passkey string        // what the passkey it tells of is called
	Left    int           // recovery codes left
	Reset   bool          // the operator did it, for who had lost their second factor
	At      time.Time     // when what it tells about happened
	By      string        // who did it, as the reader may know them; empty: the team
	Inbox   string        // to an inbox: its name
	Reason  string        // a refusal: the reason, as an operator wrote it
	Office  bool          // to an inbox or an agent, not to a customer

	Ticket     *Ticket
	Label      string        // the portal's own word for ticket; empty: the language's
	Message    *Message      // with Files; AuthorName as the reader may know it
	Fields     []LetterField // to an inbox: the ticket's fields
	ReopenDays int           // closed: how long an answer reopens; 0: never
	Hidden     bool          // nothing of the ticket is shown but its number
	AlsoTo     []string      // names of the others who get the message
	Signature  string        // of the agent who wrote, Markdown
	History    []Message     // earlier messages to quote, newest first
	Promise    time.Time     // when the agent said they would hear again; zero: not said
	Usual      time.Duration // the usual time to a first answer; 0: not known
	Rate       []string      // closed: where each number of stars leads, one star first

	Logo        *LetterLogo // of the portal; nil: its name stands for it
	FooterLinks []WebLink   // to the company's imprint and the like

	Notices []Letter // a digest: the notices it stands for, oldest first
	Daily   bool     // a digest: the one a day they asked for
}

// TicketThread is the id every mail about one ticket refers to, so that mail
// programs show them together. It names no message.
func TicketThread(t *Ticket, host string) string {
	return fmt.Sprintf("<ticket.%d.%s@%s>", int64(t.Number), strconv.FormatInt(t.CreatedAt.UnixMilli(), 36), host)
}

// LetterLogo is a logo as mails carry it with them: nothing is fetched when they
// are read.
type LetterLogo struct {
	PNG           []byte
	Width, Height int // it is shown with
	// LostOnLight and LostOnDark are as a BrandImage has them.
	LostOnLight, LostOnDark bool
}

// LetterField is a field of the new-ticket form with what was answered.
type LetterField struct{ Label, Value string }

// LetterKind is which mail a letter is.
type LetterKind string

// The kinds of letter.
const (
	LetterInvitation      LetterKind = "invitation"
	LetterSignIn          LetterKind = "sign_in"
	LetterRegister        LetterKind = "register"       // proof of an address nobody knows
	LetterRegisterKnown   LetterKind = "register_known" // to an address that has access already
	LetterReset           LetterKind = "reset"
	LetterPasswordChanged LetterKind = "password_changed"
	LetterProof           LetterKind = "proof"       // a code to prove again who they are
	LetterNewDevice       LetterKind = "new_device"  // a sign-in from a browser they never used
	LetterEmailProof      LetterKind = "email_proof" // to a new address
	LetterEmailChanged    LetterKind = "email_changed"
	LetterFactorOn        LetterKind = "factor_on"
	LetterFactorOff       LetterKind = "factor_off"
	LetterRecoveryUsed    LetterKind = "recovery_used"
	LetterFactorTried     LetterKind = "factor_tried" // somebody gave wrong codes
	LetterPasskeyAdded    LetterKind = "passkey_added"
	LetterPasskeyRemoved  LetterKind = "passkey_removed"
	LetterApproved        LetterKind = "approved"
	LetterRefused         LetterKind = "refused"
	LetterAccess          LetterKind = "access_given" // somebody registered in another portal may enter this one
	LetterTicketReceived  LetterKind = "ticket_received"
	LetterMessage         LetterKind = "message"
	LetterTicketClosed    LetterKind = "ticket_closed"
	LetterParticipant     LetterKind = "participant_added"
	LetterDeskTicket      LetterKind = "desk_ticket"    // to the inbox: a new ticket
	LetterDeskMessage     LetterKind = "desk_message"   // to the inbox: a customer answered
	LetterDeskPending     LetterKind = "desk_pending"   // to the inbox: a registration awaits approval
	LetterAgentTicket     LetterKind = "agent_ticket"   // to an agent: a new ticket
	LetterAgentMessage    LetterKind = "agent_message"  // to an agent: a customer wrote
	LetterAgentAssigned   LetterKind = "agent_assigned" // to an agent: a ticket is theirs now
	LetterAgentMention    LetterKind = "agent_mention"  // to an agent: a note names them
	LetterAgentPromise    LetterKind = "agent_promise"  // to an agent: what they promised is due soon
	LetterAgentSnoozed    LetterKind = "agent_snoozed"  // to an agent: a ticket they put off is back
	LetterDigest          LetterKind = "digest"         // several notices in one
	LetterTest            LetterKind = "test"
)

// Delivery is how an attempt to send a mail ended.
type Delivery struct {
	Outcome Outcome
	Code    int    // the mail server's, such as 550; 0 when it said nothing
	Status  string // the enhanced status, such as 5.1.1, where there is one
	Text    string // one line for operators; may quote the server
	// Server is set when no mail can go out at present, whoever it is for: the
	// server cannot be reached, or refuses us.
	Server bool
}

// Outcome says what an attempt means for the next one.
type Outcome int

// The outcomes. The zero value promises nothing.
const (
	// Unknown: the connection died after the text was sent and before the
	// server answered, so it may or may not have been delivered.
	Unknown Outcome = iota
	Delivered
	Temporary // try again later
	Permanent // trying again is of no use
)

// String names the outcome for logs.
func (o Outcome) String() string {
	switch o {
	case Delivered:
		return "delivered"
	case Temporary:
		return "temporary"
	case Permanent:
		return "permanent"
	}
	return "unknown"
}
