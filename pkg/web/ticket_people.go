package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

func (p *ticketPage) people() {
	t := p.Ticket
	you := portal.ContactID(0)
	if p.Visit.Contact != nil {
		you = p.Visit.Contact.ID
	}
	requester := t.RequesterName
	if requester == "" {
		requester = t.RequesterEmail
	}
	p.People = []person{{Name: requester, Initials: page.Initials(requester), Requester: true, You: t.Requester == you}}
	if p.Agent {
		p.People[0].Email = t.RequesterEmail
	}
	readers := []string{requester}
	for i := range p.Participants {
		c := &p.Participants[i]
		name := p.personName(c)
		one := person{Name: name, Initials: page.Initials(name), You: c.ID == you}
		if p.Agent {
			one.Email = c.Email
		}
		if p.MayInvite || one.You {
			one.Remove = p.Path + "/participants/" + strconv.FormatInt(int64(c.ID), 10) + "/remove"
		}
		p.People = append(p.People, one)
		readers = append(readers, one.Name)
	}
	p.Readers = strings.Join(readers, ", ")
}

func (p *ticketPage) removeLabel(one person) string {
	if one.You {
		return p.T("ticket.leave")
	}
	return p.T("ticket.remove_person", "Name", one.Name)
}

func (p *ticketPage) inviteHint() string {
	if p.Agent {
		return p.T("ticket.add_person_desk_hint")
	}
	return p.T("ticket.add_person_hint")
}

func (s *Server) participantAdd(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	f, err := s.readForm(r)
	defer f.Close()
	visit := visitFrom(r.Context())
	if err == nil {
		err = s.app.AddParticipant(r.Context(), visit, n, f.Value("participant"))
	}
	if err == nil || portal.KindOf(err) == portal.NotFound {
		return s.ticketDone(w, r, n, "participant_added", err)
	}
	p, pageErr := s.ticketPage(w, r, n)
	if pageErr != nil {
		return errors.Join(pageErr, err)
	}
	p.Invite = f
	s.refuse(w, r, p.view, f, err, "participant")
	return s.render(w, r, f.Status, ticketView(*p))
}

func (s *Server) participantRemove(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return portal.NotFoundf("page.none", "there is no such participant")
	}
	visit := visitFrom(r.Context())
	err = s.app.RemoveParticipant(r.Context(), visit, n, portal.ContactID(id))
	if err == nil && visit.Contact != nil && visit.Contact.ID == portal.ContactID(id) {
		// Whoever leaves may not see the ticket any more.
		page.SetFlash(w, r, "participant_removed")
		return redirect(w, r, visit.Base()+"/tickets")
	}
	return s.ticketDone(w, r, n, "participant_removed", err)
}
