package dns

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/portalctl/portalctl/pkg/portal"
)

// proof looks for the TXT record that proves ownership, and for what people
// make of it.
func (c *check) proof(ctx context.Context) {
	w, rep := &c.want, c.rep
	rep.Proof, rep.ProofErr = c.look(ctx, w.Proof, dnsmessage.TypeTXT)
	if rep.ProofErr != nil {
		c.unanswered(partProof, w.Proof, "TXT", rep.ProofErr)
		return
	}
	if e := c.signatures(ctx, w.Proof, dnsmessage.TypeTXT); e != nil {
		// What cannot be believed proves nothing, and is not absent either.
		rep.ProofErr = e
		c.unanswered(partProof, w.Proof, "TXT", e)
		return
	}
	right := func(values []string) bool { return slices.ContainsFunc(values, c.isProof) }
	rep.Proven = right(rep.Proof.Values)
	star := c.wildcard(ctx, rep.Proof, dnsmessage.TypeTXT)
	if rep.Proven {
		c.disagree(partProof, w.Proof, "TXT", rep.Proof, right)
		if star != "" {
			c.note(partProof, portal.Finding{
				Code: "wildcard", Severity: portal.SeverityWarn, About: w.Proof,
				Found:  fmt.Sprintf("it is the wildcard %s that answers, for this name as for any other", star),
				Wanted: "a TXT record of its own at " + w.Proof,
				Todo:   fmt.Sprintf("add the TXT record %s; once anything else stands below %s, the wildcard answers no more", c.enter(w.Proof), parent(w.Proof)),
			})
		}
		return
	}
	named := false
	for _, r := range rep.Proof.records {
		if f, ok := c.mistaken(r); ok {
			f.Severity, f.About = portal.SeverityFail, w.Proof
			f.Todo += howLong(rep.Proof.Remembered)
			c.note(partProof, f)
			named = true
		}
	}
	if !named && !c.misplaced(ctx) {
		c.note(partProof, c.noProof(star))
	}
}

// isProof reports whether a text is the one wanted. Spaces around it do no
// harm: some forms add them.
func (c *check) isProof(text string) bool { return strings.TrimSpace(text) == c.want.Value }

// enter is where and what to enter, in full and as forms want it that add the
// zone themselves.
func (c *check) enter(name string) string {
	text := fmt.Sprintf("%s with the text %s", name, c.want.Value)
	zone := c.zoneName(&c.rep.Proof)
	if short := relative(name, zone); short != name {
		text += fmt.Sprintf(" (where a form adds %s itself, enter %s as its name)", zone, short)
	}
	return text
}

// zoneName is the zone records are entered in, or the likeliest.
func (c *check) zoneName(f *Found) string { return cmp.Or(f.Zone, c.want.Registered) }

// noProof is the finding for a proof that is nowhere.
func (c *check) noProof(star string) portal.Finding {
	w, f := &c.want, &c.rep.Proof
	n := portal.Finding{
		Code: "proof-missing", Severity: portal.SeverityFail, About: w.Proof, Wanted: w.Value,
		Found: "there is no TXT record", Todo: "add the TXT record " + c.enter(w.Proof),
	}
	switch {
	case c.missingZone(*f):
		return c.noZone(*f)
	case star != "":
		n.Code, n.Found = "wildcard", fmt.Sprintf("there is none of its own; the wildcard %s answers with %s", star, c.others())
	case f.Alias != "" && len(f.Values) == 0:
		end := f.Chain[len(f.Chain)-1]
		n.Code, n.Found = "proof-alias", fmt.Sprintf("it is an alias (CNAME) of %s, where there is no TXT record", end)
		n.Todo = fmt.Sprintf("remove the CNAME record of %s and %s, or add the text at %s", w.Proof, n.Todo, end)
	case len(f.Values) > 0:
		n.Code, n.Found = "proof-other", "other texts: "+c.others()
		n.Todo += "; the others may stay"
	}
	if !f.Authoritative {
		n.Todo += howLongAbsent(f)
	}
	return n
}

// others are the texts found, kept short.
func (c *check) others() string {
	f := &c.rep.Proof
	if f.Alias != "" && len(f.Values) == 0 {
		return "an alias of " + f.Alias
	}
	var list []string
	for _, v := range f.Values {
		if len(v) > 80 {
			v = v[:77] + "..."
		}
		list = append(list, fmt.Sprintf("%q", v))
	}
	return strings.Join(list, ", ")
}

// howLongAbsent warns that a resolver, unlike the zone's own servers, may go
// on saying that there is nothing.
func howLongAbsent(f *Found) string {
	words := howLong(f.Remembered)
	if words == "" {
		return ""
	}
	return strings.Replace(words, "the old answer may be remembered", f.By+" may remember that there is none", 1)
}

