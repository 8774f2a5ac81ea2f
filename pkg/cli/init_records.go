package cli

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/dns"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

// watchEvery is how long the wizard waits between two looks at the records of a
// new domain.
const watchEvery = 5 * time.Second

// domainWatch looks for the records of a domain that is being connected, while
// the wizard shows them. It may be asked at any time what is known so far.
type domainWatch struct {
	begin func() (context.Context, context.CancelFunc)
	first func(host string) string // what is shown before anything is known
	look  func(ctx context.Context, host string) (*app.DomainCheck, error)

	mu    sync.Mutex
	host  string
	end   context.CancelFunc
	text  string
	looks sync.WaitGroup
}

// newDomainWatch looks as domain connect would, from no store: there may be
// none yet.
func newDomainWatch(ctx context.Context, env *Env, w *wizard) *domainWatch {
	o := app.Options{Now: env.Now, Resolver: dns.New(dns.Options{Server: env.Config.Resolver})}
	a := app.New(o)
	return &domainWatch{
		begin: func() (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
		first: func(host string) string {
			d := portal.Domain{Host: host, Token: w.token}
			return "TXT " + d.ProofName() + "\n" + d.ProofValue() + "\nLooking ..."
		},
		look: func(ctx context.Context, host string) (*app.DomainCheck, error) {
			return a.LookAtNew(ctx, host, w.token, w.base, w.known.Address)
		},
	}
}

// follow looks for a host's records from now on, and for no other's.
func (d *domainWatch) follow(host string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if host == d.host {
		return
	}
	if d.end != nil {
		d.end()
	}
	ctx, end := d.begin()
	d.host, d.end, d.text = host, end, d.first(host)
	d.looks.Go(func() {
		for ctx.Err() == nil {
			c, err := d.look(ctx, host)
			if ctx.Err() != nil {
				return
			}
			var text string
			if err != nil {
				text = "They could not be looked for: " + err.Error()
			} else {
				text = recordWords(c)
			}
			d.mu.Lock()
			if d.host == host {
				d.text = text
			}
			d.mu.Unlock()
			if err == nil && c.Holds() {
				return
			}
			next := time.NewTimer(watchEvery)
			select {
			case <-ctx.Done():
			case <-next.C:
			}
			next.Stop()
		}
	})
}

// words are the records and what was found of them.
func (d *domainWatch) words() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text
}

// stop ends the looking.
func (d *domainWatch) stop() {
	d.mu.Lock()
	if d.end != nil {
		d.end()
	}
	d.mu.Unlock()
	d.looks.Wait()
}

// recordWords are the records as they are pasted into a form, and what was
// found so far.
func recordWords(c *app.DomainCheck) string {
	var lines []string
	for _, r := range c.Records {
		state := "waiting for it"
		if r.OK {
			state = "found"
		}
		lines = append(lines, r.Type+" "+r.Name+" ("+state+")", r.Value)
	}
	if list := mistakes(c); len(list) > 0 {
		// The worst has to do here; domain verify tells all.
		lines = append(lines, list[0].About+": "+list[0].Found)
	}
	if c.Holds() {
		lines = append(lines, "Everything is found.")
	}
	return output.CleanText(strings.Join(lines, "\n"))
}
