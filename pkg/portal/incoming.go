package portal

import "time"

// Incoming is what was understood of a mail that came in. It says what the
// mail claims; nothing in it is proof of who sent it.
type Incoming struct {
	From    []MailAddress // of every From header; who the sender is only when it is one
	ReplyTo []MailAddress // no identity
	To, CC  []MailAddress
	// Delivered are the addresses servers noted in Delivered-To,
	// X-Original-To, Envelope-To and the like, lower case.
	Delivered []string
	Subject   string    // decoded, one line, whole
	Date      time.Time // zero: missing or unreadable
	// Ids are kept as left@right, without brackets; empty ones are left out.
	MessageID  string
	InReplyTo  []string
	References []string // oldest first
	// ReturnPath is in lower case, and as it came where it is no address that
	// contacts could have; "" with HasReturnPath: the null path.
	ReturnPath string
	HasReturnPath,
	NoHeader bool // nothing that could be a header was found

	// Text is what the sender wrote now, without what it quotes and without the
	// signature below "-- "; Quoted is the rest, whole and in order. Together
	// they are at most 1 MiB, which is more than a message holds: the taker
	// cuts. Of a longer text the whole is among the files.
	Text, Quoted string
	Files        []IncomingFile

	// Auto says why the mail counts as automatic; AutoNone for a person's.
	Auto   AutoMark
	Bounce *Bounce // a delivery report, or nil

	// Verdicts are the Authentication-Results headers, topmost first.
	Verdicts []MailVerdict

	// Problems are what was odd, in stable words such as "no_from" or
	// "charset_unknown", each once.
	Problems []string
}

// MailAddress is an address as a header names it. Address is lower case, and
// "" where there is none that could be written to.
type MailAddress struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address"`
}

// IncomingFile is a part of a mail that is kept as a file.
type IncomingFile struct {
	Name      string
	Type      string // as declared, such as image/png
	Content   []byte // may share memory with the mail's source
	SHA256    string // hex
	Inline    bool   // shown within the text, such as a picture in a signature
	ContentID string // without brackets
}

// AutoMark is why a mail counts as automatic. The words are stable in JSON.
type AutoMark string

// The marks, in the order they are looked for.
const (
	AutoNone       AutoMark = ""
	AutoBounce     AutoMark = "bounce"         // a delivery report
	AutoNullPath   AutoMark = "null_path"      // nobody to answer (RFC 5321 4.5.5)
	AutoSubmitted  AutoMark = "auto_submitted" // RFC 3834
	AutoDaemon     AutoMark = "mailer_daemon"  // from a machine's own address
	AutoList       AutoMark = "list"           // List-Id, List-Unsubscribe and the like
	AutoPrecedence AutoMark = "precedence"     // bulk, junk, list, auto_reply
	AutoReply      AutoMark = "auto_reply"     // X-Autoreply and other makers' headers
	AutoSubject    AutoMark = "subject"        // "Out of office: …"
)

// Bounce is what a delivery report says (RFC 3464, and the forms servers use
// that do not follow it).
type Bounce struct {
	Recipients []BouncedRecipient
	// MessageID is of the mail that could not be delivered, left@right; "" when
	// the report does not quote it.
	MessageID string
}

// BouncedRecipient is one address a report speaks of.
type BouncedRecipient struct {
	Address   string // lower case
	Action    string // failed, delayed, delivered, relayed, expanded
	Status    string // enhanced, such as 5.1.1; "" when unknown
	Text      string // what the server said, one line
	Permanent bool   // trying again is of no use
}

// MailVerdict is one Authentication-Results header (RFC 8601).
type MailVerdict struct {
	Server string // the authserv-id, lower case
	DMARC  string // pass, fail, none, …; "" when not said
	// DMARCDomain is the header.from it was made for; "" when not said.
	DMARCDomain string
	DKIM        []DomainVerdict // header.d, else the domain of header.i
	SPF         []DomainVerdict // the domain of smtp.mailfrom
}

// DomainVerdict is the result of one check, for one domain.
type DomainVerdict struct {
	Result string // pass, fail, softfail, none, …
	Domain string // lower case
}
