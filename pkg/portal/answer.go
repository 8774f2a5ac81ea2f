package portal

import (
	"strings"
	"time"
)

// UndoFor is how long an agent's answer waits before it is sent, so that it can
// be taken back.
const UndoFor = 10 * time.Second

// AfterAnswer is what becomes of a ticket with an agent's answer.
type AfterAnswer string

// The choices.
const (
	AnswerWaits  AfterAnswer = "wait"  // for the customer
	AnswerKeeps  AfterAnswer = "keep"  // the desk still has to act
	AnswerCloses AfterAnswer = "close" // nobody has to
)

// ParseAfterAnswer reads wait, keep or close; empty text means wait.
func ParseAfterAnswer(s string) (AfterAnswer, error) {
	if strings.TrimSpace(s) == "" {
		return AnswerWaits, nil
	}
	return oneOf("answer.next", "next", "what becomes of a ticket", s, AnswerWaits, AnswerKeeps, AnswerCloses)
}

// PendingAnswer is an agent's answer that is about to be sent.
type PendingAnswer struct {
	ID     AnswerID
	Ticket TicketNumber
	Agent  AgentID
	Body   string
	Files  []File
	Next   AfterAnswer
	Status Status    // of the ticket when the agent pressed the button
	Seen   MessageID // the newest public message there was then

	CreatedAt, DueAt time.Time

	AgentName string // filled in by the store
}

// AnswerID names a pending answer.
type AnswerID int64

// DeskMode is in which of its two modes the desk's form to write with is.
type DeskMode string

// The modes: what customers read, and what stays at the desk.
const (
	ModeAnswer DeskMode = "answer"
	ModeNote   DeskMode = "note"
	// ModeViewing is of somebody who writes nothing.
	ModeViewing DeskMode = "viewing"
)

// Presence is an agent who has a ticket's page open.
type Presence struct {
	Agent  AgentID
	Name   string // filled in by the store
	Mode   DeskMode
	SeenAt time.Time
}

// PresentFor is how long an agent counts as present after their browser was
// last heard of.
const PresentFor = 40 * time.Second

// KeepTurn leaves a ticket that was answered with the desk, which still has
// to act.
func (t *Ticket) KeepTurn(now time.Time) {
	t.setStatus(now, WaitingOnUs)
	t.UpdatedAt = now
}
