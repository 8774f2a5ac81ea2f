package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"github.com/portalctl/portalctl/pkg/portal"
)

// options builds Options from an environment and command-line arguments. The
// home directory is a new one, so no file of the machine is read.
func options(t *testing.T, env map[string]string, args ...string) Options {
	t.Helper()
	fs := pflag.NewFlagSet("portalctl", pflag.ContinueOnError)
	GlobalFlags(fs)
	Flags(fs, "http-listen", "acme-directory", "acme-ca", "acme-email", "acme-eab-kid", "acme-eab-key-file")
	Flags(fs, "base-url", "listen", "tls", "tls-cert", "tls-key", "trusted-proxy", "proxy-protocol", "smtp", "smtp-password-file",
		"mail-from", "dkim-key", "dkim-domain", "dkim-selector", "lmtp-listen", "resolver", "log-format", "log-level")
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	return Options{Flags: fs, Getenv: func(name string) string {
		if value, ok := env[name]; ok {
			return value
		}
		if name == "HOME" {
			return home
		}
		return ""
	}}
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadWithoutAnythingGivesTheDefaults(t *testing.T) {
	got, err := Load(options(t, map[string]string{"HOME": "/home/ada"}))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Store:     "/home/ada/.local/share/portalctl/portal.db",
		Output:    "table",
		BaseURL:   "http://127.0.0.1:8080",
		Listen:    "127.0.0.1:8080",
		ACME:      ACME{Directory: "https://acme-v02.api.letsencrypt.org/directory"},
		TLS:       "off",
		DKIM:      DKIM{Selector: "portalctl"},
		LogFormat: "auto",
		LogLevel:  slog.LevelInfo,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("defaults differ (-want +got):\n%s", diff)
	}
	for _, e := range got.Entries() {
		if e.Source != FromDefault {
			t.Errorf("%s comes from the %s, want the default", e.Key, e.Source)
		}
	}
}

func TestDefaultStore(t *testing.T) {
	for name, tt := range map[string]struct {
		env  map[string]string
		root bool
		want string
	}{
		"XDG":               {map[string]string{"XDG_DATA_HOME": "/data"}, false, "/data/portalctl/portal.db"},
		"XDG, but relative": {map[string]string{"XDG_DATA_HOME": "data", "HOME": "/home/ada"}, false, "/home/ada/.local/share/portalctl/portal.db"},
		"root":              {map[string]string{"XDG_DATA_HOME": "/data", "PORTALCTL_CONFIG": write(t, "c.toml", "")}, true, "/var/lib/portalctl/portal.db"},
	} {
		opts := options(t, tt.env)
		opts.Root = tt.root
		c, err := Load(opts)
		if err != nil || c.Store != tt.want {
			t.Errorf("%s: store is %+v, %v; want %s", name, c, err, tt.want)
		}
	}
	_, err := Load(options(t, map[string]string{"HOME": ""}))
	wantError(t, err, "store", "cannot tell where the store is", "name the file with --store")
}

