package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// testEnv is a world of buffers with a home of its own and no terminal.
func testEnv(t *testing.T) (env *Env, out, errOut *bytes.Buffer, home string) {
	t.Helper()
	home = t.TempDir()
	out, errOut = &bytes.Buffer{}, &bytes.Buffer{}
	return &Env{
		In: strings.NewReader(""), Out: out, Err: errOut, Version: "test",
		Getenv: func(name string) string {
			if name == "HOME" {
				return home
			}
			return ""
		},
	}, out, errOut, home
}

// walk visits every command.
func walk(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, c := range cmd.Commands() {
		if c.Name() != "help" {
			walk(c, visit)
		}
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	env, _, _, _ := testEnv(t)
	walk(newRootCmd(env), func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") || cmd.Short != strings.TrimSpace(cmd.Short) {
			t.Errorf("%s: short help %q; want a phrase without a full stop", path, cmd.Short)
		}
		if len(cmd.Short) > 62 {
			t.Errorf("%s: short help of %d characters does not fit beside the command's name", path, len(cmd.Short))
		}
		if cmd.Example == "" {
			t.Errorf("%s has no example", path)
		}
		for line := range strings.Lines(cmd.Long) {
			if len(strings.TrimRight(line, "\n")) > 80 {
				t.Errorf("%s: line of %d characters in its help: %q", path, len(line), line)
			}
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || strings.HasSuffix(f.Usage, ".") {
				t.Errorf("%s: --%s is explained as %q; want a phrase without a full stop", path, f.Name, f.Usage)
			}
		})
		if cmd.RunE == nil {
			t.Errorf("%s does nothing", path)
		}
	})
}

// Examples that no longer work are worse than none.
func TestExamplesUseWhatThereIs(t *testing.T) {
	env, _, _, _ := testEnv(t)
	walk(newRootCmd(env), func(cmd *cobra.Command) {
		text := strings.ReplaceAll(cmd.Example, "\\\n", " ")
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if i := strings.Index(line, "portalctl "); i > 0 {
				line = line[i:] // behind a pipe or a variable
			}
			if !strings.HasPrefix(line, "portalctl ") {
				continue
			}
			args := shellWords(line)[1:]
			root := newRootCmd(env)
			found, rest, err := root.Find(args)
			if err != nil {
				t.Errorf("%s: example %q: %v", cmd.CommandPath(), line, err)
				continue
			}
			if cmd.HasParent() && !strings.HasPrefix(found.CommandPath(), cmd.CommandPath()) {
				t.Errorf("%s: example %q is for another command, %s", cmd.CommandPath(), line, found.CommandPath())
			}
			if err := found.ParseFlags(rest); err != nil {
				t.Errorf("%s: example %q: %v", cmd.CommandPath(), line, err)
				continue
			}
			if err := found.ValidateArgs(found.Flags().Args()); err != nil {
				t.Errorf("%s: example %q: %v", cmd.CommandPath(), line, err)
			}
		}
	})
}

// shellWords splits a line as a shell does, up to a pipe or redirection.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	quote, started := rune(0), false
	end := func() {
		if started {
			words = append(words, word.String())
		}
		word.Reset()
		started = false
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, started = r, true
		case r == '|' || r == '>' || r == '<' || r == '#' && !started:
			end()
			return words
		case r == ' ':
			end()
		default:
			word.WriteRune(r)
			started = true
		}
	}
	end()
	return words
}

func TestHelpTouchesNothing(t *testing.T) {
	var paths [][]string
	env, _, _, _ := testEnv(t)
	walk(newRootCmd(env), func(cmd *cobra.Command) { paths = append(paths, strings.Fields(cmd.CommandPath())[1:]) })
	for _, path := range paths {
		env, out, errOut, home := testEnv(t)
		if code := Run(t.Context(), env, append(path, "--help")); code != 0 || errOut.Len() > 0 {
			t.Errorf("%s --help: exit %d, %s", strings.Join(path, " "), code, errOut)
		}
		if !strings.Contains(out.String(), "Examples:") {
			t.Errorf("%s --help shows no example: %s", strings.Join(path, " "), out)
		}
		left, err := os.ReadDir(home)
		if err != nil || len(left) > 0 {
			t.Errorf("%s --help left %v, %v", strings.Join(path, " "), left, err)
		}
	}
}

func TestWrongWordsAreNamed(t *testing.T) {
	for _, tt := range []struct {
		args string
		want string // in what is said
	}{
		{"nonsense", `"nonsense" is not a command of portalctl`},
		{"statsu", "did you mean status?"},
		{"portal nonsense", `"nonsense" is not a command of portalctl portal`},
		{"status --nonsense", "unknown flag: --nonsense"},
		{"status extra", "extra"},
		{"domain verify", "the domain is missing"},
		{"domain verify a b", `"b" is one argument too many`},
		{"status --output xml", `"xml" is not a choice for output`},
		{"version --output xml", `"xml" is not a choice for output`},
	} {
		env, out, errOut, _ := testEnv(t)
		if code := Run(t.Context(), env, strings.Fields(tt.args)); code != 2 || !strings.Contains(errOut.String(), tt.want) || out.Len() > 0 {
			t.Errorf("portalctl %s: exit %d, said %q, printed %q; want 2 and %q", tt.args, code, errOut, out, tt.want)
		}
		env, _, errOut, _ = testEnv(t)
		if strings.Contains(tt.args, "--output") {
			continue
		}
		if code := Run(t.Context(), env, append(strings.Fields(tt.args), "--output", "json")); code != 2 || !strings.HasPrefix(errOut.String(), `{"error":{"kind":"invalid"`) {
			t.Errorf("portalctl %s --output json: exit %d, said %q; want 2 and JSON", tt.args, code, errOut)
		}
	}
}

func TestCompletionsAreMadeForEveryShell(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		env, out, errOut, _ := testEnv(t)
		if code := Run(t.Context(), env, []string{"completion", shell}); code != 0 || !strings.Contains(out.String(), "portalctl") {
			t.Errorf("completion %s: exit %d, %s", shell, code, errOut)
		}
	}
	env, out, _, _ := testEnv(t)
	if code := Run(t.Context(), env, []string{"__complete", "tickets", "configure", "--permissions", ""}); code != 0 || !strings.Contains(out.String(), "company") {
		t.Errorf("completing --permissions: exit %d, %s", code, out)
	}
}
