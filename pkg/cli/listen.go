package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"syscall"

	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/mail/source"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/socket"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// The names that sockets of systemd may have (FileDescriptorName=). One of any
// other name is for the portals.
const (
	socketHTTP = "http" // the portals without TLS; beside TLS, what sends visitors to it
	socketLMTP = "lmtp" // incoming mail
)

// listeners are all that serve listens on.
type listeners struct {
	pages []net.Listener // for the portals; one at least
	plain []net.Listener // for visitors without TLS, beside pages with it
	mail  net.Listener   // for LMTP; nil: mail is not delivered here
}

func (l *listeners) close() {
	for _, one := range l.all() {
		_ = one.Close()
	}
}

func (l *listeners) all() []net.Listener {
	all := append(append([]net.Listener{}, l.pages...), l.plain...)
	if l.mail != nil {
		all = append(all, l.mail)
	}
	return all
}

// listeners takes the sockets systemd hands over, and opens what is not among
// them.
func (e *Env) listeners(ctx context.Context) (_ *listeners, err error) {
	l := &listeners{}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	handed, err := socket.Handed()
	if err != nil {
		return nil, &portal.Error{Kind: portal.Invalid, Code: "serve.handed", Err: err, Msg: fmt.Sprintf("systemd hands over what cannot be listened on: %v", err)}
	}
	for _, s := range handed {
		switch {
		case s.Name == socketLMTP && l.mail == nil:
			l.mail = s.Listener
		case s.Name == socketHTTP && e.Config.TLS != "off":
			l.plain = append(l.plain, s.Listener)
		default:
			l.pages = append(l.pages, s.Listener)
		}
	}
	if err := e.checkHanded(l); err != nil {
		return nil, err
	}
	if len(l.pages) == 0 {
		opened, err := e.listen(ctx)
		if err != nil {
			return nil, err
		}
		l.pages = []net.Listener{opened}
	}
	if len(l.plain) == 0 && e.opensPlain(len(handed) > 0) {
		opened, err := e.listenPlain(ctx)
		if err != nil {
			return nil, err
		}
		l.plain = []net.Listener{opened}
	}
	if l.mail == nil && e.Config.LMTP.Configured() {
		if l.mail, err = source.ListenLMTP(ctx, e.Config.LMTP.Network, e.Config.LMTP.Address); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// checkHanded refuses sockets that contradict the settings: visitors of one
// that nobody answers would wait for ever.
func (e *Env) checkHanded(l *listeners) error {
	listen := e.Config.Listen
	if listen == config.ListenSystemd && len(l.pages) == 0 {
		return portal.Invalidf("serve.handed", "listen", "systemd hands over no socket for the portals").
			WithHint("start the service by its socket unit, such as: systemctl start portalctl.socket")
	}
	if len(l.pages) > 0 && listen != config.ListenSystemd && e.Config.Source("listen") != config.FromDefault {
		return portal.Invalidf("serve.handed", "listen", "systemd hands over a socket on %s, but --listen names %s", addressOf(l.pages[0]), listen).
			WithHint("leave --listen out, or do without the socket unit")
	}
	if len(l.plain) > 0 && e.Config.Source("http-listen") != config.FromDefault {
		return portal.Invalidf("serve.handed", "http-listen", "systemd hands over the socket %s for visitors without TLS, but --http-listen is given, too", addressOf(l.plain[0])).
			WithHint("leave --http-listen out, or do without that socket unit")
	}
	if l.mail == nil {
		return nil
	}
	if e.Config.LMTP.Configured() {
		return portal.Invalidf("serve.handed", "lmtp-listen", "systemd hands over a socket for mail, but --lmtp-listen names %s", e.Config.LMTP.Address).
			WithHint("leave --lmtp-listen out, or do without the socket unit")
	}
	return source.CheckLMTP(l.mail)
}

// listen opens what --listen names.
func (e *Env) listen(ctx context.Context) (net.Listener, error) {
	path, ok := e.Config.ListenPath()
	if !ok {
		return listen(ctx, e.Config.Listen)
	}
	l, err := socket.Unix(ctx, path)
	if err != nil {
		return nil, cannotListen(path, err)
	}
	return l, nil
}

// listen takes the address, or says in one line why it cannot.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, cannotListen(address, err)
	}
	return l, nil
}

func cannotListen(address string, err error) error {
	cause := err
	if inner := errors.Unwrap(err); inner != nil {
		cause = inner
	}
	e := &portal.Error{
		Kind: portal.Unavailable, Code: "serve.listen", Field: "listen", Err: err,
		Msg: fmt.Sprintf("cannot listen on %s: %v", address, cause),
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		e.Msg = fmt.Sprintf("cannot listen on %s: another program does already", address)
		e.Hint = "stop it, or choose another address with --listen"
	case errors.Is(err, fs.ErrNotExist):
		e.Msg = fmt.Sprintf("cannot listen on %s: its folder does not exist", address)
		e.Hint = "make the folder, for the user portalctl runs as and the proxy's group"
	case errors.Is(err, syscall.EACCES) && address[0] == '/':
		e.Msg = fmt.Sprintf("cannot listen on %s: permission denied", address)
	case errors.Is(err, syscall.EACCES):
		e.Msg = fmt.Sprintf("cannot listen on %s: ports below 1024 are not for everybody", address)
		e.Hint = "give the service AmbientCapabilities=CAP_NET_BIND_SERVICE or a systemd socket, or the program the right to it " +
			"(setcap cap_net_bind_service=+ep $(command -v portalctl)), or choose a higher port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		e.Msg = fmt.Sprintf("cannot listen on %s: this machine does not have that address", address)
	}
	return e
}

// addressOf is a listener's address as --listen writes it.
func addressOf(l net.Listener) string {
	if l.Addr().Network() == "unix" {
		return "unix:" + l.Addr().String()
	}
	return l.Addr().String()
}

// reachable reports whether other machines can connect.
func reachable(l net.Listener) bool {
	if l.Addr().Network() == "unix" {
		return false
	}
	addr, err := netip.ParseAddrPort(l.Addr().String())
	return err != nil || !addr.Addr().Unmap().IsLoopback()
}

// proxies are those the settings trust.
func (e *Env) proxies() *page.Proxies {
	return page.NewProxies(e.Config.TrustedProxies, e.Config.TrustUnix)
}

// proxied reads PROXY headers on the listeners when the settings say so, and
// warns where visitors could not be told apart.
func (e *Env) proxied(pages []net.Listener, log *slog.Logger) []net.Listener {
	proxies := e.proxies()
	all := make([]net.Listener, len(pages))
	for i, l := range pages {
		if l.Addr().Network() == "unix" && !e.Config.TrustUnix {
			log.Warn("who comes by the socket is not trusted to say for whom, so all visitors count as one; see --trusted-proxy unix", "listen", addressOf(l))
		}
		all[i] = l
		if e.Config.ProxyProtocol {
			all[i] = socket.Proxied(l, proxies.Trusts, headerTimeout, log)
		}
	}
	return all
}
