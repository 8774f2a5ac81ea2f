package portal

import (
	"slices"
	"strings"
	"time"
)

// Contact is a person known by e-mail address.
type Contact struct {
	ID          ContactID
	Email       string // unique, lower case
	Name        string
	MemberEmail string // where registration mail goes; empty: Email
	Language    string // empty: the portal's
	TimeZone    string // empty: the portal's
	Properties  map[string]string
	ExternalID  string // the id in the system the contact was imported from
	// Primary is the primary company; Companies are all, Primary included.
	Primary   CompanyID
	Companies []CompanyID

	// Notify is of what they hear by mail.
	Notify ContactNotify
	// Bounced is the address mail came back from for good, as a server said in
	// BouncedWhy. It counts as long as it is their address.
	Bounced    string
	BouncedAt  time.Time
	BouncedWhy string

	CreatedAt, UpdatedAt time.Time
	ErasedAt             time.Time // nothing but the number is left of them
}

// Erased reports whether the contact was erased. Their tickets still name them
// as nobody; nothing else may.
func (c *Contact) Erased() bool { return !c.ErasedAt.IsZero() }

// DisplayName is the name, or the address where no name is known.
func (c *Contact) DisplayName() string {
	if c.Name != "" {
		return c.Name
	}
	return c.Email
}

// ShownName is what other customers read of the contact: the name or, where
// none is known, the part of the address before the @.
func (c *Contact) ShownName() string {
	if c.Name != "" {
		return c.Name
	}
	local, _, _ := strings.Cut(c.Email, "@")
	return local
}

// RegistrationEmail is the address registration mail goes to.
func (c *Contact) RegistrationEmail() string {
	if c.MemberEmail != "" {
		return c.MemberEmail
	}
	return c.Email
}

// In reports whether the contact belongs to the company, primary or not.
func (c *Contact) In(id CompanyID) bool { return id != 0 && slices.Contains(c.Companies, id) }

// Property returns a custom property or one of the contact's own fields
// (email, name, language), as rules name them. Names are case-insensitive.
func (c *Contact) Property(name string) string {
	switch key := PropertyKey(name); key {
	case "email":
		return c.Email
	case "name":
		return c.Name
	case "language":
		return LanguageCode(c.Language)
	default:
		return c.Properties[key]
	}
}

// PropertyKey is the form property names are stored and compared in: lower
// case, words joined by underscores.
func PropertyKey(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return r == ' ' || r == '-' || r == '_' || r == '\t'
	}), "_")
}

// Company is an organisation.
type Company struct {
	ID         CompanyID
	Name       string
	Domain     string // the company's own host name, such as acme.com; may be empty
	ExternalID string
	Properties map[string]string
	Contacts   int // how many; filled by lists

	CreatedAt, UpdatedAt time.Time
}

// Member is a contact who may sign in to a portal, or once could.
type Member struct {
	PortalID  PortalID
	ContactID ContactID
	Status    MemberStatus

	InvitedAt    time.Time
	RequestedAt  time.Time
	RegisteredAt time.Time
	FailedAt     time.Time
	DisabledAt   time.Time
	LastSignInAt time.Time
	// GraceUntil is set while the membership can be taken back: a change of
	// settings made it, and nobody was told yet.
	GraceUntil time.Time
	// RefusedAt is when a registration was refused, and Refusal the reason
	// that was given; the member is disabled since.
	RefusedAt time.Time
	Refusal   string
	// ReadFrom is the newest message there was when the member came in;
	// nothing older counts as unread.
	ReadFrom MessageID
}

// MemberStatus is where a member stands.
type MemberStatus string

// The statuses of design section 1.
const (
	Invited    MemberStatus = "invited"
	Pending    MemberStatus = "pending"
	Registered MemberStatus = "registered"
	Failed     MemberStatus = "failed"
	Disabled   MemberStatus = "disabled"
)

// ParseMemberStatus reads one of the statuses.
func ParseMemberStatus(s string) (MemberStatus, error) {
	return oneOf("member.status", "status", "a member status", s, Invited, Pending, Registered, Failed, Disabled)
}

// Entry is the answer to "may this contact enter this portal?".
type Entry struct {
	Allowed bool
	Code    string // stable: entry.member, entry.group, entry.invited, …
	Why     string // English, for operators
	Change  string // what would have to change; empty when allowed
}

// MayEnter decides whether a contact gets into a portal. member is nil when
// the contact never was one; inGroup tells whether one of the portal's access
// groups lists them. Pages, mails and `access explain` all ask here.
func MayEnter(p *Portal, member *Member, inGroup bool) Entry {
	if member != nil && member.Status == Disabled {
		return Entry{false, "entry.disabled", "the member is disabled", "invite the contact again with `portalctl members invite`"}
	}
	switch p.Access.Mode {
	case ModeGroups:
		if !inGroup {
			return Entry{false, "entry.no_group", "access is by groups and no access group of the portal lists the contact", "add the contact to an access group with `portalctl groups members`"}
		}
		return Entry{true, "entry.group", "an access group of the portal lists the contact", ""}
	case ModeSelfRegister:
		switch {
		case member == nil:
			return Entry{false, "entry.not_registered", "access is by registration and the contact has not registered", "let the contact register, or invite them with `portalctl members invite`"}
		case member.Status == Pending:
			return Entry{false, "entry.pending", "the registration awaits approval", "approve it with `portalctl members approve`"}
		case member.Status == Registered, member.Status == Invited, member.Status == Failed:
			return Entry{true, "entry.member", "the contact is a member: " + string(member.Status), ""}
		}
	case ModeSSO:
		if member == nil || member.Status != Registered {
			return Entry{false, "entry.not_vouched", "access is by the identity provider, which has not vouched for the contact yet", "let the contact sign in there once"}
		}
		return Entry{true, "entry.sso", "the identity provider has vouched for the contact", ""}
	}
	return Entry{false, "entry.no_mode", "the portal has no access mode yet", "set one with `portalctl access set groups`, `portalctl access set self-register` or `portalctl access set sso`"}
}
