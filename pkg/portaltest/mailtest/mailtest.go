// Package mailtest runs mail servers nobody here wrote, for tests: Postfix and
// Dovecot as Debian has them, private to a test, on loopback, with TLS by an
// authority of their own.
package mailtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/smtp"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/portalctl/portalctl/pkg/portaltest/smtptest"
)

// Password is everybody's.
const Password = "correct-horse"

// Options say who has mail where.
type Options struct {
	// Mailboxes are the addresses with a mailbox, which Dovecot keeps. Other
	// addresses of their domains do not exist.
	Mailboxes []string
	// LMTP are addresses whose mail Postfix hands to somebody else: to
	// inet:127.0.0.1:2424 or unix:/path/to/socket.
	LMTP map[string]string
	// Portal are domains whose mail all goes to somebody else by LMTP, and who
	// is asked whether an address exists.
	Portal map[string]string
	// Verdict is the name by which Postfix signs its word that a mail handed in
	// is from the domain of its sender, in Authentication-Results; empty: it
	// gives none.
	Verdict string
	// Gone are domains whose server refuses every recipient as unknown, after
	// Postfix has taken the mail: it bounces.
	Gone []string
}

// Servers are a running Postfix and Dovecot.
type Servers struct {
	Submission int    // Postfix, with STARTTLS and sign-in
	SMTP       int    // Postfix, as other servers reach it
	IMAPS      int    // Dovecot, with TLS from the first byte
	CA         string // the file with the authority's certificate, for SSL_CERT_FILE
	Client     *tls.Config

	t    testing.TB
	dir  string
	logs []string
}

// Start starts the servers, which end with the test. It skips the test where
// they are not installed, except in CI, and where they cannot run.
func Start(t testing.TB, o Options) *Servers {
	t.Helper()
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("Postfix starts as root on Linux only")
	}
	for _, program := range []string{"postfix", "postconf", "dovecot"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed", program)
			}
			t.Skipf("%s is not installed", program)
		}
	}
	// The servers' users must be able to get in, which t.TempDir allows nobody.
	dir, err := os.MkdirTemp("", "mail") //nolint:usetesting // see above
	if err == nil {
		err = os.Chmod(dir, 0o755) // #nosec G302 -- see above
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Servers{t: t, dir: dir, CA: filepath.Join(dir, "cert.pem")}
	s.Submission, s.SMTP, s.IMAPS = port(t), port(t), port(t)
	s.certify()
	s.postfix(o)
	s.dovecot()
	for _, p := range []int{s.Submission, s.SMTP, s.IMAPS} {
		s.reach(p)
	}
	return s
}

// port finds a port nobody listens on.
func port(t testing.TB) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// reach waits until somebody listens on a port.
func (s *Servers) reach(port int) {
	s.t.Helper()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	late := time.Now().Add(15 * time.Second)
	for {
		c, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(late) {
			s.t.Fatalf("nobody listens on %s\n%s", address, s.Log())
		}
		time.Sleep(20 * time.Millisecond) // no server tells when it is ready
	}
}

