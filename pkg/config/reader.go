package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/viper"
	"golang.org/x/net/idna"

	"github.com/portalctl/portalctl/pkg/portal"
)

// reader takes typed values out of viper and collects what is wrong with them,
// so that an operator mends a file once and not line by line.
type reader struct {
	viper   *viper.Viper
	sources map[string]Source
	errs    []error
}

func (r *reader) config(opts Options) *Config {
	c := &Config{
		Store:         r.store(opts),
		Portal:        r.text("portal"),
		Output:        r.choice("output", append([]string{"table", "json", "csv"}, opts.Formats...)...),
		NoInput:       r.yesNo("no-input"),
		Quiet:         r.yesNo("quiet"),
		Accessible:    r.yesNo("accessible"),
		Listen:        r.listen(),
		TLS:           r.choice("tls", "off", "auto", "files"),
		TLSCert:       r.values("tls-cert"),
		TLSKey:        r.values("tls-key"),
		ProxyProtocol: r.yesNo("proxy-protocol"),
		SMTP:          r.smtp(),
		MailFrom:      r.mailFrom(),
		DKIM:          DKIM{r.text("dkim-key"), r.text("dkim-domain"), r.text("dkim-selector")},
		LMTP:          r.lmtp(),
		Resolver:      r.resolver(),
		LogFormat:     r.choice("log-format", "auto", "text", "json"),
		LogLevel:      r.level("log-level"),
	}
	c.TrustedProxies, c.TrustUnix = r.proxies("trusted-proxy")
	r.tls(c)
	c.BaseURL = r.baseURL(c)
	r.checkProxies(c)
	r.checkTLS(c)
	return c
}

func (r *reader) fail(key, code, format string, args ...any) *portal.Error {
	err := portal.Invalidf(code, key, format, args...)
	r.errs = append(r.errs, err)
	return err
}

// text returns a setting as written. A number or a yes in the file is taken as
// its text, so that what is wrong with it is said by the check that follows.
func (r *reader) text(key string) string {
	switch value := r.viper.Get(key).(type) {
	case nil:
		return ""
	case string:
		return strings.TrimSpace(value)
	case bool, int, int64, uint64, float64:
		return fmt.Sprint(value)
	default:
		r.fail(key, "config.type", "%s must be one text, not %v", key, value)
		return ""
	}
}

func (r *reader) yesNo(key string) bool {
	switch s := strings.ToLower(r.text(key)); s {
	case "true", "yes", "on", "1":
		return true
	case "false", "no", "off", "0", "":
		return false
	default:
		r.fail(key, "config.type", "%q is neither true nor false, which is what %s takes", s, key)
		return false
	}
}

func (r *reader) choice(key string, allowed ...string) string {
	s := strings.ToLower(r.text(key))
	if !slices.Contains(allowed, s) {
		last := len(allowed) - 1
		r.fail(key, "config.choice", "%q is not a choice for %s; use %s or %s",
			s, key, strings.Join(allowed[:last], ", "), allowed[last])
		return allowed[0]
	}
	return s
}

func (r *reader) level(key string) slog.Level {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	return levels[r.choice(key, "info", "debug", "warn", "error")]
}

// values returns a list, which the environment writes with commas.
func (r *reader) values(key string) []string {
	var all []string
	switch value := r.viper.Get(key).(type) {
	case nil:
	case string:
		all = strings.Split(value, ",")
	case []string:
		all = value
	case []any:
		for _, v := range value {
			s, ok := v.(string)
			if !ok {
				r.fail(key, "config.type", "%v in %s is not a text", v, key)
				continue
			}
			all = append(all, s)
		}
	default:
		r.fail(key, "config.type", "%s must be a list, not %v", key, value)
	}
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// proxies reads networks, and the word unix, which stands for a Unix socket.
func (r *reader) proxies(key string) (all []netip.Prefix, unix bool) {
	for _, s := range r.values(key) {
		if s == "unix" {
			unix = true
			continue
		}
		prefix, err := netip.ParsePrefix(s)
		if addr, addrErr := netip.ParseAddr(s); addrErr == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			r.fail(key, "config.network", "%q is not a network; write it like 10.0.0.0/8 or 192.0.2.7", s)
			continue
		}
		all = append(all, prefix.Masked())
	}
	return all, unix
}

// checkProxies refuses what would leave every visitor without an address.
func (r *reader) checkProxies(c *Config) {
	if c.ProxyProtocol && len(c.TrustedProxies) == 0 && !c.TrustUnix {
		r.fail("proxy-protocol", "config.proxy_protocol", "PROXY headers count from trusted proxies only, and none is named").
			WithHint("name the proxy's network with --trusted-proxy, or unix for a Unix socket")
	}
}

