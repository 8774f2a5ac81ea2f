package cli

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/portalctl/portalctl/pkg/certs"
	"github.com/portalctl/portalctl/pkg/portal"
)

// reloadEvery is how often certificate files are looked at: a renewed
// certificate is used without a restart.
const reloadEvery = 10 * time.Second

// certificates are a certificate and its key in files that others renew.
type certificates struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
	stamp   string // of the files that current was read from
	looked  time.Time
}

// certificates reads the files of --tls files; nil when TLS is off.
func (e *Env) certificates(log *slog.Logger) (*certificates, error) {
	if e.Config.TLS != "files" {
		return nil, nil
	}
	c := &certificates{certFile: e.Config.TLSCert, keyFile: e.Config.TLSKey, log: log, now: e.now}
	if err := c.read(); err != nil {
		return nil, &portal.Error{
			Kind: portal.Invalid, Code: "serve.certificate", Field: "tls-cert", Err: err,
			Msg: fmt.Sprintf("the certificate cannot be used: %v", err), Hint: "check --tls-cert and --tls-key",
		}
	}
	return c, nil
}

func (c *certificates) config() *tls.Config {
	return certs.Config(c.certificate)
}

// certificate returns the current certificate. When the files have changed
// and cannot be used, the one before stays: half a renewal takes nobody down.
func (c *certificates) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.looked) >= reloadEvery || now.Before(c.looked) {
		c.looked = now
		if c.fileStamp() != c.stamp {
			if err := c.read(); err != nil {
				c.log.Error("the renewed certificate cannot be used; the one before stays", "err", err)
			} else {
				c.log.Info("using the renewed certificate")
			}
		}
	}
	return c.current, nil
}

func (c *certificates) read() error {
	stamp := c.fileStamp()
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.current, c.stamp = &pair, stamp
	return nil
}

// fileStamp tells one state of the files from another.
func (c *certificates) fileStamp() string {
	stamp := ""
	for _, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			stamp += fmt.Sprintf("%d/%d;", info.ModTime().UnixNano(), info.Size())
		}
	}
	return stamp
}
