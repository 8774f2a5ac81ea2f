package portal

import (
	"testing"
	"time"
)

// desk is a desk with office hours in Stockholm: an hour to answer, eight to
// close, and for urgent tickets half an hour and two.
func desk(t testing.TB) (*DeskSettings, *Calendar) {
	t.Helper()
	return &DeskSettings{Targets: map[Priority]Target{
		Normal: {Answer: time.Hour, Resolve: 8 * time.Hour}, Urgent: {Answer: 30 * time.Minute, Resolve: 2 * time.Hour},
	}}, calendar(t, "Europe/Stockholm", "mon-fri 09:00-17:00", "")
}

const open = 14 // days a customer may reopen

func monday(t testing.TB, clock string) time.Time { return on(t, "2026-11-23 "+clock+" +0100") }

// opened is a ticket of Monday morning at nine.
func opened(t testing.TB) (*Ticket, *DeskSettings, *Calendar) {
	s, c := desk(t)
	k := &Ticket{Number: 1001, Status: New, Priority: Normal, CreatedAt: monday(t, "09:00"), StatusAt: monday(t, "09:00")}
	k.StartClock(k.CreatedAt, s, c)
	return k, s, c
}

func TestDueTimesFollowTheTicket(t *testing.T) {
	settings := &TicketSettings{ReopenDays: open}
	for name, test := range map[string]struct {
		do              func(k *Ticket, s *DeskSettings, c *Calendar)
		answer, resolve string
	}{
		"at creation": {func(*Ticket, *DeskSettings, *Calendar) {}, "2026-11-23 10:00 +0100", "2026-11-23 17:00 +0100"},
		"another priority": {func(k *Ticket, s *DeskSettings, c *Calendar) {
			k.Priority = Urgent
			k.SetDue(s, c)
		}, "2026-11-23 09:30 +0100", "2026-11-23 11:00 +0100"},
		"a priority without targets": {func(k *Ticket, s *DeskSettings, c *Calendar) {
			k.Priority = Low
			k.SetDue(s, c)
		}, "", ""},
		"waiting two hours for the customer": {func(k *Ticket, s *DeskSettings, c *Calendar) {
			k.AgentMessage(monday(t, "09:30"))
			_, _ = k.CustomerMessage(monday(t, "11:30"), settings)
			k.SetDue(s, c)
		}, "2026-11-23 10:00 +0100", "2026-11-24 11:00 +0100"},
		"waiting at night": {func(k *Ticket, s *DeskSettings, c *Calendar) {
			k.AgentMessage(monday(t, "17:00"))
			_, _ = k.CustomerMessage(on(t, "2026-11-24 03:00 +0100"), settings)
			k.SetDue(s, c)
		}, "2026-11-23 10:00 +0100", "2026-11-23 17:00 +0100"},
		"waiting and then another priority": {func(k *Ticket, s *DeskSettings, c *Calendar) {
			k.AgentMessage(monday(t, "09:15"))
			_, _ = k.CustomerMessage(monday(t, "12:15"), settings)
			k.Priority = Urgent
			k.SetDue(s, c)
		}, "2026-11-23 10:00 +0100", "2026-11-23 14:00 +0100"},
		"waiting twice": {func(k *Ticket, s *DeskSettings, c *Calendar) {
			for _, span := range [][2]string{{"09:15", "10:15"}, {"11:00", "12:00"}} {
				k.AgentMessage(monday(t, span[0]))
				_, _ = k.CustomerMessage(monday(t, span[1]), settings)
				k.SetDue(s, c)
			}
		}, "2026-11-23 10:00 +0100", "2026-11-24 11:00 +0100"},
		"opened again": {func(k *Ticket, s *DeskSettings, c *Calendar) {
			k.Close(monday(t, "09:30"))
			k.SetDue(s, c)
			_, _ = k.CustomerMessage(on(t, "2026-11-25 10:00 +0100"), settings)
			k.SetDue(s, c)
		}, "2026-11-25 11:00 +0100", "2026-11-26 10:00 +0100"},
		"answered, closed and opened again": {func(k *Ticket, s *DeskSettings, c *Calendar) {
			k.AgentMessage(monday(t, "09:30"))
			k.Close(monday(t, "09:30"))
			if err := k.Reopen(on(t, "2026-11-25 10:00 +0100"), settings, false); err != nil {
				t.Error(err)
			}
			k.SetDue(s, c)
		}, "2026-11-23 10:00 +0100", "2026-11-26 10:00 +0100"},
	} {
		k, s, c := opened(t)
		test.do(k, s, c)
		for what, pair := range map[string][2]any{"answer": {k.AnswerDueAt, test.answer}, "resolve": {k.ResolveDueAt, test.resolve}} {
			got, want := pair[0].(time.Time), time.Time{}
			if pair[1] != "" {
				want = on(t, pair[1].(string))
			}
			if !got.Equal(want) {
				t.Errorf("%s: %s due at %s, want %s", name, what, got, want)
			}
		}
		if k.ClockMoved() {
			t.Errorf("%s: something is left to be counted", name)
		}
	}
}

