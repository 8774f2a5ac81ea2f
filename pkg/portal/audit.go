package portal

import "time"

// AuditKind is what an entry of the audit log tells. The words are stable:
// they stand in exports and in the chain.
type AuditKind string

// What is written down about people getting in and out.
const (
	AuditSignIn         AuditKind = "sign_in"
	AuditSignInFailed   AuditKind = "sign_in.failed"
	AuditSignInRefused  AuditKind = "sign_in.refused" // proven, but may not enter
	AuditSignOut        AuditKind = "sign_out"
	AuditProof          AuditKind = "proof"        // proved again who they are
	AuditProofFailed    AuditKind = "proof.failed" // or could not
	AuditRegistered     AuditKind = "member.registered"
	AuditSessionsEnded  AuditKind = "sessions.ended"
	AuditPassword       AuditKind = "password.changed"
	AuditEmail          AuditKind = "email.changed"
	AuditPasskeyAdded   AuditKind = "passkey.added"
	AuditPasskeyRemoved AuditKind = "passkey.removed"
	AuditFactorOn       AuditKind = "factor.on"
	AuditFactorOff      AuditKind = "factor.off"
	AuditRecoveryUsed   AuditKind = "recovery_code.used"
	AuditRecoveryNew    AuditKind = "recovery_codes.made"
	AuditIdentity       AuditKind = "identity.linked" // with an identity provider
	AuditConsent        AuditKind = "consent.given"
	AuditConsentBack    AuditKind = "consent.withdrawn"
	AuditViewMade       AuditKind = "view.made"   // a link to look as a customer
	AuditViewOpened     AuditKind = "view.opened" // an operator looks as a customer
	AuditViewEnded      AuditKind = "view.ended"
)

// What is written down about rights and settings.
const (
	AuditPortalAdded    AuditKind = "portal.added"
	AuditPortalChanged  AuditKind = "portal.changed"
	AuditPortalRemoved  AuditKind = "portal.removed"
	AuditTexts          AuditKind = "portal.texts"    // an operator's words for sentences of ours
	AuditAddressAdded   AuditKind = "address.added"   // where else a portal is found
	AuditAddressRemoved AuditKind = "address.removed" // links to it lead nowhere from then on
	AuditTickets        AuditKind = "tickets.configured"
	AuditAccess         AuditKind = "access.changed"
	AuditDomainAdded    AuditKind = "domain.added"
	AuditDomainChanged  AuditKind = "domain.changed"
	AuditDomainProven   AuditKind = "domain.proven"
	AuditDomainLost     AuditKind = "domain.proof_lost"
	AuditDomainFound    AuditKind = "domain.proof_found"
	AuditDomainRemoved  AuditKind = "domain.removed"
	AuditInboxAdded     AuditKind = "inbox.added"
	AuditInboxChanged   AuditKind = "inbox.changed"
	AuditInboxRemoved   AuditKind = "inbox.removed"
	AuditServer         AuditKind = "server.changed" // where links lead, who mail comes from
	AuditGroupAdded     AuditKind = "group.added"
	AuditGroupChanged   AuditKind = "group.changed"
	AuditGroupJoined    AuditKind = "group.joined" // a contact, by hand or by rule
	AuditGroupLeft      AuditKind = "group.left"
	AuditGroupRemoved   AuditKind = "group.removed"
	AuditInvited        AuditKind = "member.invited"
	AuditApproved       AuditKind = "member.approved"
	AuditRefused        AuditKind = "member.refused"
	AuditTakenBack      AuditKind = "member.taken_back" // before anybody was told
	AuditDisabled       AuditKind = "member.disabled"
	AuditMemberRemoved  AuditKind = "member.removed"
	AuditAccessEnded    AuditKind = "member.access_ended" // nothing lets them in any more
	AuditLink           AuditKind = "link.made"           // to be handed over, not mailed
	AuditAgentAdded     AuditKind = "agent.added"
	AuditAgentChanged   AuditKind = "agent.changed"
	AuditAgentRemoved   AuditKind = "agent.removed"
	AuditContactAdded   AuditKind = "contact.added"
	AuditContactChanged AuditKind = "contact.changed"
	AuditCompanyJoined  AuditKind = "contact.company_joined" // by the domain of a proven address
	AuditContactRemoved AuditKind = "contact.removed"
	AuditCompanyAdded   AuditKind = "company.added"
	AuditCompanyChanged AuditKind = "company.changed"
	AuditCompanyRemoved AuditKind = "company.removed"
	AuditSight          AuditKind = "ticket.sight" // who sees a ticket: participants, confidential, company
	AuditImportBegun    AuditKind = "import.begun"
	AuditImport         AuditKind = "import"
	AuditExport         AuditKind = "export"
	AuditFileViewed     AuditKind = "file.viewed" // by an agent
	AuditCannedAdded    AuditKind = "canned.added"
	AuditCannedChanged  AuditKind = "canned.changed"
	AuditCannedRemoved  AuditKind = "canned.removed"
	AuditMailAccepted   AuditKind = "mail.accepted" // that was held
	AuditMailRefused    AuditKind = "mail.refused"
)

