package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

const (
	// checkTime bounds reading every page of the store; large ones take longer.
	checkTime = 8 * time.Second
	// Room on the disk: below the first files are refused soon, below the
	// second it is time to think of it.
	littleRoom = 256 << 20
	someRoom   = 2 << 30
)

func (a *App) storeChecks() []Check {
	path := a.store.Path()
	return []Check{
		{"store", path, a.checkIntegrity},
		{"store", path, a.checkRoom},
		{"store", path, a.checkRights},
	}
}

func (a *App) checkIntegrity(ctx context.Context) []portal.Finding {
	const code = "store.integrity"
	path := a.store.Path()
	size, err := a.store.Size()
	if err != nil {
		return cannot(code, path, err)
	}
	bounded, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	begun := time.Now()
	err = a.store.Check(bounded)
	switch {
	case err == nil:
		return []portal.Finding{holds(code, path, fmt.Sprintf("%s, whole", bytesOf(size)))}
	case bounded.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		return []portal.Finding{holds(code, path, fmt.Sprintf("%s, no damage found in %v; that was not time enough for all of it", bytesOf(size), time.Since(begun).Round(time.Second)))}
	}
	return []portal.Finding{fails(code, path, oneLine(err.Error()), "a whole store", "stop serve, and put a backup in its place")}
}

func (a *App) checkRoom(context.Context) []portal.Finding {
	const code = "store.room"
	path := a.store.Path()
	free, known := a.store.Room()
	if !known {
		return nil
	}
	found, wanted := bytesOf(free)+" free on its disk", bytesOf(someRoom)+" at least"
	const todo = "make room, or move the store to a larger disk"
	switch {
	case free < littleRoom:
		return []portal.Finding{fails(code, path, found, wanted, todo)}
	case free < someRoom:
		return []portal.Finding{warns(code, path, found, wanted, todo)}
	}
	return []portal.Finding{holds(code, path, found)}
}

func (a *App) checkRights(context.Context) []portal.Finding {
	const code = "store.rights"
	open, err := a.store.OpenToOthers()
	if err != nil {
		return cannot(code, a.store.Path(), err)
	}
	var all []portal.Finding
	for _, o := range open {
		all = append(all, fails(code, o.Path, fmt.Sprintf("others may use it (%#o)", o.Mode.Perm()), fmt.Sprintf("%#o", o.Want), fmt.Sprintf("chmod %o %s", o.Want, o.Path)))
	}
	if len(all) == 0 {
		all = append(all, holds(code, a.store.Path(), "store, key and files are for their owner alone"))
	}
	return all
}

// bytesOf is a size as people read it.
func bytesOf(n int64) string {
	for _, unit := range []string{"bytes", "KiB", "MiB", "GiB", "TiB"} {
		if n < 1024 || unit == "TiB" {
			return fmt.Sprintf("%d %s", n, unit)
		}
		if n < 10*1024 && unit != "bytes" {
			return fmt.Sprintf("%.1f %s", float64(n)/1024, map[string]string{"KiB": "MiB", "MiB": "GiB", "GiB": "TiB"}[unit])
		}
		n /= 1024
	}
	return ""
}

const (
	// clockSlack is what clocks may differ by, the way an answer takes included.
	clockSlack = 30 * time.Second
	// clockLimit is where sign-in codes and certificates begin to fail.
	clockLimit = 2 * time.Minute
)

func (a *App) clockChecks(o DoctorOptions) []Check {
	checks := []Check{{"clock", "this machine's clock", a.checkNewest}}
	for _, address := range o.Clocks {
		checks = append(checks, Check{"clock", address, func(ctx context.Context) []portal.Finding {
			return a.checkClock(ctx, o.Reach, address)
		}})
	}
	return checks
}

// checkNewest compares the clock with the newest row: time that has passed
// cannot lie ahead.
func (a *App) checkNewest(ctx context.Context) []portal.Finding {
	const code, about = "clock.store", "this machine's clock"
	var newest, now time.Time
	err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
		now = tx.Now
		newest, err = tx.Newest(ctx)
		return err
	})
	if err != nil {
		return cannot(code, about, err)
	}
	if ahead := newest.Sub(now); ahead > clockSlack {
		return []portal.Finding{fails(code, about,
			fmt.Sprintf("%s, which is %v before the newest entry in the store", now.UTC().Format(time.DateTime), ahead.Round(time.Second)),
			"a clock that does not go back", "set the clock, and let it follow a time server: timedatectl set-ntp true")}
	}
	return []portal.Finding{holds(code, about, now.UTC().Format(time.DateTime)+" UTC, after everything in the store")}
}

// checkClock compares the clock with the time another server gives.
func (a *App) checkClock(ctx context.Context, o ReachOptions, address string) []portal.Finding {
	const code = "clock.others"
	client := o.client()
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return cannot(code, address, err)
	}
	sent := a.now()
	res, err := client.Do(r)
	if err != nil {
		return []portal.Finding{warns(code, address, "it does not answer: "+oneLine(rootOf(err).Error()), "an answer, with the time", "look whether this machine may connect to it")}
	}
	_ = res.Body.Close()
	date, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return nil
	}
	// Between both moments it was looked up, to the second.
	middle := sent.Add(a.now().Sub(sent) / 2)
	off := middle.Sub(date).Abs()
	found := fmt.Sprintf("this machine's clock differs by %v from it", off.Round(time.Second))
	const todo = "set the clock, and let it follow a time server: timedatectl set-ntp true"
	switch {
	case off > clockLimit:
		return []portal.Finding{fails(code, address, found, clockSlack.String()+" at most", todo)}
	case off > clockSlack:
		return []portal.Finding{warns(code, address, found, clockSlack.String()+" at most", todo)}
	}
	return []portal.Finding{holds(code, address, found)}
}
