package mail

import (
	"fmt"
	"strings"

	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
)

// script is one letter being written.
type script struct {
	*i18n.Printer
	writer *Writer
	letter *portal.Letter
	view   *view
	args   map[string]any
}

// scripts say, for each kind of letter, what it needs and how it is written.
var scripts = map[portal.LetterKind]struct {
	script          func(*script)
	ticket, message bool
}{
	portal.LetterInvitation:      {script: (*script).invitation},
	portal.LetterSignIn:          {script: (*script).signIn},
	portal.LetterRegister:        {script: (*script).register},
	portal.LetterRegisterKnown:   {script: (*script).registerKnown},
	portal.LetterReset:           {script: (*script).reset},
	portal.LetterPasswordChanged: {script: (*script).passwordChanged},
	portal.LetterProof:           {script: (*script).proof},
	portal.LetterNewDevice:       {script: (*script).newDevice},
	portal.LetterEmailProof:      {script: (*script).emailProof},
	portal.LetterEmailChanged:    {script: (*script).emailChanged},
	portal.LetterFactorOn:        {script: (*script).factorOn},
	portal.LetterFactorOff:       {script: (*script).factorOff},
	portal.LetterRecoveryUsed:    {script: (*script).recoveryUsed},
	portal.LetterFactorTried:     {script: (*script).factorTried},
	portal.LetterPasskeyAdded:    {script: (*script).passkeyChanged},
	portal.LetterPasskeyRemoved:  {script: (*script).passkeyChanged},
	portal.LetterApproved:        {script: (*script).approved},
	portal.LetterRefused:         {script: (*script).refused},
	portal.LetterAccess:          {script: (*script).accessGiven},
	portal.LetterTicketReceived:  {script: (*script).ticketReceived, ticket: true},
	portal.LetterMessage:         {script: (*script).message, ticket: true, message: true},
	portal.LetterTicketClosed:    {script: (*script).ticketClosed, ticket: true},
	portal.LetterParticipant:     {script: (*script).participantAdded, ticket: true},
	portal.LetterDeskTicket:      {script: (*script).deskTicket, ticket: true, message: true},
	portal.LetterDeskMessage:     {script: (*script).deskMessage, ticket: true, message: true},
	portal.LetterAgentTicket:     {script: (*script).deskTicket, ticket: true, message: true},
	portal.LetterAgentMessage:    {script: (*script).deskMessage, ticket: true, message: true},
	portal.LetterAgentAssigned:   {script: (*script).agentAssigned, ticket: true},
	portal.LetterAgentMention:    {script: (*script).agentMention, ticket: true},
	portal.LetterAgentPromise:    {script: (*script).agentPromise, ticket: true},
	portal.LetterAgentSnoozed:    {script: (*script).agentSnoozed, ticket: true},
	portal.LetterDeskPending:     {script: (*script).deskPending},
	portal.LetterDigest:          {script: (*script).digest},
	portal.LetterTest:            {script: (*script).test},
}

// say returns a text with the letter's values.
func (s *script) say(key string) string { return s.T(key, s.args) }

func (s *script) head(subject, preview, heading string, lead ...string) {
	s.view.Subject, s.view.Preview, s.view.Heading = subject, preview, heading
	s.view.Lead = append(s.view.Lead, lead...)
}

func (s *script) after(texts ...string) { s.view.After = append(s.view.After, texts...) }

// once says how long the link works, where it is one that runs out.
func (s *script) once() {
	if s.letter.Once {
		s.after(s.say("mail.link.once"))
	}
}

func (s *script) invitation() {
	s.head(s.say("mail.invitation.subject"), s.say("mail.invitation.preview"), s.say("mail.invitation.heading"), s.say("mail.invitation.text"))
	s.view.Button = s.say("mail.invitation.button")
	s.once()
	if s.letter.Once && s.letter.Home != "" {
		last := len(s.view.After) - 1
		s.view.After[last] += " " + s.say("mail.invitation.after")
	}
	s.after(s.say("mail.invitation.ignore"))
}

func (s *script) signIn() {
	s.head(s.say("mail.sign_in.subject"), s.say("mail.sign_in.preview"), s.say("mail.sign_in.heading"), s.say("mail.sign_in.text"))
	s.view.Button = s.say("mail.sign_in.button")
	s.once()
	s.after(s.say("mail.sign_in.ignore"))
}

func (s *script) register() {
	s.head(s.say("mail.register.subject"), s.say("mail.register.preview"), s.say("mail.register.heading"), s.say("mail.register.text"))
	s.view.Button = s.say("mail.register.button")
	s.once()
	s.after(s.say("mail.register.ignore"))
}

func (s *script) registerKnown() {
	s.head(s.say("mail.register_known.subject"), s.say("mail.register_known.preview"), s.say("mail.register_known.heading"), s.say("mail.register_known.text"))
	s.view.Button = s.say("mail.register_known.button")
	s.once()
	s.after(s.say("mail.register_known.ignore"))
}

func (s *script) reset() {
	s.head(s.say("mail.reset.subject"), s.say("mail.reset.preview"), s.say("mail.reset.heading"), s.say("mail.reset.text"))
	s.view.Button = s.say("mail.reset.button")
	s.once()
	s.after(s.say("mail.reset.ignore"))
}

// notMe ends a notice about somebody's own account.
func (s *script) notMe() {
	s.view.Button = s.say("mail.not_me.button")
	s.after(s.say("mail.not_me.after"))
}

func (s *script) passwordChanged() {
	s.head(s.say("mail.password_changed.subject"), s.say("mail.password_changed.preview"), s.say("mail.password_changed.heading"), s.say("mail.password_changed.text"))
	s.notMe()
}

