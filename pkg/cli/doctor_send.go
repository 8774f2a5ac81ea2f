package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/mail"
	"github.com/portalctl/portalctl/pkg/mail/source"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// How long a message may take from the mail server back to the mailbox, and
// how often it is looked for.
const (
	aroundTime = 90 * time.Second
	lookAgain  = time.Second
)

// sendAround sends a message to each mailbox that is read, and waits for it.
func (e *Env) sendAround(ctx context.Context, a *app.App) ([]app.Checked, error) {
	const code = "mail.around"
	sender, err := e.sender()
	if err != nil || sender == nil {
		// What is wrong with the settings is told already.
		return nil, err
	}
	boxes, err := a.Mailboxes(ctx)
	if err != nil {
		return nil, err
	}
	var checks []app.Check
	for i := range boxes {
		box := &boxes[i]
		checks = append(checks, one("mail", box.Name, func(ctx context.Context) portal.Finding {
			begun := time.Now()
			where, err := e.around(ctx, a, sender, box)
			if err != nil {
				return broken(code, box.Name, err)
			}
			if where == "" {
				return portal.Finding{
					Code: code, Severity: portal.SeverityFail, About: box.Name, Found: fmt.Sprintf("a message from %s did not arrive within %v", sender.From(), aroundTime),
					Wanted: "mail that arrives", Todo: "look into the spam folder, at SPF, DKIM and DMARC above, and at where mail to the inbox's address goes",
				}
			}
			return portal.Finding{
				Code: code, Severity: portal.SeverityOK, About: box.Name,
				Found: fmt.Sprintf("a message from %s arrived after %v, and %s", sender.From(), time.Since(begun).Round(100*time.Millisecond), where),
			}
		}))
	}
	// A little more than it waits, so that it says itself what is missing.
	return app.Examine(ctx, checks, aroundTime+testTimeout)
}

// around sends a message to a mailbox and says where it was found; "" when it
// did not arrive in time.
func (e *Env) around(ctx context.Context, a *app.App, sender *mail.Sender, box *app.Mailbox) (string, error) {
	p, inbox, err := inboxToTest(ctx, e, a, box.Name)
	if err != nil {
		return "", err
	}
	since := e.Now()
	id, err := sendTest(ctx, a, sender, p, inbox)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, aroundTime)
	defer cancel()
	for {
		taken, err := a.Ledger(ctx, store.LedgerFilter{Inbox: box.Inbox, Since: since.Add(-time.Minute)})
		if err != nil {
			return "", ended(ctx, err)
		}
		for i := range taken {
			if taken[i].MessageID == strings.Trim(id, "<>") {
				return "serve took it", nil
			}
		}
		there, err := source.Holds(ctx, mailboxOf(box), id, source.Options{})
		if err != nil {
			return "", ended(ctx, err)
		}
		if there {
			return "lies in the mailbox", nil
		}
		again := time.NewTimer(lookAgain)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return "", nil
		}
	}
}

// ended drops an error that says no more than that the time is over.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
