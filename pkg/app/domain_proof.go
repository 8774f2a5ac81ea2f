package app

import (
	"context"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// When serve looks at the proofs of domains again. The daily look comes up to
// proofJitter early, by domain, so that not all of them are looked at together;
// a lost proof is looked for every hour.
const (
	proofEvery   = 24 * time.Hour
	proofJitter  = 3 * time.Hour
	lostEvery    = time.Hour
	proofTick    = 10 * time.Minute
	proofTimeout = 2 * time.Minute // for one domain
)

// watchDomains looks at the proofs of domains again as their time comes, until
// ctx ends.
func (a *App) watchDomains(ctx context.Context) {
	// Servers started together do not all look in the same moment.
	next := time.NewTimer(time.Minute + rand.N(proofTick)) // #nosec G404 -- spreads load, guards nothing
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		if err := a.RecheckDomains(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("looking at domains again failed", "error", err)
		}
		next.Reset(proofTick)
	}
}

// RecheckDomains looks at each proof whose time has come. Of several servers on
// one store, one does.
func (a *App) RecheckDomains(ctx context.Context) error {
	for {
		d, err := a.claimRecheck(ctx)
		if err != nil || d == nil {
			return err
		}
		a.recheck(ctx, d)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// claimRecheck takes the next domain to be looked at; nil when there is none.
// The time of the look is written before it, which keeps others from it.
func (a *App) claimRecheck(ctx context.Context) (claimed *portal.Domain, err error) {
	find := func(tx *store.Tx) error {
		claimed = nil
		domains, err := tx.Domains(ctx)
		for i := range domains {
			if recheckDue(&domains[i], tx.Now) {
				claimed = &domains[i]
				break
			}
		}
		return err
	}
	// Looking costs nobody anything; only a claim is a write.
	if err := a.store.Read(ctx, find); err != nil || claimed == nil {
		return nil, err
	}
	return claimed, a.store.Write(ctx, func(tx *store.Tx) error {
		if err := find(tx); err != nil || claimed == nil {
			return err
		}
		claimed.CheckedAt = tx.Now
		return tx.SaveDomain(ctx, claimed)
	})
}

// recheckDue reports whether it is time to look at a domain's proof again.
// After the clock was put back, a look that lies ahead counts as none.
func recheckDue(d *portal.Domain, now time.Time) bool {
	if d.Kind != portal.ConnectedDomain || !d.Verified() {
		return false
	}
	every := proofEvery - time.Duration(crc32.ChecksumIEEE([]byte(d.Token)))%proofJitter
	if !d.LostAt.IsZero() {
		every = lostEvery
	}
	return now.Before(d.CheckedAt) || now.Sub(d.CheckedAt) >= every
}

// recheck looks at one proof and logs what became of it. Like a request, it
// costs nothing but itself when it fails.
func (a *App) recheck(ctx context.Context, d *portal.Domain) {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			a.log.Error("looking at a domain panicked", "host", d.Host, "panic", r, "stack", string(debug.Stack()))
		}
	}()
	c, err := a.CheckDomain(ctx, d)
	switch {
	case portal.KindOf(err) == portal.NotFound || portal.KindOf(err) == portal.Conflict:
		// Removed or connected anew meanwhile.
	case err != nil:
		a.log.Warn("looking at a domain again failed", "host", d.Host, "error", err)
	case !c.Domain.LostAt.IsZero():
		a.log.Warn("the proof of a domain is gone", "host", d.Host, "since", c.Domain.LostAt, "found", c.Domain.LostWhy,
			"no_new_sign_in_from", c.Domain.LostAt.Add(portal.ProofGrace))
	case !d.LostAt.IsZero():
		a.log.Info("the proof of a domain is found again", "host", d.Host)
	case !c.Proven:
		a.log.Warn("the proof of a domain could not be looked up", "host", d.Host, "error", c.Records[0].Err)
	}
}

// LostWords tell since when a domain's proof is gone, and what that leads to.
func LostWords(d *portal.Domain, now time.Time) string {
	since := fmt.Sprintf("the proof of %s is gone since %s (%s)", d.Host, d.LostAt.Local().Format(time.DateTime), d.LostWhy)
	if d.ProofExpired(now) {
		return since + "; nobody new signs in there until it is found again"
	}
	return fmt.Sprintf("%s; from %s on nobody new signs in there", since, d.LostAt.Add(portal.ProofGrace).Local().Format(time.DateTime))
}

// stopped is the refusal of a sign-in where the proof of the domain has been
// gone for too long: who it belongs to by now is not known. It may be the
// portal's own, or the one the visitor came by.
func stopped(v *Visit, now time.Time) error {
	for _, d := range []*portal.Domain{&v.Portal.Domain, v.Domain} {
		if d != nil && d.ProofExpired(now) {
			return portal.Forbiddenf("domain.proof_lost", "nobody new signs in on %s: its proof is gone since %s", d.Host, d.LostAt.Format(time.DateOnly)).
				WithHint("put the TXT record back, then: portalctl domain verify %s", d.Host)
		}
	}
	return nil
}
