package certs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/portalctl/portalctl/pkg/portal"
)

// prepare makes the folder of the keys, or takes away what others may do with
// what lies in it. It returns how many files and folders were open to others.
func prepare(folder string) (tightened int, err error) {
	bad := func(err error, hint string) error {
		e := &portal.Error{
			Kind: portal.Unavailable, Code: "certs.folder", Err: err, Hint: hint,
			Msg: fmt.Sprintf("the folder of the certificates' keys cannot be used: %v", err),
		}
		return e
	}
	// The umask can only take rights away from what is asked for here.
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return 0, bad(err, "")
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return 0, bad(err, "")
	}
	if !info.IsDir() {
		return 0, bad(fmt.Errorf("%s is not a folder", folder), "move it out of the way")
	}
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != folder:
			return nil // another server has just let go of a lock
		case err != nil:
			return err
		case entry.Type()&fs.ModeSymlink != 0:
			return fmt.Errorf("%s leads somewhere else", path)
		}
		changed, err := tighten(path, entry)
		if changed {
			tightened++
		}
		return err
	})
	if errors.Is(err, fs.ErrPermission) {
		return tightened, bad(err, "others may read it and it belongs to somebody else: give it to the user portalctl runs as, with chown -R")
	}
	if err != nil {
		return tightened, bad(err, "")
	}
	return tightened, nil
}

// tighten leaves a file or folder to its owner alone.
func tighten(path string, entry fs.DirEntry) (changed bool, err error) {
	if runtime.GOOS == "windows" {
		return false, nil // there, rights are those of the user's folder
	}
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if info.Mode().Perm()&0o077 == 0 {
		return false, nil
	}
	want := fs.FileMode(0o600)
	if entry.IsDir() {
		want = 0o700
	}
	err = os.Chmod(path, want)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	// Locks are readable by design of the library, hold nothing but a time and
	// lie in a folder that nobody else can enter.
	return err == nil && filepath.Ext(path) != ".lock", err
}
