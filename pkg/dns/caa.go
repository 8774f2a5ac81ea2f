package dns

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// CAA is a record of RFC 8659: who may issue certificates for a name.
type CAA struct {
	Critical bool // who does not know the tag must not issue
	Tag      string
	Value    string
}

// String is the record's data as zone files have it.
func (c CAA) String() string {
	flags := 0
	if c.Critical {
		flags = 128
	}
	return fmt.Sprintf("%d %s %s", flags, c.Tag, quoted(c.Value))
}

// quoted is a text as zone files have it (RFC 1035 section 5.1).
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, "\\%03d", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// parseCAA reads the data of a CAA record: flags, the length of the tag, the
// tag, the value. Tags do not depend on case.
func parseCAA(data []byte) (CAA, error) {
	if len(data) < 2 || int(data[1]) == 0 || len(data) < 2+int(data[1]) {
		return CAA{}, errors.New("the CAA record is cut off")
	}
	tag := string(data[2 : 2+int(data[1])])
	for _, c := range tag {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return CAA{}, fmt.Errorf("the CAA record has the tag %q", tag)
		}
	}
	return CAA{Critical: data[0]&0x80 != 0, Tag: strings.ToLower(tag), Value: string(data[2+len(tag):])}, nil
}

// issuer takes an issue or issuewild value apart: who may, and on what terms.
// Without an issuer nobody may. What cannot be read permits nobody either
// (RFC 8659 section 4.2).
func (c CAA) issuer() (who string, terms map[string]string) {
	who, rest, more := strings.Cut(c.Value, ";")
	who = strings.ToLower(strings.Trim(who, " \t"))
	terms = map[string]string{}
	for more {
		var one string
		one, rest, more = strings.Cut(rest, ";")
		if one = strings.Trim(one, " \t"); one == "" {
			continue
		}
		key, value, ok := strings.Cut(one, "=")
		if !ok {
			return "", nil
		}
		terms[strings.ToLower(strings.Trim(key, " \t"))] = strings.Trim(value, " \t")
	}
	return who, terms
}

// CAASet is what decides about certificates of a name: the records of the name
// itself, or of the nearest one above it that has any.
type CAASet struct {
	At      string // where they stand; "" when there are none, and anybody may issue
	Alias   string // what the host is an alias of, if it is; no record can stand beside that
	Records []CAA
}

// CAA returns the records that decide about certificates of a host (RFC 8659
// section 3).
func (r *Resolver) CAA(ctx context.Context, host string) (CAASet, error) {
	return r.session().caa(ctx, host)
}

func (s *session) caa(ctx context.Context, host string) (CAASet, error) {
	alias := ""
	for at := host; at != ""; at = parent(at) {
		f, err := s.look(ctx, at, typeCAA)
		if err != nil {
			return CAASet{}, err
		}
		if at == host {
			alias = f.Alias
		}
		if len(f.records) > 0 {
			set := caaSet(at, f)
			set.Alias = alias
			return set, nil
		}
	}
	return CAASet{Alias: alias}, nil
}

func caaData(r dnsmessage.Resource) ([]byte, bool) {
	u, ok := r.Body.(*dnsmessage.UnknownResource)
	if !ok || u.Type != typeCAA {
		return nil, false
	}
	return u.Data, true
}

func caaSet(at string, f Found) CAASet {
	set := CAASet{At: at}
	for _, r := range f.records {
		data, ok := caaData(r)
		if !ok {
			continue
		}
		c, err := parseCAA(data)
		if err != nil {
			// Who cannot read a record must not issue.
			c = CAA{Critical: true, Tag: "unreadable"}
		}
		if !slices.Contains(set.Records, c) {
			set.Records = append(set.Records, c)
		}
	}
	slices.SortFunc(set.Records, func(a, b CAA) int { return strings.Compare(a.String(), b.String()) })
	return set
}

// knownTags are the properties certificate authorities understand.
var knownTags = []string{"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"}

// Permits reports whether one of the issuers may issue a certificate for the
// host, by a method that proves it over the network; and why not.
func (c CAASet) Permits(issuers []string) (ok bool, why string) {
	restricted := false
	for _, r := range c.Records {
		if r.Critical && !slices.Contains(knownTags, r.Tag) {
			return false, fmt.Sprintf("the record %s is marked critical, and no certificate authority may pass over it", r)
		}
		restricted = restricted || r.Tag == "issue"
	}
	if !restricted {
		return true, ""
	}
	why = "none of them names " + joined(issuers)
	for _, r := range c.Records {
		who, terms := r.issuer()
		if r.Tag != "issue" || !slices.Contains(issuers, who) {
			continue
		}
		methods, limited := terms["validationmethods"]
		if !limited || slices.ContainsFunc(strings.Split(methods, ","), byNetwork) {
			return true, ""
		}
		why = fmt.Sprintf("%s allows the methods %s, and certificates are proven by http-01 or tls-alpn-01", r, methods)
	}
	return false, why
}

// Account returns the account that alone may ask the issuers for certificates
// (RFC 8657); "" when any may.
func (c CAASet) Account(issuers []string) string {
	account := ""
	for _, r := range c.Records {
		who, terms := r.issuer()
		if r.Tag != "issue" || !slices.Contains(issuers, who) {
			continue
		}
		if terms["accounturi"] == "" {
			return ""
		}
		account = terms["accounturi"]
	}
	return account
}

func byNetwork(method string) bool {
	method = strings.ToLower(strings.TrimSpace(method))
	return method == "http-01" || method == "tls-alpn-01"
}
