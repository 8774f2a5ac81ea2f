package main

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// kept is a ticket the server said it has.
type kept struct {
	by      *person
	number  string
	subject string
	file    string
}

const submissions = 200

// submitAll sends all submissions at once, calls cut when some of them are
// answered, and returns those that got their 303.
func submitAll(t *testing.T, customers []*person, round string, cut func()) []kept {
	t.Helper()
	var (
		mu      sync.Mutex
		list    []kept
		workers sync.WaitGroup
		once    sync.Once
	)
	start := make(chan struct{})
	for i := range submissions {
		by := customers[i%len(customers)]
		one := kept{by: by, subject: fmt.Sprintf("Submission %s-%d", round, i), file: strings.Repeat(fmt.Sprintf("content %s-%d\n", round, i), 1000)}
		r := by.multipart("/tickets/new", []string{"subject", one.subject, "body", "It was sent while the power went out."},
			upload{"report.txt", []byte(one.file)})
		workers.Go(func() {
			<-start
			got, err := by.try(r)
			if err != nil {
				return // the server is gone
			}
			if got.StatusCode != http.StatusSeeOther {
				t.Errorf("%s is answered with %d:\n%s", one.subject, got.StatusCode, got.body)
				return
			}
			one.number = got.ticket()
			mu.Lock()
			list = append(list, one)
			enough := len(list) >= 20
			mu.Unlock()
			if enough {
				once.Do(cut)
			}
		})
	}
	close(start)
	workers.Wait()
	return list
}

func TestKilledServerHasEveryTicketItConfirmed(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.setUp()
	emails := []string{"ana@example.com", "bo@example.com", "eve@example.com", "kim@example.com"}
	p.contacts(emails...)
	s := p.serve()
	var customers []*person
	for _, e := range emails {
		customers = append(customers, s.customer(e))
	}

	var confirmed []kept
	for round := range 5 {
		list := submitAll(t, customers, fmt.Sprint(round), s.kill)
		confirmed = append(confirmed, list...)
		begun := time.Now()
		s = p.serve("--listen", s.host)
		for i := range customers {
			customers[i] = customers[i].at(s)
		}
		if got := customers[0].get("/tickets"); got.StatusCode != http.StatusOK {
			t.Fatalf("after the restart the list answers %d", got.StatusCode)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("ready %v after it was started again, want 5 s at most", took)
		}
		t.Logf("round %d: %d of %d were confirmed, back after %v", round, len(list), submissions, time.Since(begun))
		if len(list) < submissions {
			break // it was in the middle
		}
		if round == 4 {
			t.Fatal("the server was never killed in the middle")
		}
	}
	checkKept(t, p, s, confirmed)
	p.nothingUploadedLiesAbout()
}

// checkKept wants everything that was confirmed, and nothing by halves.
func checkKept(t *testing.T, p *program, s *serving, confirmed []kept) {
	t.Helper()
	if o := p.run("status"); o.code != 0 || !strings.Contains(o.stdout, "Nordlys Help (live)") {
		t.Errorf("%s", o)
	}
	stored := map[string]string{}
	for _, one := range p.tickets() {
		stored[one.Number] = one.Subject
	}
	var numbers []string
	for _, k := range confirmed {
		numbers = append(numbers, k.number)
		if stored[k.number] != k.subject {
			t.Errorf("%s was confirmed as %s; the store has %q there", k.subject, k.number, stored[k.number])
		}
	}
	slices.Sort(numbers)
	if len(slices.Compact(numbers)) != len(confirmed) {
		t.Error("two tickets were given one number")
	}
	for _, k := range confirmed {
		by := k.by.at(s)
		one := by.get("/tickets/" + k.number)
		if one.StatusCode != http.StatusOK || !strings.Contains(one.body, k.subject) {
			t.Errorf("the page of %s answers %d", k.number, one.StatusCode)
			continue
		}
		files := hrefs(t, one.body, "/help/files/")
		if len(files) != 1 {
			t.Errorf("%s has the files %q, want one", k.number, files)
			continue
		}
		if got := by.get(files[0]); got.StatusCode != http.StatusOK || got.body != k.file {
			t.Errorf("the file of %s answers %d with %d bytes, want its %d", k.number, got.StatusCode, len(got.body), len(k.file))
		}
	}
	wholeTickets(t, p)
}

// wholeTickets wants a message and a file in every ticket, also in those that
// were written and not confirmed any more.
func wholeTickets(t *testing.T, p *program) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(p.ok("tickets", "export"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number, body, files := slices.Index(rows[0], "number"), slices.Index(rows[0], "message_body"), slices.Index(rows[0], "message_files")
	if number < 0 || body < 0 || files < 0 {
		t.Fatalf("the columns of the export are %q", rows[0])
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		if seen[row[number]] || row[body] == "" || row[files] != "report.txt" {
			t.Errorf("a ticket is there by halves: %q", row)
		}
		seen[row[number]] = true
	}
}

// nothingUploadedLiesAbout wants no content in the folder for uploads; a name
// without content may be left by a kill at the wrong moment.
func (p *program) nothingUploadedLiesAbout() {
	p.t.Helper()
	left, err := os.ReadDir(p.uploads)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range left {
		if info, err := e.Info(); err != nil || info.Size() > 0 {
			p.t.Errorf("what customers uploaded lies about: %v, %v", e, err)
		}
	}
}
