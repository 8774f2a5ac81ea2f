package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Personal returns what the store holds about a contact beside their tickets.
func (tx *Tx) Personal(ctx context.Context, id portal.ContactID) (*portal.Personal, error) {
	c, err := tx.Contact(ctx, id)
	if err != nil {
		return nil, err
	}
	p := &portal.Personal{Contact: portal.PersonalContact{
		Email: c.Email, Name: c.Name, MemberEmail: c.MemberEmail, Language: c.Language, TimeZone: c.TimeZone,
		Properties: c.Properties, ExternalID: c.ExternalID, Notify: c.Notify, Bounced: c.Bounced, BouncedWhy: c.BouncedWhy, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}}
	if p.Contact.ProvenAddress, err = tx.ProvenAddress(ctx, id); err != nil {
		return nil, err
	}
	for _, read := range []func(context.Context, portal.ContactID, *portal.Personal) error{
		tx.personalPlaces, tx.personalSecrets, tx.personalSessions, tx.personalMails, tx.personalLog,
	} {
		if err := read(ctx, id, p); err != nil {
			return nil, err
		}
	}
	p.Consents, err = tx.Consents(ctx, id)
	return p, err
}

// mine reads rows about one contact; no rows are an empty list, which JSON
// writes as one.
func mine[T any](ctx context.Context, tx *Tx, into *[]T, query string, id portal.ContactID, dest func(*T) []any) error {
	rows, err := list(ctx, tx, query, []any{id}, func(r row) (v T, err error) { return v, r.Scan(dest(&v)...) })
	if *into = rows; rows == nil {
		*into = []T{}
	}
	return err
}

// Consents returns everything a contact agreed to, the last first.
func (tx *Tx) Consents(ctx context.Context, id portal.ContactID) (all []portal.Consent, err error) {
	err = mine(ctx, tx, &all, `SELECT p.name, c.portal_id, c.version, c.language, c.text, c.at, c.withdrawn_at
		FROM consent c JOIN portal p ON p.id = c.portal_id WHERE c.contact_id = $1 ORDER BY c.at DESC, c.id DESC`, id,
		func(c *portal.Consent) []any {
			return []any{&c.Portal, &c.PortalID, &c.Version, &c.Language, &c.Text, timeInto{&c.At}, timeInto{&c.WithdrawnAt}}
		})
	return all, err
}

// WithdrawConsent notes that the contact takes back what they agreed to for
// the portal, and returns how many texts that were.
func (tx *Tx) WithdrawConsent(ctx context.Context, c portal.ContactID, p portal.PortalID) (int64, error) {
	return tx.exec(ctx, `UPDATE consent SET withdrawn_at = $3 WHERE contact_id = $1 AND portal_id = $2 AND withdrawn_at IS NULL`,
		c, p, stamp(tx.Now))
}

func (tx *Tx) personalPlaces(ctx context.Context, id portal.ContactID, p *portal.Personal) error {
	err := mine(ctx, tx, &p.Companies, `SELECT k.name, cc.is_primary FROM contact_company cc JOIN company k ON k.id = cc.company_id
		WHERE cc.contact_id = $1 ORDER BY cc.is_primary DESC, k.name_key`, id,
		func(c *portal.PersonalCompany) []any { return []any{&c.Name, &c.Primary} })
	if err != nil {
		return err
	}
	err = mine(ctx, tx, &p.AccessGroups, `SELECT g.name, gc.by_rule FROM group_contact gc JOIN access_group g ON g.id = gc.group_id
		WHERE gc.contact_id = $1 ORDER BY g.name_key`, id,
		func(g *portal.PersonalGroup) []any { return []any{&g.Name, &g.ByRule} })
	if err != nil {
		return err
	}
	return mine(ctx, tx, &p.Memberships, `SELECT p.name, m.status, m.invited_at, m.requested_at, m.registered_at, m.disabled_at, m.refused_at, m.refusal, m.last_sign_in_at
		FROM member m JOIN portal p ON p.id = m.portal_id WHERE m.contact_id = $1 ORDER BY p.name`, id,
		func(m *portal.PersonalMembership) []any {
			return []any{
				&m.Portal, &m.Status,
				timeInto{&m.InvitedAt},
				timeInto{&m.RequestedAt},
				timeInto{&m.RegisteredAt},
				timeInto{&m.DisabledAt},
				timeInto{&m.RefusedAt},
				&m.Refusal,
				timeInto{&m.LastSignInAt},
			}
		})
}