func (s *Servers) certify() {
	s.t.Helper()
	certificate, client := smtptest.NewCertificate(s.t)
	s.Client = client
	s.Client.ServerName = "localhost"
	cert, key, err := smtptest.PEM(certificate)
	if err == nil {
		err = errors.Join(os.WriteFile(s.CA, cert, 0o644), os.WriteFile(filepath.Join(s.dir, "key.pem"), key, 0o600)) // #nosec G306 -- the certificate is for all
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

var postfixMain = template.Must(template.New("main.cf").Parse(`compatibility_level = 3.6
queue_directory = {{.Dir}}/spool
data_directory = {{.Dir}}/data
command_directory = {{.Commands}}
daemon_directory = {{.Daemons}}
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.com
mydestination =
mynetworks =
inet_interfaces = loopback-only
inet_protocols = ipv4
maillog_file = {{.Dir}}/postfix.log
maillog_file_prefixes = {{.Dir}}
virtual_mailbox_domains ={{range .Domains}} {{.}}{{end}}
virtual_mailbox_maps = inline:{ {{range .All}} {{.}}=mailbox{{end}}{{range $domain, $to := .Portal}} @{{$domain}}=asked{{end}} }
virtual_transport = lmtp:unix:private/dovecot-lmtp
recipient_delimiter = +
transport_maps = inline:{ none=none{{range $address, $to := .LMTP}} {{$address}}=lmtp:{{$to}}{{end}}{{range $domain, $to := .Portal}} {{$domain}}=lmtp:{{$to}}{{end}}{{range .Gone}} {{.}}=smtp:[127.0.0.1]:{{$.Dead}}{{end}} }
smtpd_tls_cert_file = {{.Dir}}/cert.pem
smtpd_tls_key_file = {{.Dir}}/key.pem
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_peername_lookup = no
alias_maps =
message_size_limit = 41943040
unverified_recipient_reject_code = 550
address_verify_poll_count = 10
address_verify_poll_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
`))

var postfixMaster = template.Must(template.New("master.cf").Parse(`127.0.0.1:{{.SMTP}} inet n - n - - smtpd -o smtpd_recipient_restrictions=reject_unverified_recipient
127.0.0.1:{{.Submission}} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes -o smtpd_client_restrictions=permit_sasl_authenticated,reject{{if .Verdict}} -o { smtpd_sender_restrictions = check_sender_access inline:{ {{range .Domains}}{ {{.}} = PREPEND Authentication-Results: {{$.Verdict}}; dmarc=pass header.from={{.}} } {{end}}} }{{end}}
127.0.0.1:{{.Dead}} inet n - n - - smtpd -o { smtpd_relay_restrictions = check_recipient_access static:{550 5.1.1 There is nobody of that name}, reject }
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`))

func (s *Servers) postfix(o Options) {
	s.t.Helper()
	settings := func(name string) string {
		out, err := exec.CommandContext(context.Background(), "postconf", "-dh", name).Output() // #nosec G204 -- fixed names
		if err != nil {
			s.t.Fatalf("postconf %s: %v", name, err)
		}
		return strings.TrimSpace(string(out))
	}
	all := append([]string(nil), o.Mailboxes...)
	for address := range o.LMTP {
		all = append(all, address)
	}
	domains := map[string]bool{}
	for _, address := range all {
		_, domain, _ := strings.Cut(address, "@")
		domains[domain] = true
	}
	for domain := range o.Portal {
		domains[domain] = true
	}
	values := map[string]any{
		"Dir": s.dir, "Commands": settings("command_directory"), "Daemons": settings("daemon_directory"),
		"All": all, "LMTP": o.LMTP, "Portal": o.Portal, "Verdict": o.Verdict, "Gone": o.Gone,
		"SMTP": s.SMTP, "Submission": s.Submission, "Dead": port(s.t),
	}
	list := make([]string, 0, len(domains))
	for domain := range domains {
		list = append(list, domain)
	}
	values["Domains"] = list
	s.file("postfix/main.cf", postfixMain, values)
	s.file("postfix/master.cf", postfixMaster, values)
	s.folder("spool", "")
	s.folder("spool/private", "postfix")
	s.folder("data", "postfix")
	// The process is a script that waits for the server.
	s.run("postfix", func(int) {
		text, err := os.ReadFile(filepath.Join(s.dir, "spool", "pid", "master.pid"))
		if pid, wrong := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && wrong == nil {
			end(pid)
		}
	}, "postfix", "-c", filepath.Join(s.dir, "postfix"), "start-fg")
	s.logs = append(s.logs, filepath.Join(s.dir, "postfix.log"))
}

var dovecotConf = template.Must(template.New("dovecot.conf").Parse(`base_dir = {{.Dir}}/dovecot/run
state_dir = {{.Dir}}/dovecot/run
log_path = {{.Dir}}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <{{.Dir}}/cert.pem
ssl_key = <{{.Dir}}/key.pem
auth_mechanisms = plain
first_valid_uid = 1
recipient_delimiter = +
mail_location = maildir:{{.Dir}}/boxes/%Lu
default_vsz_limit = 512M
passdb {
  driver = static
  args = password={{.Password}}
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home={{.Dir}}/boxes/%Lu allow_all_users=yes
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Done {
    auto = create
  }
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = {{.IMAPS}}
    ssl = yes
  }
}
service auth {
  unix_listener {{.Dir}}/spool/private/auth {
    mode = 0660
    user = postfix
  }
}
service lmtp {
  unix_listener {{.Dir}}/spool/private/dovecot-lmtp {
    mode = 0600
    user = postfix
  }
}
`))

// end asks a process to end.
func end(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Signal(syscall.SIGTERM)
	}
}

func (s *Servers) dovecot() {
	s.t.Helper()
	s.file("dovecot/dovecot.conf", dovecotConf, map[string]any{"Dir": s.dir, "IMAPS": s.IMAPS, "Password": Password})
	s.folder("boxes", "nobody")
	s.run("dovecot", end, "dovecot", "-F", "-c", filepath.Join(s.dir, "dovecot", "dovecot.conf"))
	s.logs = append(s.logs, filepath.Join(s.dir, "dovecot.log"))
}

func (s *Servers) file(name string, content *template.Template, values any) {
	s.t.Helper()
	var text bytes.Buffer
	if err := content.Execute(&text, values); err != nil {
		s.t.Fatal(err)
	}
	s.folder(filepath.Dir(name), "")
	if err := os.WriteFile(filepath.Join(s.dir, name), text.Bytes(), 0o644); err != nil { // #nosec G306 -- the servers' users read it
		s.t.Fatal(err)
	}
}

func (s *Servers) folder(name, owner string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(path, 0o755); err != nil { // #nosec G301 -- the servers' users get in
		s.t.Fatal(err)
	}
	if owner == "" {
		return
	}
	u, err := user.Lookup(owner)
	if err != nil {
		s.t.Fatal(err)
	}
	id, err := strconv.Atoi(u.Uid)
	if err == nil {
		err = os.Chown(path, id, -1)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// run starts a server that stays in the foreground; it ends with the test.
func (s *Servers) run(name string, end func(pid int), program string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(program, args...) // #nosec G204 -- the servers of this test
	// A file, because the servers' children outlive them for a moment, and a
	// pipe would be waited for.
	path := filepath.Join(s.dir, name+".out")
	said, err := os.Create(path) // #nosec G304 -- in the test's folder
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = said.Close() }()
	s.logs = append(s.logs, path)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = alone()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	s.t.Cleanup(func() {
		end(cmd.Process.Pid)
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
	})
}

// Log is what the servers wrote into their logs.
func (s *Servers) Log() string {
	var all strings.Builder
	for _, path := range s.logs {
		data, err := os.ReadFile(path) // #nosec G304 -- the servers of this test
		fmt.Fprintf(&all, "%s: %v\n%s\n", filepath.Base(path), err, data)
	}
	return all.String()
}

// Send hands a mail in at the submission port, signed in as its sender, and
// returns what the server says to it.
func (s *Servers) Send(from, to, raw string) error {
	c, err := smtp.Dial(net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Submission)))
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := c.StartTLS(s.Client); err != nil {
		return err
	}
	if err := c.Auth(smtp.PlainAuth("", from, Password, "127.0.0.1")); err != nil {
		return err
	}
	return hand(c, from, to, raw)
}

