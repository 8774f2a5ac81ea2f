package mail

import (
	"bytes"
	"context"
	"fmt"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
)

// Writer turns letters into messages.
type Writer struct {
	// From is the sender. Without a name of its own it carries the portal's.
	From netmail.Address
	// HTML renders a message's text to harmless HTML; it is the one place
	// that does, shared with the pages. Nil shows every text as plain text.
	HTML func(body string, format portal.BodyFormat) string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// view is what a mail shows, in its final words. The text part and the HTML
// part are made from it alike.
type view struct {
	Lang, Dir, Subject, Preview string
	Marker                      string // the line to write above; "": the mail is not answered
	Portal, Home                string
	Palette                     palette
	Heading, Hello              string
	Lead                        []string
	Facts                       []portal.LetterField
	Quote                       *quote
	Items                       []item
	Status                      []string // whose turn it is, and when they hear again
	Rate                        string   // asks how it went
	Stars                       []star
	Button, Link, Copy          string
	After                       []string
	Earlier                     string // the heading of History
	History                     []quote
	Team                        string // signs mails to people
	Footer                      []string
	Links                       []portal.WebLink // to the company's imprint and the like
	Logo                        *logo
	Off, OffLink                string // stops this kind of mail
}

// logo is the portal's logo, a part of the mail.
type logo struct {
	ID            string // of the part
	Width, Height string
	Wordless      bool   // it is too narrow to hold the portal's name
	Ground        string // behind it; white is that of the page
	Plate         string // a class that gives it room on dark pages
}

// wordy is how wide a logo is that holds the name of its company, measured by
// its height.
const wordy = 1.8

func newLogo(l *portal.Letter) *logo {
	if l.Logo == nil {
		return nil
	}
	g := &logo{
		ID: logoID(l.MessageID), Width: strconv.Itoa(l.Logo.Width), Height: strconv.Itoa(l.Logo.Height),
		Wordless: float64(l.Logo.Width) < wordy*float64(l.Logo.Height), Ground: "#ffffff",
	}
	switch {
	case l.Logo.LostOnLight:
		g.Ground, g.Plate = "#101317", "plate"
	case l.Logo.LostOnDark:
		g.Plate = "plate-dark"
	default:
		g.Plate = "bare"
	}
	return g
}

// logoID names the logo among the parts of a mail.
func logoID(messageID string) string { return "logo." + strings.Trim(messageID, "<>") }

// quote is the message a mail is about.
type quote struct {
	Title    string
	Text     string // for the text part
	Body     [][][]span
	HTML     string // rendered and harmless; empty: Body is shown
	Sign     string // who wrote it, in their own words
	SignBody [][][]span
	SignHTML string
	Files    []string
	Count    string // "2 files, in the portal:"
	Rest     string // said when the text was cut
}

// star is a link that says how it went.
type star struct{ Words, Link string }

// item is a notice in a digest.
type item struct {
	What, Title, When, Link string
	Text                    string // what was written; for the text part
	Body                    [][][]span
}

// Compose writes a letter in its recipient's language.
func (w *Writer) Compose(l *portal.Letter) (*Message, error) {
	v, err := w.view(l)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	if err := layout(v).Render(context.Background(), &page); err != nil {
		return nil, fmt.Errorf("write the HTML of a %s mail: %w", l.Kind, err)
	}
	m := &Message{
		From: w.From, To: netmail.Address{Name: oneLine(l.Name), Address: l.To}, Subject: v.Subject,
		Text: v.text(), HTML: page.String(), MessageID: l.MessageID, Date: time.Now(),
	}
	if w.Now != nil {
		m.Date = w.Now()
	}
	if m.From.Name == "" {
		m.From.Name = oneLine(l.Portal)
	}
	if l.ReplyTo != "" && !strings.EqualFold(l.ReplyTo, l.To) {
		m.ReplyTo = netmail.Address{Name: oneLine(l.Portal), Address: l.ReplyTo}
	}
	if v.Logo != nil {
		m.Logo, m.LogoID = l.Logo.PNG, logoID(l.MessageID)
	}
	m.thread(l)
	m.Reply, m.Unsubscribe = l.Kind == portal.LetterTicketReceived, l.Unsubscribe
	if l.ListID != "" {
		m.ListID = (&netmail.Address{Name: oneLine(l.List), Address: "x@" + l.ListID}).String()
		m.ListID = strings.Replace(m.ListID, "<x@", "<", 1)
	}
	return m, nil
}

func (w *Writer) view(l *portal.Letter) (*view, error) {
	p := i18n.For(l.Language)
	if l.Texts != nil {
		p = p.With(l.Texts.Entries[p.Lang()])
	}
	v := &view{
		Lang: p.Tag(), Dir: p.Dir(), Portal: oneLine(l.Portal), Home: l.Home, Palette: paletteOf(l.Accent),
		Link: l.Link, Hello: p.T("mail.hello.nobody"), Team: p.T("mail.team", "Portal", oneLine(l.Portal)),
	}
	if name := oneLine(l.Name); name != "" {
		v.Hello = p.T("mail.hello", "Name", name)
	}
	s := script{Printer: p, writer: w, letter: l, view: v, args: arguments(p, l)}
	write, ok := scripts[l.Kind]
	if !ok {
		return nil, fmt.Errorf("there is no mail of kind %q", l.Kind)
	}
	if l.Ticket == nil && write.ticket || l.Message == nil && write.message && !l.Hidden {
		return nil, fmt.Errorf("a %s mail needs its ticket and its message", l.Kind)
	}
	if write.ticket {
		v.Subject = oneLine(portal.SubjectTag(l.Ticket.Number) + " " + l.Ticket.Subject)
		v.Button = s.say("mail.open")
	}
	if l.Answer && write.ticket {
		v.Marker = answerLine(s.say("mail.above"))
	}
	if l.Hidden {
		s.hidden()
	} else {
		write.script(&s)
		s.history()
	}
	if v.Link == "" {
		v.Button = ""
	} else if v.Button != "" {
		v.Copy = p.T("mail.link.copy")
	}
	switch {
	case l.Office:
		v.Hello, v.Team = "", ""
		switch {
		case l.Inbox != "":
			v.Footer = append(v.Footer, s.say("mail.footer.inbox"))
		case l.List != "":
			v.Footer = append(v.Footer, s.T("mail.agent.footer", "Inbox", oneLine(l.List)))
		}
	case write.ticket:
		v.Footer = append(v.Footer, s.say("mail.footer.ticket"))
	}
	v.Footer = append(v.Footer, s.say("mail.footer.auto"))
	if !l.Office {
		v.Logo, v.Links = newLogo(l), l.FooterLinks
	}
	if l.Unsubscribe != "" {
		v.Off, v.OffLink = s.say("mail.footer.off"), l.Unsubscribe
	}
	return v, nil
}

// arguments are the values every text of a mail may name.
func arguments(p *i18n.Printer, l *portal.Letter) map[string]any {
	args := map[string]any{
		"Portal": oneLine(l.Portal), "Home": l.Home, "Valid": p.Duration(l.Valid), "Inbox": oneLine(l.Inbox),
		"Author": oneLine(l.By), "Label": oneLine(l.Label), "Inside": oneLine(l.Label), "At": p.DateTime(inZone(l.At, l.Zone)),
		"Code": l.Code,
	}
	if args["Author"] == "" && l.Message != nil {
		args["Author"] = oneLine(l.Message.AuthorName)
	}
	if args["Author"] == "" {
		args["Author"] = args["Portal"]
	}
	if args["Label"] == "" {
		args["Label"], args["Inside"] = p.T("ticket.one"), p.T("ticket.one_inside")
	}
	if l.Ticket != nil {
		args["Number"], args["Subject"] = l.Ticket.Number.String(), oneLine(l.Ticket.Subject)
	}
	return args
}

func inZone(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone)
}

