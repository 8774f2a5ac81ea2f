package incoming

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/jhillyerd/enmime/v2"

	"github.com/portalctl/portalctl/pkg/portal"
)

// content is what the parts of a mail amount to.
type content struct {
	texts []string
	files []*file
	refs  map[string]bool // ids and places that HTML shows pictures from
	whole bool            // a text that was cut is whole among the files
}

// file is a part that is kept.
type file struct {
	part    *enmime.Part
	name    string
	content []byte
	related bool
}

// body decides what of the parts is text and what is a file.
func (p *parser) body(root *enmime.Part) {
	c := p.collect(root)
	text := strings.Join(withoutTwice(c.texts), "\n\n")
	if strings.TrimSpace(text) == "" {
		text = p.instead(c)
	}
	if strings.TrimSpace(text) == "" {
		p.problem(problemNoText)
	}
	if len(text) > MaxText {
		p.problem(problemTextCut)
		if !c.whole {
			c.files = append(c.files, &file{part: &enmime.Part{ContentType: "text/plain"}, name: "message.txt", content: []byte(text)})
		}
		text = cutText(text, MaxText)
	}
	p.m.Files = p.files(c)
	p.m.Text = namedPictures(text, p.m.Files)
}

// namedPictures writes the name of a picture where Outlook's plain text has the
// id of one.
func namedPictures(text string, files []portal.IncomingFile) string {
	if !strings.Contains(text, "[cid:") {
		return text
	}
	var pairs []string
	for _, f := range files {
		if f.ContentID != "" {
			pairs = append(pairs, "[cid:"+f.ContentID+"]", "["+f.Name+"]")
		}
	}
	// A name is cut to 200 bytes, an id may be one letter: what grows is cut.
	return cutText(strings.NewReplacer(pairs...).Replace(text), MaxText)
}

// withoutTwice leaves out a text that says what the one before it says: some
// programs send both forms side by side instead of as alternatives.
func withoutTwice(texts []string) []string {
	bare := func(s string) string {
		return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '>' || r == '*' || r == '_' }), "")
	}
	return slices.CompactFunc(texts, func(a, b string) bool {
		return len(a) < 2*len(b)+100 && len(b) < 2*len(a)+100 && bare(a) == bare(b)
	})
}

// instead finds something readable in a mail without a text of its own, such
// as an invitation that is nothing else.
func (p *parser) instead(c *content) string {
	for _, f := range c.files {
		if isCalendar(f.part) {
			return calendarText(f.content)
		}
	}
	return ""
}

// collect reads a part and what is below it.
func (p *parser) collect(part *enmime.Part) *content {
	c := &content{refs: map[string]bool{}}
	switch {
	case part.FirstChild == nil:
		p.leaf(c, part)
	case part.ContentType == "multipart/alternative":
		p.alternative(c, part)
	default:
		if part.ContentType == "multipart/encrypted" {
			p.problem(problemEncrypted)
		}
		related := part.ContentType == "multipart/related"
		for child := part.FirstChild; child != nil; child = child.NextSibling {
			below := p.collect(child)
			for _, f := range below.files {
				f.related = f.related || related
			}
			c.add(below)
		}
	}
	return c
}

func (c *content) add(other *content) {
	c.texts = append(c.texts, other.texts...)
	c.files = append(c.files, other.files...)
	for ref := range other.refs {
		c.refs[ref] = true
	}
	c.whole = c.whole || other.whole
}

// alternative takes the text of one branch and the files of all. The plain
// text is what the sender's program made for this; where it is empty, or only
// says that there is none, HTML is read instead.
func (p *parser) alternative(c *content, part *enmime.Part) {
	var plain, rich []string
	for child := part.FirstChild; child != nil; child = child.NextSibling {
		if otherForm(child) {
			continue
		}
		below := p.collect(child)
		texts := strings.TrimSpace(strings.Join(below.texts, ""))
		c.add(&content{files: below.files, refs: below.refs, whole: below.whole})
		switch {
		case texts == "":
		case hasPart(child, "text/html"):
			rich = below.texts
		case plain == nil:
			plain = below.texts
		}
	}
	if plain == nil || rich != nil && isPlaceholder(strings.Join(plain, " ")) {
		plain = rich
	}
	c.texts = append(c.texts, plain...)
}

