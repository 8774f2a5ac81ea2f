package socket

import (
	"errors"
	"fmt"
	"net"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// Socket is a listening socket with the name its unit gives it.
type Socket struct {
	Name     string
	Listener net.Listener
}

// Handed takes the sockets systemd opened for this process (LISTEN_FDS), in
// its order; none when it was started in another way. They are handed over
// once: a second call finds none, nor does a program started by this one.
//
// Whoever holds the socket beside us keeps it open while we restart, so that
// nobody who connects meanwhile is refused. Closing ours leaves its file.
func Handed() ([]Socket, error) {
	var sockets []Socket
	var errs []error
	for _, f := range activation.Files(true) {
		l, err := net.FileListener(f)
		// The listener has a copy of the descriptor.
		_ = f.Close()
		if err != nil {
			errs = append(errs, fmt.Errorf("socket %s: %w", f.Name(), err))
			continue
		}
		sockets = append(sockets, Socket{f.Name(), l})
	}
	if err := errors.Join(errs...); err != nil {
		for _, s := range sockets {
			_ = s.Listener.Close()
		}
		return nil, err
	}
	return sockets, nil
}

// Ready tells the supervisor that this process serves now, if it wants to
// know.
func Ready() { notify(daemon.SdNotifyReady) }

// Stopping tells the supervisor that this process is about to leave.
func Stopping() { notify(daemon.SdNotifyStopping) }

func notify(state string) {
	// A supervisor that does not listen has its own way to find out.
	_, _ = daemon.SdNotify(false, state)
}
