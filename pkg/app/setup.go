package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Setup is everything `init` asks. What is nil or empty was not said: a portal
// that is there already keeps it, a new one takes the default or, where there
// is none, cannot be made.
type Setup struct {
	Domain string  // a host, connected now if it is not yet, or system
	Token  string  // proves a domain connected now, when it was shown before; "" makes one
	Slug   *string // with the domain it tells which portal is meant

	Name     *string
	Language string // of the domain
	Accent   *string
	TimeZone *string
	Draft    bool // customers cannot open it yet

	Inbox   InboxChoice
	Tickets TicketChanges // but for the inbox
	Access  AccessChanges // groups that do not exist are made
}

// InboxChoice names an inbox, and says what to make of it if there is none.
type InboxChoice struct {
	Name    string
	Kind    portal.InboxKind
	Address string
}

// SetupResult is what a set-up did.
type SetupResult struct {
	Portal  *portal.Portal
	Inbox   *portal.Inbox
	Groups  []portal.Group // those the portal names
	Created bool           // the portal is new
	Changes []Change       // to a portal that was there
	// NewDomain, NewInbox and NewGroups are what was made on the way.
	NewDomain, NewInbox bool
	NewGroups           []string
	Invitations
	Ended        int           // sessions ended
	EndedAddress *EndedAddress // another portal's former address that was here
	SSO          *SSOAddresses // in the mode sso

	was                         portal.AccessMode
	domainChanged, inboxChanged bool
	ssoBefore                   *portal.SSOSettings
}

// Unchanged reports whether everything was as asked already.
func (r *SetupResult) Unchanged() bool {
	return !r.Created && len(r.Changes) == 0 && !r.NewDomain && !r.NewInbox && len(r.NewGroups) == 0 && r.Invited == 0
}

// CodeMissing is the code of errors that name something nobody has said.
const CodeMissing = "setup.missing"

// Check reports everything that keeps a set-up from being made, at once and
// without making it.
func (s *Setup) Check(k *Known) error {
	_, err := s.plan(k)
	return err
}

// plan works out what a set-up would make, without making it.
func (s *Setup) plan(k *Known) (*SetupResult, error) {
	// build works on what it is given; nothing of it may stay.
	k = &Known{slices.Clone(k.Domains), slices.Clone(k.Portals), slices.Clone(k.Inboxes), slices.Clone(k.Groups), k.Addresses, k.Address}
	return s.build(k, adder{
		domain: func(d *portal.Domain) error { d.ID = -1; return nil },
		inbox:  func(i *portal.Inbox) error { i.ID = -1; return nil },
		group:  func(g *portal.Group) error { g.ID = portal.GroupID(-1 - len(k.Groups)); return nil },
	})
}

// adder writes what a set-up makes on its way, or only pretends to.
type adder struct {
	domain func(*portal.Domain) error
	inbox  func(*portal.Inbox) error
	group  func(*portal.Group) error
}

// SetUp makes a portal with its domain, inbox and groups, or changes the one
// that is there, all of it or nothing.
func (a *App) SetUp(ctx context.Context, s Setup) (*SetupResult, error) {
	k, err := a.Known(ctx)
	if err != nil {
		return nil, err
	}
	planned, err := s.plan(k)
	if err != nil {
		return nil, err
	}
	asked, signsOut := false, false
	if s.Access.Mode != nil || s.Access.SSO.given() {
		if asked, signsOut, err = a.askProvider(ctx, &planned.Portal.Access, &s.Access.SSO); err != nil {
			return nil, err
		}
	}
	var r *SetupResult
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		k, err := readKnown(ctx, tx)
		if err != nil {
			return err
		}
		r, err = s.build(k, adder{
			domain: func(d *portal.Domain) error { return tx.AddDomain(ctx, d) },
			inbox:  func(i *portal.Inbox) error { return tx.AddInbox(ctx, i) },
			group:  func(g *portal.Group) error { return tx.AddGroup(ctx, g) },
		})
		if err != nil {
			return err
		}
		if r.Created {
			if r.EndedAddress, err = a.settleAddress(ctx, tx, r.Portal); err != nil {
				return err
			}
		}
		if err := r.save(ctx, tx); err != nil {
			return err
		}
		secret, err := a.keepClientSecret(ctx, tx, r.Portal, s.Access.SSO.Secret)
		if err != nil {
			return err
		}
		if !r.Created {
			r.Changes = append(r.Changes, secret...)
		}
		if r.Ended, err = shutOldDoor(ctx, tx, r.Portal, r.ssoBefore); err != nil {
			return err
		}
		if err := a.noteSetup(ctx, tx, r, k); err != nil {
			return err
		}
		if !r.Created && changedField(r.Changes, "access", "group") {
			ended, err := a.endOutsiders(ctx, tx, r.Portal, r.was, &r.Invitations)
			if err != nil {
				return err
			}
			r.Ended += ended
		}
		return a.inviteGroups(ctx, tx, r.Portal, &r.Invitations)
	})
	if err != nil {
		return nil, err
	}
	if r.Mails > 0 {
		a.wakeMail()
	}
	if r.Portal.Access.Mode == portal.ModeSSO {
		if r.SSO, err = a.SSOAddresses(ctx, r.Portal); err != nil {
			return nil, err
		}
		r.SSO.Asked, r.SSO.SignsOut = asked, signsOut
	}
	return r, nil
}

