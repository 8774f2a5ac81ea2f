package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// EraseOptions say how somebody is erased.
type EraseOptions struct {
	// DryRun does all of it in a transaction that is then undone: what it
	// tells is what erasing would do.
	DryRun bool
	// KeepFile leaves out writing the store's file anew. Parts of its pages
	// that are free may then hold remains until they are used again.
	KeepFile bool
	// Words are what stands for a name and for a text, in a language.
	Words func(language string) (name, text string)
}

// Erasure is what erasing somebody did, or would do.
type Erasure struct {
	*store.Erased
	Email    string // that was asked for
	Already  bool   // it was done before; Contact is what is left
	Mentions *store.Mentions
	// FilesGone counts contents taken off the disk; the others of Files are
	// part of somebody else's message too.
	FilesGone int
}

// markErased is what the mark of an erased address is made for.
const markErased = "erased contact"

// EraseContact takes somebody out of the store, and their files off the disk,
// for good. Tickets stay without their name and words. It is one transaction:
// interrupted, it has happened or it has not.
func (a *App) EraseContact(ctx context.Context, address string, o EraseOptions) (*Erasure, error) {
	address, err := email("email", address)
	if err != nil {
		return nil, err
	}
	mark, err := a.sealer.Mark(markErased, []byte(address))
	if err != nil {
		return nil, err
	}
	c, mentions, err := a.toErase(ctx, address, mark)
	if err != nil {
		return nil, err
	}
	done := &Erasure{Email: address, Mentions: mentions}
	if c.Erased() {
		done.Already, done.Erased = true, &store.Erased{Contact: *c}
		if o.DryRun {
			return done, nil
		}
		// It may have been stopped before the file was clean.
		return done, a.scrub(ctx, o)
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if c, err = tx.Contact(ctx, c.ID); err != nil {
			return err
		}
		if c.Erased() || c.Email != address {
			return portal.Conflictf("contact.none", "%s was changed by another command just now", address).WithHint("look again, then try again")
		}
		language, err := languageOf(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		// The log looks for their addresses, so it comes before they go.
		details, err := tx.EraseAuditDetails(ctx, c.ID)
		if err != nil {
			return err
		}
		how := store.Eraser{Mark: mark, Counters: countersOf(c)}
		how.Name, how.Text = o.Words(language)
		if done.Erased, err = tx.EraseContact(ctx, c, how); err != nil {
			return err
		}
		done.Places["audit_detail"] = details
		if err := a.audit(ctx, tx, portal.AuditEntry{Kind: portal.AuditContactErased, About: portal.AboutContact(c.ID)}); err != nil {
			return err
		}
		if o.DryRun {
			return errDryRun
		}
		return nil
	})
	switch {
	case errors.Is(err, errDryRun):
		return done, nil
	case err != nil:
		return nil, err
	}
	if done.FilesGone, err = a.removeFiles(ctx, done.Files); err != nil {
		return nil, fmt.Errorf("%s is erased, but files are left: %w", address, err)
	}
	return done, a.scrub(ctx, o)
}

// errDryRun undoes a transaction that was only to be looked at.
var errDryRun = errors.New("dry run")

// toErase finds who is meant and where others mention them. Somebody who was
// erased before is found by the mark of the address.
func (a *App) toErase(ctx context.Context, address string, mark []byte) (c *portal.Contact, m *store.Mentions, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		c, err = tx.ContactByEmail(ctx, address)
		if portal.KindOf(err) == portal.NotFound {
			before, markErr := tx.ErasedBefore(ctx, mark)
			if markErr != nil {
				return markErr
			}
			if len(before) > 0 {
				c, err = &before[0], nil
			}
		}
		if err != nil {
			return err
		}
		m = &store.Mentions{}
		if !c.Erased() {
			m, err = tx.MentionsOf(ctx, c)
		}
		return err
	})
	return c, m, err
}

// languageOf is the language of the portal somebody is in; else of the first.
func languageOf(ctx context.Context, tx *store.Tx, c portal.ContactID) (string, error) {
	members, err := tx.MembershipsOf(ctx, c)
	if err != nil {
		return "", err
	}
	portals, err := tx.Portals(ctx)
	if err != nil || len(portals) == 0 {
		return "en", err
	}
	for _, m := range members {
		for i := range portals {
			if portals[i].ID == m.PortalID {
				return portals[i].Language(), nil
			}
		}
	}
	return portals[0].Language(), nil
}

// countersOf are the limits that count somebody by number or by what stands
// for their address.
func countersOf(c *portal.Contact) []string {
	var keys []string
	for _, kind := range []string{"files", "drafts", takeOuts} {
		keys = append(keys, fmt.Sprintf("%s:%d", kind, c.ID))
	}
	for _, address := range []string{c.Email, c.RegistrationEmail()} {
		for _, kind := range []string{"fail:account:", "mail:", "proof:"} {
			keys = append(keys, kind+addressKey(address))
		}
	}
	return keys
}

// filesAtOnce bounds how long taking files off the disk keeps others from
// writing.
const filesAtOnce = 500

// removeFiles takes contents off the disk that no message names any more. It
// does so while nobody else can write, so that none of them is being attached
// again: see filesThere.
func (a *App) removeFiles(ctx context.Context, hashes []string) (gone int, err error) {
	for len(hashes) > 0 {
		some := hashes[:min(len(hashes), filesAtOnce)]
		hashes = hashes[len(some):]
		err := a.store.Write(ctx, func(tx *store.Tx) error {
			for _, hash := range some {
				known, err := tx.FileKnown(ctx, hash)
				if err != nil || known {
					if err != nil {
						return err
					}
					continue
				}
				if err := a.store.Files().Remove(hash); err != nil {
					return err
				}
				gone++
			}
			return nil
		})
		if err != nil {
			return gone, err
		}
	}
	return gone, nil
}

// filesThere refuses files whose bytes were taken off the disk between their
// upload and the message that names them, because somebody who had sent the
// same was erased in that moment.
func (a *App) filesThere(files []portal.File) error {
	for i := range files {
		there, err := a.store.Files().Has(files[i].SHA256)
		if err != nil {
			return err
		}
		if !there {
			return portal.Conflictf("file.gone", "%q has to be sent once more", files[i].Name).With("Name", files[i].Name)
		}
	}
	return nil
}

// scrub cleans the store's file behind an erasure. What comes in its way says
// that the erasure itself stands.
func (a *App) scrub(ctx context.Context, o EraseOptions) error {
	if err := a.store.Scrub(ctx, !o.KeepFile); err != nil {
		return fmt.Errorf("the contact is erased, but remains may be left in the file until this succeeds: %w", err)
	}
	return nil
}
