package config

import (
	"encoding/base64"
	"net"
	"net/mail"
	"net/url"
	"strings"
)

// Where --tls auto listens unless told otherwise: the ports that the
// authority asks and visitors come to.
const (
	autoListen     = ":443"
	autoHTTPListen = ":80"
)

// tls reads how TLS is spoken, and what follows from it.
func (r *reader) tls(c *Config) {
	if c.TLS == "auto" && r.sources["listen"] == FromDefault {
		c.Listen = autoListen
	}
	c.HTTPListen = r.httpListen(c)
	c.ACME = ACME{
		Directory: r.directory(), CA: r.text("acme-ca"), Email: r.acmeEmail(), KeyID: r.text("acme-eab-kid"),
		Key: strings.TrimSpace(r.secret("acme-eab-key", "acme-eab-key-file", "config.acme_eab", "the key")),
	}
}

// httpListen reads where plain HTTP is sent on from.
func (r *reader) httpListen(c *Config) string {
	const key = "http-listen"
	s := r.text(key)
	switch {
	case s == "" && c.TLS == "auto":
		return autoHTTPListen
	case s == "" || strings.EqualFold(s, "off"):
		return ""
	case c.TLS == "off":
		r.fail(key, "config.tls", "--http-listen sends visitors on to HTTPS, but TLS is off").WithHint("add --tls auto or --tls files, or use --listen")
		return ""
	}
	if host, port, err := net.SplitHostPort(s); err != nil || !isPort(port, 0) || strings.ContainsAny(host, "/ \t") {
		r.fail(key, "config.listen", "%q is not an address to listen on; write it like :80, or off", s)
		return ""
	}
	return s
}

func (r *reader) directory() string {
	s := r.text("acme-directory")
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		r.fail("acme-directory", "config.acme_directory", "%q is not the address of an ACME directory; write it like https://acme-v02.api.letsencrypt.org/directory", maskURL(s))
		return ""
	}
	return s
}

func (r *reader) acmeEmail() string {
	s := r.text("acme-email")
	if s == "" {
		return ""
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" {
		r.fail("acme-email", "config.acme_email", "%q is not a mail address; write it like hostmaster@example.com", s)
		return ""
	}
	return a.Address
}

// checkTLS refuses settings that the way TLS is spoken has no use for, so that
// nobody believes they hold.
func (r *reader) checkTLS(c *Config) {
	for _, key := range []string{"tls-cert", "tls-key"} {
		given := len(r.values(key)) > 0
		switch {
		case c.TLS == "files" && !given:
			r.fail(key, "config.tls", "--tls files needs a file for --%s", key)
		case c.TLS == "off" && given:
			r.fail("tls", "config.tls", "--%s is given but TLS is off", key).WithHint("add --tls files")
		case c.TLS == "auto" && given:
			r.fail("tls", "config.tls", "--%s is given but --tls auto obtains certificates itself", key).WithHint("use --tls files, or leave it out")
		}
	}
	if certs, keys := len(c.TLSCert), len(c.TLSKey); c.TLS == "files" && certs != keys && certs > 0 && keys > 0 {
		r.fail("tls-key", "config.tls", "--tls-cert names %d files and --tls-key %d; give each certificate its key, in the same order", certs, keys)
	}
	for _, key := range []string{"acme-directory", "acme-ca", "acme-email", "acme-eab-kid", "acme-eab-key-file"} {
		if c.TLS != "auto" && r.sources[key] != FromDefault {
			r.fail("tls", "config.tls", "--%s is given but --tls is %s", key, c.TLS).WithHint("add --tls auto")
		}
	}
	if c.TLS == "auto" && strings.HasPrefix(c.BaseURL, "http://") {
		r.fail("base-url", "config.base_url", "with --tls auto the base URL begins with https://, not as in %s", c.BaseURL)
	}
	r.checkEAB(c.ACME)
}

func (r *reader) checkEAB(a ACME) {
	_, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(a.Key, "="))
	switch {
	case a.KeyID != "" && a.Key == "":
		r.fail("acme-eab-kid", "config.acme_eab", "there is no key to the account %q at the certificate authority", a.KeyID).
			WithHint("set PORTALCTL_ACME_EAB_KEY, or name a file with --acme-eab-key-file")
	case a.KeyID == "" && a.Key != "":
		r.fail("acme-eab-kid", "config.acme_eab", "there is a key for an account at the certificate authority but no key identifier").
			WithHint("give it with --acme-eab-kid")
	case err != nil:
		// The key is not shown: it is a secret.
		r.fail("acme-eab-key-file", "config.acme_eab", "the key to the account %q at the certificate authority is not base64url text", a.KeyID).
			WithHint("copy it from the authority's page as it is")
	}
}
