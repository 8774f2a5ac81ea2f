package store_test

import (
	"testing"

	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

func TestNewStoreKnowsNobody(t *testing.T) {
	s, _ := portaltest.StoreClock(t)
	err := s.Read(t.Context(), func(tx *store.Tx) error {
		agents, err := tx.Agents(t.Context())
		if err != nil || len(agents) != 0 {
			t.Errorf("a new store has the agents %v, %v", agents, err)
		}
		contacts, err := tx.Contacts(t.Context(), store.ContactFilter{Limit: 1})
		if len(contacts) != 0 {
			t.Errorf("a new store has the contacts %v", contacts)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
