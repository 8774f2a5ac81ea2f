package portal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AuditRow is an entry as it stands in the chain.
type AuditRow struct {
	ID        AuditID
	At        time.Time
	Kind      AuditKind
	By        Actor
	Operator  string
	Portal    PortalID
	About     string
	Detail    []byte // the hash of the detail
	Hash      []byte
	Salt      []byte // nil when the detail is gone
	Data      []byte // the detail, JSON
	HasDetail bool
}

// Entry reads the row. A detail that is gone, or no JSON, is left empty.
func (r *AuditRow) Entry() AuditEntry {
	e := AuditEntry{ID: r.ID, At: r.At, Kind: r.Kind, By: r.By, Operator: r.Operator, Portal: r.Portal, About: r.About}
	if r.HasDetail && json.Unmarshal(r.Data, &e.AuditDetail) != nil {
		e.AuditDetail = AuditDetail{}
	}
	return e
}

// AuditDetailHash stands for a detail in the chain. The salt goes with the
// detail when that is erased, so that nobody can guess what it said.
func AuditDetailHash(salt, data []byte) []byte {
	h := sha256.New()
	h.Write(salt)
	h.Write(data)
	return h.Sum(nil)
}

// ChainHash covers the row and the hash of the one before it. Every field is
// preceded by its length, so that no two rows read the same.
func (r *AuditRow) ChainHash(previous []byte) []byte {
	b := make([]byte, 0, 256)
	number := func(n int64) {
		b = binary.BigEndian.AppendUint64(b, uint64(n)) // #nosec G115 -- only the bits matter
	}
	field := func(s string) {
		number(int64(len(s)))
		b = append(b, s...)
	}
	field(string(previous))
	number(int64(r.ID))
	number(r.At.UnixMilli())
	field(string(r.Kind))
	number(int64(r.By.Contact))
	number(int64(r.By.Agent))
	field(r.Operator)
	number(int64(r.Portal))
	field(r.About)
	field(string(r.Detail))
	sum := sha256.Sum256(b)
	return sum[:]
}

// AuditHead is a place in the chain: an entry's number and hash. The zero
// value is the place before the first entry.
type AuditHead struct {
	ID   AuditID
	Hash []byte
}

// String writes the head as ParseAuditHead reads it: 1042:9f86d081….
func (h AuditHead) String() string { return fmt.Sprintf("%d:%s", h.ID, hex.EncodeToString(h.Hash)) }

// ParseAuditHead reads ID:HASH.
func ParseAuditHead(s string) (AuditHead, error) {
	id, hash, ok := strings.Cut(strings.TrimSpace(s), ":")
	n, err := strconv.ParseInt(id, 10, 64)
	h := AuditHead{ID: AuditID(n)}
	if ok && err == nil {
		h.Hash, err = hex.DecodeString(hash)
	}
	sized := len(h.Hash) == sha256.Size && n > 0 || len(h.Hash) == 0 && n == 0
	if !ok || err != nil || !sized {
		return AuditHead{}, Invalidf("audit.head", "head", "%q is no head of an audit log; it is written ID:HASH, as audit verify prints it", s)
	}
	return h, nil
}

// The ways a chain breaks.
const (
	BreakGap     = "gap"            // entries are missing
	BreakRow     = "changed row"    // an entry is not what it was
	BreakDetail  = "changed detail" // its detail is not what it was
	BreakMissing = "missing detail" // its detail is gone, and nobody was erased
	BreakEnd     = "end cut off"    // the newest entries are missing
	BreakHead    = "other head"     // an entry is not the one noted elsewhere
)

// AuditBreak is one place where the chain does not hold.
type AuditBreak struct {
	ID   AuditID `json:"id"`
	Kind string  `json:"kind"`
	Text string  `json:"text"`
}

// maxBreaks bounds how many breaks are told; Broken counts them all.
const maxBreaks = 100

// AuditChain walks the rows of an audit log and finds where it was tampered
// with. Rows come oldest first.
type AuditChain struct {
	Start   AuditHead // the place before the first entry that is kept
	Head    AuditHead // the newest entry seen
	Entries int64
	Erased  int64 // details that erasing people took away
	Broken  int
	Breaks  []AuditBreak // the first of them

	missing map[AuditID]bool // details not there, until an erasure names them
	heads   []AuditHead      // noted elsewhere, yet to be met
}

// NewAuditChain begins at start. heads are places noted elsewhere, which the
// chain has to go through.
func NewAuditChain(start AuditHead, heads ...AuditHead) *AuditChain {
	c := &AuditChain{Start: start, Head: start, missing: map[AuditID]bool{}}
	for _, h := range heads {
		c.Expect(h)
	}
	return c
}

