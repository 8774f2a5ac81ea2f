package app

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

// atOnce runs things at the same time and returns how many succeeded.
func atOnce(things ...func() error) int {
	var done atomic.Int64
	var all sync.WaitGroup
	begin := make(chan struct{})
	for _, do := range things {
		all.Go(func() {
			<-begin
			if do() == nil {
				done.Add(1)
			}
		})
	}
	close(begin)
	all.Wait()
	return int(done.Load())
}

// Whoever is first decides; everybody else is told so.
func TestOneOfManyDecidesAboutAHeldMail(t *testing.T) {
	p := newPost(t, nil)
	operator := portal.OperatorViewer()
	e := p.take(letter{from: "ana@example.com", subject: "x", body: "once", proof: portal.SenderUnproven})
	var things []func() error
	for i := range 50 {
		things = append(things, func() error {
			if i%5 == 0 {
				_, err := p.RefuseHeld(t.Context(), &operator, e.ID, "")
				return err
			}
			_, err := p.AcceptHeld(t.Context(), &operator, e.ID, HeldChoice{})
			return err
		})
	}
	if n := atOnce(things...); n != 1 {
		t.Errorf("%d decided, want one", n)
	}
	if list, err := p.Tickets(t.Context(), p.as(p.ana), ListQuery{}); err != nil || len(list.Rows) > 1 {
		t.Errorf("there are %d tickets of it, %v", len(list.Rows), err)
	}
}

// Two tickets cannot end in each other.
func TestTicketsMergedBothWaysAtOnceEndInOne(t *testing.T) {
	p := newPost(t, nil)
	ctx, h := t.Context(), CommandHand(portal.ByOperator)
	a, b := p.open(p.as(p.ana), NewTicket{}), p.open(p.as(p.ana), NewTicket{})
	merge := func(from, into portal.TicketNumber) func() error {
		plan, err := p.PlanMerge(ctx, h, from, into)
		if err != nil {
			t.Fatal(err)
		}
		return func() error { return p.Merge(ctx, h, from, into, plan.Seen) }
	}
	if n := atOnce(merge(a, b), merge(b, a), merge(a, b), merge(b, a)); n != 1 {
		t.Errorf("%d mergers were done, want one", n)
	}
	into := 0
	for _, n := range []portal.TicketNumber{a, b} {
		d, err := p.ShowTicket(ctx, n, true)
		if err != nil {
			t.Fatal(err)
		}
		if d.MergedInto != 0 {
			into++
		}
	}
	if into != 1 {
		t.Errorf("%d of two tickets are merged", into)
	}
}
