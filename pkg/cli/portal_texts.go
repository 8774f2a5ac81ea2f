package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newPortalTextsCmd(env *Env) *cobra.Command {
	cmd := noun("texts", "Put your own sentences on pages and in mails", "  portalctl portal texts list welcome",
		newPortalTextsListCmd(env),
		newPortalTextsSetCmd(env),
		newPortalTextsResetCmd(env),
	)
	cmd.Aliases = []string{"text"}
	return cmd
}

// textForms is a sentence in a list: words for people, and for scripts a text
// or an object of plural forms.
type textForms portal.Text

// String is the sentence on one line.
func (t textForms) String() string { return app.TextLine(portal.Text(t)) }

// MarshalJSON writes a sentence without plurals as a text.
func (t textForms) MarshalJSON() ([]byte, error) {
	if other, simple := t["other"]; simple && len(t) == 1 {
		return json.Marshal(other)
	}
	return json.Marshal(portal.Text(t))
}

var textColumns = []output.Column{
	{Name: "key", Head: "Key", Keep: true},
	{Name: "language"},
	{Name: "text", Head: "Text"},
	{Name: "own", Head: "Your words"},
}

// checkText says what is wrong with an operator's words, as errors people
// meet.
func checkText(language, key string, text portal.Text) error {
	err := i18n.Check(language, key, text)
	var unknown *i18n.KeyError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unknown):
		none := portal.NotFoundf("text.none", "there is no text %q", unknown.Key)
		if unknown.Nearest != "" {
			return none.WithHint("did you mean %s? \"portalctl portal texts list WORD\" finds a text by its words", unknown.Nearest)
		}
		return none.WithHint("find it by its words: portalctl portal texts list WORD")
	}
	return portal.Invalidf("text.invalid", "text", "%v", err)
}

// ofPortal finds the portal and one of its languages: its domain's unless
// another is named.
func (e *Env) ofPortal(ctx context.Context, a *app.App, lang string) (*portal.Portal, string, error) {
	p, err := e.portal(ctx, a)
	if err != nil {
		return nil, "", err
	}
	if lang == "" {
		return p, portal.LanguageCode(p.Language()), nil
	}
	tag, err := language(lang)
	if err != nil {
		return nil, "", err
	}
	if !p.Speaks(tag) {
		e.say("%q does not offer %s yet: portalctl portal set --languages", p.Name, languageName(portal.LanguageCode(tag)))
	}
	return p, portal.LanguageCode(tag), nil
}

type portalTextsListOptions struct {
	Words    []string
	Language string
	Changed  bool
}

func newPortalTextsListCmd(env *Env) *cobra.Command {
	var o portalTextsListOptions
	cmd := &cobra.Command{
		Use:   "list [<word>...]",
		Short: "List sentences with their keys",
		Long: `List sentences with their keys, and your own words where you have put them in
the place of ours. Words narrow the list to sentences and keys that have all of
them. {{.Name}} stands for a value; a text with a number has the plural forms
of its language.`,
		Example: "  portalctl portal texts list sign-in link\n  portalctl portal texts list --changed --output json\n  portalctl portal texts list sign_in. --language sv",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Words = args
			return runPortalTextsList(cmd.Context(), env, o)
		},
	}
	languageFlag(cmd, &o.Language, "the language of the sentences (default the domain's)")
	cmd.Flags().BoolVar(&o.Changed, "changed", false, "only sentences with words of your own")
	return cmd
}

func runPortalTextsList(ctx context.Context, env *Env, o portalTextsListOptions) error {
	return env.withApp(ctx, func(a *app.App) error {
		p, lang, err := env.ofPortal(ctx, a, o.Language)
		if err != nil {
			return err
		}
		own, err := ownWords(ctx, a, p, lang)
		if err != nil {
			return err
		}
		rows := [][]any{}
		for _, s := range i18n.Sentences(lang) {
			words := own[s.Key]
			if o.Changed && words == nil || !hasWords(o.Words, s, words) {
				continue
			}
			row := []any{s.Key, lang, textForms(s.Forms), nil}
			if words != nil {
				row[3] = textForms(words)
			}
			rows = append(rows, row)
		}
		none := "No sentence has these words."
		if o.Changed && len(own) == 0 {
			none = "Every sentence is ours. Change one with: portalctl portal texts set KEY TEXT"
		}
		return env.Printer().List(textColumns, rows, none)
	})
}

