package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/prompt"
)

func (w *wizard) ticketStep() prompt.Step {
	var list []prompt.Choice
	for _, i := range w.known.Inboxes {
		list = append(list, prompt.Choice{Value: i.Name, Label: i.String(), Help: string(i.Kind)})
	}
	list = append(list,
		prompt.Choice{Value: newMailPick, Label: "A new inbox", Help: "answered by mail"},
		prompt.Choice{Value: newDeskPick, Label: "A new help desk", Help: "answered on a page of its own"})
	return prompt.Step{Title: "Tickets", Fields: []prompt.Field{
		{Title: "Where do new tickets go?", Pass: "--inbox", Pick: &w.inbox, Choices: list},
		{
			Title: "What is it called?", Pass: "--inbox", Text: &w.inboxName, Placeholder: "Support",
			Hide: func() bool { return !w.newInbox() }, Check: w.checkInboxName,
		},
		{
			Title: "At which mail address?", Pass: "--inbox-address", Text: &w.address, Placeholder: "support@example.com",
			Hide:  func() bool { return w.inbox != newMailPick },
			Help:  prompt.Says("New tickets and customers' answers are sent there."),
			Check: w.checkInboxAddress,
		},
		{Title: "Which tickets does a customer see?", Pass: "--permissions", Pick: &w.permissions, Choices: []prompt.Choice{
			{Value: string(portal.PermitContact), Label: "Their own", Help: "as requester or participant"},
			{Value: string(portal.PermitCompany), Label: "Their company's", Help: "every ticket of their primary company too"},
			{Value: string(portal.PermitRules), Label: "By rules", Help: "company tickets for contacts that match"},
		}, Help: prompt.Says("A ticket marked confidential is seen by its requester and participants only.")},
		{
			Title: "Which contacts see their company's tickets?", Pass: "--rule", Text: &w.rules, Multiline: true,
			Placeholder: "department equals Finance and seniority one-of lead,manager",
			Hide:        func() bool { return w.permissions != string(portal.PermitRules) },
			Help:        prompt.Says("One rule a line; a contact that matches any of them does. Operators: equals,\nis-not, contains, one-of, known, unknown, less-than, more-than, before, after."),
			Check: func(s string) error {
				_, err := ruleLines(s)
				return err
			},
		},
	}}
}

func (w *wizard) newInbox() bool { return w.inbox == newMailPick || w.inbox == newDeskPick }

func (w *wizard) checkInboxName(s string) error {
	name, err := portal.ParseName("name", s)
	if err != nil {
		return err
	}
	for _, i := range w.known.Inboxes {
		if strings.EqualFold(i.Name, name) {
			return fmt.Errorf("there is an inbox %q already; go back and pick it", i.Name)
		}
	}
	return nil
}

func (w *wizard) checkInboxAddress(s string) error {
	address, err := portal.ParseEmail("address", s)
	if err != nil {
		return err
	}
	for _, i := range w.known.Inboxes {
		if i.Address == address {
			return fmt.Errorf("%s is the address of the inbox %q already", address, i.Name)
		}
	}
	return nil
}

func ruleLines(s string) (portal.RuleSet, error) {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return parseRules(lines)
}