func TestFlagsBeatEnvironmentBeatsFileBeatsDefaults(t *testing.T) {
	file := write(t, "c.toml", `
listen = "127.0.0.1:1"
log-level = "debug"
log-format = "json"
quiet = true
portal = "from-file"
`)
	env := map[string]string{
		"PORTALCTL_CONFIG":   file,
		"PORTALCTL_LISTEN":   "127.0.0.1:2",
		"PORTALCTL_PORTAL":   "from-env",
		"PORTALCTL_NO_INPUT": "1",
	}
	c, err := Load(options(t, env, "--listen", "127.0.0.1:3", "--quiet=false"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:3" || c.Portal != "from-env" || c.LogLevel != slog.LevelDebug || c.Quiet || !c.NoInput || c.File != file {
		t.Errorf("got %+v", c)
	}
	for key, want := range map[string]Source{
		"listen": FromFlag, "quiet": FromFlag, "portal": FromEnv, "no-input": FromEnv,
		"log-level": FromFile, "log-format": FromFile, "output": FromDefault, "nonsense": "",
	} {
		if got := c.Source(key); got != want {
			t.Errorf("%s comes from %q, want %q", key, got, want)
		}
	}
}

func TestFileInTheUsualPlaceIsRead(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"XDG_CONFIG_HOME": dir}
	if err := os.Mkdir(filepath.Join(dir, "portalctl"), 0o700); err != nil {
		t.Fatal(err)
	}
	yaml := filepath.Join(dir, "portalctl", "config.yaml")
	if err := os.WriteFile(yaml, []byte("\ufefftrusted-proxy:\n  - 10.1.2.3/8\n  - ::1\nquiet: yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(options(t, env))
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	if c.File != yaml || !c.Quiet || !cmp.Equal(c.TrustedProxies, want, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })) {
		t.Errorf("got file %q, quiet %v, proxies %v; want %q, true, %v", c.File, c.Quiet, c.TrustedProxies, yaml, want)
	}
	toml := filepath.Join(dir, "portalctl", "config.toml")
	if err := os.WriteFile(toml, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Load(options(t, env))
	wantError(t, err, "config", "there are two configuration files", "keep one of them")
}

func TestUnknownKeysNameTheNearestSetting(t *testing.T) {
	for content, want := range map[string][2]string{
		`lisen = "x"`:                  {`"lisen" is not a setting`, `did you mean "listen"?`},
		`base_url = "x"`:               {`"base_url" is not a setting`, `did you mean "base-url"?`},
		`trusted-proxies = ["x"]`:      {`"trusted-proxies" is not a setting`, `did you mean "trusted-proxy"?`},
		"[smtp]\nhost = \"x\"":         {`"smtp.host" is not a setting`, `did you mean "smtp"?`},
		`colour = "blue"`:              {`"colour" is not a setting`, "portalctl config show lists the settings"},
		`smtp-password = "correct"`:    {`"smtp-password" does not belong in the file`, "smtp-password-file"},
		"a = 1\nb = 2\nquiet = \"no\"": {`"b" is not a setting`, "config show"},
	} {
		_, err := Load(options(t, nil, "--config", write(t, "c.toml", content)))
		wantError(t, err, "config", want[0], want[1])
	}
}

func TestFilesThatCannotBeReadSayWhy(t *testing.T) {
	_, err := Load(options(t, nil, "--config", "/nonexistent/c.toml"))
	wantError(t, err, "config", "cannot read /nonexistent/c.toml: there is no such file")
	_, err = Load(options(t, nil, "--config", write(t, "c.ini", "")))
	wantError(t, err, "config", "neither a .toml nor a .yaml file")
	_, err = Load(options(t, nil, "--config", write(t, "c.toml", "listen = ")))
	wantError(t, err, "config", "c.toml cannot be read: ")
	_, err = Load(options(t, nil, "--config", write(t, "c.yaml", "listen: [")))
	wantError(t, err, "config", "c.yaml cannot be read: ")
	_, err = Load(options(t, nil, "--config", write(t, "c.yaml", "quiet: true\nquiet: false\n")))
	wantError(t, err, "config", "c.yaml cannot be read: ")
	_, err = Load(options(t, nil, "--config="))
	wantError(t, err, "config", "needs the name of a file")
}

func TestWrongValuesAreNamed(t *testing.T) {
	tests := []struct {
		args  []string
		field string
		want  []string
	}{
		{[]string{"--output", "xml"}, "output", []string{`"xml" is not a choice for output; use table, json or csv`}},
		{[]string{"--log-level", "loud"}, "log-level", []string{`"loud"`, "info, debug, warn or error"}},
		{[]string{"--tls", "on"}, "tls", []string{`"on" is not a choice for tls; use off, auto or files`}},
		{[]string{"--tls", "auto", "--tls-cert", "c.pem"}, "tls", []string{"--tls auto obtains certificates itself"}},
		{[]string{"--tls", "auto", "--base-url", "http://example.com"}, "base-url", []string{"begins with https://"}},
		{[]string{"--tls", "auto", "--http-listen", "80"}, "http-listen", []string{`"80" is not an address to listen on; write it like :80, or off`}},
		{[]string{"--http-listen", ":80"}, "http-listen", []string{"TLS is off", "--tls auto"}},
		{[]string{"--acme-email", "a@example.com"}, "tls", []string{"--acme-email is given but --tls is off"}},
		{[]string{"--tls", "auto", "--acme-email", "hostmaster"}, "acme-email", []string{`"hostmaster" is not a mail address`}},
		{[]string{"--tls", "auto", "--acme-directory", "http://acme.example.com/dir"}, "acme-directory", []string{"is not the address of an ACME directory"}},
		{[]string{"--tls", "auto", "--acme-eab-kid", "k1"}, "acme-eab-kid", []string{`no key to the account "k1"`, "PORTALCTL_ACME_EAB_KEY"}},
		{[]string{"--tls", "files", "--tls-key", "k.pem"}, "tls-cert", []string{"--tls files needs a file for --tls-cert"}},
		{[]string{"--tls", "files", "--tls-cert", "a.pem,b.pem", "--tls-key", "a.key"}, "tls-key", []string{"--tls-cert names 2 files and --tls-key 1", "in the same order"}},
		{[]string{"--tls-cert", "c.pem"}, "tls", []string{"--tls-cert is given but TLS is off", "add --tls files"}},
		{[]string{"--listen", "8080"}, "listen", []string{`"8080" is not an address to listen on; write it like 127.0.0.1:8080`}},
		{[]string{"--listen", "localhost:http"}, "listen", []string{`"localhost:http"`}},
		{[]string{"--listen", "127.0.0.1:70000"}, "listen", []string{`"127.0.0.1:70000"`}},
		{[]string{"--listen", "unix:http.sock"}, "listen", []string{"is not the path of a socket", "unix:/run/portalctl/http.sock"}},
		{[]string{"--listen", "unix:/run/portalctl/"}, "listen", []string{"is not the path of a socket"}},
		{[]string{"--listen", "unix:/run/portalctl/http.sock"}, "base-url", []string{"--listen unix:/run/portalctl/http.sock does not say which address visitors use", "--base-url"}},
		{[]string{"--listen", "systemd"}, "base-url", []string{"--listen systemd does not say which address"}},
		{[]string{"--proxy-protocol"}, "proxy-protocol", []string{"none is named", "--trusted-proxy"}},
		{[]string{"--base-url", "example.com"}, "base-url", []string{`"example.com" is not a web address`}},
		{[]string{"--base-url", "ftp://example.com"}, "base-url", []string{"is not a web address"}},
		{[]string{"--base-url", "https://example.com/help"}, "base-url", []string{"more than a scheme, a host and a port", "--slug"}},
		{[]string{"--base-url", "https://example.com/?a"}, "base-url", []string{"more than"}},
		{[]string{"--base-url", "https://example.com#"}, "base-url", []string{"more than"}},
		{[]string{"--base-url", "https://ada:correct@example.com"}, "base-url", []string{"more than"}},
		{[]string{"--base-url", "https://exa mple.com"}, "base-url", []string{"is not a web address"}},
		{[]string{"--base-url", "https://exa_mple!.com"}, "base-url", []string{"is not a host name"}},
		{[]string{"--base-url", "https://example.com:0"}, "base-url", []string{`"0" is not a port`}},
		{[]string{"--trusted-proxy", "10.0.0.0/33"}, "trusted-proxy", []string{`"10.0.0.0/33" is not a network`}},
		{[]string{"--trusted-proxy", "proxy.example.com"}, "trusted-proxy", []string{`"proxy.example.com" is not a network`}},
		{[]string{"--lmtp-listen", "0.0.0.0:2424"}, "lmtp-listen", []string{`"0.0.0.0:2424" can be reached from other machines`, "127.0.0.1:2424"}},
		{[]string{"--lmtp-listen", ":24"}, "lmtp-listen", []string{"can be reached from other machines"}},
		{[]string{"--lmtp-listen", "mail.example.com:24"}, "lmtp-listen", []string{"can be reached from other machines"}},
		{[]string{"--lmtp-listen", "localhost"}, "lmtp-listen", []string{"is not an address to take mail on"}},
		{[]string{"--lmtp-listen", "unix:lmtp.sock"}, "lmtp-listen", []string{"is not the path of a socket"}},
		{[]string{"--lmtp-listen", "/run/lmtp.sock"}, "lmtp-listen", []string{"unix:/run/portalctl/lmtp.sock"}},
		{[]string{"--resolver", "ns.example.com"}, "resolver", []string{`"ns.example.com" is not the address of a DNS server`}},
		{[]string{"--mail-from", "support"}, "mail-from", []string{`"support" is not a mail address`}},
		{[]string{"--store", "postgres://db/portal"}, "store", []string{"the store is a file"}},
		{[]string{"--store", ""}, "store", []string{"--store needs a value"}},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			_, err := Load(options(t, nil, tt.args...))
			wantError(t, err, tt.field, tt.want...)
		})
	}
	_, err := Load(options(t, nil, "--config", write(t, "c.yaml", "quiet: perhaps\nlisten: 8080\nsmtp: [a]\ntrusted-proxy: 7\n")))
	for field, want := range map[string]string{
		"quiet":         `"perhaps" is neither true nor false`,
		"listen":        `"8080" is not an address`,
		"smtp":          "smtp must be one text, not [a]",
		"trusted-proxy": "trusted-proxy must be a list, not 7",
	} {
		wantError(t, err, field, want)
	}
}

