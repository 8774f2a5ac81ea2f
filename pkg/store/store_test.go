package store_test

import (
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

func TestStoreKeepsWhatWasWritten(t *testing.T) {
	s := portaltest.Store(t)
	ctx := t.Context()
	co := portal.Company{Name: "Öresund AB", Domain: "oresund.example"}
	c := portal.Contact{Email: "anna@oresund.example", Name: "Anna", Properties: map[string]string{"a": "b"}}
	if err := s.Write(ctx, func(tx *store.Tx) error {
		if err := tx.AddCompany(ctx, &co); err != nil {
			return err
		}
		c.Primary = co.ID
		return tx.AddContact(ctx, &c)
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Read(ctx, func(tx *store.Tx) error {
		got, err := tx.ContactByEmail(ctx, c.Email)
		if err != nil {
			return err
		}
		if got.ID != c.ID || got.Primary != co.ID || !got.In(co.ID) || got.Properties["a"] != "b" || !got.CreatedAt.Equal(portaltest.Start) {
			t.Errorf("got %+v, want %+v", got, c)
		}
		v, err := tx.Visitor(ctx, nil, 1)
		if err != nil {
			return err
		}
		if v.SettingsVersion != 1 || v.Session != nil || v.Contact != nil {
			t.Errorf("visitor %+v", v)
		}
		if k, err := tx.CompanyByName(ctx, "öresund ab"); err != nil || k.ID != co.ID {
			t.Errorf("company by name: %v, %v", k, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(ctx); err != nil {
		t.Error(err)
	}
}
