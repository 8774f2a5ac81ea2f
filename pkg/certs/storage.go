package certs

import (
	"context"
	"path"

	"github.com/caddyserver/certmagic"
)

// storage is the folder as certmagic uses it.
type storage struct{ *certmagic.FileStorage }

// List names no accounts. Certmagic looks for one when no address was given,
// to write to the authority as its owner; an account that another order is just
// making has no address yet, and its folder's name, default, is then taken for
// one, which every authority refuses for as long as the program runs.
func (s storage) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	if path.Base(prefix) == "users" {
		return nil, nil
	}
	return s.FileStorage.List(ctx, prefix, recursive)
}
