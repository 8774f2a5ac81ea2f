// Package config turns flags, environment and a file into one struct: how this
// process runs. What the portal does is data in the store. It is the only
// package that imports viper.
package config

import (
	"log/slog"
	"net/mail"
	"net/netip"
	"strings"
)

// Config is how this process runs. Load has checked every value.
type Config struct {
	Store      string
	Portal     string
	Output     string // table, json or csv
	NoInput    bool
	Quiet      bool
	Accessible bool

	BaseURL        string   // scheme, host and port, no slash at the end; "" with --tls auto when not given
	Listen         string   // host:port, unix:PATH or ListenSystemd
	TLS            string   // off, auto or files
	TLSCert        []string // with the key at the same place in TLSKey
	TLSKey         []string
	HTTPListen     string // where plain HTTP is sent on to HTTPS; "" for nowhere
	ACME           ACME
	TrustedProxies []netip.Prefix
	TrustUnix      bool // whoever comes by the Unix socket is a trusted proxy too
	ProxyProtocol  bool // trusted proxies send a PROXY header
	SMTP           SMTP
	MailFrom       mail.Address // zero when not set
	DKIM           DKIM
	LMTP           LMTP   // zero when not set
	Resolver       string // address and port, or ""
	LogFormat      string // auto, text or json
	LogLevel       slog.Level

	// File is the configuration file that was read, or "".
	File string

	entries []Entry
}

// Source says where a value comes from. A stronger source hides a weaker one.
type Source string

// The sources, the strongest first.
const (
	FromFlag    Source = "flag"
	FromEnv     Source = "environment"
	FromFile    Source = "file"
	FromDefault Source = "default"
)

// Entry is one setting with its value as config show prints it: secrets are
// masked already.
type Entry struct {
	Key    string
	Value  string
	Source Source
}

// Entries lists every setting with its value and where that comes from.
func (c *Config) Entries() []Entry { return c.entries }

// Source returns where the value of a setting comes from. A key that is no
// setting has none.
func (c *Config) Source(key string) Source {
	for _, e := range c.entries {
		if e.Key == key {
			return e.Source
		}
	}
	return ""
}

// ACME is where the certificates of --tls auto come from.
type ACME struct {
	Directory string // the address of the authority's directory
	CA        string // the file of the root its own certificate comes from, or ""
	Email     string // "" when the authority is told none
	KeyID     string // of the account at the authority, or ""
	Key       string // base64url; set when KeyID is
}

// DKIM is how mail is signed. Key is the file of the private key, "" when mail
// is not signed; Domain is "" for that of the sender.
type DKIM struct{ Key, Domain, Selector string }

// SMTP is the server that takes outgoing mail. Host is "" when there is none.
type SMTP struct {
	Host     string
	Port     int
	User     string
	Password string
	Security SMTPSecurity
}

// Configured reports whether there is a server to send mail through.
func (s SMTP) Configured() bool { return s.Host != "" }

// LMTP is where mail servers of this machine deliver.
type LMTP struct {
	Network string // unix or tcp
	Address string // an absolute path, or a loopback address with a port
}

// ListenSystemd stands for the sockets systemd hands over.
const ListenSystemd = "systemd"

// ListenPath returns the path of the Unix socket to listen on, if it is one.
func (c *Config) ListenPath() (path string, ok bool) { return strings.CutPrefix(c.Listen, "unix:") }

// Configured reports whether mail is taken by LMTP.
func (l LMTP) Configured() bool { return l.Address != "" }

// SMTPSecurity is how the connection to the mail server is protected.
type SMTPSecurity string

// STARTTLS and TLS verify the server's certificate and accept nothing less;
// NoTLS is for a server on this machine only.
const (
	STARTTLS SMTPSecurity = "starttls"
	TLS      SMTPSecurity = "tls"
	NoTLS    SMTPSecurity = "off"
)

const masked = "********"

// maskURL hides the password in an SMTP URL, whatever else is wrong with it.
func maskURL(s string) string {
	scheme, rest, found := strings.Cut(s, "://")
	at := strings.LastIndex(rest, "@")
	if !found || at < 0 {
		return s
	}
	user, _, hasPassword := strings.Cut(rest[:at], ":")
	if !hasPassword {
		return s
	}
	return scheme + "://" + user + ":" + masked + rest[at:]
}
