//go:build !unix

package mailtest

import "syscall"

func alone() *syscall.SysProcAttr { return nil }
