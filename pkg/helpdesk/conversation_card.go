package helpdesk

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// contactCard is what is known of the requester, in words.
type contactCard struct {
	Name, Email string
	Erased      bool
	Bounced     string
	Facts       []cardFact
	Tickets     []cardTicket
	All         templ.SafeURL
	AllText     string
	Ratings     []cardTicket
	Company     string
	CompanyText []cardFact
	OfCompany   []cardTicket
	CompanyAll  templ.SafeURL
	CompanyMore string
}

type cardFact struct{ Label, Value string }

type cardTicket struct {
	URL                           templ.SafeURL
	Number, Subject, Status, Text string
	Stars                         int
	Closed, OurTurn               bool
	At                            page.Moment
}

// card fills in what stands beside the conversation.
func (p *conversationPage) card() {
	k := p.Conversation.Card
	c := contactCard{Name: k.Contact.DisplayName(), Email: k.Contact.Email, Erased: k.Contact.Erased()}
	fact := func(label, value string) {
		if value != "" {
			c.Facts = append(c.Facts, cardFact{label, value})
		}
	}
	if k.Contact.Language != "" {
		fact(p.T("talk.card_language"), languageName(k.Contact.Language))
	}
	if k.Zone != nil {
		there := p.Conversation.Now.In(k.Zone)
		fact(p.T("talk.card_time"), p.T("talk.card_time_value", "Time", p.Time(there), "Zone", strings.ReplaceAll(k.Zone.String(), "_", " ")))
	}
	for i := range k.Memberships {
		m := &k.Memberships[i]
		fact(m.PortalName, p.T("talk.member."+string(m.Status)))
	}
	for _, key := range slices.Sorted(maps.Keys(k.Contact.Properties)) {
		fact(key, k.Contact.Properties[key])
	}
	if k.Bounced != "" {
		c.Bounced = p.T("talk.card_bounced", "Address", k.Bounced, "When", p.DateTime(k.BouncedAt.In(p.Zone)))
	}
	for i := range k.Tickets {
		c.Tickets = append(c.Tickets, p.cardTicket(&k.Tickets[i]))
	}
	if k.TicketsAll > len(k.Tickets) {
		c.All, c.AllText = p.found(k.Contact.Email), p.N("talk.card_all", k.TicketsAll+1)
	}
	for _, rated := range k.Ratings {
		c.Ratings = append(c.Ratings, cardTicket{
			URL: p.URL("/tickets/" + rated.Ticket.String()), Number: rated.Ticket.String(), Subject: rated.Subject,
			Status: p.T("talk.stars", "Stars", rated.Rating), Text: rated.Text, At: p.moment(rated.At), Stars: rated.Rating,
		})
	}
	if k.Company != nil {
		c.Company = k.Company.Name
		if k.Company.Domain != "" {
			c.CompanyText = append(c.CompanyText, cardFact{p.T("talk.card_domain"), k.Company.Domain})
		}
		for _, key := range slices.Sorted(maps.Keys(k.Company.Properties)) {
			c.CompanyText = append(c.CompanyText, cardFact{key, k.Company.Properties[key]})
		}
		for i := range k.OfCompany {
			one := p.cardTicket(&k.OfCompany[i])
			one.Text = k.OfCompany[i].RequesterName
			c.OfCompany = append(c.OfCompany, one)
		}
		if k.OfCompanyAll > len(k.OfCompany) {
			c.CompanyAll, c.CompanyMore = p.found(k.Company.Name), p.N("talk.card_company_all", k.OfCompanyAll+1)
		}
	}
	p.Card = c
}

// found leads to the list of everything that has the words.
func (v *view) found(words string) templ.SafeURL {
	return templ.SafeURL(v.Base + "/tickets?queue=all&q=" + url.QueryEscape(words))
}

func (p *conversationPage) cardTicket(t *portal.TicketRow) cardTicket {
	return cardTicket{
		URL: p.URL("/tickets/" + t.Number.String()), Number: t.Number.String(), Subject: t.Subject, Status: p.status(t.Status),
		Closed: t.Status == portal.Closed, OurTurn: t.Status == portal.New || t.Status == portal.WaitingOnUs, At: p.moment(t.UpdatedAt),
	}
}

// languageName is what a language calls itself.
func languageName(code string) string {
	for _, l := range i18n.Languages() {
		if l.Code == code {
			return l.Name
		}
	}
	return code
}
