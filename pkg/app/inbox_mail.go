package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// MailChanges are what `inbox set` changes of how mail gets into an inbox; nil
// leaves a setting as it is.
type MailChanges struct {
	IMAP         *portal.IMAPSource // where from; one without a host: mail is fetched from nowhere
	Password     *string
	TokenCommand *[]string // empty: the password is used
	Existing     *bool
	After        *portal.AfterTaken
	MoveTo       string // with After

	Unknown       *portal.UnknownSender
	TrustedServer *string
	TrustUnproven *bool
	AddCC         *bool
	Acknowledge   *bool
	Plus          *portal.PlusAddressing
	Tell          *portal.TellDesk
	Portal        *string // by name or slug; "": the first whose new tickets go there
}

// Mailbox is a mailbox to fetch from, with its password opened.
type Mailbox struct {
	Inbox    portal.InboxID
	Name     string
	Password string
	portal.IMAPSource
}

// imapPassword names the password of an inbox's mailbox in the store, and what
// it is sealed for.
func imapPassword(i portal.InboxID) string { return fmt.Sprintf("inbox/%d/imap-password", i) }

// Mailboxes are the mailboxes mail is fetched from. One whose password cannot
// be opened has none, and signing in there says what is wrong.
func (a *App) Mailboxes(ctx context.Context) (list []Mailbox, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list = nil
		inboxes, err := tx.Inboxes(ctx)
		if err != nil {
			return err
		}
		for i := range inboxes {
			if inboxes[i].Mail.IMAP == nil {
				continue
			}
			box, err := a.mailbox(ctx, tx, &inboxes[i])
			if err != nil {
				return err
			}
			list = append(list, *box)
		}
		return nil
	})
	return list, err
}

func (a *App) mailbox(ctx context.Context, tx *store.Tx, i *portal.Inbox) (*Mailbox, error) {
	box := &Mailbox{Inbox: i.ID, Name: i.Name, IMAPSource: *i.Mail.IMAP}
	sealed, err := tx.Secret(ctx, imapPassword(i.ID))
	if err != nil || sealed == nil || len(box.TokenCommand) > 0 {
		return box, err
	}
	password, err := a.sealer.Open(imapPassword(i.ID), sealed)
	if err != nil {
		a.log.Warn("the password of a mailbox cannot be opened", "inbox", i.ID, "error", err)
		return box, nil
	}
	box.Password = string(password)
	return box, nil
}

// MailboxAfter is the mailbox an inbox would have after changes, and how far
// its folder has been read, so that it can be tried before it is set; nil when
// there would be none.
func (a *App) MailboxAfter(ctx context.Context, name string, c MailChanges) (box *Mailbox, place portal.IMAPPlace, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		i, err := tx.InboxByName(ctx, strings.TrimSpace(name))
		if err != nil {
			return err
		}
		before := i.Mail.IMAP
		if err := c.apply(ctx, tx, i, &changeList{}); err != nil || i.Mail.IMAP == nil {
			return err
		}
		if box, err = a.mailbox(ctx, tx, i); err != nil {
			return err
		}
		if c.Password != nil {
			box.Password = *c.Password
		}
		if before.SameFolder(i.Mail.IMAP) {
			place, err = tx.MailboxPlace(ctx, i.ID)
		}
		return err
	})
	return box, place, err
}

// setMail changes how mail gets into an inbox, and forgets what is only true of
// the folder it was fetched from before.
func (a *App) setMail(ctx context.Context, tx *store.Tx, i *portal.Inbox, c *MailChanges, l *changeList) error {
	before := i.Mail.IMAP
	if err := c.apply(ctx, tx, i, l); err != nil {
		return err
	}
	if !before.SameFolder(i.Mail.IMAP) {
		if err := tx.ForgetMailboxPlace(ctx, i.ID); err != nil {
			return err
		}
	}
	return a.keepIMAPPassword(ctx, tx, i, before, c.Password, l)
}

// keepIMAPPassword brings the sealed password in line with the settings. One
// that was given for another server or user goes nowhere else.
func (a *App) keepIMAPPassword(ctx context.Context, tx *store.Tx, i *portal.Inbox, before *portal.IMAPSource, password *string, l *changeList) error {
	name := imapPassword(i.ID)
	sealed, err := tx.Secret(ctx, name)
	if err != nil {
		return err
	}
	box := i.Mail.IMAP
	switch {
	case box == nil || len(box.TokenCommand) > 0:
		if sealed == nil {
			return nil
		}
		l.note("imap-password", "set", "")
		return tx.SaveSecret(ctx, name, nil)
	case password == nil && (sealed == nil || before == nil || before.Host != box.Host || before.User != box.User):
		return noIMAPPassword(box)
	case password == nil:
		return nil
	case *password == "":
		return noIMAPPassword(box)
	}
	from := ""
	if sealed != nil {
		from = "the one before"
		// One that cannot be opened any more is as good as another.
		if old, err := a.sealer.Open(name, sealed); err == nil && string(old) == *password {
			return nil
		}
	}
	if sealed, err = a.sealer.Seal(name, []byte(*password)); err != nil {
		return err
	}
	l.note("imap-password", from, "set")
	return tx.SaveSecret(ctx, name, sealed)
}

