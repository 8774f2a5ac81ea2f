package helpdesk

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// How long a stream stays silent at most, and how long one piece of it may
// take to be sent.
const (
	heartbeat   = 20 * time.Second
	eventsWrite = 10 * time.Second
)

// stream is one agent's open connection.
type stream struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	out    *http.ResponseController
	path   string
	visit  *app.Visit
	counts string // as they were sent last
}

// events tells a page what changes, for as long as its agent is signed in and
// may see it: the numbers of tickets, and the counts of the queues. It does
// not count as using the session.
func (s *Server) events(w http.ResponseWriter, r *http.Request) error {
	v := visitFrom(r)
	watch, err := s.app.WatchDesk(r.Context(), v, since(r))
	if errors.Is(err, app.ErrFeedEnded) {
		return &portal.Error{Kind: portal.Unavailable, Code: "desk.stopping", Msg: "the program is stopping"}
	}
	if err != nil {
		return err
	}
	defer watch.Stop()
	st := &stream{s: s, w: w, r: r, out: http.NewResponseController(w), path: v.Portal.BasePath() + v.Path, visit: v}
	if err := st.open(); err != nil {
		return nil // the page is gone
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return nil
		case <-beat.C:
		case <-watch.Wake():
		}
		if !st.admitted() {
			return nil
		}
		news, err := watch.Take(st.visit)
		if err != nil || st.tell(news) != nil {
			return nil // it is let go, or is gone
		}
	}
}

// since is the newest event a page knows of.
func since(r *http.Request) int64 {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("since")
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func (st *stream) open() error {
	h := st.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // proxies are not to wait for more
	st.w.WriteHeader(http.StatusOK)
	return st.send("retry: 4000\n\n")
}

// admitted asks again who holds the session: it may have ended, and rights may
// have changed.
func (st *stream) admitted() bool {
	v, err := st.s.app.Enter(st.r.Context(), page.InfoFrom(st.r.Context()).Host, st.path, page.SessionToken(st.r))
	if err != nil || v.Agent == nil || v.Agent.ID != st.visit.Agent.ID {
		return false
	}
	v.Wanted, v.Locale = st.visit.Wanted, st.visit.Locale
	st.visit = v
	return true
}

// tell sends what is new, and something in any case, so that neither side
// takes the other for dead.
func (st *stream) tell(news app.DeskNews) error {
	var b strings.Builder
	if len(news.Changed) > 0 || news.All {
		numbers := make([]string, len(news.Changed))
		for i, n := range news.Changed {
			numbers[i] = n.String()
		}
		data, err := json.Marshal(map[string]any{"numbers": numbers, "all": news.All})
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "id: %d\nevent: tickets\ndata: %s\n\n", news.Event, data)
	}
	frame, err := st.s.app.DeskFrame(st.r.Context(), st.visit)
	if err != nil {
		return err
	}
	counts, err := json.Marshal(countTexts(st.visit, frame))
	if err != nil {
		return err
	}
	if text := string(counts); text != st.counts {
		st.counts = text
		fmt.Fprintf(&b, "event: counts\ndata: %s\n\n", text)
	}
	if b.Len() == 0 {
		b.WriteString(":\n\n")
	}
	return st.send(b.String())
}

func (st *stream) send(text string) error {
	// A connection without deadlines, as in a test, has none.
	_ = st.out.SetWriteDeadline(time.Now().Add(eventsWrite))
	if _, err := st.w.Write([]byte(text)); err != nil {
		return err
	}
	if err := st.out.Flush(); err != nil {
		return err
	}
	_ = st.out.SetWriteDeadline(time.Now().Add(2 * heartbeat))
	return nil
}
