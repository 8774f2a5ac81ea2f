package app

import (
	"context"
	"fmt"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Known is what a set-up can choose from.
type Known struct {
	Domains   []portal.Domain
	Portals   []portal.Portal
	Inboxes   []portal.Inbox
	Groups    []portal.Group
	Addresses []portal.Address
	Address   string // where visitors of connected domains are to be sent, as SetAddress kept it
}

// NewKnown is what a store that is yet to be made will hold: the system
// domain and nothing else.
func NewKnown() *Known {
	return &Known{Domains: []portal.Domain{{ID: 1, Kind: portal.SystemDomain, Language: defaultLanguage}}}
}

// Known reads what a set-up can choose from.
func (a *App) Known(ctx context.Context) (k *Known, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		k, err = readKnown(ctx, tx)
		return err
	})
	return k, err
}

func readKnown(ctx context.Context, tx *store.Tx) (*Known, error) {
	var k Known
	var err error
	if k.Domains, err = tx.Domains(ctx); err != nil {
		return nil, err
	}
	if k.Portals, err = tx.Portals(ctx); err != nil {
		return nil, err
	}
	if k.Inboxes, err = tx.Inboxes(ctx); err != nil {
		return nil, err
	}
	if k.Addresses, err = tx.Addresses(ctx); err != nil {
		return nil, err
	}
	if k.Address, err = tx.Meta(ctx, metaAddress); err != nil {
		return nil, err
	}
	k.Groups, err = tx.Groups(ctx)
	return &k, err
}

// At returns the portal at a domain and slug, or nil.
func (k *Known) At(domain portal.DomainID, slug string) *portal.Portal {
	for i, p := range k.Portals {
		if p.DomainID == domain && p.Slug == slug {
			return &k.Portals[i]
		}
	}
	return nil
}

// Free says why no new portal can lie at a domain and slug; nil when one can.
// A former address of another portal is in nobody's way.
func (k *Known) Free(domain portal.DomainID, slug string) error {
	if p := k.At(domain, slug); p != nil {
		return fmt.Errorf("the portal %q is at this address; choose another", p.Name)
	}
	for _, at := range k.Addresses {
		if at.Domain.ID == domain && at.Slug == slug && at.Kind == portal.FurtherAddress {
			return takenBy(&at, k.Portals)
		}
	}
	return nil
}