func (r *reader) store(opts Options) string {
	s := r.text("store")
	switch {
	case s == "" && r.sources["store"] == FromDefault:
		if s = defaultStore(opts); s == "" {
			r.fail("store", "config.store", "cannot tell where the store is: there is no home directory").
				WithHint("name the file with --store")
		}
	case strings.Contains(s, "://"):
		r.fail("store", "config.store", "the store is a file; a URL cannot be used").
			WithHint("write it like /var/lib/portalctl/portal.db")
		return ""
	}
	return s
}

func (r *reader) listen() string {
	s := r.text("listen")
	if s == ListenSystemd {
		return s
	}
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		if !filepath.IsAbs(path) || strings.HasSuffix(path, "/") {
			r.fail("listen", "config.listen", "%q is not the path of a socket; write it like unix:/run/portalctl/http.sock", s)
			return s
		}
		return "unix:" + filepath.Clean(path)
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || !isPort(port, 0) || strings.ContainsAny(host, "/ \t") {
		r.fail("listen", "config.listen", "%q is not an address to listen on; write it like 127.0.0.1:8080 or :8080", s)
		return s
	}
	return s
}

// baseURL returns the system domain's address. Without one it is where the
// server listens, which is right for trying things out on one machine.
func (r *reader) baseURL(c *Config) string {
	s := r.text("base-url")
	if _, unix := c.ListenPath(); s == "" && c.TLS != "auto" && (unix || c.Listen == ListenSystemd) {
		r.fail("base-url", "config.base_url", "--listen %s does not say which address visitors use", c.Listen).
			WithHint("give it with --base-url, like https://support.example.com")
		return ""
	}
	if s == "" {
		if c.TLS == "auto" {
			return "" // a certificate needs a name; serve takes a verified domain's
		}
		return listenURL(c)
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		r.fail("base-url", "config.base_url", "%q is not a web address; write it like https://support.example.com", maskURL(s))
		return ""
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#") || strings.Trim(u.Path, "/") != "" {
		r.fail("base-url", "config.base_url", "%q has more than a scheme, a host and a port", maskURL(s)).
			WithHint("the path belongs to the portal: set it with --slug")
		return ""
	}
	host := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(host); err != nil {
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			r.fail("base-url", "config.base_url", "%q is not a host name", u.Hostname())
			return ""
		}
	}
	if port := u.Port(); port != "" && !isPort(port, 1) {
		r.fail("base-url", "config.base_url", "%q is not a port; use a number from 1 to 65535", port)
		return ""
	}
	return webAddress(u.Scheme, host, u.Port())
}

func listenURL(c *Config) string {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return ""
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http"
	if c.TLS == "files" {
		scheme = "https"
	}
	return webAddress(scheme, strings.ToLower(host), port)
}

// webAddress leaves out the port a browser leaves out of the Host header.
func webAddress(scheme, host, port string) string {
	if port == "" || scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

func (r *reader) smtp() SMTP {
	raw, password := r.text("smtp"), r.smtpPassword()
	if raw == "" {
		return SMTP{}
	}
	// Messages never quote the URL: it may hold a password.
	s, err := parseSMTP(raw)
	if err != nil {
		r.errs = append(r.errs, err)
		return SMTP{}
	}
	if s.Password != "" && r.sources["smtp"] == FromFlag {
		r.fail("smtp", "config.smtp_password", "a password in --smtp ends up in the shell's history").
			WithHint("set PORTALCTL_SMTP_PASSWORD, or name a file with --smtp-password-file")
	}
	if password != "" {
		s.Password = password
	}
	switch {
	case s.User != "" && s.Password == "":
		r.fail("smtp", "config.smtp_password", "there is no password for %q at %s", s.User, s.Host).
			WithHint("set PORTALCTL_SMTP_PASSWORD, or name a file with --smtp-password-file")
	case s.User == "" && s.Password != "":
		r.fail("smtp", "config.smtp", "there is a password for the mail server but no user").
			WithHint("write it like smtp://user@%s", s.Host)
	}
	return s
}

func (r *reader) smtpPassword() string {
	// Not text: spaces at either end may be part of the password.
	return r.secret("smtp-password", "smtp-password-file", "config.smtp_password", "the password")
}

// secret returns what the environment holds, or the one line of a file.
func (r *reader) secret(key, fileKey, code, what string) string {
	value, path := r.viper.GetString(key), r.text(fileKey)
	if path == "" || value != "" {
		return value
	}
	data, err := os.ReadFile(path)
	if err != nil {
		r.errs = append(r.errs, unreadable(fileKey, path, err))
		return ""
	}
	line := strings.TrimRight(string(data), "\r\n")
	if line == "" || strings.ContainsAny(line, "\r\n\x00") {
		r.fail(fileKey, code, "%s must hold %s and nothing else", path, what)
		return ""
	}
	return line
}

func parseSMTP(raw string) (SMTP, error) {
	bad := portal.Invalidf("config.smtp", "smtp", "smtp cannot be read as the address of a mail server").
		WithHint("write it like smtp://user@mail.example.com:587 or smtps://user@mail.example.com:465")
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return SMTP{}, bad
	}
	s := SMTP{Host: strings.ToLower(u.Hostname()), User: u.User.Username()}
	s.Password, _ = u.User.Password()
	switch u.Scheme {
	case "smtp":
		s.Port, s.Security = 587, STARTTLS
	case "smtps":
		s.Port, s.Security = 465, TLS
	default:
		return SMTP{}, bad
	}
	if port := u.Port(); port != "" {
		if !isPort(port, 1) {
			return SMTP{}, portal.Invalidf("config.smtp", "smtp", "%q is not a port; use a number from 1 to 65535", port)
		}
		s.Port, _ = strconv.Atoi(port)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return SMTP{}, bad
	}
	for name, values := range query {
		if name != "starttls" || len(values) != 1 || values[0] != "off" || u.Scheme != "smtp" {
			return SMTP{}, portal.Invalidf("config.smtp", "smtp", "%q is not an option of an SMTP address", name).
				WithHint("the only one is starttls=off, for smtp:// on this machine")
		}
		if !isLoopback(s.Host) {
			return SMTP{}, portal.Invalidf("config.smtp", "smtp", "starttls=off would send mail and password readable to %s", s.Host).
				WithHint("it is allowed for a server on this machine only, such as 127.0.0.1")
		}
		s.Security = NoTLS
	}
	return s, nil
}

