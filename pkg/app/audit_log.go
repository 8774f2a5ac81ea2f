package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/transfer"
)

// AuditQuery narrows AuditLog.
type AuditQuery struct {
	Kinds        []string
	About        string // what it concerns: contact:12, ticket:T-1042, group:3, an address or a ticket's number
	Contact      string // the address of a contact or an agent: what they did, and what concerns them
	Portal       portal.PortalID
	Since, Until time.Time
	Before       portal.AuditID
	Limit        int
}

// AuditLine is an entry of the audit log with the names of today.
type AuditLine struct {
	portal.AuditEntry
	Who     string // ana@example.com, "agent 3 (removed)", "operator root", "system"
	What    string // what it concerns, named; About when it has no name
	Where   string // the portal's name; "" for the whole store
	Changed []portal.AuditChange
	// Erased is set when the detail went with a person who was erased.
	Erased bool
}

// AuditLog returns entries, newest first.
func (a *App) AuditLog(ctx context.Context, q AuditQuery) (lines []AuditLine, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		f, err := q.filter(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := tx.Audit(ctx, f)
		if err != nil {
			return err
		}
		names := auditNames{ctx: ctx, tx: tx, known: map[string]string{}}
		for i := range rows {
			line, err := names.line(&rows[i])
			if err != nil {
				return err
			}
			lines = append(lines, line)
		}
		return nil
	})
	return lines, err
}

func (q *AuditQuery) filter(ctx context.Context, tx *store.Tx) (f store.AuditFilter, err error) {
	f = store.AuditFilter{Portal: q.Portal, Since: q.Since, Until: q.Until, Before: q.Before, Limit: q.Limit}
	for _, word := range q.Kinds {
		kinds, err := auditKinds(word)
		if err != nil {
			return f, err
		}
		f.Kinds = append(f.Kinds, kinds...)
	}
	if q.Contact != "" {
		if f.Person, err = personNamed(ctx, tx, "contact", q.Contact); err != nil {
			return f, err
		}
	}
	switch about := strings.TrimSpace(q.About); {
	case about == "":
	case strings.Contains(about, "@"):
		who, err := personNamed(ctx, tx, "about", about)
		if err != nil {
			return f, err
		}
		f.About = []string{who.About()}
	default:
		f.About = []string{about}
		if n, err := portal.ParseTicketNumber(about); err == nil {
			f.About = []string{aboutTicket(n)}
		}
	}
	return f, nil
}

