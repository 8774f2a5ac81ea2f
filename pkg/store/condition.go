package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Size is how large the database is, without files people sent.
func (s *Store) Size() (int64, error) {
	var total int64
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(s.path + suffix)
		if errors.Is(err, fs.ErrNotExist) && suffix != "" {
			continue
		}
		if err != nil {
			return 0, err
		}
		total += info.Size()
	}
	return total, nil
}

// Room is how much may still be written to the store's disk; false where the
// system does not say.
func (s *Store) Room() (int64, bool) { return freeBytes(filepath.Dir(s.path)) }

// OpenPath is a file or folder of the store that others may use.
type OpenPath struct {
	Path string
	Mode fs.FileMode
	Want fs.FileMode // at most
}

// OpenToOthers are the files and folders of the store that somebody beside
// their owner may use: the database, the key, what people sent, certificates
// and their keys, and a folder in which others may put files of their own in
// their place.
func (s *Store) OpenToOthers() ([]OpenPath, error) {
	if runtime.GOOS == "windows" {
		return nil, nil // rights are not in the mode there
	}
	certificates := filepath.Join(filepath.Dir(s.path), "certificates")
	var open []OpenPath
	for _, p := range []OpenPath{
		{s.path, 0, 0o600},
		{s.path + "-wal", 0, 0o600},
		{s.KeyPath(), 0, 0o600},
		{s.FilesDir(), fs.ModeDir, 0o700},
		{certificates, fs.ModeDir, 0o700},
		{filepath.Dir(s.path), fs.ModeDir, 0o755},
	} {
		info, err := os.Stat(p.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		sticky := info.Mode()&fs.ModeSticky != 0 && p.Want == 0o755
		if p.Mode = info.Mode(); p.Mode.Perm()&^p.Want != 0 && !sticky {
			open = append(open, p)
		}
	}
	return open, nil
}

// Newest is when the newest entries were written: of the audit log and of
// messages; zero in an empty store.
func (tx *Tx) Newest(ctx context.Context) (at time.Time, err error) {
	for _, query := range []string{
		`SELECT at FROM audit ORDER BY id DESC LIMIT 1`,
		`SELECT at FROM message ORDER BY id DESC LIMIT 1`,
	} {
		times, err := list(ctx, tx, query, nil, func(r row) (t time.Time, err error) { return t, r.Scan(timeInto{&t}) })
		if err != nil {
			return time.Time{}, err
		}
		if len(times) > 0 && times[0].After(at) {
			at = times[0]
		}
	}
	return at, nil
}
