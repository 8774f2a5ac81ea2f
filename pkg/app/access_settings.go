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

// AccessChanges are what `access set` changes; nil leaves a setting as it is.
type AccessChanges struct {
	Mode         *portal.AccessMode
	Groups       *[]string // names of access groups; in the mode sso values of the group claim
	AllowDomains *[]string // none lifts the limit
	Approval     *bool
	Methods      *[]portal.SignInMethod
	SecondFactor *portal.FactorRule
	IdleTimeout  *time.Duration
	Consent      *string // the text; "" asks for none any more
	SSO          SSOChanges
}

// AccessResult is what changing the access settings did.
type AccessResult struct {
	Portal  *portal.Portal
	Groups  []portal.Group // those the portal names, with their size
	Changes []Change
	Invitations
	Ended   int // sessions ended
	Outside int // members whom a change of the groups keeps out from now on
	// WithoutFactor counts the members whom a second factor is demanded of from
	// now on and who have no authenticator app yet.
	WithoutFactor int
	SSO           *SSOAddresses // in the mode sso
}

// MailWithheld reports whether the system-domain rule keeps invitations back:
// a portal on the system domain mails nothing to access groups.
func MailWithheld(p *portal.Portal) bool {
	return p.Domain.Kind == portal.SystemDomain && p.Access.Mode == portal.ModeGroups
}

// SetAccess changes who gets into a portal. Contacts of its access groups who
// are no members yet become members and are invited, unless the portal is a
// draft: nobody is invited to a closed door.
func (a *App) SetAccess(ctx context.Context, id portal.PortalID, c AccessChanges) (*AccessResult, error) {
	asked, signsOut, err := a.planAccess(ctx, id, c)
	if err != nil {
		return nil, err
	}
	var r *AccessResult
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		p, err := tx.Portal(ctx, id)
		if err != nil {
			return err
		}
		groups, err := tx.Groups(ctx)
		if err != nil {
			return err
		}
		was := p.Access.Mode
		r = &AccessResult{Portal: p}
		before := p.Access.SSO
		if r.Changes, err = c.apply(&p.Access, groups); err != nil {
			return err
		}
		secret, err := a.keepClientSecret(ctx, tx, p, c.SSO.Secret)
		if err != nil {
			return err
		}
		r.Changes = append(r.Changes, secret...)
		shut, err := shutOldDoor(ctx, tx, p, before)
		if err != nil {
			return err
		}
		r.Ended = shut
		r.Groups = groupsOf(p, groups)
		if len(r.Changes) > 0 {
			if err := tx.SavePortal(ctx, p); err != nil {
				return err
			}
			if err := a.note(ctx, tx, portal.AuditAccess, p.ID, aboutPortal(p.ID), r.Changes...); err != nil {
				return err
			}
		}
		if !changedField(r.Changes, "mode", "group") {
			return nil
		}
		ended, err := a.endOutsiders(ctx, tx, p, was, &r.Invitations)
		if err != nil {
			return err
		}
		r.Ended += ended
		return a.inviteGroups(ctx, tx, p, &r.Invitations)
	})
	if err != nil {
		return nil, err
	}
	if r.Mails > 0 {
		a.wakeMail()
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		if changedField(r.Changes, "second-factor") && r.Portal.Access.DemandsFactor() {
			if r.WithoutFactor, err = tx.MembersWithoutFactor(ctx, id, countTo+1); err != nil {
				return err
			}
		}
		if len(r.Changes) > 0 && r.Portal.Access.Mode == portal.ModeGroups {
			r.Outside, err = membersOutside(ctx, tx, id)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if r.Portal.Access.Mode == portal.ModeSSO {
		if r.SSO, err = a.SSOAddresses(ctx, r.Portal); err != nil {
			return nil, err
		}
		r.SSO.Asked, r.SSO.SignsOut = asked, signsOut
	}
	return r, nil
}

// planAccess works out the settings without saving them, and asks the
// identity provider if they name one that a change concerns.
func (a *App) planAccess(ctx context.Context, id portal.PortalID, c AccessChanges) (asked, signsOut bool, err error) {
	var planned portal.AccessSettings
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		p, err := tx.Portal(ctx, id)
		if err != nil {
			return err
		}
		groups, err := tx.Groups(ctx)
		if err != nil {
			return err
		}
		planned = p.Access
		_, err = c.apply(&planned, groups)
		return err
	})
	if err != nil || c.Mode == nil && !c.SSO.given() {
		return false, false, err
	}
	return a.askProvider(ctx, &planned, &c.SSO)
}

