package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newDomainCmd(env *Env) *cobra.Command {
	cmd := noun("domain", "Connect your own domain and prove that it is yours", "  portalctl domain connect support.example.com",
		newDomainConnectCmd(env),
		newDomainVerifyCmd(env),
		newDomainListCmd(env),
		newDomainShowCmd(env),
		newDomainSetCmd(env),
		newDomainRemoveCmd(env),
	)
	cmd.Aliases = []string{"domains"}
	return cmd
}

// domainCheckOptions are how connect and verify look at DNS.
type domainCheckOptions struct {
	Host      string
	Language  string
	Addresses []string // nil: as kept in the store
	Wait      bool
	Timeout   time.Duration
}

func checkFlags(cmd *cobra.Command, o *domainCheckOptions) {
	f := cmd.Flags()
	f.BoolVar(&o.Wait, "wait", false, "keep checking until the records are found")
	f.DurationVar(&o.Timeout, "timeout", 10*time.Minute, "how long to wait")
	f.StringSliceVar(&o.Addresses, "address", nil, "where visitors are to be sent: this server's public IP `addresses`, or one host name; kept for all domains")
	config.Flags(f, "resolver", "base-url")
}

func newDomainConnectCmd(env *Env) *cobra.Command {
	var o domainCheckOptions
	cmd := &cobra.Command{
		Use:   "connect [<host>]",
		Short: "Serve portals under your own domain",
		Long: `Connect a domain of your own. It is created, the DNS records to add are printed
(on standard output, ready to be pasted into a zone), and what DNS holds now is
compared with them (on standard error).

A TXT record proves that the domain is yours; until it is found, the domain
serves nothing. The other record sends visitors to this server. Where that is
follows from --base-url, or from --address when they differ. The name servers
responsible for the domain are asked; --resolver asks another one instead.

Connecting a domain again checks it again and changes nothing else.`,
		Example: `  portalctl domain connect support.example.com --language sv
  portalctl domain connect support.example.com --address 203.0.113.7 --wait`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Host = firstOf(args)
			return runDomainConnect(cmd.Context(), env, o)
		},
	}
	checkFlags(cmd, &o)
	languageFlag(cmd, &o.Language, "the language portals on this domain appear in (default en)")
	return cmd
}

// languageFlag adds --language with the languages there are.
func languageFlag(cmd *cobra.Command, value *string, usage string) {
	cmd.Flags().StringVar(value, "language", "", usage)
	choices(cmd, "language", i18n.Codes()...)
}

func runDomainConnect(ctx context.Context, env *Env, o domainCheckOptions) error {
	if err := askHost(ctx, env, &o); err != nil {
		return err
	}
	if o.Language != "" {
		var err error
		if o.Language, err = language(o.Language); err != nil {
			return err
		}
	}
	if _, err := app.ParseHost(o.Host); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		if err := keepAddresses(ctx, a, o); err != nil {
			return err
		}
		d, created, changes, err := a.ConnectDomain(ctx, o.Host, o.Language)
		if err != nil {
			return err
		}
		switch {
		case created:
			env.say("connected %s; portals on it will appear in %s", d.Host, languageName(d.Language))
			if err := sayNeighbour(ctx, env, a, d); err != nil {
				return err
			}
		case len(changes) > 0:
			env.sayChanges(changes)
		case d.Verified():
			env.say("unchanged: %s is verified since %s", d.Host, d.VerifiedAt.Local().Format(time.DateOnly))
			c, err := a.DomainRecords(ctx, d)
			if err != nil {
				return err
			}
			return printRecords(env, c)
		default:
			env.say("unchanged: %s is connected and not verified yet", d.Host)
		}
		return checkDomain(ctx, env, a, d, o)
	})
}

func askHost(ctx context.Context, env *Env, o *domainCheckOptions) (err error) {
	if o.Host != "" {
		return nil
	}
	o.Host, err = env.Prompt.Input(ctx, "Which domain?", "the domain as an argument", func(s string) error {
		_, err := app.ParseHost(s)
		return err
	})
	return err
}

