package takeout

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// offlinePage is index.html: complete in itself, so that it opens from a
// folder.
type offlinePage struct {
	*writing
	Portal, Many string
	Who          string
	Style        string
}

// page writes index.html.
func (o *writing) page(ctx context.Context, w io.Writer) error {
	p := &offlinePage{writing: o, Many: o.T("ticket.many"), Who: o.Personal.Contact.Name}
	accent := portal.DefaultAccent
	if home := o.TakeOut.Portal; home != nil {
		p.Portal, accent = home.Name, home.Accent
		if home.Tickets.LabelMany != "" {
			p.Many = home.Tickets.LabelMany
		}
	}
	if p.Who == "" {
		p.Who = o.Personal.Contact.Email
	}
	p.Style = "<style>\n" + page.StyleSheet(accent) + offlineStyle + "</style>"
	return offlineView(p).Render(ctx, w)
}

// offlinePolicy keeps the page from asking anything of anybody, whatever a
// message in it says.
const offlinePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

// offlineStyle is what only this page has.
const offlineStyle = `
.offline main { padding-block: 1.5rem 3rem; }
.offline section, .offline details.ticket { margin-top: 1.25rem; }
.offline .lead { margin-bottom: 0.5rem; }
.offline .parts { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin-top: 1rem; }
.offline .parts a { min-height: 1.75rem; display: inline-flex; align-items: center; }
.offline .facts > div > * { min-width: 0; }
.offline .facts time { white-space: normal; }
.offline .lines { margin-top: 0.75rem; border-top: 1px solid var(--line); }
.offline .lines > li { padding-block: 0.75rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.offline .lines .muted { display: block; font-size: 0.875rem; }
.offline details.ticket > summary { padding: 1rem 1.25rem; overflow-wrap: anywhere; }
.offline details.ticket > summary .muted { font-weight: 400; font-size: 0.9375rem; }
.offline details.ticket > summary strong { margin-inline: 0.25rem 0.5rem; }
.offline details.ticket > .inside { padding: 0 1.25rem 1.25rem; }
.offline .thread { margin-top: 1.25rem; }
.offline .agreed { margin-top: 0.5rem; white-space: pre-wrap; }
.offline .message-time { margin: 0; text-align: start; }
.offline h2 + p { margin-top: 0.5rem; }
@media (max-width: 30rem) { .offline .facts > div { grid-template-columns: 1fr; gap: 0; } }
`

// when is a time as the page shows it.
func (o *writing) when(t time.Time) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		if t.IsZero() {
			_, err := io.WriteString(w, "–")
			return err
		}
		_, err := fmt.Fprintf(w, `<time datetime="%s">%s</time>`, t.UTC().Format(time.RFC3339), templ.EscapeString(o.DateTime(t.In(o.zone))))
		return err
	})
}

// allTickets writes the tickets one by one.
func (p *offlinePage) allTickets() templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		none := true
		err := p.Tickets(ctx, func(t *app.TakeOutTicket) error {
			none = false
			return offlineTicket(p, t).Render(ctx, w)
		})
		if err == nil && none {
			err = offlineNothing(p.T("takeout.no_tickets", "Many", p.Many)).Render(ctx, w)
		}
		return err
	})
}

// elsewhere writes what the person wrote in tickets of others.
func (p *offlinePage) elsewhere() templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		first := true
		return p.Elsewhere(ctx, func(t *app.TakeOutTicket) error {
			if first {
				first = false
				if err := offlineHeading("elsewhere", p.T("takeout.elsewhere")).Render(ctx, w); err != nil {
					return err
				}
			}
			return offlineElsewhere(p, t).Render(ctx, w)
		})
	})
}

// thread writes a ticket's messages one by one.
func (p *offlinePage) thread(t *app.TakeOutTicket, own bool) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return p.Messages(ctx, t.Ticket, own, func(m *portal.Message) error {
			return offlineMessage(p, t, m).Render(ctx, w)
		})
	})
}

// href is where a file of the page lies, below it.
func href(f *portal.File) templ.SafeURL {
	parts := strings.Split(filePath(f), "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return templ.SafeURL(strings.Join(parts, "/"))
}

// role is what the person is to a ticket.
func (p *offlinePage) role(t *app.TakeOutTicket) string {
	if t.Requested {
		return p.T("takeout.requester")
	}
	return p.T("takeout.participant", "Name", t.RequesterName)
}

func (p *offlinePage) messageClass(m *portal.Message) string {
	switch {
	case m.Contact == p.Contact():
		return "message mine"
	case m.Agent != 0:
		return "message desk"
	}
	return "message"
}

// labels are the person's fields, each with what it is called.
func (p *offlinePage) labels() [][2]string {
	c := &p.Personal.Contact
	rows := [][2]string{{p.T("account.name"), c.Name}, {p.T("sign_in.email"), c.Email}, {p.T("takeout.member_email"), c.MemberEmail}}
	if c.Language != "" {
		rows = append(rows, [2]string{p.T("account.language"), i18n.For(c.Language).T("language.name")})
	}
	rows = append(rows, [2]string{p.T("account.zone"), strings.ReplaceAll(c.TimeZone, "_", " ")}, [2]string{p.T("takeout.external_id"), c.ExternalID})
	for _, key := range sorted(c.Properties) {
		rows = append(rows, [2]string{key, c.Properties[key]})
	}
	var companies, groups []string
	for _, one := range p.Companies {
		companies = append(companies, one.Name)
	}
	for _, one := range p.AccessGroups {
		groups = append(groups, one.Name)
	}
	rows = append(rows, [2]string{p.T("column.company"), strings.Join(companies, ", ")}, [2]string{p.T("takeout.groups"), strings.Join(groups, ", ")})
	kept := rows[:0]
	for _, row := range rows {
		if row[1] != "" {
			kept = append(kept, row)
		}
	}
	return kept
}

// more counts what only data.json lists.
func (p *offlinePage) more() string {
	return p.T("takeout.more_text",
		"Mails", p.N("takeout.mails", len(p.Mails)), "Log", p.N("takeout.log", len(p.Log)),
		"Browsers", p.N("takeout.browsers", len(p.Browsers)), "Links", p.N("takeout.links", len(p.Links)))
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// fieldLabel is what the form called a field.
func (p *offlinePage) fieldLabel(t *app.TakeOutTicket, key string) string {
	if key == "follows" {
		return p.T("new.follows")
	}
	if home := p.home(t.Ticket); home != nil {
		for _, f := range home.Tickets.Fields {
			if f.Key == key && f.Label != "" {
				return f.Label
			}
		}
	}
	return key
}
