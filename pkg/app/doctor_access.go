package app

import (
	"context"
	"fmt"

	"github.com/portalctl/portalctl/pkg/portal"
)

// accessChecks look at who gets in.
func accessChecks(s *Status) []Check {
	checks := []Check{{"access", "agents", func(context.Context) []portal.Finding { return agentFindings(s) }}}
	several := len(s.Portals) > 1
	for i := range s.Portals {
		p := &s.Portals[i]
		flag := ""
		if several {
			flag = " --portal " + portalWords([]portal.Portal{p.Portal})[0]
		}
		checks = append(checks, Check{"access", p.Portal.Name, func(context.Context) []portal.Finding { return portalFindings(p, flag) }})
	}
	return checks
}

func agentFindings(s *Status) []portal.Finding {
	switch {
	case len(s.Portals) == 0:
		return []portal.Finding{fails("access.portal", "portals", "there is none", "a portal", "portalctl init")}
	case s.Agents == 0:
		return []portal.Finding{fails("access.agents", "agents", "nobody can answer: there is no agent", "an agent", "portalctl agents add NAME@EXAMPLE.COM")}
	}
	return []portal.Finding{holds("access.agents", "agents", Counted(s.Agents, "agent answers", "agents answer"))}
}

func portalFindings(p *PortalStatus, flag string) []portal.Finding {
	name, access := p.Portal.Name, &p.Portal.Access
	all := []portal.Finding{whoGetsIn(p, flag)}
	switch p.Portal.State {
	case portal.Draft:
		all = append(all, warns("access.state", name, "it is a draft: only agents can open it", "live", "portalctl portal set --state live"+flag))
	case portal.Paused:
		all = append(all, warns("access.state", name, "it is paused: customers see a notice", "live", "portalctl portal set --state live"+flag))
	}
	if n := p.Members[portal.Pending]; n > 0 {
		all = append(all, warns("access.pending", name, Counted(n, "registration awaits approval", "registrations await approval"), "an answer", "portalctl members list --status pending"+flag))
	}
	if n := p.Members[portal.Failed]; n > 0 {
		all = append(all, warns("access.bounced", name, Counted(n, "invitation came back", "invitations came back"), "addresses that take mail", "portalctl members list --status failed"+flag))
	}
	if access.Mode == portal.ModeGroups && p.Portal.Domain.Kind == portal.SystemDomain {
		all = append(all, warns("access.invitations", name, "on the system domain no invitations are sent to access groups", "a connected domain",
			"portalctl domain connect support.example.com --wait, or hand over links: portalctl members link"))
	}
	return all
}

// whoGetsIn looks for access that lets in nobody, or everybody.
func whoGetsIn(p *PortalStatus, flag string) portal.Finding {
	const code = "access.mode"
	name, access := p.Portal.Name, &p.Portal.Access
	switch access.Mode {
	case portal.ModeGroups:
		contacts, group := 0, "GROUP"
		for _, g := range p.Groups {
			contacts += g.Members
			group = fmt.Sprintf("%q", g.Name)
		}
		if contacts == 0 {
			return fails(code, name, "nobody gets in: its access groups are empty", "contacts in them", "portalctl groups members "+group+" --add NAME@EXAMPLE.COM")
		}
		return holds(code, name, "access groups of "+Counted(contacts, "contact", "contacts"))
	case portal.ModeSelfRegister:
		if len(access.AllowDomains) == 0 && !access.Approval {
			return warns(code, name, "whoever has a mail address may register, and nobody approves", "mail domains, or an approval, unless it is meant for everybody",
				"portalctl access set self-register --allow-domain example.com"+flag+", or --approval")
		}
		return holds(code, name, "registration, limited to mail domains or approved")
	case portal.ModeSSO:
		return holds(code, name, "sign-in by "+access.SSO.Issuer)
	}
	return fails(code, name, "nobody gets in: it has no access mode", "groups, self-register or sso", "portalctl access set groups"+flag)
}
