package app

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// PortalTexts lists the sentences an operator has put in the place of ours in
// a portal, by language and key.
func (a *App) PortalTexts(ctx context.Context, id portal.PortalID) (texts []portal.PortalText, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		texts, err = tx.PortalTexts(ctx, id)
		return err
	})
	return texts, err
}

// SetTexts puts sentences in the place of ours, in one language of a portal;
// a nil text gives the sentence back to us. All mistakes come at once, and
// nothing is changed when there are any. It holds at the next request.
func (a *App) SetTexts(ctx context.Context, id portal.PortalID, language string, texts map[string]portal.Text) ([]Change, error) {
	var problems []error
	keys := slices.Sorted(maps.Keys(texts))
	for _, key := range keys {
		if texts[key] == nil {
			continue
		}
		if err := a.texts.Check(language, key, texts[key]); err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	var changes []Change
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		changes = nil
		if _, err := tx.Portal(ctx, id); err != nil {
			return err
		}
		list, err := tx.PortalTexts(ctx, id)
		if err != nil {
			return err
		}
		present := portal.NewTexts(list)
		for _, key := range keys {
			var was portal.Text
			if present != nil {
				was = present.Entries[language][key]
			}
			if maps.Equal(was, texts[key]) {
				continue
			}
			if texts[key] == nil {
				err = tx.RemovePortalText(ctx, id, language, key)
			} else {
				err = tx.SavePortalText(ctx, &portal.PortalText{Portal: id, Language: language, Key: key, Text: texts[key]})
			}
			if err != nil {
				return err
			}
			changes = append(changes, Change{key + " (" + language + ")", TextLine(was), TextLine(texts[key])})
		}
		if len(changes) == 0 {
			return nil
		}
		return a.note(ctx, tx, portal.AuditTexts, id, aboutPortal(id), changes...)
	})
	return changes, err
}

// TextLine writes a text on one line: plural forms as one=…, other=….
func TextLine(t portal.Text) string {
	if other, simple := t["other"]; simple && len(t) == 1 {
		return other
	}
	var parts []string
	for _, form := range slices.Sorted(maps.Keys(t)) {
		parts = append(parts, form+"="+t[form])
	}
	return strings.Join(parts, " | ")
}

// ownTexts are the sentences of a portal's own for a mail that is about to be
// written.
func ownTexts(ctx context.Context, tx *store.Tx, p *portal.Portal) (*portal.Texts, error) {
	if p.ID == 0 {
		return nil, nil
	}
	list, err := tx.PortalTexts(ctx, p.ID)
	return portal.NewTexts(list), err
}
