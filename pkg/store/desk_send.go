package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

const pendingColumns = `p.id, p.ticket, p.agent_id, p.body, p.next, p.status, p.seen, p.created_at, p.due_at,
	coalesce((SELECT a.name FROM agent a WHERE a.id = p.agent_id), '')`

func scanPending(r row) (p portal.PendingAnswer, err error) {
	err = r.Scan(&p.ID, &p.Ticket, &p.Agent, &p.Body, &p.Next, &p.Status, &p.Seen, timeInto{&p.CreatedAt}, timeInto{&p.DueAt}, &p.AgentName)
	return p, err
}

// AddPendingAnswer writes an answer that is to be sent at its time, with those
// files of the draft under key that it lists by id.
func (tx *Tx) AddPendingAnswer(ctx context.Context, p *portal.PendingAnswer, key string) error {
	p.CreatedAt = tx.Now
	err := tx.value(ctx, &p.ID, `INSERT INTO pending_answer (ticket, agent_id, body, next, status, seen, created_at, due_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
		p.Ticket, p.Agent, p.Body, p.Next, p.Status, p.Seen, stamp(p.CreatedAt), stamp(p.DueAt))
	if err != nil {
		return err
	}
	for _, f := range p.Files {
		n, err := tx.exec(ctx, `UPDATE desk_file SET answer_id = $4 WHERE id = $3 AND agent_id = $1 AND key = $2 AND answer_id IS NULL`,
			p.Agent, key, f.ID, p.ID)
		if err := oneChanged(n, err, portal.Conflictf("file.gone", "%q has to be sent once more", f.Name).With("Name", f.Name)); err != nil {
			return err
		}
	}
	return nil
}

// PendingAnswers returns the answers to a ticket that wait to be sent, with
// their files, the first to go out first.
func (tx *Tx) PendingAnswers(ctx context.Context, n portal.TicketNumber) ([]portal.PendingAnswer, error) {
	all, err := list(ctx, tx, `SELECT `+pendingColumns+` FROM pending_answer p WHERE p.ticket = $1 ORDER BY p.due_at, p.id`, []any{n}, scanPending)
	if err != nil {
		return nil, err
	}
	return all, tx.pendingFiles(ctx, all)
}

func (tx *Tx) pendingFiles(ctx context.Context, all []portal.PendingAnswer) (err error) {
	for i := range all {
		all[i].Files, err = list(ctx, tx, `SELECT `+deskFileColumns+` FROM desk_file WHERE answer_id = $1 ORDER BY id`, []any{all[i].ID}, scanDeskFile)
		if err != nil {
			return err
		}
	}
	return nil
}

// longestPending is the furthest a due time can be; one further away comes
// from a clock that was set back, and counts as now.
const longestPending = 5 * time.Minute

// NextPendingAnswer is the answer that is to be sent first, and whether its
// time has come; nil when none waits.
func (tx *Tx) NextPendingAnswer(ctx context.Context) (p *portal.PendingAnswer, due bool, err error) {
	some, err := list(ctx, tx, `SELECT `+pendingColumns+` FROM pending_answer p WHERE p.due_at > $1 OR p.due_at <= $2 ORDER BY p.due_at > $1 DESC, p.due_at, p.id LIMIT 1`,
		[]any{stamp(tx.Now.Add(longestPending)), stamp(tx.Now)}, scanPending)
	if err != nil {
		return nil, false, err
	}
	if due = len(some) > 0; !due {
		some, err = list(ctx, tx, `SELECT `+pendingColumns+` FROM pending_answer p ORDER BY p.due_at, p.id LIMIT 1`, nil, scanPending)
		if err != nil || len(some) == 0 {
			return nil, false, err
		}
	}
	return &some[0], due, tx.pendingFiles(ctx, some)
}

// PendingAnswer returns one of an agent's own answers that wait; NotFound
// answer.sent when it has gone out, or is somebody else's.
func (tx *Tx) PendingAnswer(ctx context.Context, agent portal.AgentID, id portal.AnswerID) (*portal.PendingAnswer, error) {
	p, err := find(ctx, tx, portal.Conflictf("answer.sent", "the answer has been sent already"),
		`SELECT `+pendingColumns+` FROM pending_answer p WHERE p.id = $1 AND p.agent_id = $2`, []any{id, agent}, scanPending)
	if err != nil {
		return nil, err
	}
	some := []portal.PendingAnswer{*p}
	err = tx.pendingFiles(ctx, some)
	return &some[0], err
}

// PutOffAnswer makes an answer wait a while longer.
func (tx *Tx) PutOffAnswer(ctx context.Context, id portal.AnswerID, until time.Time) error {
	return tx.do(ctx, `UPDATE pending_answer SET due_at = $2 WHERE id = $1`, id, stamp(until))
}

// RemovePendingAnswer takes an answer out of those that wait, because it is
// being sent in this transaction or was taken back. Its files go back to the
// draft under key; with key "" they go.
func (tx *Tx) RemovePendingAnswer(ctx context.Context, id portal.AnswerID, key string) error {
	if key != "" {
		if err := tx.do(ctx, `UPDATE desk_file SET answer_id = NULL, key = $2 WHERE answer_id = $1`, id, key); err != nil {
			return err
		}
	}
	return tx.do(ctx, `DELETE FROM pending_answer WHERE id = $1`, id)
}
