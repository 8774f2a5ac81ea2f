package helpdesk

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func (w *world) mailFor(inbox *portal.Inbox, raw string) *portal.LedgerEntry {
	w.t.Helper()
	e, err := w.app.TakeMail(w.t.Context(), &portal.Arrival{Inbox: inbox.ID, Source: portal.SourceIngest, Raw: []byte(raw)})
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func TestHeldMailIsDecidedAboutAtTheDesk(t *testing.T) {
	w := newWorld(t)
	omar := w.browser(w.omar)
	here := w.mailFor(w.support, "From: New Body <new@example.org>\nTo: support@example.com\nSubject: A <b>question</b>\n\nMay I <script>ask</script>?\n")
	there := w.mailFor(w.billing, "From: pay@example.org\nSubject: Secret bill\n\nFor Billing alone.\n")
	second := w.mailFor(w.support, "From: spam@example.org\nSubject: Buy\n\nBuy now.\n")
	one := func(e *portal.LedgerEntry) string { return path("/held/%s", strconv.FormatInt(int64(e.ID), 10)) }

	list := omar.get(path("/held"))
	list.wants(t, http.StatusOK, "A &lt;b&gt;question", "Nobody knows its sender.")
	list.wants(t, http.StatusOK, `data-count="held">2<`) // of the inboxes that are theirs
	list.lacks(t, "Secret bill")
	omar.get(one(there)).wants(t, http.StatusNotFound)
	omar.post(one(there), "how", "create").wants(t, http.StatusNotFound)
	shown := omar.get(one(here))
	shown.wants(t, http.StatusOK, "May I &lt;script&gt;ask", "new@example.org", "Proven by nobody")

	refused := omar.post(one(here), "how", "accept", "as", "", "ticket", "x7")
	refused.wants(t, http.StatusUnprocessableEntity, `value="x7"`)
	omar.post(one(here), "how", "accept").wants(t, http.StatusUnprocessableEntity, "Nobody with this address is a contact")
	taken := omar.post(one(here), "how", "create")
	taken.wants(t, http.StatusSeeOther)
	if to := taken.Header.Get("Location"); !strings.HasPrefix(to, path("/tickets/T-")) {
		t.Errorf("it leads to %s", to)
	}
	omar.post(one(second), "how", "refuse", "reason", "an advertisement").wants(t, http.StatusSeeOther)
	omar.post(one(second), "how", "create").wants(t, http.StatusConflict)
	omar.get(path("/held")).wants(t, http.StatusOK, "No mail is held.")
}
