package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/rogpeppe/go-internal/testscript"
)

// sink is a mail server on loopback that keeps what it is sent.
type sink struct {
	mu      sync.Mutex
	mails   []string
	refuse  bool
	arrived chan struct{}
}

// smtpCommand runs a mail server for the script:
//
//	smtp start           and sets $SMTP to its address
//	smtp refuse          refuses every recipient from now on
//	smtp wait N FILE     waits for the Nth mail and writes it to FILE
func smtpCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: smtp start, smtp refuse, or smtp wait N FILE")
	}
	if args[0] == "start" {
		startSink(ts)
		return
	}
	s, ok := ts.Value(smtpKey).(*sinkOf)
	if !ok || s.sink == nil {
		ts.Fatalf("smtp start comes first")
	}
	switch {
	case args[0] == "refuse":
		s.sink.mu.Lock()
		s.sink.refuse = true
		s.sink.mu.Unlock()
	case args[0] == "wait" && len(args) == 3:
		var n int
		if _, err := fmt.Sscan(args[1], &n); err != nil || n < 1 {
			ts.Fatalf("%q is not the number of a mail", args[1])
		}
		ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(s.sink.wait(ts, n)), 0o600))
	default:
		ts.Fatalf("usage: smtp start, smtp refuse, or smtp wait N FILE")
	}
}

// sinkOf holds a script's sink: values of a script are set before it starts.
type sinkOf struct{ sink *sink }

func startSink(ts *testscript.TestScript) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	s := &sink{arrived: make(chan struct{}, 1000)}
	ts.Value(smtpKey).(*sinkOf).sink = s
	server := smtp.NewServer(s)
	server.Domain, server.ReadTimeout, server.WriteTimeout = "localhost", time.Minute, time.Minute
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends when it is closed
	}()
	ts.Defer(func() {
		_ = server.Close()
		<-done
	})
	ts.Setenv("SMTP", "smtp://"+l.Addr().String()+"?starttls=off")
}

func (s *sink) wait(ts *testscript.TestScript, n int) string {
	limit := time.After(30 * time.Second)
	for {
		mails := s.kept()
		if len(mails) >= n {
			return mails[n-1]
		}
		select {
		case <-s.arrived:
		case <-limit:
			ts.Fatalf("waited for mail %d; %d came", n, len(mails))
		}
	}
}

func (s *sink) kept() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// NewSession makes a session for a connection.
func (s *sink) NewSession(*smtp.Conn) (smtp.Session, error) { return &sinkSession{sink: s}, nil }

type sinkSession struct{ sink *sink }

func (*sinkSession) Mail(string, *smtp.MailOptions) error { return nil }

func (c *sinkSession) Rcpt(string, *smtp.RcptOptions) error {
	c.sink.mu.Lock()
	defer c.sink.mu.Unlock()
	if c.sink.refuse {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox here"}
	}
	return nil
}

func (c *sinkSession) Data(r io.Reader) error {
	mail, err := io.ReadAll(r)
	if err != nil {
		return errors.New("the mail was cut off")
	}
	c.sink.mu.Lock()
	c.sink.mails = append(c.sink.mails, string(mail))
	c.sink.mu.Unlock()
	c.sink.arrived <- struct{}{}
	return nil
}

func (*sinkSession) Reset() {}

func (*sinkSession) Logout() error { return nil }
