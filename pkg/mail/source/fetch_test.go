package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// snapshot is what a desk has at one moment.
type snapshot struct {
	taken  []*portal.Arrival
	twice  int
	place  portal.IMAPPlace
	places []portal.IMAPPlace
}

func (d *desk) snap() snapshot {
	d.mu.Lock()
	defer d.mu.Unlock()
	return snapshot{slices.Clone(d.taken), d.twice, d.place, slices.Clone(d.places)}
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
	if got := d.snap().place; got.UID != uid {
		t.Errorf("the place is %+v, want UID %d", got, uid)
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
		if a := d.snap().taken[3]; a.Inbox != 1 || a.Source != portal.SourceIMAP || a.Place.UID != 4 || a.Reached != a.Place ||
			string(a.Raw) != strings.ReplaceAll(letter("4"), "\n", "\r\n") || a.HasEnvelope || a.Size != 0 {
			t.Errorf("arrival: %+v", a)
		}
		if mails, seen, _ := s.Count(t, "INBOX"); mails != 4 || seen != 0 {
			t.Errorf("the folder has %d mails, %d read; nothing was to be touched", mails, seen)
		}
	})
}

func TestFetchSignsIn(t *testing.T) {
	fresh := func(good string) func(string) bool { return func(token string) bool { return token == good } }
	refusedAll := func(string) bool { return false }
	tests := []struct {
		name   string
		server imaptest.Options
		set    func(b *Mailbox)
		trust  bool
		tokens string // what the command prints, in turn
		code   string // of the error; "": mail is fetched
		asked  string // what the server was asked, but for mail
	}{
		{name: "with a password", asked: "AUTHENTICATE PLAIN"},
		{name: "with the wrong password", set: func(b *Mailbox) { b.Password = "horse" }, code: "imap.sign_in", asked: "AUTHENTICATE PLAIN"},
		{name: "over TLS", server: imaptest.Options{TLS: true}, set: func(b *Mailbox) { b.Security = portal.MailTLS }, trust: true, asked: "AUTHENTICATE PLAIN"},
		{name: "over STARTTLS", server: imaptest.Options{STARTTLS: true}, set: func(b *Mailbox) { b.Security = portal.MailStartTLS }, trust: true, asked: "AUTHENTICATE PLAIN"},
		{name: "with a certificate of nobody's", server: imaptest.Options{TLS: true}, set: func(b *Mailbox) { b.Security = portal.MailTLS }, code: "imap.certificate"},
		{name: "with a certificate of nobody's over STARTTLS", server: imaptest.Options{STARTTLS: true}, set: func(b *Mailbox) { b.Security = portal.MailStartTLS }, code: "imap.certificate"},
		{name: "with a certificate of another", server: imaptest.Options{TLS: true}, set: func(b *Mailbox) { b.Security, b.Host = portal.MailTLS, "imap.example.com" }, trust: true, code: "imap.certificate"},
		{name: "where STARTTLS was stripped", set: func(b *Mailbox) { b.Security = portal.MailStartTLS }, code: "imap.starttls"},
		{name: "where TLS was meant and STARTTLS is spoken", server: imaptest.Options{STARTTLS: true}, set: func(b *Mailbox) { b.Security = portal.MailTLS }, trust: true, code: "imap.tls"},
		{name: "without TLS to another machine", set: func(b *Mailbox) { b.Host = "mail.example.com" }, code: "imap.plain"},
		{name: "with a token", server: imaptest.Options{Tokens: fresh("one")}, tokens: "one", asked: "AUTHENTICATE OAUTHBEARER"},
		{name: "with an expired token", server: imaptest.Options{Tokens: fresh("two")}, tokens: "one two", asked: "AUTHENTICATE OAUTHBEARER AUTHENTICATE OAUTHBEARER"},
		{name: "with tokens nobody takes", server: imaptest.Options{Tokens: refusedAll}, tokens: "one two three", code: "imap.sign_in", asked: "AUTHENTICATE OAUTHBEARER AUTHENTICATE OAUTHBEARER"},
		{name: "with no token to be had", server: imaptest.Options{Tokens: refusedAll}, tokens: "-", code: "imap.token"},
		{name: "with a token where none is taken", tokens: "one", code: "imap.token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.Pipe(t, tt.server)
				s.Add(t, "INBOX", letter("1"))
				box, d, o := mailbox(s), &desk{}, Options{Dial: s.Dial}
				if tt.set != nil {
					tt.set(&box)
				}
				if tt.trust {
					o.TLS = s.Client
				}
				if tt.tokens != "" {
					box.TokenCommand, box.Password = []string{"print-token"}, ""
					left := strings.Fields(tt.tokens)
					o.token = func(context.Context, []string) (string, error) {
						if left[0] == "-" {
							return "", errors.New("no network")
						}
						token := left[0]
						left = left[1:]
						return token, nil
					}
				}
				result := FetchOnce(t.Context(), d, box, o)
				var e *portal.Error
				switch {
				case tt.code == "" && result.Err != nil:
					t.Fatal(result.Err)
				case tt.code != "" && (!errors.As(result.Err, &e) || e.Code != tt.code):
					t.Fatalf("got %v, want %s", result.Err, tt.code)
				case tt.code == "":
					wantTaken(t, d, "1")
				}
				asked := strings.Join(slices.DeleteFunc(s.Commands(), func(c string) bool {
					return !strings.HasPrefix(c, "AUTH") && !strings.HasPrefix(c, "LOGIN")
				}), " ")
				if asked != tt.asked {
					t.Errorf("the server was asked %q, want %q", asked, tt.asked)
				}
			})
		})
	}
}

