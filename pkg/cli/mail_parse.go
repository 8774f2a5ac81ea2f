package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/portalctl/portalctl/pkg/mail/incoming"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newMailParseCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "parse [<file>]",
		Short: "Show what is understood of a mail",
		Long: `Show what is understood of a mail: who it is from, what it says and what it
quotes, its files, whether a machine sent it. The mail comes from a file or from
standard input; nothing is stored and no store is needed.

However odd a mail is, something is shown; what was odd stands in its problems.
A mail is read up to 25 MiB.`,
		Example: `  portalctl mail parse message.eml
  portalctl mail parse --output json < message.eml`,
		Args: upTo(1),
		RunE: func(_ *cobra.Command, args []string) error { return runMailParse(env, firstOf(args)) },
	}
}

func runMailParse(env *Env, path string) error {
	raw, err := env.readMail(path)
	if err != nil {
		return err
	}
	m := incoming.Parse(raw)
	switch env.Config.Output {
	case output.JSON:
		return env.Printer().JSON(newIncomingJSON(m))
	case output.CSV:
		columns, row := incomingSheet(m, true)
		return env.Printer().Object(columns, row)
	}
	return env.showIncoming(m)
}

// readMail reads a mail from a file or standard input, up to one byte more than
// is looked at, so that the reader can tell that there was more.
func (e *Env) readMail(path string) ([]byte, error) {
	const limit = incoming.MaxMail + 1
	in, room := e.In, int64(limit)
	if path != "" && path != "-" {
		f, err := os.Open(path) // #nosec G304 -- the operator names the file
		if err != nil {
			return nil, fileError("file", path, err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return nil, fileError("file", path, err)
		}
		if info.IsDir() {
			return nil, portal.Invalidf("mail.file", "file", "%s is a folder; name the file of one mail", path)
		}
		in = f
		if info.Mode().IsRegular() {
			room = min(info.Size(), limit)
		}
	} else if f, ok := e.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) { // #nosec G115 -- a descriptor fits
		e.say("reading a mail from the terminal; end it with Ctrl-D")
	}
	var b bytes.Buffer
	// Room for all of it at once: growing would copy, and keep, twice as much.
	// Room that is not written to takes no memory.
	b.Grow(int(room) + bytes.MinRead)
	if _, err := b.ReadFrom(io.LimitReader(in, limit)); err != nil {
		return nil, fmt.Errorf("read the mail: %w", err)
	}
	return b.Bytes(), nil
}

// incomingJSON is a mail as scripts get it. The names never change.
type incomingJSON struct {
	From       []portal.MailAddress `json:"from"`
	ReplyTo    []portal.MailAddress `json:"reply_to"`
	To         []portal.MailAddress `json:"to"`
	CC         []portal.MailAddress `json:"cc"`
	Delivered  []string             `json:"delivered_to"`
	ReturnPath *string              `json:"return_path"` // null: not said; "": nobody
	Subject    string               `json:"subject"`
	Date       *time.Time           `json:"date"`
	MessageID  string               `json:"message_id"`
	InReplyTo  []string             `json:"in_reply_to"`
	References []string             `json:"references"`
	Text       string               `json:"text"`
	Quoted     string               `json:"quoted_text"`
	Files      []incomingFileJSON   `json:"files"`
	Automatic  string               `json:"auto_submitted"`
	Bounce     *bounceJSON          `json:"bounce"`
	Verdicts   []verdictJSON        `json:"verdicts"`
	Problems   []string             `json:"problems"`
}

type incomingFileJSON struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	Size      int    `json:"size"`
	SHA256    string `json:"sha256"`
	Inline    bool   `json:"inline"`
	ContentID string `json:"content_id"`
}

type bounceJSON struct {
	MessageID  string                `json:"message_id"`
	Recipients []bouncedReceiverJSON `json:"recipients"`
}

type bouncedReceiverJSON struct {
	Address   string `json:"address"`
	Action    string `json:"action"`
	Status    string `json:"status"`
	Text      string `json:"text"`
	Permanent bool   `json:"permanent"`
}

type verdictJSON struct {
	Server      string              `json:"server"`
	DMARC       string              `json:"dmarc"`
	DMARCDomain string              `json:"dmarc_domain"`
	DKIM        []domainVerdictJSON `json:"dkim"`
	SPF         []domainVerdictJSON `json:"spf"`
}

type domainVerdictJSON struct {
	Result string `json:"result"`
	Domain string `json:"domain"`
}

