package certs

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// problem is why a host got no certificate, in words.
type problem struct {
	what string // what happened
	do   string // what helps; "" when nothing but waiting does
	// until is when the authority takes the next request; zero: any time.
	until time.Time
}

// String is what happened and what to do, in one line.
func (p problem) String() string {
	if p.do == "" {
		return p.what
	}
	return p.what + "; " + p.do
}

// explain puts an error of obtaining a certificate into words.
func (m *Manager) explain(host string, err error) problem {
	var told acme.Problem
	if errors.As(err, &told) {
		return m.explainTold(host, told, err)
	}
	authority := m.authority()
	var unknown x509.UnknownAuthorityError
	var wrongHost x509.HostnameError
	var invalid x509.CertificateInvalidError
	var dns *net.DNSError
	var dial *net.OpError
	var web *url.Error
	switch {
	case errors.As(err, &unknown):
		return problem{
			what: fmt.Sprintf("the certificate authority %s shows a certificate whose root is not known here", authority),
			do:   "if it is a private one, name its root with --acme-ca",
		}
	case errors.As(err, &wrongHost), errors.As(err, &invalid):
		return problem{what: fmt.Sprintf("the certificate authority %s shows a certificate that is not valid for it: %v", authority, cause(err)), do: "check --acme-directory and this machine's clock"}
	case errors.As(err, &dns):
		return problem{what: fmt.Sprintf("the address of the certificate authority %s cannot be found", authority), do: "check --acme-directory and this machine's DNS"}
	case errors.Is(err, context.DeadlineExceeded):
		return problem{what: fmt.Sprintf("the certificate authority %s did not answer in time", authority), do: "it is tried again"}
	case errors.As(err, &dial):
		return problem{what: fmt.Sprintf("the certificate authority %s cannot be reached: %v", authority, cause(dial.Err)), do: "check that this machine may connect to it"}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EROFS):
		return problem{what: fmt.Sprintf("the keys' folder cannot be written: %v", cause(err)), do: "check its owner and the room on the disk: " + m.o.Folder}
	case errors.As(err, &web):
		return problem{what: fmt.Sprintf("the certificate authority %s cannot be asked: %v", authority, cause(web.Err)), do: "check --acme-directory"}
	}
	return problem{what: err.Error()}
}

// explainTold puts what the authority said into words (RFC 8555 section 6.7).
func (m *Manager) explainTold(host string, told acme.Problem, err error) problem {
	authority := m.authority()
	said := detail(told)
	forHost := false // the authority asked the host; it is not about the account
	if _, ok := told.Resource.(acme.Authorization); ok {
		forHost = true
	}
	switch told.Type {
	case acme.ProblemTypeRateLimited:
		p := problem{what: fmt.Sprintf("the certificate authority %s has had too many requests: %s", authority, said), until: retryAfter(said)}
		if !p.until.IsZero() {
			p.do = "it is asked again after " + p.until.Local().Format("2006-01-02 15:04 MST")
		}
		return p
	case acme.ProblemTypeDNS:
		return problem{
			what: fmt.Sprintf("the certificate authority cannot resolve %s: %s", host, said),
			do:   fmt.Sprintf("check its DNS records with `portalctl domain verify %s`", host),
		}
	case acme.ProblemTypeConnection:
		return problem{
			what: fmt.Sprintf("the certificate authority cannot reach %s: %s", host, said),
			do:   m.openPorts(host),
		}
	case acme.ProblemTypeTLS:
		return problem{
			what: fmt.Sprintf("the certificate authority finds no TLS at %s it can use: %s", host, said),
			do:   "port 443 must lead to this server itself, with no proxy that ends TLS in between; " + m.openPorts(host),
		}
	case acme.ProblemTypeCAA:
		return problem{
			what: fmt.Sprintf("a CAA record forbids the certificate authority to issue for %s: %s", host, said),
			do:   "add a CAA record that allows it, or remove those that forbid it; `portalctl domain verify` shows them",
		}
	case acme.ProblemTypeRejectedIdentifier, acme.ProblemTypeUnsupportedIdentifier:
		return problem{what: fmt.Sprintf("the certificate authority %s does not issue for %s: %s", authority, host, said), do: "use another authority with --acme-directory"}
	case acme.ProblemTypeExternalAccountRequired:
		return problem{
			what: fmt.Sprintf("the certificate authority %s wants an account it knows", authority),
			do:   "give the key identifier it issued with --acme-eab-kid, and the key in PORTALCTL_ACME_EAB_KEY",
		}
	case acme.ProblemTypeUserActionRequired:
		return problem{what: fmt.Sprintf("the certificate authority %s wants something done by hand: %s", authority, said), do: told.Instance}
	case acme.ProblemTypeServerInternal:
		return problem{what: fmt.Sprintf("the certificate authority %s has a fault of its own: %s", authority, said), do: "it is tried again"}
	}
	if told.Type == acme.ProblemTypeUnauthorized && forHost || told.Type == acme.ProblemTypeIncorrectResponse {
		return problem{
			what: fmt.Sprintf("the certificate authority asked %s and did not get this server's answer: %s", host, said),
			do:   fmt.Sprintf("%s must lead here and nowhere else, on port 80 as on 443; `portalctl domain verify %s` shows where it leads", host, host),
		}
	}
	if m.o.KeyID != "" && strings.Contains(err.Error(), "registering account") {
		return problem{
			what: fmt.Sprintf("the certificate authority %s does not take the account %q: %s", authority, m.o.KeyID, said),
			do:   "check --acme-eab-kid and its key",
		}
	}
	if told.Status >= 500 {
		return problem{what: fmt.Sprintf("the certificate authority %s has a fault of its own: %s", authority, said), do: "it is tried again"}
	}
	p := problem{what: fmt.Sprintf("the certificate authority %s refuses: %s", authority, said)}
	if forHost {
		p.do = fmt.Sprintf("see where the name leads with `portalctl domain verify %s`", host)
	}
	return p
}

// openPorts says where the authority's questions have to get through.
func (m *Manager) openPorts(host string) string {
	if m.o.HTTP == nil {
		return fmt.Sprintf("open port 443 of %s for everybody: a firewall or the router stands before this server, or the DNS record names another one", host)
	}
	return fmt.Sprintf("open ports 80 and 443 of %s for everybody: a firewall or the router stands before this server, or the DNS record names another one", host)
}

// authority is the host of the directory.
func (m *Manager) authority() string {
	if u, err := url.Parse(m.o.Directory); err == nil && u.Host != "" {
		return u.Host
	}
	return m.o.Directory
}

// detail is what the authority said, with what it said of parts.
func detail(p acme.Problem) string {
	said := []string{p.Detail}
	for _, sub := range p.Subproblems {
		said = append(said, sub.Detail)
	}
	text := strings.Join(strings.Fields(strings.Join(said, " ")), " ")
	text = strings.TrimSuffix(text, ".")
	if text == "" {
		return strings.TrimPrefix(p.Type, acme.ProblemTypeNamespace)
	}
	if r := []rune(text); len(r) > 400 {
		text = string(r[:400]) + "…"
	}
	return text
}

// cause is the innermost error, without the addresses before it.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

var after = regexp.MustCompile(`retry after (\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)`)

// retryAfter finds when the authority takes the next request; it says so in
// its text, in UTC.
func retryAfter(said string) time.Time {
	found := after.FindStringSubmatch(said)
	if found == nil {
		return time.Time{}
	}
	t, err := time.Parse("2006-01-02 15:04:05", strings.Replace(found[1], "T", " ", 1))
	if err != nil {
		return time.Time{}
	}
	return t
}
