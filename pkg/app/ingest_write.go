package app

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// carryOut writes the line of a mail and what follows from its decision.
func (in *intake) carryOut(ctx context.Context, tx *store.Tx, d *decision, e *portal.LedgerEntry) error {
	if in.arrival.Reached != (portal.IMAPPlace{}) && in.arrival.Inbox != 0 {
		if err := tx.SaveMailboxPlace(ctx, in.arrival.Inbox, in.arrival.Reached); err != nil {
			return err
		}
	}
	if d.known != nil {
		*e = *d.known
		return nil
	}
	if there, err := in.store.Files().Has(e.SHA256); err != nil || !there {
		// Somebody who had sent the same was erased in this moment.
		return cmp.Or(err, error(portal.Conflictf("file.gone", "the mail's source has to be kept once more")))
	}
	if d.same != nil {
		d.MailOutcome = portal.MailOutcome{Decision: portal.MailDuplicate, Reason: portal.ReasonSame}
		e.Of, e.Ticket, e.Message = d.same.ID, d.same.Ticket, d.same.Message
	}
	e.Proof = d.proof
	if d.inbox != nil {
		e.Inbox = d.inbox.ID
	}
	if d.ticket != nil {
		e.Ticket = d.ticket.Number
	}
	if d.bounced != nil {
		e.Mail = d.bounced.ID
	}
	if err := in.perform(ctx, tx, d, e); err != nil {
		return err
	}
	if err := in.countFiles(ctx, tx, d); err != nil {
		return err
	}
	if err := in.reachable(ctx, tx, d); err != nil {
		return err
	}
	if d.contact != nil {
		e.Contact = d.contact.ID
	}
	if d.agent != nil {
		e.Agent = d.agent.ID
	}
	e.Decision, e.Reason, e.KeptUntil = d.Decision, d.Reason, tx.Now.Add(rawKept)
	return tx.AddLedgerEntry(ctx, e)
}

// perform does what was decided, and notes in the line what came of it.
func (in *intake) perform(ctx context.Context, tx *store.Tx, d *decision, e *portal.LedgerEntry) error {
	switch d.Step {
	case portal.TakeOpenUnknown:
		if err := in.addSender(ctx, tx, d); err != nil {
			return err
		}
		return in.openByMail(ctx, tx, d, e, 0)
	case portal.TakeOpen:
		return in.openByMail(ctx, tx, d, e, 0)
	case portal.TakeOpenNext:
		return in.openByMail(ctx, tx, d, e, d.ticket.Number)
	case portal.TakeAnswer:
		return in.answerByMail(ctx, tx, d, e)
	case portal.TakeAgentAnswer:
		return in.agentByMail(ctx, tx, d, e)
	case portal.TakeKeep:
		return in.keepByMail(ctx, tx, d, e)
	}
	if d.bounced != nil {
		return in.cameBack(ctx, tx, d, e)
	}
	return nil
}

// addSender makes a contact of an unknown sender. The name is what they call
// themselves, unless it is an address, which could pass for somebody else's.
func (in *intake) addSender(ctx context.Context, tx *store.Tx, d *decision) error {
	address, err := email("from", in.entry.Sender)
	if err != nil {
		return err
	}
	c := &portal.Contact{Email: address}
	if from, ok := in.mail.Sender(); ok && !strings.Contains(from.Name, "@") {
		c.Name = oneLine(from.Name)
	}
	if err := tx.AddContact(ctx, c); err != nil {
		return err
	}
	d.contact = c
	return in.noteContact(ctx, tx, portal.AuditContactAdded, c.ID, []Change{fact("email", c.Email), fact("by", "mail")})
}

// words are the words for the one the message is of, else the portal's.
func (in *intake) words(d *decision) MailWords {
	language := "en"
	if d.portal != nil {
		language = d.portal.Language()
		if d.contact != nil {
			language = d.portal.LanguageFor(d.contact.Language)
		}
	} else if d.contact != nil && d.contact.Language != "" {
		language = d.contact.Language
	}
	return in.mailWords(language)
}

