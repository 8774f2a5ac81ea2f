package portal

import "time"

// MailIn is how mail gets into an inbox and what it may do there. It is kept
// as JSON with the inbox; the names are stable.
type MailIn struct {
	// IMAP is the mailbox mail is fetched from; nil: none is fetched. Mail may
	// be delivered by LMTP or `mail ingest` besides.
	IMAP *IMAPSource `json:"imap,omitempty"`
	// Unknown says what becomes of mail from addresses nobody knows.
	Unknown UnknownSender `json:"unknown,omitempty"`
	// TrustedServer is the authserv-id of the mail server that checks who sent
	// a mail (RFC 8601), lower case. Without one no sender counts as proven.
	TrustedServer string `json:"trusted_server,omitempty"`
	// TrustUnproven takes senders at their word where no trusted server says
	// otherwise; a verdict that contradicts the sender still counts.
	TrustUnproven bool `json:"trust_unproven,omitempty"`
	// AddCC makes known contacts in Cc participants of tickets opened by mail.
	AddCC bool `json:"add_cc,omitempty"`
	// Acknowledge says that a ticket opened by mail is acknowledged.
	Acknowledge bool `json:"acknowledge,omitempty"`
	// Plus says whether mail to support+something@ arrives as mail to support@
	// does, so that answers can come to an address of their own.
	Plus PlusAddressing `json:"plus,omitempty"`
	// Tell says who hears by mail of what customers write.
	Tell TellDesk `json:"tell,omitempty"`
	// Portal is the portal new tickets belong to; 0: the first whose new
	// tickets go to the inbox.
	Portal PortalID `json:"portal,omitempty"`
}

// IMAPSource is a mailbox that mail is fetched from. The password lies sealed
// in the store, never here.
type IMAPSource struct {
	Host     string       `json:"host"`
	Port     int          `json:"port"`
	Security MailSecurity `json:"security"`
	User     string       `json:"user"`
	Folder   string       `json:"folder"` // INBOX unless set
	// TokenCommand prints an OAuth2 access token; empty: the password is used.
	// It is run without a shell.
	TokenCommand []string `json:"token_command,omitempty"`
	// Existing takes mail that lay in the folder before Since, too.
	Existing bool `json:"existing,omitempty"`
	// Since is when this folder was set: mail that came earlier is left alone
	// unless Existing. Mail that comes between the setting and the first look
	// is taken, and so is what is found when the server counts the folder anew.
	Since time.Time `json:"since,omitzero"`
	// After is what happens in the folder to mail that was taken.
	After AfterTaken `json:"after"`
	// MoveTo is the folder taken mail is moved to.
	MoveTo string `json:"move_to,omitempty"`
}

// MailSecurity is how a connection to a mail server is protected.
type MailSecurity string

// The kinds of security. None is allowed to loopback addresses only.
const (
	MailTLS      MailSecurity = "tls"
	MailStartTLS MailSecurity = "starttls"
	MailPlain    MailSecurity = "none"
)

// AfterTaken is what becomes of a mail at its source once it is in the store.
type AfterTaken string

// What can become of it.
const (
	AfterKeep   AfterTaken = "keep" // nothing at all
	AfterSeen   AfterTaken = "seen" // marked as read
	AfterMove   AfterTaken = "move"
	AfterDelete AfterTaken = "delete"
)

// UnknownSender is what becomes of mail from an address nobody knows.
type UnknownSender string

// The ways to treat it; the zero value holds.
const (
	UnknownHold   UnknownSender = "hold"
	UnknownAccept UnknownSender = "accept" // a proven one becomes a contact with a new ticket
	UnknownReject UnknownSender = "reject"
)