func (w *wizard) accessStep() prompt.Step {
	byGroups := func() bool { return w.mode == string(portal.ModeGroups) }
	notGroups := func() bool { return !byGroups() }
	notRegistration := func() bool { return w.mode != string(portal.ModeSelfRegister) }
	byProvider := func() bool { return w.mode == string(portal.ModeSSO) }
	fields := []prompt.Field{{Title: "Who gets in?", Pass: "--access", Pick: &w.mode, Choices: []prompt.Choice{
		{Value: string(portal.ModeGroups), Label: "Contacts of access groups", Help: "each is invited"},
		{Value: string(portal.ModeSelfRegister), Label: "Anyone who proves an e-mail address"},
		{Value: string(portal.ModeSSO), Label: "Whoever an identity provider vouches for", Help: "OpenID Connect"},
	}, Help: w.modeHelp}}
	if len(w.known.Groups) > 0 {
		var list []prompt.Choice
		for _, g := range w.known.Groups {
			list = append(list, prompt.Choice{Value: g.Name, Label: g.Name, Help: app.Counted(g.Members, "contact", "contacts")})
		}
		fields = append(fields, prompt.Field{
			Title: "Which access groups?", Pass: "--group", PickMany: &w.groups, Choices: list,
			Hide: notGroups, Help: prompt.Says("Leave all out to make a new one."),
		})
	}
	fields = append(fields,
		prompt.Field{
			Title: "What is the new access group called?", Pass: "--group", Text: &w.newGroup, Placeholder: "Customers",
			Hide: func() bool { return notGroups() || len(w.groups) > 0 },
			Help: prompt.Says("It starts empty; contacts are added with portalctl groups members."),
			Check: func(s string) error {
				_, err := portal.ParseName("group", s)
				return err
			},
		},
		prompt.Field{
			Title: "Only addresses of certain domains?", Pass: "--allow-domain", Text: &w.domains, Optional: true,
			Placeholder: "example.com, example.org", Hide: notRegistration, Help: prompt.Says("With commas between; empty for any address."),
			Check: func(s string) error { return app.CheckAllowDomains(words(s)) },
		},
		prompt.Field{Title: "Does somebody approve each registration?", Pass: "--approval", Yes: &w.approval, Hide: notRegistration},
		prompt.Field{Title: "How do members sign in?", Pass: "--methods", PickMany: &w.methods, Hide: byProvider, Choices: []prompt.Choice{
			{Value: string(portal.MethodPassword), Label: "With a password"},
			{Value: string(portal.MethodLink), Label: "With a link sent by mail"},
			{Value: string(portal.MethodPasskey), Label: "With a passkey (fingerprint, face, PIN or security key)"},
		}, CheckMany: func(list []string) error {
			_, err := portal.ParseMethods(list)
			return err
		}},
		prompt.Field{
			Title: "Must members use a second factor?", Pass: "--second-factor", Yes: &w.factor, Hide: byProvider,
			Help: prompt.Says("A code from an authenticator app, or a passkey. Otherwise each may choose to."),
		})
	return prompt.Step{Title: "Access", Fields: append(fields, w.ssoFields()...)}
}

func (w *wizard) modeHelp() string {
	if w.mode == string(portal.ModeGroups) && w.domain == app.System {
		return "Customers always sign in. On the system domain no invitations are mailed;\nportalctl members link prints links to hand over."
	}
	return "Customers always sign in; there is no public mode."
}

// words takes a list with commas apart.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == ';' })
}

// answers are the set-up the wizard came to, on top of what only flags say.
func (w *wizard) answers() (app.Setup, error) {
	s := w.setup
	name, slug := strings.TrimSpace(w.name), strings.TrimSpace(w.slug)
	s.Name, s.Slug = &name, &slug
	s.Domain = w.domain
	if w.domain == newDomainPick {
		s.Domain, s.Token = w.host, w.token
	}
	if !w.languageKnown() {
		s.Language = w.language
	}
	switch w.inbox {
	case newMailPick:
		s.Inbox = app.InboxChoice{Name: w.inboxName, Kind: portal.InboxMail, Address: w.address}
	case newDeskPick:
		s.Inbox = app.InboxChoice{Name: w.inboxName, Kind: portal.InboxHelpdesk, Address: w.setup.Inbox.Address}
	default:
		s.Inbox = app.InboxChoice{Name: w.inbox}
	}
	var errs []error
	permissions, err := portal.ParsePermissions(w.permissions)
	errs = append(errs, err)
	s.Tickets.Permissions, s.Tickets.Rules = &permissions, nil
	if permissions == portal.PermitRules {
		rules, err := ruleLines(w.rules)
		errs = append(errs, err)
		s.Tickets.Rules = &rules
	}
	errs = append(errs, w.accessAnswers(&s.Access))
	return s, errors.Join(errs...)
}

