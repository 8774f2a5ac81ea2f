package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Drafts of the help desk are kept on the server while an agent types: of each
// ticket one for each mode, so that what was meant as a note never stands in
// the form for answers. Files that were chosen stay with the draft, whatever
// becomes of the form they came with.

// deskKey names the draft of a ticket's answer or note.
func deskKey(n portal.TicketNumber, mode portal.DeskMode) (string, error) {
	if mode != portal.ModeAnswer && mode != portal.ModeNote {
		return "", portal.Invalidf("desk.mode", "mode", "%q is neither an answer nor a note", mode)
	}
	return n.String() + " " + string(mode), nil
}

// deskOnly refuses a visit that is not an agent's.
func deskOnly(v *Visit) error {
	if v.Agent == nil {
		return portal.Forbiddenf("desk.agents", "only agents may do this")
	}
	return nil
}

// KeepDeskDraft keeps what an agent typed into the form for an answer or a
// note to a ticket they see; empty text removes the draft.
func (a *App) KeepDeskDraft(ctx context.Context, v *Visit, n portal.TicketNumber, mode portal.DeskMode, form map[string]string) error {
	key, err := deskKey(n, mode)
	if err != nil {
		return err
	}
	return a.keepDeskDraft(ctx, v, key, form, func(tx *store.Tx) error {
		_, err := tx.TicketFor(ctx, &v.Viewer, n)
		return err
	})
}

// KeepNewDraft keeps what an agent typed into the form for a new ticket.
func (a *App) KeepNewDraft(ctx context.Context, v *Visit, form map[string]string) error {
	return a.keepDeskDraft(ctx, v, draftNew, form, func(*store.Tx) error { return nil })
}

func (a *App) keepDeskDraft(ctx context.Context, v *Visit, key string, form map[string]string, may func(*store.Tx) error) error {
	if err := deskOnly(v); err != nil {
		return err
	}
	kept, err := draftForm(form)
	if err != nil {
		return err
	}
	return a.store.Write(ctx, func(tx *store.Tx) error {
		if kept["body"] == "" && (key != draftNew || len(kept) == 0) {
			return tx.RemoveDeskDraft(ctx, v.Agent.ID, key)
		}
		if err := allowIn(ctx, tx, fmt.Sprintf("drafts:agent:%d", v.Agent.ID), draftsPerHour, time.Hour); err != nil {
			return err
		}
		if err := may(tx); err != nil {
			return err
		}
		return tx.SaveDeskDraft(ctx, v.Agent.ID, key, kept)
	})
}

// draftForm is what of a form is kept, within the limits.
func draftForm(form map[string]string) (map[string]string, error) {
	kept, size := map[string]string{}, 0
	for name, value := range form {
		value = strings.ToValidUTF8(value, "\uFFFD")
		if strings.TrimSpace(value) == "" || len(name) > portal.MaxLine {
			continue
		}
		if size += len(name) + len(value); size > maxDraft {
			return nil, portal.Invalidf("draft.too_large", "body", "what was typed is too long to be kept")
		}
		kept[name] = value
	}
	return kept, nil
}

// NewDraft returns what an agent typed into the form for a new ticket.
func (a *App) NewDraft(ctx context.Context, v *Visit) (form map[string]string, err error) {
	if err := deskOnly(v); err != nil {
		return nil, err
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		d, err := tx.DeskDraft(ctx, v.Agent.ID, draftNew)
		if err == nil {
			form = d.Form
		}
		return err
	})
	return form, err
}

// KeepDeskFiles puts files to the draft of an agent's answer or note, and
// takes off those that drop names. It returns all that the draft has then. The
// files stay when what is written is refused, so that nobody has to choose
// them twice.
func (a *App) KeepDeskFiles(ctx context.Context, v *Visit, n portal.TicketNumber, mode portal.DeskMode, uploads []Upload, drop []portal.FileID) ([]portal.File, error) {
	if err := deskOnly(v); err != nil {
		return nil, err
	}
	key, err := deskKey(n, mode)
	if err != nil {
		return nil, err
	}
	var there int
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		if _, err := tx.TicketFor(ctx, &v.Viewer, n); err != nil {
			return err
		}
		d, err := tx.DeskDraft(ctx, v.Agent.ID, key)
		if err != nil {
			return err
		}
		for _, f := range d.Files {
			if !slices.Contains(drop, f.ID) {
				there++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if there+len(uploads) > portal.MaxFiles {
		return nil, portal.Invalidf("file.too_many", "files", "at most %d files fit one message", portal.MaxFiles).With("Max", portal.MaxFiles)
	}
	added, err := a.storeFiles(ctx, v, uploads, false)
	if err != nil {
		return nil, err
	}
	var all []portal.File
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if err := a.filesThere(added); err != nil {
			return err
		}
		for _, id := range drop {
			if err := tx.DropDeskFile(ctx, v.Agent.ID, key, id); err != nil {
				return err
			}
		}
		if err := tx.AddDeskFiles(ctx, v.Agent.ID, key, added); err != nil {
			return err
		}
		d, err := tx.DeskDraft(ctx, v.Agent.ID, key)
		if err == nil {
			all = d.Files
		}
		return err
	})
	return all, err
}

// chosenFiles are those files of a draft that somebody wants to send, in the
// order they were put there. One that is gone is refused: it may have been
// taken off in another window, and nobody sends less than they think.
func chosenFiles(ctx context.Context, tx *store.Tx, agent portal.AgentID, key string, ids []portal.FileID) ([]portal.File, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if len(ids) > portal.MaxFiles {
		return nil, portal.Invalidf("file.too_many", "files", "at most %d files fit one message", portal.MaxFiles).With("Max", portal.MaxFiles)
	}
	d, err := tx.DeskDraft(ctx, agent, key)
	if err != nil {
		return nil, err
	}
	files := slices.DeleteFunc(slices.Clone(d.Files), func(f portal.File) bool { return !slices.Contains(ids, f.ID) })
	for _, id := range ids {
		if !slices.ContainsFunc(files, func(f portal.File) bool { return f.ID == id }) {
			return nil, portal.Conflictf("desk.file_gone", "a file was taken off in another window").WithHint("look at the files again, then send")
		}
	}
	return files, nil
}

// backToDraft puts text that is not sent after all before what its writer has
// typed since.
func backToDraft(ctx context.Context, tx *store.Tx, agent portal.AgentID, key, body, next, why string) error {
	d, err := tx.DeskDraft(ctx, agent, key)
	if err != nil {
		return err
	}
	form := map[string]string{"body": body}
	if next != "" {
		form["next"] = next
	}
	if since := d.Form["body"]; strings.TrimSpace(since) != "" && since != body {
		form["body"] = body + "\n\n" + since
	}
	if why == "" {
		return tx.SaveDeskDraft(ctx, agent, key, form)
	}
	return tx.ReturnDeskDraft(ctx, agent, key, form, why)
}
