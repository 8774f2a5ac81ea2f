package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

type contactsEraseOptions struct {
	email       string
	yes, dryRun bool
	keepFile    bool
}

func newContactsEraseCmd(env *Env) *cobra.Command {
	var opts contactsEraseOptions
	cmd := &cobra.Command{
		Use:   "erase [<e-mail>]",
		Short: "Erase a person: name, addresses, what they wrote and sent",
		Long: `Erase a person for good, as the law of many countries lets them demand (GDPR,
article 17). Lists first what is removed, what is replaced and what stays, and
why.

Tickets stay as the company's record of what it did, with their numbers, times
and statuses. "[erased]", in the portal's language, is written in the place of
the person's name, of what they wrote and of the subjects they chose: written,
not only shown, so that no page, mail, export or search can tell more. What
colleagues and agents wrote stays; where it mentions the person, the tickets
are listed, because only somebody who reads them can say what has to go.

Files the person sent are taken off the disk, unless somebody else sent the
same. All ways in end at once; mail to the person that waits is not sent. Open
tickets stay open. The same address can register again, as a new person.

The store's file is then written anew, so that its free parts hold nothing any
more. That takes as much room as the file, and keeps others from writing for a
few seconds a hundred megabytes; --keep-file leaves it out for a store so large
that its pages would notice. Backups and exports made before still hold it all.`,
		Example: `  portalctl contacts erase ann@example.com --dry-run
  portalctl contacts erase ann@example.com --yes`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.email = firstOf(args)
			return runContactsErase(cmd.Context(), env, opts)
		},
	}
	cmd.Flags().BoolVar(&opts.dryRun, "dry-run", false, "show what would happen and change nothing")
	cmd.Flags().BoolVar(&opts.keepFile, "keep-file", false, "do not write the store's file anew")
	yesFlag(cmd, &opts.yes)
	return cmd
}

func runContactsErase(ctx context.Context, env *Env, opts contactsEraseOptions) error {
	if err := env.ask(ctx, &opts.email, contactQuestion, contactPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		plan, err := a.EraseContact(ctx, opts.email, app.EraseOptions{DryRun: true, Words: erasedWords})
		if err != nil {
			return err
		}
		if !plan.Already {
			if err := env.showErasure(plan); err != nil {
				return err
			}
		}
		if !opts.dryRun && !plan.Already {
			if err := env.confirm(ctx, opts.yes, fmt.Sprintf("Erase %s for good?", plan.Email)); err != nil {
				return err
			}
		}
		done := plan
		if !opts.dryRun {
			if done, err = a.EraseContact(ctx, opts.email, app.EraseOptions{KeepFile: opts.keepFile, Words: erasedWords}); err != nil {
				return err
			}
		}
		return env.toldErasure(done, opts.dryRun)
	})
}

// erasedWords are what stands in the place of a name and of a text.
func erasedWords(language string) (name, text string) {
	p := i18n.For(language)
	return p.T("erased.name"), p.T("erased.text")
}

// showErasure lists, for people, what is about to happen. Scripts get it with
// the answer.
func (e *Env) showErasure(plan *app.Erasure) error {
	if e.Config.Output != output.Table {
		return nil
	}
	var fate store.Fate
	for _, i := range erasureItems(plan) {
		lines := []string{"  " + i.What}
		if i.Fate != fate {
			fate = i.Fate
			lines = append([]string{string(fate) + ":"}, lines...)
		}
		if i.Why != "" {
			lines = append(lines, "    "+i.Why)
		}
		for _, text := range lines {
			if _, err := fmt.Fprintln(e.Out, output.CleanText(text)); err != nil {
				return err
			}
		}
	}
	return nil
}

// toldErasure says what was done, and hands it to scripts.
func (e *Env) toldErasure(done *app.Erasure, dryRun bool) error {
	left := done.Contact.Email
	switch {
	case done.Already:
		e.say("unchanged: %s was erased already, on %s", done.Email, done.Contact.ErasedAt.Local().Format("2006-01-02"))
	case dryRun:
		e.say("nothing was changed; leave out --dry-run to erase %s", done.Email)
	default:
		e.say("erased %s; tickets now name %s", done.Email, left)
		if n := len(done.Files); n > 0 {
			e.say("took %s off the disk", counted(done.FilesGone, "file", "files"))
		}
	}
	if e.Config.Output == output.Table {
		return nil
	}
	return e.Printer().Object([]output.Column{
		{Name: "email"},
		{Name: "left"},
		{Name: "already"},
		{Name: "dry_run"},
		{Name: "erased_at"},
		{Name: "open_tickets"},
		{Name: "mentioned_in"},
		{Name: "files_gone"},
		{Name: "items"},
	}, []any{
		done.Email, left, done.Already, dryRun, done.Contact.ErasedAt,
		numberWords(done.Open), numberWords(mentionedIn(done)), done.FilesGone, erasureList(erasureItems(done)),
	})
}

