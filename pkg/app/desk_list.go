package app

import (
	"context"
	"strconv"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// deskPage is how many tickets a page of the help desk's list has.
const deskPage = 50

// QueueQuery asks for a page of the help desk's list. What is unknown
// counts as absent, so an old bookmark never fails.
type QueueQuery struct {
	portal.DeskQuery
	After, Before string // places made by the list before
}

// QueuePage is a page of the help desk's list.
type QueuePage struct {
	Query  portal.DeskQuery // as it was understood
	Rows   []portal.DeskRow
	Count  int  // matching tickets, up to 1,000
	Capped bool // there are more than Count
	First  int  // place of the first row, from 1; 0 when unknown
	// Next and Prev are places for QueueQuery.After and Before; "" at the ends.
	Next, Prev string
	Bounded    bool // a search that looked at the newest hits only
}

// QueueTickets lists what the agent sees of a queue or finds by words.
func (a *App) QueueTickets(ctx context.Context, v *Visit, q QueueQuery) (*QueuePage, error) {
	if v.Agent == nil {
		return nil, portal.NotFoundf("page.none", "there is no such page")
	}
	list := &QueuePage{Query: q.Clean()}
	list.Query.Words = clip(list.Query.Words, portal.MaxLine)
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		if list.Query.Words != "" {
			return list.search(ctx, tx, v)
		}
		return list.readPage(ctx, tx, v, q.After, q.Before)
	})
	return list, err
}

// readPage reads a page in the order of an index.
func (l *QueuePage) readPage(ctx context.Context, tx *store.Tx, v *Visit, after, before string) error {
	// One row more tells whether another page follows.
	page := store.DeskPage{Limit: deskPage + 1, After: parsePlace(after)}
	if page.After == nil {
		page.Before = parsePlace(before)
	}
	backwards := page.Before != nil
	rows, places, err := tx.DeskTickets(ctx, &v.Viewer, l.Query, page)
	if err != nil {
		return err
	}
	more := len(rows) > deskPage
	switch {
	case more && backwards:
		rows, places = rows[1:], places[1:]
	case more:
		rows, places = rows[:deskPage], places[:deskPage]
	}
	l.Rows = rows
	if len(rows) > 0 {
		if page.After != nil || backwards && more {
			l.Prev = formatPlace(places[0])
		}
		if backwards || more {
			l.Next = formatPlace(places[len(places)-1])
		}
	}
	if page.After == nil && !backwards {
		l.First = min(1, len(rows))
		if !more {
			l.Count = len(rows)
			return nil
		}
	}
	n, err := tx.CountDesk(ctx, &v.Viewer, l.Query, countMost+1)
	l.Count, l.Capped = min(n, countMost), n > countMost
	return err
}

// search reads the newest tickets with the words, on one page.
func (l *QueuePage) search(ctx context.Context, tx *store.Tx, v *Visit) (err error) {
	l.Rows, l.Bounded, err = tx.DeskSearch(ctx, &v.Viewer, l.Query)
	l.Count, l.Capped, l.First = len(l.Rows), l.Bounded, min(1, len(l.Rows))
	return err
}

func formatPlace(c store.DeskCursor) string {
	return strconv.FormatInt(c.Key, 36) + "." + strconv.FormatInt(int64(c.Number), 36)
}

func parsePlace(s string) *store.DeskCursor {
	key, number, ok := strings.Cut(s, ".")
	k, errKey := strconv.ParseInt(key, 36, 64)
	n, errNumber := strconv.ParseInt(number, 36, 64)
	if !ok || errKey != nil || errNumber != nil {
		return nil
	}
	return &store.DeskCursor{Key: k, Number: portal.TicketNumber(n)}
}
