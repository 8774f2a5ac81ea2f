package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

// checkDomain prints the records, compares them with DNS, and waits if asked.
// With --wait, records that stay away are an error.
func checkDomain(ctx context.Context, env *Env, a *app.App, d *portal.Domain, o domainCheckOptions) error {
	if o.Wait {
		return awaitDomain(ctx, env, a, d, o.Timeout)
	}
	c, err := a.CheckDomain(ctx, d)
	if err != nil {
		return err
	}
	if err := printRecords(env, c); err != nil {
		return err
	}
	sayCheck(env, c)
	return nil
}

// awaitDomain waits until the records hold. Whoever waits needs them before
// the wait, not after it; JSON and CSV tell how it ended.
func awaitDomain(ctx context.Context, env *Env, a *app.App, d *portal.Domain, timeout time.Duration) error {
	first := env.Config.Output == output.Table || env.Config.Output == zoneOutput
	if first {
		records, err := a.DomainRecords(ctx, d)
		if err != nil {
			return err
		}
		if err := printRecords(env, records); err != nil {
			return err
		}
	}
	c, err := waitForDomain(ctx, env, a, d, timeout)
	if err != nil {
		return err
	}
	if !first {
		if err := printRecords(env, c); err != nil {
			return err
		}
	}
	sayCheck(env, c)
	if !c.Holds() {
		return notYet(c, "after "+timeout.String())
	}
	return nil
}

// notYet is the error of a check that has to hold and does not.
func notYet(c *app.DomainCheck, when string) error {
	host := c.Domain.Host
	again := "check again: portalctl domain verify " + host
	if c.Proven {
		return portal.Conflictf("domain.not_verified", "%s %s: it is verified, but its visitors do not arrive here", host, when).WithHint("%s", again)
	}
	if c.Absent {
		return portal.Conflictf("domain.not_verified", "%s %s: the TXT record that proves ownership was not found", host, when).WithHint("%s", again)
	}
	// Nobody could look, or nobody may believe what they saw.
	for _, f := range c.Findings {
		if f.Severity == portal.SeverityFail && f.About == c.Domain.ProofName() {
			return portal.Conflictf("domain.not_verified", "%s %s: %s", host, when, f.Found).WithHint("%s", f.Todo)
		}
	}
	return portal.Conflictf("domain.not_verified", "%s %s: DNS could not be asked", host, when).WithHint("%s", again)
}

// waitForDomain checks again and again, with a line that moves on a terminal
// and one for each change elsewhere. A mistake is named as soon as it shows.
func waitForDomain(ctx context.Context, env *Env, a *app.App, d *portal.Domain, timeout time.Duration) (*app.DomainCheck, error) {
	every := min(max(timeout/60, 250*time.Millisecond), 10*time.Second)
	start := time.Now()
	width := env.errWidth()
	last := ""
	var told []portal.Finding
	c, err := a.WaitForDomain(ctx, d, every, timeout, func(c *app.DomainCheck) {
		if found := mistakes(c); !slices.Equal(found, told) {
			told = found
			if width > 0 {
				fmt.Fprint(env.Err, "\r\033[K")
			}
			sayFindings(env, found)
		}
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

// mistakes are the findings that waiting alone does not mend: that a record is
// not there yet is what is waited for.
func mistakes(c *app.DomainCheck) []portal.Finding {
	return slices.DeleteFunc(slices.Clone(c.Findings), func(f portal.Finding) bool {
		return f.Code == "proof-missing" || f.Code == "address-missing"
	})
}

// errWidth is how wide the terminal is that conversation goes to; 0 when it
// goes elsewhere or nobody wants it.
func (e *Env) errWidth() int {
	f, ok := e.Err.(*os.File)
	if !ok || e.Config != nil && e.Config.Quiet || !term.IsTerminal(int(f.Fd())) { // #nosec G115 -- a descriptor fits
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd())) // #nosec G115 -- a descriptor fits
	if err != nil || width < 20 {
		return 0
	}
	return width
}

// waitingFor names the records that are not there yet.
func waitingFor(c *app.DomainCheck) string {
	var open []string
	for _, r := range c.Records {
		if !r.OK && (r.Proof || !c.Arrives) {
			open = append(open, fmt.Sprintf("the %s record of %s", r.Type, r.Name))
		}
	}
	if len(open) == 0 {
		return "visitors to arrive"
	}
	return strings.Join(open, " and ")
}