func TestListeningOnASocket(t *testing.T) {
	c, err := Load(options(t, nil, "--listen", "unix:/run//portalctl/http.sock", "--base-url", "https://a.example", "--trusted-proxy", "unix,10.0.0.0/8", "--proxy-protocol"))
	if err != nil {
		t.Fatal(err)
	}
	path, ok := c.ListenPath()
	if !ok || path != "/run/portalctl/http.sock" || !c.TrustUnix || len(c.TrustedProxies) != 1 || !c.ProxyProtocol {
		t.Errorf("got %q, %v, trust %v and %v, PROXY headers %v", path, ok, c.TrustUnix, c.TrustedProxies, c.ProxyProtocol)
	}
	if c, err = Load(options(t, nil, "--trusted-proxy", "unix", "--proxy-protocol")); err != nil || !c.ProxyProtocol {
		t.Errorf("PROXY headers by a Unix socket alone: %v", err)
	}
	if _, ok := c.ListenPath(); ok {
		t.Error("127.0.0.1:8080 is taken for a socket")
	}
}

func TestBaseURLIsWrittenOneWay(t *testing.T) {
	for args, want := range map[string]string{
		"--base-url=https://Support.Example.com/":                                "https://support.example.com",
		"--base-url=https://example.com:443":                                     "https://example.com",
		"--base-url=http://example.com:80":                                       "http://example.com",
		"--base-url=http://localhost:8080":                                       "http://localhost:8080",
		"--base-url=https://räksmörgås.example":                                  "https://xn--rksmrgs-5wao1o.example",
		"--base-url=http://[::1]:80":                                             "http://[::1]",
		"--listen=:8080":                                                         "http://localhost:8080",
		"--listen=0.0.0.0:80":                                                    "http://localhost",
		"--listen=[::1]:9000":                                                    "http://[::1]:9000",
		"--listen=127.0.0.1:0":                                                   "http://127.0.0.1:0",
		"--listen=:443 --tls=files --tls-cert=c --tls-key=k":                     "https://localhost",
		"--listen=:443 --tls=files --tls-cert=c --tls-key=k --base-url=http://a": "http://a",
	} {
		c, err := Load(options(t, nil, strings.Fields(args)...))
		if err != nil || c.BaseURL != want {
			t.Errorf("%s: base URL is %v, %v; want %s", args, c, err, want)
		}
	}
}

