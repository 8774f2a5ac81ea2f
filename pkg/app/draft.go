package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// draftNew is the key of what was typed into the form for a new ticket; an
// answer's draft has its ticket's number as key.
const draftNew = "new"

// maxDraft bounds a draft, in bytes over all its fields.
const maxDraft = portal.MaxBody + 20<<10

// Draft returns what the contact typed under the key ("new" or T-1042).
func (a *App) Draft(ctx context.Context, v *Visit, key string) (form map[string]string, err error) {
	if v.Contact == nil || v.ReadOnly {
		return nil, nil
	}
	if key, err = draftKey(key); err != nil {
		return nil, err
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		form, err = tx.Draft(ctx, v.Contact.ID, key)
		return err
	})
	return form, err
}

// KeepDraft keeps what was typed; an empty form removes the draft. It works
// for a visit whose session has ended by itself too (Visit.Ended): there a
// draft is only added, never removed.
func (a *App) KeepDraft(ctx context.Context, v *Visit, key string, form map[string]string) error {
	if v.ReadOnly {
		return readOnly()
	}
	owner := v.Ended
	if v.Contact != nil {
		owner = v.Contact.ID
	}
	if owner == 0 {
		return nil
	}
	key, err := draftKey(key)
	if err != nil {
		return err
	}
	kept, size := map[string]string{}, 0
	for name, value := range form {
		value = strings.ToValidUTF8(value, "\uFFFD")
		if value == "" || len(name) > portal.MaxLine {
			continue
		}
		if size += len(name) + len(value); size > maxDraft {
			return portal.Invalidf("draft.too_large", "body", "what was typed is too long to be kept")
		}
		kept[name] = value
	}
	return a.store.Write(ctx, func(tx *store.Tx) error {
		if len(kept) > 0 {
			if err := allowIn(ctx, tx, fmt.Sprintf("drafts:%d", owner), draftsPerHour, time.Hour); err != nil {
				return err
			}
			if err := wasIn(ctx, tx, v, owner); err != nil {
				return err
			}
			if err := mayDraft(ctx, tx, v, owner, key); err != nil {
				return err
			}
			if err := notErased(ctx, tx, owner); err != nil {
				return err
			}
			return tx.SaveDraft(ctx, owner, key, kept)
		}
		if v.Contact == nil {
			return nil
		}
		return tx.RemoveDraft(ctx, owner, key)
	})
}

// wasIn refuses what comes from a session that ended before its second factor
// was given: whoever only knew the password was never in.
func wasIn(ctx context.Context, tx *store.Tx, v *Visit, owner portal.ContactID) error {
	if v.Contact != nil || !v.endedHalf {
		return nil
	}
	waits, err := waitsForFactor(ctx, tx, v.Portal, portal.Person{Contact: owner})
	if err == nil && waits {
		err = portal.NotFoundf("session.none", "the session ended before the second factor was given")
	}
	return err
}

// mayDraft refuses an answer to a ticket its writer does not see: made-up
// numbers would fill the store.
func mayDraft(ctx context.Context, tx *store.Tx, v *Visit, owner portal.ContactID, key string) error {
	if key == draftNew {
		return nil
	}
	n, err := portal.ParseTicketNumber(key)
	if err != nil {
		return err
	}
	c, err := tx.Contact(ctx, owner)
	if err != nil {
		return err
	}
	viewer := portal.NewViewer(c, &v.Portal.Tickets)
	_, err = tx.TicketFor(ctx, &viewer, n)
	return err
}

// draftKey checks a key and writes it as drafts are found by.
func draftKey(key string) (string, error) {
	if key == draftNew {
		return key, nil
	}
	n, err := portal.ParseTicketNumber(key)
	if err != nil {
		return "", err
	}
	return n.String(), nil
}
