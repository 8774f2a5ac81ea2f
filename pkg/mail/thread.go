package mail

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// How mail programs keep the mails of one ticket together:
//
// Apple Mail, Thunderbird and other programs follow References. Gmail does, and
// wants the same subject besides, of which it leaves out "Re:" and the like;
// so the subject of a ticket's mails is always the same, with no "Re:" that
// would come and go, and the tag in front is not taken off again. Outlook groups
// by Thread-Index and Thread-Topic, and by subject where they are missing.
// A customer who opened a ticket by mail finds our first answer behind their
// mail in all of them but Gmail, which begins anew as the tag was not in what
// they wrote.

// thread writes the ids of a letter's place among the mails its reader has.
func (m *Message) thread(l *portal.Letter) {
	if l.Thread == "" {
		return
	}
	m.References, m.InReplyTo = []string{l.Thread}, l.Thread
	for _, id := range append(append([]string{}, l.Before...), l.Parent) {
		// Other programs make ids of every kind. One that cannot stand in a
		// header as it is helps nobody find anything.
		if _, err := headerID(id); err == nil && id != l.Thread {
			m.References = append(m.References, id)
			m.InReplyTo = id
		}
	}
	m.Topic = m.Subject
	if l.Ticket != nil {
		m.ThreadIndex = threadIndex(l.Thread, l.Ticket.CreatedAt)
	}
}

// threadIndex is what Outlook knows a conversation by: when it began, counted
// in its own way, and a number that all its mails have.
func threadIndex(thread string, began time.Time) string {
	const from1601 = 11_644_473_600 // seconds to 1970
	ticks := (began.Unix() + from1601) * 10_000_000
	b := binary.BigEndian.AppendUint64(nil, uint64(max(ticks, 0)))[:6] // #nosec G115 -- not negative
	sum := sha256.Sum256([]byte(thread))
	return base64.StdEncoding.EncodeToString(append(b, sum[:16]...))
}