// A provider may lock the account of somebody who keeps trying.
func TestFetchIsSlowToSignInAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Pipe(t, imaptest.Options{})
		d, box := &desk{}, mailbox(s)
		box.Password = "horse"
		d.set(box)
		f, _ := watch(t, d, Options{Dial: s.Dial})
		time.Sleep(time.Hour)
		if n := len(s.Commands()); n < 4 || n > 9 {
			t.Errorf("%d tries in an hour", n)
		}
		if got := f.Status()[0]; got.State != Failing || !strings.Contains(got.Error, "refuses the user or the password") {
			t.Errorf("status: %+v", got)
		}
		// The right password, set by another command, is tried at once.
		s.Add(t, "INBOX", letter("1"))
		d.set(mailbox(s))
		time.Sleep(settingsTime + time.Second)
		wantTaken(t, d, "1")
		// And a mailbox that is none any more is left.
		d.set()
		time.Sleep(settingsTime + time.Second)
		s.Add(t, "INBOX", letter("2"))
		time.Sleep(time.Hour)
		wantTaken(t, d, "1")
		if got := f.Status(); len(got) != 0 {
			t.Errorf("status: %+v", got)
		}
	})
}

func TestFetchKnowsWhatWasThereBefore(t *testing.T) {
	tests := []struct {
		name     string
		existing bool
		since    time.Duration // before now; 0: not set
		place    uint32        // with another UIDVALIDITY
		want     string
	}{
		{"all of it", true, 0, 0, "old week hour"},
		{"nothing without a date", false, 0, 0, ""},
		{"what came since it was set", false, 3 * time.Hour, 0, "hour"},
		{"what came since, days ago", false, 200 * time.Hour, 0, "week hour"},
		{"all when counted anew", true, 0, 7, "old week hour"},
		{"what came since when counted anew", false, 3 * time.Hour, 7, "hour"},
		{"all when counted anew and no date is known", false, 0, 7, "old week hour"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.Pipe(t, imaptest.Options{})
				now := time.Now()
				s.AddOld(t, "INBOX", now.Add(-9000*time.Hour), letter("old"))
				s.AddOld(t, "INBOX", now.Add(-168*time.Hour), letter("week"))
				s.AddOld(t, "INBOX", now.Add(-time.Hour), letter("hour"))
				d, box := &desk{}, mailbox(s)
				if box.Existing = tt.existing; tt.since > 0 {
					box.Since = now.Add(-tt.since)
				}
				if tt.place > 0 {
					d.place = portal.IMAPPlace{Validity: 999, UID: tt.place}
				}
				d.set(box)
				report, err := Check(t.Context(), box, d.snap().place, Options{Dial: s.Dial})
				if want := len(strings.Fields(tt.want)); err != nil || report.New != want || report.Mails != 3 || !report.Idle {
					t.Errorf("Check found %+v, %v; want %d of 3 mails new", report, err, want)
				}
				if d.snap().places != nil {
					t.Error("Check noted a place")
				}
				_, stop := watch(t, d, Options{Dial: s.Dial})
				wantTaken(t, d, tt.want)
				wantPlace(t, d, 3)
				// From here on all counts, whatever its date.
				s.AddOld(t, "INBOX", now.Add(-9000*time.Hour), letter("moved"))
				synctest.Wait()
				want := strings.TrimSpace(tt.want + " moved")
				wantTaken(t, d, want)
				stop()
				watch(t, d, Options{Dial: s.Dial})
				wantTaken(t, d, want)
				if d.snap().twice > 0 {
					t.Errorf("%d mails were offered twice", d.snap().twice)
				}
			})
		})
	}
}