// Arrival is a mail as it came, before anybody looked into it.
type Arrival struct {
	Inbox  InboxID // where it was fetched from, or is to go; 0: found by Recipients
	Source MailSource
	Raw    []byte // as it came, line ends and all
	// Size is set when the mail is larger than any that is taken: how large it
	// is. Raw is then its header alone, and all that will be had of it.
	Size int64
	// EnvelopeFrom and Recipients are of the delivery where it had an envelope
	// (LMTP, mail ingest --recipient). HasEnvelope tells an empty sender, the
	// null path, from none known.
	HasEnvelope  bool
	EnvelopeFrom string
	Recipients   []string
	// Place is where the mail lies in an IMAP folder; the zero value elsewhere.
	Place IMAPPlace
	// Reached is how far the folder has been dealt with once this mail is
	// taken: noted in the same transaction. It lies below Place as long as a
	// mail before this one could not be taken; the zero value notes nothing.
	Reached IMAPPlace
}

// Envelope is what a delivery says of a mail beside the mail itself. It is kept
// as JSON; the names are stable.
type Envelope struct {
	Has        bool     `json:"has,omitempty"` // there was one; From may be empty
	From       string   `json:"from,omitempty"`
	Recipients []string `json:"recipients,omitempty"`
	// Larger is how large a mail was of which the header alone was fetched.
	Larger int64 `json:"larger,omitempty"`
}

// MailSource is the way a mail came in.
type MailSource string

// The sources.
const (
	SourceIMAP   MailSource = "imap"
	SourceLMTP   MailSource = "lmtp"
	SourceIngest MailSource = "ingest"
)

// IMAPPlace is a place in an IMAP folder (RFC 3501 2.3.1.1): everything up to
// UID has been dealt with while the folder has this validity. The zero value
// is a folder that was never looked at.
type IMAPPlace struct {
	Validity uint32
	UID      uint32
}

// MailboxState says what serve does about a mailbox.
type MailboxState string

// The states. The words are stable in JSON.
const (
	MailboxConnecting MailboxState = "connecting"
	MailboxConnected  MailboxState = "connected"
	MailboxFailing    MailboxState = "failing" // not connected; it is tried again
)

// MailboxStatus is how fetching from an inbox's mailbox went when serve last
// said so.
type MailboxStatus struct {
	Inbox    InboxID
	State    MailboxState
	Since    time.Time // of the state
	LookedAt time.Time // when the folder was last looked through to its end
	MailAt   time.Time // when a mail was last taken
	Waiting  int       // mails that could not be taken and are tried again
	Error    string    // "" once a look went well
	ErrorAt  time.Time
	At       time.Time // when serve said so
}

// MailDecision is what became of a mail. The words are stable in JSON.
type MailDecision string

// The decisions.
const (
	MailCreated   MailDecision = "created"   // a new ticket
	MailAppended  MailDecision = "appended"  // a message of a ticket
	MailHeld      MailDecision = "held"      // waits for somebody to look at it
	MailIgnored   MailDecision = "ignored"   // kept in the ledger and nowhere else
	MailDuplicate MailDecision = "duplicate" // the same mail was taken before
	MailRejected  MailDecision = "rejected"
)

// LedgerEntry is the one line each mail that arrives gets.
type LedgerEntry struct {
	ID       LedgerID
	Inbox    InboxID // 0: no inbox takes mail for its recipients
	Source   MailSource
	Decision MailDecision
	Reason   MailReason

	Sender    string // the From address, lower case; "" when there is not one
	Proof     SenderProof
	Subject   string
	MessageID string // left@right
	SHA256    string // of the raw source; "" once that is not kept any more
	Size      int64
	Place     IMAPPlace

	Ticket  TicketNumber // the ticket it made, was added to, or points at
	Message MessageID    // the message it became
	Contact ContactID    // the sender, where known; whom a bounce is about
	Agent   AgentID
	Of      LedgerID // a duplicate: the entry of the first
	Mail    MailID   // a bounce: the mail of the outbox that came back
	// Envelope is what the delivery said, for a held mail that is looked at again.
	Envelope Envelope

	At        time.Time // when it arrived
	DecidedAt time.Time // held mail: when somebody decided
	KeptUntil time.Time // when the raw source goes
}
