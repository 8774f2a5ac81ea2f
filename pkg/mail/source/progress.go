package source

import (
	"maps"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// How long a mail waits that could not be taken, and how long at most.
const (
	firstPause = 30 * time.Second
	lastPause  = time.Hour
)

// progress is what is known of a folder: what has been dealt with, and what
// must be tried again. Its place is the store's, and follows it; the rest is
// lost with the process, after which mail above the place is offered again.
type progress struct {
	place portal.IMAPPlace // everything up to here has been dealt with
	// validity is the folder's. It differs from the place's while the folder is
	// looked through: then nothing is noted until all up to the horizon is done.
	validity uint32
	horizon  uint32
	list     []uint32        // mail above the place, in order
	done     map[uint32]bool // of the list, dealt with
	late     map[uint32]late // of the list, could not be taken
	marks    map[uint32]bool // taken, but not marked at the source; whether it was copied
}

// late is a mail that could not be taken.
type late struct {
	tries int
	next  time.Time
	large bool // take its header only
}

// begin starts with a folder, or goes on when it is the same one.
func (p *progress) begin(place portal.IMAPPlace, validity uint32) {
	if p.done == nil || p.validity != validity {
		*p = progress{done: map[uint32]bool{}, late: map[uint32]late{}, marks: map[uint32]bool{}}
	}
	p.place, p.validity, p.horizon, p.list = place, validity, 0, nil
}

// through reports whether the folder is being looked through: at the first
// look, and after the server has counted it anew.
func (p *progress) through() bool { return p.place.Validity != p.validity }

// found sets what lies in the folder. What is not in it any more needs
// nothing further.
func (p *progress) found(list []uint32) {
	p.list = list
	there := make(map[uint32]bool, len(list))
	for _, uid := range list {
		there[uid] = true
	}
	maps.DeleteFunc(p.done, func(uid uint32, _ bool) bool { return !there[uid] })
	maps.DeleteFunc(p.late, func(uid uint32, _ late) bool { return !there[uid] })
}

// todo lists the mail to try now.
func (p *progress) todo(now time.Time) []uint32 {
	var list []uint32
	for _, uid := range p.list {
		if !p.done[uid] && !p.late[uid].next.After(now) {
			list = append(list, uid)
		}
	}
	return list
}

// with is how far the folder has been dealt with once this mail is, too. The
// zero value is no progress.
func (p *progress) with(uid uint32) portal.IMAPPlace {
	var reach uint32
	if !p.through() {
		reach = p.place.UID
	}
	for _, u := range p.list {
		if u == uid || p.done[u] {
			reach = u
			continue
		}
		if u <= p.horizon {
			return portal.IMAPPlace{}
		}
		break
	}
	reach = max(reach, p.horizon)
	if !p.through() && reach == p.place.UID {
		return portal.IMAPPlace{}
	}
	return portal.IMAPPlace{Validity: p.validity, UID: reach}
}

// settle notes that a mail has been dealt with, and the place the store has
// noted with it, if any.
func (p *progress) settle(uid uint32, reached portal.IMAPPlace) {
	delete(p.late, uid)
	p.done[uid] = true
	p.advance(reached)
}

// advance follows the place the store has noted.
func (p *progress) advance(reached portal.IMAPPlace) {
	if reached == (portal.IMAPPlace{}) {
		return
	}
	p.place, p.horizon = reached, 0
	n := 0
	for n < len(p.list) && p.list[n] <= reached.UID {
		delete(p.done, p.list[n])
		n++
	}
	p.list = p.list[n:]
}

// fail notes that a mail could not be taken. The first time it is tried again
// at once if it may have been the connection's fault.
func (p *progress) fail(uid uint32, now time.Time, connection bool) {
	l := p.late[uid]
	l.tries++
	n := l.tries
	if connection {
		n--
	}
	l.next = now
	if n > 0 {
		l.next = now.Add(min(firstPause<<min(n-1, 10), lastPause))
	}
	p.late[uid] = l
}

// tooLarge notes that only the header of a mail can be had.
func (p *progress) tooLarge(uid uint32) {
	l := p.late[uid]
	l.large = true
	p.late[uid] = l
}

// next is how long to wait before a mail is to be tried again, at most limit.
func (p *progress) next(now time.Time, limit time.Duration) time.Duration {
	for _, l := range p.late {
		limit = min(limit, max(l.next.Sub(now), time.Second))
	}
	return limit
}
