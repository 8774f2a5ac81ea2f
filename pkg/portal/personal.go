package portal

import "time"

// Personal is what the store holds about one contact beside their tickets, as
// a take-out tells it. The names in JSON are stable. Times that never were are
// left out.
type Personal struct {
	Contact       PersonalContact      `json:"contact"`
	Companies     []PersonalCompany    `json:"companies"`
	AccessGroups  []PersonalGroup      `json:"access_groups"`
	Memberships   []PersonalMembership `json:"memberships"`
	Consents      []Consent            `json:"consents"`
	Password      *PersonalSecret      `json:"password,omitempty"`
	Authenticator *PersonalSecret      `json:"authenticator_app,omitempty"`
	RecoveryCodes []PersonalSecret     `json:"recovery_codes"`
	Passkeys      []PersonalPasskey    `json:"passkeys"`
	Identities    []PersonalIdentity   `json:"identities"`
	Browsers      []PersonalBrowser    `json:"browsers"`
	Sessions      []PersonalSession    `json:"sessions"`
	Links         []PersonalLink       `json:"links"`
	Mails         []PersonalMail       `json:"mails"`
	MailsIn       []PersonalMailIn     `json:"mails_received"`
	Drafts        []PersonalDraft      `json:"drafts"`
	Log           []PersonalLog        `json:"log"`
}

// PersonalContact is who they are.
type PersonalContact struct {
	Email         string            `json:"email"`
	ProvenAddress string            `json:"proven_address,omitempty"`
	Name          string            `json:"name"`
	MemberEmail   string            `json:"member_email,omitempty"`
	Language      string            `json:"language,omitempty"`
	TimeZone      string            `json:"time_zone,omitempty"`
	Properties    map[string]string `json:"properties,omitempty"`
	ExternalID    string            `json:"external_id,omitempty"`
	Notify        ContactNotify     `json:"notify"` // of what they hear by mail
	Bounced       string            `json:"bounced_address,omitempty"`
	BouncedWhy    string            `json:"bounced_reason,omitempty"`
	CreatedAt     time.Time         `json:"created_at"`
	UpdatedAt     time.Time         `json:"updated_at"`
}

// PersonalCompany is a company they belong to.
type PersonalCompany struct {
	Name    string `json:"name"`
	Primary bool   `json:"primary"`
}

// PersonalGroup is an access group that lists them.
type PersonalGroup struct {
	Name   string `json:"name"`
	ByRule bool   `json:"by_rule"` // because of their properties
}

// PersonalMembership is where they stand in a portal.
type PersonalMembership struct {
	Portal       string       `json:"portal"`
	Status       MemberStatus `json:"status"`
	InvitedAt    time.Time    `json:"invited_at,omitzero"`
	RequestedAt  time.Time    `json:"requested_at,omitzero"`
	RegisteredAt time.Time    `json:"registered_at,omitzero"`
	DisabledAt   time.Time    `json:"disabled_at,omitzero"`
	RefusedAt    time.Time    `json:"refused_at,omitzero"`
	Refusal      string       `json:"refusal,omitempty"`
	LastSignInAt time.Time    `json:"last_sign_in_at,omitzero"`
}

// Consent is a text somebody agreed to.
type Consent struct {
	Portal      string    `json:"portal"`
	PortalID    PortalID  `json:"-"`
	Version     int       `json:"version"`
	Language    string    `json:"language"`
	Text        string    `json:"text"`
	At          time.Time `json:"agreed_at"`
	WithdrawnAt time.Time `json:"withdrawn_at,omitzero"`
}

// PersonalSecret tells of something only they know, and not what it is.
type PersonalSecret struct {
	SetAt  time.Time `json:"set_at"`
	UsedAt time.Time `json:"used_at,omitzero"`
}

// PersonalPasskey is a passkey of theirs.
type PersonalPasskey struct {
	Name      string    `json:"name"`
	Host      string    `json:"host"`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at,omitzero"`
}

// PersonalIdentity is who they are at an identity provider.
type PersonalIdentity struct {
	Issuer       string    `json:"issuer"`
	Subject      string    `json:"subject"`
	CreatedAt    time.Time `json:"created_at"`
	LastSignInAt time.Time `json:"last_sign_in_at"`
}

// PersonalBrowser is a browser they have signed in with.
type PersonalBrowser struct {
	CreatedAt time.Time `json:"first_seen_at"`
	SeenAt    time.Time `json:"last_seen_at"`
}

// PersonalSession is one time they were signed in.
type PersonalSession struct {
	Portal    string    `json:"portal,omitempty"`
	Browser   string    `json:"browser"`
	Address   string    `json:"address"`
	Way       string    `json:"way,omitempty"`
	CreatedAt time.Time `json:"began_at"`
	SeenAt    time.Time `json:"last_used_at"`
	ExpiresAt time.Time `json:"expires_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	EndReason string    `json:"end_reason,omitempty"`
	// ByOperator: somebody of the company looked at the portal as they see it.
	ByOperator bool `json:"by_operator,omitempty"`
}

// PersonalLink is a one-time link they were sent.
type PersonalLink struct {
	Kind      string    `json:"kind"`
	Portal    string    `json:"portal,omitempty"`
	Email     string    `json:"email,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	UsedAt    time.Time `json:"used_at,omitzero"`
}

// PersonalMail is a mail to them.
type PersonalMail struct {
	Kind      string       `json:"kind"`
	Recipient string       `json:"recipient"`
	Ticket    TicketNumber `json:"-"`
	Number    string       `json:"ticket,omitempty"`
	CreatedAt time.Time    `json:"created_at"`
	SentAt    time.Time    `json:"sent_at,omitzero"`
	FailedAt  time.Time    `json:"failed_at,omitzero"`
	DroppedAt time.Time    `json:"dropped_at,omitzero"`
}

// PersonalMailIn is a mail from them that came in.
type PersonalMailIn struct {
	Sender    string       `json:"sender"`
	Subject   string       `json:"subject"`
	Decision  MailDecision `json:"decision"`
	Ticket    TicketNumber `json:"-"`
	Number    string       `json:"ticket,omitempty"`
	At        time.Time    `json:"received_at"`
	KeptUntil time.Time    `json:"source_kept_until,omitzero"`
}

// PersonalDraft is what they typed and did not send.
type PersonalDraft struct {
	For       string            `json:"for"` // "new" or a ticket's number
	Form      map[string]string `json:"form"`
	UpdatedAt time.Time         `json:"updated_at"`
}

// PersonalLog is a line of the audit log by them or about them. Who did it is
// told by kind alone where it was somebody else.
type PersonalLog struct {
	At      time.Time     `json:"at"`
	Kind    AuditKind     `json:"kind"`
	By      string        `json:"by"` // you, agent, operator or system
	Portal  string        `json:"portal,omitempty"`
	Address string        `json:"address,omitempty"`
	Browser string        `json:"browser,omitempty"`
	Changes []AuditChange `json:"changes,omitempty"`
}
