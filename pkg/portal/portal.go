package portal

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Portal is one customer portal: a title, an address, ticket settings and
// access settings.
type Portal struct {
	ID       PortalID
	Name     string // the title in the browser tab
	DomainID DomainID
	Slug     string // may be empty
	State    PortalState
	Accent   string // "#rrggbb"; pages correct its contrast
	TimeZone string // IANA name; readers without their own see times in it
	Tickets  TicketSettings
	Access   AccessSettings
	// Languages are the codes of those the portal offers beside its domain's.
	Languages []string
	Brand     Brand
	// Texts are the operator's own sentences; nil: there are none. Whoever
	// shows pages or writes mails fills it in.
	Texts *Texts

	// Domain is the domain DomainID names; the store fills it in.
	Domain Domain

	CreatedAt, UpdatedAt time.Time
}

// Language is the language the portal appears in: its domain's.
func (p *Portal) Language() string {
	if p.Domain.Language != "" {
		return p.Domain.Language
	}
	return "en"
}

// BasePath is where the portal's pages begin: "" or "/help".
func (p *Portal) BasePath() string {
	if p.Slug == "" {
		return ""
	}
	return "/" + p.Slug
}

// PortalState says who can open a portal.
type PortalState string

// The states: draft opens for agents only, paused shows customers a notice.
const (
	Draft  PortalState = "draft"
	Live   PortalState = "live"
	Paused PortalState = "paused"
)

// ParsePortalState reads draft, live or paused.
func ParsePortalState(s string) (PortalState, error) {
	return oneOf("portal.state", "state", "a portal state", s, Draft, Live, Paused)
}

// oneOf reads one of a few words, in any case; what says what it is not.
func oneOf[T ~string](code, field, what, s string, words ...T) (T, error) {
	if word := T(strings.ToLower(strings.TrimSpace(s))); slices.Contains(words, word) {
		return word, nil
	}
	list := string(words[0])
	for i, w := range words[1:] {
		if i == len(words)-2 {
			list += " or " + string(w)
		} else {
			list += ", " + string(w)
		}
	}
	return "", Invalidf(code, field, "%q is not %s; use %s", s, what, list)
}

// DefaultAccent is the accent colour of a new portal.
const DefaultAccent = "#0f5fc2"

// ParseAccent reads a colour written #rgb or #rrggbb and returns #rrggbb.
func ParseAccent(s string) (string, error) {
	c := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(s), "#"))
	if len(c) == 3 {
		c = string([]byte{c[0], c[0], c[1], c[1], c[2], c[2]})
	}
	if len(c) != 6 || strings.Trim(c, "0123456789abcdef") != "" {
		return "", Invalidf("portal.accent", "accent", "%q is not a colour; write it like #0f5fc2", s)
	}
	return "#" + c, nil
}

// reservedSlugs lie at the root of a host for other things.
var reservedSlugs = []string{"-", "helpdesk", "api", ".well-known", "favicon.ico", "robots.txt"}

// pageWords are the first path parts of a portal's own pages. A portal with
// an empty slug owns them on its host, so no slug may take one.
var pageWords = []string{
	"sign-in", "sign-out", "register", "invitation", "reset", "sso", "tickets", "files", "articles", "account",
	"not-me", "view", "consent", "rate",
}

