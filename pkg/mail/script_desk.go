package mail

import (
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

func (s *script) deskTicket() {
	s.head(s.view.Subject, preview(s.letter.Message), s.say("mail.desk_ticket.heading"), s.say("mail.desk_ticket.text"))
	s.desk()
}

func (s *script) deskMessage() {
	s.head(s.view.Subject, preview(s.letter.Message), s.say("mail.desk_message.heading"), s.say("mail.desk_message.text"))
	s.desk()
}

func (s *script) agentAssigned() {
	s.head(s.view.Subject, s.say("mail.agent_assigned.preview"), s.say("mail.agent_assigned.heading"), s.say("mail.agent_assigned.text"))
	s.desk()
}

func (s *script) agentMention() {
	s.head(s.view.Subject, s.say("mail.agent_mention.preview"), s.say("mail.agent_mention.heading"), s.say("mail.agent_mention.text"))
	s.desk()
}

func (s *script) agentPromise() {
	s.args["Promise"] = s.DateTime(inZone(s.letter.Promise, s.letter.Zone))
	s.head(s.view.Subject, s.say("mail.agent_promise.preview"), s.say("mail.agent_promise.heading"), s.say("mail.agent_promise.text"))
	s.desk()
}

func (s *script) agentSnoozed() {
	s.head(s.view.Subject, s.say("mail.agent_snoozed.preview"), s.say("mail.agent_snoozed.heading"), s.say("mail.agent_snoozed.text"))
	s.desk()
}

// desk adds what whoever answers needs: who asks, how urgent, whose turn it is,
// the text, and how to answer.
func (s *script) desk() {
	t := s.letter.Ticket
	who := oneLine(t.RequesterName)
	if t.RequesterEmail != "" {
		who = strings.TrimSpace(who + " <" + oneLine(t.RequesterEmail) + ">")
	}
	s.fact("column.requester", who)
	s.fact("column.company", t.CompanyName)
	s.fact("mail.desk.turn", s.deskTurn())
	if !s.letter.Promise.IsZero() && t.Status != portal.Closed {
		s.fact("mail.desk.promise", s.DateTime(inZone(s.letter.Promise, s.letter.Zone)))
	}
	if t.Priority != "" && t.Priority != portal.Normal {
		s.fact("column.priority", s.T("priority."+string(t.Priority)))
	}
	s.fact("column.category", t.Category)
	s.fact("column.assignee", t.AssigneeName)
	for _, f := range s.letter.Fields {
		if value := oneLine(f.Value); value != "" {
			s.view.Facts = append(s.view.Facts, portal.LetterField{Label: oneLine(f.Label), Value: value})
		}
	}
	if t.Confidential {
		s.fact("mail.desk.confidential", s.say("mail.desk.yes"))
	}
	s.quote(s.say("mail.wrote"))
	s.answerDesk()
}

func (s *script) deskTurn() string {
	switch status := s.letter.Ticket.Status; {
	case status == "" || status == portal.Closed:
		return ""
	case status.CustomersTurn():
		return s.say("mail.desk.turn.customer")
	default:
		return s.say("mail.desk.turn.ours")
	}
}

// answerDesk says how the desk answers: an agent by answering the mail, who
// reads an inbox by a command, as that mailbox is nobody's own.
func (s *script) answerDesk() {
	number := s.letter.Ticket.Number.String()
	switch {
	case s.letter.Inbox != "":
		s.after(s.T("mail.desk.answer", "Command", "portalctl tickets reply "+number))
	case s.letter.Answer:
		s.after(s.say("mail.agent.answer"), s.say("mail.agent.note"))
	default:
		s.after(s.say("mail.agent.answer_there"))
	}
}

func (s *script) fact(key, value string) {
	if value = oneLine(value); value != "" {
		s.view.Facts = append(s.view.Facts, portal.LetterField{Label: s.T(key), Value: value})
	}
}

func (s *script) deskPending() {
	s.head(s.say("mail.desk_pending.subject"), s.say("mail.desk_pending.preview"), s.say("mail.desk_pending.heading"), s.say("mail.desk_pending.text"))
	s.after(s.T("mail.desk.approve", "Command", "portalctl members approve"))
}