// noteSetup writes down everything a set-up made or changed.
func (a *App) noteSetup(ctx context.Context, tx *store.Tx, r *SetupResult, k *Known) error {
	p := r.Portal
	if r.NewDomain {
		if err := a.note(ctx, tx, portal.AuditDomainAdded, 0, aboutDomain(p.DomainID), domainFacts(&p.Domain)...); err != nil {
			return err
		}
	}
	if r.NewInbox {
		if err := a.note(ctx, tx, portal.AuditInboxAdded, 0, aboutInbox(r.Inbox.ID), inboxFacts(r.Inbox)...); err != nil {
			return err
		}
	}
	for _, name := range r.NewGroups {
		g := findGroup(k.Groups, name)
		if err := a.note(ctx, tx, portal.AuditGroupAdded, 0, aboutGroup(g.ID), groupFacts(g)...); err != nil {
			return err
		}
	}
	switch {
	case r.Created:
		return a.note(ctx, tx, portal.AuditPortalAdded, p.ID, aboutPortal(p.ID), portalFacts(p, k.Groups)...)
	case len(r.Changes) > 0:
		return a.note(ctx, tx, portal.AuditPortalChanged, p.ID, aboutPortal(p.ID), r.Changes...)
	}
	return nil
}

func (r *SetupResult) save(ctx context.Context, tx *store.Tx) error {
	if r.domainChanged {
		if err := tx.SaveDomain(ctx, &r.Portal.Domain); err != nil {
			return err
		}
	}
	if r.inboxChanged {
		if err := tx.SaveInbox(ctx, r.Inbox); err != nil {
			return err
		}
	}
	switch {
	case r.Created:
		return tx.AddPortal(ctx, r.Portal)
	case len(r.Changes) > 0:
		return tx.SavePortal(ctx, r.Portal)
	}
	return nil
}

// build works out the portal as it shall be. Problems of every step are
// collected, so that a script's author sees them all at once.
func (s *Setup) build(k *Known, add adder) (*SetupResult, error) {
	r := &SetupResult{}
	var errs []error
	fail := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	d, err := s.buildDomain(r, k, add)
	fail(err)
	slug := ""
	if s.Slug == nil {
		fail(missing("slug", "the end of the portal's address; it may be empty"))
	} else {
		slug, err = portal.ParseSlug(*s.Slug)
		fail(err)
	}
	if d != nil && s.Slug != nil {
		r.Portal = k.At(d.ID, slug)
	}
	if r.Portal == nil {
		r.Created = true
		r.Portal = newPortal(d, slug)
		if d != nil && s.Slug != nil {
			fail(k.Free(d.ID, slug))
		}
		fail(s.checkComplete())
	}
	p := r.Portal
	r.was = p.Access.Mode
	if d != nil {
		p.Domain = *d
	}
	looks := PortalChanges{Name: s.Name, Accent: s.Accent, TimeZone: s.TimeZone, State: s.state(p)}
	fail(collect(r)(looks.apply(p, nil)))
	fail(s.buildInbox(r, k, add))
	fail(collect(r)(s.Tickets.apply(&p.Tickets, k.Inboxes)))
	if !r.Created || s.Access.Mode != nil {
		fail(s.buildAccess(r, k, add))
	}
	if r.Created {
		// Everything about a new portal is new.
		r.Changes = nil
	}
	return r, errors.Join(errs...)
}

// collect adds changes to the result.
func collect(r *SetupResult) func([]Change, error) error {
	return func(c []Change, err error) error {
		r.Changes = append(r.Changes, c...)
		return err
	}
}

func newPortal(d *portal.Domain, slug string) *portal.Portal {
	p := &portal.Portal{
		Slug: slug, State: portal.Live, Accent: portal.DefaultAccent, TimeZone: "UTC",
		Tickets: portal.DefaultTicketSettings(), Access: portal.DefaultAccessSettings(),
	}
	if d != nil {
		p.DomainID = d.ID
	}
	return p
}

// state is what init leaves a portal in: live, unless a draft is asked for. It
// does not open a portal that somebody paused.
func (s *Setup) state(p *portal.Portal) *portal.PortalState {
	state := p.State
	switch {
	case s.Draft:
		state = portal.Draft
	case state == portal.Draft:
		state = portal.Live
	}
	return &state
}

// checkComplete names what a new portal cannot do without.
func (s *Setup) checkComplete() error {
	var errs []error
	if s.Name == nil {
		errs = append(errs, missing("name", "the title customers see in the browser tab"))
	}
	if s.Inbox.Name == "" {
		errs = append(errs, missing("inbox", "where new tickets go"))
	}
	if s.Tickets.Permissions == nil && s.Tickets.Rules == nil {
		errs = append(errs, missing("permissions", "which tickets a customer sees: contact, company or rules"))
	}
	if s.Access.Mode == nil {
		errs = append(errs, missing("access", "who gets in: groups, self-register or sso"))
	}
	return errors.Join(errs...)
}