// openByMail opens a ticket; follows is the closed one it continues.
func (in *intake) openByMail(ctx context.Context, tx *store.Tx, d *decision, e *portal.LedgerEntry, follows portal.TicketNumber) error {
	t := &portal.Ticket{
		Status: portal.New, Priority: portal.Normal, Requester: d.contact.ID, Company: d.contact.Primary,
		InboxID: d.inbox.ID, PortalID: d.portal.ID, Fields: map[string]string{}, Via: portal.ViaMail,
		Subject: cmp.Or(portal.CleanSubject(norm.NFC.String(in.mail.Subject)), in.words(d).NoSubject),
	}
	if follows != 0 {
		t.Fields[fieldFollows] = follows.String()
		// It goes on where the closed one was, for the eyes that saw that one.
		t.InboxID, t.Confidential = d.ticket.InboxID, d.ticket.Confidential
	}
	if d.inbox.Mail.AddCC {
		if err := in.addCC(ctx, tx, d, t); err != nil {
			return err
		}
	}
	m := in.message(d, portal.Public)
	m.Contact = d.contact.ID
	if err := in.open(ctx, tx, d.portal, t, m, portal.ByContact(d.contact.ID)); err != nil {
		return err
	}
	e.Ticket, e.Message, d.ticket = t.Number, m.ID, t
	return in.acknowledge(ctx, tx, d, t, m)
}

// addCC makes known contacts whom the mail went to as well participants of a
// new ticket, leaving out those an operator has shut out.
func (in *intake) addCC(ctx context.Context, tx *store.Tx, d *decision, t *portal.Ticket) error {
	for _, address := range addressesIn(in.mail.To, in.mail.CC) {
		c, err := senderContact(ctx, tx, address)
		if err != nil {
			return err
		}
		if address == "" || c == nil || c.Erased() || t.Party(c.ID) || len(t.Participants) >= maxParticipants {
			continue
		}
		member, err := tx.Member(ctx, d.portal.ID, c.ID)
		if err != nil && portal.KindOf(err) != portal.NotFound {
			return err
		}
		if err == nil && member.Status == portal.Disabled {
			continue
		}
		t.Participants = append(t.Participants, c.ID)
	}
	return nil
}

// acknowledge tells the sender that their mail became a ticket: once an hour,
// where the inbox does so, and only somebody whose address is proven, or our
// answer would be mail that a stranger has us send.
func (in *intake) acknowledge(ctx context.Context, tx *store.Tx, d *decision, t *portal.Ticket, m *portal.Message) error {
	if !d.inbox.Mail.Acknowledge || in.mail.Auto != portal.AutoNone {
		return nil
	}
	if !d.Answerable {
		proven, err := tx.ProvenAddress(ctx, d.contact.ID)
		if err != nil || proven == "" || proven != in.entry.Sender {
			return err
		}
	}
	c, err := tx.Count(ctx, "mail-answered:"+in.entry.Sender, time.Hour)
	if err != nil || c.Count > 1 {
		return err
	}
	mail := ticketMail(store.MailTicketReceived, t, d.contact)
	mail.Message = m.ID
	return in.queueMail(ctx, tx, mail)
}

// answerByMail adds a customer's message.
func (in *intake) answerByMail(ctx context.Context, tx *store.Tx, d *decision, e *portal.LedgerEntry) error {
	settings := portal.TicketSettings{}
	if d.portal != nil {
		settings = d.portal.Tickets
	}
	reopened, err := d.ticket.CustomerMessage(tx.Now, &settings)
	if err != nil {
		return err
	}
	m := in.message(d, portal.Public)
	m.Contact = d.contact.ID
	err = in.addMessage(ctx, tx, d.ticket, m, portal.ByContact(d.contact.ID), reopened, false)
	e.Message = m.ID
	return err
}

// agentByMail adds an agent's message: public, or a note when any of its lines
// says so. A word too many at the desk does no harm; one that a customer reads
// cannot be taken back. So a mail that seems to say nothing but what it quotes
// is a note, too: what they wrote may stand among that.
func (in *intake) agentByMail(ctx context.Context, tx *store.Tx, d *decision, e *portal.LedgerEntry) (err error) {
	silent := onlyQuotes(in.mail.Text) && (len(in.files) == 0 || in.isNote(in.mail.Quoted))
	if silent || in.isNote(in.mail.Text) {
		m := in.message(d, portal.Note)
		m.Agent, m.Body = d.agent.ID, cmp.Or(in.withoutNoteWord(m.Body), m.Body)
		d.Reason = portal.ReasonNote
		err = in.addNote(ctx, tx, d.ticket, m)
		e.Message = m.ID
		return err
	}
	m := in.message(d, portal.Public)
	// What they quote is our mail to the desk, which says more than customers
	// read: addresses, fields, who has the ticket.
	m.Agent, m.Quoted = d.agent.ID, ""
	reopened := d.ticket.AgentMessage(tx.Now)
	err = in.addMessage(ctx, tx, d.ticket, m, portal.ByAgent(d.agent.ID), reopened, false)
	e.Message = m.ID
	return err
}

