package portal

import "time"

// Turn is whose turn it is in a ticket: who has to act, since when, and when
// the customer was promised to hear again.
type Turn struct {
	Who   TurnOf
	Since time.Time
	// Promised is when the desk said the customer would hear again; zero when
	// it did not say, has kept it, or nobody has to act.
	Promised time.Time
	// Overdue says that the promised time has passed without a word.
	Overdue bool
}

// TurnOf is who has to act. The words are stable in JSON.
type TurnOf string

// Those who can have the turn. Nobody has to act on a closed ticket.
const (
	DesksTurn     TurnOf = "desk"
	CustomersTurn TurnOf = "customer"
	NobodysTurn   TurnOf = "nobody"
)

// turn is the one rule of whose turn it is, for tickets and rows of lists.
func turn(now time.Time, s Status, since, promised time.Time) Turn {
	switch s {
	case Closed:
		return Turn{Who: NobodysTurn, Since: since}
	}
	who := DesksTurn
	if s == WaitingOnCustomer {
		who = CustomersTurn
	}
	return Turn{Who: who, Since: since, Promised: promised, Overdue: !promised.IsZero() && now.After(promised)}
}

// Turn is whose turn it is.
func (t *Ticket) Turn(now time.Time) Turn { return turn(now, t.Status, t.StatusAt, t.PromisedAt) }

// Turn is whose turn it is, of a row read with its turn.
func (r *TicketRow) Turn(now time.Time) Turn { return turn(now, r.Status, r.StatusAt, r.PromisedAt) }

// SnoozedAt reports whether the ticket is out of the desk's queues at a time.
// It comes back by the time alone.
func (t *Ticket) SnoozedAt(now time.Time) bool { return t.SnoozedUntil.After(now) }