func (w *wizard) accessAnswers(c *app.AccessChanges) error {
	mode, err := portal.ParseAccessMode(w.mode)
	if err != nil {
		return err
	}
	c.Groups, c.AllowDomains, c.Approval = nil, nil, nil
	if mode == portal.ModeSSO {
		c.Mode, c.Methods, c.SecondFactor = &mode, nil, nil
		w.ssoChanges(c)
		return nil
	}
	methods, err := portal.ParseMethods(w.methods)
	if err != nil {
		return err
	}
	c.Mode, c.Methods, c.SSO = &mode, &methods, app.SSOChanges{}
	c.SecondFactor = new(portal.FactorOptional)
	if w.factor {
		c.SecondFactor = new(portal.FactorRequired)
	}
	if mode == portal.ModeGroups {
		groups := w.groups
		if len(groups) == 0 {
			groups = []string{w.newGroup}
		}
		c.Groups = &groups
		return nil
	}
	domains := words(w.domains)
	c.AllowDomains, c.Approval = &domains, &w.approval
	return nil
}

// summary is what will be set up, to be agreed to.
func (w *wizard) summary() string {
	slug, err := portal.ParseSlug(w.slug)
	if err != nil {
		slug = w.slug
	}
	state := "live"
	if w.setup.Draft {
		state = "draft"
	}
	lines := []string{
		"Name     " + strings.TrimSpace(w.name) + " (" + state + ")",
		"Address  " + w.url(slug),
		"         in " + w.appears(),
		"Tickets  to " + w.inboxWords(),
		"         customers see " + w.permissionWords(),
		"Access   " + w.accessLine(),
	}
	if w.mode != string(portal.ModeSSO) {
		lines = append(lines, "         by "+strings.Join(w.methods, " or "))
	}
	if w.factor && w.mode != string(portal.ModeSSO) {
		lines = append(lines, "         and with a second factor")
	}
	if w.domain == newDomainPick {
		lines = append(lines, "It serves nothing until the TXT record is found in DNS.")
	}
	if w.domain == app.System && w.mode == string(portal.ModeGroups) {
		lines = append(lines, "No invitations are mailed; links are handed over with portalctl members link.")
	} else if w.mode == string(portal.ModeGroups) && !w.setup.Draft {
		lines = append(lines, "Contacts of the groups are invited two minutes later; until then it can be taken back.")
	}
	if w.mail && w.inbox == newMailPick {
		lines = append(lines, "A test message will be sent to "+w.address+".")
	}
	return strings.Join(lines, "\n")
}

func (w *wizard) inboxWords() string {
	switch w.inbox {
	case newMailPick:
		return fmt.Sprintf("the new inbox %s, %s", w.inboxName, w.address)
	case newDeskPick:
		return "the new help desk " + w.inboxName
	}
	return w.inbox
}

func (w *wizard) permissionWords() string {
	switch w.permissions {
	case string(portal.PermitCompany):
		return "their company's"
	case string(portal.PermitRules):
		return "their own, or by rules their company's"
	}
	return "their own"
}

func (w *wizard) accessLine() string {
	line := "contacts of " + strings.Join(w.groups, ", ")
	switch {
	case w.mode == string(portal.ModeGroups) && len(w.groups) == 0:
		line = "contacts of the new access group " + w.newGroup
	case w.mode == string(portal.ModeSelfRegister):
		line = "anyone with an e-mail address"
		if list := words(w.domains); len(list) > 0 {
			line += " of " + strings.Join(list, ", ")
		}
		if w.approval {
			line += ", once approved"
		}
	case w.mode == string(portal.ModeSSO):
		line = "whoever " + w.sso.issuer + " vouches for"
	}
	return line
}