func hand(c *smtp.Client, from, to, raw string) error {
	if err := errors.Join(c.Mail(from), c.Rcpt(to)); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, strings.ReplaceAll(raw, "\n", "\r\n")); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// Deliver hands a mail in as another mail server would, by the port for that,
// and returns what Postfix says to it.
func (s *Servers) Deliver(from, to, raw string) error {
	c, err := smtp.Dial(net.JoinHostPort("127.0.0.1", strconv.Itoa(s.SMTP)))
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return hand(c, from, to, raw)
}

// Mail is one in a mailbox.
type Mail struct {
	Raw    []byte
	Header mail.Header
}

// Wait returns what lies in a mailbox's inbox once there are n mails, or fails
// the test. The mailbox is looked at as a mail program would, by IMAP.
func (s *Servers) Wait(t testing.TB, address string, n int) []Mail {
	t.Helper()
	news := make(chan struct{}, 1)
	c, err := imapclient.DialTLS(net.JoinHostPort("127.0.0.1", strconv.Itoa(s.IMAPS)), &imapclient.Options{
		TLSConfig: s.Client,
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: func(*imapclient.UnilateralDataMailbox) {
			select {
			case news <- struct{}{}:
			default:
			}
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Login(address, Password).Wait(); err != nil {
		t.Fatal(err)
	}
	data, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	late := time.After(20 * time.Second)
	for have := data.NumMessages; have < uint32(n); have = c.Mailbox().NumMessages {
		idle, err := c.Idle()
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-news:
		case <-late:
			t.Fatalf("%s has %d mails, want %d\n%s", address, have, n, s.Log())
		}
		if err := errors.Join(idle.Close(), idle.Wait()); err != nil {
			t.Fatal(err)
		}
	}
	return fetch(t, c)
}

func fetch(t testing.TB, c *imapclient.Client) []Mail {
	t.Helper()
	if c.Mailbox().NumMessages == 0 {
		return nil
	}
	all := imap.SeqSet{{Start: 1, Stop: 0}}
	list, err := c.Fetch(all, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{Peek: true}}}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var mails []Mail
	for _, m := range list {
		raw := m.BodySection[0].Bytes
		read, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("a mail cannot be read: %v\n%s", err, raw)
		}
		mails = append(mails, Mail{Raw: raw, Header: read.Header})
	}
	return mails
}

// Count tells how many mails a folder has.
func (s *Servers) Count(t testing.TB, address, folder string) int {
	t.Helper()
	c, err := imapclient.DialTLS(net.JoinHostPort("127.0.0.1", strconv.Itoa(s.IMAPS)), &imapclient.Options{TLSConfig: s.Client})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Login(address, Password).Wait(); err != nil {
		t.Fatal(err)
	}
	data, err := c.Status(folder, &imap.StatusOptions{NumMessages: true}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return int(*data.NumMessages)
}
