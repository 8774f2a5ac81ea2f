package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/term"

	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

// message is the text of a message that somebody writes, and the file it was
// written in, if it was.
type messageText struct {
	Text string
	path string
}

// scissors ends what is sent of a file that an editor shows: what follows is
// there to be read while writing.
const scissors = "# ------------------------ >8 ------------------------"

// messageText takes a text from where it is: what was given as argument or
// flag, with - for standard input; else standard input, unless that is a
// terminal; else the editor, which shows about below the text. pass names
// what to pass instead.
func (e *Env) messageText(ctx context.Context, given *string, pass, about string) (*messageText, error) {
	switch {
	case given != nil && *given != "-":
		return notEmpty(&messageText{Text: *given}, pass)
	case given != nil || !e.inputIsTerminal():
		text, err := e.readText()
		if err != nil {
			return nil, err
		}
		return notEmpty(&messageText{Text: text}, pass)
	case !e.Prompt.Interactive():
		return nil, e.Prompt.Refuse("What is the message?", pass)
	}
	return e.edit(ctx, pass, about)
}

func notEmpty(m *messageText, pass string) (*messageText, error) {
	if strings.TrimSpace(m.Text) == "" {
		return nil, portal.Invalidf("message.empty", "body", "the message is empty; nothing was sent").
			WithHint("pass %s, or write it to standard input", pass)
	}
	return m, nil
}

func (e *Env) inputIsTerminal() bool {
	f, ok := e.In.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) // #nosec G115 -- a descriptor fits
}

// readText reads a message from standard input, and no more than one can hold.
func (e *Env) readText() (string, error) {
	text, err := io.ReadAll(io.LimitReader(e.In, portal.MaxBody+1))
	if err != nil {
		return "", fmt.Errorf("read standard input: %w", err)
	}
	if len(text) > portal.MaxBody {
		return "", portal.Invalidf("field.too_large", "body", "the message has more than %d bytes, which is all that fits", portal.MaxBody).
			WithHint("attach the rest as a file with --attach")
	}
	return string(text), nil
}

// edit lets somebody write the text in their editor.
func (e *Env) edit(ctx context.Context, pass, about string) (*messageText, error) {
	// CreateTemp makes files that only their owner can read.
	f, err := os.CreateTemp("", "portalctl-*.md")
	if err != nil {
		return nil, fmt.Errorf("make a file for the editor: %w", err)
	}
	m := &messageText{path: f.Name()}
	_, err = fmt.Fprintf(f, "\n%s\n# What stands below is not sent. An empty message sends nothing.\n\n%s\n", scissors, output.CleanText(about))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", m.path, err), m.forget())
	}
	if err := e.runEditor(ctx, m.path); err != nil {
		return nil, (&portal.Error{Kind: portal.Internal, Code: "editor.failed", Err: err, Msg: "the editor failed: " + err.Error()}).
			WithHint("what you wrote is in %s; the editor is chosen by EDITOR, or pass %s", m.path, pass)
	}
	text, err := os.ReadFile(m.path)
	if err != nil {
		return nil, fmt.Errorf("read what was written: %w", err)
	}
	m.Text, _, _ = strings.Cut("\n"+string(text), "\n"+scissors)
	if strings.TrimSpace(m.Text) == "" {
		if err := m.forget(); err != nil {
			return nil, err
		}
		return nil, portal.Invalidf("message.empty", "body", "the message is empty; nothing was sent")
	}
	return m, nil
}

// runEditor starts what VISUAL or EDITOR names, through the shell as other
// programs do, since they may hold options.
func (e *Env) runEditor(ctx context.Context, path string) error {
	editor := e.Getenv("VISUAL")
	if editor == "" {
		editor = e.Getenv("EDITOR")
	}
	if editor == "" {
		editor = "vi"
	}
	name, args := "sh", []string{"-c", editor + ` "$1"`, "sh", path}
	if runtime.GOOS == "windows" {
		words := append(strings.Fields(editor), path)
		name, args = words[0], words[1:]
	}
	// The editor decides itself what Ctrl-C means while somebody writes.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), name, args...) // #nosec G204 -- the operator's own editor
	cmd.Stdin, cmd.Stderr, cmd.Stdout = e.In, e.Err, e.Err
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", editor, err)
	}
	return nil
}

// finish removes the file a text was written in once it has been sent. When
// it could not be, the file stays and the error says where.
func (m *messageText) finish(err error) error {
	if m == nil || m.path == "" {
		return err
	}
	if err == nil {
		return m.forget()
	}
	return errors.Join(err, (&portal.Error{Kind: portal.KindOf(err), Code: "message.kept", Msg: "what you wrote was not sent"}).
		WithHint("it is kept in %s", m.path))
}

func (m *messageText) forget() error {
	if err := os.Remove(m.path); err != nil {
		return fmt.Errorf("remove the file the message was written in: %w", err)
	}
	return nil
}
