package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/socket"
)

// ListenLMTP takes a Unix socket (network "unix") or a loopback TCP address
// ("tcp"), or says in one line why it cannot. A socket is for its owner and
// group; one that is left over from a process that ended is replaced.
func ListenLMTP(ctx context.Context, network, address string) (net.Listener, error) {
	if network == "unix" {
		l, err := socket.Unix(ctx, address)
		if err != nil {
			return nil, cannotListen(address, err)
		}
		return l, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, network, address)
	if err != nil {
		return nil, cannotListen(address, err)
	}
	if err := CheckLMTP(l); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// CheckLMTP refuses a listener that other machines can reach.
func CheckLMTP(l net.Listener) error {
	if tcp, ok := l.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		return &portal.Error{
			Kind: portal.Invalid, Code: "lmtp.listen", Field: "lmtp-listen",
			Msg:  fmt.Sprintf("LMTP has no sign-in, so %s must not be open to other machines", tcp),
			Hint: "use a socket, or 127.0.0.1",
		}
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
