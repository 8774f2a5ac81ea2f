package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"

	"github.com/portalctl/portalctl/pkg/i18n"

	"github.com/portalctl/portalctl/pkg/portaltest"
)

// wizardRun is `portalctl init` on a terminal of 80×24 that nobody asks about
// itself in vain.
type wizardRun struct {
	t     *testing.T
	cmd   *exec.Cmd
	ptm   *os.File
	term  vt10x.Terminal
	done  chan struct{}
	store string

	mu  sync.Mutex
	raw strings.Builder
}

func startWizard(t *testing.T, env []string, args ...string) *wizardRun {
	t.Helper()
	dir := t.TempDir()
	w := &wizardRun{t: t, done: make(chan struct{}), store: filepath.Join(dir, "portal.db")}
	w.cmd = exec.Command("portalctl", append([]string{"init"}, args...)...)
	w.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "GORACE=" + raceAtExit, "HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "TERM=xterm-256color",
		"PORTALCTL_STORE=" + w.store, "PORTALCTL_CONFIG=" + filepath.Join(dir, "config.toml"),
	}, env...)
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ptm, err := pty.StartWithSize(w.cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Skipf("this machine has no pseudo-terminals: %v", err)
	}
	w.ptm = ptm
	w.term = vt10x.New(vt10x.WithSize(80, 24), vt10x.WithWriter(ptm))
	go func() {
		defer close(w.done)
		buf := make([]byte, 4096)
		for {
			n, err := ptm.Read(buf)
			w.mu.Lock()
			w.raw.Write(buf[:n])
			_, _ = w.term.Write(buf[:n])
			w.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.done
		_ = ptm.Close()
	})
	return w
}

func (w *wizardRun) shown() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.term.String()
}

// waitFor waits until the screen shows all the texts.
func (w *wizardRun) waitFor(texts ...string) {
	w.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		shown := w.shown()
		missing := slices.IndexFunc(texts, func(text string) bool { return !strings.Contains(shown, text) })
		if missing < 0 {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("the screen never showed %q; it shows:\n%s", texts[missing], shown)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (w *wizardRun) press(keys ...string) {
	w.t.Helper()
	for _, k := range keys {
		if _, err := w.ptm.WriteString(k); err != nil {
			w.t.Fatal(err)
		}
	}
}

// end waits for the program to leave and returns its exit code.
func (w *wizardRun) end() int {
	w.t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.cmd.Wait() // the exit code says it
	}()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		w.t.Fatalf("the wizard did not end; it shows:\n%s", w.shown())
	}
	return w.cmd.ProcessState.ExitCode()
}

const (
	enterKey  = "\r"
	downKey   = "\x1b[B"
	backKey   = "\x1b[Z"
	ctrlCKey  = "\x03"
	eraseLine = "\x15" // Ctrl-U
)

func (w *wizardRun) portals() []map[string]any {
	w.t.Helper()
	out, err := exec.Command("portalctl", "portal", "list", "--store", w.store, "--output", "json").Output()
	if err != nil {
		w.t.Fatalf("list the portals: %v", err)
	}
	var list []map[string]any
	if err := json.Unmarshal(out, &list); err != nil {
		w.t.Fatalf("list the portals: %v in %s", err, out)
	}
	return list
}