func TestSMTP(t *testing.T) {
	secret := write(t, "password", " correct horse \n")
	tests := []struct {
		name string
		env  map[string]string
		args []string
		want SMTP
	}{
		{"submission with STARTTLS", nil, []string{"--smtp", "smtp://Mail.example.com"}, SMTP{"mail.example.com", 587, "", "", STARTTLS}},
		{"implicit TLS", nil, []string{"--smtp", "smtps://mail.example.com"}, SMTP{"mail.example.com", 465, "", "", TLS}},
		{"plain on this machine", nil, []string{"--smtp", "smtp://127.0.0.1:2525?starttls=off"}, SMTP{"127.0.0.1", 2525, "", "", NoTLS}},
		{"plain on this machine, IPv6", nil, []string{"--smtp", "smtp://[::1]:25?starttls=off"}, SMTP{"::1", 25, "", "", NoTLS}},
		{
			"password in the environment",
			map[string]string{"PORTALCTL_SMTP_PASSWORD": "correct"},
			[]string{"--smtp", "smtp://ada%40example.com@mail.example.com"},
			SMTP{"mail.example.com", 587, "ada@example.com", "correct", STARTTLS},
		},
		{
			"password in a file", nil,
			[]string{"--smtp", "smtps://ada@mail.example.com", "--smtp-password-file", secret},
			SMTP{"mail.example.com", 465, "ada", " correct horse ", TLS},
		},
		{
			"password in the URL of the environment",
			map[string]string{"PORTALCTL_SMTP": "smtp://ada:co%2Frrect@mail.example.com"},
			nil,
			SMTP{"mail.example.com", 587, "ada", "co/rrect", STARTTLS},
		},
		{"none", map[string]string{"PORTALCTL_SMTP_PASSWORD": "correct"}, nil, SMTP{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(options(t, tt.env, tt.args...))
			if err != nil {
				t.Fatal(err)
			}
			if c.SMTP != tt.want || c.SMTP.Configured() != (tt.want.Host != "") {
				t.Errorf("got %+v, want %+v", c.SMTP, tt.want)
			}
		})
	}
}

