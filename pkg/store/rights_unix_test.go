//go:build unix

package store_test

import (
	"os/exec"
	"syscall"
)

// dropRights makes a child run as a user who owns nothing.
func dropRights(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}
