package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/mail"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newMailDKIMCmd(env *Env) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "dkim",
		Short: "Print the DNS record that proves signed mail, or make the key",
		Long: `Print the TXT record to add to DNS so that receivers can check what serve signs
with --dkim-key. --make makes a new key first, RSA with 2048 bits, in a file
that only its owner may read; a file that is there already is left alone.

The domain that signs is that of --mail-from unless --dkim-domain names another.
Receivers count the signature only when the two belong together.`,
		Example: `  portalctl mail dkim --make /etc/portalctl/dkim.pem --mail-from support@example.com
  portalctl mail dkim --dkim-key /etc/portalctl/dkim.pem --dkim-domain example.com`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runMailDKIM(cmd.Context(), env, file) },
	}
	cmd.Flags().StringVar(&file, "make", "", "make a new key in this `FILE`")
	config.Flags(cmd.Flags(), "dkim-key", "dkim-domain", "dkim-selector", "mail-from")
	return cmd
}

func runMailDKIM(_ context.Context, env *Env, file string) error {
	from := ""
	if a, err := mailFrom(env.Config); err == nil {
		from = a.Address
	}
	if _, err := env.dkimDomain(from); err != nil {
		return err
	}
	if file != "" {
		if err := makeDKIMKey(file); err != nil {
			return err
		}
		env.say("made a key in %s; keep it to yourself, and give it to serve with --dkim-key", file)
		env.Config.DKIM.Key = file
	}
	if env.Config.DKIM.Key == "" {
		return portal.Invalidf("mail.dkim", "dkim-key", "which key signs mail was not given").
			WithHint("pass --dkim-key FILE, or make one with --make FILE")
	}
	d, err := env.dkim(from)
	if err != nil {
		return err
	}
	name, text, err := d.Record()
	if err != nil {
		return err
	}
	if env.Config.Output == output.Table {
		// As a zone file takes it, to be pasted: no string in one is longer
		// than 255 characters.
		_, err := fmt.Fprintf(env.Out, "%s. IN TXT (%s)\n", name, zoneStrings(text))
		return err
	}
	return env.Printer().Object([]output.Column{{Name: "type", Head: "Type"}, {Name: "name", Head: "Name"}, {Name: "value", Head: "Value", Keep: true}},
		[]any{"TXT", name + ".", text})
}

// zoneStrings writes a text as the strings of a TXT record.
func zoneStrings(text string) string {
	const most = 255
	var list []string
	for len(text) > most {
		list, text = append(list, text[:most]), text[most:]
	}
	return `"` + strings.Join(append(list, text), `" "`) + `"`
}

// makeDKIMKey makes a key in a file that is not there yet.
func makeDKIMKey(path string) error {
	key, err := mail.MakeDKIMKey()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- the operator names the file
	if os.IsExist(err) {
		return portal.Conflictf("mail.dkim", "the file %q is there already", path).
			WithHint("to see the record of the key in it, leave --make out and pass --dkim-key")
	}
	if err != nil {
		return fileError("make", path, err)
	}
	_, err = f.Write(key)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(path) // half a key is none
		return fileError("make", path, err)
	}
	return nil
}

// dkim reads what signs mail from the address, and says what others may read
// of it, or will not count.
func (e *Env) dkim(from string) (*mail.DKIM, error) {
	c := e.Config.DKIM
	key, err := os.ReadFile(c.Key)
	if err != nil {
		return nil, fileError("dkim-key", c.Key, err)
	}
	domain, err := e.dkimDomain(from)
	if err != nil {
		return nil, err
	}
	d, err := mail.NewDKIM(domain, c.Selector, key)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(c.Key); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		e.say("warning: others may read the DKIM key %s: chmod 600 %s", c.Key, c.Key)
	}
	if bits := d.Bits(); bits != 0 && bits < mail.ShortRSA {
		e.say("warning: the DKIM key has %d bits; %d are usual, and some receivers give less weight to fewer", bits, mail.ShortRSA)
	}
	if from != "" && !d.Aligned(from) {
		e.say("warning: mail comes from %s and is signed by %s: receivers will not count the signature for it", from, d.Domain())
	}
	return d, nil
}

// dkimDomain is the domain that signs mail from the address.
func (e *Env) dkimDomain(from string) (string, error) {
	domain := cmp.Or(e.Config.DKIM.Domain, portal.EmailDomain(from))
	if domain == "" {
		return "", portal.Invalidf("mail.dkim", "dkim-domain", "which domain signs mail is not known").
			WithHint("pass --dkim-domain example.com, or --mail-from")
	}
	return domain, nil
}

// signed has the sender sign its mail, where a key is configured.
func (e *Env) signed(s *mail.Sender) (*mail.Sender, error) {
	if e.Config.DKIM.Key == "" {
		return s, nil
	}
	d, err := e.dkim(s.From())
	if err != nil {
		return nil, fmt.Errorf("sign mail: %w", err)
	}
	s.SignWith(d)
	return s, nil
}
