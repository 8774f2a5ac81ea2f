//go:build unix

package mailtest

import "syscall"

// alone keeps a terminal's Ctrl-C from the servers: the test ends them.
func alone() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
