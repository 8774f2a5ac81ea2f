//go:build linux || darwin || freebsd

package store

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// freeBytes is the room left for us on a folder's disk.
func freeBytes(dir string) (int64, bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true //nolint:gosec,unconvert // types differ between systems
}

// chownLike gives a file to the owner of another.
func chownLike(name, like string) error {
	info, err := os.Stat(like)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Lchown(name, int(owner.Uid), int(owner.Gid))
}
