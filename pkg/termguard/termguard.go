// Package termguard keeps a terminal that does not answer from holding up every
// command. The wizard's library asks the terminal for its background colour
// while packages are being initialised, before main, whatever the command is,
// and waits five seconds for the answer. It does not ask when CI is set.
//
// The package imports nothing but os, so Go initialises it before that library;
// importing anything more can break the order. It is used by main only.
package termguard

import "os"

var (
	was   string
	isSet bool
)

func init() {
	was, isSet = os.LookupEnv("CI")
	_ = os.Setenv("CI", "1")
}

// Restore puts CI back as it was. It is the first thing main does: everything
// after it, children included, sees the environment it was started with.
func Restore() {
	if isSet {
		_ = os.Setenv("CI", was)
		return
	}
	_ = os.Unsetenv("CI")
}