// ParseSlug checks the path at the end of a portal's URL: up to 60 letters
// a–z, digits and hyphens, not one of the portal's own page names. A leading
// or trailing slash is dropped. Empty is allowed.
func ParseSlug(s string) (string, error) {
	slug := strings.ToLower(strings.Trim(strings.TrimSpace(s), "/"))
	if slug == "" {
		return "", nil
	}
	if len(slug) > 60 || strings.Trim(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" ||
		strings.HasPrefix(slug, "-") || strings.HasSuffix(slug, "-") {
		return "", Invalidf("portal.slug", "slug", "%q cannot be the end of an address; use up to 60 letters a-z, digits and hyphens, like help-center", s)
	}
	if slices.Contains(reservedSlugs, slug) || slices.Contains(pageWords, slug) {
		return "", Invalidf("portal.slug_reserved", "slug", "%q is used by portalctl itself; choose another slug, like help", s)
	}
	return slug, nil
}

// MaxLine is the longest subject, name or other single line, in characters.
const MaxLine = 200

// MaxBody is the longest message text in bytes.
const MaxBody = 100 << 10

// ParseName checks a title or name for one line of text: trimmed, not empty,
// at most MaxLine characters, no control characters.
func ParseName(field, s string) (string, error) {
	name, err := CleanLine(field, s)
	if err != nil {
		return "", err
	}
	if name == "" {
		return "", Invalidf("field.required", field, "%s is missing", field)
	}
	return name, nil
}

// TicketSettings are what `tickets configure` sets for a portal.
type TicketSettings struct {
	InboxID        InboxID        `json:"inbox_id"`
	Permissions    Permissions    `json:"permissions"`
	CompanyScope   CompanyScope   `json:"company_scope"`
	CompanyAccess  CompanyAccess  `json:"company_access"`
	Rules          RuleSet        `json:"rules,omitempty"`
	CustomersClose bool           `json:"customers_close"`
	ReopenDays     int            `json:"reopen_days"` // 0: closed tickets stay closed
	Columns        []TicketColumn `json:"columns"`
	Fields         []TicketField  `json:"fields,omitempty"`
	LabelOne       string         `json:"label_one,omitempty"` // "Case"; empty: the language's word for ticket
	LabelMany      string         `json:"label_many,omitempty"`
	ShowAgent      AgentDisplay   `json:"show_agent"`
	AskRating      bool           `json:"ask_rating"`             // of whoever opened a ticket, once it is closed
	MailContent    MailContent    `json:"mail_content,omitempty"` // the zero value is full
	MailHistory    bool           `json:"mail_history,omitempty"` // earlier messages are quoted in mail
}

// DefaultTicketSettings are those of a new portal; only the inbox is open.
func DefaultTicketSettings() TicketSettings {
	return TicketSettings{
		Permissions: PermitContact, CompanyScope: PrimaryCompany, CompanyAccess: CompanyReply,
		CustomersClose: true, ReopenDays: 14, ShowAgent: AgentName, AskRating: true,
		Columns: []TicketColumn{ColumnNumber, ColumnSubject, ColumnStatus, ColumnRequester, ColumnUpdated},
	}
}

// Permissions says which tickets a signed-in customer sees.
type Permissions string

// The permissions of design section 2.3.
const (
	PermitContact Permissions = "contact"
	PermitCompany Permissions = "company"
	PermitRules   Permissions = "rules"
)

// ParsePermissions reads contact, company or rules.
func ParsePermissions(s string) (Permissions, error) {
	return oneOf("tickets.permissions", "permissions", "a ticket permission", s, PermitContact, PermitCompany, PermitRules)
}

// CompanyScope says whose tickets company view includes.
type CompanyScope string

// The scopes: the primary company only, or all of a contact's companies.
const (
	PrimaryCompany CompanyScope = "primary"
	AllCompanies   CompanyScope = "all"
)

// ParseCompanyScope reads primary or all.
func ParseCompanyScope(s string) (CompanyScope, error) {
	return oneOf("tickets.company_scope", "company-scope", "a company scope", s, PrimaryCompany, AllCompanies)
}

// CompanyAccess says whether company view includes answering.
type CompanyAccess string

// The company accesses.
const (
	CompanyRead  CompanyAccess = "read"
	CompanyReply CompanyAccess = "reply"
)

// ParseCompanyAccess reads read or reply.
func ParseCompanyAccess(s string) (CompanyAccess, error) {
	return oneOf("tickets.company_access", "company-access", "a company access", s, CompanyRead, CompanyReply)
}

// AgentDisplay says how customers read who answered.
type AgentDisplay string

// The displays: the agent's own name, or the portal's name as the team.
const (
	AgentName AgentDisplay = "name"
	AgentTeam AgentDisplay = "team"
)

// ParseAgentDisplay reads name or team.
func ParseAgentDisplay(s string) (AgentDisplay, error) {
	return oneOf("tickets.show_agent", "show-agent", "a way to show agents", s, AgentName, AgentTeam)
}

// ReopenWindow is how long after closing a customer's answer reopens.
func (s *TicketSettings) ReopenWindow() time.Duration {
	return time.Duration(s.ReopenDays) * 24 * time.Hour
}

// ParseLabel reads the word customers read for ticket, "Case:Cases". Empty
// text returns to the language's own word.
func ParseLabel(s string) (one, many string, err error) {
	if strings.TrimSpace(s) == "" {
		return "", "", nil
	}
	one, many, ok := strings.Cut(s, ":")
	if one, err = CleanLine("label", one); err != nil {
		return "", "", err
	}
	if many, err = CleanLine("label", many); err != nil {
		return "", "", err
	}
	if !ok || one == "" || many == "" {
		return "", "", Invalidf("tickets.label", "label", "%q does not give both forms; write it like Case:Cases", s)
	}
	return one, many, nil
}

// AccessMode says who gets in.
type AccessMode string

// The access modes. A portal without one lets nobody in but agents.
const (
	ModeGroups       AccessMode = "groups"
	ModeSelfRegister AccessMode = "self-register"
	ModeSSO          AccessMode = "sso"
)

// ParseAccessMode reads groups, self-register or sso.
func ParseAccessMode(s string) (AccessMode, error) {
	return oneOf("access.mode", "mode", "an access mode", s, ModeGroups, ModeSelfRegister, ModeSSO)
}

// SignInMethod is a way to sign in.
type SignInMethod string

// The ways to sign in. The first three can be chosen for a portal; with the
// mode sso the identity provider is the only one.
const (
	MethodPassword SignInMethod = "password"
	MethodLink     SignInMethod = "link"
	MethodPasskey  SignInMethod = "passkey"
	MethodSSO      SignInMethod = "sso"
)

// The other ways a session can begin.
const (
	WayInvitation SignInMethod = "invitation"
	WayRegister   SignInMethod = "register"
	WayReset      SignInMethod = "reset"
	WayView       SignInMethod = "view" // an operator looks as the contact
)

// ParseMethods reads a list such as "password,link,passkey". Passkeys alone are
// refused: newcomers, and whoever loses the device with theirs, need another
// way in.
func ParseMethods(list []string) ([]SignInMethod, error) {
	var methods []SignInMethod
	for _, s := range list {
		m := SignInMethod(strings.ToLower(strings.TrimSpace(s)))
		if m != MethodPassword && m != MethodLink && m != MethodPasskey {
			return nil, Invalidf("access.methods", "methods", "%q is not a way to sign in; use password, link, passkey or several with commas between", s)
		}
		if !slices.Contains(methods, m) {
			methods = append(methods, m)
		}
	}
	switch {
	case len(methods) == 0:
		return nil, Invalidf("access.methods", "methods", "no way to sign in is left; use password, link, passkey or several with commas between")
	case len(methods) == 1 && methods[0] == MethodPasskey:
		return nil, Invalidf("access.methods", "methods", "passkeys cannot be the only way to sign in: newcomers have none yet, and who loses theirs could not get back in").
			WithHint("add link or password: --methods link,passkey")
	}
	return methods, nil
}

// FactorRule says whether members need a second factor.
type FactorRule string

// The rules: each member chooses, or everybody needs one.
const (
	FactorOptional FactorRule = "optional"
	FactorRequired FactorRule = "required"
)

// FewRecoveryCodes is how many recovery codes are few: their owner is told to
// make new ones.
const FewRecoveryCodes = 3

// OrDefault is the rule, or optional where none was set.
func (r FactorRule) OrDefault() FactorRule {
	if r == "" {
		return FactorOptional
	}
	return r
}

// ParseFactorRule reads optional or required.
func ParseFactorRule(s string) (FactorRule, error) {
	return oneOf("access.second_factor", "second-factor", "a rule for second factors", s, FactorOptional, FactorRequired)
}

// AccessSettings are what `access set` sets for a portal.
type AccessSettings struct {
	Mode           AccessMode     `json:"mode"`
	Groups         []GroupID      `json:"-"` // kept as rows of their own
	AllowDomains   []string       `json:"allow_domains,omitempty"`
	Approval       bool           `json:"approval"`
	Methods        []SignInMethod `json:"methods"`
	SecondFactor   FactorRule     `json:"second_factor,omitempty"` // empty: optional
	IdleTimeout    time.Duration  `json:"idle_timeout"`            // nanoseconds in JSON
	Consent        string         `json:"consent,omitempty"`
	ConsentVersion int            `json:"consent_version,omitempty"` // counts up with each new text
	SSO            *SSOSettings   `json:"sso,omitempty"`             // with the mode sso only; replaced, never changed in place
}

// Allows reports whether members may sign in with the method. With the mode
// sso, that is the only one, whatever was chosen for other modes.
func (a *AccessSettings) Allows(m SignInMethod) bool {
	if a.Mode == ModeSSO {
		return m == MethodSSO
	}
	return m != MethodSSO && slices.Contains(a.Methods, m)
}

// DemandsFactor reports whether members get in only with a second factor. With
// an identity provider that is the provider's matter.
func (a *AccessSettings) DemandsFactor() bool {
	return a.SecondFactor == FactorRequired && a.Mode != ModeSSO
}

// DefaultIdleTimeout ends a session nobody uses.
const DefaultIdleTimeout = 40 * time.Minute

// DefaultAccessSettings are those of a new portal; the mode is open. Passkeys
// are among the methods: they are the safest, cost nobody anything who does not
// make one, and stay out of sight where browsers have none.
func DefaultAccessSettings() AccessSettings {
	return AccessSettings{Methods: []SignInMethod{MethodPassword, MethodLink, MethodPasskey}, IdleTimeout: DefaultIdleTimeout}
}

// ParseIdleTimeout reads a duration such as 40m or 24h, between five minutes
// and 30 days.
func ParseIdleTimeout(s string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.TrimSpace(s))
	if err != nil || d < 5*time.Minute || d > 30*24*time.Hour {
		return 0, Invalidf("access.idle_timeout", "idle-timeout", "%q is not a usable idle timeout; write it like 20m, 40m or 24h, from 5m to 720h", s)
	}
	return d, nil
}

