package config

import (
	"strings"
	"testing"
)

func TestTLSDecidesWhereServeListens(t *testing.T) {
	files := "--tls=files --tls-cert=c --tls-key=k "
	for _, tt := range []struct{ args, listen, plain, base string }{
		{"", "127.0.0.1:8080", "", "http://127.0.0.1:8080"},
		{"--tls=auto", ":443", ":80", ""},
		{"--tls=auto --base-url=https://desk.example.com", ":443", ":80", "https://desk.example.com"},
		{"--tls=auto --listen=:8443 --http-listen=:8080", ":8443", ":8080", ""},
		{"--tls=auto --listen=127.0.0.1:8080", "127.0.0.1:8080", ":80", ""},
		{"--tls=auto --http-listen=OFF", ":443", "", ""},
		{"--tls=auto --listen=systemd", "systemd", ":80", ""},
		{files + "--listen=:443", ":443", "", "https://localhost"},
		{files + "--listen=:443 --http-listen=[::]:80", ":443", "[::]:80", "https://localhost"},
	} {
		c, err := Load(options(t, nil, strings.Fields(tt.args)...))
		if err != nil {
			t.Errorf("%s: %v", tt.args, err)
			continue
		}
		if c.Listen != tt.listen || c.HTTPListen != tt.plain || c.BaseURL != tt.base {
			t.Errorf("%s: listens on %q and %q, base URL %q; want %q, %q and %q", tt.args, c.Listen, c.HTTPListen, c.BaseURL, tt.listen, tt.plain, tt.base)
		}
	}
}

func TestAccountAtTheAuthority(t *testing.T) {
	const key = "d2hhdCBhIHNlY3JldA"
	file := write(t, "eab", key+"\n")
	for name, tt := range map[string]struct {
		env  map[string]string
		args []string
	}{
		"from the environment": {map[string]string{"PORTALCTL_ACME_EAB_KEY": key}, nil},
		"from a file":          {nil, []string{"--acme-eab-key-file", file}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Load(options(t, tt.env, append([]string{"--tls=auto", "--acme-eab-kid=k1"}, tt.args...)...))
			if err != nil {
				t.Fatal(err)
			}
			if c.ACME.KeyID != "k1" || c.ACME.Key != key {
				t.Errorf("got %+v", c.ACME)
			}
			for _, e := range c.Entries() {
				if strings.Contains(e.Value, key) {
					t.Errorf("config show tells the key as %s", e.Key)
				}
			}
		})
	}
	_, err := Load(options(t, map[string]string{"PORTALCTL_ACME_EAB_KEY": "not base64!"}, "--tls=auto", "--acme-eab-kid=k1"))
	wantError(t, err, "acme-eab-key-file", `the account "k1"`, "not base64url")
	if err != nil && strings.Contains(err.Error(), "not base64!") {
		t.Errorf("the message shows the key: %v", err)
	}
	_, err = Load(options(t, map[string]string{"PORTALCTL_ACME_EAB_KEY": key}, "--tls=auto"))
	wantError(t, err, "acme-eab-kid", "no key identifier", "--acme-eab-kid")
	_, err = Load(options(t, nil, "--config", write(t, "c.toml", `acme-eab-key = "x"`)))
	wantError(t, err, "config", `"acme-eab-key" does not belong in the file`, "acme-eab-key-file")
}