func TestSMTPThatCannotBeUsed(t *testing.T) {
	password := map[string]string{"PORTALCTL_SMTP_PASSWORD": "correct"}
	tests := []struct {
		env   map[string]string
		args  []string
		field string
		want  []string
	}{
		{nil, []string{"--smtp", "mail.example.com:587"}, "smtp", []string{"cannot be read", "smtp://user@mail.example.com:587"}},
		{nil, []string{"--smtp", "http://mail.example.com"}, "smtp", []string{"cannot be read"}},
		{nil, []string{"--smtp", "smtp://mail.example.com/path"}, "smtp", []string{"cannot be read"}},
		{nil, []string{"--smtp", "smtp://mail.example.com:0"}, "smtp", []string{`"0" is not a port`}},
		{nil, []string{"--smtp", "smtp://mail.example.com?starttls=off"}, "smtp", []string{"readable to mail.example.com"}},
		{nil, []string{"--smtp", "smtp://127.0.0.1?starttls=no"}, "smtp", []string{`"starttls" is not an option`}},
		{nil, []string{"--smtp", "smtps://127.0.0.1?starttls=off"}, "smtp", []string{`"starttls" is not an option`}},
		{nil, []string{"--smtp", "smtp://127.0.0.1?verify=no"}, "smtp", []string{`"verify" is not an option`}},
		{nil, []string{"--smtp", "smtp://ada@mail.example.com"}, "smtp", []string{`no password for "ada"`, "PORTALCTL_SMTP_PASSWORD"}},
		{password, []string{"--smtp", "smtp://mail.example.com"}, "smtp", []string{"but no user"}},
		{nil, []string{"--smtp", "smtp://ada:correct@mail.example.com"}, "smtp", []string{"shell's history", "PORTALCTL_SMTP_PASSWORD"}},
		{nil, []string{"--smtp", "smtp://ada:cor rect@mail.example.com:x"}, "smtp", []string{"cannot be read"}},
		{nil, []string{"--smtp", "smtp://ada@m", "--smtp-password-file", "/nonexistent"}, "smtp-password-file", []string{"there is no such file"}},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			_, err := Load(options(t, tt.env, tt.args...))
			wantError(t, err, tt.field, tt.want...)
			if text := fmt.Sprint(err); strings.Contains(text, "correct") || strings.Contains(text, "cor rect") {
				t.Errorf("the message shows the password: %s", text)
			}
		})
	}
	for name, content := range map[string]string{"empty": "\n", "two lines": "a\nb\n"} {
		_, err := Load(options(t, nil, "--smtp", "smtp://ada@m", "--smtp-password-file", write(t, name, content)))
		wantError(t, err, "smtp-password-file", "must hold the password and nothing else")
	}
}