func ownWords(ctx context.Context, a *app.App, p *portal.Portal, lang string) (map[string]portal.Text, error) {
	list, err := a.PortalTexts(ctx, p.ID)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return portal.NewTexts(list).Entries[lang], nil
}

// hasWords reports whether a sentence, its key or the operator's words for it
// have all words looked for.
func hasWords(words []string, s i18n.Sentence, own portal.Text) bool {
	all := strings.ToLower(s.Key + "\n" + app.TextLine(s.Forms) + "\n" + app.TextLine(own))
	for _, w := range words {
		if !strings.Contains(all, strings.ToLower(w)) {
			return false
		}
	}
	return true
}

type portalTextsSetOptions struct {
	Key, Language string
	Text          *string
	Forms         []string
	File          *string
}

func newPortalTextsSetCmd(env *Env) *cobra.Command {
	var o portalTextsSetOptions
	var file string
	cmd := &cobra.Command{
		Use:   "set [<key> [<text>]]",
		Short: "Put words of your own in the place of a sentence",
		Long: `Put words of your own in the place of a sentence, on pages and in mails of one
portal and in one language. It holds at the next request.

The text may use the placeholders of ours and no others. A text with plural
forms takes one --form for each. A file holds many texts in TOML:

  "sign_in.heading" = "Welcome to {{.Portal}}"
  "duration.days" = { one = "a day", other = "{{.Count}} days" }`,
		Example: `  portalctl portal texts set sign_in.heading "Welcome to {{.Portal}}"
  portalctl portal texts set duration.days --form "one=a day" --form "other={{.Count}} days"
  portalctl portal texts set --file texts.toml --language sv`,
		Args: upTo(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Key, o.File = firstOf(args), given(cmd, "file", file)
			if len(args) == 2 {
				o.Text = &args[1]
			}
			return runPortalTextsSet(cmd.Context(), env, o)
		},
	}
	languageFlag(cmd, &o.Language, "the language of the text (default the domain's)")
	cmd.Flags().StringArrayVar(&o.Forms, "form", nil, "a plural form, like \"one=a day\"; for each form of the language")
	cmd.Flags().StringVar(&file, "file", "", "read the texts from a TOML file; - for standard input")
	_ = cmd.MarkFlagFilename("file", "toml")
	return cmd
}

func runPortalTextsSet(ctx context.Context, env *Env, o portalTextsSetOptions) error {
	texts, err := o.texts(env)
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, lang, err := env.ofPortal(ctx, a, o.Language)
		if err != nil {
			return err
		}
		return env.setTexts(ctx, a, p, lang, texts)
	})
}

// texts are the sentences a command was given.
func (o *portalTextsSetOptions) texts(env *Env) (map[string]portal.Text, error) {
	switch {
	case o.File != nil && (o.Key != "" || len(o.Forms) > 0):
		return nil, portal.Invalidf("usage", "file", "--file holds keys and texts; give no others beside it")
	case o.File != nil:
		data, err := readText(env, "file", *o.File)
		if err != nil {
			return nil, err
		}
		texts, err := i18n.ParseForms([]byte(data))
		if err != nil {
			return nil, portal.Invalidf("text.file", "file", "%s cannot be read: %v", *o.File, err)
		}
		if len(texts) == 0 {
			return nil, portal.Invalidf("text.file", "file", "%s holds no texts", *o.File)
		}
		return texts, nil
	case o.Key == "":
		return nil, portal.Invalidf("usage", "", "the key of a text is missing").WithHint("find it by its words: portalctl portal texts list WORD")
	case o.Text != nil && len(o.Forms) > 0:
		return nil, portal.Invalidf("usage", "form", "give a text or plural forms, not both")
	case o.Text != nil:
		return map[string]portal.Text{o.Key: {"other": *o.Text}}, nil
	case len(o.Forms) == 0:
		return nil, portal.Invalidf("usage", "", "the text for %q is missing", o.Key).WithHint("pass it behind the key, or plural forms with --form")
	}
	forms := portal.Text{}
	for _, f := range o.Forms {
		form, text, ok := strings.Cut(f, "=")
		if !ok || forms[form] != "" {
			return nil, portal.Invalidf("usage", "form", "%q is not a plural form with its text; write each once, like \"one=a day\"", f)
		}
		forms[form] = text
	}
	return map[string]portal.Text{o.Key: forms}, nil
}

