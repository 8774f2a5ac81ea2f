package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// MedianAnswer is the time that half of an inbox's tickets opened since a
// moment waited less than for their first answer, and of how many that is
// said: at most the newest of them.
func (tx *Tx) MedianAnswer(ctx context.Context, inbox portal.InboxID, since time.Time, most int) (median time.Duration, n int, err error) {
	var waits []int64
	err = tx.each(ctx, `SELECT waited FROM (
			SELECT answered_at - created_at AS waited FROM ticket
			WHERE inbox_id = $1 AND created_at >= $2 AND answered_at IS NOT NULL ORDER BY created_at DESC LIMIT $3) newest
		ORDER BY waited`, []any{inbox, stamp(since), most}, func(r row) (bool, error) {
		var ms int64
		err := r.Scan(&ms)
		waits = append(waits, ms)
		return true, err
	})
	if err != nil || len(waits) == 0 {
		return 0, 0, err
	}
	return time.Duration(waits[len(waits)/2]) * time.Millisecond, len(waits), nil
}

// TicketFact is what reports need of one ticket: one thing that happened to
// it in the time asked about.
type TicketFact struct {
	Kind     FactKind
	At       time.Time // when it happened
	Inbox    portal.InboxID
	Company  portal.CompanyID
	Agent    portal.AgentID // who has the ticket
	Took     time.Duration  // opened: until the first answer; closed: since it was opened. Negative: not yet
	Target   bool           // there was a target for it
	Met      bool           // and it was met
	Stars    int            // rated
	Answered bool           // opened: it has had its first answer
}

// FactKind is what happened.
type FactKind string

// The facts.
const (
	FactOpened FactKind = "opened"
	FactClosed FactKind = "closed"
	FactRated  FactKind = "rated"
)

// FactFilter says which facts are wanted: those in [From, To) of tickets the
// viewer sees, of one inbox unless it is 0.
type FactFilter struct {
	From, To time.Time
	Inbox    portal.InboxID
}

// factQueries read each kind of fact from an index of its own.
var factQueries = map[FactKind]string{
	FactOpened: `SELECT t.created_at, t.inbox_id, t.company_id, t.assignee_id, coalesce(t.answered_at - t.created_at, -1),
		t.answer_due_at IS NOT NULL, t.answered_at IS NOT NULL AND t.answered_at <= t.answer_due_at, 0
		FROM ticket t WHERE t.merged_into IS NULL AND t.created_at >= ? AND t.created_at < ?`,
	FactClosed: `SELECT t.closed_at, t.inbox_id, t.company_id, t.assignee_id, t.closed_at - t.created_at,
		t.resolve_due_at IS NOT NULL, t.closed_at <= t.resolve_due_at, 0
		FROM ticket t WHERE t.merged_into IS NULL AND t.closed_at IS NOT NULL AND t.closed_at >= ? AND t.closed_at < ?`,
	FactRated: `SELECT t.rated_at, t.inbox_id, t.company_id, t.assignee_id, -1, 0, 0, t.rating
		FROM ticket t WHERE t.rated_at IS NOT NULL AND t.rated_at >= ? AND t.rated_at < ?`,
}

func factQuery(v *portal.Viewer, kind FactKind, f FactFilter) *query {
	q := newQuery("")
	q.add(factQueries[kind], stamp(f.From), stamp(f.To))
	q.seenBy(v, ScopeCompany)
	if f.Inbox != 0 {
		q.add(` AND +t.inbox_id = ?`, f.Inbox)
	}
	return q
}

// TicketFacts calls each for every fact of a kind, in no order.
func (tx *Tx) TicketFacts(ctx context.Context, v *portal.Viewer, kind FactKind, f FactFilter, each func(*TicketFact)) error {
	q := factQuery(v, kind, f)
	fact := TicketFact{Kind: kind}
	var took int64
	var target, met *bool
	into := []any{timeInto{&fact.At}, &fact.Inbox, refInto(&fact.Company), refInto(&fact.Agent), &took, &target, &met, &fact.Stars}
	return tx.each(ctx, q.text(), q.args, func(r row) (bool, error) {
		fact.Company, fact.Agent = 0, 0
		if err := r.Scan(into...); err != nil {
			return false, err
		}
		fact.Took, fact.Answered = time.Duration(took)*time.Millisecond, took >= 0
		fact.Target, fact.Met = target != nil && *target, met != nil && *met
		each(&fact)
		return true, nil
	})
}
