package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Change is one setting that got another value, as commands tell it. Field
// is named as its flag.
type Change struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// String tells the change: permissions: contact -> company.
func (c Change) String() string {
	switch {
	case c.From == "":
		return fmt.Sprintf("%s: %s", c.Field, c.To)
	case c.To == "":
		return fmt.Sprintf("%s: %s -> none", c.Field, c.From)
	}
	return fmt.Sprintf("%s: %s -> %s", c.Field, c.From, c.To)
}

// changeList notes what differs.
type changeList []Change

func (l *changeList) note(setting, from, to string) bool {
	if from == to {
		return false
	}
	*l = append(*l, Change{setting, from, to})
	return true
}

// has reports whether one of the settings differs.
func (l *changeList) has(settings ...string) bool {
	return slices.ContainsFunc(*l, func(c Change) bool { return slices.Contains(settings, c.Field) })
}

// change sets *field to the wanted value, if one is given, and notes the
// difference as both are written.
func change[T any](l *changeList, setting string, field, want *T) {
	if want == nil {
		return
	}
	if l.note(setting, written(*field), written(*want)) {
		*field = *want
	}
}

// written is a value as its flag takes it.
func written(value any) string {
	switch v := value.(type) {
	case bool:
		if v {
			return "on"
		}
		return "off"
	case []string:
		return strings.Join(v, ",")
	case []portal.SignInMethod:
		return joined(v)
	case []portal.TicketColumn:
		return joined(v)
	case []portal.TicketField:
		return portal.FormatFields(v)
	case portal.RuleSet:
		rules := make([]string, len(v))
		for i, group := range v {
			rules[i] = portal.FormatRule(group)
		}
		return strings.Join(rules, " or ")
	}
	return fmt.Sprint(value)
}

func joined[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return strings.Join(words, ",")
}

// Portals lists every portal by name.
func (a *App) Portals(ctx context.Context) (list []portal.Portal, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.Portals(ctx)
		return err
	})
	return list, err
}

// PortalNamed finds the portal an operator means: by slug, by name or by its
// address HOST/SLUG. No name means the only one there is.
func (a *App) PortalNamed(ctx context.Context, name string) (*portal.Portal, error) {
	portals, err := a.Portals(ctx)
	if err != nil {
		return nil, err
	}
	if len(portals) == 0 {
		return nil, portal.NotFoundf("portal.none_yet", "there is no portal yet").
			WithHint("set one up: portalctl init")
	}
	if strings.TrimSpace(name) == "" {
		if len(portals) == 1 {
			return &portals[0], nil
		}
		err := portal.Invalidf("portal.which", "portal", "there are %d portals; say which", len(portals))
		return nil, err.WithHint("add --portal with one of %s", strings.Join(portalWords(portals), ", "))
	}
	var found, exact []*portal.Portal
	for i := range portals {
		p := &portals[i]
		if names(p, name) {
			found = append(found, p)
		}
		if p.Name == name || p.Slug == name {
			exact = append(exact, p)
		}
	}
	if len(exact) == 1 {
		return exact[0], nil
	}
	switch len(found) {
	case 0:
		return nil, portal.NotFoundf("portal.none", "there is no portal %q", name).
			WithHint("the store holds %s", strings.Join(portalWords(portals), ", "))
	case 1:
		return found[0], nil
	}
	return nil, portal.Invalidf("portal.which", "portal", "%d portals are called %q", len(found), name).
		WithHint("name one by its address, like support.example.com/help")
}

func names(p *portal.Portal, name string) bool {
	name = strings.TrimSuffix(strings.TrimSpace(name), "/")
	if strings.EqualFold(p.Name, name) || p.Slug != "" && strings.EqualFold(strings.TrimPrefix(name, "/"), p.Slug) {
		return true
	}
	return strings.EqualFold(strings.TrimSuffix(p.Domain.Host+"/"+p.Slug, "/"), name) ||
		p.Domain.Kind == portal.SystemDomain && strings.EqualFold(strings.TrimSuffix(System+"/"+p.Slug, "/"), name)
}

// portalWords are the words that name each portal in --portal.
func portalWords(portals []portal.Portal) []string {
	words := make([]string, len(portals))
	for i, p := range portals {
		words[i] = p.Slug
		if p.Slug == "" {
			words[i] = fmt.Sprintf("%q", p.Name)
		}
	}
	return words
}