// Expect adds a place noted elsewhere that the chain has to have gone through
// or end at. What the retention removed cannot be compared any more.
func (c *AuditChain) Expect(h AuditHead) {
	switch {
	case h.ID == c.Head.ID && c.Entries > 0:
		if !bytes.Equal(h.Hash, c.Head.Hash) {
			c.otherHead(h)
		}
	case h.ID > c.Start.ID || h.ID == c.Start.ID && !bytes.Equal(h.Hash, c.Start.Hash):
		c.heads = append(c.heads, h)
	}
}

// CutOff notes that the source ended before it said so.
func (c *AuditChain) CutOff(why string) { c.fail(c.Head.ID+1, BreakEnd, "%s", why) }

func (c *AuditChain) otherHead(h AuditHead) {
	c.fail(h.ID, BreakHead, "entry %d is another one than was noted as %s", h.ID, h)
}

func (c *AuditChain) fail(id AuditID, kind, format string, args ...any) {
	c.Broken++
	if len(c.Breaks) < maxBreaks {
		c.Breaks = append(c.Breaks, AuditBreak{id, kind, fmt.Sprintf(format, args...)})
	}
}

// Add checks the next row.
func (c *AuditChain) Add(r *AuditRow) {
	c.Entries++
	switch next := c.Head.ID + 1; {
	case r.ID > next:
		c.fail(next, BreakGap, "%s missing before entry %d", entries(next, r.ID-1), r.ID)
	case r.ID < next:
		c.fail(r.ID, BreakRow, "entry %d stands after entry %d", r.ID, c.Head.ID)
	case !bytes.Equal(r.Hash, r.ChainHash(c.Head.Hash)):
		c.fail(r.ID, BreakRow, "entry %d (%s, %s) is not what was written, or entry %d before it is another", r.ID, r.Kind, r.At.Format(time.RFC3339), r.ID-1)
	}
	switch {
	case !r.HasDetail:
		c.missing[r.ID] = true
	case !bytes.Equal(r.Detail, AuditDetailHash(r.Salt, r.Data)):
		c.fail(r.ID, BreakDetail, "the detail of entry %d (%s, %s) is not what was written", r.ID, r.Kind, r.At.Format(time.RFC3339))
	case r.Kind == AuditErased:
		c.forgive(r)
	}
	for _, h := range c.heads {
		if h.ID == r.ID && !bytes.Equal(h.Hash, r.Hash) {
			c.otherHead(h)
		}
	}
	c.Head = AuditHead{r.ID, r.Hash}
}

// forgive takes the details an erasure names off the list of missing ones.
func (c *AuditChain) forgive(r *AuditRow) {
	e := r.Entry()
	for _, change := range e.Changes {
		if change.Field != AuditErasedField {
			continue
		}
		for _, part := range ParseAuditRanges(change.To) {
			for id := part[0]; id <= part[1] && id < r.ID; id++ {
				if c.missing[id] {
					delete(c.missing, id)
					c.Erased++
				}
			}
		}
	}
}

// End is called after the last row and reports whether the chain holds.
func (c *AuditChain) End() bool {
	var gone []AuditID
	for id := range c.missing {
		gone = append(gone, id)
	}
	slices.Sort(gone)
	for _, id := range gone {
		c.fail(id, BreakMissing, "the detail of entry %d is gone, and no erasure took it", id)
	}
	cut := AuditID(0)
	for _, h := range c.heads {
		switch {
		case h.ID == c.Start.ID:
			c.otherHead(h)
		case h.ID > c.Head.ID:
			cut = max(cut, h.ID)
		}
	}
	if cut > 0 {
		c.fail(c.Head.ID+1, BreakEnd, "%s missing at the end", entries(c.Head.ID+1, cut))
	}
	slices.SortStableFunc(c.Breaks, func(a, b AuditBreak) int { return int(a.ID - b.ID) })
	return c.Broken == 0
}

func entries(from, to AuditID) string {
	if from == to {
		return fmt.Sprintf("entry %d is", from)
	}
	return fmt.Sprintf("entries %d to %d are", from, to)
}

// FormatAuditRanges writes entries as 3-7,12. ids ascend.
func FormatAuditRanges(ids []AuditID) string {
	var b strings.Builder
	for i := 0; i < len(ids); {
		j := i
		for j+1 < len(ids) && ids[j+1] == ids[j]+1 {
			j++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(int64(ids[i]), 10))
		if j > i {
			b.WriteString("-" + strconv.FormatInt(int64(ids[j]), 10))
		}
		i = j + 1
	}
	return b.String()
}

// ParseAuditRanges reads what FormatAuditRanges wrote; what is no range is
// left out.
func ParseAuditRanges(s string) (ranges [][2]AuditID) {
	for part := range strings.SplitSeq(s, ",") {
		from, to, two := strings.Cut(part, "-")
		if !two {
			to = from
		}
		a, errA := strconv.ParseInt(from, 10, 64)
		b, errB := strconv.ParseInt(to, 10, 64)
		if errA == nil && errB == nil && a > 0 && a <= b {
			ranges = append(ranges, [2]AuditID{AuditID(a), AuditID(b)})
		}
	}
	return ranges
}
