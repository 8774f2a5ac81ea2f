package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// ratingPage asks whoever opened a ticket what they think of how it went.
type ratingPage struct {
	*view
	*form
	Path    string
	Number  string
	Subject string
	Done    bool // it has just been said
}

// star is one of the choices of a rating.
type star struct {
	Value   string
	Words   string // "4 of 5: good"
	Checked bool
}

// stars are the choices, the fewest first. What was typed wins over what was
// said before.
func (v *view) stars(f *form) []star {
	list := make([]star, portal.MostStars)
	for i := range list {
		n := strconv.Itoa(i + 1)
		list[i] = star{Value: n, Words: v.T("rating.stars." + n), Checked: f.Value("rating") == n}
	}
	return list
}

func (s *Server) ratingPage(w http.ResponseWriter, r *http.Request, f *form) (ratingPage, error) {
	token := r.PathValue("token")
	rating, err := s.app.PeekRating(r.Context(), visitFrom(r.Context()), token)
	if err != nil {
		return ratingPage{}, err
	}
	v := s.viewIn(w, r, "rating.title", rating.Language)
	if f == nil {
		f = filled(map[string]string{"comment": rating.Text})
		if rating.Stars > 0 {
			f.Values.Set("rating", strconv.Itoa(rating.Stars))
		}
		// The mail's stars lead here with the one that was clicked.
		if n, err := portal.ParseStars(r.URL.Query().Get("stars")); err == nil {
			f.Values.Set("rating", strconv.Itoa(n))
		}
	}
	return ratingPage{
		view: v, form: f, Path: v.Base + "/rate/" + url.PathEscape(token), Number: rating.Ticket.String(), Subject: rating.Subject,
	}, nil
}

func (s *Server) ratingShow(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ratingPage(w, r, nil)
	if err != nil {
		return s.ratingFailed(w, r, err)
	}
	return s.render(w, r, http.StatusOK, ratingView(p))
}

func (s *Server) rate(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	if err == nil {
		err = s.app.Rate(r.Context(), visitFrom(r.Context()), r.PathValue("token"), f.Value("rating"), f.Value("comment"))
	}
	if err != nil && portal.KindOf(err) != portal.Invalid {
		return s.ratingFailed(w, r, err)
	}
	p, pageErr := s.ratingPage(w, r, f)
	if pageErr != nil {
		return s.ratingFailed(w, r, pageErr)
	}
	if err == nil {
		p.Done = true
		return s.render(w, r, http.StatusOK, ratingView(p))
	}
	s.refuse(w, r, p.view, f, err, "rating", "comment")
	return s.render(w, r, f.Status, ratingView(p))
}

// ratingFailed explains a link behind which nothing can be rated.
func (s *Server) ratingFailed(w http.ResponseWriter, r *http.Request, err error) error {
	if kind := portal.KindOf(err); kind != portal.NotFound && kind != portal.Conflict {
		return err
	}
	status := page.Blame(w, r, err)
	v := s.view(w, r, "rating.title")
	_, text := page.ErrorWords(v.Printer, http.StatusConflict, err)
	return s.render(w, r, status, noticeView(noticePage{view: v, Icon: "star", Heading: v.Title, Lines: []string{text}}))
}

// ticketRate is the same for somebody who is signed in, on the ticket's page.
func (s *Server) ticketRate(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	f, err := s.readForm(r)
	defer f.Close()
	if err == nil {
		err = s.app.RateTicket(r.Context(), visitFrom(r.Context()), n, f.Value("rating"), f.Value("comment"))
	}
	if err == nil || portal.KindOf(err) != portal.Invalid {
		return s.ticketDone(w, r, n, "rated", err)
	}
	p, pageErr := s.ticketPage(w, r, n)
	if pageErr != nil {
		return errors.Join(pageErr, err)
	}
	p.Rating = f
	s.refuse(w, r, p.view, f, err, "rating", "comment")
	return s.render(w, r, f.Status, ticketView(*p))
}
