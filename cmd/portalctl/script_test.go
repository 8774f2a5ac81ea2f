package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/portalctl/portalctl/pkg/portaltest"
)

// raceAtExit keeps a program built with the race detector from sleeping for a
// second before it ends, which every command of every script would.
const raceAtExit = "atexit_sleep_ms=0"

// TestMain makes this test binary serve as the real program when a script
// runs portalctl.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"portalctl": main})
}

// TestScript runs the command line as people use it, one script for each
// behaviour. With UPDATE=1 the expected output is written anew.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup:               func(env *testscript.Env) error { return setUp(t, env) },
		Cmds:                commands(),
	})
}

// setUp gives each script a home, a store and a name server of its own, and
// nothing of the person's who runs the tests.
func setUp(t *testing.T, env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	dns := portaltest.NewDNS(t)
	env.Values[dnsKey], env.Values[smtpKey], env.Values[browserKey] = dns, &sinkOf{}, newBrowser()
	env.Values[providerKey] = lazyProvider(t)
	for name, value := range map[string]string{
		"HOME": home, "XDG_CONFIG_HOME": filepath.Join(home, ".config"), "XDG_DATA_HOME": filepath.Join(home, ".local", "share"),
		"PORTALCTL_STORE": filepath.Join(env.WorkDir, "portal.db"),
		// Root would read the machine's own.
		"PORTALCTL_CONFIG":   filepath.Join(home, "config.toml"),
		"PORTALCTL_RESOLVER": dns.Addr,
		"TZ":                 "UTC", "NO_COLOR": "1", "TERM": "dumb", "GORACE": raceAtExit,
	} {
		env.Setenv(name, value)
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(home, "config.toml"), nil, 0o600)
}

type valueKey string

const (
	dnsKey     valueKey = "dns"
	smtpKey    valueKey = "smtp"
	browserKey valueKey = "browser"
)

// commands are what scripts can do beside running programs.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"dns":    dnsCommand,
		"smtp":   smtpCommand,
		"exits":  exits,
		"steady": steady,

		"lineinto": lineInto,
		"edit":     edit,

		"browse":   browseCommand,
		"letter":   letterCommand,
		"freeport": freePort,

		"provider": providerCommand,
	}
}

// dnsCommand changes what the script's name server holds:
//
//	dns paste FILE          the records of a zone file, as portalctl prints them
//	dns set NAME TYPE [VALUE...]
func dnsCommand(ts *testscript.TestScript, neg bool, args []string) {
	dns := ts.Value(dnsKey).(*portaltest.DNS)
	switch {
	case neg:
		ts.Fatalf("dns cannot be expected to fail")
	case len(args) == 2 && args[0] == "paste":
		dns.Paste(ts.ReadFile(args[1]))
	case len(args) >= 3 && args[0] == "set":
		dns.Set(args[1], args[2], args[3:]...)
	default:
		ts.Fatalf("usage: dns paste FILE, or dns set NAME TYPE [VALUE...]")
	}
}
