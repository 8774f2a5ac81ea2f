package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/prompt"
)

// What can be picked besides things that exist already.
const (
	newDomainPick = "+domain"
	newMailPick   = "+inbox"
	newDeskPick   = "+helpdesk"
)

// wizard asks what `init` was not told. Its fields hold the answers as they
// are given; nothing is created before all of them are.
type wizard struct {
	setup app.Setup // as the flags have it
	known *app.Known
	base  string // the system domain's address
	mail  bool   // a mail server is configured
	token string // proves a domain connected now
	watch *domainWatch
	goOn  string // the one answer to the records of a new domain

	name                   string
	domain, host, language string
	slug                   string
	inbox, inboxName       string
	address                string
	permissions, rules     string
	mode                   string
	groups                 []string
	newGroup               string
	domains                string
	approval               bool
	methods                []string
	sso                    ssoAnswers
	factor                 bool
}

// newWizard offers what the flags said as answers.
func newWizard(s app.Setup, k *app.Known, base string, mail bool) *wizard {
	w := &wizard{
		setup: s, known: k, base: base, mail: mail, language: i18n.Default,
		goOn: "on", permissions: string(portal.PermitContact), mode: string(portal.ModeGroups),
		methods: []string{string(portal.MethodPassword), string(portal.MethodLink), string(portal.MethodPasskey)},
	}
	w.name, w.slug = valueOf(s.Name), valueOf(s.Slug)
	w.prefillDomain()
	w.prefillTickets()
	w.prefillAccess()
	return w
}

func valueOf[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}

func (w *wizard) prefillDomain() {
	if w.setup.Language != "" {
		w.language = w.setup.Language
	}
	host, err := app.ParseHost(w.setup.Domain)
	switch {
	case strings.EqualFold(w.setup.Domain, app.System):
		w.domain = app.System
	case err == nil && w.connected(host) != nil:
		w.domain = host
	case err == nil:
		w.domain, w.host = newDomainPick, host
	}
}

func (w *wizard) prefillTickets() {
	if w.setup.Tickets.Permissions != nil {
		w.permissions = string(*w.setup.Tickets.Permissions)
	}
	var rules []string
	for _, group := range valueOf(w.setup.Tickets.Rules) {
		rules = append(rules, portal.FormatRule(group))
		w.permissions = string(portal.PermitRules)
	}
	w.rules = strings.Join(rules, "\n")
	c := w.setup.Inbox
	w.inboxName, w.address = c.Name, c.Address
	for _, i := range w.known.Inboxes {
		if c.Name != "" && strings.EqualFold(i.Name, c.Name) {
			w.inbox = i.Name
			return
		}
	}
	switch {
	case c.Kind == portal.InboxHelpdesk:
		w.inbox = newDeskPick
	case c.Name != "" || len(w.known.Inboxes) == 0:
		w.inbox = newMailPick
	}
}

func (w *wizard) prefillAccess() {
	a := w.setup.Access
	if a.Mode != nil {
		w.mode = string(*a.Mode)
	}
	w.sso = newSSOAnswers(&a)
	for _, name := range valueOf(a.Groups) {
		exists := false
		for _, g := range w.known.Groups {
			if strings.EqualFold(g.Name, name) {
				w.groups, exists = append(w.groups, g.Name), true
			}
		}
		if !exists {
			w.newGroup = name
		}
	}
	w.domains, w.approval = strings.Join(valueOf(a.AllowDomains), ", "), valueOf(a.Approval)
	w.factor = valueOf(a.SecondFactor) == portal.FactorRequired
	if a.Methods != nil {
		w.methods = nil
		for _, m := range *a.Methods {
			w.methods = append(w.methods, string(m))
		}
	}
}

func (w *wizard) connected(host string) *portal.Domain {
	for i, d := range w.known.Domains {
		if d.Kind == portal.ConnectedDomain && d.Host == host {
			return &w.known.Domains[i]
		}
	}
	return nil
}

func (w *wizard) system() *portal.Domain {
	for i, d := range w.known.Domains {
		if d.Kind == portal.SystemDomain {
			return &w.known.Domains[i]
		}
	}
	return nil
}

// ask runs the wizard and returns the set-up it came to.
func (w *wizard) ask(ctx context.Context, env *Env) (app.Setup, error) {
	var err error
	// The record that proves a new domain is shown before the domain exists.
	if w.token, _, err = auth.NewToken(); err != nil {
		return app.Setup{}, err
	}
	w.watch = newDomainWatch(ctx, env, w)
	defer w.watch.stop()
	err = env.Prompt.Wizard(ctx, prompt.Wizard{
		Steps:   []prompt.Step{w.nameStep(), w.domainStep(), w.ticketStep(), w.accessStep()},
		Summary: w.summary,
		Confirm: "Set up the portal",
	})
	if err != nil {
		return app.Setup{}, err
	}
	setup, err := w.answers()
	if err != nil {
		return app.Setup{}, err
	}
	return setup, setup.Check(w.known)
}

