package transfer

import "strings"

// CompanyRef names a company by what the file knows of it.
type CompanyRef struct {
	Name       string `json:"name,omitempty"`
	Domain     string `json:"domain,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
}

// Zero reports whether the reference names nothing.
func (c CompanyRef) Zero() bool { return c == CompanyRef{} }

// ContactRef names a contact by what the file knows of them.
type ContactRef struct {
	Email      string `json:"email,omitempty"`
	Name       string `json:"name,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
}

// Zero reports whether the reference names nobody.
func (c ContactRef) Zero() bool { return c == ContactRef{} }

var refEscaper = strings.NewReplacer(`\`, `\\`, `;`, `\;`, `<`, `\<`, `>`, `\>`)

// formatRefs writes companies as our exports hold them:
//
//	Acme GmbH <acme.com> <id:4711>; Globex
func formatRefs(refs []CompanyRef) string {
	var b strings.Builder
	for i, c := range refs {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(refEscaper.Replace(c.Name))
		space := ""
		if c.Name != "" {
			space = " "
		}
		if c.Domain != "" {
			b.WriteString(space + "<" + refEscaper.Replace(c.Domain) + ">")
			space = " "
		}
		if c.ExternalID != "" {
			b.WriteString(space + "<id:" + refEscaper.Replace(c.ExternalID) + ">")
		}
	}
	return b.String()
}

// refs reads companies as formatRefs writes them; a bare name is one too.
func (p *parser) refs(column string) []CompanyRef {
	var refs []CompanyRef
	for _, parts := range splitRefs(p.raw(column)) {
		var c CompanyRef
		c.Name = p.lineOf(column, parts[0])
		for _, key := range parts[1:] {
			if id, ok := strings.CutPrefix(key, "id:"); ok {
				c.ExternalID = p.lineOf(column, id)
				continue
			}
			domain, err := CleanDomain(key)
			if err != nil {
				p.fail(column, key, reason(err))
			}
			c.Domain = domain
		}
		if !c.Zero() {
			refs = append(refs, c)
		}
	}
	return refs
}

// splitRefs takes a list of references apart; each is its name followed by
// what stood in angle brackets.
func splitRefs(s string) [][]string {
	var refs [][]string
	name, key := &strings.Builder{}, &strings.Builder{}
	var keys []string
	inKey, escaped := false, false
	end := func() {
		if inKey {
			// "A < B" without the second bracket is a name.
			name.WriteString("<" + key.String())
			key.Reset()
			inKey = false
		}
		if n := strings.TrimSpace(name.String()); n != "" || len(keys) > 0 {
			refs = append(refs, append([]string{n}, keys...))
		}
		name.Reset()
		keys = nil
	}
	for _, r := range s {
		into := name
		if inKey {
			into = key
		}
		switch {
		case escaped:
			into.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == ';':
			end()
		case r == '<' && !inKey:
			inKey = true
		case r == '>' && inKey:
			keys = append(keys, key.String())
			key.Reset()
			inKey = false
		default:
			into.WriteRune(r)
		}
	}
	if escaped {
		name.WriteRune('\\')
	}
	end()
	return refs
}

// companyRefs pairs HubSpot's two columns of an association, ids and names.
// A single id takes the whole name, as a name may hold a semicolon.
func (p *parser) companyRefs(ids, names string) []CompanyRef {
	idList := p.ids(ids)
	nameText := p.raw(names)
	nameList := list(nameText)
	if len(idList) == 1 {
		return []CompanyRef{{ExternalID: idList[0], Name: p.lineOf(names, nameText)}}
	}
	var refs []CompanyRef
	for i, id := range idList {
		c := CompanyRef{ExternalID: id}
		if len(nameList) == len(idList) {
			c.Name = p.lineOf(names, nameList[i])
		}
		refs = append(refs, c)
	}
	if len(idList) == 0 {
		for _, name := range nameList {
			refs = append(refs, CompanyRef{Name: p.lineOf(names, name)})
		}
	}
	return refs
}

func (p *parser) ids(column string) []string {
	var ids []string
	for _, id := range list(p.raw(column)) {
		if id = p.lineOf(column, id); rounded(id) {
			p.fail(column, id, "a spreadsheet has rounded this number; export the file again and do not save it from the spreadsheet")
		}
		ids = append(ids, id)
	}
	return ids
}

// contactRefs pairs HubSpot's columns of an association with contacts: ids,
// "Name (address)" and addresses alone.
func (p *parser) contactRefs(ids, names, emails string) []ContactRef {
	idList, nameList, emailList := p.ids(ids), list(p.raw(names)), list(p.raw(emails))
	var refs []ContactRef
	for _, s := range nameList {
		c := ContactRef{}
		c.Name, c.Email = splitContact(s)
		c.Name = p.lineOf(names, c.Name)
		refs = append(refs, c)
	}
	switch {
	case len(refs) == 0:
		for _, id := range idList {
			refs = append(refs, ContactRef{ExternalID: id})
		}
	case len(refs) == len(idList):
		for i, id := range idList {
			refs[i].ExternalID = id
		}
	case len(idList) > 0:
		// Names with semicolons in them: the ids are what counts.
		refs = nil
		for _, id := range idList {
			refs = append(refs, ContactRef{ExternalID: id})
		}
	}
	switch {
	case len(refs) == 0:
		for _, e := range emailList {
			refs = append(refs, ContactRef{Email: e})
		}
	case len(refs) == len(emailList):
		for i, e := range emailList {
			if refs[i].Email == "" {
				refs[i].Email = e
			}
		}
	}
	for i := range refs {
		if refs[i].Email == "" {
			continue
		}
		address, err := cleanEmail(p.label(names), strings.TrimSpace(visible(refs[i].Email)))
		if err != nil {
			p.fail(names, refs[i].Email, reason(err))
		}
		refs[i].Email = address
	}
	return refs
}

// splitContact takes "Brian Halligan (Sample Contact) (bh@hubspot.com)" apart:
// the last bracket is the address if it looks like one.
func splitContact(s string) (name, email string) {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, '('); i >= 0 && strings.HasSuffix(s, ")") && strings.Contains(s[i:], "@") {
		return strings.TrimSpace(s[:i]), strings.TrimSpace(s[i+1 : len(s)-1])
	}
	if i := strings.LastIndexByte(s, '<'); i >= 0 && strings.HasSuffix(s, ">") && strings.Contains(s[i:], "@") {
		return strings.TrimSpace(s[:i]), strings.TrimSpace(s[i+1 : len(s)-1])
	}
	if strings.Contains(s, "@") && !strings.ContainsAny(s, " \t") {
		return "", s
	}
	return s, ""
}
