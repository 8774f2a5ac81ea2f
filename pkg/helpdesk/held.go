package helpdesk

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// heldRoutes are the pages of mail that waits for somebody to look at it.
func (s *Server) heldRoutes() []route {
	return []route{
		{"GET /held", s.heldList, agents, noBody},
		{"GET /held/{id}", s.heldShow, agents, noBody},
		{"POST /held/{id}", s.heldDecide, agents, small},
	}
}

// heldShown is how many held mails one page lists.
const heldShown = 50

// heldListPage lists held mail, newest first.
type heldListPage struct {
	*view
	List []portal.LedgerEntry
	Next string // the next page
}

// heldPage is one held mail.
type heldPage struct {
	*view
	Mail *app.HeldMail
	Form *page.Form
	Path string
}

func heldID(s string) (portal.LedgerID, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id <= 0 {
		return 0, portal.NotFoundf("mail.unknown", "there is no such mail")
	}
	return portal.LedgerID(id), nil
}

func (s *Server) heldList(w http.ResponseWriter, r *http.Request) error {
	before := portal.LedgerID(0)
	if after := r.URL.Query().Get("after"); after != "" {
		var err error
		if before, err = heldID(after); err != nil {
			return err
		}
	}
	v, err := s.view(w, r, "held.title")
	if err != nil {
		return err
	}
	v.Nav = "held"
	list, err := s.app.HeldMails(r.Context(), &v.Visit.Viewer, before, heldShown+1)
	if err != nil {
		return err
	}
	p := heldListPage{view: v, List: list}
	if len(list) > heldShown {
		p.List = list[:heldShown]
		p.Next = v.Base + "/held?after=" + strconv.FormatInt(int64(p.List[heldShown-1].ID), 10)
	}
	return page.Render(w, r, http.StatusOK, heldListView(p))
}

func (s *Server) heldShow(w http.ResponseWriter, r *http.Request) error {
	p, err := s.heldPage(w, r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, heldView(p))
}

func (s *Server) heldPage(w http.ResponseWriter, r *http.Request) (*heldPage, error) {
	id, err := heldID(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	mail, err := s.app.HeldMail(r.Context(), &visitFrom(r).Viewer, id)
	if err != nil {
		return nil, err
	}
	v, err := s.view(w, r, "held.one")
	if err != nil {
		return nil, err
	}
	v.Nav = "held"
	return &heldPage{view: v, Mail: mail, Form: page.Filled(nil), Path: v.Base + "/held/" + strconv.FormatInt(int64(id), 10)}, nil
}

// held reports whether there is something left to decide.
func (p *heldPage) held() bool { return p.Mail.Decision == portal.MailHeld && p.Mail.Mail != nil }

// heldDecide takes a mail in, or sets it aside.
func (s *Server) heldDecide(w http.ResponseWriter, r *http.Request) error {
	p, err := s.heldPage(w, r)
	if err != nil {
		return err
	}
	f, err := page.ReadForm(r, s.tempDir)
	defer f.Close()
	to := p.Base + "/held"
	flash := "held_refused"
	if err == nil {
		switch f.Value("how") {
		case "refuse":
			_, err = s.app.RefuseHeld(r.Context(), &p.Visit.Viewer, p.Mail.ID, f.Value("reason"))
		default:
			var entry *portal.LedgerEntry
			choice := app.HeldChoice{As: f.Value("as"), Create: f.Value("how") == "create", New: f.Value("how") == "new"}
			if typed := f.Value("ticket"); typed != "" && !choice.New {
				choice.Ticket, err = portal.ParseTicketNumber(typed)
				if e := (*portal.Error)(nil); errors.As(err, &e) {
					e.Field = "ticket"
				}
			}
			if err == nil {
				entry, err = s.app.AcceptHeld(r.Context(), &p.Visit.Viewer, p.Mail.ID, choice)
			}
			if err == nil {
				to, flash = p.Base+"/tickets/"+entry.Ticket.String(), "held_accepted"
			}
		}
	}
	if err == nil {
		page.SetFlash(w, r, flash)
		return page.Redirect(w, r, to)
	}
	p.Form = f
	f.Refuse(w, r, p.Printer, p.label, err, "as", "ticket", "reason")
	return page.Render(w, r, f.Status, heldView(p))
}

// people writes addresses as a mail names them.
func (p *heldPage) people(list []portal.MailAddress) []string {
	var all []string
	for _, a := range list {
		if a.Name == "" {
			all = append(all, a.Address)
		} else {
			all = append(all, a.Name+" <"+a.Address+">")
		}
	}
	return all
}

// proofWord is what is known of a sender, as the key of its text.
func proofWord(p portal.SenderProof) string {
	if p == portal.SenderProven || p == portal.SenderContradicted {
		return string(p)
	}
	return string(portal.SenderUnproven)
}
