package portal

import (
	"fmt"
	"strconv"
	"strings"
)

// The identifiers. Each kind of thing has its own type, because people
// confuse them; zero means none.
type (
	PortalID     int64
	DomainID     int64
	InboxID      int64
	ContactID    int64
	CompanyID    int64
	AgentID      int64
	GroupID      int64
	MessageID    int64
	FileID       int64
	MailID       int64
	LedgerID     int64
	SessionID    int64
	PasskeyID    int64
	AuditID      int64
	TicketNumber int64
)

// FirstTicketNumber is the number of the first ticket in a store.
const FirstTicketNumber TicketNumber = 1001

// String returns the number as people write it: T-1042.
func (n TicketNumber) String() string { return "T-" + strconv.FormatInt(int64(n), 10) }

// ParseTicketNumber reads T-1042, t-1042 or 1042.
func ParseTicketNumber(s string) (TicketNumber, error) {
	digits := strings.TrimSpace(s)
	if len(digits) > 2 && (digits[0] == 'T' || digits[0] == 't') && digits[1] == '-' {
		digits = digits[2:]
	}
	bad := Invalidf("ticket.number", "number", "%q is not a ticket number; write it like T-1042", s)
	if digits == "" || len(digits) > 18 {
		return 0, bad
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, bad
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 {
		return 0, bad
	}
	return TicketNumber(n), nil
}

// Actor is whoever does something: a contact, an agent, an operator at the
// command line, or the system itself. At most one of the ids is set.
type Actor struct {
	Contact ContactID
	Agent   AgentID
	// Operator is set for acts of the command line that name no agent.
	Operator bool
}

// ByContact is the contact acting for themselves.
func ByContact(id ContactID) Actor { return Actor{Contact: id} }

// ByAgent is an agent acting.
func ByAgent(id AgentID) Actor { return Actor{Agent: id} }

// Person is somebody who signs in: a contact or an agent, never both.
type Person struct {
	Contact ContactID
	Agent   AgentID
}

// None reports whether it is nobody.
func (p Person) None() bool { return p == Person{} }

// Actor is the person acting.
func (p Person) Actor() Actor { return Actor{Contact: p.Contact, Agent: p.Agent} }

// About names the person in the audit log: contact:12, agent:3; "" for nobody.
func (p Person) About() string {
	switch {
	case p.Contact != 0:
		return AboutContact(p.Contact)
	case p.Agent != 0:
		return AboutAgent(p.Agent)
	}
	return ""
}

// AboutContact names a contact in the audit log.
func AboutContact(id ContactID) string { return fmt.Sprintf("contact:%d", id) }

// AboutAgent names an agent in the audit log.
func AboutAgent(id AgentID) string { return fmt.Sprintf("agent:%d", id) }

// AboutCompany names a company in the audit log.
func AboutCompany(id CompanyID) string { return fmt.Sprintf("company:%d", id) }

// ByOperator is the command line acting.
var ByOperator = Actor{Operator: true}

// String names the actor for logs: "contact 7", "agent 2", "operator", "system".
func (a Actor) String() string {
	switch {
	case a.Contact != 0:
		return fmt.Sprintf("contact %d", a.Contact)
	case a.Agent != 0:
		return fmt.Sprintf("agent %d", a.Agent)
	case a.Operator:
		return "operator"
	}
	return "system"
}
