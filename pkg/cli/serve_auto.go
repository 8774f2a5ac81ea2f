package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/certs"
	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web"
)

// plainTime is how long a request without TLS may take: it has no body and a
// short answer.
const plainTime = 20 * time.Second

// acmeFlags are the settings of --tls auto.
var acmeFlags = []string{"acme-directory", "acme-ca", "acme-email", "acme-eab-kid", "acme-eab-key-file"}

// secure is how serve speaks TLS, and where it sends on who comes without.
type secure struct {
	config  *tls.Config    // nil: no TLS
	plain   []net.Listener // where visitors come without TLS
	manager *certs.Manager // obtains the certificates; nil: they come another way
	files   *certs.Files   // or reads them; nil as well: no TLS
	watch   certs.Watching
}

// autoBaseURL finds the system's address for --tls auto where nobody gave one:
// the domain that was connected first.
func (e *Env) autoBaseURL(ctx context.Context) error {
	if e.Config.TLS != "auto" || e.Config.BaseURL != "" {
		return nil
	}
	return e.withApp(ctx, func(a *app.App) error {
		host, err := a.FirstHost(ctx)
		if err != nil {
			return err
		}
		if host == "" {
			return portal.Invalidf("serve.base_url", "base-url", "--tls auto needs a name to obtain a certificate for, and no domain is verified").
				WithHint("connect one with `portalctl domain connect support.example.com --wait`, or give --base-url https://support.example.com")
		}
		e.Config.BaseURL = "https://" + host
		return nil
	})
}

// opensPlain reports whether --http-listen is to be opened. Where systemd hands
// over sockets it hands over all that are wanted, unless told otherwise.
func (e *Env) opensPlain(handed bool) bool {
	return e.Config.HTTPListen != "" && (!handed || e.Config.Source("http-listen") != config.FromDefault)
}

// listenPlain takes the address of --http-listen.
func (e *Env) listenPlain(ctx context.Context) (net.Listener, error) {
	l, err := listen(ctx, e.Config.HTTPListen)
	var why *portal.Error
	if errors.As(err, &why) {
		why.Field = "http-listen"
		if e.Config.TLS == "auto" {
			why.Hint = strings.TrimPrefix(why.Hint+"; or do without it: --http-listen off", "; or ")
		}
	}
	return l, err
}

// secure prepares TLS: certificates from files, or from an authority. What it
// returns has to be closed.
func (e *Env) secure(ctx context.Context, a *app.App, log *slog.Logger, l *listeners, files *certs.Files) (secure, error) {
	s := secure{plain: e.proxied(l.plain, log)}
	switch e.Config.TLS {
	case "off":
		return s, a.KeepCertificates(ctx, nil)
	case "files":
		s.config, s.files = certs.Config(files.Certificate), files
		s.watch = certs.Watching{Hosts: a.CertificateHosts, Known: a.Certificates, Note: a.NoteCertificate, Forget: a.ForgetCertificate}
	case "auto":
		hosts, err := a.CertificateHosts(ctx)
		if err != nil {
			return s, err
		}
		if err := a.KeepCertificates(ctx, hosts); err != nil {
			return s, err
		}
		roots, err := e.acmeRoots()
		if err != nil {
			return s, err
		}
		o := certs.Options{
			Folder: filepath.Join(filepath.Dir(a.Store().Path()), "certificates"), Directory: e.Config.ACME.Directory, Roots: roots,
			Email: e.Config.ACME.Email, KeyID: e.Config.ACME.KeyID, Key: e.Config.ACME.Key, TLS: l.pages[0].Addr(),
			Hosts: a.CertificateHosts, Allowed: a.MayHaveCertificate, Note: a.NoteCertificate, Forget: a.ForgetCertificate,
			Log: log, Now: e.Now,
		}
		if len(l.plain) > 0 {
			o.HTTP = l.plain[0].Addr()
		}
		if s.manager, err = certs.New(o); err != nil {
			return s, err
		}
		s.config = s.manager.Config()
	}
	return s, nil
}

// acmeRoots are what --acme-ca holds; nil without it.
func (e *Env) acmeRoots() (*x509.CertPool, error) {
	path := e.Config.ACME.CA
	if path == "" {
		return nil, nil //nolint:nilnil // the system's roots
	}
	data, err := os.ReadFile(path)
	roots := x509.NewCertPool()
	if err == nil && !roots.AppendCertsFromPEM(data) {
		err = errors.New("it holds no certificate in PEM form")
	}
	if err != nil {
		return nil, &portal.Error{
			Kind: portal.Invalid, Code: "serve.acme_ca", Field: "acme-ca", Err: err,
			Msg: fmt.Sprintf("the root in %s cannot be used: %v", path, err),
		}
	}
	return roots, nil
}

// start obtains certificates and answers visitors without TLS, until stop is
// called. What ends the latter comes out of the channel.
func (s secure) start(ctx context.Context, pages *web.Server, log *slog.Logger) (ended <-chan error, stop func(context.Context)) {
	ctx, end := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s.manager != nil {
			s.manager.Run(ctx)
		}
		if s.files != nil {
			s.files.Watch(ctx, s.watch)
		}
	}()
	var answer func(http.ResponseWriter, *http.Request) bool
	if s.manager != nil {
		answer = s.manager.Answer
	}
	server := &http.Server{
		Handler: pages.Plain(answer), ReadHeaderTimeout: headerTimeout, ReadTimeout: plainTime, WriteTimeout: plainTime,
		IdleTimeout: plainTime, MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, len(s.plain))
	for _, l := range s.plain {
		go func() { failed <- server.Serve(l) }()
	}
	return failed, func(ctx context.Context) {
		end()
		if err := server.Shutdown(ctx); err != nil {
			_ = server.Close()
		}
		select {
		case <-done:
		case <-ctx.Done():
		}
	}
}

// close lets go of what secure holds.
func (s secure) close() {
	if s.manager != nil {
		s.manager.Close()
	}
}