// auditKinds are the kinds a word means: one, or all that begin with it, as
// sign_in means sign_in, sign_in.failed and sign_in.refused.
func auditKinds(word string) (kinds []portal.AuditKind, err error) {
	word = strings.ToLower(strings.TrimSpace(word))
	for _, k := range portal.AuditKinds {
		if string(k) == word || strings.HasPrefix(string(k), word+".") {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) == 0 {
		var words []string
		for _, k := range portal.AuditKinds {
			first, _, _ := strings.Cut(string(k), ".")
			words = append(words, first)
		}
		slices.Sort(words)
		return nil, portal.Invalidf("audit.kind", "kind", "%q is no kind of entry", word).
			WithHint("use one of %s, or a longer one such as access.changed", strings.Join(slices.Compact(words), ", "))
	}
	return kinds, nil
}

// personNamed finds a contact, or else an agent, by address.
func personNamed(ctx context.Context, tx *store.Tx, field, address string) (portal.Person, error) {
	address, err := email(field, address)
	if err != nil {
		return portal.Person{}, err
	}
	c, err := notFound(tx.ContactByEmail(ctx, address))
	if err != nil || c != nil {
		return portal.Person{Contact: idOf(c)}, err
	}
	agent, err := tx.AgentByEmail(ctx, address)
	if portal.KindOf(err) == portal.NotFound {
		return portal.Person{}, portal.NotFoundf("contact.none", "there is no contact or agent %s", address).
			WithHint("one who is gone is found by number: --about contact:12")
	}
	if err != nil {
		return portal.Person{}, err
	}
	return portal.Person{Agent: agent.ID}, nil
}

func idOf(c *portal.Contact) portal.ContactID {
	if c == nil {
		return 0
	}
	return c.ID
}

// auditNames looks up what entries name by number, each once.
type auditNames struct {
	ctx   context.Context
	tx    *store.Tx
	known map[string]string
}

func (n *auditNames) line(r *portal.AuditRow) (AuditLine, error) {
	l := AuditLine{AuditEntry: r.Entry(), Erased: !r.HasDetail}
	var problems []error
	name := func(about string) string {
		text, err := n.name(about)
		problems = append(problems, err)
		return text
	}
	l.What = name(r.About)
	if r.Portal != 0 {
		l.Where = name(aboutPortal(r.Portal))
	}
	by := portal.Person{Contact: r.By.Contact, Agent: r.By.Agent}
	switch {
	case !by.None():
		l.Who = name(by.About())
	case r.Operator != "":
		l.Who = "operator " + r.Operator
	default:
		l.Who = "system"
	}
	for _, c := range l.Changes {
		c.From, c.To = name(c.From), name(c.To)
		l.Changed = append(l.Changed, c)
	}
	return l, errors.Join(problems...)
}

// name is what something is called today. What is no name of the audit log
// stays as it is.
func (n *auditNames) name(about string) (string, error) {
	if name, ok := n.known[about]; ok {
		return name, nil
	}
	kind, number, ok := strings.Cut(about, ":")
	id, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || id <= 0 {
		if kind == "ticket" {
			return number, nil
		}
		return about, nil
	}
	name, err := n.find(kind, id)
	switch {
	case portal.KindOf(err) == portal.NotFound:
		if name, err = n.gone(kind, id); err != nil {
			return "", err
		}
	case err != nil:
		return "", err
	case name == "":
		name = about
	}
	n.known[about] = name
	return name, nil
}

func (n *auditNames) find(kind string, id int64) (name string, err error) {
	switch kind {
	case "contact":
		c, err := n.tx.Contact(n.ctx, portal.ContactID(id))
		if err != nil {
			return "", err
		}
		if c.Erased() {
			return n.gone(kind, id)
		}
		return c.Email, nil
	case "agent":
		agent, err := n.tx.Agent(n.ctx, portal.AgentID(id))
		if err != nil {
			return "", err
		}
		return agent.Email, nil
	case "portal":
		p, err := n.tx.Portal(n.ctx, portal.PortalID(id))
		if err != nil {
			return "", err
		}
		return p.Name, nil
	case "canned":
		c, err := n.tx.Canned(n.ctx, portal.CannedID(id))
		if err != nil {
			return "", err
		}
		return c.Name, nil
	case "company":
		c, err := n.tx.Company(n.ctx, portal.CompanyID(id))
		if err != nil {
			return "", err
		}
		return c.Name, nil
	case "domain":
		d, err := n.tx.Domain(n.ctx, portal.DomainID(id))
		if err != nil {
			return "", err
		}
		return d.Host, nil
	case "group":
		return n.group(portal.GroupID(id))
	case "inbox":
		return n.inbox(portal.InboxID(id))
	}
	return "", nil
}

func (n *auditNames) group(id portal.GroupID) (string, error) {
	groups, err := n.tx.Groups(n.ctx)
	for _, g := range groups {
		n.known[aboutGroup(g.ID)] = g.Name
		if g.ID == id {
			return g.Name, nil
		}
	}
	return "", errors.Join(err, portal.NotFoundf("group.none", "there is no such access group"))
}

func (n *auditNames) inbox(id portal.InboxID) (string, error) {
	inboxes, err := n.tx.Inboxes(n.ctx)
	for _, i := range inboxes {
		if i.ID == id {
			return i.Name, nil
		}
	}
	return "", errors.Join(err, portal.NotFoundf("inbox.none", "there is no such inbox"))
}

func (n *auditNames) gone(kind string, id int64) (string, error) {
	how := "removed"
	if kind == "contact" {
		// Somebody who was erased may be gone altogether; the log knows.
		rows, err := n.tx.Audit(n.ctx, store.AuditFilter{
			Kinds: []portal.AuditKind{portal.AuditContactErased}, About: []string{portal.AboutContact(portal.ContactID(id))}, Limit: 1,
		})
		if err != nil {
			return "", err
		}
		if len(rows) > 0 {
			how = "erased"
		}
	}
	return fmt.Sprintf("%s %d (%s)", kind, id, how), nil
}

// VerifyAudit walks the audit log and says where it does not hold. heads are
// places noted earlier, which it has to go through.
func (a *App) VerifyAudit(ctx context.Context, heads ...portal.AuditHead) (chain *portal.AuditChain, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		chain, err = tx.VerifyAudit(ctx, heads...)
		return err
	})
	return chain, err
}

// ExportAudit writes the audit log as VerifyAuditExport reads it, with the
// entry of this export as its last, and returns how many entries and where
// they end.
func (a *App) ExportAudit(ctx context.Context, w io.Writer) (n int, head portal.AuditHead, err error) {
	if err := a.noteExport(ctx, aboutAudit, fact("format", "jsonl")); err != nil {
		return 0, head, err
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		start, err := tx.AuditStart(ctx)
		if err != nil {
			return err
		}
		if head, err = tx.AuditHead(ctx); err != nil {
			return err
		}
		out, err := transfer.NewAuditWriter(w, start)
		if err != nil {
			return err
		}
		if err := tx.EachAudit(ctx, func(r *portal.AuditRow) error {
			n++
			return out.Write(r)
		}); err != nil {
			return err
		}
		return out.Close(head)
	})
	return n, head, err
}

// VerifyAuditExport checks what ExportAudit wrote, without a store. A file
// that is no such export is an error; one that was tampered with is not.
func VerifyAuditExport(r io.Reader, heads ...portal.AuditHead) (*portal.AuditChain, error) {
	in, start, err := transfer.NewAuditReader(r)
	if err != nil {
		return nil, err
	}
	chain := portal.NewAuditChain(start, heads...)
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		chain.Add(row)
	}
	end, whole := in.Head()
	switch {
	case !whole:
		chain.CutOff("the last line, which says where the log ends, is missing")
	case end.ID < chain.Head.ID:
		chain.CutOff(fmt.Sprintf("the last line says that the log ends with entry %d", end.ID))
	default:
		chain.Expect(end)
	}
	chain.End()
	return chain, nil
}
