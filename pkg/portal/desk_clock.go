package portal

import "time"

// The targets of a ticket run from ClockAt: when it was created or, after a
// closing, opened again. The time in which the customer is waited for does not
// count towards closing it: when that ends, ClockAt moves on by the business
// time it took. A first answer is never waited for, so its target runs on.

// StartClock begins the targets anew at a time: at creation and reopening.
func (t *Ticket) StartClock(at time.Time, s *DeskSettings, c *Calendar) {
	t.ClockAt, t.waits, t.reopenedAt = at, nil, time.Time{}
	t.SetDue(s, c)
}

// SetDue works out when the ticket is to be answered and closed: after its
// clock began or moved on, and when its priority or inbox changed. What
// happened to it since it was read is counted in.
func (t *Ticket) SetDue(s *DeskSettings, c *Calendar) {
	if t.ClockAt.IsZero() {
		t.ClockAt = t.CreatedAt
	}
	if !t.reopenedAt.IsZero() {
		t.ClockAt = t.reopenedAt
	}
	for _, w := range t.waits {
		t.ClockAt = c.Add(t.ClockAt, c.Between(w.from, w.to))
	}
	t.waits, t.reopenedAt = nil, time.Time{}
	target := s.Targets[t.Priority]
	if t.AnsweredAt.IsZero() {
		t.AnswerDueAt = dueAt(c, t.ClockAt, target.Answer)
	}
	t.ResolveDueAt = dueAt(c, t.ClockAt, target.Resolve)
}

func dueAt(c *Calendar, from time.Time, d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return c.Add(from, d)
}

// ClockMoved reports whether the ticket was opened again, or a wait for the
// customer ended, since it was read: SetDue has to count that in.
func (t *Ticket) ClockMoved() bool { return len(t.waits) > 0 || !t.reopenedAt.IsZero() }

// noteMove keeps what a change of status means to the clock.
func (t *Ticket) noteMove(now time.Time, to Status) {
	switch t.Status {
	case Closed:
		t.waits, t.reopenedAt = nil, now
	case WaitingOnCustomer:
		if to != WaitingOnCustomer && now.After(t.StatusAt) {
			t.waits = append(t.waits, span{t.StatusAt, now})
		}
	}
}

// span is a part of time.
type span struct{ from, to time.Time }

// ClockState is how a target stands. The words are stable in JSON.
type ClockState string

// The states. The zero value says that there is no target.
const (
	ClockOK   ClockState = "ok"
	ClockSoon ClockState = "soon" // the last quarter of the time runs
	ClockLate ClockState = "late"
	ClockMet  ClockState = "met"
)

// Clock is how one target of a ticket stands.
type Clock struct {
	State ClockState
	Due   time.Time
	// Left is the business time left, below zero when it is late. Lateness of
	// more than three months counts as that.
	Left time.Duration
	// Paused says that it does not run: the customer is waited for.
	Paused bool
	// Done is when it stopped; zero while it runs. One that stopped late stays
	// late.
	Done time.Time
}

// clockFar is how far back lateness is counted in business time.
const clockFar = 92 * 24 * time.Hour

// AnswerClock is how the target for the first answer stands.
func (t *Ticket) AnswerClock(now time.Time, s *DeskSettings, c *Calendar) Clock {
	done := t.AnsweredAt
	if done.IsZero() && t.Status == Closed {
		done = t.ClosedAt // nobody waits for an answer any more
	}
	return clock(t.AnswerDueAt, done, now, s.Targets[t.Priority].Answer, c)
}

// ResolveClock is how the target for closing stands.
func (t *Ticket) ResolveClock(now time.Time, s *DeskSettings, c *Calendar) Clock {
	if t.Status == WaitingOnCustomer {
		k := clock(t.ResolveDueAt, time.Time{}, t.StatusAt, s.Targets[t.Priority].Resolve, c)
		k.Paused = k.State != ""
		return k
	}
	return clock(t.ResolveDueAt, t.ClosedAt, now, s.Targets[t.Priority].Resolve, c)
}

func clock(due, done, now time.Time, whole time.Duration, c *Calendar) Clock {
	k := Clock{Due: due, Done: done}
	if due.IsZero() {
		return Clock{}
	}
	if !done.IsZero() {
		now = done
	}
	if now.After(due) {
		k.State = ClockLate
		k.Left = -c.Between(due, minTime(now, due.Add(clockFar)))
		return k
	}
	k.State, k.Left = ClockOK, c.Between(now, due)
	switch {
	case !done.IsZero():
		k.State = ClockMet
	case k.Left <= whole/4:
		k.State = ClockSoon
	}
	return k
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// NextClock is the target that matters now: the first answer as long as it is
// owed, then closing. Its state is empty when there is none.
func (t *Ticket) NextClock(now time.Time, s *DeskSettings, c *Calendar) Clock {
	if k := t.AnswerClock(now, s, c); k.State != "" && k.Done.IsZero() {
		return k
	}
	return t.ResolveClock(now, s, c)
}