func keepAddresses(ctx context.Context, a *app.App, o domainCheckOptions) error {
	if o.Addresses == nil {
		return nil
	}
	return a.SetAddress(ctx, o.Addresses)
}

// checkDomain prints the records, compares them with DNS, and waits if asked.
// With --wait, records that stay away are an error.
func checkDomain(ctx context.Context, env *Env, a *app.App, d *portal.Domain, o domainCheckOptions) error {
	records, err := a.DomainRecords(ctx, d)
	if err != nil {
		return err
	}
	// Whoever waits needs the records before the wait, not after it.
	if o.Wait && env.Config.Output == output.Table {
		if err := printRecords(env, records); err != nil {
			return err
		}
	}
	var c *app.DomainCheck
	if o.Wait {
		c, err = waitForDomain(ctx, env, a, d, o.Timeout)
	} else {
		c, err = a.CheckDomain(ctx, d)
	}
	if err != nil {
		return err
	}
	if !o.Wait || env.Config.Output != output.Table {
		if err := printRecords(env, c); err != nil {
			return err
		}
	}
	sayCheck(env, c)
	if o.Wait && !c.Holds() {
		return notYet(c, fmt.Sprintf("after %s", o.Timeout))
	}
	return nil
}

// notYet is the error of a check that has to hold and does not.
func notYet(c *app.DomainCheck, when string) error {
	what := "the TXT record that proves ownership was not found"
	if c.Proven {
		what = "it is verified, but its visitors do not arrive here"
	}
	err := portal.Conflictf("domain.not_verified", "%s %s: %s", c.Domain.Host, when, what)
	for _, r := range c.Records {
		if r.Err != nil {
			err.Msg = fmt.Sprintf("%s %s: DNS could not be asked: %v", c.Domain.Host, when, r.Err)
			return err.WithHint("check the network, or name a DNS server with --resolver")
		}
	}
	return err.WithHint("check again: portalctl domain verify %s", c.Domain.Host)
}

// waitForDomain checks again and again, with a line that moves on a terminal
// and one for each change elsewhere.
func waitForDomain(ctx context.Context, env *Env, a *app.App, d *portal.Domain, timeout time.Duration) (*app.DomainCheck, error) {
	if timeout <= 0 {
		return nil, portal.Invalidf("usage", "timeout", "--timeout must be longer than nothing")
	}
	every := min(max(timeout/60, 250*time.Millisecond), 10*time.Second)
	start := time.Now()
	width := env.errWidth()
	last := ""
	c, err := a.WaitForDomain(ctx, d, every, timeout, func(c *app.DomainCheck) {
		state := waitingFor(c)
		if width > 0 {
			line := fmt.Sprintf("%s: waiting for %s", time.Since(start).Round(time.Second), state)
			// A line that wraps could not be written over.
			fmt.Fprint(env.Err, "\r\033[K", line[:min(len(line), width-1)])
		} else if state != last {
			env.say("waiting for %s", state)
		}
		last = state
	})
	if width > 0 && last != "" {
		fmt.Fprint(env.Err, "\r\033[K")
	}
	return c, err
}

// errWidth is how wide the terminal is that conversation goes to; 0 when it
// goes elsewhere or nobody wants it.
func (e *Env) errWidth() int {
	f, ok := e.Err.(*os.File)
	if !ok || e.Config.Quiet || !term.IsTerminal(int(f.Fd())) { // #nosec G115 -- a descriptor fits
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd())) // #nosec G115 -- a descriptor fits
	if err != nil || width < 20 {
		return 0
	}
	return width
}

func waitingFor(c *app.DomainCheck) string {
	var open []string
	for _, r := range c.Records {
		if !r.OK && (r.Proof || !c.Arrives) {
			open = append(open, fmt.Sprintf("the %s record of %s", r.Type, r.Name))
		}
	}
	return strings.Join(open, " and ")
}

