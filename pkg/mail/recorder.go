package mail

import (
	"context"
	"slices"
	"sync"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Recorder takes letters like a Sender and keeps the messages instead of
// sending them: for demo, whose mail is read in the browser, and for tests.
type Recorder struct {
	writer *Writer
	keep   int

	mu       sync.Mutex
	messages []*Message
}

// NewRecorder makes a Recorder that keeps the last messages, as many as keep
// says; 0 keeps all.
func NewRecorder(w *Writer, keep int) *Recorder { return &Recorder{writer: w, keep: keep} }

// From is the address mail would come from.
func (r *Recorder) From() string { return r.writer.From.Address }

// Send writes a letter and keeps it. It delivers what a Sender would send
// and fails for what a Sender would not.
func (r *Recorder) Send(_ context.Context, l *portal.Letter) portal.Delivery {
	m, err := r.writer.Compose(l)
	if err == nil {
		_, err = m.Bytes()
	}
	if err != nil {
		return portal.Delivery{Outcome: portal.Permanent, Text: clean("the mail cannot be written: " + err.Error())}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, m)
	if r.keep > 0 && len(r.messages) > r.keep {
		r.messages = slices.Delete(r.messages, 0, len(r.messages)-r.keep)
	}
	return portal.Delivery{Outcome: portal.Delivered, Text: "kept to be read here"}
}

// Messages returns what was sent, oldest first.
func (r *Recorder) Messages() []*Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.messages)
}
