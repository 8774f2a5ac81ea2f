package cli

import (
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

type statusCertificateJSON struct {
	Host     string     `json:"host"`
	State    string     `json:"state"` // obtaining, good, failing
	Issuer   string     `json:"issuer"`
	NotAfter *time.Time `json:"not_after"`
	Failures int        `json:"failures"`
	Error    string     `json:"error"`
	ErrorAt  *time.Time `json:"error_at"`
	NextAt   *time.Time `json:"next_at"`
	At       *time.Time `json:"at"`
}

// some is nil for a time that is none, so that JSON says null.
func some(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func certificatesJSON(list []portal.Certificate) []statusCertificateJSON {
	all := []statusCertificateJSON{}
	for _, c := range list {
		all = append(all, statusCertificateJSON{
			Host: c.Host, State: string(c.State), Issuer: c.Issuer, NotAfter: some(c.NotAfter),
			Failures: c.Failures, Error: c.Error, ErrorAt: some(c.ErrorAt), NextAt: some(c.NextAt), At: some(c.At),
		})
	}
	return all
}

// certificateWords tell how a certificate goes.
func certificateWords(c *portal.Certificate) string {
	words := c.Host + ": "
	switch {
	case !c.NotAfter.IsZero():
		words += "valid until " + c.NotAfter.Local().Format(time.DateOnly) + ", by " + c.Issuer
	case c.State == portal.CertificateObtaining:
		words += "being obtained"
	default:
		words += "none"
	}
	if c.State == portal.CertificateFailing {
		words += "; failed " + app.Counted(c.Failures, "time", "times")
		if !c.NextAt.IsZero() {
			words += ", tried again at " + c.NextAt.Local().Format("15:04")
		}
	}
	return words
}
