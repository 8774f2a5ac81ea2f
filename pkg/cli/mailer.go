package cli

import (
	"context"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/mail"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// sender makes what sends mail through the configured server; nil when none is
// configured.
func (e *Env) sender() (*mail.Sender, error) {
	c := e.Config
	if !c.SMTP.Configured() {
		return nil, nil
	}
	from, err := mailFrom(c)
	if err != nil {
		return nil, err
	}
	server := mail.Server{
		Host: c.SMTP.Host, Port: c.SMTP.Port, User: c.SMTP.User, Password: c.SMTP.Password,
		Security: mail.Security(c.SMTP.Security),
	}
	s, err := mail.NewSender(server, &mail.Writer{From: from, HTML: page.BodyHTML, Now: e.Now})
	if err != nil {
		return nil, err
	}
	return e.signed(s)
}

// mailFrom is the sender of mail: as configured, or the mail server's user
// where that is an address.
func mailFrom(c *config.Config) (netmail.Address, error) {
	if c.MailFrom.Address != "" {
		return c.MailFrom, nil
	}
	if address, err := portal.ParseEmail("mail-from", c.SMTP.User); err == nil {
		return netmail.Address{Address: address}, nil
	}
	return netmail.Address{}, portal.Invalidf("mail.from", "mail-from", "--mail-from is missing: the address mail comes from").
		WithHint(`write it like --mail-from "Nordic Tools <support@example.com>"`)
}

// testTimeout is how long a person waits for a test message to be taken.
const testTimeout = 30 * time.Second

// sendTest sends a test message to an inbox, now and past the outbox, so that
// whether mail works is known before a customer finds out. It returns the
// message's id.
func sendTest(ctx context.Context, a *app.App, s *mail.Sender, p *portal.Portal, to *portal.Inbox) (id string, err error) {
	home, err := a.URL(ctx, p, "/")
	if err != nil {
		return "", err
	}
	id = fmt.Sprintf("<test-%s@%s>", uuid.NewString(), portal.EmailDomain(s.From()))
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	d := s.Send(ctx, &portal.Letter{
		Kind: portal.LetterTest, To: to.Address, Name: to.Name, Language: p.Language(),
		Portal: p.Name, Accent: p.Accent, Home: home, MessageID: id, Inbox: to.Name, Office: true, At: time.Now(),
	})
	if d.Outcome == portal.Delivered {
		return id, nil
	}
	return "", &portal.Error{
		Kind: portal.Unavailable, Code: "mail.test", Field: "smtp",
		Msg:  fmt.Sprintf("the test message to %s was not delivered: %s", to.Address, strings.TrimSpace(d.Text)),
		Hint: "check --smtp, its password and --mail-from",
	}
}
