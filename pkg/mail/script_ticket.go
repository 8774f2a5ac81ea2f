package mail

import (
	"strconv"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// answerLine is the line above which an answer to a mail is to be written.
// Whoever reads answers cuts there whatever a mail program did to the rest.
func answerLine(words string) string { return "##- " + words + " -##" }

func (s *script) ticketReceived() {
	s.head(s.view.Subject, s.say("mail.ticket_received.preview"), s.say("mail.ticket_received.heading"), s.say("mail.ticket_received.text"))
	s.quote(s.say("mail.you_wrote"))
	if s.letter.Usual > 0 {
		s.status(s.T("mail.usual", "Usual", s.Duration(s.letter.Usual)))
	}
	s.promise()
	if s.letter.Answer {
		s.after(s.say("mail.ticket_received.after_mail"))
	} else {
		s.after(s.say("mail.ticket_received.after"))
	}
}

func (s *script) message() {
	heading := s.say("mail.message.heading")
	if s.letter.Message.Contact != 0 {
		heading = s.say("mail.message.heading.customer")
	}
	s.head(s.view.Subject, preview(s.letter.Message), heading, s.say("mail.message.text"))
	s.quote(s.say("mail.wrote"))
	s.sign()
	s.turn()
	if len(s.letter.AlsoTo) > 0 {
		s.after(s.T("mail.also_to", "Names", oneLine(strings.Join(s.letter.AlsoTo, ", "))))
	}
	s.answer()
}

// answer says how to answer.
func (s *script) answer() {
	if s.letter.Answer {
		s.after(s.say("mail.reply_mail"))
	} else {
		s.after(s.say("mail.reply_there"))
	}
}

// turn says whose turn it is, and when they hear again.
func (s *script) turn() {
	switch {
	case s.letter.Ticket.Status == portal.Closed:
		return
	case s.letter.Ticket.Status.CustomersTurn():
		s.status(s.say("mail.turn.yours"))
	default:
		s.status(s.say("mail.turn.ours"))
	}
	s.promise()
}

func (s *script) promise() {
	if !s.letter.Promise.IsZero() {
		s.status(s.T("mail.promise", "At", s.DateTime(inZone(s.letter.Promise, s.letter.Zone))))
	}
}

func (s *script) status(texts ...string) { s.view.Status = append(s.view.Status, texts...) }

func (s *script) ticketClosed() {
	s.head(s.view.Subject, s.say("mail.ticket_closed.preview"), s.say("mail.ticket_closed.heading"), s.say("mail.ticket_closed.text"))
	s.quote(s.say("mail.wrote"))
	days := s.letter.ReopenDays
	switch {
	case days > 0 && s.letter.Answer:
		s.after(s.N("mail.ticket_closed.reopen_mail", days, s.args))
	case days > 0:
		s.after(s.N("mail.ticket_closed.reopen", days, s.args))
	default:
		s.after(s.say("mail.ticket_closed.new"))
	}
	s.rate()
}

// rate asks how it went: each answer is a link to a page that asks once more.
func (s *script) rate() {
	if len(s.letter.Rate) == 0 {
		return
	}
	s.view.Rate = s.say("mail.rate")
	for i, link := range s.letter.Rate {
		s.view.Stars = append(s.view.Stars, star{s.T("rating.stars." + strconv.Itoa(i+1)), link})
	}
}

func (s *script) participantAdded() {
	s.head(s.view.Subject, s.say("mail.participant_added.preview"), s.say("mail.participant_added.heading"), s.say("mail.participant_added.text"))
	s.turn()
	s.answer()
}

// hidden writes a mail that says there is something to read and shows nothing
// of it. All of a ticket's mails have one subject, so that they stay together.
func (s *script) hidden() {
	kind := string(s.letter.Kind)
	if s.letter.Office {
		kind = "desk"
	}
	s.head("["+s.letter.Ticket.Number.String()+"] "+s.say("mail.hidden.subject"),
		s.say("mail.hidden.preview"), s.say("mail.hidden."+kind), s.say("mail.hidden.text"))
	if s.letter.Office {
		s.answerDesk()
		return
	}
	s.answer()
}

// sign puts the agent's own signature below what they wrote.
func (s *script) sign() {
	words := harmless(strings.TrimSpace(s.letter.Signature))
	if q := s.view.Quote; q != nil && words != "" {
		q.Sign = words
		q.SignBody = paragraphs(words)
		if s.writer.HTML != nil {
			q.SignHTML = s.writer.HTML(words, portal.Markdown)
		}
	}
}

// maxHistory is how much of each earlier message a mail quotes, in characters.
const maxHistory = 2_000

// history quotes the messages before.
func (s *script) history() {
	for i := range s.letter.History {
		m := &s.letter.History[i]
		text, _ := shorten(harmless(plain(m)), maxHistory)
		author := oneLine(m.AuthorName)
		if author == "" {
			author = oneLine(s.letter.Portal)
		}
		s.view.History = append(s.view.History, quote{
			Title: s.T("mail.history.wrote", "Author", author, "At", s.DateTime(inZone(m.At, s.letter.Zone))),
			Text:  text, Body: paragraphs(text),
		})
	}
	if len(s.view.History) > 0 {
		s.view.Earlier = s.say("mail.history")
	}
}

// quotedText sets a text as mail programs quote one.
func quotedText(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t")
		for {
			cut := softBreak(line)
			b.WriteString(strings.TrimRight("> "+line[:cut], " ") + "\n")
			if cut == len(line) {
				break
			}
			line = line[cut:]
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