// While a folder is looked through nothing is noted, so that neither old mail
// slips in nor new mail is lost when serve ends in between.
func TestFetchLooksThroughAFolderAgainWhenItWasCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Pipe(t, imaptest.Options{})
		now := time.Now()
		s.Add(t, "INBOX", letter("1"))
		s.AddOld(t, "INBOX", now.Add(-9000*time.Hour), letter("old"))
		s.Add(t, "INBOX", letter("3"))
		d, box := &desk{}, mailbox(s)
		box.Existing, box.Since = false, now
		d.set(box)
		d.refuse = refuse("3", 1<<30)
		_, stop := watch(t, d, Options{Dial: s.Dial})
		wantTaken(t, d, "1")
		s.Add(t, "INBOX", letter("4"))
		synctest.Wait()
		wantTaken(t, d, "1 4")
		if len(d.snap().places) > 0 {
			t.Errorf("places were noted: %v", d.snap().places)
		}
		stop()
		d.refuse = nil
		watch(t, d, Options{Dial: s.Dial})
		wantTaken(t, d, "1 4 3")
		wantPlace(t, d, 4)
	})
}

func TestFetchLooksAgainWhenTheServerCountsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Pipe(t, imaptest.Options{})
		s.Add(t, "INBOX", letters(1, 4)...)
		d := &desk{}
		d.set(mailbox(s))
		_, stop := watch(t, d, Options{Dial: s.Dial})
		wantTaken(t, d, "1 2 3 4")
		before := d.snap().place
		stop()
		s.Renew(t, "INBOX")
		s.Add(t, "INBOX", letter("0"), letter("2"), letter("3"), letter("5"))
		watch(t, d, Options{Dial: s.Dial})
		wantTaken(t, d, "1 2 3 4 0 5")
		if d.snap().twice != 2 || d.snap().place.Validity == before.Validity || d.snap().place.UID != 4 {
			t.Errorf("%d duplicates, place %+v after %+v", d.snap().twice, d.snap().place, before)
		}
	})
}

func TestFetchMindsNoMailThatVanishes(t *testing.T) {
	for _, gone := range [][]uint32{{2}, {1, 2, 3, 4}, {3, 4}} {
		synctest.Test(t, func(t *testing.T) {
			d := &desk{}
			var s *imaptest.Server
			s = imaptest.Pipe(t, imaptest.Options{Before: func(command string) error {
				if command == "FETCH 1 BODY[]" {
					s.Remove(t, "INBOX", gone...)
				}
				return nil
			}})
			s.Add(t, "INBOX", letters(1, 4)...)
			d.set(mailbox(s))
			f, _ := watch(t, d, Options{Dial: s.Dial})
			var want []string
			for uid := uint32(1); uid <= 4; uid++ {
				if !slices.Contains(gone, uid) {
					want = append(want, fmt.Sprint(uid))
				}
			}
			wantTaken(t, d, strings.Join(want, " "))
			s.Add(t, "INBOX", letter("5"))
			synctest.Wait()
			wantTaken(t, d, strings.Join(append(want, "5"), " "))
			wantPlace(t, d, 5)
			if got := f.Status()[0]; got.Waiting > 0 || got.Error != "" {
				t.Errorf("status: %+v", got)
			}
		})
	}
}

func TestFetchGetsThroughAFullFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Pipe(t, imaptest.Options{})
		s.Add(t, "INBOX", letters(1, 5000)...)
		d := &desk{}
		d.set(mailbox(s))
		watch(t, d, Options{Dial: s.Dial})
		if len(d.snap().taken) != 5000 || d.snap().twice != 0 || d.snap().place.UID != 5000 {
			t.Fatalf("%d mails taken, %d twice, place %+v", len(d.snap().taken), d.snap().twice, d.snap().place)
		}
		looks := 0
		for _, c := range s.Commands() {
			if strings.HasPrefix(c, "FETCH") && !strings.Contains(c, "BODY") || c == "SEARCH" {
				looks++
			}
		}
		if looks > 5000/batch+2 {
			t.Errorf("it took %d looks", looks)
		}
	})
}

func TestFetchTakesOfATooLargeMailTheHeaderAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Pipe(t, imaptest.Options{})
		s.Add(t, "INBOX", letter("1"), letter("2")+strings.Repeat("It is very loud.\n", MaxBytes/17), letter("3"))
		d := &desk{}
		d.set(mailbox(s))
		watch(t, d, Options{Dial: s.Dial})
		wantTaken(t, d, "1 2 3")
		a := d.snap().taken[1]
		if a.Size <= MaxBytes || len(a.Raw) > 300 || !strings.HasSuffix(string(a.Raw), "\r\n\r\n") {
			t.Errorf("size %d, raw %.300q", a.Size, a.Raw)
		}
		if asked := s.Commands(); slices.Contains(asked, "FETCH 2 BODY[]") || !slices.Contains(asked, fmt.Sprintf("FETCH 2 BODY[HEADER]<%d>", maxHeader)) {
			t.Errorf("the server was asked %q", asked)
		}
	})
}

// refuse makes a desk refuse mails of some subject so many times.
func refuse(which string, times int) func(a *portal.Arrival) error {
	return func(a *portal.Arrival) error {
		if subject(a) == which && times > 0 {
			times--
			return errors.New("the store cannot read it")
		}
		return nil
	}
}

func TestFetchGoesOnWithoutAMailThatIsNotTaken(t *testing.T) {
	tests := []struct {
		name   string
		refuse func(a *portal.Arrival) error
		soon   string // is taken at once
		later  string // after some hours
		place  uint32 // after some hours
	}{
		{"once", refuse("2", 1), "1 3 4", "1 3 4 2", 4},
		{"five times", refuse("2", 5), "1 3 4", "1 3 4 2", 4},
		{"the first, twice", refuse("1", 2), "2 3 4", "2 3 4 1", 4},
		{"the last, once", refuse("4", 1), "1 2 3", "1 2 3 4", 4},
		{"never", refuse("2", 1<<30), "1 3 4", "1 3 4", 1},
		{"with a panic", func(a *portal.Arrival) error {
			if subject(a) == "2" {
				panic("an odd mail")
			}
			return nil
		}, "1 3 4", "1 3 4", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.Pipe(t, imaptest.Options{})
				s.Add(t, "INBOX", letters(1, 4)...)
				d := &desk{}
				var offered atomic.Int32
				d.refuse = func(a *portal.Arrival) error {
					offered.Add(1)
					return tt.refuse(a)
				}
				d.set(mailbox(s))
				f, stop := watch(t, d, Options{Dial: s.Dial})
				wantTaken(t, d, tt.soon)
				if got := f.Status()[0]; got.Waiting != 1 || got.Error == "" || got.State != Connected {
					t.Errorf("status: %+v", got)
				}
				time.Sleep(6 * time.Hour)
				wantTaken(t, d, tt.later)
				wantPlace(t, d, tt.place)
				if n := offered.Load(); n > 22 {
					t.Errorf("mails were offered %d times in six hours", n)
				}
				if got := f.Status()[0]; (got.Waiting == 0) != (tt.place == 4) || (got.Error == "") != (tt.place == 4) {
					t.Errorf("status: %+v", got)
				}
				for _, p := range d.snap().places {
					for uid := uint32(1); uid <= p.UID; uid++ {
						if !strings.Contains(d.subjects(), fmt.Sprint(uid)) {
							t.Errorf("the place reached %d, and %d was never taken", p.UID, uid)
						}
					}
				}
				// The next process knows what was taken above the place.
				stop()
				d.refuse = nil
				watch(t, d, Options{Dial: s.Dial})
				wantPlace(t, d, 4)
				if len(d.snap().taken) != 4 {
					t.Errorf("taken: %q", d.subjects())
				}
			})
		})
	}
}

