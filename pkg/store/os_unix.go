//go:build unix

package store

import (
	"os"
	"path/filepath"
	"syscall"
)

// syncFolder makes a name in the folder survive a power cut.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// mayUse reports what keeps this process from reading and writing the file
// and making others beside it. It asks the system instead of trying: opening
// and closing a database file would drop the locks that this process holds
// on it through SQLite.
func mayUse(path string) (what string, err error) {
	const execute, write, read = 1, 2, 4
	if err := syscall.Access(path, read|write); err != nil {
		return "the file", err
	}
	if err := syscall.Access(filepath.Dir(path), read|write|execute); err != nil {
		return "its folder", err
	}
	return "", nil
}
