package incoming

import (
	"strings"

	"golang.org/x/net/idna"

	"github.com/portalctl/portalctl/pkg/portal"
)

// mostResults bounds what is kept of one Authentication-Results header; real
// ones hold fewer than ten.
const mostResults = 50

// twofold stands for a property that a result names twice, differently. It is
// no address and has no domain.
const twofold = "@"

// verdictsOf reads Authentication-Results headers (RFC 8601), topmost first.
// Every header has its place in the answer, readable or not, because only the
// topmost counts and an unreadable one must not make room for the next.
//
// A header whose comment or quotation never ends proves nothing: the address
// a stranger chose may stand inside it, so that what follows could be theirs.
// It keeps its server and loses its results.
func verdictsOf(values []string) []portal.MailVerdict {
	if len(values) == 0 {
		return nil
	}
	verdicts := make([]portal.MailVerdict, 0, len(values))
	for _, value := range values {
		verdicts = append(verdicts, verdictOf(value))
	}
	return verdicts
}

func verdictOf(value string) portal.MailVerdict {
	r := verdictReader{s: value}
	v := portal.MailVerdict{Server: r.server()}
	results := 0
	for !r.done() {
		method, outcome, properties := r.result()
		if method == "" || outcome == "" {
			continue
		}
		if results++; results > mostResults {
			r.broken = true // whoever signs so often wants the rest not to be read
			break
		}
		switch method {
		case "dmarc":
			addDMARC(&v, outcome, properties["header.from"])
		case "dkim":
			domain := domainIn(properties["header.d"])
			if properties["header.d"] == "" {
				domain = domainIn(properties["header.i"])
			}
			v.DKIM = append(v.DKIM, portal.DomainVerdict{Result: outcome, Domain: domain})
		case "spf":
			from := properties["smtp.mailfrom"]
			if from == "" {
				from = properties["smtp.mail"] // the name of RFC 5451's first users
			}
			v.SPF = append(v.SPF, portal.DomainVerdict{Result: outcome, Domain: domainIn(from)})
		}
	}
	if r.broken {
		return portal.MailVerdict{Server: v.Server}
	}
	return v
}

// addDMARC settles on one DMARC result where a header says two: never on the
// better one, since whoever smuggles a result in smuggles in a good one.
func addDMARC(v *portal.MailVerdict, outcome, from string) {
	domain := domainIn(from)
	if from != "" && domain == "" && outcome == "pass" {
		outcome = "permerror" // it names no domain, and must not count for any
	}
	switch {
	case v.DMARC == "", outcome == "fail", v.DMARC == "pass" && outcome != "pass":
		v.DMARC, v.DMARCDomain = outcome, domain
	case v.DMARC == "pass" && v.DMARCDomain != domain:
		v.DMARC = "permerror" // two passes, and one of them is not of this mail
	}
}

// domainIn returns the domain of an address, or of a value that is only one,
// lower case; "" when there is none.
func domainIn(value string) string {
	value = strings.Trim(strings.TrimSpace(value), "<>")
	if at := strings.LastIndexByte(value, '@'); at >= 0 {
		value = value[at+1:]
	}
	value = strings.ToLower(strings.TrimSuffix(value, "."))
	if !isASCII(value) {
		// Addresses are compared by the form the name system knows.
		ascii, err := idna.Lookup.ToASCII(value)
		if err != nil {
			return ""
		}
		value = ascii
	}
	for i := range len(value) {
		if c := value[i]; !isAlphanumeric(c) && c != '.' && c != '-' && c != '_' {
			return ""
		}
	}
	return value
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// verdictReader takes one header apart, from left to right and each byte once.
type verdictReader struct {
	s      string
	i      int
	broken bool // a comment or quotation does not end
}

func (r *verdictReader) done() bool { return r.broken || r.i >= len(r.s) }

// server reads the authserv-id and skips its version. Some servers leave it
// out and begin with a result at once, which stays to be read.
func (r *verdictReader) server() string {
	start := r.i
	r.skip()
	id := r.word("=")
	r.skip()
	if r.i < len(r.s) && r.s[r.i] == '=' {
		r.i = start
		return ""
	}
	r.toNext()
	return strings.ToLower(strings.TrimSuffix(id, "."))
}

// result reads up to the next semicolon: the method without its version, its
// outcome and what it was made for. A property that is said twice, and
// differently, is one nobody can rely on.
func (r *verdictReader) result() (method, outcome string, properties map[string]string) {
	r.skip()
	method, _, _ = strings.Cut(strings.ToLower(r.word("=")), "/")
	if !r.equals() {
		r.toNext() // "none", or nothing readable
		return "", "", nil
	}
	outcome = strings.ToLower(r.word(""))
	properties = map[string]string{}
	for {
		r.skip()
		if r.done() || r.s[r.i] == ';' {
			break
		}
		at := r.i
		name := strings.ToLower(r.word("="))
		if !r.equals() {
			if r.i == at {
				r.i++ // a stray sign
			}
			continue
		}
		value := r.word("")
		if before, twice := properties[name]; twice && !strings.EqualFold(before, value) {
			value = twofold
		}
		properties[name] = value
	}
	r.toNext()
	return method, outcome, properties
}

// equals steps over an equals sign and the space around it.
func (r *verdictReader) equals() bool {
	r.skip()
	if r.i >= len(r.s) || r.s[r.i] != '=' {
		return false
	}
	r.i++
	r.skip()
	return true
}

// word reads up to white space, a semicolon, a comment or one of the stops.
// Quoted stretches within it lose their quotation marks: "a b"@example.com.
func (r *verdictReader) word(stops string) string {
	var b strings.Builder
	for r.i < len(r.s) {
		c := r.s[r.i]
		switch {
		case c == '"':
			r.quoted(&b)
		case c == ';' || c == '(' || isSpace(c) || strings.IndexByte(stops, c) >= 0:
			return b.String()
		default:
			b.WriteByte(c)
			r.i++
		}
	}
	return b.String()
}

func (r *verdictReader) quoted(b *strings.Builder) {
	for r.i++; r.i < len(r.s); r.i++ {
		switch c := r.s[r.i]; {
		case c == '"':
			r.i++
			return
		case c == '\\' && r.i+1 < len(r.s):
			r.i++
			b.WriteByte(r.s[r.i])
		default:
			b.WriteByte(c)
		}
	}
	r.broken = true
}

// skip steps over white space and comments, which nest.
func (r *verdictReader) skip() {
	depth := 0
	for r.i < len(r.s) {
		switch c := r.s[r.i]; {
		case c == '(':
			depth++
		case depth > 0 && c == ')':
			depth--
		case depth > 0 && c == '\\':
			r.i++
		case depth == 0 && !isSpace(c):
			return
		}
		r.i++
	}
	r.i = min(r.i, len(r.s))
	r.broken = r.broken || depth > 0
}

// toNext steps behind the next semicolon that stands by itself.
func (r *verdictReader) toNext() {
	for r.i < len(r.s) {
		switch r.s[r.i] {
		case ';':
			r.i++
			return
		case '(':
			r.skip()
		case '"':
			r.quoted(&strings.Builder{})
		default:
			r.i++
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