// text sets the text part.
func (v *view) text() string {
	var parts []string
	if v.Marker != "" {
		parts = append(parts, v.Marker)
	}
	add := func(s string) {
		if s != "" {
			parts = append(parts, s)
		}
	}
	add(v.Hello)
	for _, s := range v.Lead {
		add(s)
	}
	var facts []string
	for _, f := range v.Facts {
		facts = append(facts, f.Label+": "+f.Value)
	}
	add(strings.Join(facts, "\n"))
	if v.Quote != nil {
		add(v.Quote.Title + ":\n\n" + v.Quote.Text)
		add(v.Quote.Sign)
		add(v.Quote.Rest)
		if len(v.Quote.Files) > 0 {
			add(v.Quote.Count + "\n" + "- " + strings.Join(v.Quote.Files, "\n- "))
		}
	}
	for _, i := range v.Items {
		add(strings.TrimSpace(i.Title + "\n" + i.What + ", " + i.When + "\n" + i.Link))
		if i.Text != "" {
			add(quotedText(i.Text))
		}
	}
	for _, s := range v.Status {
		add(s)
	}
	if v.Rate != "" {
		lines := []string{v.Rate}
		for _, s := range v.Stars {
			lines = append(lines, s.Words+": "+s.Link)
		}
		add(strings.Join(lines, "\n"))
	}
	if v.Button != "" {
		add(v.Button + ":\n" + v.Link)
	}
	for _, s := range v.After {
		add(s)
	}
	add(v.Team)
	footer := append([]string{}, v.Footer...)
	if v.OffLink != "" {
		footer = append(footer, v.Off+": "+v.OffLink)
	}
	for _, l := range v.Links {
		footer = append(footer, oneLine(l.Label)+": "+l.URL)
	}
	if v.Home != "" {
		footer = append(footer, v.Home)
	}
	if len(v.History) > 0 {
		add(v.Earlier)
		for _, q := range v.History {
			add(q.Title + ":\n" + quotedText(q.Text))
		}
	}
	return strings.Join(parts, "\n\n") + "\n\n" + signature + "\n" + strings.Join(footer, "\n")
}
