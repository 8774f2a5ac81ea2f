package cli

import (
	"fmt"
	"log/slog"

	"github.com/portalctl/portalctl/pkg/certs"
	"github.com/portalctl/portalctl/pkg/portal"
)

// certificates reads the files of --tls files; nil when TLS comes another way.
func (e *Env) certificates(log *slog.Logger) (*certs.Files, error) {
	if e.Config.TLS != "files" {
		return nil, nil //nolint:nilnil // there are none
	}
	var pairs []certs.Pair
	for i, cert := range e.Config.TLSCert {
		pairs = append(pairs, certs.Pair{Cert: cert, Key: e.Config.TLSKey[i]})
	}
	files, err := certs.ReadFiles(pairs, log, e.now)
	if err != nil {
		return nil, &portal.Error{
			Kind: portal.Invalid, Code: "serve.certificate", Field: "tls-cert", Err: err,
			Msg: fmt.Sprintf("the certificate cannot be used: %v", err), Hint: "check --tls-cert and --tls-key",
		}
	}
	return files, nil
}
