package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// ListenLMTP takes a Unix socket (network "unix") or a loopback TCP address
// ("tcp"), or says in one line why it cannot. A socket is for its owner and
// group; one that is left over from a process that ended is replaced.
func ListenLMTP(ctx context.Context, network, address string) (net.Listener, error) {
	if network == "unix" {
		if err := clearSocket(ctx, address); err != nil {
			return nil, err
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, network, address)
	if err != nil {
		return nil, cannotListen(address, err)
	}
	if tcp, ok := l.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		_ = l.Close()
		return nil, &portal.Error{
			Kind: portal.Invalid, Code: "lmtp.listen", Field: "lmtp-listen",
			Msg:  fmt.Sprintf("LMTP has no sign-in, so %s must not be open to other machines", address),
			Hint: "use a socket, or 127.0.0.1",
		}
	}
	if network == "unix" {
		// Between the two lines the socket has what the umask leaves, which is
		// never more for the group than this.
		if err := os.Chmod(address, 0o660); err != nil { // #nosec G302 -- the mail server connects as a member of the group
			_ = l.Close()
			return nil, cannotListen(address, err)
		}
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
		return cannotListen(path, err)
	case info.Mode()&fs.ModeSocket == 0:
		return cannotListen(path, errors.New("there is a file of that name that is no socket"))
	}
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
	if err == nil {
		_ = c.Close()
		return cannotListen(path, syscall.EADDRINUSE)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return cannotListen(path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cannotListen(path, err)
	}
	return nil
}

func cannotListen(address string, err error) error {
	e := &portal.Error{
		Kind: portal.Unavailable, Code: "lmtp.listen", Field: "lmtp-listen", Err: err,
		Msg: fmt.Sprintf("cannot listen for LMTP on %s: %v", address, innermost(err)),
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		e.Msg = fmt.Sprintf("cannot listen for LMTP on %s: another program does already", address)
		e.Hint = "stop it, or choose another address with --lmtp-listen"
	case errors.Is(err, fs.ErrNotExist):
		e.Msg = fmt.Sprintf("cannot listen for LMTP on %s: its folder does not exist", address)
		e.Hint = "make the folder, for the user portalctl runs as and the mail server's group"
	case errors.Is(err, fs.ErrPermission):
		e.Msg = fmt.Sprintf("cannot listen for LMTP on %s: permission denied", address)
	}
	return e
}
