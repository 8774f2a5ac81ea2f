package transfer

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// auditFormat marks the first line of an exported audit log.
const auditFormat = "portalctl audit log 1"

// auditFirst and auditLast stand around the entries: where the log begins,
// and where it ended when it was written.
type auditFirst struct {
	Format string `json:"format"`
	Start  string `json:"start"`
}

type auditLast struct {
	End string `json:"end"`
}

// auditLine is an entry, complete enough to compute its hash again.
type auditLine struct {
	ID       portal.AuditID   `json:"id"`
	At       time.Time        `json:"at"`
	Kind     portal.AuditKind `json:"kind"`
	Contact  portal.ContactID `json:"contact,omitempty"`
	Agent    portal.AgentID   `json:"agent,omitempty"`
	Operator string           `json:"operator,omitempty"`
	Portal   portal.PortalID  `json:"portal,omitempty"`
	About    string           `json:"about,omitempty"`
	// Detail is what the entry says; missing when somebody was erased. One
	// that is no JSON, because it was tampered with, stands here as a text.
	Detail     json.RawMessage `json:"detail,omitempty"`
	Salt       string          `json:"salt,omitempty"`
	DetailHash string          `json:"detail_hash"`
	Hash       string          `json:"hash"`
}

// AuditWriter writes the audit log as lines of JSON: a first one with the
// place where it begins, an entry each, and a last one with the place where it
// ends.
type AuditWriter struct {
	out *bufio.Writer
	enc *json.Encoder
}

// NewAuditWriter writes the first line.
func NewAuditWriter(w io.Writer, start portal.AuditHead) (*AuditWriter, error) {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return &AuditWriter{out, enc}, enc.Encode(auditFirst{auditFormat, start.String()})
}

// Write adds an entry.
func (w *AuditWriter) Write(r *portal.AuditRow) error {
	line := auditLine{
		ID: r.ID, At: r.At, Kind: r.Kind, Contact: r.By.Contact, Agent: r.By.Agent, Operator: r.Operator, Portal: r.Portal, About: r.About,
		Salt: hex.EncodeToString(r.Salt), DetailHash: hex.EncodeToString(r.Detail), Hash: hex.EncodeToString(r.Hash),
	}
	if r.HasDetail {
		line.Detail = r.Data
		// Compact JSON that is an object comes back byte for byte.
		var compact bytes.Buffer
		if json.Compact(&compact, r.Data) != nil || !bytes.Equal(compact.Bytes(), r.Data) || !bytes.HasPrefix(r.Data, []byte("{")) {
			text, err := json.Marshal(string(r.Data))
			if err != nil {
				return err
			}
			line.Detail = text
		}
	}
	return w.enc.Encode(line)
}

// Close writes the last line and what is buffered.
func (w *AuditWriter) Close(end portal.AuditHead) error {
	if err := w.enc.Encode(auditLast{end.String()}); err != nil {
		return err
	}
	return w.out.Flush()
}

// AuditReader reads what AuditWriter wrote.
type AuditReader struct {
	lines *bufio.Scanner
	line  int
	head  portal.AuditHead
	whole bool
}

// NewAuditReader reads the first line; Invalid audit.file when the file is no
// exported audit log.
func NewAuditReader(r io.Reader) (in *AuditReader, start portal.AuditHead, err error) {
	in = &AuditReader{lines: bufio.NewScanner(r)}
	in.lines.Buffer(nil, 16*MaxRow)
	var first auditFirst
	if in.lines.Scan() {
		in.line++
		err = json.Unmarshal(in.lines.Bytes(), &first)
	}
	if err := in.lines.Err(); err != nil {
		return nil, start, fmt.Errorf("read the audit log: %w", err)
	}
	if err != nil || first.Format != auditFormat {
		return nil, start, portal.Invalidf("audit.file", "file", "the file is no audit log that portalctl audit export wrote")
	}
	start, err = portal.ParseAuditHead(first.Start)
	return in, start, err
}

// Read returns the next entry; io.EOF after the last.
func (in *AuditReader) Read() (*portal.AuditRow, error) {
	for in.lines.Scan() {
		in.line++
		if len(bytes.TrimSpace(in.lines.Bytes())) == 0 {
			continue
		}
		if in.whole {
			return nil, in.bad(errors.New("there is something behind the last line"))
		}
		var line struct {
			auditLine
			auditLast
		}
		if err := json.Unmarshal(in.lines.Bytes(), &line); err != nil {
			return nil, in.bad(err)
		}
		if line.End == "" {
			row, err := line.row()
			if err != nil {
				return nil, in.bad(err)
			}
			return row, nil
		}
		head, err := portal.ParseAuditHead(line.End)
		if err != nil {
			return nil, in.bad(err)
		}
		in.head, in.whole = head, true
	}
	if err := in.lines.Err(); err != nil {
		return nil, in.bad(err)
	}
	return nil, io.EOF
}

func (in *AuditReader) bad(err error) error {
	return &portal.Error{
		Kind: portal.Invalid, Code: "audit.file", Field: "file", Err: err,
		Msg: fmt.Sprintf("line %d of the file is no entry of an audit log: %v", in.line, err),
	}
}

// Head is where the log ended when it was written; whole is false when the
// line that says so is missing.
func (in *AuditReader) Head() (head portal.AuditHead, whole bool) { return in.head, in.whole }

func (l *auditLine) row() (*portal.AuditRow, error) {
	if l.ID <= 0 {
		return nil, errors.New("it has no number")
	}
	r := &portal.AuditRow{
		ID: l.ID, At: l.At, Kind: l.Kind, By: portal.Actor{Contact: l.Contact, Agent: l.Agent}, Operator: l.Operator, Portal: l.Portal, About: l.About,
	}
	var problems [3]error
	r.Salt, problems[0] = hex.DecodeString(l.Salt)
	r.Detail, problems[1] = hex.DecodeString(l.DetailHash)
	r.Hash, problems[2] = hex.DecodeString(l.Hash)
	if r.HasDetail = l.Detail != nil; r.HasDetail {
		r.Data = bytes.Clone(l.Detail)
		var text string
		if json.Unmarshal(l.Detail, &text) == nil {
			r.Data = []byte(text)
		}
	}
	return r, errors.Join(problems[:]...)
}
