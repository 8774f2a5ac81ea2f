package app

import (
	"context"
	"errors"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Tested is what came of one expectation.
type Tested struct {
	portal.Expectation
	Holds bool
	Got   string // may, may not, or unknown for what does not exist
	Rule  string // what decided, as an Explanation names it, or the code of what is missing
	Why   string
	// Change is what would make it hold; "" where there is nothing to say.
	Change string
}

// What a test got.
const (
	gotMay     = "may"
	gotMayNot  = "may not"
	gotUnknown = "unknown"
)

// TestAccess holds expectations against what the rules say, all at one moment.
// Those that name no portal mean the one called standard, or the only one. A
// contact, ticket or portal that does not exist fails its line whatever it
// expects, so that no misspelt name makes a test pass.
func (a *App) TestAccess(ctx context.Context, standard string, list []portal.Expectation) ([]Tested, error) {
	portals := map[string]portal.PortalID{}
	missing := map[string]*portal.Error{}
	for _, e := range list {
		if portals[e.Portal] != 0 || missing[e.Portal] != nil {
			continue
		}
		name := e.Portal
		if name == "" {
			name = standard
		}
		p, err := a.PortalNamed(ctx, name)
		var unknown *portal.Error
		switch {
		case err == nil:
			portals[e.Portal] = p.ID
		case e.Portal != "" && errors.As(err, &unknown) && unknown.Kind != portal.Internal:
			missing[e.Portal] = unknown
		default:
			return nil, err
		}
	}
	all := make([]Tested, len(list))
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		for i, e := range list {
			all[i] = Tested{Expectation: e}
			if unknown := missing[e.Portal]; unknown != nil {
				all[i].unknown(unknown)
				continue
			}
			x, err := explain(ctx, tx, portals[e.Portal], e.Contact, e.Ticket)
			var unknown *portal.Error
			switch {
			case err == nil:
				all[i].hold(x)
			case errors.As(err, &unknown) && unknown.Kind == portal.NotFound:
				all[i].unknown(unknown)
			default:
				return err
			}
		}
		return nil
	})
	return all, err
}

// hold compares the expectation with the answer.
func (t *Tested) hold(x *Explanation) {
	may := x.See
	if t.Act == portal.ActAnswer {
		may = x.See && x.Reply
	}
	t.Got = gotMayNot
	if may {
		t.Got = gotMay
	}
	t.Holds = may != t.Not
	t.Rule, t.Why = x.Rule, x.Why
	// An explanation says what would give more, which helps only where more
	// was expected.
	if !t.Holds && !may {
		t.Change = x.Change
	}
}

func (t *Tested) unknown(err *portal.Error) {
	t.Got, t.Rule, t.Why, t.Change = gotUnknown, err.Code, err.Msg, err.Hint
}
