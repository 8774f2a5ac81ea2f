package store

import (
	"context"
	"math"

	"github.com/portalctl/portalctl/pkg/portal"
)

// AddMessage writes a message with its files, indexes it for search, and
// updates t.LastPublic and t.FileCount (the caller then saves t). Sets IDs;
// At is now unless set. AuthorName is kept for a message that names neither
// contact nor agent.
func (tx *Tx) AddMessage(ctx context.Context, t *portal.Ticket, m *portal.Message) error {
	m.Ticket = t.Number
	if m.At.IsZero() {
		m.At = tx.Now
	}
	author := ""
	if m.Contact == 0 && m.Agent == 0 {
		author = m.AuthorName
	}
	err := tx.value(ctx, &m.ID, `INSERT INTO message (ticket, kind, contact_id, agent_id, author, body, format, quoted, via, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`,
		m.Ticket, m.Kind, ref(m.Contact), ref(m.Agent), author, m.Body, m.Format, m.Quoted, m.Via, stamp(m.At))
	if isForeignKey(err) {
		return portal.NotFoundf("message.reference", "the message's ticket or author does not exist any more")
	}
	if err != nil {
		return err
	}
	for i := range m.Files {
		f := &m.Files[i]
		f.Message, f.Ticket = m.ID, m.Ticket
		if f.At.IsZero() {
			f.At = m.At
		}
		if err := tx.value(ctx, &f.ID, `INSERT INTO file (message_id, ticket, name, type, size, sha256, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
			f.Message, f.Ticket, f.Name, f.Type, f.Size, f.SHA256, stamp(f.At)); err != nil {
			return err
		}
	}
	if m.Kind == portal.Public {
		t.LastPublic = max(t.LastPublic, m.ID)
		t.FileCount += len(m.Files)
	}
	return tx.index(ctx, t, m.ID, m.Kind, m.Body)
}

// Messages returns the ticket's messages, oldest first, files included;
// internal ones only if asked.
func (tx *Tx) Messages(ctx context.Context, t *portal.Ticket, internal bool) ([]portal.Message, error) {
	return tx.MessagesBefore(ctx, t, internal, math.MaxInt64, math.MaxInt64)
}

// MessagesBefore returns the newest messages of the ticket before one, at most
// limit, in the order and with what Messages returns.
func (tx *Tx) MessagesBefore(ctx context.Context, t *portal.Ticket, internal bool, before portal.MessageID, limit int64) ([]portal.Message, error) {
	return tx.messages(ctx, t, internal, `id < $2`, `id DESC`, before, limit)
}

// MessagesAfter returns the oldest messages of the ticket after one, at most
// limit, in the order and with what Messages returns.
func (tx *Tx) MessagesAfter(ctx context.Context, t *portal.Ticket, internal bool, after portal.MessageID, limit int64) ([]portal.Message, error) {
	return tx.messages(ctx, t, internal, `id > $2`, `id`, after, limit)
}

// messages reads those of a ticket for which where holds, the first of them in
// an order.
func (tx *Tx) messages(ctx context.Context, t *portal.Ticket, internal bool, where, order string, place portal.MessageID, limit int64) ([]portal.Message, error) {
	public := ``
	if !internal {
		public = ` AND kind = 'public'`
	}
	messages, err := list(ctx, tx, `SELECT m.id, m.ticket, m.kind, m.contact_id, m.agent_id, m.author, m.body, m.format, m.quoted, m.via, m.at,
		coalesce(c.name, ''), coalesce(c.email, ''), coalesce(a.name, '')
		FROM (SELECT * FROM message WHERE ticket = $1 AND `+where+public+` ORDER BY `+order+` LIMIT $3) m
		LEFT JOIN contact c ON c.id = m.contact_id LEFT JOIN agent a ON a.id = m.agent_id
		ORDER BY m.id`, []any{t.Number, place, limit}, func(r row) (m portal.Message, err error) {
		var name, email, agent string
		err = r.Scan(&m.ID, &m.Ticket, &m.Kind, refInto(&m.Contact), refInto(&m.Agent), &m.AuthorName, &m.Body, &m.Format, &m.Quoted, &m.Via, timeInto{&m.At},
			&name, &email, &agent)
		switch {
		case m.Contact != 0:
			m.AuthorName = shownName(name, email, internal)
		case m.Agent != 0:
			m.AuthorName = agent
		}
		return m, err
	})
	if err != nil || len(messages) == 0 || (t.FileCount == 0 && !internal) {
		return messages, err
	}
	files, err := list(ctx, tx, `SELECT `+fileColumns+` FROM file f WHERE f.ticket = $1 AND f.message_id >= $2 AND f.message_id <= $3
		ORDER BY f.message_id, f.id`, []any{t.Number, messages[0].ID, messages[len(messages)-1].ID}, scanFile)
	if err != nil {
		return nil, err
	}
	// Both are in the messages' order.
	next := 0
	for i := range messages {
		m := &messages[i]
		for ; next < len(files) && files[next].Message <= m.ID; next++ {
			if files[next].Message == m.ID {
				m.Files = append(m.Files, files[next])
			}
		}
	}
	return messages, nil
}

// LastMessage is the id of the newest message in the store.
func (tx *Tx) LastMessage(ctx context.Context) (id portal.MessageID, err error) {
	err = tx.value(ctx, &id, `SELECT coalesce(max(id), 0) FROM message`)
	return id, err
}

const fileColumns = `f.id, f.message_id, f.ticket, f.name, f.type, f.size, f.sha256, f.at`

func scanFile(r row) (f portal.File, err error) {
	err = r.Scan(&f.ID, &f.Message, &f.Ticket, &f.Name, &f.Type, &f.Size, &f.SHA256, timeInto{&f.At})
	return f, err
}

// FileFor returns a file of a ticket the viewer sees; files of internal
// messages only for agents. NotFound file.none otherwise.
func (tx *Tx) FileFor(ctx context.Context, v *portal.Viewer, id portal.FileID) (*portal.File, error) {
	q := newQuery(`SELECT ` + fileColumns + ` FROM file f JOIN message m ON m.id = f.message_id JOIN ticket t ON t.number = f.ticket`)
	q.add(` WHERE f.id = ?`, id)
	q.seenBy(v, ScopeCompany)
	if v.Agent == 0 {
		q.add(` AND m.kind = 'public'`)
	}
	return find(ctx, tx, portal.NotFoundf("file.none", "there is no such file"), q.text(), q.args, scanFile)
}

// FileKnown reports whether any row names the hash: a file's, one's that an
// agent is about to send, or the source of a mail that is still kept.
func (tx *Tx) FileKnown(ctx context.Context, sha256 string) (bool, error) {
	return tx.exists(ctx, `SELECT 1 WHERE EXISTS (SELECT 1 FROM file WHERE sha256 = $1)
		OR EXISTS (SELECT 1 FROM desk_file WHERE sha256 = $1)
		OR EXISTS (SELECT 1 FROM incoming WHERE sha256 = $1 AND kept_until IS NOT NULL)`, sha256)
}