func TestClocksTellHowTargetsStand(t *testing.T) {
	answered := func(at string) func(k *Ticket) { return func(k *Ticket) { k.AgentMessage(monday(t, at)) } }
	for name, test := range map[string]struct {
		do              func(k *Ticket)
		now             string
		answer, resolve Clock
	}{
		"fresh":               {nil, "09:10", Clock{State: ClockOK, Left: 50 * time.Minute}, Clock{State: ClockOK, Left: 7*time.Hour + 50*time.Minute}},
		"last quarter":        {nil, "09:45", Clock{State: ClockSoon, Left: 15 * time.Minute}, Clock{State: ClockOK, Left: 7*time.Hour + 15*time.Minute}},
		"late":                {nil, "16:00", Clock{State: ClockLate, Left: -6 * time.Hour}, Clock{State: ClockSoon, Left: time.Hour}},
		"late into the night": {nil, "23:00", Clock{State: ClockLate, Left: -7 * time.Hour}, Clock{State: ClockLate}},
		"answered in time":    {answered("09:30"), "14:00", Clock{State: ClockMet, Left: 30 * time.Minute}, Clock{State: ClockOK, Left: 7*time.Hour + 30*time.Minute, Paused: true}},
		"answered late":       {answered("11:00"), "14:00", Clock{State: ClockLate, Left: -time.Hour}, Clock{State: ClockOK, Left: 6 * time.Hour, Paused: true}},
		"closed in time":      {func(k *Ticket) { k.Close(monday(t, "09:30")) }, "23:00", Clock{State: ClockMet, Left: 30 * time.Minute}, Clock{State: ClockMet, Left: 7*time.Hour + 30*time.Minute}},
	} {
		k, s, c := opened(t)
		if test.do != nil {
			test.do(k)
		}
		now := monday(t, test.now)
		for what, pair := range map[string][2]Clock{"answer": {k.AnswerClock(now, s, c), test.answer}, "resolve": {k.ResolveClock(now, s, c), test.resolve}} {
			got, want := pair[0], pair[1]
			if got.State != want.State || got.Left != want.Left || got.Paused != want.Paused {
				t.Errorf("%s, %s: %s, left %s, paused %v; want %s, %s, %v", name, what, got.State, got.Left, got.Paused, want.State, want.Left, want.Paused)
			}
		}
	}
	k, s, c := opened(t)
	now := monday(t, "09:10")
	if got := k.NextClock(now, s, c); !got.Due.Equal(k.AnswerDueAt) {
		t.Errorf("before the answer the clock is due at %s", got.Due)
	}
	k.AgentMessage(now)
	if got := k.NextClock(now, s, c); !got.Due.Equal(k.ResolveDueAt) || !got.Paused {
		t.Errorf("behind the answer the clock is %+v", got)
	}
	if got := (&Ticket{Status: New}).NextClock(now, s, c); got != (Clock{}) {
		t.Errorf("without targets the clock is %+v", got)
	}
	// Lateness of years is not counted day by day.
	if got := k.AnswerClock(now, s, c); got.Done.IsZero() {
		t.Errorf("an answered ticket's clock runs on: %+v", got)
	}
	old := &Ticket{Status: New, Priority: Normal, AnswerDueAt: now}
	if got := old.AnswerClock(now.AddDate(30, 0, 0), s, c); got.State != ClockLate || got.Left < -clockFar || got.Left > -20*24*time.Hour {
		t.Errorf("thirty years late are %s", got.Left)
	}
}

func TestWhoseTurnItIs(t *testing.T) {
	now, since := monday(t, "12:00"), monday(t, "09:00")
	soon, gone := now.Add(time.Hour), now.Add(-time.Hour)
	for name, test := range map[string]struct {
		status   Status
		promised time.Time
		want     Turn
	}{
		"new":                      {New, time.Time{}, Turn{Who: DesksTurn, Since: since}},
		"waiting on us":            {WaitingOnUs, soon, Turn{Who: DesksTurn, Since: since, Promised: soon}},
		"a promise that passed":    {WaitingOnUs, gone, Turn{Who: DesksTurn, Since: since, Promised: gone, Overdue: true}},
		"waiting for the customer": {WaitingOnCustomer, soon, Turn{Who: CustomersTurn, Since: since, Promised: soon}},
		"closed":                   {Closed, soon, Turn{Who: NobodysTurn, Since: since}},
	} {
		k := &Ticket{Status: test.status, StatusAt: since, PromisedAt: test.promised}
		r := &TicketRow{Status: test.status, StatusAt: since, PromisedAt: test.promised}
		if got := k.Turn(now); got != test.want || r.Turn(now) != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

func TestSnoozesAndPromisesEnd(t *testing.T) {
	now := monday(t, "12:00")
	for name, test := range map[string]struct {
		do              func(k *Ticket)
		snooze, promise bool // still there
	}{
		"a customer's answer": {func(k *Ticket) { _, _ = k.CustomerMessage(now, &TicketSettings{}) }, false, true},
		"an agent's answer":   {func(k *Ticket) { k.AgentMessage(now) }, true, false},
		"closing":             {func(k *Ticket) { k.Close(now) }, false, false},
	} {
		k := &Ticket{Status: WaitingOnUs, SnoozedUntil: now.Add(time.Hour), PromisedAt: now.Add(time.Hour), RemindAt: now}
		test.do(k)
		if k.SnoozedAt(now) != test.snooze || k.PromisedAt.IsZero() == test.promise || k.RemindAt.IsZero() == test.promise {
			t.Errorf("%s: snoozed %v, promised %s, reminder %s", name, k.SnoozedAt(now), k.PromisedAt, k.RemindAt)
		}
	}
	k := &Ticket{SnoozedUntil: now}
	if k.SnoozedAt(now) {
		t.Error("a snooze lasts beyond its time")
	}
}
