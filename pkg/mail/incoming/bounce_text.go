package incoming

import (
	"slices"
	"strings"

	"github.com/jhillyerd/enmime/v2"

	"github.com/portalctl/portalctl/pkg/portal"
)

// fromServer reports whether a mail server wrote the mail: one of its own
// addresses is the sender, it says so in a header, or it has no return path
// and the subject of a report. Auto-Submitted alone is not enough: people who
// are away answer with it, and name the colleague to write to.
func fromServer(root *enmime.Part, m *portal.Incoming) bool {
	h := root.Header
	if len(h["X-Failed-Recipients"]) > 0 || len(h["X-Ms-Exchange-Message-Is-Ndr"]) > 0 {
		return true
	}
	for _, from := range m.From {
		if daemonAddress(from.Address) || strings.HasPrefix(from.Address, "microsoftexchange") {
			return true
		}
		if name := strings.ToLower(from.Name); from.Address == "" && hasAnyOf(name, daemonNames) {
			return true
		}
	}
	return (nullPath(h, m) || daemonAddress(m.ReturnPath)) && bounceSubject(m.Subject)
}

var daemonNames = []string{"mailer-daemon", "mail delivery", "postmaster", "mail system", "system administrator"}

// bounceSubject reports whether the subject is that of a delivery report.
func bounceSubject(subject string) bool {
	return hasAnyOf(strings.ToLower(subject), bounceSubjects)
}

var bounceSubjects = []string{
	"undeliver", "delivery status notification", "delivery failure", "delivery failed", "delivery has failed", "delivery notification", "delivery report",
	"delivery delayed", "delivery error", "delivery problem", "mail delivery", "failure notice", "failed mail", "returned mail", "returned to sender", "mail system error", "nondeliverable", "non-delivery", "message delayed", "delayed mail", "could not send message", "rejected:", "bounce",
	"unzustellbar", "nicht zugestellt", "zustellung", "nicht zustellbar", "non remis", "non distribuable", "échec de remise", "échec de la remise", "non délivré",
	"no se puede entregar", "no se pudo entregar", "no entregado", "error de entrega", "não entregue", "não é possível entregar", "falha na entrega", "mancato recapito", "non recapitabile", "non è stato possibile recapitare", "onbestelbaar", "niet bezorgd", //nolint:misspell // Italian
	"kan inte levereras", "går inte att leverera", "olevererbart", "ej levererat", "kan ikke leveres", "ikke leveret", "ikke levert", "uleverlig", "ei voida toimittaa", "toimittaminen epäonnistui",
	"niedostarcz", "nie dostarczono", "niedoręcz", "nedoručiteľn", "nedoručiteln", "nedoručen", "kézbesíthetetlen", "nelivrat", "nu poate fi livrat", "недоставл", "не доставлен", "не удается доставить", "не може бути доставлен", "teslim edilem", "μη παραδοτέο", "tidak terkirim",
	"配信不能", "配信できません", "配信エラー", "无法送达", "无法投递", "退信", "無法傳遞", "無法傳送", "배달되지", "전송 실패", "반송",
}

