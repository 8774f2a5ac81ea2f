package app

import (
	"context"
	"math"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// An answer written on the help desk waits a few seconds before it is sent, so
// that it can be taken back. It is a row until then, and taking the row out is
// part of the transaction that writes the message: whoever does that, and
// however often somebody tries or falls over, it is sent once.

// DeskAnswer is an answer as an agent sends it off.
type DeskAnswer struct {
	Body  string
	Files []portal.FileID // of the draft
	Next  portal.AfterAnswer
	// Seen is the newest public message the agent had before their eyes.
	Seen portal.MessageID
	// Anyway sends although others have written since.
	Anyway bool
}

// SendAnswer sends an agent's answer when portal.UndoFor is over. It is
// Conflict answer.newer when somebody else has written, or is about to be
// answering, since the agent looked; the text stays in the draft.
func (a *App) SendAnswer(ctx context.Context, v *Visit, n portal.TicketNumber, in DeskAnswer) (*portal.PendingAnswer, error) {
	if err := deskOnly(v); err != nil {
		return nil, err
	}
	key, err := deskKey(n, portal.ModeAnswer)
	if err != nil {
		return nil, err
	}
	body, err := bodyText("body", in.Body)
	if err != nil {
		return nil, err
	}
	p := &portal.PendingAnswer{Ticket: n, Agent: v.Agent.ID, Body: body, Next: in.Next}
	if p.Next == "" {
		p.Next = portal.AnswerWaits
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		_, t, err := ticketOfAgent(ctx, tx, v.Agent.ID, n)
		if err != nil {
			return err
		}
		if !in.Anyway {
			if err := nobodyWrote(ctx, tx, t, v.Agent.ID, in.Seen); err != nil {
				return err
			}
		}
		if p.Files, err = chosenFiles(ctx, tx, v.Agent.ID, key, in.Files); err != nil {
			return err
		}
		p.Status, p.Seen, p.DueAt = t.Status, t.LastPublic, tx.Now.Add(portal.UndoFor)
		if err := tx.AddPendingAnswer(ctx, p, key); err != nil {
			return err
		}
		return tx.RemoveDeskDraft(ctx, v.Agent.ID, key)
	})
	if err != nil {
		return nil, err
	}
	a.wakeAnswers()
	return p, nil
}

// nobodyWrote refuses an answer when others wrote after what its author read,
// or another agent's answer is on its way.
func nobodyWrote(ctx context.Context, tx *store.Tx, t *portal.Ticket, by portal.AgentID, seen portal.MessageID) error {
	newer := portal.Conflictf("answer.newer", "somebody else has written to %s since you opened it", t.Number).
		With("Number", t.Number.String()).WithHint("read it first; then send, or send anyway")
	if t.LastPublic > seen {
		messages, err := tx.MessagesAfter(ctx, t, false, seen, 20)
		if err != nil {
			return err
		}
		for i := range messages {
			if messages[i].Agent != by {
				return newer
			}
		}
	}
	waiting, err := tx.PendingAnswers(ctx, t.Number)
	if err != nil {
		return err
	}
	for i := range waiting {
		if waiting[i].Agent != by {
			return newer
		}
	}
	return nil
}

// UndoAnswer takes one of the agent's own answers back before it is sent, and
// puts text and files into the form again. Conflict answer.sent when it is too
// late.
func (a *App) UndoAnswer(ctx context.Context, v *Visit, id portal.AnswerID) (n portal.TicketNumber, err error) {
	if err := deskOnly(v); err != nil {
		return 0, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		p, err := tx.PendingAnswer(ctx, v.Agent.ID, id)
		if err != nil {
			return err
		}
		n = p.Ticket
		return comeBack(ctx, tx, p, "")
	})
	return n, err
}