// personalSecrets tells that there are secrets and since when, never what they
// are.
func (tx *Tx) personalSecrets(ctx context.Context, id portal.ContactID, p *portal.Personal) error {
	secret := func(s *portal.PersonalSecret) []any { return []any{timeInto{&s.SetAt}, timeInto{&s.UsedAt}} }
	for _, one := range []struct {
		into  **portal.PersonalSecret
		query string
	}{
		{&p.Password, `SELECT changed_at, NULL FROM credential WHERE contact_id = $1`},
		{&p.Authenticator, `SELECT confirmed_at, NULL FROM second_factor WHERE contact_id = $1`},
	} {
		var found []portal.PersonalSecret
		if err := mine(ctx, tx, &found, one.query, id, secret); err != nil {
			return err
		}
		if len(found) > 0 {
			*one.into = &found[0]
		}
	}
	if err := mine(ctx, tx, &p.RecoveryCodes, `SELECT created_at, used_at FROM recovery_code WHERE contact_id = $1 ORDER BY id`, id, secret); err != nil {
		return err
	}
	err := mine(ctx, tx, &p.Passkeys, `SELECT name, host, created_at, used_at FROM passkey WHERE contact_id = $1 ORDER BY id`, id,
		func(k *portal.PersonalPasskey) []any {
			return []any{&k.Name, &k.Host, timeInto{&k.CreatedAt}, timeInto{&k.UsedAt}}
		})
	if err != nil {
		return err
	}
	return mine(ctx, tx, &p.Identities, `SELECT issuer, subject, created_at, last_sign_in_at FROM identity WHERE contact_id = $1 ORDER BY issuer, subject`, id,
		func(i *portal.PersonalIdentity) []any {
			return []any{&i.Issuer, &i.Subject, timeInto{&i.CreatedAt}, timeInto{&i.LastSignInAt}}
		})
}

func (tx *Tx) personalSessions(ctx context.Context, id portal.ContactID, p *portal.Personal) error {
	err := mine(ctx, tx, &p.Browsers, `SELECT created_at, seen_at FROM device WHERE contact_id = $1 ORDER BY created_at, seen_at`, id,
		func(b *portal.PersonalBrowser) []any { return []any{timeInto{&b.CreatedAt}, timeInto{&b.SeenAt}} })
	if err != nil {
		return err
	}
	// Who of the company looked, and from where, is about them and not about
	// the contact.
	err = mine(ctx, tx, &p.Sessions, `SELECT coalesce(p.name, ''), CASE s.opened_by WHEN '' THEN s.user_agent ELSE '' END,
			CASE s.opened_by WHEN '' THEN s.address ELSE '' END, s.way, s.created_at, s.seen_at, s.expires_at, s.ended_at, s.end_reason, s.opened_by <> ''
		FROM session s LEFT JOIN portal p ON p.id = s.portal_id WHERE s.contact_id = $1 ORDER BY s.created_at DESC, s.id DESC`, id,
		func(s *portal.PersonalSession) []any {
			return []any{
				&s.Portal, &s.Browser, &s.Address, &s.Way,
				timeInto{&s.CreatedAt},
				timeInto{&s.SeenAt},
				timeInto{&s.ExpiresAt},
				timeInto{&s.EndedAt},
				&s.EndReason, &s.ByOperator,
			}
		})
	if err != nil {
		return err
	}
	return mine(ctx, tx, &p.Links, `SELECT t.kind, coalesce(p.name, ''), t.email, t.created_at, t.expires_at, t.used_at
		FROM token t LEFT JOIN portal p ON p.id = t.portal_id WHERE t.contact_id = $1 AND t.opened_by = '' ORDER BY t.created_at, t.hash`, id,
		func(l *portal.PersonalLink) []any {
			return []any{&l.Kind, &l.Portal, &l.Email, timeInto{&l.CreatedAt}, timeInto{&l.ExpiresAt}, timeInto{&l.UsedAt}}
		})
}

