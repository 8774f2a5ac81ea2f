package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	charm "github.com/charmbracelet/log"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/helpdesk"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/socket"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/web"
)

// How long serve waits: for answers under way once it is told to stop, and
// for the rest of its work after them. Together they stay under the 20
// seconds after which supervisors lose patience.
const (
	drainTimeout = 12 * time.Second
	closeTimeout = 6 * time.Second
)

// The limits on connections; bodies have their least rate in rate.go.
const (
	headerTimeout  = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 64 << 10
)

func newServeCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Host the portals",
		Long: `Host every portal of the store and send the mail that waits in the outbox. A
setting changed by another command holds at the next request; no restart is
needed. SIGTERM or Ctrl-C: what was begun is finished, then serve leaves.

With --tls auto certificates come from a certificate authority, Let's Encrypt
unless --acme-directory names another, for every verified domain and the base
URL's host; using it agrees to the authority's terms. Ports 443 and 80 have to
be open for everybody. Certificates are renewed by themselves, and a domain that
is connected while serve runs gets its own without a restart.

--base-url is the address of the system domain as visitors reach it; links in
mail come from it or from a portal's connected domain. Behind a proxy that
speaks TLS, give the https address here and the proxy's network as
--trusted-proxy.

Without --smtp no mail is sent: it waits in the outbox, and "portalctl members
link" prints links to hand over. The mail server's password comes from
PORTALCTL_SMTP_PASSWORD or --smtp-password-file.

Mail is fetched from the mailboxes that "portalctl inbox set --imap" names. With
--lmtp-listen a mail server of this machine delivers besides, on a socket or a
loopback address.`,
		Example: `  portalctl serve
  portalctl serve --tls auto
  portalctl serve --base-url https://support.example.com --trusted-proxy 127.0.0.0/8
  portalctl serve --listen :443 --tls files --tls-cert fullchain.pem --tls-key privkey.pem
  portalctl serve --smtp smtp://portal@mail.example.com:587 --smtp-password-file /etc/portalctl/smtp
  portalctl serve --lmtp-listen unix:/run/portalctl/lmtp.sock`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), env) },
	}
	config.Flags(cmd.Flags(), acmeFlags...)
	config.Flags(cmd.Flags(), "listen", "base-url", "tls", "tls-cert", "tls-key", "http-listen", "trusted-proxy", "proxy-protocol", "lmtp-listen", "log-format", "log-level")
	mailFlags(cmd)
	return cmd
}

func runServe(ctx context.Context, env *Env) error {
	log := env.logger()
	sender, err := env.sender()
	if err != nil {
		return err
	}
	certificates, err := env.certificates(log)
	if err != nil {
		return err
	}
	if err := env.autoBaseURL(ctx); err != nil {
		return err
	}
	listeners, err := env.listeners(ctx)
	if err != nil {
		return err
	}
	defer listeners.close()
	base, err := env.servedURL(listeners.pages[0])
	if err != nil {
		return err
	}
	options := app.Options{BaseURL: base, Log: log}
	from := ""
	if sender != nil {
		options.Mailer, from = sender, sender.From()
	}
	return env.openApp(ctx, store.Options{Now: env.Now}, options, func(a *app.App) error {
		if err := a.Remember(ctx, base, from); err != nil {
			return err
		}
		if err := a.RememberServe(ctx, env.facts(listeners, base, from)); err != nil {
			return err
		}
		if env.Config.TLS == "off" && base.Scheme == "http" && slices.ContainsFunc(listeners.pages, reachable) {
			log.Warn("visitors come without TLS: what they type and read can be overheard; see --tls and --base-url")
		}
		secure, err := env.secure(ctx, a, log, listeners, certificates)
		if err != nil {
			return err
		}
		defer secure.close()
		return hosting{
			env: env, app: a, log: log, listeners: env.proxied(listeners.pages, log), base: base,
			secure: secure, fetch: true, lmtp: listeners.mail,
		}.run(ctx)
	})
}

// facts are how this serve was started, for doctor.
func (e *Env) facts(l *listeners, base *url.URL, from string) app.ServeFacts {
	f := app.ServeFacts{
		Version: e.Version, BaseURL: strings.TrimSuffix(base.String(), "/"), TLS: e.Config.TLS,
		Reachable: slices.ContainsFunc(l.pages, reachable), ProxyProtocol: e.Config.ProxyProtocol,
		OpenFiles: openFiles(), MailFrom: from, SMTP: e.Config.SMTP.Host,
	}
	for _, one := range l.pages {
		f.Listen = append(f.Listen, addressOf(one))
	}
	for _, p := range e.Config.TrustedProxies {
		f.Proxies = append(f.Proxies, p.String())
	}
	if e.Config.TrustUnix {
		f.Proxies = append(f.Proxies, "unix")
	}
	return f
}

// servedURL is the system domain's address. When port 0 asked for any free
// port, it is the one that was found.
func (e *Env) servedURL(l net.Listener) (*url.URL, error) {
	u, err := url.Parse(e.Config.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("base URL: %w", err)
	}
	if addr, ok := l.Addr().(*net.TCPAddr); ok && u.Port() == "0" {
		u.Host = net.JoinHostPort(u.Hostname(), strconv.Itoa(addr.Port))
	}
	return u, nil
}