// bounceLeads are the words with which servers begin to name who did not get
// a mail, lower case.
var bounceLeads = []string{
	// Servers of their own making: qmail, Exim, sendmail, Courier, Exchange, Domino, and the large providers.
	"able to deliver your message to the following", "unable to deliver your message to", "unable to deliver message to", "unable to deliver to", "the following address(es) failed", "the following addresses failed",
	"had permanent fatal errors", "had permanent delivery errors", "had transient non-fatal errors", "had delivery problems", "recipient(s) could not be reached", "recipients could not be reached", "recipient could not be reached", "recipient(s) cannot be reached", "did not reach the following recipient",
	"to the following recipient failed permanently", "to the following recipients failed", "to the following recipient failed", "to the following recipient has been delayed", "to the following recipients has been delayed", "delivery has failed to these recipients", "delivery is delayed to these recipients",
	"wasn't delivered to", "was not delivered to", "could not be delivered to", "couldn't be delivered to", "cannot be delivered to", "can not be delivered to", "not been delivered to", "couldn't be delivered", "following recipients cannot be delivered", "following recipients could not be delivered", "following recipient cannot be delivered", "following recipient could not be delivered",
	"there was a problem delivering your message to", "problem delivering your message to", "delivery failed for the following", "delivery to the following", "failed to deliver to", "failed recipient", "failed addresses follow", "following recipients are unknown", "invalid recipient", "unknown user:", "user unknown:", "exceeds allowed size:", "no such user:", "your message cannot be delivered", "could not be delivered for the following", "there was a temporary problem delivering your message to", "delivery incomplete",
	// Other languages
	"nicht zugestellt werden", "nicht zustellbar an", "folgende empfänger", "folgenden empfänger", "fehler bei der zustellung an", "n'a pas pu être remis", "n'a pas été remis", "n'a pu être délivré", "n'a pas pu être délivré", "n'a pas pu être distribué", "échec de la remise", "aux destinataires suivants", "destinataire suivant",
	"no se pudo entregar", "no se ha podido entregar", "no se entregó a", "no ha podido ser entregado", "a los siguientes destinatarios", "não foi possível entregar", "não foi entregue", "não pôde ser entregue", "aos seguintes destinatários", "non è stato possibile recapitare", "non è stato possibile consegnare", "non è stato recapitato", "non è stato consegnato", "ai seguenti destinatari", //nolint:misspell // Italian
	"kon niet worden bezorgd", "kon niet worden afgeleverd", "is niet bezorgd", "kunde inte levereras", "gick inte att leverera", "har inte levererats", "till följande mottagare", "kunne ikke leveres", "blev ikke leveret", "ble ikke levert", "ei voitu toimittaa", "nie można dostarczyć", "nie została dostarczona", "nie udało się dostarczyć", "nelze doručit", "nebyla doručena", "nepodařilo se doručit", "nebolo možné doručiť", "nem kézbesíthető", "nem sikerült kézbesíteni", "nu a putut fi livrat",
	"не доставлено", "не удалось доставить", "не может быть доставлено", "не было доставлено", "не вдалося доставити", "teslim edilemedi", "δεν παραδόθηκε", "配信できませんでした", "配信されませんでした", "送信できませんでした", "无法送达", "无法投递", "未能送达", "无法发送到", "無法傳遞", "无法到达以下", "전달되지", "전달할 수 없", "배달하지 못했",
}

// copyLeads begin the copy of the mail that came back, lower case.
var copyLeads = []string{
	"below this line", "this is a copy of", "copy of your message", "copy of the message", "original message", "transcript of session", "message headers", "headers of the", "content of", "unsent message", "returned message", "reporting-mta",
	"received: from", "return-path:", "mime-version:", "ursprüngliche nachricht", "kopie der nachricht", "mensaje original", "message d'origine",
}

// delayWords say that the server has not given up.
var delayWords = []string{
	"delayed", "still trying", "will keep trying", "will be retried", "will retry", "will continue to try", "has not been delivered to one or more", "do not need to resend", "not need to resend", "warning only", "warning message only", "temporary problem", "transient non-fatal", "delivery incomplete", "verzögert", "weitere zustellversuche", "försenad", "retardé", "retrasado", "vertraagd",
}

// textBounce reads a report that a server wrote as a letter.
func textBounce(root *enmime.Part, m *portal.Incoming) *portal.Bounce {
	recipients := textRecipients(root, m)
	if len(recipients) == 0 {
		if !bounceSubject(m.Subject) {
			return nil
		}
		// A report all the same; whom it is about follows from the mail it
		// quotes, if from anything.
	}
	return &portal.Bounce{Recipients: recipients}
}

// textRecipients finds whom a report names in its words.
func textRecipients(root *enmime.Part, m *portal.Incoming) []portal.BouncedRecipient {
	r := bounceReader{m: m}
	for _, value := range root.Header["X-Failed-Recipients"] {
		for _, found := range addressesIn(cutText(value, maxPartHeader)) {
			r.add(found.address)
		}
	}
	r.read(m.Text + "\n\n" + m.Quoted)
	action := "failed"
	if said := strings.ToLower(m.Subject + " " + r.said.String()); hasAnyOf(said, delayWords) && !strings.Contains(said, "permanent fatal") {
		action = "delayed"
	}
	for i := range r.found {
		f := &r.found[i]
		if f.Text == "" || len(r.found) == 1 && statusIn(f.Text) == "" && statusIn(r.common()) != "" {
			f.Text = r.common()
		}
		f.Text = oneLine(f.Text)
		f.Action, f.Status = action, statusIn(f.Text)
		f.Permanent = permanent(*f)
	}
	return r.found
}