// setTexts changes sentences and tells what changed; scripts get each text as
// it stands.
func (e *Env) setTexts(ctx context.Context, a *app.App, p *portal.Portal, lang string, texts map[string]portal.Text) error {
	changes, err := a.SetTexts(ctx, p.ID, lang, texts)
	if err != nil {
		return err
	}
	e.sayChanges(changes)
	if e.Config.Output == output.Table {
		return nil
	}
	own, err := ownWords(ctx, a, p, lang)
	if err != nil {
		return err
	}
	rows := [][]any{}
	for _, s := range i18n.Sentences(lang) {
		if _, named := texts[s.Key]; !named {
			continue
		}
		row := []any{s.Key, lang, textForms(s.Forms), nil}
		if words := own[s.Key]; words != nil {
			row[3] = textForms(words)
		}
		rows = append(rows, row)
	}
	return e.Printer().List(textColumns, rows, "")
}

type portalTextsResetOptions struct {
	Keys     []string
	Language string
	All, Yes bool
}

func newPortalTextsResetCmd(env *Env) *cobra.Command {
	var o portalTextsResetOptions
	cmd := &cobra.Command{
		Use:     "reset [<key>...]",
		Short:   "Return sentences to our words",
		Example: "  portalctl portal texts reset sign_in.heading\n  portalctl portal texts reset --all --language sv --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Keys = args
			return runPortalTextsReset(cmd.Context(), env, o)
		},
	}
	languageFlag(cmd, &o.Language, "the language of the sentences (default the domain's)")
	cmd.Flags().BoolVar(&o.All, "all", false, "every sentence of the language")
	yesFlag(cmd, &o.Yes)
	return cmd
}

func runPortalTextsReset(ctx context.Context, env *Env, o portalTextsResetOptions) error {
	if o.All == (len(o.Keys) > 0) {
		return portal.Invalidf("usage", "", "give the keys of texts, or --all")
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, lang, err := env.ofPortal(ctx, a, o.Language)
		if err != nil {
			return err
		}
		own, err := ownWords(ctx, a, p, lang)
		if err != nil {
			return err
		}
		if o.All {
			o.Keys = slices.Sorted(maps.Keys(own))
			if len(o.Keys) > 0 {
				question := fmt.Sprintf("Return %s of %q in %s to our words?", counted(len(o.Keys), "sentence", "sentences"), p.Name, languageName(lang))
				if err := env.confirm(ctx, o.Yes, question); err != nil {
					return err
				}
			}
		}
		texts := map[string]portal.Text{}
		for _, key := range o.Keys {
			if own[key] == nil {
				// A key from an older version may still be given back.
				if _, err := sentence(lang, key); err != nil {
					return err
				}
			}
			texts[key] = nil
		}
		return env.setTexts(ctx, a, p, lang, texts)
	})
}

// sentence finds a text of ours.
func sentence(lang, key string) (portal.Text, error) {
	for _, s := range i18n.Sentences(lang) {
		if s.Key == key {
			return s.Forms, nil
		}
	}
	return nil, checkText(lang, key, nil)
}