// logger writes what serve does: for people on a terminal, for machines
// elsewhere.
func (e *Env) logger() *slog.Logger {
	f, ok := e.Err.(*os.File)
	terminal := ok && term.IsTerminal(int(f.Fd())) // #nosec G115 -- a descriptor fits
	if e.Config.LogFormat == "json" || e.Config.LogFormat == "auto" && !terminal {
		return slog.New(slog.NewJSONHandler(e.Err, &slog.HandlerOptions{Level: e.Config.LogLevel}))
	}
	return slog.New(charm.NewWithOptions(e.Err, charm.Options{
		Level: charm.Level(e.Config.LogLevel), ReportTimestamp: true, TimeFormat: time.DateTime,
	}))
}

// hosting is a server and everything it does beside answering.
type hosting struct {
	env       *Env
	app       *app.App
	log       *slog.Logger
	listeners []net.Listener
	base      *url.URL
	secure    secure
	infra     map[string]http.Handler
	fetch     bool         // mail is fetched from the inboxes' mailboxes
	lmtp      net.Listener // where mail is delivered; nil: nowhere
}

// run serves until ctx ends or the store fails, and leaves nothing running.
func (h hosting) run(ctx context.Context) error {
	var stopping atomic.Bool
	pages := web.New(web.Options{
		App: h.app, Log: h.log, BaseURL: h.base, Proxies: h.env.proxies(),
		Infra: h.infra, Now: h.env.Now, Desk: helpdesk.New(helpdesk.Options{App: h.app, Log: h.log, Now: h.env.Now}), Ready: func(ctx context.Context) error {
			if stopping.Load() {
				return errors.New("stopping")
			}
			return h.app.Ready(ctx)
		},
	})
	server := &http.Server{
		Handler:           leastRate(pages.Handler()),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// What clients do wrong before a request exists is their affair.
		ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
	}
	server.TLSConfig = h.secure.config
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	backgroundDone := make(chan struct{})
	go func() {
		defer close(backgroundDone)
		h.app.Run(background)
	}()
	stopMail := h.takeMail(ctx)
	defer stopMail()
	drainer := newDrainer(server, h.listeners)
	served := drainer.serve(func(l net.Listener) error { return h.serve(server, l) })
	plainEnded, stopSecure := h.secure.start(ctx, pages, h.log)

	if err := h.announce(ctx); err != nil && ctx.Err() == nil {
		h.log.Error("the portals cannot be listed", "err", err)
	}
	socket.Ready()
	var failure error
	select {
	case <-ctx.Done():
		h.log.Info("stopping")
	case <-h.app.Store().Failed():
		failure = h.app.Store().Failure()
		h.log.Error("the disk refused a write; leaving, so that nothing is promised that is not kept", "err", failure)
	case err := <-served:
		failure = fmt.Errorf("serve: %w", err)
	case err := <-plainEnded:
		failure = fmt.Errorf("serve plain HTTP: %w", err)
	}
	stopping.Store(true)
	socket.Stopping()
	h.app.StopFeed() // open pages of the help desk would wait for more
	mailStopped := make(chan struct{})
	go func() {
		defer close(mailStopped)
		stopMail()
	}()
	h.drain(drainer, stopSecure)
	<-mailStopped
	stopBackground()
	select {
	case <-backgroundDone:
	case <-time.After(closeTimeout):
		h.log.Warn("work in the background did not end in time")
	}
	if failure == nil {
		h.log.Info("stopped")
	}
	return failure
}

func (h hosting) serve(server *http.Server, l net.Listener) error {
	if h.secure.config == nil {
		return server.Serve(l)
	}
	return server.ServeTLS(l, "", "")
}

// drain lets answers under way be finished, and cuts those that take too long.
func (h hosting) drain(d *drainer, stopSecure func(context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	defer stopSecure(ctx)
	if err := d.drain(ctx); err != nil {
		h.log.Warn("some answers were cut off", "err", err)
		_ = d.server.Close()
	}
}

// announce prints a line for each portal.
func (h hosting) announce(ctx context.Context) error {
	portals, err := h.app.Portals(ctx)
	if err != nil {
		return err
	}
	if len(portals) == 0 {
		h.env.say("There is no portal yet; set one up with: portalctl init")
	}
	addresses, err := h.app.Addresses(ctx, 0)
	if err != nil {
		return err
	}
	for i := range portals {
		p := &portals[i]
		address, err := h.app.URL(ctx, p, "/")
		if err != nil {
			return err
		}
		note := ""
		switch {
		case !p.Domain.Verified():
			note = fmt.Sprintf(" (not served: %s is not verified)", p.Domain.Host)
		case p.State != portal.Live:
			note = fmt.Sprintf(" (%s)", p.State)
		}
		for i := range addresses {
			// Where it was once is no news to whoever starts it.
			if at := &addresses[i]; at.Portal == p.ID && at.Kind == portal.FurtherAddress {
				note += ", also at " + at.Line()
			}
		}
		if _, err := fmt.Fprintf(h.env.Out, "%s: %s%s\n", output.Clean(p.Name), address, note); err != nil {
			return err
		}
	}
	desk, err := h.app.Desk(ctx)
	if err != nil {
		return err
	}
	address, err := h.app.URL(ctx, desk, "")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(h.env.Out, "Help desk: %s\n", address); err != nil {
		return err
	}
	var listening []string
	for _, l := range h.listeners {
		listening = append(listening, addressOf(l))
	}
	h.log.Info("serving", "listen", strings.Join(listening, ","), "base_url", h.base.String(), "portals", len(portals), "version", h.env.Version)
	return nil
}
