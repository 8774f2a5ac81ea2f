package portal

import (
	"time"
)

// Agent is a person who answers tickets.
type Agent struct {
	ID       AgentID
	Email    string
	Name     string
	Role     AgentRole
	Disabled bool
	// MustFactor is set when the agent gets in only with a second factor.
	MustFactor bool
	HasFactor  bool // they have an authenticator app; the store fills it in

	// EveryInbox is set unless the agent is given certain inboxes only, which
	// Inboxes lists. An admin sees all of them whatever stands here.
	EveryInbox bool
	Inboxes    []InboxID

	Language  string // of mail and the help desk; "": the system domain's
	TimeZone  string
	Notify    AgentNotify
	Signature string // Markdown, below their answers in mail
	Away      bool   // gets no tickets by rule
	// NoShortcuts says that single keys do nothing on the help desk's pages.
	NoShortcuts bool

	CreatedAt time.Time
}

// Limited reports whether the agent sees only the inboxes they are given.
func (a *Agent) Limited() bool { return a.Role != RoleAdmin && !a.EveryInbox }

// AgentNotify is of which tickets an agent hears by mail.
type AgentNotify string

// The choices. Mine are those assigned to the agent, and new ones nobody has
// in their inboxes.
const (
	AgentNotifyAll  AgentNotify = "all"
	AgentNotifyMine AgentNotify = "mine"
	AgentNotifyNone AgentNotify = "none"
)

// ParseAgentNotify reads all, mine or none.
func ParseAgentNotify(s string) (AgentNotify, error) {
	return oneOf("agent.notify", "notify", "a choice of notices", s, AgentNotifyAll, AgentNotifyMine, AgentNotifyNone)
}

// AgentRole is what an agent may do.
type AgentRole string

// The roles.
const (
	RoleAgent AgentRole = "agent"
	RoleAdmin AgentRole = "admin"
)

// ParseAgentRole reads agent or admin.
func ParseAgentRole(s string) (AgentRole, error) {
	return oneOf("agent.role", "role", "a role", s, RoleAgent, RoleAdmin)
}