func TestWizardSetsUpAPortal(t *testing.T) {
	w := startWizard(t, nil)
	w.waitFor("Step 1 of 4: Name", "What is the portal called?")
	w.press("Nordic Tools", enterKey)
	w.waitFor("Step 2 of 4: Domain", "Which domain is the portal on?", "Use the system domain")
	w.press(enterKey)

	// A domain connected now shows its record before anything exists.
	w.waitFor("Which domain?")
	w.press("support.example.com")
	w.waitFor("_portalctl.support.example.com", "portalctl-verification=")
	w.press(backKey)
	w.waitFor("Which domain is the portal on?")
	w.press(downKey)
	w.waitFor("mails no", "hand over links instead")
	w.press(enterKey)
	w.waitFor("In which language?", "Svenska")
	for _, l := range i18n.Languages() {
		if l.Code == "sv" {
			break
		}
		w.press(downKey)
	}
	w.press(enterKey)

	// The slug shows the whole address while it is typed.
	w.waitFor("What does the address end in?", "http://127.0.0.1:8080/", "Svenska (sv)")
	w.press("tickets")
	w.waitFor("http://127.0.0.1:8080/tickets")
	w.press(enterKey)
	w.waitFor("used by portalctl itself")
	w.press(eraseLine, "help")
	w.waitFor("http://127.0.0.1:8080/help/")
	w.press(enterKey)

	w.waitFor("Step 3 of 4: Tickets", "Where do new tickets go?")
	w.press(enterKey)
	w.waitFor("What is it called?")
	w.press("Support", enterKey)
	w.waitFor("At which mail address?")
	w.press("support@example.com", enterKey)
	w.waitFor("Which tickets does a customer see?")
	w.press(downKey, enterKey)

	w.waitFor("Step 4 of 4: Access", "Who gets in?", "no invitations are mailed")
	w.press(enterKey)
	w.waitFor("What is the new access group called?")
	w.press("Customers", enterKey)
	w.waitFor("How do members sign in?")
	w.press(enterKey)
	w.waitFor("Must members use a second factor?")
	w.press("y")

	// The summary leads back to any step.
	w.waitFor("Summary", "Nordic Tools (live)", "http://127.0.0.1:8080/help/", "support@example.com",
		"their company's", "new access group Customers", "with a second factor", "No invitations are mailed")
	w.press(downKey, enterKey)
	w.waitFor("Step 1 of 4: Name", "> Nordic Tools")
	w.press(" Support", enterKey)
	w.waitFor("Step 2 of 4: Domain")
	w.press(enterKey)
	w.waitFor("In which language?")
	w.press(enterKey)
	w.waitFor("What does the address end in?", "> help")
	w.press(enterKey)
	w.waitFor("Where do new tickets go?")
	w.press(enterKey)
	w.waitFor("What is it called?", "> Support")
	w.press(enterKey)
	w.waitFor("At which mail address?")
	w.press(enterKey)
	w.waitFor("Which tickets does a customer see?")
	w.press(enterKey)
	w.waitFor("Who gets in?")
	w.press(enterKey)
	w.waitFor("> Customers")
	w.press(enterKey)
	w.waitFor("How do members sign in?")
	w.press(enterKey)
	w.waitFor("Must members use a second factor?", "> Yes")
	w.press(enterKey)
	w.waitFor("Nordic Tools Support (live)")
	if _, err := os.Stat(w.store); err == nil {
		t.Error("the store is there before the summary was agreed to")
	}
	w.press(enterKey)
	if code := w.end(); code != 0 {
		t.Fatalf("exit %d:\n%s", code, w.shown())
	}
	w.waitFor(`The portal "Nordic Tools Support" is set up.`, "http://127.0.0.1:8080/help/")

	list := w.portals()
	if len(list) != 1 {
		t.Fatalf("%d portals, want 1", len(list))
	}
	for name, want := range map[string]string{
		"name": "Nordic Tools Support", "domain": "system", "slug": "help", "language": "sv", "inbox": "Support",
		"permissions": "company", "access": "groups", "state": "live",
	} {
		if list[0][name] != want {
			t.Errorf("%s is %v, want %q", name, list[0][name], want)
		}
	}
}