// lmtp reads where LMTP is spoken. It has no sign-in, so it is for this
// machine alone.
func (r *reader) lmtp() LMTP {
	const key = "lmtp-listen"
	s := r.text(key)
	if s == "" {
		return LMTP{}
	}
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		if !filepath.IsAbs(path) || strings.HasSuffix(path, "/") {
			r.fail(key, "config.lmtp_listen", "%q is not the path of a socket; write it like unix:/run/portalctl/lmtp.sock", s)
			return LMTP{}
		}
		return LMTP{Network: "unix", Address: filepath.Clean(path)}
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || !isPort(port, 0) {
		r.fail(key, "config.lmtp_listen", "%q is not an address to take mail on; write it like unix:/run/portalctl/lmtp.sock or 127.0.0.1:2424", s)
		return LMTP{}
	}
	if !isLoopback(host) {
		r.fail(key, "config.lmtp_listen", "%q can be reached from other machines, and LMTP has no sign-in: anybody could put mail into every inbox", s).
			WithHint("use a socket or a loopback address, such as 127.0.0.1:%s", port)
		return LMTP{}
	}
	return LMTP{Network: "tcp", Address: s}
}

func (r *reader) mailFrom() mail.Address {
	s := r.text("mail-from")
	if s == "" {
		return mail.Address{}
	}
	a, err := mail.ParseAddress(s)
	if err != nil {
		r.fail("mail-from", "config.mail_from", "%q is not a mail address; write it like support@example.com or Nordic Tools <support@example.com>", s)
		return mail.Address{}
	}
	return *a
}

func (r *reader) resolver() string {
	s := r.text("resolver")
	if s == "" {
		return ""
	}
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return netip.AddrPortFrom(addr, 53).String()
	}
	addr, err := netip.ParseAddrPort(s)
	if err != nil || addr.Port() == 0 {
		r.fail("resolver", "config.resolver", "%q is not the address of a DNS server; write it like 192.0.2.53 or 127.0.0.1:5353", s)
		return ""
	}
	return addr.String()
}

// entries lists the values as they came out, not as they were written: an
// operator who looks wants to know what holds.
func (r *reader) entries(c *Config) []Entry {
	resolved := map[string]string{
		"store": c.Store, "base-url": c.BaseURL, "listen": c.Listen, "resolver": c.Resolver,
		"smtp": maskURL(r.text("smtp")), "http-listen": c.HTTPListen,
	}
	var all []Entry
	for _, s := range settings {
		value, ok := resolved[s.Key]
		switch {
		case ok:
		case s.noFlag:
			if r.text(s.Key) != "" {
				value = masked
			}
		case s.kind == list:
			value = strings.Join(r.values(s.Key), ",")
		case s.kind == yesNo:
			value = strconv.FormatBool(r.yesNo(s.Key))
		default:
			value = r.text(s.Key)
		}
		all = append(all, Entry{Key: s.Key, Value: value, Source: r.sources[s.Key]})
	}
	return all
}

func isPort(s string, least int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= least && n <= 65535 && strconv.Itoa(n) == s
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
