package source

import (
	"sync"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// State says what the fetcher does about a mailbox.
type State string

// The states. The words are stable in JSON.
const (
	Connecting State = "connecting"
	Connected  State = "connected"
	Failing    State = "failing" // not connected; it is tried again
)

// Status is how fetching from a mailbox goes.
type Status struct {
	Inbox    portal.InboxID
	Name     string // the inbox's
	State    State
	Since    time.Time // of the state
	LookedAt time.Time // when the folder was last looked through to its end
	MailAt   time.Time // when a mail was last taken
	Taken    int       // mails since the start
	Waiting  int       // mails that could not be taken and are tried again
	Error    string    // the last one; "" once a look went well
	ErrorAt  time.Time
}

// board keeps the status of one mailbox and tells of changes.
type board struct {
	mu      sync.Mutex
	status  Status
	changed func(Status)
}

func newBoard(box Mailbox, changed func(Status)) *board {
	if changed == nil {
		changed = func(Status) {}
	}
	return &board{changed: changed, status: Status{Inbox: box.Inbox, Name: box.Name, State: Connecting, Since: time.Now()}}
}

func (b *board) get() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status
}

func (b *board) update(f func(s *Status)) {
	b.mu.Lock()
	f(&b.status)
	s := b.status
	b.mu.Unlock()
	b.changed(s)
}

func (b *board) enter(state State) {
	b.update(func(s *Status) {
		if s.State != state {
			s.State, s.Since = state, time.Now()
		}
	})
}

// looked notes that a folder was looked through to its end. What was wrong
// before that is over when nothing was wrong since.
func (b *board) looked(began time.Time, waiting int) {
	b.update(func(s *Status) {
		s.LookedAt, s.Waiting = time.Now(), waiting
		if waiting == 0 && s.ErrorAt.Before(began) {
			s.Error, s.ErrorAt = "", time.Time{}
		}
	})
}

func (b *board) took() {
	b.update(func(s *Status) {
		s.Taken++
		s.MailAt = time.Now()
	})
}

func (b *board) failed(err error, waiting int) {
	b.update(func(s *Status) {
		s.Error, s.ErrorAt, s.Waiting = err.Error(), time.Now(), waiting
	})
}