// comeBack puts an answer back into its author's form.
func comeBack(ctx context.Context, tx *store.Tx, p *portal.PendingAnswer, why string) error {
	key, err := deskKey(p.Ticket, portal.ModeAnswer)
	if err != nil {
		return err
	}
	if err := tx.RemovePendingAnswer(ctx, p.ID, key); err != nil {
		return err
	}
	return backToDraft(ctx, tx, p.Agent, key, p.Body, string(p.Next), why)
}

// How often answers of other processes are looked for, and how long one that
// could not be sent waits.
const (
	answerPoll  = 2 * time.Second
	answerPause = 30 * time.Second
)

// wakeAnswers tells the worker that an answer waits. Call it after the commit.
func (a *App) wakeAnswers() {
	select {
	case a.answers <- struct{}{}:
	default:
	}
}

// sendAnswers sends answers when their time has come, until ctx ends. What
// waits then is sent by the next process that serves.
func (a *App) sendAnswers(ctx context.Context) {
	for ctx.Err() == nil {
		wait, err := a.sendDue(ctx)
		if err != nil && ctx.Err() == nil {
			a.log.Error("answers cannot be sent", "error", err)
		}
		timer := time.NewTimer(min(max(wait, 0), answerPoll))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-a.answers:
		}
		timer.Stop()
	}
}

// sendDue sends the answers whose time has come and says how long the next one
// waits.
func (a *App) sendDue(ctx context.Context) (time.Duration, error) {
	for {
		var next *portal.PendingAnswer
		var due bool
		var now time.Time
		// Looking costs nobody anything; only sending is a write.
		err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
			now = tx.Now
			next, due, err = tx.NextPendingAnswer(ctx)
			return err
		})
		if err != nil || next == nil {
			return math.MaxInt64, err
		}
		if !due {
			return next.DueAt.Sub(now), nil
		}
		if err := a.sendPending(ctx, next.ID); err != nil {
			// It must not hold up the others.
			a.log.Error("an answer could not be sent", "ticket", next.Ticket.String(), "error", err)
			if err := a.store.Write(ctx, func(tx *store.Tx) error { return tx.PutOffAnswer(ctx, next.ID, tx.Now.Add(answerPause)) }); err != nil {
				return answerPause, err
			}
		}
	}
}

// sendPending sends one answer, or gives it back to its author when the ticket
// is not what it was. One that somebody else sent in this moment, or that was
// taken back, is left alone.
func (a *App) sendPending(ctx context.Context, id portal.AnswerID) error {
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		p, due, err := tx.NextPendingAnswer(ctx)
		if err != nil || p == nil || !due || p.ID != id {
			return err
		}
		why, err := a.post(ctx, tx, p)
		if err != nil || why == "" {
			return err
		}
		a.log.Info("an answer was given back", "ticket", p.Ticket.String(), "reason", why)
		return comeBack(ctx, tx, p, why)
	})
	a.wakeMail()
	return err
}

// post writes a pending answer as a message. It returns the code of the reason
// when it is not to be sent any more.
func (a *App) post(ctx context.Context, tx *store.Tx, p *portal.PendingAnswer) (why string, err error) {
	_, t, err := ticketOfAgent(ctx, tx, p.Agent, p.Ticket)
	switch portal.KindOf(err) {
	case portal.NotFound:
		return "answer.back_hidden", nil
	case portal.Forbidden:
		return "answer.back_disabled", nil
	case portal.Conflict:
		// Its author finds it where the ticket goes on.
		p.Ticket = t.MergedInto
		return "answer.back_merged", nil
	}
	if err != nil {
		return "", err
	}
	next := p.Next
	if t.Status == portal.Closed && p.Status != portal.Closed {
		// Whoever closes the ticket right after answering means both. When it
		// was somebody else, the answer would open it again unasked.
		own, err := closedBy(ctx, tx, t, p)
		if err != nil {
			return "", err
		}
		if !own {
			return "answer.back_closed", nil
		}
		next = portal.AnswerCloses
	}
	if next != portal.AnswerKeeps {
		wrote, err := customerWrote(ctx, tx, t, p.Seen)
		if err != nil {
			return "", err
		}
		if wrote {
			// What they wrote while the answer waited is still unanswered.
			next = portal.AnswerKeeps
		}
	}
	files := make([]portal.File, len(p.Files))
	for i, f := range p.Files {
		files[i] = portal.File{Name: f.Name, Type: f.Type, Size: f.Size, SHA256: f.SHA256}
	}
	m := &portal.Message{Kind: portal.Public, Agent: p.Agent, Body: p.Body, Format: portal.Markdown, At: tx.Now, Files: files}
	err = a.postAnswer(ctx, tx, t, m, next)
	if fault := portal.Errors(err); len(fault) > 0 && fault[0].Code == "file.gone" {
		return "answer.back_file", nil
	}
	if err != nil {
		return "", err
	}
	return "", tx.RemovePendingAnswer(ctx, p.ID, "")
}