// bounceLines is how many lines of a report are read, and reasonLines how many
// of them belong to one address.
const (
	bounceLines = 120
	reasonLines = 12
)

// bounceReader reads the words of a report, line by line.
type bounceReader struct {
	m       *portal.Incoming
	found   []portal.BouncedRecipient
	current int // whose reason is read, from 1
	reason  int // lines of it so far
	lead    bool
	said    strings.Builder
	rest    []string // lines behind the addresses that belong to none
}

func (r *bounceReader) read(text string) {
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		if number++; number > bounceLines {
			return
		}
		line = tidy(head(line))
		lower := strings.ToLower(line)
		if r.lead && hasAnyOf(lower, copyLeads) {
			return
		}
		r.said.WriteString(lower + " ")
		r.line(line, lower)
	}
}

func (r *bounceReader) line(line, lower string) {
	leads := false
	for _, lead := range bounceLeads {
		if at := strings.Index(lower, lead); at >= 0 {
			leads = true
			break
		}
	}
	// The words may be broken over two lines, so what was said so far counts.
	if !leads {
		said := r.said.String()
		window := said[max(0, len(said)-len(lower)-100):]
		leads = hasAnyOf(window, bounceLeads) && !r.lead
	}
	addresses := addressesIn(line)
	switch {
	case leads:
		r.lead, r.current = true, 0
		for _, found := range addresses {
			// "… are not accepting mail from us@desk.example" names the sender.
			if !strings.HasSuffix(strings.TrimRight(strings.ToLower(line[:found.start]), "<"), "from ") {
				r.open(found.address, line[found.end:])
			}
		}
	case len(addresses) > 0 && (r.lead || strings.HasPrefix(line, "<")) && standsFirst(line, addresses[0]):
		r.open(addresses[0].address, line[addresses[0].end:])
	case line == "":
		if r.reason > 0 {
			r.current = 0
		}
	case r.current > 0 && r.reason < reasonLines:
		r.reason++
		r.found[r.current-1].Text += " " + line
	case r.lead && len(r.found) > 0 && len(r.rest) < reasonLines:
		r.rest = append(r.rest, line)
	}
}

// standsFirst reports whether a line is about the address: it begins with it,
// or is a name with the address behind it and nothing more.
func standsFirst(line string, a foundAddress) bool {
	before := strings.Trim(line[:a.start], " \t<\"'([*-•·>")
	after := strings.Trim(line[a.end:], " \t>\"')]*.,;:")
	switch strings.ToLower(strings.TrimRight(before, ": <")) {
	case "", "to", "an", "recipient", "recipient address", "mailto", "rfc822;", "failed recipient", "user":
		return true
	}
	return after == "" && len(before) <= 60 && (strings.HasSuffix(line[:a.start], "<") || strings.HasSuffix(line[:a.start], "("))
}

// open begins the reason for an address; what stands behind it is its
// beginning.
func (r *bounceReader) open(address, behind string) {
	r.current = r.add(address)
	r.reason = 0
	if r.current == 0 {
		return
	}
	if behind = strings.TrimLeft(behind, " \t>\"')]*:;,.-"); behind != "" && r.found[r.current-1].Text == "" {
		r.found[r.current-1].Text = behind
		r.reason = 1
	}
}

// add returns the number of an address, from 1, or 0 when a report cannot be
// about it.
func (r *bounceReader) add(address string) int {
	for i, f := range r.found {
		if f.Address == address {
			return i + 1
		}
	}
	if len(r.found) >= mostRecipients || daemonAddress(address) || isOurs(r.m, address) ||
		slices.ContainsFunc(r.m.From, func(a portal.MailAddress) bool { return a.Address == address }) {
		return 0
	}
	r.found = append(r.found, portal.BouncedRecipient{Address: address})
	return len(r.found)
}

// common is what the report says behind all addresses, for those it says
// nothing about by themselves: from the first line on that has a code.
func (r *bounceReader) common() string {
	for i, line := range r.rest {
		if statusIn(line) != "" {
			return strings.Join(r.rest[i:min(i+4, len(r.rest))], " ")
		}
	}
	return strings.Join(r.rest[:min(4, len(r.rest))], " ")
}