func TestEntriesMaskSecrets(t *testing.T) {
	env := map[string]string{
		"PORTALCTL_SMTP":          "smtp://ada:hunter2@mail.example.com",
		"PORTALCTL_SMTP_PASSWORD": "correct",
		"PORTALCTL_RESOLVER":      "192.0.2.53",
	}
	c, err := Load(options(t, env, "--trusted-proxy", "10.0.0.0/8,::1", "--trusted-proxy", "192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Entry{}
	for _, e := range c.Entries() {
		got[e.Key] = e
		if strings.Contains(e.Value, "hunter2") || strings.Contains(e.Value, "correct") {
			t.Errorf("%s shows a secret: %s", e.Key, e.Value)
		}
	}
	if len(got) != len(Settings()) {
		t.Errorf("%d entries, want one for each of %d settings", len(got), len(Settings()))
	}
	for _, want := range []Entry{
		{"smtp", "smtp://ada:********@mail.example.com", FromEnv},
		{"smtp-password", "********", FromEnv},
		{"trusted-proxy", "10.0.0.0/8,::1,192.0.2.1", FromFlag},
		{"resolver", "192.0.2.53:53", FromEnv},
		{"base-url", "http://127.0.0.1:8080", FromDefault},
		{"quiet", "false", FromDefault},
		{"mail-from", "", FromDefault},
	} {
		if got[want.Key] != want {
			t.Errorf("got %+v, want %+v", got[want.Key], want)
		}
	}
}

func TestAccessibleHonoursTheCommonVariable(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		args []string
		want bool
	}{
		{nil, nil, false},
		{map[string]string{"ACCESSIBLE": "please"}, nil, true},
		{map[string]string{"ACCESSIBLE": "0"}, nil, false},
		{map[string]string{"ACCESSIBLE": "1", "PORTALCTL_ACCESSIBLE": "no"}, nil, false},
		{map[string]string{"ACCESSIBLE": "1"}, []string{"--accessible=false"}, false},
		{nil, []string{"--accessible"}, true},
	} {
		c, err := Load(options(t, tt.env, tt.args...))
		if err != nil || c.Accessible != tt.want {
			t.Errorf("%v %v: accessible is %v, %v; want %v", tt.env, tt.args, c, err, tt.want)
		}
	}
}

func TestFlagsRefusesSecretsAndUnknownNames(t *testing.T) {
	for _, key := range []string{"smtp-password", "nonsense"} {
		t.Run(key, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Errorf("Flags(%q) added a flag, want a panic", key)
				}
			}()
			Flags(pflag.NewFlagSet("x", pflag.ContinueOnError), key)
		})
	}
}

// wantError checks that err carries an Invalid error for the field that says
// every one of the texts, in its message or its hint.
func wantError(t *testing.T, err error, field string, texts ...string) {
	t.Helper()
	for _, e := range portal.Errors(err) {
		said := e.Msg + "\n" + e.Hint
		all := e.Kind == portal.Invalid && e.Field == field && e.Code != ""
		for _, text := range texts {
			all = all && strings.Contains(said, text)
		}
		if all {
			return
		}
	}
	t.Errorf("got %v, want an Invalid error for %q that says %q", err, field, texts)
}

func TestLMTPIsForThisMachineAlone(t *testing.T) {
	tests := map[string]LMTP{
		"":                              {},
		"127.0.0.1:2424":                {Network: "tcp", Address: "127.0.0.1:2424"},
		"[::1]:24":                      {Network: "tcp", Address: "[::1]:24"},
		"localhost:0":                   {Network: "tcp", Address: "localhost:0"},
		"unix:/run/portalctl/lmtp.sock": {Network: "unix", Address: "/run/portalctl/lmtp.sock"},
	}
	for value, want := range tests {
		c, err := Load(options(t, map[string]string{"PORTALCTL_LMTP_LISTEN": value}))
		if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		if c.LMTP != want || c.LMTP.Configured() != (value != "") {
			t.Errorf("%q: got %+v, want %+v", value, c.LMTP, want)
		}
	}
}