// otherForm reports whether a part is the same text once more, in a form that
// only some programs read: AMP, enriched text, watch faces.
func otherForm(part *enmime.Part) bool {
	switch part.ContentType {
	case "text/plain", "text/html", "text/calendar", "text/vcard", "text/x-vcard":
		return false
	}
	return strings.HasPrefix(part.ContentType, "text/") && part.FileName == "" && part.Disposition != "attachment"
}

func hasPart(part *enmime.Part, kind string) bool {
	if part.ContentType == kind {
		return true
	}
	for child := part.FirstChild; child != nil; child = child.NextSibling {
		if hasPart(child, kind) {
			return true
		}
	}
	return false
}

// placeholders are what senders put where the plain text should be.
var placeholders = []string{
	"html", "does not support", "doesn't support", "not support html", "unterstützt kein", "view this email in",
	"this is a multi-part message", "this message contains html",
}

func isPlaceholder(text string) bool {
	text = strings.ToLower(strings.TrimSpace(text))
	if len(text) > 200 || strings.Count(text, "\n") > 3 {
		return false
	}
	return slices.ContainsFunc(placeholders, func(s string) bool { return strings.Contains(text, s) })
}

// leaf reads a part without parts below it.
func (p *parser) leaf(c *content, part *enmime.Part) {
	if !p.isText(part) {
		p.keep(c, part)
		return
	}
	if p.texts > 2*MaxText {
		c.keepWhole(p, part)
		return
	}
	raw := part.Content
	charset := part.Charset
	rich := part.ContentType == "text/html" || beginsAsHTML(raw)
	if rich && charset == "" {
		charset = metaCharset(raw)
	}
	// HTML says little with many bytes.
	const most = 4 * MaxText
	if len(raw) > most {
		raw = raw[:most]
		c.keepWhole(p, part)
	}
	text, problem := decodeText(raw, charset, p.hint)
	if problem != "" {
		p.problem(problem)
	}
	if rich {
		var pictures []string
		text, pictures = htmlText(text)
		if len(text) > htmlMost {
			c.keepWhole(p, part)
		}
		p.pictures(c, pictures)
	}
	text = cleanText(text)
	if !rich && strings.EqualFold(part.ContentTypeParams["format"], "flowed") {
		text = unflow(text, strings.EqualFold(part.ContentTypeParams["delsp"], "yes"))
	}
	p.texts += len(text)
	if text = strings.Trim(text, "\n"); strings.TrimSpace(text) != "" {
		c.texts = append(c.texts, text)
	}
}

// keepWhole keeps a text that is too long to be read to its end.
func (c *content) keepWhole(p *parser, part *enmime.Part) {
	p.problem(problemTextCut)
	if c.whole {
		return
	}
	c.whole = true
	c.files = append(c.files, &file{part: part, name: "message" + typeNames[part.ContentType], content: part.Content})
}

// pictures notes where the pictures of HTML come from. Those it holds itself
// become files.
func (p *parser) pictures(c *content, list []string) {
	for _, src := range list {
		kind, data, ok := strings.Cut(strings.TrimPrefix(src, "data:"), ";base64,")
		if !ok || !strings.HasPrefix(src, "data:image/") {
			c.refs[string(unpercent(src))] = true
			continue
		}
		if raw, _ := unbase64(unpercent(data)); len(raw) > 0 && p.held < maxPictures {
			p.held++
			part := &enmime.Part{ContentType: mediaType(kind, "application/octet-stream", true), Disposition: "inline"}
			name := fmt.Sprintf("image-%d%s", p.held, typeNames[part.ContentType])
			c.files = append(c.files, &file{part: part, name: name, content: raw})
		}
	}
}

