package store_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func TestSecondFactorBelongsToOnePerson(t *testing.T) {
	d := newDesk(t)
	anna, bob := portal.Person{Contact: d.anna.ID}, portal.Person{Agent: d.agent.ID}
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.SetSecondFactor(ctx, anna, []byte("first"), 10); err != nil {
			return err
		}
		return tx.SetSecondFactor(ctx, anna, []byte("second"), 20)
	})
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		f, err := tx.SecondFactor(ctx, anna)
		if err != nil || !bytes.Equal(f.Secret, []byte("second")) || f.LastStep != 20 || !f.ConfirmedAt.Equal(tx.Now) {
			t.Errorf("Anna's app is %+v, %v; want the second one, from now", f, err)
		}
		if _, err := tx.SecondFactor(ctx, bob); code(t, err) != "factor.none" {
			t.Errorf("the agent's app: %v; want factor.none", err)
		}
		agent, err := tx.Agent(ctx, d.agent.ID)
		if err != nil || agent.HasFactor {
			t.Errorf("the agent has an app: %t, %v; want none", agent.HasFactor, err)
		}
		if had, err := tx.RemoveSecondFactor(ctx, bob); had || err != nil {
			t.Errorf("removing the agent's app: %t, %v; want false", had, err)
		}
		if had, err := tx.RemoveSecondFactor(ctx, anna); !had || err != nil {
			t.Errorf("removing Anna's app: %t, %v; want true", had, err)
		}
		return nil
	})
}

func TestOneStepIsAcceptedOnce(t *testing.T) {
	d := newDesk(t)
	anna := portal.Person{Contact: d.anna.ID}
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		return tx.SetSecondFactor(ctx, anna, []byte("sealed"), 10)
	})
	accepted := race(t, 50, func() bool {
		var ok bool
		err := d.Write(t.Context(), func(tx *store.Tx) (err error) {
			ok, err = tx.AcceptStep(t.Context(), anna, 11)
			return err
		})
		return ok && err == nil
	})
	if accepted != 1 {
		t.Errorf("the step was accepted %d times, want once", accepted)
	}
}

func TestOneRecoveryCodeWorksOnce(t *testing.T) {
	d := newDesk(t)
	anna, other := portal.Person{Contact: d.anna.ID}, portal.Person{Agent: d.agent.ID}
	var hashes [][]byte
	for i := range 10 {
		hashes = append(hashes, fmt.Appendf(nil, "hash %d", i))
	}
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error { return tx.SetRecoveryCodes(ctx, anna, hashes) })
	if err := attempt(t, d.Store, func(ctx context.Context, tx *store.Tx) error { return tx.UseRecoveryCode(ctx, other, hashes[0]) }); code(t, err) != "factor.recovery" {
		t.Errorf("somebody else's code: %v; want factor.recovery", err)
	}
	used := race(t, 50, func() bool {
		return d.Write(t.Context(), func(tx *store.Tx) error { return tx.UseRecoveryCode(t.Context(), anna, hashes[0]) }) == nil
	})
	if used != 1 {
		t.Errorf("the code worked %d times, want once", used)
	}
	left := func() (n int) {
		write(t, d.Store, func(ctx context.Context, tx *store.Tx) (err error) {
			n, _, err = tx.RecoveryCodes(ctx, anna)
			return err
		})
		return n
	}
	if n := left(); n != 9 {
		t.Errorf("%d codes are left, want 9", n)
	}
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		return tx.SetRecoveryCodes(ctx, anna, [][]byte{[]byte("new")})
	})
	if err := attempt(t, d.Store, func(ctx context.Context, tx *store.Tx) error { return tx.UseRecoveryCode(ctx, anna, hashes[1]) }); code(t, err) != "factor.recovery" {
		t.Errorf("an older code after new ones were made: %v; want factor.recovery", err)
	}
	if n := left(); n != 1 {
		t.Errorf("%d codes are left, want the one new one", n)
	}
}

// race runs try n times at once and counts how often it succeeded.
func race(t *testing.T, n int, try func() bool) int32 {
	t.Helper()
	var wins atomic.Int32
	var all sync.WaitGroup
	start := make(chan struct{})
	for range n {
		all.Go(func() {
			<-start
			if try() {
				wins.Add(1)
			}
		})
	}
	close(start)
	all.Wait()
	return wins.Load()
}
