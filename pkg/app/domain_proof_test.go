package app

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
)

// proofs is a domain whose proof was found, and what serve logs about it.
type proofs struct {
	*App
	t     *testing.T
	names *portaltest.DNS
	clock *portaltest.Clock
	d     *portal.Domain
	log   bytes.Buffer
}

func newProofs(t *testing.T) *proofs {
	t.Helper()
	p := &proofs{t: t, names: portaltest.NewDNS(t)}
	p.App, p.clock = domainApp(t, DefaultBaseURL, asking(p.names))
	p.App.log = slog.New(slog.NewTextHandler(&p.log, nil))
	p.d = connect(t, p.App, "support.example.com")
	p.prove()
	if _, err := p.CheckDomain(t.Context(), p.d); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *proofs) prove() { p.names.Set(p.d.ProofName(), "TXT", p.d.ProofValue()) }

// after lets time pass and then looks as serve does.
func (p *proofs) after(d time.Duration) *portal.Domain {
	p.t.Helper()
	p.clock.Add(d)
	if err := p.RecheckDomains(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	return p.now()
}

func (p *proofs) now() *portal.Domain {
	p.t.Helper()
	d, err := p.Domain(p.t.Context(), p.d.Host)
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

func TestProofsAreLookedAtEveryDayByOneServer(t *testing.T) {
	p := newProofs(t)
	asked := p.names.Asked()
	if p.after(proofEvery - proofJitter - time.Minute); p.names.Asked() != asked {
		t.Error("a proof was looked at again before its time")
	}
	d := p.after(proofJitter + time.Minute)
	if p.names.Asked() == asked || !d.CheckedAt.Equal(p.clock.Now()) || !d.LostAt.IsZero() {
		t.Errorf("a day later: %+v, want it looked at and found", d)
	}
	// Another server on the same store finds nothing to do.
	asked = p.names.Asked()
	other := New(Options{Store: p.Store(), Now: p.clock.Now, Resolver: asking(p.names)})
	if err := other.RecheckDomains(t.Context()); err != nil || p.names.Asked() != asked {
		t.Errorf("another server asked %d questions, %v; want none", p.names.Asked()-asked, err)
	}
	// A clock that was put back does not end the looking.
	if d := p.after(-30 * 24 * time.Hour); !d.CheckedAt.Equal(p.clock.Now()) {
		t.Errorf("after the clock was put back, last looked at %v", d.CheckedAt)
	}
}

func TestLostProofWarnsThenStopsAndIsFoundAgain(t *testing.T) {
	p := newProofs(t)
	// That nobody can be asked loses nothing.
	p.names.Break(p.d.ProofName())
	if d := p.after(proofEvery); !d.LostAt.IsZero() || !strings.Contains(p.log.String(), "could not be looked up") {
		t.Errorf("a failing name server: lost at %v, logged\n%s", d.LostAt, &p.log)
	}
	p.names.Mend(p.d.ProofName())
	p.names.Set(p.d.ProofName(), "TXT", "portalctl-verification=somebody-else")
	d := p.after(proofEvery)
	lost := p.clock.Now()
	if !d.LostAt.Equal(lost) || !strings.Contains(d.LostWhy, "another portal") || !d.Verified() || d.ProofExpired(lost) {
		t.Errorf("another text: %+v; want it lost now, verified and in its grace", d)
	}
	if log := p.log.String(); !strings.Contains(log, "the proof of a domain is gone") || !strings.Contains(log, "no_new_sign_in_from=") {
		t.Errorf("logged\n%s", log)
	}
	setUp(t, p.App, Setup{Domain: p.d.Host})
	status := func() string {
		s, err := p.Status(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range s.Missing {
			if strings.Contains(m.What, "the proof of") {
				return m.What
			}
		}
		return ""
	}
	if s := status(); !strings.Contains(s, "on nobody new signs in there") {
		t.Errorf("status in the grace says %q", s)
	}
	// It is looked for every hour, and the day it went stays.
	if d = p.after(time.Hour); !d.CheckedAt.Equal(p.clock.Now()) || !d.LostAt.Equal(lost) {
		t.Errorf("an hour later: %+v; want it looked for, and lost since then", d)
	}
	if d = p.after(portal.ProofGrace); !d.ProofExpired(p.clock.Now()) {
		t.Errorf("after the grace: %+v; want it to have run out", d)
	}
	if s := status(); !strings.Contains(s, "nobody new signs in there until it is found again") {
		t.Errorf("status after the grace says %q", s)
	}
	p.prove()
	if d = p.after(time.Hour); !d.LostAt.IsZero() || d.LostWhy != "" || d.ProofExpired(p.clock.Now()) {
		t.Errorf("found again: %+v; want all well", d)
	}
	if s := status(); s != "" {
		t.Errorf("status when it is found again says %q", s)
	}
	lines, err := p.AuditLog(t.Context(), AuditQuery{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	var got []portal.AuditKind
	for _, l := range lines {
		if strings.HasPrefix(string(l.Kind), "domain.pro") {
			got = append(got, l.Kind)
		}
	}
	if want := []portal.AuditKind{portal.AuditDomainFound, portal.AuditDomainLost, portal.AuditDomainProven}; !slices.Equal(got, want) {
		t.Errorf("entries %q, want %q", got, want)
	}
}