// isText reports whether a part is what the sender wrote rather than a file.
func (p *parser) isText(part *enmime.Part) bool {
	switch part.ContentType {
	case "text/plain", "text/html":
	default:
		return false
	}
	if part.FileName == "" {
		// What is all of a mail is its text, whatever it says of itself.
		return part.Disposition != "attachment" || part.Parent == nil
	}
	if part.Disposition == "attachment" {
		return false
	}
	// Some programs name the text itself; then it is the first part.
	return part.Disposition == "" && (part.Parent == nil || part.Parent.FirstChild == part)
}

func (p *parser) keep(c *content, part *enmime.Part) {
	switch part.ContentType {
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		if !strings.EqualFold(part.ContentTypeParams["smime-type"], "signed-data") {
			p.problem(problemEncrypted)
		}
	case "multipart/mixed":
		if len(part.Content) == 0 {
			return
		}
	}
	if len(part.Content) == 0 && part.FileName == "" && part.ContentType != "message/rfc822" {
		return
	}
	c.files = append(c.files, &file{part: part, name: fileName(part, p), content: part.Content})
}

// files makes what the taker gets of the parts that are kept.
func (p *parser) files(c *content) []portal.IncomingFile {
	if len(c.files) == 0 {
		return nil
	}
	list := make([]portal.IncomingFile, 0, len(c.files))
	for _, f := range c.files {
		sum := sha256.Sum256(f.content)
		picture := strings.HasPrefix(f.part.ContentType, "image/")
		hash := hex.EncodeToString(sum[:])
		// Invitations come twice in one mail: as another form, and as a file.
		if isCalendar(f.part) && slices.ContainsFunc(list, func(g portal.IncomingFile) bool { return g.SHA256 == hash && g.Name == f.name }) {
			continue
		}
		place := line(first(f.part.Header["Content-Location"]))
		shown := f.part.ContentID != "" && c.refs["cid:"+f.part.ContentID] || place != "" && c.refs[place]
		list = append(list, portal.IncomingFile{
			Name:    f.name,
			Type:    f.part.ContentType,
			Content: f.content,
			SHA256:  hash,
			Inline: picture && (shown || f.part.Disposition == "inline" ||
				f.related && f.part.ContentID != "" && f.part.Disposition != "attachment"),
			ContentID: f.part.ContentID,
		})
	}
	return list
}

func isCalendar(part *enmime.Part) bool {
	return part.ContentType == "text/calendar" || part.ContentType == "application/ics"
}

// typeNames are the endings of files that come without a name.
var typeNames = map[string]string{
	"text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "application/ics": ".ics", "text/csv": ".csv",
	"text/vcard": ".vcf", "text/x-vcard": ".vcf", "text/rfc822-headers": ".txt",
	"message/rfc822": ".eml", "message/global": ".eml", "message/delivery-status": ".txt",
	"message/disposition-notification": ".txt", "message/partial": ".eml", "message/feedback-report": ".txt",
	"application/pdf": ".pdf", "application/ms-tnef": ".dat", "application/pgp-signature": ".asc",
	"application/pgp-encrypted": ".txt", "application/pgp-keys": ".asc", "application/json": ".json",
	"application/pkcs7-signature": ".p7s", "application/x-pkcs7-signature": ".p7s",
	"application/pkcs7-mime": ".p7m", "application/x-pkcs7-mime": ".p7m", "application/zip": ".zip",
	"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp",
	"image/tiff": ".tif", "image/bmp": ".bmp", "image/svg+xml": ".svg", "image/heic": ".heic",
	"audio/mpeg": ".mp3", "audio/wav": ".wav", "audio/amr": ".amr", "video/mp4": ".mp4",
	"video/quicktime": ".mov", "video/3gpp": ".3gp",
}

// nameStems are what files without a name are called.
var nameStems = map[string]string{
	"message/rfc822": "message", "message/global": "message", "text/calendar": "invite",
	"message/delivery-status": "delivery-status", "application/ms-tnef": "winmail",
	"application/pgp-signature": "signature", "application/pkcs7-signature": "smime",
	"application/x-pkcs7-signature": "smime", "application/pkcs7-mime": "smime",
	"application/x-pkcs7-mime": "smime", "text/rfc822-headers": "headers",
	"application/pgp-encrypted": "version",
}

