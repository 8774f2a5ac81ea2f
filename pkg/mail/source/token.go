package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// The bounds of a token command.
const (
	tokenTime = 30 * time.Second
	maxToken  = 16 << 10
)

// tokens are the access tokens of a mailbox, printed by its command. A token
// is used until the server refuses it.
type tokens struct {
	mu      sync.Mutex
	command []string
	token   string
	run     func(ctx context.Context, command []string) (string, error)
}

// next returns a token; the one before it when that was not refused.
func (t *tokens) next(ctx context.Context, command []string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != "" && slices.Equal(t.command, command) {
		return t.token, nil
	}
	run := t.run
	if run == nil {
		run = runToken
	}
	token, err := run(ctx, command)
	if err != nil {
		return "", &portal.Error{
			Kind: portal.Unavailable, Code: "imap.token", Field: "imap-token-command", Err: err,
			Msg:  fmt.Sprintf("no token to sign in with: %v", err),
			Hint: "run the command by hand, as the user portalctl runs as",
		}
	}
	t.command, t.token = slices.Clone(command), token
	return token, nil
}

// refused forgets a token, unless another has come since.
func (t *tokens) refused(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.token = ""
	}
}

// runToken runs a command that prints an access token, without a shell. What
// it prints appears in no error: it may be the token, or a key it is made
// with.
func runToken(ctx context.Context, command []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) // #nosec G204 -- the operator's own command
	var out bounded
	cmd.Stdout = &out
	// A child that keeps the output open must not keep us.
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", fmt.Errorf("%s did not end within %s", command[0], tokenTime)
	case ctx.Err() != nil:
		return "", ctx.Err()
	case out.over:
		return "", fmt.Errorf("%s printed more than %d KiB", command[0], maxToken>>10)
	case errors.As(err, &exit):
		return "", fmt.Errorf("%s ended with %s", command[0], exit.ProcessState)
	case err != nil:
		return "", fmt.Errorf("%s could not be run: %w", command[0], err)
	}
	token := strings.TrimSpace(out.String())
	switch {
	case token == "":
		return "", fmt.Errorf("%s printed nothing", command[0])
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return "", fmt.Errorf("%s printed more than a token: one word on one line is wanted", command[0])
	}
	return token, nil
}

// bounded keeps what is written to it up to maxToken.
type bounded struct {
	bytes.Buffer
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxToken {
		b.over = true
		return 0, errors.New("too much")
	}
	return b.Buffer.Write(p)
}

// xoauth2 is the older way to sign in with a token, which Google and
// Microsoft speak.
type xoauth2 struct{ user, token string }

func (x xoauth2) Start() (mechanism string, first []byte, err error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next answers the server's explanation of a refusal with nothing, after
// which it says NO.
func (x xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }

// oauthBearer is RFC 7628's way. Unlike the library's client it answers the
// explanation of a refusal, so that the refusal itself arrives.
type oauthBearer struct {
	user, token, host string
	port              int
}

func (o oauthBearer) Start() (mechanism string, first []byte, err error) {
	// A comma and an equals sign in the name are escaped (RFC 5801).
	user := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(o.user)
	return "OAUTHBEARER", fmt.Appendf(nil, "n,a=%s,\x01host=%s\x01port=%d\x01auth=Bearer %s\x01\x01", user, o.host, o.port, o.token), nil
}

func (o oauthBearer) Next([]byte) ([]byte, error) { return []byte{1}, nil }