func mentionedIn(d *app.Erasure) []portal.TicketNumber {
	if d.Mentions == nil {
		return nil
	}
	return d.Mentions.Tickets
}

func numberWords(numbers []portal.TicketNumber) []string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = n.String()
	}
	return words
}

// erasureItem is one line of what happens.
type erasureItem struct {
	Fate  store.Fate `json:"fate"`
	What  string     `json:"what"`
	Count int        `json:"count"`
	Why   string     `json:"why"`
}

// erasureList is the lines for scripts; people get a table.
type erasureList []erasureItem

// String is for CSV, which has no place for lists.
func (l erasureList) String() string {
	lines := make([]string, len(l))
	for i, item := range l {
		lines[i] = string(item.Fate) + ": " + item.What
	}
	return strings.Join(lines, "\n")
}

// MarshalJSON writes an empty list as one.
func (l erasureList) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]erasureItem(l))
}

// erasureItems are the lines: what stays first, because somebody has to
// answer or read it, then what is replaced, then what is removed.
func erasureItems(d *app.Erasure) []erasureItem {
	if d.Already {
		return nil
	}
	var items []erasureItem
	add := func(fate store.Fate, n int, one, many, why string) {
		if n > 0 {
			items = append(items, erasureItem{fate, counted(n, one, many), n, why})
		}
	}
	add(store.FateStays, len(d.Open), "open ticket: "+firstNumbers(d.Open), "open tickets: "+firstNumbers(d.Open), "still to be answered; the requester hears no more of them")
	add(store.FateStays, d.Tickets, "ticket", "tickets", "the company's record of what it did")
	if m := d.Mentions; m != nil {
		add(store.FateStays, len(m.Tickets), "ticket where others mention the name or address: "+firstNumbers(m.Tickets),
			"tickets where others mention the name or address: "+firstNumbers(m.Tickets), "other people's words; read them and decide")
		add(store.FateStays, len(m.Contacts), "contact whose properties mention them: "+firstWords(m.Contacts),
			"contacts whose properties mention them: "+firstWords(m.Contacts), "change them with portalctl contacts set")
		add(store.FateStays, len(m.Groups), "access group whose rules name them: "+firstWords(m.Groups),
			"access groups whose rules name them: "+firstWords(m.Groups), "change the rules with portalctl groups set")
		add(store.FateStays, len(m.Portals), "portal whose settings name them: "+firstWords(m.Portals),
			"portals whose settings name them: "+firstWords(m.Portals), "change them with portalctl tickets configure or access set")
		if m.Agent {
			add(store.FateStays, 1, "agent with the same address", "", "remove them with portalctl agents remove, if that is meant too")
		}
	}
	n := d.Places
	add(store.FateReplaced, n["contact"], "contact: name, addresses, properties", "", "the number stays, because tickets name it")
	add(store.FateReplaced, n["message"], "message of theirs", "messages of theirs", "others need to see that something was said there")
	add(store.FateReplaced, n["ticket"], "subject, with the fields filled in", "subjects, with the fields filled in", "their words")
	add(store.FateReplaced, n["event"], "line of history that names them", "lines of history that name them", "")
	add(store.FateRemoved, n["file"], "file they sent", "files they sent", "the bytes too, unless somebody else sent the same")
	add(store.FateRemoved, n["draft"], "draft", "drafts", "")
	add(store.FateRemoved, n["participant"], "part in another's ticket", "parts in others' tickets", "")
	add(store.FateRemoved, n["member"], "membership", "memberships", "")
	add(store.FateRemoved, n["group_contact"], "place in an access group", "places in access groups", "")
	add(store.FateRemoved, n["contact_company"], "tie to a company", "ties to companies", "")
	add(store.FateRemoved, n["consent"], "consent", "consents", "nobody is left whom it would bind")
	add(store.FateRemoved, n["session"], "session", "sessions", "signed out at once")
	add(store.FateRemoved, n["credential"]+n["passkey"]+n["second_factor"]+n["recovery_code"]+n["identity"]+n["token"]+n["handshake"]+n["passkey_user"],
		"way in: password, passkey, code, link", "ways in: passwords, passkeys, codes, links", "")
	add(store.FateRemoved, n["outbox"], "mail to them"+waitingMails(d), "mails to them"+waitingMails(d), "")
	add(store.FateRemoved, n["audit_detail"], "detail in the audit log", "details in the audit log", "the log's lines stay; they name people by number")
	add(store.FateRemoved, n["device"]+n["read_mark"]+n["counter"], "note of what they used and read", "notes of what they used and read", "")
	return items
}

func waitingMails(d *app.Erasure) string {
	if d.MailsWaiting == 0 {
		return ""
	}
	return fmt.Sprintf(", %d not sent yet", d.MailsWaiting)
}

// firstNumbers names some tickets and says how many more there are.
func firstNumbers(numbers []portal.TicketNumber) string { return firstWords(numberWords(numbers)) }

func firstWords(words []string) string {
	const some = 10
	if len(words) <= some {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:some], ", "), len(words)-some)
}
