package cli

import (
	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
)

// incomingWords are what messages made from mail say in a language.
func incomingWords(language string) app.MailWords {
	p := i18n.For(language)
	return app.MailWords{
		NoSubject: p.T("incoming.no_subject"),
		NoText:    p.T("incoming.no_text"),
		TextCut:   p.T("incoming.text_cut"),
		FilesLeft: func(names string) string { return p.T("incoming.files_left", "Names", names) },
	}
}
