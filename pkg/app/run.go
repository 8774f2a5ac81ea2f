package app

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"github.com/portalctl/portalctl/pkg/store"
)

// Limits on work done after an answer: how much may wait, and how long one
// piece may take.
const (
	laterQueue   = 4096
	laterWorkers = 2
	laterTimeout = 30 * time.Second
	sweepEvery   = 10 * time.Minute
	tidyEvery    = 24 * time.Hour
	sweepRows    = 1000
)

// Run does what has to be done while pages are served, until ctx ends: work
// put off until after an answer, sending mail and agents' answers, sweeping
// out what has run out, looking after the desk, telling its open pages what
// changed, looking at the proofs of domains again. It returns when all of it has stopped; work already accepted is
// finished.
func (a *App) Run(ctx context.Context) {
	var workers, rest sync.WaitGroup
	queue := make(chan func(context.Context) error, laterQueue)
	a.laterMu.Lock()
	a.later = queue
	a.laterMu.Unlock()
	for range laterWorkers {
		workers.Go(func() {
			for work := range queue {
				a.do(work)
			}
		})
	}
	if a.mailer != nil {
		rest.Go(func() { a.Deliver(ctx) })
	}
	rest.Go(func() { a.sendAnswers(ctx) })
	rest.Go(func() { a.sweep(ctx) })
	rest.Go(func() { a.lookAfter(ctx) })
	rest.Go(func() { a.follow(ctx) })
	rest.Go(func() { a.watchDomains(ctx) })
	<-ctx.Done()
	a.laterMu.Lock()
	a.later = nil
	a.laterMu.Unlock()
	close(queue)
	workers.Wait()
	rest.Wait()
}

// afterwards does work behind the answer to a request, so that the answer
// takes the same time whatever there is to do. Without Run, and when too much
// waits already, the work is done at once. Its error is logged.
func (a *App) afterwards(work func(context.Context) error) {
	a.laterMu.RLock()
	if a.later != nil {
		select {
		case a.later <- work:
			a.laterMu.RUnlock()
			return
		default:
		}
	}
	a.laterMu.RUnlock()
	a.do(work)
}

func (a *App) do(work func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), laterTimeout)
	defer cancel()
	defer func() {
		// Like a request, it costs nothing but itself.
		if r := recover(); r != nil {
			a.log.Error("work after an answer panicked", "panic", r, "stack", string(debug.Stack()))
		}
	}()
	if err := work(ctx); err != nil {
		a.log.Error("work after an answer failed", "error", err)
	}
}

// sweep removes what has run out: old links, sessions, counters, drafts, and
// files that no message names.
func (a *App) sweep(ctx context.Context) {
	tick, daily := time.NewTicker(sweepEvery), time.NewTicker(tidyEvery)
	defer tick.Stop()
	defer daily.Stop()
	a.tidy(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-daily.C:
			a.tidy(ctx)
			continue
		case <-tick.C:
		}
		if err := a.endLooks(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("ending looks failed", "error", err)
		}
		for {
			var n int
			err := a.store.Write(ctx, func(tx *store.Tx) (err error) {
				n, err = tx.Sweep(ctx, sweepRows)
				return err
			})
			if err != nil {
				a.log.Warn("sweeping the store failed", "error", err)
			}
			if err != nil || n < sweepRows {
				break
			}
		}
		if err := a.sweepIncoming(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("sweeping mail that came in failed", "error", err)
		}
		if err := a.sweepFiles(ctx); err != nil {
			a.log.Warn("sweeping files failed", "error", err)
		}
	}
}

// tidy keeps the store's lists fast as it grows.
func (a *App) tidy(ctx context.Context) {
	if err := a.store.Tidy(ctx); err != nil && ctx.Err() == nil {
		a.log.Warn("tidying the store failed", "error", err)
	}
	if err := a.pruneAudit(ctx); err != nil && ctx.Err() == nil {
		a.log.Warn("pruning the audit log failed", "error", err)
	}
}
