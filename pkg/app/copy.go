package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/portalctl/portalctl/pkg/store"
)

// OnCopy works on a copy of the store, which is thrown away afterwards; files
// of tickets are not copied. change, unless nil, gets the copy's path before
// anything here has it open.
func (a *App) OnCopy(ctx context.Context, change func(path string) error, work func(*App) error) (err error) {
	// The copy lies beside the store: there is room for large files, and it
	// is as private as the store itself.
	dir, err := os.MkdirTemp(filepath.Dir(a.store.Path()), ".dry-run-")
	if err != nil {
		return fmt.Errorf("make room for the dry run: %w", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "portal.db")
	if err := a.store.CopyTo(ctx, path); err != nil {
		return err
	}
	if change != nil {
		if err := change(path); err != nil {
			return err
		}
	}
	s, err := store.Open(ctx, path, store.Options{Now: a.now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return work(New(Options{Store: s, Now: a.now, Log: a.log, Hasher: a.hasher, BaseURL: a.baseURL, Operator: a.operator, OperatorAddress: a.from}))
}
