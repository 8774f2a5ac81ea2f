package cli

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web"
)

type portalPreviewOptions struct {
	Portal, As, Listen string
	Changes            app.PortalChanges
}

func newPortalPreviewCmd(env *Env) *cobra.Command {
	var o portalPreviewOptions
	var name string
	var face faceFlags
	cmd := &cobra.Command{
		Use:   "preview [<portal>]",
		Short: "Look at changes of a portal's face before they are made",
		Long: `Serve a portal on this machine as it would look with the flags given, which are
those of "portalctl portal set". Nothing is written and customers see nothing of
it; only the browser that opens the printed link first is let in. Ctrl-C ends
it.

Without --as it shows what is in front of the door, such as the sign-in page;
with --as the pages as that customer sees them, for 15 minutes. As with
"portalctl portal open", that stands in the audit log. Attachments and the
customer's account stay closed, and nothing can be changed.
` + faceHelp,
		Example: `  portalctl portal preview --logo logo.svg --accent "#0f5fc2" --font inter
  portalctl portal preview help --banner "Closed on Friday." --as ana@acme.example`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			changes, err := face.changes(cmd)
			if err != nil {
				return err
			}
			o.Portal = firstOf(args)
			o.Changes = app.PortalChanges{Name: given(cmd, "name", name), Accent: given(cmd, "accent", face.accent), FaceChanges: changes}
			return runPortalPreview(cmd.Context(), env, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "the title customers see in the browser tab")
	face.add(cmd)
	f.StringVar(&o.As, "as", "", "show the pages as this customer, by e-mail address")
	f.StringVar(&o.Listen, "listen", "127.0.0.1:0", "address to listen on, this machine's own; port 0 is any that is free")
	return cmd
}

func runPortalPreview(ctx context.Context, env *Env, o portalPreviewOptions) error {
	host, _, err := net.SplitHostPort(o.Listen)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return portal.Invalidf("preview.listen", "listen", "%q is not an address of this machine alone; use one like 127.0.0.1:9000", o.Listen)
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.named(ctx, a, o.Portal)
		if err != nil {
			return err
		}
		listener, err := listen(ctx, o.Listen)
		if err != nil {
			return err
		}
		defer func() { _ = listener.Close() }()
		base := &url.URL{Scheme: "http", Host: listener.Addr().String()}
		shown, err := a.PreviewPortal(ctx, p.ID, o.Changes, base, o.As)
		if err != nil {
			return err
		}
		a.Store().Freeze(true)
		err = servePreview(ctx, env, listener, base, shown, o)
		a.Store().Freeze(false)
		return errors.Join(err, a.EndPreview(context.WithoutCancel(ctx), shown))
	})
}

func servePreview(ctx context.Context, env *Env, listener net.Listener, base *url.URL, shown *app.Preview, o portalPreviewOptions) error {
	pages := web.New(web.Options{App: shown.App, Log: slog.New(slog.DiscardHandler), BaseURL: base, Now: env.Now})
	door := newPreviewDoor(shown.Portal.BasePath()+"/", pages.Handler())
	server := &http.Server{
		Handler: door, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	env.sayFace(&o.Changes, &app.PortalResult{Portal: shown.Portal, Face: shown.Face})
	env.sayChanges(shown.Changes)
	env.say("nothing of this is written; the link lets one browser in, and Ctrl-C ends the preview:")
	link := base.String() + door.path
	var err error
	if env.Config.Output == output.Table {
		err = env.line(link)
	} else {
		err = env.Printer().Object([]output.Column{{Name: "url"}, {Name: "portal"}, {Name: "contact"}}, []any{link, shown.Portal.Name, o.As})
	}
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-served:
			err = fmt.Errorf("serve the preview: %w", err)
		}
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if server.Shutdown(stop) != nil {
		_ = server.Close()
	}
	return err
}

// previewCookie is what the browser of the operator holds.
const previewCookie = "portalctl-preview"

// previewDoor lets one browser in: the first that brings the key of the link.
// Others, programs of this machine and pages of other sites included, find
// nothing.
type previewDoor struct {
	path  string // of the link
	home  string
	token [32]byte // hash of the cookie's value
	value string
	used  atomic.Bool
	next  http.Handler
}

func newPreviewDoor(home string, next http.Handler) *previewDoor {
	var key, value [24]byte
	// crypto/rand.Read never fails; it ends the program instead.
	_, _ = rand.Read(key[:])
	_, _ = rand.Read(value[:])
	d := &previewDoor{path: "/-/preview/" + base64.RawURLEncoding.EncodeToString(key[:]), home: home, next: next}
	d.value = base64.RawURLEncoding.EncodeToString(value[:])
	d.token = sha256.Sum256([]byte(d.value))
	return d
}

func (d *previewDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked, want := sha256.Sum256([]byte(r.URL.Path)), sha256.Sum256([]byte(d.path))
	if subtle.ConstantTimeCompare(asked[:], want[:]) == 1 {
		if r.Method != http.MethodGet || !d.used.CompareAndSwap(false, true) {
			http.NotFound(w, r)
			return
		}
		http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: the preview is plain HTTP on this machine
			Name: previewCookie, Value: d.value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		http.Redirect(w, r, d.home, http.StatusSeeOther) //nolint:gosec // G710: the portal's own path, from the store
		return
	}
	c, err := r.Cookie(previewCookie)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if got := sha256.Sum256([]byte(c.Value)); subtle.ConstantTimeCompare(got[:], d.token[:]) != 1 {
		http.NotFound(w, r)
		return
	}
	d.next.ServeHTTP(w, r)
}
