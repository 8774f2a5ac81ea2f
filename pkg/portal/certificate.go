package portal

import "time"

// CertificateState says how obtaining a host's certificate goes.
type CertificateState string

// The states. A failing certificate can still be valid: its renewal fails.
const (
	CertificateObtaining CertificateState = "obtaining"
	CertificateGood      CertificateState = "good"
	CertificateFailing   CertificateState = "failing"
)

// Certificate is how obtaining and renewing a host's certificate goes.
type Certificate struct {
	Host     string // ASCII form, lower case
	State    CertificateState
	Issuer   string    // who signed it; "" before there is one
	NotAfter time.Time // until when it is valid; zero before there is one
	Failures int       // in a row
	Error    string    // the last failure, and what to do; "" since it went well
	ErrorAt  time.Time
	NextAt   time.Time // when it is tried again, if that is known
	At       time.Time // when this was written
}

// Valid reports whether there is a certificate that browsers take.
func (c *Certificate) Valid(now time.Time) bool { return now.Before(c.NotAfter) }
