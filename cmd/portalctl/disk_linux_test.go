package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk gives a program a disk of its own for its store.
func (p *program) smallDisk(size int) string {
	p.t.Helper()
	disk := filepath.Join(p.dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := syscall.Mount("portalctl-test", disk, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		p.t.Skipf("a small disk cannot be mounted here (it takes root): %v", err)
	}
	p.t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			p.t.Error(err)
		}
	})
	p.store = filepath.Join(disk, "portal.db")
	return disk
}

// fill takes the disk's room but for so many bytes.
func fill(t *testing.T, disk, name string, but int) {
	t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(disk, &st); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(disk, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n := int64(st.Bavail)*st.Bsize - int64(but); n > 0 {
		if err := syscall.Fallocate(int(f.Fd()), 0, 0, n); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFullDiskRefusesWritesAndHeals(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	disk := p.smallDisk(96 << 20)
	p.setUp()
	p.contacts("ana@example.com")
	s := p.serve()
	ana := s.customer("ana@example.com")
	first := ana.open([]string{"subject", "The first", "body", "There is room."}, upload{"a.txt", []byte("a file")})

	// Below the reserve, files are refused and messages are not.
	fill(t, disk, "much", 32<<20)
	got := ana.do(ana.multipart("/tickets/new", []string{"subject", "With a file", "body", "It is attached."}, upload{"b.txt", []byte("another file")}))
	if got.StatusCode != http.StatusServiceUnavailable || typed(t, got, "subject") != "With a file" || typed(t, got, "body") != "It is attached." || got.Header.Get("Retry-After") == "" {
		t.Errorf("a file below the reserve: %d, %q comes back, want 503 and the form as it was\n%s", got.StatusCode, typed(t, got, "subject"), got.body)
	}
	second := ana.open([]string{"subject", "The second", "body", "A message still fits."})

	// On a disk without room at all, what is typed comes back. Some writes may
	// fit into what the store holds already.
	fill(t, disk, "rest", 0)
	taken := []string{first, second}
	body := strings.Repeat("A long message. ", 4000)
	refused := false
	for i := 0; i < 200 && !refused; i++ {
		got := ana.post("/tickets/new", "subject", fmt.Sprintf("Number %d", i), "body", body)
		switch got.StatusCode {
		case http.StatusSeeOther:
			taken = append(taken, got.ticket())
		case http.StatusServiceUnavailable:
			refused = true
			if typed(t, got, "subject") != fmt.Sprintf("Number %d", i) || strings.TrimSpace(typed(t, got, "body")) != strings.TrimSpace(body) {
				t.Errorf("the form does not come back filled in:\n%.3000s", got.body)
			}
			if strings.Contains(got.body, "SQLITE") || strings.Contains(got.body, disk) {
				t.Error("the page tells what is nobody's business")
			}
		default:
			t.Fatalf("on a full disk: %d\n%s", got.StatusCode, got.body)
		}
	}
	if !refused {
		t.Fatal("200 long messages fit on a full disk; the test tests nothing")
	}
	if got := ana.post("/tickets/"+first+"/replies", "how", "send", "body", body); got.StatusCode != http.StatusServiceUnavailable || strings.TrimSpace(typed(t, got, "body")) != strings.TrimSpace(body) {
		t.Errorf("an answer on a full disk: %d, want 503 and the text", got.StatusCode)
	}
	for _, path := range []string{"/tickets", "/tickets/" + first, "/tickets/new", "/account", "/tickets.csv", "/tickets?q=room"} {
		if got := ana.get(path); got.StatusCode != http.StatusOK {
			t.Errorf("on a full disk %s answers %d", path, got.StatusCode)
		}
	}
	page := ana.get("/tickets/" + first)
	if got := ana.get(hrefs(t, page.body, "/help/files/")[0]); got.body != "a file" {
		t.Errorf("on a full disk a file answers %d", got.StatusCode)
	}
	if got := s.stranger().get("/sign-in"); got.StatusCode != http.StatusOK {
		t.Errorf("on a full disk the sign-in page answers %d", got.StatusCode)
	}
	if o := p.run("tickets", "note", first, body, "--as", "ines@desk.example"); o.code != 1 || !strings.Contains(o.stderr, "disk is full") || strings.Contains(o.stderr, "SQLITE") {
		t.Errorf("a command on a full disk: %s", o)
	}
	if o := p.run("tickets", "list"); o.code != 0 {
		t.Errorf("a command that reads on a full disk: %s", o)
	}

	// With room again all is well, without a restart.
	for _, name := range []string{"rest", "much"} {
		if err := os.Remove(filepath.Join(disk, name)); err != nil {
			t.Fatal(err)
		}
	}
	taken = append(taken, ana.open([]string{"subject", "The last", "body", "There is room again."}, upload{"c.txt", []byte("a third file")}))
	for _, number := range taken {
		if got := ana.get("/tickets/" + number); got.StatusCode != http.StatusOK {
			t.Errorf("%s was taken and answers %d", number, got.StatusCode)
		}
	}
	if n := len(p.tickets()); n != len(taken) {
		t.Errorf("%d tickets are there; %d were taken", n, len(taken))
	}
	if o := p.run("status"); o.code != 0 {
		t.Errorf("%s", o)
	}
	s.terminate()
	if code := s.ended(); code != 0 {
		t.Errorf("the server left with %d", code)
	}
}

// Uploads lie on another disk until they are accepted; that one may be full, too.
func TestFullDiskForUploads(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	store := p.store
	disk := p.smallDisk(1 << 20)
	p.uploads, p.store = disk, store
	p.setUp()
	p.contacts("ana@example.com")
	ana := p.serve().customer("ana@example.com")
	got := ana.do(ana.multipart("/tickets/new", []string{"subject", "With a file", "body", "It is attached."}, upload{"b.bin", make([]byte, 2<<20)}))
	if got.StatusCode != http.StatusServiceUnavailable || typed(t, got, "subject") != "With a file" || typed(t, got, "body") != "It is attached." {
		t.Errorf("a file without room for it: %d, %q comes back, want 503 and the form as it was", got.StatusCode, typed(t, got, "subject"))
	}
	p.nothingUploadedLiesAbout()
	ana.open([]string{"subject", "With a file", "body", "A small one."}, upload{"c.txt", []byte("fits")})
}
