package app

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// purposeRating is what the key of a rating link is made for.
const purposeRating = "rating link"

// ratingsPerHour is how often one rating may be changed: a link can be passed on.
const ratingsPerHour = 20

// Rating is what the page behind a rating link shows.
type Rating struct {
	Ticket   portal.TicketNumber
	Subject  string
	Stars    int // 0: not rated yet
	Text     string
	Language string // of who is asked
}

// RatingPath is the path, below a portal, of the page where whoever opened a
// ticket says what they think of it; "" where the portal asks for no ratings.
// The link needs no session and lets nobody in: it can do that one thing.
func (a *App) RatingPath(p *portal.Portal, t *portal.Ticket) (string, error) {
	if !p.Tickets.AskRating {
		return "", nil
	}
	key := replyKey{Ticket: t.Number, To: portal.Person{Contact: t.Requester}}.String()
	proof, err := a.sign(purposeRating, key, "")
	if err != nil {
		return "", err
	}
	return "/rate/" + key + ".k" + proof, nil
}

// PeekRating returns what a rating link is about. It changes nothing, so mail
// scanners may follow it. NotFound rating.link for one that is not ours.
func (a *App) PeekRating(ctx context.Context, v *Visit, token string) (r *Rating, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		t, c, err := a.rated(ctx, tx, v, token)
		if err != nil {
			return err
		}
		r = &Rating{Ticket: t.Number, Subject: t.Subject, Stars: t.Rating, Text: t.RatingText, Language: c.Language}
		return nil
	})
	return r, err
}

// Rate writes what the holder of a rating link thinks of their ticket.
func (a *App) Rate(ctx context.Context, v *Visit, token, stars, text string) error {
	return a.rate(ctx, stars, text, func(tx *store.Tx) (*portal.Ticket, error) {
		t, _, err := a.rated(ctx, tx, v, token)
		return t, err
	})
}

// RateTicket writes what the visitor thinks of a ticket they opened.
func (a *App) RateTicket(ctx context.Context, v *Visit, n portal.TicketNumber, stars, text string) error {
	return a.rate(ctx, stars, text, func(tx *store.Tx) (*portal.Ticket, error) {
		t, err := ticketForChange(ctx, tx, v, n)
		if err != nil {
			return nil, err
		}
		if v.Contact == nil || t.Requester != v.Contact.ID {
			return nil, portal.Forbiddenf("rating.requester", "who opened a ticket rates it")
		}
		return t, t.MayRate(tx.Now, &v.Portal.Tickets)
	})
}

// rated finds the ticket of a rating link and who may rate it.
func (a *App) rated(ctx context.Context, tx *store.Tx, v *Visit, token string) (*portal.Ticket, *portal.Contact, error) {
	none := portal.NotFoundf("rating.link", "this link leads to no ticket")
	k, ok := a.readKey(purposeRating, token, "")
	if !ok || k.To.Contact == 0 {
		return nil, nil, none
	}
	t, err := tx.Ticket(ctx, k.Ticket)
	if portal.KindOf(err) == portal.NotFound || err == nil && t.Requester != k.To.Contact {
		return nil, nil, none
	}
	if err != nil {
		return nil, nil, err
	}
	c, err := tx.Contact(ctx, t.Requester)
	if err != nil {
		return nil, nil, err
	}
	if c.Erased() {
		return nil, nil, none
	}
	return t, c, t.MayRate(tx.Now, &v.Portal.Tickets)
}

// rate checks what was said and writes it to the ticket that find returns.
func (a *App) rate(ctx context.Context, stars, text string, find func(*store.Tx) (*portal.Ticket, error)) error {
	n, err := portal.ParseStars(stars)
	if text != "" {
		var textErr error
		text, textErr = bodyText("comment", text)
		err = errors.Join(err, textErr)
	}
	if err != nil {
		return err
	}
	return a.store.Write(ctx, func(tx *store.Tx) error {
		t, err := find(tx)
		if err != nil {
			return err
		}
		if t.Rating == n && t.RatingText == text {
			return nil
		}
		if err := allowIn(ctx, tx, "rating:"+t.Number.String(), ratingsPerHour, time.Hour); err != nil {
			return err
		}
		e := portal.Event{Kind: portal.EventRated, By: portal.ByContact(t.Requester), To: strconv.Itoa(n)}
		if t.Rating != 0 {
			e.From = strconv.Itoa(t.Rating)
		}
		t.Rating, t.RatingText, t.RatedAt = n, text, tx.Now
		return saveWithEvent(ctx, tx, t, e)
	})
}