// keepByMail keeps automatic mail with its ticket for the desk's eyes: nothing
// else changes and nobody is told.
func (in *intake) keepByMail(ctx context.Context, tx *store.Tx, d *decision, e *portal.LedgerEntry) error {
	m := in.message(d, portal.Note)
	m.Contact, m.Via = d.contact.ID, portal.ByAutoMail
	if err := in.filesThere(m.Files); err != nil {
		return err
	}
	if err := tx.AddMessage(ctx, d.ticket, m); err != nil {
		return err
	}
	e.Message = m.ID
	return saveWithEvent(ctx, tx, d.ticket, portal.Event{Kind: portal.EventNoted, By: portal.ByContact(d.contact.ID)})
}

// onlyQuotes reports whether a text is empty, or nothing but quoted lines below
// what a mail program introduces them with: whose they are, and when written.
func onlyQuotes(text string) bool {
	intro, quoted := "", false
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); {
		case line == "":
		case strings.HasPrefix(line, ">"):
			quoted = true
		case quoted:
			return false
		default:
			intro += line
		}
	}
	return intro == "" || quoted && strings.HasSuffix(intro, ":") && strings.Contains(intro, "@")
}

// noteWord begins a line that makes an agent's mail a note, whatever languages
// there are words in.
const noteWord = "note"

// isNote reports whether any line of an agent's mail says that it is a note.
func (in *intake) isNote(text string) bool {
	for line := range strings.Lines(text) {
		if _, ok := in.cutNoteWord(line); ok {
			return true
		}
	}
	return false
}

// cutNoteWord takes "note:", or a language's word for it, off a line, in any case and however mail programs
// adorn it.
func (in *intake) cutNoteWord(line string) (rest string, ok bool) {
	adorned := func(r rune) bool {
		return unicode.IsSpace(r) || unicode.In(r, unicode.Cf) || strings.ContainsRune("*_#-[(>\u2022", r)
	}
	line = strings.TrimLeftFunc(line, adorned)
	at := strings.IndexAny(line, ":：﹕")
	if at < 0 {
		return line, false
	}
	word := strings.ToLower(strings.TrimRightFunc(line[:at], func(r rune) bool { return adorned(r) || r == ']' || r == ')' }))
	word = norm.NFC.String(strings.Join(strings.Fields(word), " "))
	if word != noteWord && !slices.Contains(in.texts.NoteWords, word) {
		return line, false
	}
	return strings.TrimLeftFunc(line[at:], func(r rune) bool { return strings.ContainsRune(":：﹕*_", r) || unicode.IsSpace(r) }), true
}

// withoutNoteWord is the text of a note without the word at its front, which
// has done its work.
func (in *intake) withoutNoteWord(text string) string {
	first, rest, _ := strings.Cut(text, "\n")
	if cut, ok := in.cutNoteWord(first); ok {
		return strings.TrimSpace(cut + "\n" + rest)
	}
	return text
}

// message is the message a mail becomes.
func (in *intake) message(d *decision, kind portal.MessageKind) *portal.Message {
	words := in.words(d)
	body, quoted := mailText(in.mail.Text), mailText(in.mail.Quoted)
	if body == "" && in.mail.Text == "" && d.Decision == portal.MailCreated {
		body, quoted = quoted, "" // handed on without a word of one's own
	}
	var below []string
	if in.cut {
		below = append(below, words.TextCut)
	}
	if len(in.left) > 0 {
		below = append(below, words.FilesLeft(strings.Join(in.left, ", ")))
	}
	tail := strings.Join(below, "\n")
	if tail != "" {
		tail = "\n\n" + tail
	}
	body = cutText(cmp.Or(body, words.NoText), portal.MaxBody-len(tail)) + tail
	return &portal.Message{
		Kind: kind, Body: body, Format: portal.Plain, Quoted: cutText(quoted, portal.MaxBody), Via: portal.ByMail,
		Files: slices.Clone(in.files),
	}
}