// printRecords prints the records as data.
func printRecords(env *Env, c *app.DomainCheck) error {
	if env.Config.Output == output.Table {
		for i := range c.Records {
			if _, err := fmt.Fprintln(env.Out, c.Records[i].Line()); err != nil {
				return err
			}
		}
		return nil
	}
	columns := []output.Column{{Name: "name"}, {Name: "type"}, {Name: "value"}, {Name: "found"}, {Name: "ok"}, {Name: "asked"}}
	rows := make([][]any, len(c.Records))
	for i, r := range c.Records {
		rows[i] = []any{r.Name, r.Type, r.Value, r.Found, r.OK, r.By}
	}
	if env.Config.Output == output.CSV {
		return env.Printer().List(columns, rows, "")
	}
	return env.Printer().JSON(newDomainJSON(c))
}

// domainJSON is a domain with its records as scripts read it.
type domainJSON struct {
	Domain     string       `json:"domain"`
	Kind       string       `json:"kind"`
	Language   string       `json:"language"`
	Verified   bool         `json:"verified"`
	VerifiedAt *time.Time   `json:"verified_at"`
	CheckedAt  *time.Time   `json:"checked_at"`
	Arrives    bool         `json:"visitors_arrive"`
	Records    []recordJSON `json:"records"`
}

type recordJSON struct {
	Name  string   `json:"name"`
	Type  string   `json:"type"`
	Value string   `json:"value"`
	Found []string `json:"found"`
	OK    bool     `json:"ok"`
	Asked string   `json:"asked,omitempty"`
	Error string   `json:"error,omitempty"`
}

func newDomainJSON(c *app.DomainCheck) domainJSON {
	d := c.Domain
	j := domainJSON{
		Domain: domainName(d), Kind: string(d.Kind), Language: d.Language, Verified: d.Verified(),
		VerifiedAt: timeOrNull(d.VerifiedAt), CheckedAt: timeOrNull(d.CheckedAt), Arrives: c.Arrives, Records: []recordJSON{},
	}
	for _, r := range c.Records {
		record := recordJSON{Name: r.Name, Type: r.Type, Value: r.Value, Found: append([]string{}, r.Found...), OK: r.OK, Asked: r.By}
		if r.Err != nil {
			record.Error = r.Err.Error()
		}
		j.Records = append(j.Records, record)
	}
	return j
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

// sayCheck tells what was found against what is wanted.
func sayCheck(env *Env, c *app.DomainCheck) {
	d := c.Domain
	for _, r := range c.Records {
		env.say("%s %s: %s", r.Name, r.Type, foundAgainstWanted(&r))
	}
	if c.NoAddress != "" {
		env.say("Only the proof is asked for: %s. Say with --address or --base-url where visitors are to arrive.", c.NoAddress)
	}
	switch {
	case c.Holds():
		env.say("%s is verified.", d.Host)
	case c.Proven:
		env.say("%s is verified, but its visitors do not arrive at this server yet.", d.Host)
	case d.Verified():
		env.say("%s stays verified, because the proof was found on %s.", d.Host, d.VerifiedAt.Local().Format(time.DateOnly))
	default:
		env.say("%s is not verified yet; until then it serves nothing.", d.Host)
		env.say("Add the records above to its DNS zone, then: portalctl domain verify %s", d.Host)
	}
}

func foundAgainstWanted(r *app.DomainRecord) string {
	by := ""
	if r.By != "" {
		by = " (says " + r.By + ")"
	}
	switch {
	case r.Err != nil:
		return fmt.Sprintf("could not be looked up: %v", r.Err)
	case r.OK:
		return "found" + by
	case len(r.Found) == 0:
		return "not there yet" + by + "; wanted " + r.Value
	}
	return fmt.Sprintf("found %s%s; wanted %s", strings.Join(r.Found, ", "), by, r.Value)
}
