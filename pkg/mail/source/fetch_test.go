package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest/imaptest"
)

// desk is a store for tests: it keeps what it takes, and takes nothing twice.
type desk struct {
	mu      sync.Mutex
	taken   []*portal.Arrival
	known   map[[32]byte]bool
	twice   int
	place   portal.IMAPPlace
	places  []portal.IMAPPlace // every one that was noted
	sources []Mailbox
	// refuse is asked before a mail is taken, after whether it was taken well.
	refuse func(a *portal.Arrival) error
	after  func(a *portal.Arrival)
}

func (d *desk) Take(ctx context.Context, a *portal.Arrival) (*portal.LedgerEntry, error) {
	if d.refuse != nil {
		if err := d.refuse(a); err != nil {
			return nil, err
		}
	}
	if d.after != nil {
		defer d.after(a)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.Reached != (portal.IMAPPlace{}) {
		d.place = a.Reached
		d.places = append(d.places, a.Reached)
	}
	sum := sha256.Sum256(a.Raw)
	if d.known[sum] {
		d.twice++
		return &portal.LedgerEntry{Decision: portal.MailDuplicate}, nil
	}
	if d.known == nil {
		d.known = map[[32]byte]bool{}
	}
	d.known[sum] = true
	d.taken = append(d.taken, a)
	return &portal.LedgerEntry{Decision: portal.MailCreated, Subject: subject(a)}, nil
}

func (d *desk) Accepts(_ context.Context, recipient string) (portal.InboxID, error) {
	name, _, _ := strings.Cut(recipient, "@")
	name, _, _ = strings.Cut(strings.ToLower(name), "+")
	switch name {
	case "support":
		return 1, nil
	case "sales":
		return 2, nil
	case "broken":
		return 0, errors.New("the disk is full")
	}
	return 0, portal.NotFoundf("inbox.unknown", "nobody takes mail for %s", recipient)
}

func (d *desk) Place(context.Context, portal.InboxID) (portal.IMAPPlace, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.place, nil
}

func (d *desk) Reached(_ context.Context, _ portal.InboxID, p portal.IMAPPlace) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.place = p
	d.places = append(d.places, p)
	return nil
}

func (d *desk) Sources(context.Context) ([]Mailbox, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sources), nil
}

func (d *desk) set(boxes ...Mailbox) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sources = boxes
}

// subjects are those of the mails that were taken, in order.
func (d *desk) subjects() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for _, a := range d.taken {
		list = append(list, subject(a))
	}
	return strings.Join(list, " ")
}

func subject(a *portal.Arrival) string {
	_, rest, _ := strings.Cut("\r\n"+string(a.Raw), "\r\nSubject: ")
	line, _, _ := strings.Cut(rest, "\r\n")
	return line
}

func letter(subject string) string {
	return "From: Mia Berg <mia@nordic.example>\nTo: support@example.com\nSubject: " + subject +
		"\nMessage-ID: <" + subject + "@nordic.example>\n\nThe pump is loud.\n"
}

func letters(from, to int) []string {
	var list []string
	for i := from; i <= to; i++ {
		list = append(list, letter(fmt.Sprint(i)))
	}
	return list
}

func mailbox(s *imaptest.Server) Mailbox {
	b := Mailbox{Inbox: 1, Name: "Support", Password: imaptest.Password}
	b.Host, b.Port, b.Security, b.User, b.After = s.Host, s.Port, portal.MailPlain, imaptest.User, portal.AfterKeep
	b.Existing = true
	return b
}

// watch runs a fetcher within a synctest bubble, until the test's end or stop.
func watch(t *testing.T, d *desk, o Options) (f *Fetcher, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f = NewFetcher(d, o)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	synctest.Wait()
	return f, stop
}

func wantTaken(t *testing.T, d *desk, want string) {
	t.Helper()
	if got := d.subjects(); got != want {
		t.Errorf("taken: %q, want %q", got, want)
	}
}

func wantPlace(t *testing.T, d *desk, uid uint32) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.place.UID != uid {
		t.Errorf("the place is %+v, want UID %d", d.place, uid)
	}
}

func TestFetchTakesNewMailAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Pipe(t, imaptest.Options{})
		s.Add(t, "INBOX", letters(1, 3)...)
		d := &desk{}
		d.set(mailbox(s))
		began := time.Now()
		f, _ := watch(t, d, Options{Dial: s.Dial})
		wantTaken(t, d, "1 2 3")
		s.Add(t, "INBOX", letter("4"))
		synctest.Wait()
		wantTaken(t, d, "1 2 3 4")
		if waited := time.Since(began); waited != 0 {
			t.Errorf("it took %s", waited)
		}
		wantPlace(t, d, 4)
		if got := f.Status(); len(got) != 1 || got[0].State != Connected || got[0].Taken != 4 || got[0].Error != "" || got[0].MailAt.IsZero() {
			t.Errorf("status: %+v", got)
		}
		if a := d.taken[3]; a.Inbox != 1 || a.Source != portal.SourceIMAP || a.Place.UID != 4 || a.Reached != a.Place ||
			string(a.Raw) != strings.ReplaceAll(letter("4"), "\n", "\r\n") || a.HasEnvelope || a.Size != 0 {
			t.Errorf("arrival: %+v", a)
		}
		if mails, seen, _ := s.Count(t, "INBOX"); mails != 4 || seen != 0 {
			t.Errorf("the folder has %d mails, %d read; nothing was to be touched", mails, seen)
		}
	})
}