func (w *wizard) nameStep() prompt.Step {
	return prompt.Step{Title: "Name", Fields: []prompt.Field{{
		Title: "What is the portal called?", Pass: "--name", Text: &w.name, Placeholder: "Nordic Tools Support",
		Help: prompt.Says("The title customers see in the browser tab and in mail."),
		Check: func(s string) error {
			_, err := portal.ParseName("name", s)
			return err
		},
	}}}
}

func (w *wizard) domainStep() prompt.Step {
	var list []prompt.Choice
	for _, d := range w.known.Domains {
		if d.Kind == portal.ConnectedDomain {
			state := "not verified yet"
			if d.Verified() {
				state = "verified"
			}
			list = append(list, prompt.Choice{Value: d.Host, Label: d.Host, Help: state})
		}
	}
	list = append(list,
		prompt.Choice{Value: newDomainPick, Label: "Connect a domain of your own now"},
		prompt.Choice{Value: app.System, Label: "Use the system domain", Help: w.base})
	return prompt.Step{Title: "Domain", Fields: []prompt.Field{
		{Title: "Which domain is the portal on?", Pass: "--domain", Pick: &w.domain, Choices: list, Help: w.domainHelp},
		{
			Title: "Which domain?", Pass: "--domain", Text: &w.host, Placeholder: "support.example.com",
			Hide: func() bool { return w.domain != newDomainPick }, Help: w.hostHelp, Check: w.checkHost,
		},
		{
			Title: "Add these records to the DNS zone", Pass: "--domain", Pick: &w.goOn, Every: time.Second,
			Choices: []prompt.Choice{{Value: "on", Label: "Go on", Help: "what is not found yet can be verified later"}},
			Hide:    func() bool { return w.domain != newDomainPick }, Help: w.watch.words,
		},
		{
			Title: "In which language?", Pass: "--language", Pick: &w.language, Choices: languageChoices(),
			Hide: w.languageKnown, Help: prompt.Says("Pages and mail appear in it. More to choose from: portalctl portal set --languages."),
		},
		{
			Title: "What does the address end in?", Pass: "--slug", Text: &w.slug, Optional: true, Placeholder: "help",
			Help: w.slugHelp, Check: w.checkSlug,
		},
	}}
}

func languageChoices() []prompt.Choice {
	var list []prompt.Choice
	for _, l := range i18n.Languages() {
		list = append(list, prompt.Choice{Value: l.Code, Label: l.Name})
	}
	return list
}

func (w *wizard) domainHelp() string {
	switch w.domain {
	case app.System:
		return "The system domain is the address of this machine. A portal on it mails no\ninvitations to access groups; you hand over links instead."
	case newDomainPick:
		return "A DNS record will prove that the domain is yours. Until it is found, the\ndomain serves nothing."
	}
	return "Customers reach the portal under this name."
}

func (w *wizard) hostHelp() string {
	host, err := app.ParseHost(w.host)
	if err != nil {
		return "The full host name. The record to add to DNS appears here."
	}
	d := portal.Domain{Host: host, Token: w.token}
	return "A TXT record will prove that it is yours:\n" + d.ProofName() + "\n" + d.ProofValue()
}

func (w *wizard) checkHost(s string) error {
	host, err := app.ParseHost(s)
	if err != nil {
		return err
	}
	if w.connected(host) != nil {
		return fmt.Errorf("%s is connected already; go back and pick it", host)
	}
	w.watch.follow(host)
	return nil
}

// languageKnown reports whether the domain has its language already: one that
// is connected, or the system domain once a portal is on it.
func (w *wizard) languageKnown() bool {
	if w.domain == newDomainPick {
		return false
	}
	if w.domain != app.System {
		return true
	}
	for _, p := range w.known.Portals {
		if p.DomainID == w.system().ID {
			return true
		}
	}
	return false
}

// site is the scheme and host of the address.
func (w *wizard) site() string {
	d := portal.Domain{Kind: portal.ConnectedDomain, Host: w.domain}
	switch w.domain {
	case app.System, "":
		d.Kind = portal.SystemDomain
	case newDomainPick:
		d.Host = w.host
		if host, err := app.ParseHost(w.host); err == nil {
			d.Host = host
		}
	}
	return app.SiteURL(w.base, &d)
}

// appears is the language the portal will appear in.
func (w *wizard) appears() string {
	if !w.languageKnown() {
		return languageName(w.language)
	}
	if d := w.connected(w.domain); d != nil {
		return languageName(d.Language)
	}
	return languageName(w.system().Language)
}

func (w *wizard) url(slug string) string {
	if slug == "" {
		return w.site() + "/"
	}
	return w.site() + "/" + slug + "/"
}

func (w *wizard) slugHelp() string {
	slug, err := portal.ParseSlug(w.slug)
	if err != nil {
		return "The address would be " + w.url(strings.Trim(w.slug, "/ "))
	}
	return "The address will be " + w.url(slug) + "\nThe portal will appear in " + w.appears() + ", the language of its domain."
}

func (w *wizard) checkSlug(s string) error {
	slug, err := portal.ParseSlug(s)
	if err != nil {
		return err
	}
	d := w.connected(w.domain)
	if w.domain == app.System {
		d = w.system()
	}
	if d == nil {
		return nil
	}
	return w.known.Free(d.ID, slug)
}