// quoteMarks are what word processors and web pages put around a text.
const quoteMarks = "\"'`´“”„‟‘’‚«»‹›"

// mistaken names what is wrong with a text at the right place, if it is meant
// to be the proof.
func (c *check) mistaken(r dnsmessage.Resource) (portal.Finding, bool) {
	txt, ok := r.Body.(*dnsmessage.TXTResource)
	if !ok {
		return portal.Finding{}, false
	}
	w := &c.want
	text := strings.Join(txt.TXT, "")
	bare := strings.Trim(strings.ReplaceAll(text, `\`, ""), quoteMarks+" \t")
	prefix, token, _ := strings.Cut(w.Value, "=")
	prefix += "="
	f := portal.Finding{Found: fmt.Sprintf("%q", text), Wanted: w.Value}
	switch {
	case bare == w.Value:
		f.Code = "quotes"
		f.Found = "the text has quotation marks in it: " + text
		f.Todo = "edit the TXT record and leave the quotation marks out; they belong to zone files only, forms add them themselves"
	case len(txt.TXT) > 1 && unspaced(bare) == w.Value:
		f.Code = "split"
		f.Found = fmt.Sprintf("the text is in %d pieces with a space between them: %q", len(txt.TXT), txt.TXT)
		f.Todo = "enter the text in one piece; pieces are joined without a space, so a space at the end of one stays in the text"
	case unspaced(bare) == w.Value:
		f.Code = "spaces"
		f.Found = fmt.Sprintf("the text has a space or line break in it: %q", text)
		f.Todo = "enter the text again without spaces; it was probably copied across two lines"
	case bare == token:
		f.Code = "no-prefix"
		f.Todo = fmt.Sprintf("enter the whole text, with %s in front", prefix)
	case strings.EqualFold(bare, w.Value):
		f.Code = "case"
		f.Found = fmt.Sprintf("capital and small letters are not as they should be: %q", text)
		f.Todo = "enter the text exactly as it is printed; copy it instead of typing it"
	case len(bare) > len(prefix) && strings.HasPrefix(w.Value, bare):
		f.Code = "cut-off"
		f.Found = fmt.Sprintf("the text ends too early: %q", text)
		f.Todo = "enter the whole text; the end was left out"
	case strings.Contains(unspaced(text), w.Value):
		f.Code = "too-much"
		f.Found = fmt.Sprintf("the text has more in it than it should: %q", text)
		f.Todo = fmt.Sprintf("enter the text alone: %s; a whole line of a zone file fits no form", w.Value)
	case strings.HasPrefix(strings.ToLower(bare), prefix):
		f.Code = "other-token"
		f.Found = fmt.Sprintf("the proof of another portal, or an older one: %q", text)
		f.Todo = fmt.Sprintf("replace it by %s, or add that as a second TXT record if the other is still in use", w.Value)
	default:
		return f, false
	}
	return f, true
}

func unspaced(s string) string { return strings.Join(strings.Fields(s), "") }

// misplaced looks for the proof at the names where it ends up by mistake.
func (c *check) misplaced(ctx context.Context) bool {
	w := &c.want
	label, _, _ := strings.Cut(w.Proof, ".")
	zone := c.zoneName(&c.rep.Proof)
	type place struct{ code, name, what string }
	places := []place{
		{"zone-appended", w.Proof + "." + zone, fmt.Sprintf("the provider added %s to the name a second time", zone)},
		{"at-host", w.Host, "the record stands at the host itself"},
		{"no-underscore", strings.TrimPrefix(w.Proof, "_"), "the name lacks its underscore"},
	}
	if zone != w.Host {
		places = append(places, place{"at-zone", label + "." + zone, fmt.Sprintf("the record stands at %s of the whole zone", label)})
	}
	for _, p := range places {
		if p.name == w.Proof || len(p.name) > 253 {
			continue
		}
		f, err := c.look(ctx, p.name, dnsmessage.TypeTXT)
		if err != nil || !slices.ContainsFunc(f.Values, c.isProof) {
			continue
		}
		todo := "rename it to " + w.Proof
		if short := relative(w.Proof, zone); short != w.Proof {
			todo += fmt.Sprintf("; in a form that adds %s itself, enter %s as its name", zone, short)
		}
		c.note(partProof, portal.Finding{
			Code: p.code, Severity: portal.SeverityFail, About: w.Proof,
			Found: fmt.Sprintf("the text is at %s: %s", p.name, p.what), Wanted: "the text at " + w.Proof, Todo: todo,
		})
		return true
	}
	return false
}
