package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newAuditCmd(env *Env) *cobra.Command {
	return noun("audit", "The audit log: who did what, and proof that it is whole",
		"  portalctl audit list --since 7d\n  portalctl audit verify",
		newAuditListCmd(env),
		newAuditVerifyCmd(env),
		newAuditExportCmd(env),
		newAuditRetentionCmd(env),
	)
}

type auditListOptions struct {
	Kinds                []string
	About, Contact       string
	Since, Until, Before string
	Limit                int
}

func newAuditListCmd(env *Env) *cobra.Command {
	var o auditListOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List who did what, when and from where, newest first",
		Long: `List who did what, when and from where, newest first: sign-ins and failed ones,
changes of rights and settings with their values before and after, exports,
removals, files that agents looked at.

Names are those of today: entries hold numbers, and stay when people are
erased. --kind takes a kind such as sign_in.failed, or the first word of
several, such as access or sign_in.`,
		Example: `  portalctl audit list --kind sign_in --since 24h
  portalctl audit list --contact ana@acme.example
  portalctl audit list --about T-1042
  portalctl audit list --about contact:12 --output json`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runAuditList(cmd.Context(), env, o) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.Kinds, "kind", nil, "only entries of this kind (repeatable)")
	f.StringVar(&o.Contact, "contact", "", "only what this contact or agent did, or what concerns them")
	f.StringVar(&o.About, "about", "", "only what concerns this: an address, T-1042, or group:3 and the like")
	f.StringVar(&o.Since, "since", "", "from this day or time on, or this long ago, such as 7d")
	f.StringVar(&o.Until, "until", "", "up to this day or time, or until this long ago")
	f.StringVar(&o.Before, "after", "", "list from behind the entry with this number")
	f.IntVar(&o.Limit, "limit", 50, "list at most this many")
	words := make([]string, len(portal.AuditKinds))
	for i, k := range portal.AuditKinds {
		words[i] = string(k)
	}
	choices(cmd, "kind", words...)
	return cmd
}

// auditColumns are for scripts; people read showAudit's lines.
var auditColumns = []output.Column{
	{Name: "id"},
	{Name: "at"},
	{Name: "who"},
	{Name: "kind"},
	{Name: "about_name"},
	{Name: "changes"},
	{Name: "from"},
	{Name: "portal"},
	{Name: "contact"},
	{Name: "agent"},
	{Name: "operator"},
	{Name: "about"},
	{Name: "browser"},
	{Name: "email"},
	{Name: "erased"},
}

func (o *auditListOptions) query(env *Env) (q app.AuditQuery, err error) {
	q = app.AuditQuery{Kinds: o.Kinds, About: o.About, Contact: o.Contact, Limit: o.Limit + 1}
	if err := limitFlag(o.Limit); err != nil {
		return q, err
	}
	if q.Since, err = env.moment("since", o.Since, false); err != nil {
		return q, err
	}
	if q.Until, err = env.moment("until", o.Until, true); err != nil {
		return q, err
	}
	if o.Before != "" {
		id, err := strconv.ParseInt(strings.TrimSpace(o.Before), 10, 64)
		if err != nil || id <= 0 {
			return q, portal.Invalidf("usage", "after", "%q is not the number of an entry", o.Before)
		}
		q.Before = portal.AuditID(id)
	}
	return q, nil
}

func runAuditList(ctx context.Context, env *Env, o auditListOptions) error {
	q, err := o.query(env)
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		if env.Config.Portal != "" {
			p, err := env.portal(ctx, a)
			if err != nil {
				return err
			}
			q.Portal = p.ID
		}
		lines, err := a.AuditLog(ctx, q)
		if err != nil {
			return err
		}
		lines, more := cutTo(lines, o.Limit)
		if err := showAudit(env, lines); err != nil {
			return err
		}
		if more {
			env.sayMore(more, fmt.Sprint(lines[len(lines)-1].ID))
		}
		return nil
	})
}

// showAudit prints entries. A table would cut what became different, which is
// what people look for, so each entry has lines of its own.
func showAudit(env *Env, lines []app.AuditLine) error {
	if env.Config.Output != output.Table {
		rows := make([][]any, len(lines))
		for i := range lines {
			rows[i] = auditRow(&lines[i])
		}
		return env.Printer().List(auditColumns, rows, "")
	}
	if len(lines) == 0 {
		env.say("no such entry")
		return nil
	}
	width := len(fmt.Sprint(lines[0].ID))
	for i := range lines {
		l := &lines[i]
		text := fmt.Sprintf("%*d  %s  %s", width, l.ID, l.At.Local().Format(time.DateTime), l.Kind)
		if l.What != "" && l.What != l.Who {
			text += ": " + l.What
		}
		text += ", by " + l.Who
		if l.Address != "" {
			text += " from " + l.Address
		}
		if l.Where != "" && l.Where != l.What {
			text += ", in " + l.Where
		}
		if err := env.line(text); err != nil {
			return err
		}
		for _, part := range (auditText{changes: l.Changed, email: l.Email, erased: l.Erased}).parts() {
			if _, err := fmt.Fprintf(env.Out, "%*s  %s\n", width, "", output.Clean(part)); err != nil {
				return err
			}
		}
	}
	return nil
}

func auditRow(l *app.AuditLine) []any {
	text := auditText{changes: l.Changed, email: l.Email, erased: l.Erased}
	return []any{
		int64(l.ID), l.At, l.Who, string(l.Kind), l.What, text, l.Address, l.Where,
		number(l.By.Contact), number(l.By.Agent), l.Operator, l.About, l.AuditDetail.Agent, l.Email, l.Erased,
	}
}

// number is an id for scripts; none is nothing.
func number[T ~int64](id T) any {
	if id == 0 {
		return nil
	}
	return int64(id)
}

// auditText is what an entry says became different: a line for people, a list
// for scripts.
type auditText struct {
	changes []portal.AuditChange
	email   string // the address somebody tried
	erased  bool
}

// String writes mode: groups -> sso; approval: on.
func (t auditText) String() string { return strings.Join(t.parts(), "; ") }

func (t auditText) parts() []string {
	if t.erased {
		return []string{"(erased)"}
	}
	var parts []string
	if t.email != "" {
		parts = append(parts, "tried: "+t.email)
	}
	for _, c := range t.changes {
		parts = append(parts, app.Change(c).String())
	}
	return parts
}

// MarshalJSON writes the changes as a list.
func (t auditText) MarshalJSON() ([]byte, error) {
	list := make([]app.Change, len(t.changes))
	for i, c := range t.changes {
		list[i] = app.Change(c)
	}
	return json.Marshal(list)
}
