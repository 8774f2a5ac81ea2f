package page

import (
	"net/http"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Unrouted is what is wrong with a path that leads nowhere, by what the mux
// answers to it in plain text: no such page, or not by this method.
func Unrouted(w http.ResponseWriter, r *http.Request, h http.Handler) error {
	probe := &statusOnly{header: http.Header{}}
	h.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.header.Get("Allow"))
		return ErrMethod
	}
	return portal.NotFoundf("page.none", "there is no such page")
}

// statusOnly takes an answer apart without sending it.
type statusOnly struct {
	header http.Header
	status int
}

func (p *statusOnly) Header() http.Header { return p.header }

func (p *statusOnly) WriteHeader(status int) {
	if p.status == 0 {
		p.status = status
	}
}

func (p *statusOnly) Write(b []byte) (int, error) { p.WriteHeader(http.StatusOK); return len(b), nil }
