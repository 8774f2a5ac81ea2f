package main

import (
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/portalctl/portalctl/pkg/portaltest/oidctest"
)

const providerKey valueKey = "provider"

// lazyProvider is a script's identity provider, started when it is first
// asked for.
func lazyProvider(t testing.TB) func() *oidctest.Provider {
	return sync.OnceValue(func() *oidctest.Provider { return oidctest.New(t, time.Now) })
}

// providerCommand starts the script's identity provider and puts its address
// into $ISSUER; with "misnamed" it calls itself something else, with "stop" it
// is gone.
func providerCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: provider [misnamed|stop]")
	}
	p := ts.Value(providerKey).(func() *oidctest.Provider)()
	ts.Setenv("ISSUER", p.Issuer)
	if len(args) == 0 {
		return
	}
	switch args[0] {
	case "misnamed":
		p.Describe(func(d map[string]any) { d["issuer"] = "https://somebody-else.example.com" })
	case "stop":
		p.Stop()
	default:
		ts.Fatalf("usage: provider [misnamed|stop]")
	}
}