// postAnswer writes an agent's public message and what becomes of the ticket.
func (a *App) postAnswer(ctx context.Context, tx *store.Tx, t *portal.Ticket, m *portal.Message, next portal.AfterAnswer) error {
	wasClosed := t.Status == portal.Closed
	reopened := t.AgentMessage(tx.Now)
	if next == portal.AnswerKeeps {
		t.KeepTurn(tx.Now)
	}
	closeIt := next == portal.AnswerCloses
	if closeIt && wasClosed {
		// It stays as it was, with one more message.
		t.Close(tx.Now)
		reopened, closeIt = false, false
	}
	return a.addMessage(ctx, tx, t, m, portal.ByAgent(m.Agent), reopened, closeIt)
}

// closedBy reports whether the author of a pending answer closed its ticket
// themselves, after they had sent the answer off.
func closedBy(ctx context.Context, tx *store.Tx, t *portal.Ticket, p *portal.PendingAnswer) (bool, error) {
	events, err := tx.Events(ctx, t.Number, true)
	if err != nil {
		return false, err
	}
	for i := len(events) - 1; i >= 0; i-- {
		if e := &events[i]; e.Kind == portal.EventClosed {
			return e.By.Agent == p.Agent && !e.At.Before(p.CreatedAt), nil
		}
	}
	return false, nil
}

// customerWrote reports whether a contact wrote after a message.
func customerWrote(ctx context.Context, tx *store.Tx, t *portal.Ticket, seen portal.MessageID) (bool, error) {
	if t.LastPublic <= seen {
		return false, nil
	}
	messages, err := tx.MessagesAfter(ctx, t, false, seen, 20)
	if err != nil {
		return false, err
	}
	for i := range messages {
		if messages[i].Agent == 0 {
			return true, nil
		}
	}
	return false, nil
}

// SaveNote writes an internal message with files of the note's draft. Agents
// whom it names with @ are told.
func (a *App) SaveNote(ctx context.Context, v *Visit, n portal.TicketNumber, text string, files []portal.FileID) error {
	if err := deskOnly(v); err != nil {
		return err
	}
	key, err := deskKey(n, portal.ModeNote)
	if err != nil {
		return err
	}
	body, err := bodyText("body", text)
	if err != nil {
		return err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		_, t, err := ticketOfAgent(ctx, tx, v.Agent.ID, n)
		if err != nil {
			return err
		}
		chosen, err := chosenFiles(ctx, tx, v.Agent.ID, key, files)
		if err != nil {
			return err
		}
		m := &portal.Message{Kind: portal.Note, Agent: v.Agent.ID, Body: body, Format: portal.Markdown, At: tx.Now}
		for _, f := range chosen {
			m.Files = append(m.Files, portal.File{Name: f.Name, Type: f.Type, Size: f.Size, SHA256: f.SHA256})
			if err := tx.DropDeskFile(ctx, v.Agent.ID, key, f.ID); err != nil {
				return err
			}
		}
		if err := a.addNote(ctx, tx, t, m); err != nil {
			return err
		}
		return tx.RemoveDeskDraft(ctx, v.Agent.ID, key)
	})
	a.wakeMail()
	return err
}