func noIMAPPassword(box *portal.IMAPSource) error {
	return portal.Invalidf("inbox.imap_password", "imap-password-file", "the password of %s at %s was not given", box.User, box.Host).
		WithHint("pass --imap-password-file FILE or PORTALCTL_IMAP_PASSWORD, or --imap-token-command for OAuth2")
}

// apply writes the changes into the inbox and notes them.
func (c *MailChanges) apply(ctx context.Context, tx *store.Tx, i *portal.Inbox, l *changeList) error {
	m := &i.Mail
	if err := c.applyIMAP(tx, m, l); err != nil {
		return err
	}
	unknown := m.Unknown.OrDefault()
	change(l, "unknown", &unknown, c.Unknown)
	m.Unknown = unknown
	change(l, "trusted-server", &m.TrustedServer, c.TrustedServer)
	change(l, "trust-unproven", &m.TrustUnproven, c.TrustUnproven)
	change(l, "add-cc", &m.AddCC, c.AddCC)
	change(l, "acknowledge", &m.Acknowledge, c.Acknowledge)
	if c.Plus != nil && l.note("plus", orAuto(m.Plus), orAuto(*c.Plus)) {
		m.Plus = *c.Plus
	}
	if c.Tell != nil && l.note("tell", orAuto(m.Tell), orAuto(*c.Tell)) {
		m.Tell = *c.Tell
	}
	if c.Portal == nil {
		return nil
	}
	return c.applyPortal(ctx, tx, m, l)
}

func orAuto[T ~string](s T) string {
	if s == "" {
		return "auto"
	}
	return string(s)
}

func (c *MailChanges) applyIMAP(tx *store.Tx, m *portal.MailIn, l *changeList) error {
	before, from := m.IMAP, m.IMAP.String()
	switch {
	case c.IMAP != nil && c.IMAP.Host == "":
		m.IMAP = nil
	case c.IMAP != nil:
		box := portal.IMAPSource{After: portal.AfterSeen}
		if before != nil {
			box = *before
		}
		box.Host, box.Port, box.Security, box.User, box.Folder = c.IMAP.Host, c.IMAP.Port, c.IMAP.Security, c.IMAP.User, c.IMAP.Folder
		m.IMAP = &box
	case before != nil:
		box := *before
		m.IMAP = &box
	}
	l.note("imap", from, m.IMAP.String())
	if m.IMAP == nil {
		if c.TokenCommand != nil && len(*c.TokenCommand) > 0 || c.Password != nil && *c.Password != "" || c.Existing != nil || c.After != nil {
			return portal.Invalidf("inbox.imap", "imap", "the inbox has no mailbox that mail is fetched from").
				WithHint("name it: --imap imaps://support@example.com@mail.example.com:993/INBOX")
		}
		return nil
	}
	if !before.SameFolder(m.IMAP) {
		m.IMAP.Since = tx.Now
	}
	if c.TokenCommand != nil && l.note("imap-token-command", strings.Join(m.IMAP.TokenCommand, " "), strings.Join(*c.TokenCommand, " ")) {
		m.IMAP.TokenCommand = *c.TokenCommand
	}
	change(l, "imap-existing", &m.IMAP.Existing, c.Existing)
	if c.After != nil {
		was := m.IMAP.AfterText()
		m.IMAP.After, m.IMAP.MoveTo = *c.After, c.MoveTo
		l.note("after", was, m.IMAP.AfterText())
	}
	return nil
}

// applyPortal says which portal new tickets belong to.
func (c *MailChanges) applyPortal(ctx context.Context, tx *store.Tx, m *portal.MailIn, l *changeList) error {
	portals, err := tx.Portals(ctx)
	if err != nil {
		return err
	}
	was, is := "", ""
	id := portal.PortalID(0)
	wanted := strings.TrimSpace(*c.Portal)
	for _, p := range portals {
		if p.ID == m.Portal {
			was = p.Name
		}
		if wanted != "" && (strings.EqualFold(p.Name, wanted) || strings.EqualFold(p.Slug, wanted)) {
			id, is = p.ID, p.Name
		}
	}
	if wanted != "" && id == 0 {
		return portal.NotFoundf("portal.none", "there is no portal %q", wanted).WithHint("the store holds %s", strings.Join(portalWords(portals), ", "))
	}
	if l.note("tickets-portal", was, is) {
		m.Portal = id
	}
	return nil
}
