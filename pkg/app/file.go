package app

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// filesPerDay is how many bytes of files one contact sends in a day.
const filesPerDay = 1 << 30

// storeFiles writes uploads to disk, before the transaction whose rows name
// them. With dry set they are only read and counted, because the form will
// come back anyway.
func (a *App) storeFiles(ctx context.Context, v *Visit, uploads []Upload, dry bool) ([]portal.File, error) {
	if len(uploads) == 0 || dry {
		return nil, nil
	}
	if len(uploads) > portal.MaxFiles {
		return nil, portal.Invalidf("file.too_many", "files", "at most %d files fit one message", portal.MaxFiles).With("Max", portal.MaxFiles)
	}
	if v == nil || v.Contact == nil {
		files, _, err := a.addFiles(ctx, uploads)
		return files, err
	}
	// What was stored counts, whatever becomes of the message it is for.
	spent, err := a.filesSpent(ctx, v.Contact.ID)
	if err != nil {
		return nil, err
	}
	if spent >= filesPerDay {
		return nil, portal.Invalidf("file.too_many_bytes", "files", "you have sent %d MiB of files today; more fit tomorrow", spent>>20)
	}
	files, size, err := a.addFiles(ctx, uploads)
	if size > 0 {
		err = errors.Join(err, a.store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
			_, err := tx.CountBy(ctx, filesKey(v.Contact.ID), size, 24*time.Hour)
			return err
		}))
	}
	return files, err
}

// addFiles writes uploads and says how many bytes that were, also of those
// before one that failed.
func (a *App) addFiles(ctx context.Context, uploads []Upload) (files []portal.File, size int64, err error) {
	for _, u := range uploads {
		name := fileName(u.Name)
		blob, err := a.store.Files().Add(ctx, name, u.Content, portal.MaxFileSize)
		if err != nil {
			return nil, size, err
		}
		size += blob.Size
		files = append(files, portal.File{Name: name, Type: blob.Type, Size: blob.Size, SHA256: blob.SHA256})
	}
	return files, size, nil
}

// fileName keeps the name a person gave, made harmless: without folders,
// control characters and direction marks, in NFC, at most 200 characters.
func fileName(name string) string {
	name = strings.ToValidUTF8(norm.NFC.String(name), "_")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || portal.IsBidiControl(r) {
			return -1
		}
		return r
	}, name)
	name = strings.Trim(strings.Join(strings.Fields(name), " "), ". ")
	if runes := []rune(name); len(runes) > portal.MaxLine {
		// The end says what kind of file it is.
		name = string(runes[:portal.MaxLine-20]) + "…" + string(runes[len(runes)-19:])
	}
	if name == "" {
		return "file"
	}
	return name
}

// File opens an attachment of a ticket the visitor sees.
func (a *App) File(ctx context.Context, v *Visit, id portal.FileID) (*portal.File, io.ReadSeekCloser, error) {
	var file *portal.File
	err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
		file, err = tx.FileFor(ctx, &v.Viewer, id)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	content, err := a.store.Files().Open(file.SHA256)
	if err != nil {
		return nil, nil, err
	}
	if v.Agent != nil || v.ReadOnly {
		a.noteFileView(v, file)
	}
	return file, content, nil
}

// sweepFiles removes contents no message names: uploads whose ticket was
// refused or whose process died in between.
func (a *App) sweepFiles(ctx context.Context) error {
	err := a.store.Files().Sweep(ctx, 24*time.Hour, func(sha256 string) (known bool, err error) {
		err = a.store.Read(ctx, func(tx *store.Tx) error {
			known, err = tx.FileKnown(ctx, sha256)
			return err
		})
		return known, err
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