func (tx *Tx) personalMails(ctx context.Context, id portal.ContactID, p *portal.Personal) error {
	err := mine(ctx, tx, &p.Mails, `SELECT kind, recipient, ticket, created_at, sent_at, failed_at, dropped_at
		FROM outbox WHERE contact_id = $1 AND inbox_id IS NULL ORDER BY id`, id,
		func(m *portal.PersonalMail) []any {
			return []any{
				&m.Kind, &m.Recipient, refInto(&m.Ticket), timeInto{&m.CreatedAt}, timeInto{&m.SentAt}, timeInto{&m.FailedAt}, timeInto{&m.DroppedAt},
			}
		})
	if err != nil {
		return err
	}
	for i := range p.Mails {
		if m := &p.Mails[i]; m.Ticket != 0 {
			m.Number = m.Ticket.String()
		}
	}
	// A mail that nobody vouched for may be somebody else's.
	err = mine(ctx, tx, &p.MailsIn, `SELECT sender, subject, decision, ticket, at, kept_until FROM incoming
		WHERE contact_id = $1 AND mail_id IS NULL AND (proof = 'proven' OR message_id IS NOT NULL) ORDER BY id`, id,
		func(m *portal.PersonalMailIn) []any {
			return []any{&m.Sender, &m.Subject, &m.Decision, refInto(&m.Ticket), timeInto{&m.At}, timeInto{&m.KeptUntil}}
		})
	if err != nil {
		return err
	}
	for i := range p.MailsIn {
		if m := &p.MailsIn[i]; m.Ticket != 0 {
			m.Number = m.Ticket.String()
		}
	}
	return mine(ctx, tx, &p.Drafts, `SELECT key, form, updated_at FROM draft WHERE contact_id = $1 ORDER BY key`, id,
		func(d *portal.PersonalDraft) []any { return []any{&d.For, jsonInto{&d.Form}, timeInto{&d.UpdatedAt}} })
}

// personalLog reads what the audit log tells of a contact. Of others who acted
// it tells no more than what they were.
func (tx *Tx) personalLog(ctx context.Context, id portal.ContactID, p *portal.Personal) error {
	rows, err := list(ctx, tx, `SELECT a.at, a.kind, a.contact_id, a.agent_id, a.operator, coalesce(p.name, ''), d.data
		FROM audit a LEFT JOIN audit_detail d ON d.id = a.id LEFT JOIN portal p ON p.id = a.portal_id
		WHERE a.contact_id = $1 AND a.contact_id <> 0 OR a.about = $2 AND a.about <> '' ORDER BY a.id`,
		[]any{id, portal.AboutContact(id)}, func(r row) (l portal.PersonalLog, err error) {
			var by portal.Actor
			var operator string
			var detail portal.AuditDetail
			if err := r.Scan(timeInto{&l.At}, &l.Kind, &by.Contact, &by.Agent, &operator, &l.Portal, jsonInto{&detail}); err != nil {
				return l, err
			}
			l.Changes = detail.Changes
			switch {
			case by.Contact == id:
				l.By = "you"
			case by.Contact != 0:
				l.By = "contact"
			case by.Agent != 0:
				l.By = "agent"
			case operator != "":
				l.By = "operator"
			default:
				l.By = "system"
			}
			if by.Contact == id || l.By == "system" {
				l.Address, l.Browser = detail.Address, detail.Agent
			}
			return l, nil
		})
	if p.Log = rows; rows == nil {
		p.Log = []portal.PersonalLog{}
	}
	return err
}

// TicketsOfParty lists the tickets somebody is requester of or takes part in,
// by number, after one.
func (tx *Tx) TicketsOfParty(ctx context.Context, c portal.ContactID, after portal.TicketNumber, limit int) ([]portal.TicketNumber, error) {
	return list(ctx, tx, `SELECT number FROM ticket WHERE contact_id = $1 AND number > $2
		UNION SELECT ticket FROM participant WHERE contact_id = $1 AND ticket > $2 ORDER BY 1 LIMIT $3`, []any{c, after, limit},
		func(r row) (n portal.TicketNumber, err error) { return n, r.Scan(&n) })
}

// TicketsWrittenTo lists the tickets somebody wrote to without taking part, by
// number, after one.
func (tx *Tx) TicketsWrittenTo(ctx context.Context, c portal.ContactID, after portal.TicketNumber, limit int) ([]portal.TicketNumber, error) {
	return list(ctx, tx, `SELECT DISTINCT m.ticket FROM message m JOIN ticket t ON t.number = m.ticket
		WHERE m.contact_id = $1 AND m.kind = 'public' AND m.ticket > $2 AND t.contact_id <> $1
			AND NOT EXISTS (SELECT 1 FROM participant p WHERE p.ticket = m.ticket AND p.contact_id = $1)
		ORDER BY m.ticket LIMIT $3`, []any{c, after, limit},
		func(r row) (n portal.TicketNumber, err error) { return n, r.Scan(&n) })
}
