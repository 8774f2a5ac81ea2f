package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// metaServe keeps how the last serve was started.
const metaServe = "serve"

// ServeFacts are how a serve was started, for the checks of another process.
type ServeFacts struct {
	At            time.Time `json:"at"`
	Version       string    `json:"version"`
	BaseURL       string    `json:"base_url"`
	TLS           string    `json:"tls"` // off, auto or files
	Listen        []string  `json:"listen"`
	Reachable     bool      `json:"reachable"` // other machines can connect
	Proxies       []string  `json:"proxies"`   // trusted
	ProxyProtocol bool      `json:"proxy_protocol"`
	// OpenFiles is how many files and connections it may have open; 0: not
	// known.
	OpenFiles uint64 `json:"open_files"`
	MailFrom  string `json:"mail_from"` // "" when it sends none
	SMTP      string `json:"smtp"`      // through whom
}

// RememberServe keeps how this process was started.
func (a *App) RememberServe(ctx context.Context, f ServeFacts) error {
	return a.store.Write(ctx, func(tx *store.Tx) error {
		f.At = tx.Now
		text, err := json.Marshal(f)
		if err != nil {
			return err
		}
		return tx.SetMeta(ctx, metaServe, string(text))
	})
}

// readServe is how the last serve was started; nil when none was.
func readServe(ctx context.Context, tx *store.Tx) (*ServeFacts, error) {
	text, err := tx.Meta(ctx, metaServe)
	if err != nil || text == "" {
		return nil, err
	}
	f := &ServeFacts{}
	if err := json.Unmarshal([]byte(text), f); err != nil {
		return nil, fmt.Errorf("read how serve was started: %w", err)
	}
	return f, nil
}

// fewFiles is what a server of many open connections needs at least.
const fewFiles = 4096

func serveChecks(f *ServeFacts, s *Status) []Check {
	return []Check{{"server", "serve", func(context.Context) []portal.Finding {
		if f == nil {
			return []portal.Finding{fails("server.none", "serve", "it has never run with this store", "a server", "portalctl serve (or systemctl enable --now portalctl)")}
		}
		return f.findings(s)
	}}}
}

func (f *ServeFacts) findings(s *Status) []portal.Finding {
	var all []portal.Finding
	add := func(found portal.Finding) { all = append(all, found) }
	if f.BaseURL != s.BaseURL {
		add(warns("server.base_url", "base-url", "serve was started with "+f.BaseURL+", and commands go by "+s.BaseURL, "one address",
			"write it once, in the configuration file: base-url = \""+f.BaseURL+"\""))
	}
	https := strings.HasPrefix(f.BaseURL, "https://")
	trusts := len(f.Proxies) > 0
	switch {
	case f.TLS == "off" && https && !trusts:
		add(fails("server.proxy", "trusted-proxy", "a proxy speaks TLS for "+f.BaseURL+", and none is trusted: all visitors count as one, and are slowed down together",
			"the proxy's network", "portalctl serve --trusted-proxy 127.0.0.0/8, or unix for a Unix socket"))
	case f.TLS == "off" && trusts && !https:
		add(warns("server.proxy", "base-url", "a proxy is trusted ("+strings.Join(f.Proxies, ", ")+"), and the base URL "+f.BaseURL+" is not https", "the https address visitors use",
			"portalctl serve --base-url https://support.example.com"))
	case f.TLS != "off" && !https:
		add(fails("server.proxy", "base-url", "serve speaks TLS, and the base URL is "+f.BaseURL, "https", "portalctl serve --base-url "+strings.Replace(f.BaseURL, "http://", "https://", 1)))
	case everybodyTrusted(f.Proxies):
		add(fails("server.proxy", "trusted-proxy", "everybody counts as a proxy ("+strings.Join(f.Proxies, ", ")+"): visitors can say they come from anywhere",
			"the networks of your proxies alone", "name them with --trusted-proxy"))
	default:
		how := "TLS " + f.TLS
		if trusts {
			how += ", behind " + strings.Join(f.Proxies, ", ")
		}
		add(holds("server.proxy", "serve", plainly(f.BaseURL, how, "listening on "+strings.Join(f.Listen, ", "))))
	}
	switch {
	case f.OpenFiles == 0:
	case f.OpenFiles < fewFiles:
		add(warns("server.files", "open files", fmt.Sprintf("serve may have %d files and connections open", f.OpenFiles), fmt.Sprintf("%d or more", fewFiles),
			"raise it: LimitNOFILE=65536 in the unit, or ulimit -n"))
	default:
		add(holds("server.files", "open files", fmt.Sprintf("serve may have %d open", f.OpenFiles)))
	}
	return all
}

func everybodyTrusted(proxies []string) bool {
	for _, p := range proxies {
		if strings.HasSuffix(p, "/0") {
			return true
		}
	}
	return false
}