// endOutsiders ends sessions, links and memberships nobody knows of yet of
// those whom the portal lets in no more, so that they stay ended when it lets
// them in again. was is the mode before: with another one, links to register
// end too; and where an identity provider vouches, or did, nobody stays in by
// what they came with.
func (a *App) endOutsiders(ctx context.Context, tx *store.Tx, p *portal.Portal, was portal.AccessMode, inv *Invitations) (sessions int, err error) {
	if p.Access.Mode != portal.ModeSelfRegister {
		if err := tx.EndRegistrations(ctx, p.ID); err != nil {
			return 0, err
		}
	}
	everybody := p.Access.Mode != was && (p.Access.Mode == portal.ModeSSO || was == portal.ModeSSO)
	if everybody {
		if err := tx.EndPortalHandshakes(ctx, p.ID); err != nil {
			return 0, err
		}
	}
	for last := portal.ContactID(0); ; {
		holders, err := tx.HoldersOf(ctx, p.ID, last, inviteBatch)
		if err != nil || len(holders) == 0 {
			return sessions, err
		}
		for _, c := range holders {
			ended, err := a.endEntry(ctx, tx, []*portal.Portal{p}, c, endAccess, inv)
			if err != nil {
				return sessions, err
			}
			if sessions += ended; !everybody {
				continue
			}
			if ended, err = tx.EndPortalAccess(ctx, p.ID, c, endAccess); err != nil {
				return sessions, err
			}
			sessions += ended
		}
		last = holders[len(holders)-1]
	}
}

// endAccess is the reason of sessions that end because who gets in changed.
const endAccess = "the portal's access changed"

// membersOutside counts the members whom none of the portal's access groups
// lists, up to what Counted counts.
func membersOutside(ctx context.Context, tx *store.Tx, p portal.PortalID) (n int, err error) {
	f := store.MemberFilter{Portal: p, Limit: countTo}
	for n <= countTo {
		page, err := tx.Members(ctx, f)
		if err != nil || len(page) == 0 {
			return n, err
		}
		for i := range page {
			if m := &page[i]; !m.InGroup && (m.Status == portal.Registered || m.Status == portal.Invited) {
				n++
			}
		}
		f.After = page[len(page)-1].Email
	}
	return n, nil
}

// apply changes the settings and says what became different. Options of the
// other mode are refused when they are given and dropped when the mode
// changes.
func (c *AccessChanges) apply(s *portal.AccessSettings, groups []portal.Group) ([]Change, error) {
	var l changeList
	change(&l, "mode", &s.Mode, c.Mode)
	if s.Mode != portal.ModeSSO {
		if err := c.dropSSO(s, &l); err != nil {
			return nil, err
		}
	}
	switch s.Mode {
	case portal.ModeSSO:
		if err := c.applySSO(s, groups, &l); err != nil {
			return nil, err
		}
	case portal.ModeGroups:
		if err := c.applyGroups(s, groups, &l); err != nil {
			return nil, err
		}
	case portal.ModeSelfRegister:
		if err := c.applyRegistration(s, groups, &l); err != nil {
			return nil, err
		}
	default:
		return nil, portal.Invalidf("access.mode", "mode", "the access mode is missing; use groups, self-register or sso")
	}
	change(&l, "methods", &s.Methods, c.Methods)
	s.SecondFactor = s.SecondFactor.OrDefault()
	change(&l, "second-factor", &s.SecondFactor, c.SecondFactor)
	change(&l, "idle-timeout", &s.IdleTimeout, c.IdleTimeout)
	return l, c.applyConsent(s, &l)
}

func changedField(changes []Change, fields ...string) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return slices.Contains(fields, c.Field) })
}

func (c *AccessChanges) applyGroups(s *portal.AccessSettings, groups []portal.Group, l *changeList) error {
	switch {
	case c.AllowDomains != nil && len(*c.AllowDomains) > 0:
		return portal.Invalidf("access.options", "allow-domain", "--allow-domain belongs to self-register; with groups the groups decide")
	case c.Approval != nil && *c.Approval:
		return portal.Invalidf("access.options", "approval", "--approval belongs to self-register; with groups the groups decide")
	}
	none, off := []string(nil), false
	change(l, "allow-domain", &s.AllowDomains, &none)
	change(l, "approval", &s.Approval, &off)
	if c.Groups != nil {
		ids, err := groupIDs(*c.Groups, groups)
		if err != nil {
			return err
		}
		l.note("group", groupNames(s.Groups, groups), groupNames(ids, groups))
		s.Groups = ids
	}
	if len(s.Groups) == 0 {
		return portal.Invalidf("access.groups", "group", "the mode groups needs at least one access group").
			WithHint("make one with `portalctl groups add Customers`, then add --group Customers")
	}
	return nil
}

