package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	netmail "net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/mail"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/web/page"
)

type demoOptions struct {
	Keep   string
	Listen string
}

func newDemoCmd(env *Env) *cobra.Command {
	var opts demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Try a complete sample portal in one command",
		Long: `Make a sample portal in a temporary folder, fill it with a company's customers
and tickets through the same code as "init" and "import", serve it on this
machine only, and print links that sign in as a customer, as a colleague who
sees the company's tickets, and as an agent. Mail is not sent; it can be read at
/-/mail. Everything is gone when the demo stops, unless --keep names a folder.`,
		Example: `  portalctl demo
  portalctl demo --keep ./sample`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), env, opts) },
	}
	cmd.Flags().StringVar(&opts.Keep, "keep", "", "keep the store in this folder, and go on with the one that is there")
	cmd.Flags().StringVar(&opts.Listen, "listen", "", "address to listen on, this machine's own (default 127.0.0.1:8080, or a free port)")
	config.Flags(cmd.Flags(), "log-format", "log-level")
	return cmd
}

func runDemo(ctx context.Context, env *Env, opts demoOptions) (err error) {
	listener, err := demoListen(ctx, opts.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	folder := opts.Keep
	if folder == "" {
		if folder, err = os.MkdirTemp("", "portalctl-demo-"); err != nil {
			return fmt.Errorf("make a folder for the demo: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	base := &url.URL{Scheme: "http", Host: demoHost(listener.Addr().String())}
	log := env.logger()
	box := mail.NewRecorder(&mail.Writer{From: netmail.Address{Address: "support@brewline.example"}, HTML: page.BodyHTML, Now: env.Now}, 500)
	env.Config.Store = filepath.Join(folder, "portal.db")
	return env.openApp(ctx, store.Options{Create: true, Now: env.Now}, app.Options{BaseURL: base, Log: log, Mailer: box}, func(a *app.App) error {
		p, err := demoPortal(ctx, env, a)
		if err != nil {
			return err
		}
		if err := a.Remember(ctx, base, box.From()); err != nil {
			return err
		}
		if err := demoLinks(ctx, env, a, p, base); err != nil {
			return err
		}
		reader := mailReader(box, base.Host)
		return hosting{
			env: env, app: a, log: log, listeners: []net.Listener{listener}, base: base,
			infra: map[string]http.Handler{mailPath: reader},
		}.run(ctx)
	})
}

// demoListen takes the address asked for; without one the usual port, or any
// that is free. The demo's links sign in, so it answers this machine only.
func demoListen(ctx context.Context, address string) (net.Listener, error) {
	if address != "" {
		host, _, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err != nil || (ip == nil || !ip.IsLoopback()) {
			return nil, portal.Invalidf("demo.listen", "listen", "%q is not an address of this machine alone; use one like 127.0.0.1:9000", address)
		}
		return listen(ctx, address)
	}
	l, err := listen(ctx, "127.0.0.1:8080")
	if err != nil {
		return listen(ctx, "127.0.0.1:0")
	}
	return l, nil
}

// demoHost calls this machine by its name: without TLS, browsers have passkeys
// at no number.
func demoHost(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host != "127.0.0.1" {
		return address
	}
	return net.JoinHostPort("localhost", port)
}

// demoPortal makes the sample, or finds the one a kept store has.
func demoPortal(ctx context.Context, env *Env, a *app.App) (*portal.Portal, error) {
	portals, err := a.Portals(ctx)
	if err != nil {
		return nil, err
	}
	if len(portals) > 0 {
		return &portals[0], nil
	}
	data, err := readDemo()
	if err != nil {
		return nil, err
	}
	setup, err := demoSetup()
	if err != nil {
		return nil, err
	}
	made, err := a.SetUp(ctx, setup)
	if err != nil {
		return nil, err
	}
	face, err := a.SetPortal(ctx, made.Portal.ID, app.PortalChanges{Languages: ptr(i18n.Codes()), FaceChanges: demoFace()})
	if err != nil {
		return nil, err
	}
	p := face.Portal
	for i, g := range data.Agent {
		role := portal.RoleAgent
		if i == 0 {
			role = portal.RoleAdmin
		}
		if _, _, err := a.AddAgent(ctx, app.AgentInput{Email: &g.Email, Name: &g.Name, Role: ptr(string(role))}); err != nil {
			return nil, err
		}
	}
	if err := data.load(ctx, a, p, env.Now()); err != nil {
		return nil, err
	}
	var customers []string
	for _, c := range data.Contact {
		customers = append(customers, c.Email)
	}
	if _, err := a.ChangeGroup(ctx, demoGroup, customers, nil); err != nil {
		return nil, err
	}
	if err := data.register(ctx, a, p); err != nil {
		return nil, err
	}
	if err := data.desk(ctx, a, p, env.Now()); err != nil {
		return nil, err
	}
	return p, data.live(ctx, a, p)
}

// demoSetup is what the operator of the sample would have told init.
func demoSetup() (app.Setup, error) {
	fields, err := portal.ParseFields("category:Topic:choice:Machine fault|Supplies|Billing|Contract|Software,serial:Serial number")
	if err != nil {
		return app.Setup{}, err
	}
	rule, err := portal.ParseRule(`role equals "Head of operations"`)
	if err != nil {
		return app.Setup{}, err
	}
	return app.Setup{
		Domain: "system", Slug: ptr("help"), Name: ptr("Brewline Support"), Accent: ptr("#0b6e69"), TimeZone: ptr("Europe/Stockholm"),
		Inbox: app.InboxChoice{Name: "Support", Kind: portal.InboxMail, Address: "support@brewline.example"},
		Tickets: app.TicketChanges{
			Permissions: ptr(portal.PermitRules), Rules: &portal.RuleSet{rule}, Fields: &fields,
			Columns: &[]portal.TicketColumn{portal.ColumnNumber, portal.ColumnSubject, portal.ColumnStatus, portal.ColumnCategory, portal.ColumnRequester, portal.ColumnUpdated},
		},
		Access: app.AccessChanges{Mode: ptr(portal.ModeGroups), Groups: &[]string{demoGroup}},
	}, nil
}

// demoFace is the sample company's own face.
func demoFace() app.FaceChanges {
	light := []byte(demoLogo)
	dark := []byte(strings.NewReplacer("#12312f", "#eaf4f3", "#0b6e69", "#3bb3ab").Replace(demoLogo))
	return app.FaceChanges{
		Logo: &light, LogoDark: &dark, Font: ptr(portal.FontSource),
		HeaderLinks: &[]string{"Brewline=https://brewline.example", "Shop=https://shop.brewline.example"},
		FooterLinks: &[]string{"Imprint=https://brewline.example/imprint", "Privacy=https://brewline.example/privacy"},
	}
}

func ptr[T any](v T) *T { return &v }

// register lets the sample's customers accept their invitations, so that
// their links sign in at once.
func (d *demoData) register(ctx context.Context, a *app.App, p *portal.Portal) error {
	for _, dc := range d.Contact {
		c, err := a.Contact(ctx, dc.Email)
		if err != nil {
			return err
		}
		link, err := a.MemberLink(ctx, p, c.ID)
		if err != nil {
			return err
		}
		u, err := url.Parse(link)
		if err != nil {
			return err
		}
		v, err := a.Enter(ctx, u.Host, u.Path, "")
		if err != nil {
			return err
		}
		token := u.Path[strings.LastIndexByte(u.Path, '/')+1:]
		in, _, err := a.Join(ctx, v, store.TokenInvitation, token, app.Joining{Name: c.Name}, app.Device{Address: "127.0.0.1"})
		if err != nil {
			return fmt.Errorf("register %s: %w", c.Email, err)
		}
		// The session was only made on the way.
		if v, err = a.Enter(ctx, u.Host, u.Path, in.Token); err == nil {
			err = a.SignOut(ctx, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// demoLinks prints what to open.
func demoLinks(ctx context.Context, env *Env, a *app.App, p *portal.Portal, base *url.URL) error {
	data, err := readDemo()
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("Open one of these; each signs in once, within 10 minutes. Use private windows to be several people at a time.\n\n")
	for _, who := range []struct{ key, what string }{
		{"noah", "a customer, who sees his own tickets"},
		{"carmen", "his colleague, who sees the company's tickets"},
	} {
		c, err := a.Contact(ctx, data.contact(who.key).Email)
		if err != nil {
			return err
		}
		link, err := a.MemberLink(ctx, p, c.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s, %s:\n  %s\n\n", c.Name, who.what, link)
	}
	agent, err := a.Agent(ctx, demoAgentEmail)
	if err != nil {
		return err
	}
	desk, err := a.Desk(ctx)
	if err != nil {
		return err
	}
	link, err := a.AgentLink(ctx, desk, agent.ID)
	if err != nil {
		return err
	}
	fmt.Fprintf(&b, "%s, an agent, who answers at the help desk:\n  %s\n\n", agent.Name, link)
	fmt.Fprintf(&b, "Mail the portal sends:\n  %s%s\n\nCtrl-C ends the demo.\n\n", base, mailPath)
	_, err = fmt.Fprint(env.Out, b.String())
	return err
}
