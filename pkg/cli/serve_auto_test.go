package cli

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/portal"
)

func TestPortsForTheFewSayHowToGetThem(t *testing.T) {
	err := cannotListen(":443", &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)})
	said := portal.Errors(err)
	if len(said) != 1 {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"cannot listen on :443", "AmbientCapabilities=CAP_NET_BIND_SERVICE", "systemd socket", "setcap cap_net_bind_service=+ep", "higher port"} {
		if !strings.Contains(said[0].Msg+" "+said[0].Hint, want) {
			t.Errorf("%q and %q do not say %q", said[0].Msg, said[0].Hint, want)
		}
	}
}

func TestPlainPortTakenNamesItsFlag(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e := &Env{Config: &config.Config{TLS: "auto", HTTPListen: l.Addr().String()}}
	_, err = e.listenPlain(t.Context())
	said := portal.Errors(err)
	if len(said) != 1 || said[0].Field != "http-listen" || !strings.Contains(said[0].Hint, "--http-listen off") {
		t.Errorf("got %v", err)
	}
}

func TestRootOfTheAuthorityHasToBeOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(file, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"": "", file: "no certificate in PEM form", file + ".none": "no such file"} {
		e := &Env{Config: &config.Config{ACME: config.ACME{CA: path}}}
		roots, err := e.acmeRoots()
		if want == "" && (err != nil || roots != nil) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", path, err, want)
		}
	}
}
