package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Files is the folder of attachments beside the database. Bytes lie under
// their SHA-256, so the same file is kept once, and are on disk before Add
// returns: a row may then name them.
type Files struct {
	dir  string
	like string // the database, whose owner owns the files
}

// Files returns the folder of attachments.
func (s *Store) Files() *Files { return &Files{dir: s.FilesDir(), like: s.path} }

// Blob is a file's content as it was stored.
type Blob struct {
	SHA256 string // hex
	Size   int64
	Type   string // what its first bytes say it is
}

// reserveBytes is the room a full disk keeps for messages: files are refused
// before that.
const reserveBytes = 64 << 20

// Add stores what r holds. More than limit bytes is Invalid file.too_big, and
// nothing is kept. name is for the error only.
func (f *Files) Add(ctx context.Context, name string, r io.Reader, limit int64) (Blob, error) {
	root, err := f.open()
	if err != nil {
		return Blob{}, err
	}
	defer root.Close()
	if free, ok := freeBytes(f.dir); ok && free < reserveBytes {
		return Blob{}, errDiskFull(nil)
	}
	temp := "incoming-" + rand.Text()
	w, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Blob{}, fileError("create", err)
	}
	defer root.Remove(temp) // gone already when it was renamed
	blob, err := copyTo(ctx, w, r, name, limit)
	if err == nil {
		err = f.own(filepath.Join(f.dir, temp))
	}
	if err == nil {
		err = fileError("sync", w.Sync())
	}
	if closeErr := w.Close(); err == nil {
		err = fileError("close", closeErr)
	}
	if err != nil {
		return Blob{}, err
	}
	folder := blob.SHA256[:2]
	if err := f.mkdir(filepath.Join(f.dir, folder)); err != nil {
		return Blob{}, err
	}
	final := blobPath(blob.SHA256)
	if known, err := root.Stat(final); err == nil && known.Size() == blob.Size {
		// Kept already. Its time is renewed, so that a sweep leaves it be
		// until the row that names it is written.
		now := time.Now()
		err = root.Chtimes(final, now, now)
		if err != nil {
			return Blob{}, fileError("touch", err)
		}
	} else if err := root.Rename(temp, final); err != nil {
		return Blob{}, fileError("name", err)
	}
	// Also for one that was there: whoever brought it may not have come this
	// far yet.
	for _, dir := range []string{filepath.Join(f.dir, folder), f.dir, filepath.Dir(f.dir)} {
		if err := syncFolder(dir); err != nil {
			return Blob{}, fileError("sync", err)
		}
	}
	return blob, nil
}

func copyTo(ctx context.Context, w io.Writer, r io.Reader, name string, limit int64) (Blob, error) {
	hash := sha256.New()
	var head [512]byte
	n, err := io.ReadFull(r, head[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Blob{}, err
	}
	out := io.MultiWriter(w, hash)
	if _, err := out.Write(head[:n]); err != nil {
		return Blob{}, fileError("write", err)
	}
	size := int64(n)
	buf := make([]byte, 64<<10)
	for size <= limit {
		if err := ctx.Err(); err != nil {
			return Blob{}, err
		}
		k, readErr := r.Read(buf)
		size += int64(k)
		if size > limit {
			break
		}
		if _, err := out.Write(buf[:k]); err != nil {
			return Blob{}, fileError("write", err)
		}
		if errors.Is(readErr, io.EOF) {
			break
		}
		if readErr != nil {
			return Blob{}, readErr
		}
	}
	if size > limit {
		return Blob{}, portal.Invalidf("file.too_big", "files", "%q is larger than %d MiB", name, limit>>20).
			With("Name", name).With("Max", limit>>20)
	}
	return Blob{SHA256: hex.EncodeToString(hash.Sum(nil)), Size: size, Type: http.DetectContentType(head[:n])}, nil
}

// Open opens the content with the hash. One that is not there is an ordinary
// error: the row that named it promises that it is.
func (f *Files) Open(sha256 string) (*os.File, error) {
	if len(sha256) != 64 {
		return nil, fmt.Errorf("open file: %q is not a hash", sha256)
	}
	root, err := f.open()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	file, err := root.Open(blobPath(sha256))
	if err != nil {
		return nil, fmt.Errorf("open file: %w", err)
	}
	return file, nil
}

// Sweep removes contents older than age that no row names, and what was left
// of broken uploads.
func (f *Files) Sweep(ctx context.Context, age time.Duration, named func(sha256 string) (bool, error)) error {
	root, err := f.open()
	if err != nil {
		return err
	}
	defer root.Close()
	before := time.Now().Add(-age)
	return fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || info.ModTime().After(before) {
			return nil
		}
		if folder, rest := path.Split(p); folder != "" {
			kept, err := named(path.Clean(folder) + rest)
			if err != nil || kept {
				return err
			}
		}
		// Sent again in this moment, it has a new time and stays.
		if again, err := root.Stat(p); err != nil || again.ModTime().After(before) {
			return nil
		}
		return root.Remove(p)
	})
}

func (f *Files) open() (*os.Root, error) {
	if err := f.mkdir(f.dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder of files: %w", err)
	}
	return root, nil
}

// mkdir makes a folder, if it is not there, for whoever owns the store.
func (f *Files) mkdir(name string) error {
	err := os.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		err = f.own(name)
	}
	return fileError("create a folder for", err)
}

// own hands what root made to the owner of the store, or the service could
// not read what a command of root's attached. SQLite does the same with its
// own files.
func (f *Files) own(name string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return chownLike(name, f.like)
}

func blobPath(sha256 string) string { return path.Join(sha256[:2], sha256[2:]) }

// fileError names the step; a full disk becomes the error people can act on.
func fileError(step string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return errDiskFull(err)
	}
	return fmt.Errorf("%s a file: %w", step, err)
}

func errDiskFull(cause error) *portal.Error {
	return &portal.Error{
		Kind: portal.Unavailable, Code: "store.full", Err: cause,
		Msg: "the disk is full", Hint: "make room on the store's disk; nothing else has to be done",
	}
}

// Has reports whether the content with the hash is there.
func (f *Files) Has(sha256 string) (bool, error) {
	content, err := f.Open(sha256)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, content.Close()
}

// Remove takes the content with the hash off the disk, for good; one that is
// not there is no error. The caller sees to it that no row names it.
func (f *Files) Remove(sha256 string) error {
	if len(sha256) != 64 {
		return fmt.Errorf("remove file: %q is not a hash", sha256)
	}
	root, err := f.open()
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Remove(blobPath(sha256)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError("remove", err)
	}
	return fileError("sync", syncFolder(filepath.Join(f.dir, sha256[:2])))
}