// fileName is the name a file is kept under: the last part of the sender's,
// else one made of what it is.
func fileName(part *enmime.Part, p *parser) string {
	name := strings.ReplaceAll(line(part.FileName), `\`, "/")
	name = path.Base("/" + name)
	if name == "/" || name == "." || name == ".." {
		name = ""
	}
	if name != "" {
		return shortName(name)
	}
	kind := part.ContentType
	if kind == "message/rfc822" || kind == "message/global" {
		h := readHeader(part.Content, maxPartHeader)
		for _, f := range h.fields {
			if f.name == "Subject" {
				name = line(decodeWords(p.raw8(f.value), p))
			}
		}
		name = line(strings.Trim(strings.NewReplacer("/", "-", `\`, "-", ":", "").Replace(name), ". "))
	}
	if name == "" {
		name = nameStems[kind]
	}
	if name == "" {
		name, _, _ = strings.Cut(kind, "/")
		if name != "image" && name != "audio" && name != "video" {
			name = "attachment"
		}
	}
	return shortName(name + typeNames[kind])
}

// shortName cuts a name to what file systems take, keeping its ending.
func shortName(name string) string {
	const longest = 200
	if len(name) <= longest {
		return name
	}
	ext := path.Ext(name)
	if len(ext) > 20 {
		ext = ""
	}
	return strings.TrimSpace(strings.ToValidUTF8(name[:longest-len(ext)], "")) + ext
}

// beginsAsHTML reports whether a text is HTML whatever its header says.
func beginsAsHTML(body []byte) bool {
	head := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 256)]))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// calendarText says in plain lines what a calendar part is about.
func calendarText(raw []byte) string {
	text, _ := decodeText(raw[:min(len(raw), 256<<10)], "utf-8", "")
	text = strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "").Replace(text)
	found := map[string]string{}
	inside := false
	for l := range strings.SplitSeq(cleanText(text), "\n") {
		name, value, ok := strings.Cut(l, ":")
		if !ok {
			continue
		}
		name, params, _ := strings.Cut(name, ";")
		name = strings.ToUpper(name)
		if name == "BEGIN" && strings.EqualFold(value, "VEVENT") {
			inside = true
		}
		if !inside || found[name] != "" {
			continue
		}
		value = strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(value)
		if strings.HasPrefix(name, "DT") {
			value = calendarTime(value, params)
		}
		found[name] = strings.TrimSpace(value)
	}
	when := found["DTSTART"]
	if end := found["DTEND"]; end != "" && when != "" {
		when += " – " + end
	}
	var lines []string
	for _, s := range []string{found["SUMMARY"], when, found["LOCATION"]} {
		if s != "" {
			lines = append(lines, s)
		}
	}
	if s := found["DESCRIPTION"]; s != "" {
		lines = append(lines, "", s)
	}
	return strings.Trim(cleanText(strings.Join(lines, "\n")), "\n")
}

var calendarPattern = regexp.MustCompile(`^[0-9]{8}(T[0-9]{4,6}Z?)?$`)

// calendarTime writes 20261123T090000Z as 2026-11-23 09:00 UTC.
func calendarTime(value, params string) string {
	var date, clock string
	date, clock, _ = strings.Cut(strings.TrimSpace(value), "T")
	if !calendarPattern.MatchString(strings.TrimSpace(value)) {
		return value
	}
	s := fmt.Sprintf("%s-%s-%s", date[:4], date[4:6], date[6:])
	if len(clock) >= 4 {
		s += " " + clock[:2] + ":" + clock[2:4]
	}
	if strings.HasSuffix(clock, "Z") {
		return s + " UTC"
	}
	if _, zone, ok := strings.Cut(params, "TZID="); ok {
		zone, _, _ = strings.Cut(zone, ";")
		return s + " (" + strings.Trim(zone, `"`) + ")"
	}
	return s
}
