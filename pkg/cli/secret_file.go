package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// longestSecret is more than any provider or mail server gives out.
const longestSecret = 4096

// readSecret reads the secret of one line that a flag names the file of; the
// end of the line is none of it. What is what the file should hold.
func readSecret(env *Env, flag, file, what string) (string, error) {
	in := env.In
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", &portal.Error{
				Kind: portal.Invalid, Code: "usage", Field: flag, Err: err,
				Msg: fmt.Sprintf("the file for --%s cannot be read: %v", flag, err),
			}
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, longestSecret+1))
	if err != nil {
		return "", err
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" || len(text) > longestSecret || strings.ContainsAny(secret, "\r\n\x00") {
		return "", portal.Invalidf("usage", flag, "the file for --%s holds no %s; it is one line with nothing else", flag, what)
	}
	return secret, nil
}