func (c *AccessChanges) applyRegistration(s *portal.AccessSettings, groups []portal.Group, l *changeList) error {
	if c.Groups != nil && len(*c.Groups) > 0 {
		return portal.Invalidf("access.options", "group", "--group belongs to the mode groups; with self-register anyone with an allowed address gets in")
	}
	l.note("group", groupNames(s.Groups, groups), "")
	s.Groups = nil
	if c.AllowDomains != nil {
		var domains []string
		for _, d := range *c.AllowDomains {
			host, err := parseAllowDomain(d)
			if err != nil {
				return err
			}
			if !slices.Contains(domains, host) {
				domains = append(domains, host)
			}
		}
		slices.Sort(domains)
		change(l, "allow-domain", &s.AllowDomains, &domains)
	}
	change(l, "approval", &s.Approval, c.Approval)
	return nil
}

func (c *AccessChanges) applyConsent(s *portal.AccessSettings, l *changeList) error {
	if c.Consent == nil {
		return nil
	}
	text := *c.Consent
	if strings.TrimSpace(text) != "" {
		var err error
		if text, err = bodyText("consent", text); err != nil {
			return err
		}
	} else {
		text = ""
	}
	if text == s.Consent {
		return nil
	}
	from, to := consentName(s), ""
	s.Consent = text
	if text != "" {
		// Whoever agreed to an older text is asked again.
		s.ConsentVersion++
		to = consentName(s)
	}
	l.note("consent", from, to)
	return nil
}

func consentName(s *portal.AccessSettings) string {
	if s.Consent == "" {
		return ""
	}
	return fmt.Sprintf("version %d", s.ConsentVersion)
}

func groupIDs(names []string, groups []portal.Group) ([]portal.GroupID, error) {
	var ids []portal.GroupID
	for _, name := range names {
		g := findGroup(groups, name)
		if g == nil {
			err := portal.NotFoundf("group.none", "there is no access group %q", strings.TrimSpace(name))
			err.Field = "group"
			return nil, err.WithHint("make it: portalctl groups add %q", strings.TrimSpace(name))
		}
		if !slices.Contains(ids, g.ID) {
			ids = append(ids, g.ID)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

func findGroup(groups []portal.Group, name string) *portal.Group {
	for i := range groups {
		if strings.EqualFold(groups[i].Name, strings.TrimSpace(name)) {
			return &groups[i]
		}
	}
	return nil
}

func groupNames(ids []portal.GroupID, groups []portal.Group) string {
	var names []string
	for _, g := range groups {
		if slices.Contains(ids, g.ID) {
			names = append(names, g.Name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

func groupsOf(p *portal.Portal, groups []portal.Group) []portal.Group {
	var mine []portal.Group
	for _, g := range groups {
		if slices.Contains(p.Access.Groups, g.ID) {
			mine = append(mine, g)
		}
	}
	return mine
}

// Groups lists every access group with its size.
func (a *App) accessGroups(ctx context.Context) (list []portal.Group, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.Groups(ctx)
		return err
	})
	return list, err
}

// GroupsOfPortal lists the access groups a portal names, with their size.
func (a *App) GroupsOfPortal(ctx context.Context, p *portal.Portal) ([]portal.Group, error) {
	groups, err := a.accessGroups(ctx)
	return groupsOf(p, groups), err
}

// inviteBatch is how many contacts are invited at a time.
const inviteBatch = 500

// inviteGroups invites the contacts of the portal's access groups who are no
// members yet.
func (a *App) inviteGroups(ctx context.Context, tx *store.Tx, p *portal.Portal, inv *Invitations) error {
	if p.State == portal.Draft || p.Access.Mode != portal.ModeGroups {
		return nil
	}
	for last := portal.ContactID(0); ; {
		contacts, err := tx.UninvitedOfGroups(ctx, p.ID, last, inviteBatch)
		if err != nil || len(contacts) == 0 {
			return err
		}
		if err := a.invite(ctx, tx, p, contacts, a.grace(), inv); err != nil {
			return err
		}
		last = contacts[len(contacts)-1]
	}
}

// CheckAllowDomains says what is wrong with mail domains that may register.
func CheckAllowDomains(list []string) error {
	for _, s := range list {
		if _, err := parseAllowDomain(s); err != nil {
			return err
		}
	}
	return nil
}