func (s *script) newDevice() {
	s.head(s.say("mail.new_device.subject"), s.say("mail.new_device.preview"), s.say("mail.new_device.heading"), s.say("mail.new_device.text"))
	s.doneBy()
	s.notMe()
}

// doneBy names when, where and from where what the letter tells of was done.
func (s *script) doneBy() {
	s.fact("mail.fact.when", fmt.Sprint(s.args["At"]))
	name, system := portal.Browser(s.letter.Device)
	switch {
	case name != "" && system != "":
		name = s.T("account.browser", "Browser", name, "System", system)
	case name == "" && system == "":
		name = s.T("account.browser_unknown")
	case name == "":
		name = system
	}
	s.fact("mail.fact.browser", name)
	s.fact("mail.fact.address", oneLine(s.letter.From))
}

func (s *script) passkeyChanged() {
	about := "mail." + string(s.letter.Kind)
	s.head(s.say(about+".subject"), s.say(about+".preview"), s.say(about+".heading"), s.say(about+".text"))
	s.fact("mail.fact.passkey", oneLine(s.letter.Passkey))
	s.doneBy()
	if s.letter.Kind == portal.LetterPasskeyRemoved {
		s.notMe()
		return
	}
	s.view.Button = s.say("mail.not_me.button")
	s.after(s.say("mail.passkey_added.after"))
}

func (s *script) proof() {
	s.head(s.say("mail.proof.subject"), s.say("mail.proof.preview"), s.say("mail.proof.heading"), s.say("mail.proof.text"))
	s.after(s.say("mail.proof.ignore"))
}

func (s *script) emailProof() {
	s.head(s.say("mail.email_proof.subject"), s.say("mail.email_proof.preview"), s.say("mail.email_proof.heading"), s.say("mail.email_proof.text"))
	s.view.Button = s.say("mail.email_proof.button")
	s.once()
	s.after(s.say("mail.email_proof.ignore"))
}

func (s *script) emailChanged() {
	s.head(s.say("mail.email_changed.subject"), s.say("mail.email_changed.preview"), s.say("mail.email_changed.heading"), s.say("mail.email_changed.text"))
	s.view.Button = s.say("mail.not_me.button")
}

func (s *script) approved() {
	s.head(s.say("mail.approved.subject"), s.say("mail.approved.preview"), s.say("mail.approved.heading"), s.say("mail.approved.text"))
	s.view.Button = s.say("mail.approved.button")
}

func (s *script) refused() {
	s.head(s.say("mail.refused.subject"), s.say("mail.refused.preview"), s.say("mail.refused.heading"), s.say("mail.refused.text"))
	if reason := harmless(s.letter.Reason); reason != "" {
		s.view.Quote = &quote{Title: s.say("mail.refused.reason"), Text: reason, Body: paragraphs(reason)}
	}
}

func (s *script) accessGiven() {
	s.head(s.say("mail.access_given.subject"), s.say("mail.access_given.preview"), s.say("mail.access_given.heading"), s.say("mail.access_given.text"))
	s.view.Button = s.say("mail.access_given.button")
}

// maxItem is how much of each message a digest shows, in characters.
const maxItem = 600

func (s *script) digest() {
	n := len(s.letter.Notices)
	preview, text := s.say("mail.digest.preview"), s.say("mail.digest.text")
	if s.letter.Daily {
		preview, text = s.say("mail.digest.daily_preview"), s.say("mail.digest.daily")
	}
	s.head(s.N("mail.digest.subject", n, s.args), preview, s.N("mail.digest.heading", n, s.args), text)
	s.view.Button = s.say("mail.digest.button")
	for i := range s.letter.Notices {
		notice := &s.letter.Notices[i]
		args := arguments(s.Printer, notice)
		it := item{What: s.T("mail.digest."+string(notice.Kind), args), When: s.DateTime(inZone(notice.At, s.letter.Zone)), Link: notice.Link}
		if notice.Ticket != nil {
			it.Title = strings.TrimRight(notice.Ticket.Number.String()+" · "+oneLine(notice.Ticket.Subject), " ·")
		}
		if notice.Message != nil {
			it.Text, _ = shorten(harmless(plain(notice.Message)), maxItem)
			it.Body = paragraphs(it.Text)
		}
		s.view.Items = append(s.view.Items, it)
	}
}

func (s *script) test() {
	s.head(s.say("mail.test.subject"), s.say("mail.test.preview"), s.say("mail.test.heading"), s.say("mail.test.text"))
	s.after(s.say("mail.test.after"))
	s.view.Team = ""
}

// quote shows the letter's message, if it has one.
func (s *script) quote(title string) {
	m := s.letter.Message
	if m == nil {
		return
	}
	text, cut := shorten(harmless(plain(m)), maxQuote)
	q := &quote{Title: title, Text: text, Body: paragraphs(text)}
	if cut {
		q.Rest = s.T("mail.rest")
	} else if s.writer.HTML != nil && m.Format != portal.Plain {
		q.HTML = s.writer.HTML(m.Body, m.Format)
	}
	for _, f := range m.Files {
		q.Files = append(q.Files, s.T("mail.file", "Name", oneLine(f.Name), "Size", s.Bytes(f.Size)))
	}
	if len(q.Files) > 0 {
		q.Count = s.N("mail.files", len(q.Files))
	}
	s.view.Quote = q
}

// plain is a message's text for the text part. Markdown is made to be read
// as it is.
func plain(m *portal.Message) string {
	if m.Format == portal.HTML {
		return PlainFromHTML(m.Body)
	}
	return m.Body
}

// preview is the beginning of a message, for the line that mail programs show
// beside the subject.
func preview(m *portal.Message) string {
	line := oneLine(plain(m))
	if runes := []rune(line); len(runes) > 140 {
		line = strings.TrimRight(string(runes[:140]), " ") + " …"
	}
	return line
}