func missing(field, what string) error {
	return portal.Invalidf(CodeMissing, field, "--%s is missing: %s", field, what)
}

func (s *Setup) buildDomain(r *SetupResult, k *Known, add adder) (*portal.Domain, error) {
	if strings.TrimSpace(s.Domain) == "" {
		return nil, missing("domain", "your own host name, or system for the address of this machine")
	}
	d, err := findDomain(k.Domains, s.Domain)
	if portal.KindOf(err) == portal.NotFound {
		host, err := ParseHost(s.Domain)
		if err != nil {
			return nil, err
		}
		if d, err = newDomain(host, orDefault(s.Language, defaultLanguage)); err != nil {
			return nil, err
		}
		if s.Token != "" {
			d.Token = s.Token
		}
		r.NewDomain = true
		return d, add.domain(d)
	}
	if err != nil {
		return nil, err
	}
	if s.Language != "" && s.Language != d.Language {
		r.Changes = append(r.Changes, Change{"language", d.Language, s.Language})
		d.Language, r.domainChanged = s.Language, true
	}
	return d, nil
}

func (s *Setup) buildInbox(r *SetupResult, k *Known, add adder) error {
	c := s.Inbox
	if c.Name == "" {
		if c.Kind != "" || c.Address != "" {
			return missing("inbox", "the name of the inbox the other flags describe")
		}
		for i := range k.Inboxes {
			if k.Inboxes[i].ID == r.Portal.Tickets.InboxID {
				r.Inbox = &k.Inboxes[i]
			}
		}
		return nil
	}
	p := r.Portal
	i := findInbox(k.Inboxes, c.Name)
	if i == nil {
		var err error
		if i, err = c.make(); err != nil {
			return err
		}
		r.Changes = append(r.Changes, Change{"inbox", inboxName(k.Inboxes, p.Tickets.InboxID), i.Name})
		r.NewInbox, r.Inbox = true, i
		err = add.inbox(i)
		p.Tickets.InboxID = i.ID
		return err
	}
	r.Inbox = i
	var l changeList
	if i.ID != p.Tickets.InboxID {
		l.note("inbox", inboxName(k.Inboxes, p.Tickets.InboxID), i.Name)
		p.Tickets.InboxID = i.ID
	}
	r.Changes = append(r.Changes, l...)
	return c.update(r, i)
}

// make makes the inbox nobody has made yet; fields are named as init's flags.
func (c InboxChoice) make() (*portal.Inbox, error) {
	if c.Kind == "" {
		return nil, missing("inbox-kind", "inbox (answered by mail) or helpdesk, as there is no inbox "+c.Name)
	}
	if c.Kind == portal.InboxMail && c.Address == "" {
		return nil, missing("inbox-address", "the mail address of the inbox "+c.Name)
	}
	i, err := NewInbox(c.Name, c.Kind, c.Address)
	var e *portal.Error
	if errors.As(err, &e) {
		e.Field = map[string]string{"name": "inbox", "address": "inbox-address"}[e.Field]
	}
	return i, err
}

// update gives an inbox that is there the kind and address it shall have.
func (c InboxChoice) update(r *SetupResult, i *portal.Inbox) error {
	var l changeList
	if c.Kind != "" {
		change(&l, "inbox-kind", &i.Kind, &c.Kind)
	}
	if c.Address != "" {
		address, err := email("inbox-address", c.Address)
		if err != nil {
			return err
		}
		change(&l, "inbox-address", &i.Address, &address)
	}
	r.Changes = append(r.Changes, l...)
	r.inboxChanged = len(l) > 0
	return checkInbox(i)
}

func (s *Setup) buildAccess(r *SetupResult, k *Known, add adder) error {
	p := r.Portal
	mode := p.Access.Mode
	if s.Access.Mode != nil {
		mode = *s.Access.Mode
	}
	if mode == portal.ModeGroups && s.Access.Groups != nil {
		for _, name := range *s.Access.Groups {
			if findGroup(k.Groups, name) != nil {
				continue
			}
			name, err := requiredLine("group", name)
			if err != nil {
				return err
			}
			g := portal.Group{Name: name}
			if err := add.group(&g); err != nil {
				return err
			}
			k.Groups = append(k.Groups, g)
			r.NewGroups = append(r.NewGroups, name)
		}
	}
	if mode == portal.ModeGroups && len(p.Access.Groups) == 0 && (s.Access.Groups == nil || len(*s.Access.Groups) == 0) {
		return missing("group", "an access group; only its contacts get in")
	}
	r.ssoBefore = p.Access.SSO
	changes, err := s.Access.apply(&p.Access, k.Groups)
	for i := range changes {
		if changes[i].Field == "mode" {
			changes[i].Field = "access"
		}
	}
	r.Changes = append(r.Changes, changes...)
	r.Groups = groupsOf(p, k.Groups)
	return err
}
