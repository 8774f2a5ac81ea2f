package store_test

import (
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// An address that stands for two contacts would let one in as the other.
func TestAddressToSignInWithIsOneContacts(t *testing.T) {
	s, ctx := portaltest.Store(t), t.Context()
	add := func(email, member string) (*portal.Contact, error) {
		c := &portal.Contact{Email: email, MemberEmail: member}
		return c, s.Write(ctx, func(tx *store.Tx) error { return tx.AddContact(ctx, c) })
	}
	ana, err := add("ana@example.com", "ana@home.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := add("bo@example.com", "bo@example.com"); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{"ana@home.example", ""}, {"cy@example.com", "bo@example.com"}, {"cy@example.com", "ana@home.example"}, {"ana@example.com", ""},
	} {
		if _, err := add(c[0], c[1]); portal.KindOf(err) != portal.Conflict {
			t.Errorf("a contact %s with the member e-mail %q: %v, want a conflict", c[0], c[1], err)
		}
	}
	ana.MemberEmail = "bo@example.com"
	save := func() error { return s.Write(ctx, func(tx *store.Tx) error { return tx.SaveContact(ctx, ana) }) }
	if err := save(); portal.KindOf(err) != portal.Conflict {
		t.Errorf("taking another contact's address: %v, want a conflict", err)
	}
	ana.MemberEmail = "ana@new.example"
	if err := save(); err != nil {
		t.Error(err)
	}
}

func TestCountingByMoreThanOne(t *testing.T) {
	s, clock := portaltest.StoreClock(t)
	ctx := t.Context()
	count := func(n int64) (c store.Counter) {
		if err := s.Write(ctx, func(tx *store.Tx) (err error) {
			c, err = tx.CountBy(ctx, "k", n, time.Hour)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return c
	}
	if a, b := count(5).Count, count(7).Count; a != 5 || b != 12 {
		t.Errorf("counted to %d and %d, want 5 and 12", a, b)
	}
	clock.Add(2 * time.Hour)
	if n := count(3).Count; n != 3 {
		t.Errorf("after it ran out, counted to %d, want 3", n)
	}
}