func newIncomingJSON(m *portal.Incoming) *incomingJSON {
	j := &incomingJSON{
		From: listed(m.From), ReplyTo: listed(m.ReplyTo), To: listed(m.To), CC: listed(m.CC),
		Delivered: listed(m.Delivered), Subject: m.Subject, MessageID: m.MessageID,
		InReplyTo: listed(m.InReplyTo), References: listed(m.References),
		Text: m.Text, Quoted: m.Quoted, Automatic: string(m.Auto), Problems: listed(m.Problems),
		Files: []incomingFileJSON{}, Verdicts: []verdictJSON{},
	}
	if m.HasReturnPath {
		j.ReturnPath = &m.ReturnPath
	}
	if !m.Date.IsZero() {
		j.Date = &m.Date
	}
	for _, f := range m.Files {
		j.Files = append(j.Files, incomingFileJSON{f.Name, f.Type, len(f.Content), f.SHA256, f.Inline, f.ContentID})
	}
	if b := m.Bounce; b != nil {
		j.Bounce = &bounceJSON{MessageID: b.MessageID, Recipients: []bouncedReceiverJSON{}}
		for _, r := range b.Recipients {
			j.Bounce.Recipients = append(j.Bounce.Recipients, bouncedReceiverJSON(r))
		}
	}
	for _, v := range m.Verdicts {
		j.Verdicts = append(j.Verdicts, verdictJSON{
			Server: v.Server, DMARC: v.DMARC, DMARCDomain: v.DMARCDomain,
			DKIM: domainVerdicts(v.DKIM), SPF: domainVerdicts(v.SPF),
		})
	}
	return j
}

func domainVerdicts(list []portal.DomainVerdict) []domainVerdictJSON {
	verdicts := []domainVerdictJSON{}
	for _, v := range list {
		verdicts = append(verdicts, domainVerdictJSON(v))
	}
	return verdicts
}

// listed makes a list that is there, if empty, of one that may be nil.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// showIncoming prints a mail for people: its head, then what it says.
func (e *Env) showIncoming(m *portal.Incoming) error {
	var b bytes.Buffer
	p := *e.Printer()
	p.Out = &b
	columns, row := incomingSheet(m, false)
	if err := p.Object(columns, row); err != nil {
		return err
	}
	text := func(title, body string) {
		if body == "" {
			return
		}
		fmt.Fprintf(&b, "\n--- %s\n", title)
		for _, line := range output.Wrap(output.CleanText(body), e.width()-2) {
			b.WriteString(strings.TrimRight("  "+line, " ") + "\n")
		}
	}
	text("Text", m.Text)
	text("Quoted", m.Quoted)
	_, err := e.Out.Write(b.Bytes())
	return err
}

// incomingSheet is a mail in lines of name and value. What there is none of is
// left out, unless all is wanted.
func incomingSheet(m *portal.Incoming, all bool) (columns []output.Column, row []any) {
	add := func(name, head, value string) {
		if value != "" || all {
			columns, row = append(columns, output.Column{Name: name, Head: head}), append(row, value)
		}
	}
	date := ""
	if !m.Date.IsZero() {
		date = m.Date.UTC().Format(time.RFC3339)
	}
	var files []string
	for _, f := range m.Files {
		files = append(files, fmt.Sprintf("%s (%s, %s)", f.Name, f.Type, size(int64(len(f.Content)))))
	}
	add("from", "From", people(m.From))
	add("reply_to", "Reply-To", people(m.ReplyTo))
	add("to", "To", people(m.To))
	add("cc", "Cc", people(m.CC))
	add("delivered_to", "Delivered to", strings.Join(m.Delivered, ", "))
	add("subject", "Subject", m.Subject)
	add("date", "Date", date)
	add("message_id", "Message id", m.MessageID)
	add("in_reply_to", "In reply to", strings.Join(m.InReplyTo, ", "))
	add("references", "References", strings.Join(m.References, ", "))
	add("files", "Files", strings.Join(files, "\n"))
	add("auto_submitted", "Automatic", string(m.Auto))
	add("bounce", "Bounce", bounceLine(m.Bounce))
	add("verdicts", "Verdicts", verdictLines(m.Verdicts))
	add("problems", "Problems", strings.Join(m.Problems, ", "))
	if all {
		add("text", "Text", m.Text)
		add("quoted_text", "Quoted", m.Quoted)
	}
	return columns, row
}

func people(list []portal.MailAddress) string {
	var names []string
	for _, a := range list {
		if a.Address == "" {
			names = append(names, a.Name+" (no address)")
		} else {
			names = append(names, person(a.Name, a.Address))
		}
	}
	return strings.Join(names, ", ")
}

func bounceLine(b *portal.Bounce) string {
	if b == nil {
		return ""
	}
	var lines []string
	for _, r := range b.Recipients {
		lines = append(lines, strings.Join(strings.Fields(strings.Join([]string{r.Address, r.Action, r.Status, r.Text}, " ")), " "))
	}
	if b.MessageID != "" {
		lines = append(lines, "of "+b.MessageID)
	}
	if len(lines) == 0 {
		return "yes"
	}
	return strings.Join(lines, "\n")
}

func verdictLines(list []portal.MailVerdict) string {
	var lines []string
	for _, v := range list {
		words := []string{v.Server}
		if v.DMARC != "" {
			words = append(words, "dmarc="+v.DMARC)
		}
		for _, d := range v.DKIM {
			words = append(words, "dkim="+d.Result)
		}
		for _, d := range v.SPF {
			words = append(words, "spf="+d.Result)
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return strings.Join(lines, "\n")
}
