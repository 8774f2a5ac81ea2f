package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

type auditVerifyOptions struct {
	Heads []string
	File  string
}

func newAuditVerifyCmd(env *Env) *cobra.Command {
	var o auditVerifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that nothing in the audit log was changed or removed",
		Long: `Walk the audit log and say where it does not hold: entries missing in between or
at the end, an entry or a detail that is not what was written, a detail that is
gone although nobody was erased. Ends with 1 if there is any such place.

Each entry carries a hash of itself and of the one before, and the newest is
the head. Whoever can write the store's file could compute all of them anew.
Keep the head that is printed somewhere else, and give it back with --head:
then the log up to there is proven to be the one of that day.

--file checks what "audit export" wrote, without a store.`,
		Example: `  portalctl audit verify
  portalctl audit verify --head 1042:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  portalctl audit verify --file audit.jsonl`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runAuditVerify(cmd.Context(), env, o) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.Heads, "head", nil, "a head noted earlier, ID:HASH, which the log has to contain (repeatable)")
	f.StringVar(&o.File, "file", "", "check this exported log instead of the store's; - reads standard input")
	_ = cmd.MarkFlagFilename("file", "jsonl")
	return cmd
}

func runAuditVerify(ctx context.Context, env *Env, o auditVerifyOptions) error {
	var heads []portal.AuditHead
	for _, word := range o.Heads {
		h, err := portal.ParseAuditHead(word)
		if err != nil {
			return err
		}
		heads = append(heads, h)
	}
	began := time.Now()
	chain, err := verifyAudit(ctx, env, o.File, heads)
	if err != nil {
		return err
	}
	if err := showChain(env, chain, time.Since(began)); err != nil {
		return err
	}
	for _, h := range heads {
		if h.ID < chain.Start.ID {
			env.say("entry %d of --head was removed by the retention, so it was not compared", h.ID)
		}
	}
	if chain.Broken == 0 {
		return nil
	}
	return &difference{fmt.Sprintf("the audit log does not hold in %s", counted(chain.Broken, "place", "places"))}
}

func verifyAudit(ctx context.Context, env *Env, file string, heads []portal.AuditHead) (chain *portal.AuditChain, err error) {
	if file == "" {
		err = env.withApp(ctx, func(a *app.App) error {
			chain, err = a.VerifyAudit(ctx, heads...)
			return err
		})
		return chain, err
	}
	in, err := env.open("file", file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return app.VerifyAuditExport(in, heads...)
}

// chainJSON is the outcome as scripts read it.
type chainJSON struct {
	Holds   bool                `json:"holds"`
	Entries int64               `json:"entries"`
	Erased  int64               `json:"erased"`
	Start   string              `json:"start"`
	Head    string              `json:"head"`
	Broken  int                 `json:"broken"`
	Breaks  []portal.AuditBreak `json:"breaks"`
}

func showChain(env *Env, c *portal.AuditChain, took time.Duration) error {
	if env.Config.Output == output.JSON {
		breaks := c.Breaks
		if breaks == nil {
			breaks = []portal.AuditBreak{}
		}
		return env.Printer().JSON(chainJSON{c.Broken == 0, c.Entries, c.Erased, c.Start.String(), c.Head.String(), c.Broken, breaks})
	}
	if c.Broken > 0 {
		columns := []output.Column{{Name: "id", Head: "No", Keep: true}, {Name: "kind", Head: "Break", Keep: true}, {Name: "text", Head: "What was found"}}
		rows := make([][]any, len(c.Breaks))
		for i, b := range c.Breaks {
			rows[i] = []any{int64(b.ID), b.Kind, b.Text}
		}
		if err := env.Printer().List(columns, rows, ""); err != nil {
			return err
		}
		if c.Broken > len(c.Breaks) {
			env.say("and %d more", c.Broken-len(c.Breaks))
		}
		return nil
	}
	// The head is data: it is to be kept.
	if env.Config.Output == output.CSV {
		return env.Printer().List([]output.Column{{Name: "head"}}, [][]any{{c.Head.String()}}, "")
	}
	env.say("the audit log holds: %s, checked in %s", counted(int(c.Entries), "entry", "entries"), took.Round(time.Millisecond))
	if c.Start.ID > 0 {
		env.say("entries up to %d were removed by the retention", c.Start.ID)
	}
	if c.Erased > 0 {
		env.say("%s went with people who were erased", counted(int(c.Erased), "detail", "details"))
	}
	env.say("keep this head elsewhere, and give it to --head later:")
	return env.line(c.Head.String())
}