// What is written down about the audit log itself.
const (
	AuditRetention AuditKind = "audit.retention"
	AuditPruned    AuditKind = "audit.pruned" // old entries were removed
	AuditErased    AuditKind = "audit.erased" // details about a person were removed
)

// AuditErasedField is the fact of an AuditErased entry that lists whose
// details were removed, and AuditPrunedField that of an AuditPruned entry
// that holds the last entry removed, as AuditHead writes it.
const (
	AuditErasedField = "details"
	AuditPrunedField = "through"
)

// AuditEntry is one line of the audit log.
type AuditEntry struct {
	ID   AuditID
	At   time.Time
	Kind AuditKind
	// By is who did it; the zero Actor is the program itself, or a stranger.
	By Actor
	// Operator is the operating system's name of an operator.
	Operator string
	Portal   PortalID // 0: the whole store
	// About names what it concerns by its number, such as contact:12,
	// ticket:T-1042 or group:3. It holds no name and no address: entries stay
	// when people are erased.
	About string
	AuditDetail
}

// AuditDetail is the part of an entry that may hold names and addresses, and
// that erasing a person takes away.
type AuditDetail struct {
	Address string `json:"address,omitempty"` // IP address it came from; "" at the machine itself
	Agent   string `json:"agent,omitempty"`   // the browser
	Email   string `json:"email,omitempty"`   // the address somebody tried
	// Changes are values before and after, and other facts with To alone.
	Changes []AuditChange `json:"changes,omitempty"`
}

// AuditChange is one value before and after.
type AuditChange struct {
	Field string `json:"field"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

// AuditKinds are all kinds of entries.
var AuditKinds = []AuditKind{
	AuditSignIn,
	AuditSignInFailed,
	AuditSignInRefused,
	AuditSignOut,
	AuditProof,
	AuditProofFailed,
	AuditRegistered,
	AuditSessionsEnded,
	AuditPassword,
	AuditEmail,
	AuditPasskeyAdded,
	AuditPasskeyRemoved,
	AuditFactorOn,
	AuditFactorOff,
	AuditRecoveryUsed,
	AuditRecoveryNew,
	AuditIdentity,
	AuditConsent,
	AuditConsentBack,
	AuditViewMade,
	AuditViewOpened,
	AuditViewEnded,
	AuditPortalAdded,
	AuditPortalChanged,
	AuditPortalRemoved,
	AuditTexts,
	AuditAddressAdded,
	AuditAddressRemoved,
	AuditTickets,
	AuditAccess,
	AuditDomainAdded,
	AuditDomainChanged,
	AuditDomainProven,
	AuditDomainLost,
	AuditDomainFound,
	AuditDomainRemoved,
	AuditInboxAdded,
	AuditInboxChanged,
	AuditInboxRemoved,
	AuditServer,
	AuditGroupAdded,
	AuditGroupChanged,
	AuditGroupJoined,
	AuditGroupLeft,
	AuditGroupRemoved,
	AuditInvited,
	AuditApproved,
	AuditRefused,
	AuditTakenBack,
	AuditDisabled,
	AuditMemberRemoved,
	AuditAccessEnded,
	AuditLink,
	AuditAgentAdded,
	AuditAgentChanged,
	AuditAgentRemoved,
	AuditContactAdded,
	AuditContactChanged,
	AuditCompanyJoined,
	AuditContactRemoved,
	AuditContactErased,
	AuditCompanyAdded,
	AuditCompanyChanged,
	AuditCompanyRemoved,
	AuditSight,
	AuditImportBegun,
	AuditImport,
	AuditExport,
	AuditFileViewed,
	AuditCannedAdded,
	AuditCannedChanged,
	AuditCannedRemoved,
	AuditMailAccepted,
	AuditMailRefused,
	AuditRetention,
	AuditPruned,
	AuditErased,
}
