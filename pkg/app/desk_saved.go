package app

import (
	"context"
	"slices"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// SaveView keeps a query under a name, for the agent alone or for everybody.
// What it finds is for each reader what they may see.
func (a *App) SaveView(ctx context.Context, v *Visit, name string, shared bool, q portal.DeskQuery) (*portal.DeskView, error) {
	name, err := requiredLine("name", name)
	if err != nil {
		return nil, err
	}
	q = q.Clean()
	q.Words = clip(q.Words, portal.MaxLine)
	var view *portal.DeskView
	err = a.changeViews(ctx, v, func(tx *store.Tx, have []portal.DeskView) error {
		own := 0
		for i := range have {
			if have[i].Agent == v.Agent.ID {
				own++
			}
		}
		if own >= portal.MaxDeskViews {
			return portal.Conflictf("desk_view.many", "an agent keeps at most %d views", portal.MaxDeskViews).With("Max", portal.MaxDeskViews)
		}
		view = &portal.DeskView{Agent: v.Agent.ID, Name: name, Shared: shared, Query: q}
		return tx.AddDeskView(ctx, view)
	})
	return view, err
}

// RenameView gives a view another name, and says whether everybody has it.
func (a *App) RenameView(ctx context.Context, v *Visit, id int64, name string, shared bool) error {
	name, err := requiredLine("name", name)
	if err != nil {
		return err
	}
	return a.changeView(ctx, v, id, func(tx *store.Tx, view *portal.DeskView, _ []portal.DeskView) error {
		view.Name, view.Shared = name, shared
		return tx.SaveDeskView(ctx, view)
	})
}

// MoveView moves a view one place up or down among those of its owner. At the
// end nothing moves.
func (a *App) MoveView(ctx context.Context, v *Visit, id int64, up bool) error {
	return a.changeView(ctx, v, id, func(tx *store.Tx, view *portal.DeskView, have []portal.DeskView) error {
		peers := slices.DeleteFunc(slices.Clone(have), func(p portal.DeskView) bool { return p.Agent != view.Agent })
		at := slices.IndexFunc(peers, func(p portal.DeskView) bool { return p.ID == id })
		to := at + 1
		if up {
			to = at - 1
		}
		if to < 0 || to >= len(peers) {
			return nil
		}
		return tx.SwapDeskViews(ctx, id, peers[to].ID)
	})
}

// RemoveView removes a view.
func (a *App) RemoveView(ctx context.Context, v *Visit, id int64) error {
	return a.changeView(ctx, v, id, func(tx *store.Tx, _ *portal.DeskView, _ []portal.DeskView) error {
		return tx.RemoveDeskView(ctx, id)
	})
}

// changeView runs a change of a view that the agent may change.
func (a *App) changeView(ctx context.Context, v *Visit, id int64, change func(*store.Tx, *portal.DeskView, []portal.DeskView) error) error {
	return a.changeViews(ctx, v, func(tx *store.Tx, have []portal.DeskView) error {
		i := slices.IndexFunc(have, func(p portal.DeskView) bool { return p.ID == id })
		if i < 0 {
			return portal.NotFoundf("desk_view.none", "there is no such view")
		}
		if !have[i].MayChange(v.Agent) {
			return portal.Forbiddenf("desk_view.others", "the view %q belongs to somebody else", have[i].Name)
		}
		return change(tx, &have[i], have)
	})
}

func (a *App) changeViews(ctx context.Context, v *Visit, change func(*store.Tx, []portal.DeskView) error) error {
	if v.Agent == nil {
		return portal.NotFoundf("page.none", "there is no such page")
	}
	return a.store.Write(ctx, func(tx *store.Tx) error {
		have, err := tx.DeskViews(ctx, v.Agent.ID)
		if err != nil {
			return err
		}
		return change(tx, have)
	})
}