func TestFetchWaitsForAStoreThatTakesNothing(t *testing.T) {
	full := &portal.Error{Kind: portal.Unavailable, Code: "store.full", Msg: "the disk is full"}
	for _, refusal := range []error{full, errors.New("disk I/O error")} {
		synctest.Test(t, func(t *testing.T) {
			s := imaptest.Pipe(t, imaptest.Options{})
			s.Add(t, "INBOX", letters(1, 100)...)
			d := &desk{}
			var offered atomic.Int32
			var mended atomic.Bool
			d.refuse = func(*portal.Arrival) error {
				offered.Add(1)
				if mended.Load() {
					return nil
				}
				return refusal
			}
			d.set(mailbox(s))
			f, _ := watch(t, d, Options{Dial: s.Dial})
			time.Sleep(time.Hour)
			if n := offered.Load(); n > 60 {
				t.Errorf("%v: mails were offered %d times in an hour", refusal, n)
			}
			if got := f.Status()[0]; got.State != Failing || !strings.Contains(got.Error, refusal.Error()) {
				t.Errorf("status: %+v", got)
			}
			mended.Store(true)
			time.Sleep(2 * time.Hour)
			if len(d.snap().taken) != 100 {
				t.Errorf("%v: %d mails taken when there was room again", refusal, len(d.snap().taken))
			}
			wantPlace(t, d, 100)
		})
	}
}

func TestFetchMarksWhatWasTaken(t *testing.T) {
	tests := []struct {
		after                  portal.AfterTaken
		server                 imaptest.Options
		left, seen, marked, to int
	}{
		{portal.AfterKeep, imaptest.Options{}, 3, 0, 0, 0},
		{portal.AfterSeen, imaptest.Options{}, 3, 3, 0, 0},
		{portal.AfterMove, imaptest.Options{}, 0, 0, 0, 3},
		{portal.AfterMove, imaptest.Options{NoMove: true}, 0, 0, 0, 3},
		{portal.AfterMove, imaptest.Options{NoMove: true, NoUIDPlus: true}, 3, 0, 3, 3},
		{portal.AfterDelete, imaptest.Options{}, 0, 0, 0, 0},
		// EXPUNGE would take along what others marked.
		{portal.AfterDelete, imaptest.Options{NoUIDPlus: true}, 3, 0, 3, 0},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			s := imaptest.Pipe(t, tt.server)
			s.Add(t, "INBOX", letters(1, 3)...)
			d, box := &desk{}, mailbox(s)
			box.After, box.MoveTo = tt.after, "Done"
			result := FetchOnce(t.Context(), d, box, Options{Dial: s.Dial})
			if result.Err != nil || len(result.Entries) != 3 || result.Waiting != 0 {
				t.Errorf("%s, %+v: %+v", tt.after, tt.server, result)
			}
			wantTaken(t, d, "1 2 3")
			left, seen, marked := s.Count(t, "INBOX")
			to, _, _ := s.Count(t, "Done")
			if left != tt.left || seen != tt.seen || marked != tt.marked || to != tt.to {
				t.Errorf("%s, %+v: %d left, %d read, %d marked as deleted, %d moved", tt.after, tt.server, left, seen, marked, to)
			}
			again := FetchOnce(t.Context(), d, box, Options{Dial: s.Dial})
			if again.Err != nil || len(again.Entries) != 0 {
				t.Errorf("%s, %+v: the second look: %+v", tt.after, tt.server, again)
			}
		})
	}
}

