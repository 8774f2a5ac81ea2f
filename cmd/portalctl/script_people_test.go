package main

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// exits runs a program and wants it to end with an exit code:
//
//	exits 2 portalctl contacts add
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENT...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s exited with %d; want %d", args[1], got, want)
	}
}

// A test's clock cannot be stopped from outside, so what a program prints of
// it is replaced before it is compared.
var (
	shownTime = regexp.MustCompile(`20\d\d-\d\d-\d\d \d\d:\d\d`)
	shownDay  = regexp.MustCompile(`since 20\d\d-\d\d-\d\d`)
	dataTime  = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
)

// steady copies a file, stdout or stderr, with every time the same:
//
//	steady stdout list.txt
func steady(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: steady FROM TO")
	}
	text := ts.ReadFile(args[0])
	text = shownTime.ReplaceAllString(text, "2026-01-31 17:05")
	text = shownDay.ReplaceAllString(text, "since 2026-01-31")
	text = dataTime.ReplaceAllString(text, "2026-01-31T17:05:00Z")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}
