package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/pflag"
)

// Setting describes one setting: its key in the file is also the name of its
// flag, and its environment variable follows from it.
type Setting struct {
	Key     string
	Default string // as it would be written in the file; "" when there is none
	Usage   string

	kind      kind
	shorthand string
	noFlag    bool   // a secret, which has no business in shell history
	alsoEnv   string // a variable other programs honour too
}

// Secret reports whether the setting is kept out of flags and files.
func (s Setting) Secret() bool { return s.noFlag }

type kind int

const (
	text kind = iota
	yesNo
	list
)

// Env returns the name of the setting's environment variable.
func (s Setting) Env() string {
	return "PORTALCTL_" + strings.ToUpper(strings.ReplaceAll(s.Key, "-", "_"))
}

// settings are all there are, in the order config show prints them.
var settings = []Setting{
	{Key: "store", Usage: "the store: a file; default portalctl/portal.db in the user's data directory, /var/lib/portalctl/portal.db for root"},
	{Key: "portal", Usage: "the portal's slug or name, needed only when the store holds several"},
	{Key: "output", Default: "table", shorthand: "o", Usage: "print table, json or csv"},
	{Key: "no-input", kind: yesNo, Default: "false", Usage: "never ask anything; name the missing flag instead"},
	{Key: "quiet", kind: yesNo, Default: "false", Usage: "print nothing but the data asked for and errors"},
	{Key: "accessible", kind: yesNo, Default: "false", alsoEnv: "ACCESSIBLE", Usage: "ask line by line, for screen readers"},
	{Key: "base-url", Usage: "the address of the system domain, as visitors reach it; default from --listen, with --tls auto the first verified domain"},
	{Key: "listen", Default: "127.0.0.1:8080", Usage: "the address to listen on, unix:/run/portalctl/http.sock, or systemd for the sockets that hands over; with --tls auto :443 unless given"},
	{Key: "tls", Default: "off", Usage: "off, auto for certificates from --acme-directory, or files with --tls-cert and --tls-key"},
	{Key: "tls-cert", kind: list, Usage: "the certificate and its chain, as a PEM file; several are chosen from by host, the first is for all others"},
	{Key: "tls-key", kind: list, Usage: "the certificate's key, as a PEM file; as many as certificates, in the same order"},
	{Key: "http-listen", Usage: "where plain HTTP is sent on to HTTPS and the authority's questions are answered, such as :80, or off; default :80 with --tls auto, otherwise off"},
	{Key: "acme-directory", Default: "https://acme-v02.api.letsencrypt.org/directory", Usage: "the certificate authority of --tls auto, by the address of its ACME directory"},
	{Key: "acme-ca", Usage: "a PEM file with the root that the ACME directory's own certificate comes from, when it is a private one"},
	{Key: "acme-email", Usage: "the address the certificate authority may write to; default none"},
	{Key: "acme-eab-kid", Usage: "the key identifier of the account at the authority (external account binding), where it wants one"},
	{Key: "acme-eab-key", noFlag: true, Usage: "the key to --acme-eab-kid; environment only"},
	{Key: "acme-eab-key-file", Usage: "a file that holds the key to --acme-eab-kid"},
	{Key: "trusted-proxy", kind: list, Usage: "networks whose X-Forwarded headers count, such as 10.0.0.0/8; unix for whoever comes by a Unix socket"},
	{Key: "proxy-protocol", kind: yesNo, Default: "false", Usage: "trusted proxies send a PROXY header, version 1 or 2, before anything else"},
	{Key: "smtp", Usage: "the mail server: smtp://user@host:587 (with STARTTLS) or smtps://user@host:465"},
	{Key: "smtp-password", noFlag: true, Usage: "the mail server's password; environment only"},
	{Key: "smtp-password-file", Usage: "a file that holds the mail server's password"},
	{Key: "mail-from", Usage: `the sender of mail, such as "Nordic Tools <support@example.com>"`},
	{Key: "dkim-key", Usage: "sign mail with the private key in this PEM file; portalctl mail dkim makes one and prints its DNS record"},
	{Key: "dkim-domain", Usage: "the domain that signs mail; default the one of --mail-from"},
	{Key: "dkim-selector", Default: "portalctl", Usage: "the name of the key in DNS: SELECTOR._domainkey.DOMAIN"},
	{Key: "lmtp-listen", Usage: "take mail by LMTP on unix:/run/portalctl/lmtp.sock or a loopback address such as 127.0.0.1:2424; default not at all"},
	{Key: "resolver", Usage: "the DNS server to ask, such as 192.0.2.53 or 127.0.0.1:5353; default the system's"},
	{Key: "log-format", Default: "auto", Usage: "text, json, or auto: text on a terminal, json otherwise"},
	{Key: "log-level", Default: "info", Usage: "debug, info, warn or error"},
}

// Settings lists every setting, for the README and the help texts.
func Settings() []Setting { return slices.Clone(settings) }

// GlobalFlags adds to fs the flags every command has: --config, --store,
// --portal, --output, --no-input, --quiet and --accessible.
func GlobalFlags(fs *pflag.FlagSet) {
	fs.String("config", "", "the configuration file; default portalctl/config.toml or .yaml in the user's configuration directory, /etc/portalctl for root")
	Flags(fs, "store", "portal", "output", "no-input", "quiet", "accessible")
}

// Flags adds the flags of the named settings to fs, for the commands that use
// them. It panics on a name that is no setting: that is a mistake in the
// program, and any test of the command finds it.
func Flags(fs *pflag.FlagSet, keys ...string) {
	for _, key := range keys {
		at := slices.IndexFunc(settings, func(s Setting) bool { return s.Key == key && !s.noFlag })
		if at < 0 {
			panic(fmt.Sprintf("%q is not a setting with a flag", key))
		}
		s := settings[at]
		// Defaults stay out of the flags: Load knows them, and a flag that is
		// not given must not hide the environment or the file.
		usage := s.Usage
		if s.Default != "" && s.kind != yesNo {
			usage += " (default " + s.Default + ")"
		}
		switch s.kind {
		case yesNo:
			fs.BoolP(s.Key, s.shorthand, false, usage)
		case list:
			fs.StringSliceP(s.Key, s.shorthand, nil, usage)
		default:
			fs.StringP(s.Key, s.shorthand, "", usage)
		}
	}
}

// nearest returns the setting whose key is closest to an unknown one, or "" when
// none is close enough to be what was meant.
func nearest(key string) string {
	best, least := "", 4
	for _, s := range settings {
		if s.noFlag {
			continue
		}
		if strings.HasPrefix(key, s.Key+".") {
			return s.Key
		}
		if d := levenshtein.ComputeDistance(strings.ReplaceAll(key, "_", "-"), s.Key); d < least && d < len(s.Key) {
			best, least = s.Key, d
		}
	}
	return best
}