func TestFetchMovesWhenThereIsRoomAgain(t *testing.T) {
	for _, noMove := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var room atomic.Bool
			s := imaptest.Pipe(t, imaptest.Options{NoMove: noMove, Before: func(command string) error {
				if !room.Load() && (strings.HasPrefix(command, "MOVE") || strings.HasPrefix(command, "COPY")) {
					return imaptest.No("OVERQUOTA", "Quota exceeded")
				}
				return nil
			}})
			s.Add(t, "INBOX", letters(1, 3)...)
			d, box := &desk{}, mailbox(s)
			box.After, box.MoveTo = portal.AfterMove, "Done"
			d.set(box)
			f, _ := watch(t, d, Options{Dial: s.Dial})
			wantTaken(t, d, "1 2 3")
			wantPlace(t, d, 3)
			if left, _, marked := s.Count(t, "INBOX"); left != 3 || marked != 0 {
				t.Fatalf("%d mails are left, %d marked as deleted; they could not be copied", left, marked)
			}
			if got := f.Status()[0]; !strings.Contains(got.Error, "Quota exceeded") || got.State != Connected {
				t.Errorf("status: %+v", got)
			}
			room.Store(true)
			time.Sleep(idleTime + time.Second)
			left, _, _ := s.Count(t, "INBOX")
			if moved, _, _ := s.Count(t, "Done"); left != 0 || moved != 3 {
				t.Errorf("%d mails left, %d moved", left, moved)
			}
			if len(d.snap().taken) != 3 || d.snap().twice != 0 {
				t.Errorf("taken %q, %d twice", d.subjects(), d.snap().twice)
			}
		})
	}
}

// Between the commit and the mark the process may be told to stop, or end.
func TestFetchStopsBetweenTakingAndMarking(t *testing.T) {
	for _, how := range []string{"told to stop", "killed"} {
		synctest.Test(t, func(t *testing.T) {
			var dead atomic.Bool
			s := imaptest.Pipe(t, imaptest.Options{Before: func(string) error {
				if dead.Load() {
					return imaptest.ErrDie
				}
				return nil
			}})
			s.Add(t, "INBOX", letters(1, 4)...)
			d, box := &desk{}, mailbox(s)
			box.After = portal.AfterDelete
			d.set(box)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			d.after = func(a *portal.Arrival) {
				if subject(a) == "2" {
					dead.Store(how == "killed")
					cancel()
				}
			}
			NewFetcher(d, Options{Dial: s.Dial}).Run(ctx)
			wantTaken(t, d, "1 2")
			want := 2
			if how == "killed" {
				want = 3 // the second could not be marked any more
			}
			if left, _, _ := s.Count(t, "INBOX"); left != want {
				t.Errorf("%s: %d mails are left in the folder, want %d", how, left, want)
			}
			dead.Store(false)
			d.after = nil
			watch(t, d, Options{Dial: s.Dial})
			wantTaken(t, d, "1 2 3 4")
			wantPlace(t, d, 4)
			if d.snap().twice != 0 {
				t.Errorf("%s: %d mails were taken twice", how, d.snap().twice)
			}
		})
	}
}

func TestTwoFetchersTakeEachMailOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Pipe(t, imaptest.Options{})
		s.Add(t, "INBOX", letters(1, 20)...)
		d, box := &desk{}, mailbox(s)
		box.After, box.MoveTo = portal.AfterMove, "Done"
		d.set(box)
		watch(t, d, Options{Dial: s.Dial})
		watch(t, d, Options{Dial: s.Dial})
		s.Add(t, "INBOX", letters(21, 40)...)
		time.Sleep(time.Hour)
		if len(d.snap().taken) != 40 {
			t.Errorf("taken: %q", d.subjects())
		}
		if left, _, _ := s.Count(t, "INBOX"); left != 0 {
			t.Errorf("%d mails are left", left)
		}
	})
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Pipe(t, imaptest.Options{})
		s.Add(t, "INBOX", letters(1, 2)...)
		box := mailbox(s)
		box.After, box.MoveTo = portal.AfterMove, "Finished"
		_, err := Check(t.Context(), box, portal.IMAPPlace{}, Options{Dial: s.Dial})
		var e *portal.Error
		if !errors.As(err, &e) || e.Code != "imap.move_to" || e.Field != "after" {
			t.Errorf("a folder that is not there: %v", err)
		}
		box.MoveTo = "Done"
		if report, err := Check(t.Context(), box, portal.IMAPPlace{}, Options{Dial: s.Dial}); err != nil || report.New != 2 {
			t.Errorf("got %+v, %v", report, err)
		}
		box.Folder = "Support"
		if _, err := Check(t.Context(), box, portal.IMAPPlace{}, Options{Dial: s.Dial}); !errors.As(err, &e) || e.Code != "imap.folder" {
			t.Errorf("got %v", err)
		}
		if asked := strings.Join(s.Commands(), " "); strings.Contains(asked, "SELECT") || strings.Contains(asked, "STORE") {
			t.Errorf("looking asked for %q", asked)
		}
	})
}