// InboxKind says how an inbox's tickets are answered.
type InboxKind string

// The kinds of inbox.
const (
	InboxMail     InboxKind = "inbox"
	InboxHelpdesk InboxKind = "helpdesk"
)

// ParseInboxKind reads inbox or helpdesk.
func ParseInboxKind(s string) (InboxKind, error) {
	return oneOf("inbox.kind", "kind", "a kind of inbox", s, InboxMail, InboxHelpdesk)
}

// Inbox is where new tickets go. An inbox of kind inbox has an address.
type Inbox struct {
	ID        InboxID
	Name      string
	Kind      InboxKind
	Address   string
	Mail      MailIn
	Desk      DeskSettings
	CreatedAt time.Time
}

// Group is a named set of contacts.
type Group struct {
	ID   GroupID
	Name string
	// Rules decide who is in the group. Without any it is static: contacts
	// are listed by hand.
	Rules     RuleSet
	Members   int // how many contacts; filled by lists
	CreatedAt time.Time
}

// ByRule reports whether rules decide who is in the group.
func (g *Group) ByRule() bool { return len(g.Rules) > 0 }

// String returns the inbox as people name it.
func (i *Inbox) String() string {
	if i.Address == "" {
		return i.Name
	}
	return fmt.Sprintf("%s <%s>", i.Name, i.Address)
}
