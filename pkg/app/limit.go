package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"net/netip"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// The limits of security section 10. Counters lie in the store, so that a
// restart is no reset and several servers count together.
const (
	signInMails       = 5 // to one address
	signInMailsWindow = 15 * time.Minute
	requestsPerNet    = 60 // links, resets asked for from one network
	registrationsNet  = 20
	ticketsPerHour    = 300
	draftsPerHour     = 1200           // pages keep what is typed every few seconds
	proofWindow       = 24 * time.Hour // one fixed text a day to an address nobody proved

	freeFailures    = 5  // of one account, before it slows
	freeNetFailures = 50 // of one network
	failureWindow   = 24 * time.Hour
	firstPause      = 15 * time.Second
	longestPause    = 15 * time.Minute
)

// network is what counts as one network: an IPv4 address, an IPv6 /64.
func (d Device) network() string {
	addr, err := netip.ParseAddr(d.Address)
	if err != nil {
		return "unknown"
	}
	addr = addr.Unmap()
	if addr.Is6() {
		prefix, err := addr.Prefix(64)
		if err == nil {
			return prefix.String()
		}
	}
	return addr.String()
}

// addressKey stands for an address in a counter: of one length, whatever a
// stranger sends, and readable to nobody.
func addressKey(email string) string {
	sum := sha256.Sum256([]byte(email))
	return hex.EncodeToString(sum[:16])
}

// allow counts one use of key and refuses the one after max in a window.
func (a *App) allow(ctx context.Context, key string, limit int, window time.Duration) error {
	return a.store.Write(ctx, func(tx *store.Tx) error { return allowIn(ctx, tx, key, limit, window) })
}

func allowIn(ctx context.Context, tx *store.Tx, key string, limit int, window time.Duration) error {
	c, err := tx.Count(ctx, key, window)
	if err != nil {
		return err
	}
	if c.Count > limit {
		return tooMany("limit.requests", "too many requests", c.Until.Sub(tx.Now))
	}
	return nil
}

// tooMany is a refusal that says when to come back.
func tooMany(code, msg string, wait time.Duration) *portal.Error {
	seconds := int(math.Ceil(max(wait, time.Second).Seconds()))
	e := &portal.Error{Kind: portal.TooMany, Code: code, Msg: msg, Hint: "wait a little and try again"}
	return e.With("RetryAfter", seconds).With("Minutes", (seconds+59)/60)
}

// blocked refuses a sign-in while the account or the network is slowed down.
func (a *App) blocked(ctx context.Context, keys ...string) error {
	return a.store.Read(ctx, func(tx *store.Tx) error { return blockedIn(ctx, tx, keys...) })
}

func blockedIn(ctx context.Context, tx *store.Tx, keys ...string) error {
	for _, key := range keys {
		c, err := tx.Counter(ctx, key)
		if err != nil {
			return err
		}
		// A block further away than the longest pause comes from a clock that
		// jumped, and counts as over.
		if wait := c.BlockedAt.Sub(tx.Now); wait > 0 && wait <= longestPause {
			return tooMany("sign_in.slow", "too many failed sign-ins", wait)
		}
	}
	return nil
}

// failed counts a failed sign-in of the account and of the network, slows both
// down (not at all at first, then twice as long each time) and writes it down.
func (a *App) failed(ctx context.Context, account, network string, e portal.AuditEntry) error {
	return a.store.Write(ctx, func(tx *store.Tx) error { return a.failedIn(ctx, tx, account, network, e) })
}

func (a *App) failedIn(ctx context.Context, tx *store.Tx, account, network string, e portal.AuditEntry) error {
	if err := a.audit(ctx, tx, e); err != nil {
		return err
	}
	for _, k := range []struct {
		key  string
		free int
	}{{account, freeFailures}, {network, freeNetFailures}} {
		if k.key == "" {
			continue // it is not known whose account
		}
		c, err := tx.Count(ctx, k.key, failureWindow)
		if err != nil {
			return err
		}
		over := c.Count - k.free
		if over < 0 {
			continue
		}
		pause := min(firstPause<<min(over, 10), longestPause)
		if err := tx.Block(ctx, k.key, tx.Now.Add(pause)); err != nil {
			return err
		}
	}
	return nil
}
