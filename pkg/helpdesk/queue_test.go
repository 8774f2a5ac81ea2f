package helpdesk

import (
	"net/http"
	"testing"
)

func TestQueuesShowWhatTheAgentMaySee(t *testing.T) {
	w := newWorld(t)
	ines, omar := w.browser(w.ines), w.browser(w.omar)
	ines.get(path("/tickets?queue=unassigned")).wants(t, http.StatusOK, "The scanner shows error 7", "Invoice 2041 twice", "Billing")
	limited := omar.get(path("/tickets?queue=unassigned"))
	limited.wants(t, http.StatusOK, "The scanner shows error 7")
	limited.lacks(t, "Invoice 2041 twice", "Billing")
	// An inbox of others is as empty as one that does not exist.
	for _, inbox := range []int64{int64(w.billing.ID), 99} {
		omar.get(path("/tickets?inbox=%d", inbox)).lacks(t, "Invoice 2041 twice", "Billing")
	}
}
