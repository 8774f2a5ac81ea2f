package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// CannedInput is what is said about a canned answer. What is nil stays as it
// is.
type CannedInput struct {
	ID    portal.CannedID // 0: the one called Name
	Name  *string
	Body  *string
	Inbox *string // a name or an address; "": for all inboxes
}

// CannedAnswers lists canned answers by name: all of them for an operator (a
// nil visit), and for an agent those of all inboxes and of their own.
func (a *App) CannedAnswers(ctx context.Context, v *Visit) (all []portal.Canned, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		all, err = cannedFor(ctx, tx, v)
		return err
	})
	return all, err
}

func cannedFor(ctx context.Context, tx *store.Tx, v *Visit) ([]portal.Canned, error) {
	all, err := tx.CannedAnswers(ctx)
	return slices.DeleteFunc(all, func(c portal.Canned) bool { return !seesCanned(v, &c) }), err
}

func seesCanned(v *Visit, c *portal.Canned) bool {
	return v == nil || c.Inbox == 0 || !v.Viewer.Limited || slices.Contains(v.Viewer.Inboxes, c.Inbox)
}

// mayChangeCanned refuses an agent who is limited to inboxes a change of what
// others use.
func mayChangeCanned(v *Visit, inbox portal.InboxID) error {
	if v == nil || !v.Viewer.Limited || inbox != 0 && slices.Contains(v.Viewer.Inboxes, inbox) {
		return nil
	}
	return portal.Forbiddenf("canned.not_yours", "you may change canned answers of your own inboxes only")
}

// CannedNamed returns a canned answer by its name.
func (a *App) CannedNamed(ctx context.Context, name string) (c *portal.Canned, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		c, err = tx.CannedNamed(ctx, name)
		return err
	})
	return c, err
}

// Canned returns a canned answer that the visitor may use.
func (a *App) Canned(ctx context.Context, v *Visit, id portal.CannedID) (c *portal.Canned, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		c, err = cannedOf(ctx, tx, v, id)
		return err
	})
	return c, err
}

func cannedOf(ctx context.Context, tx *store.Tx, v *Visit, id portal.CannedID) (*portal.Canned, error) {
	c, err := tx.Canned(ctx, id)
	if err == nil && !seesCanned(v, c) {
		return nil, portal.NotFoundf("canned.none", "there is no such canned answer").With("Name", "")
	}
	return c, err
}

// SetCanned writes a canned answer: a new one when nobody is called so. v is
// the agent, or nil for an operator. It returns what changed; nothing did when
// the answer is so already.
func (a *App) SetCanned(ctx context.Context, v *Visit, in CannedInput) (c *portal.Canned, added bool, changes []Change, err error) {
	if v != nil {
		if err := deskOnly(v); err != nil {
			return nil, false, nil, err
		}
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		added, changes = false, nil
		if c, err = in.find(ctx, tx, v); err != nil {
			return err
		}
		added = c.ID == 0
		if !added {
			if err := mayChangeCanned(v, c.Inbox); err != nil {
				return err
			}
		}
		if changes, err = in.apply(ctx, tx, c); err != nil {
			return err
		}
		if err := mayChangeCanned(v, c.Inbox); err != nil || len(changes) == 0 {
			return err
		}
		if err := tx.SaveCanned(ctx, c); err != nil {
			return err
		}
		kind := portal.AuditCannedChanged
		if added {
			kind = portal.AuditCannedAdded
		}
		return a.noteBy(ctx, tx, deskActor(v), deskAddress(v), kind, 0, aboutCanned(c.ID), changes...)
	})
	return c, added && err == nil, changes, err
}

func (in *CannedInput) find(ctx context.Context, tx *store.Tx, v *Visit) (*portal.Canned, error) {
	if in.ID != 0 {
		return cannedOf(ctx, tx, v, in.ID)
	}
	name := ""
	if in.Name != nil {
		name = *in.Name
	}
	name, err := requiredLine("name", name)
	if err != nil {
		return nil, err
	}
	c, err := tx.CannedNamed(ctx, name)
	if portal.KindOf(err) == portal.NotFound {
		return &portal.Canned{}, nil
	}
	if err == nil && v != nil {
		// A page says which one it changes; a name that is taken is a mistake.
		return nil, portal.Conflictf("canned.exists", "there is a canned answer %q already", c.Name).With("Name", c.Name)
	}
	return c, err
}

