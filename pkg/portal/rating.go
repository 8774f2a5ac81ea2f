package portal

import (
	"strconv"
	"strings"
	"time"
)

// Stars are what a customer may give a closed ticket: from one, bad, to five.
const (
	FewestStars = 1
	MostStars   = 5
)

// RatingWindow is how long after closing a ticket it can be rated, and the
// rating be changed.
const RatingWindow = 30 * 24 * time.Hour

// ParseStars reads how many stars a customer gave.
func ParseStars(s string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < FewestStars || n > MostStars {
		return 0, Invalidf("rating.stars", "rating", "%q is not a rating; choose one from 1 to 5", s)
	}
	return n, nil
}

// MayRate says why a ticket cannot be rated, or nil. Whoever opened it rates
// it, once it is closed and as long as it is fresh in mind.
func (t *Ticket) MayRate(now time.Time, s *TicketSettings) error {
	switch {
	case !s.AskRating:
		return NotFoundf("rating.off", "this portal asks for no ratings")
	case t.Status != Closed:
		return Conflictf("rating.open", "ticket %s is open again; rate it once it is closed", t.Number).With("Number", t.Number.String())
	case now.Sub(t.ClosedAt) > RatingWindow:
		return Conflictf("rating.late", "ticket %s was closed more than 30 days ago", t.Number).With("Number", t.Number.String())
	}
	return nil
}