func TestWizardOffersWhatFlagsSaid(t *testing.T) {
	names := portaltest.NewDNS(t)
	w := startWizard(t, []string{"PORTALCTL_RESOLVER=" + names.Addr}, "--name", "Nordic Tools", "--domain", "support.example.com", "--inbox", "Desk", "--inbox-kind", "helpdesk",
		"--permissions", "rules", "--rule", "plan equals gold", "--access", "self-register", "--allow-domain", "example.com", "--draft")
	w.waitFor("> Nordic Tools")
	w.press(enterKey)
	w.waitFor("> Connect a domain of your own now")
	w.press(enterKey)
	w.waitFor("> support.example.com")
	w.press(enterKey)
	w.waitFor("Add these records to the DNS zone", "waiting for it", "> Go on")
	w.press(enterKey)
	w.waitFor("In which language?")
	w.press(enterKey)
	w.waitFor("What does the address end in?")
	w.press(enterKey)
	w.waitFor("> A new help desk")
	w.press(enterKey)
	w.waitFor("> Desk")
	w.press(enterKey)
	w.waitFor("> By rules")
	w.press(enterKey)
	w.waitFor("plan equals gold")
	w.press(enterKey)
	w.waitFor("> Anyone who proves")
	w.press(enterKey)
	w.waitFor("Only addresses of certain domains?", "> example.com")
	w.press(enterKey)
	w.waitFor("Does somebody approve each registration?")
	w.press(enterKey)
	w.waitFor("How do members sign in?")
	w.press(enterKey)
	w.waitFor("Must members use a second factor?")
	w.press(enterKey)
	w.waitFor("Nordic Tools (draft)", "support.example.com", "new help desk Desk", "by rules", "of example.com", "serves nothing until")
	w.press(enterKey)
	if code := w.end(); code != 0 {
		t.Fatalf("exit %d:\n%s", code, w.shown())
	}
	w.waitFor("Add these records to the DNS zone", "portalctl domain verify support.example.com")
	if list := w.portals(); len(list) != 1 || list[0]["state"] != "draft" || list[0]["permissions"] != "rules" || list[0]["domain"] != "support.example.com" {
		t.Errorf("set up %v", list)
	}
}

// TestWizardWaitsWithTheRecordsOnScreen: they can be pasted while it looks; what
// is found, and what is wrong, shows without a key.
func TestWizardWaitsWithTheRecordsOnScreen(t *testing.T) {
	names := portaltest.NewDNS(t)
	w := startWizard(t, []string{"PORTALCTL_RESOLVER=" + names.Addr}, "--name", "Nordic Tools", "--base-url", "https://portal.example.net")
	names.Set("portal.example.net", "A", "203.0.113.7")
	w.waitFor("> Nordic Tools")
	w.press(enterKey)
	w.waitFor("Which domain is the portal on?")
	w.press(enterKey)
	w.waitFor("Which domain?")
	w.press("support.example.com")
	w.waitFor("A TXT record will prove")
	w.press(enterKey)
	w.waitFor("TXT _portalctl.support.example.com (waiting for it)", "CNAME support.example.com (waiting for it)", "portal.example.net", "> Go on")
	value := regexp.MustCompile(`portalctl-verification=[-_A-Za-z0-9]{43}`).FindString(w.shown())
	if value == "" {
		t.Fatalf("the record cannot be read off the screen:\n%s", w.shown())
	}
	names.Set("_portalctl.support.example.com", "TXT", `"`+value+`"`)
	w.waitFor("the text has quotation marks in it")
	names.Set("_portalctl.support.example.com", "TXT", value)
	names.Set("support.example.com", "CNAME", "portal.example.net")
	w.waitFor("TXT _portalctl.support.example.com (found)", "CNAME support.example.com (found)", "Everything is found.")
	w.press(enterKey)
	w.waitFor("In which language?")
	w.press(ctrlCKey)
	if code := w.end(); code != 130 {
		t.Errorf("exit %d, want 130", code)
	}
}

func TestLeavingTheWizardMakesNothing(t *testing.T) {
	w := startWizard(t, nil)
	w.waitFor("What is the portal called?")
	w.press("Nordic Tools", enterKey)
	w.waitFor("Which domain is the portal on?")
	w.press(ctrlCKey)
	if code := w.end(); code != 130 {
		t.Errorf("exit %d, want 130", code)
	}
	w.waitFor("aborted")
	left, err := os.ReadDir(filepath.Dir(w.store))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if strings.HasPrefix(f.Name(), "portal.db") {
			t.Errorf("%s was made", f.Name())
		}
	}
}

// colour is any of the codes that set one.
var colour = regexp.MustCompile("\x1b\\[[0-9;]*(3[0-9]|4[0-9]|9[0-7]|10[0-7])[0-9;]*m")

func TestWizardWithoutColours(t *testing.T) {
	w := startWizard(t, []string{"NO_COLOR=1"})
	w.waitFor("What is the portal called?")
	w.press("Nordic Tools", enterKey)
	w.waitFor("Which domain is the portal on?")
	w.press(ctrlCKey)
	w.end()
	<-w.done
	if code := colour.FindString(w.raw.String()); code != "" {
		t.Errorf("NO_COLOR is set and the wizard sent %q", code)
	}
}