func (in *CannedInput) apply(ctx context.Context, tx *store.Tx, c *portal.Canned) ([]Change, error) {
	var changes []Change
	var problems []error
	if in.Name != nil {
		name, err := requiredLine("name", *in.Name)
		problems = append(problems, err)
		if err == nil && name != c.Name && (c.ID == 0 || in.ID != 0) {
			changes, c.Name = append(changes, Change{"name", c.Name, name}), name
		}
	}
	if in.Body != nil || c.ID == 0 {
		text := ""
		if in.Body != nil {
			text = *in.Body
		}
		body, err := bodyText("body", text)
		if err == nil {
			err = portal.CheckPlaceholders("body", body)
		}
		problems = append(problems, err)
		if err == nil && body != c.Body {
			changes, c.Body = append(changes, Change{Field: "text", To: fmt.Sprintf("%d characters", len([]rune(body)))}), body
		}
	}
	if in.Inbox != nil {
		inbox := &portal.Inbox{}
		var err error
		if strings.TrimSpace(*in.Inbox) != "" {
			inbox, err = tx.InboxByName(ctx, *in.Inbox)
		}
		problems = append(problems, err)
		if err == nil && inbox.ID != c.Inbox {
			changes = append(changes, Change{"inbox", c.InboxName, inbox.Name})
			c.Inbox, c.InboxName = inbox.ID, inbox.Name
		}
	}
	return changes, errors.Join(problems...)
}

// RemoveCanned removes a canned answer by its number, or, with 0, by its name.
// v is the agent, or nil for an operator.
func (a *App) RemoveCanned(ctx context.Context, v *Visit, id portal.CannedID, name string) (c *portal.Canned, err error) {
	if v != nil {
		if err := deskOnly(v); err != nil {
			return nil, err
		}
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if id != 0 {
			c, err = cannedOf(ctx, tx, v, id)
		} else {
			c, err = tx.CannedNamed(ctx, name)
		}
		if err != nil {
			return err
		}
		if err := mayChangeCanned(v, c.Inbox); err != nil {
			return err
		}
		if err := tx.RemoveCanned(ctx, c.ID); err != nil {
			return err
		}
		return a.noteBy(ctx, tx, deskActor(v), deskAddress(v), portal.AuditCannedRemoved, 0, aboutCanned(c.ID), Change{Field: "name", From: c.Name})
	})
	return c, err
}

// deskActor is the agent of a visit; for an operator, who has none, nobody.
func deskActor(v *Visit) portal.Actor {
	if v == nil {
		return portal.Actor{}
	}
	return v.actor()
}

func deskAddress(v *Visit) string {
	if v == nil {
		return ""
	}
	return v.Device.Address
}

func aboutCanned(id portal.CannedID) string { return fmt.Sprintf("canned:%d", id) }

// FillCanned returns a canned answer with the values of a ticket in place of
// its placeholders, as Markdown to put into an answer.
func (a *App) FillCanned(ctx context.Context, v *Visit, n portal.TicketNumber, id portal.CannedID) (text string, err error) {
	if err := deskOnly(v); err != nil {
		return "", err
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		t, err := tx.TicketFor(ctx, &v.Viewer, n)
		if err != nil {
			return err
		}
		c, err := cannedOf(ctx, tx, v, id)
		if err != nil {
			return err
		}
		if c.Inbox != 0 && c.Inbox != t.InboxID {
			return portal.Conflictf("canned.other_inbox", "the canned answer %q belongs to the inbox %s", c.Name, c.InboxName).With("Name", c.Name).With("Inbox", c.InboxName)
		}
		values, err := a.cannedValues(ctx, tx, v, t)
		text = portal.FillPlaceholders(c.Body, values)
		return err
	})
	return text, err
}

// cannedValues are what the placeholders stand for. They are what customers
// may read: other participants see no address of the requester.
func (a *App) cannedValues(ctx context.Context, tx *store.Tx, v *Visit, t *portal.Ticket) (map[string]string, error) {
	c, err := tx.Contact(ctx, t.Requester)
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(c.ShownName(), " ")
	values := map[string]string{
		"customer": c.ShownName(), "first_name": first, "number": t.Number.String(), "subject": t.Subject,
		"agent": v.Agent.Name, "company": t.CompanyName,
	}
	p, err := portalOfTicket(ctx, tx, t)
	if err != nil || p == nil {
		return values, err
	}
	base, err := a.base(ctx, tx)
	if err != nil {
		return nil, err
	}
	if p, err = whereServed(ctx, tx, p); err != nil {
		return nil, err
	}
	values["portal"], values["link"] = p.Name, siteURL(p, base)+p.BasePath()+"/tickets/"+t.Number.String()
	return values, nil
}

// portalOfTicket is the portal a ticket was opened in, or the first there is;
// nil without any.
func portalOfTicket(ctx context.Context, tx *store.Tx, t *portal.Ticket) (*portal.Portal, error) {
	if t.PortalID != 0 {
		return notFound(tx.Portal(ctx, t.PortalID))
	}
	portals, err := tx.Portals(ctx)
	if err != nil || len(portals) == 0 {
		return nil, err
	}
	return &portals[0], nil
}
