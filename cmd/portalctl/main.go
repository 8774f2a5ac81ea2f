// Command portalctl sets up and hosts a customer portal.
package main

import (
	"context"
	"os"
	"os/signal"
	"os/user"
	"strconv"
	"syscall"
	"time"

	"github.com/portalctl/portalctl/pkg/cli"
	"github.com/portalctl/portalctl/pkg/termguard"
)

// version is set by the release build.
var version = "dev"

func main() {
	termguard.Restore()
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks to finish; after it a second one ends the process.
	context.AfterFunc(ctx, stop)

	env := &cli.Env{
		In:      os.Stdin,
		Out:     os.Stdout,
		Err:     os.Stderr,
		Getenv:  os.Getenv,
		Environ: os.Environ,
		Now:     time.Now,
		Root:    os.Geteuid() == 0,
		Version: version,
		User:    userName(),
	}
	return cli.Run(ctx, env, os.Args[1:])
}

// userName is who runs the program. A user without a name, as in many
// containers, is told by number.
func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "uid " + strconv.Itoa(os.Getuid())
}
