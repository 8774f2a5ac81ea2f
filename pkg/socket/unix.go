// Package socket opens what a server listens on beside plain addresses: Unix
// sockets, sockets a supervisor hands over, and connections whose proxy tells
// in a PROXY header where the visitor comes from.
package socket

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// ErrNoSocket says that a file which is no socket lies where one is wanted.
var ErrNoSocket = errors.New("there is a file of that name that is no socket")

// Unix takes a Unix socket, for its owner and group. One that is left over
// from a process that ended is replaced; one that somebody listens on is
// syscall.EADDRINUSE. It goes when the listener is closed.
func Unix(ctx context.Context, path string) (net.Listener, error) {
	if err := clearSocket(ctx, path); err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	// Between the two lines the socket has what the umask leaves, which is
	// never more for the group than this.
	if err := os.Chmod(path, 0o660); err != nil { // #nosec G302 -- whoever connects does so as a member of the group
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// clearSocket removes a socket nobody listens on any more.
func clearSocket(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSocket == 0:
		return ErrNoSocket
	}
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
	if err == nil {
		_ = c.Close()
		return syscall.EADDRINUSE
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
