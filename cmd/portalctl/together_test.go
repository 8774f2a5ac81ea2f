package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Commands run while the server answers: neither waits so long that anybody
// sees it, and the server shows what a command did at its next request.
func TestCommandsAndServerShareTheStore(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.setUp()
	p.contacts("ana@example.com", "bo@example.com")
	s := p.serve()
	people := []*person{s.customer("ana@example.com"), s.customer("bo@example.com")}
	stranger := s.stranger()

	const rounds = 8
	for range rounds {
		people[0].open([]string{"subject", "The printer", "body", "It is out of ink."})
	}
	stop := make(chan struct{})
	var load sync.WaitGroup
	var answered atomic.Int32
	for i := range 6 {
		by := people[i%len(people)]
		load.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				r := by.request(http.MethodGet, "/tickets?q=printer", nil)
				want := http.StatusOK
				if n%2 == 0 && n < 60 {
					r = by.form("/tickets/new", "subject", fmt.Sprintf("The printer %d-%d", i, n), "body", "It is out of ink.")
					want = http.StatusSeeOther
				}
				got, err := by.try(r)
				if err != nil || got.StatusCode != want {
					t.Errorf("%s %s: %d, %v, want %d", r.Method, r.URL.Path, got.status(), err, want)
					return
				}
				answered.Add(1)
			}
		})
	}

	var commands sync.WaitGroup
	for _, each := range []func(i int) []string{
		func(i int) []string {
			return []string{"contacts", "add", fmt.Sprintf("new%d@example.com", i), "--name", "New"}
		},
		func(i int) []string {
			return []string{"tickets", "create", "--requester", "ana@example.com", "--subject", fmt.Sprintf("By command %d", i), "--body", "Hello."}
		},
		func(int) []string { return []string{"status"} },
		func(i int) []string {
			return []string{"tickets", "reply", fmt.Sprintf("T-%d", 1001+i), "An answer.", "--as", "ines@desk.example"}
		},
	} {
		commands.Go(func() {
			for i := range rounds {
				o, err := p.try(each(i)...)
				if err != nil || o.code != 0 || strings.Contains(o.stderr, "locked") {
					t.Errorf("while the server works: %v, %v", o, err)
				}
			}
		})
	}
	for i := range rounds {
		name := fmt.Sprintf("Name number %d", i)
		p.ok("portal", "set", "--name", name)
		if got := stranger.get("/sign-in"); !strings.Contains(got.body, "<title>Sign in · "+name+"</title>") {
			t.Errorf("the request after portal set does not show %q:\n%s", name, got.body)
		}
	}
	commands.Wait()
	close(stop)
	load.Wait()
	if n := answered.Load(); n < 20 {
		t.Errorf("the server answered %d requests; that is no load", n)
	}
	for _, word := range []string{"locked", "SQLITE_BUSY", `"level":"ERROR"`} {
		if strings.Contains(s.log.String(), word) {
			t.Errorf("the log says %s:\n%s", word, s.log)
		}
	}

	// What ends a membership ends it now.
	p.ok("members", "disable", "bo@example.com")
	if got := people[1].get("/tickets"); got.StatusCode == http.StatusOK {
		t.Error("a member who was disabled still sees tickets at the next request")
	}
	p.ok("portal", "set", "--state", "paused")
	if got := people[0].get("/tickets"); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a portal that was paused answers %d at the next request", got.StatusCode)
	}
}

func (a answer) status() int {
	if a.Response == nil {
		return 0
	}
	return a.StatusCode
}

// Writers in many processes take turns; none is turned away.
func TestManyCommandsWriteAtOnce(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.setUp()
	const writers, each = 6, 4
	var done sync.WaitGroup
	for i := range writers {
		done.Go(func() {
			for n := range each {
				if o, err := p.try("contacts", "add", fmt.Sprintf("c%d-%d@example.com", i, n)); err != nil || o.code != 0 {
					t.Errorf("%v, %v", o, err)
				}
			}
		})
	}
	done.Wait()
	if got := strings.Count(p.ok("contacts", "list", "--output", "csv"), "@example.com"); got != writers*each {
		t.Errorf("%d contacts are there, want %d", got, writers*each)
	}
}