// mailText makes any text one that a message can have.
func mailText(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD")))
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	if strings.TrimSpace(s) == "" {
		return ""
	}
	return strings.TrimRightFunc(strings.Trim(s, "\n"), unicode.IsSpace)
}

// cutText cuts a text to so many bytes, at the end of a line where one is near.
func cutText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = strings.ToValidUTF8(s[:max(most-len("…"), 0)], "")
	if at := strings.LastIndexByte(s, '\n'); at > len(s)-1000 && at > 0 {
		s = s[:at]
	}
	return strings.TrimRightFunc(s, unicode.IsSpace) + "…"
}

// wholeText is the file that holds a text too long for a message.
const wholeText = "message.txt"

// writeFiles puts the mail's files on disk, as many as a message may have:
// pictures within the text are the first to be left out. A sender who has used
// up their share of the day has none kept.
func (in *intake) writeFiles(ctx context.Context, d *decision) error {
	if in.written {
		return nil
	}
	in.files, in.left, in.cut = nil, nil, len(mailText(in.mail.Text)) > portal.MaxBody
	files := slices.Clone(in.mail.Files)
	if in.cut && !slices.Contains(in.mail.Problems, "text_cut") { // or the parser has made a file of it
		files = slices.Insert(files, 0, portal.IncomingFile{Name: wholeText, Content: []byte(in.mail.Text)})
	}
	files, err := in.withoutOwnLogo(ctx, files)
	if err != nil {
		return err
	}
	slices.SortStableFunc(files, func(a, b portal.IncomingFile) int { return cmp.Compare(truth(a.Inline), truth(b.Inline)) })
	room := portal.MaxFiles
	if d.contact != nil {
		spent, err := in.filesSpent(ctx, d.contact.ID)
		if err != nil {
			return err
		}
		if spent >= filesPerDay {
			room = 0
		}
	}
	var uploads []Upload
	for _, f := range files {
		if len(uploads) >= room || len(f.Content) > portal.MaxFileSize {
			in.left = append(in.left, fileName(f.Name))
			continue
		}
		uploads = append(uploads, Upload{Name: f.Name, Content: bytes.NewReader(f.Content)})
	}
	if most := 50; len(in.left) > most {
		in.left = append(in.left[:most], "…")
	}
	stored, _, err := in.addFiles(ctx, uploads)
	in.files, in.written = stored, err == nil
	return err
}

// withoutOwnLogo leaves out the logo that mails of ours carry: programs send it
// back with every answer that quotes one.
func (in *intake) withoutOwnLogo(ctx context.Context, files []portal.IncomingFile) ([]portal.IncomingFile, error) {
	var kept []portal.IncomingFile
	for _, f := range files {
		if f.Inline && len(f.Content) <= mailLogoBytes {
			i, err := in.Picture(ctx, f.SHA256)
			switch {
			case err == nil && i.Kind == portal.ImageMail:
				continue
			case err != nil && portal.KindOf(err) != portal.NotFound:
				return nil, err
			}
		}
		kept = append(kept, f)
	}
	return kept, nil
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// countFiles counts the bytes of files that a contact has sent with the mail.
func (in *intake) countFiles(ctx context.Context, tx *store.Tx, d *decision) error {
	var size int64
	for _, f := range in.files {
		size += f.Size
	}
	if size == 0 || d.contact == nil || !d.makesMessage() {
		return nil
	}
	_, err := tx.CountBy(ctx, filesKey(d.contact.ID), size, 24*time.Hour)
	return err
}

// filesSpent is how many bytes of files a contact has sent today.
func (a *App) filesSpent(ctx context.Context, c portal.ContactID) (spent int, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		counter, err := tx.Counter(ctx, filesKey(c))
		spent = counter.Count
		return err
	})
	return spent, err
}

// filesKey is the counter of the bytes of files that a contact sends.
func filesKey(c portal.ContactID) string { return fmt.Sprintf("files:%d", c) }
