//go:build unix

package cli

import "syscall"

// openFiles is how many files and connections this process may have open, and
// 0 where that is not known. Go has raised it as far as it may go by now.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return uint64(limit.Cur) //nolint:unconvert // types differ between systems
}
