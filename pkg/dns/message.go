package dns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/dns/dnsmessage"
)

// typeCAA is the record of RFC 8659, which dnsmessage has no type for.
const typeCAA dnsmessage.Type = 257

// optionEDE is the EDNS option of RFC 8914, in which a resolver tells why it
// failed.
const optionEDE = 15

// message is an answer taken apart.
type message struct {
	rcode         dnsmessage.RCode
	authoritative bool
	truncated     bool
	answers       []dnsmessage.Resource
	authority     []dnsmessage.Resource
	additional    []dnsmessage.Resource
	reasons       []Reason
}

// Reason is why a server says that it failed (RFC 8914).
type Reason struct {
	Code uint16
	Text string // the server's own words, harmless on a terminal
}

// reasons are the codes of RFC 8914 an operator can do something about.
var reasons = map[uint16]string{
	1: "the zone is signed by a method the resolver does not know", 2: "the zone's key has a digest the resolver does not know",
	5: "the signatures could not be checked", 6: "the signatures are wrong",
	7: "a signature has expired", 8: "a signature is not valid yet",
	9: "the DS record at the registrar names a key that the zone does not have", 10: "signatures are missing",
	11: "the zone has no key marked as its own", 12: "the proof that a record is absent is missing",
	15: "the resolver blocks the name", 16: "the resolver censors the name", 17: "the resolver filters the name",
	18: "the resolver does not serve this machine", 20: "the server is not responsible for the name",
	22: "none of the zone's name servers could be reached", 23: "the network between resolver and name servers failed",
}

// String is the reason in words.
func (r Reason) String() string {
	words := reasons[r.Code]
	if words == "" {
		words = fmt.Sprintf("extended error %d", r.Code)
	}
	if r.Text != "" {
		words += " (" + r.Text + ")"
	}
	return words
}

// aboutSignatures reports whether the reason is DNSSEC.
func (r Reason) aboutSignatures() bool {
	return r.Code == 1 || r.Code == 2 || r.Code >= 5 && r.Code <= 12
}

// errForeign marks a packet that is no answer to the question.
var errForeign = errors.New("the answer does not belong to the question")

// readMessage takes an answer to the question apart. What stands in the part
// for additional things may be unreadable: nothing depends on it.
func readMessage(packet []byte, id uint16, q dnsmessage.Question) (*message, error) {
	var p dnsmessage.Parser
	h, err := p.Start(packet)
	if err != nil || !h.Response || h.ID != id {
		return nil, errForeign
	}
	asked, err := p.AllQuestions()
	if err != nil || len(asked) != 1 || asked[0].Type != q.Type || asked[0].Class != q.Class || !sameName(asked[0].Name, q.Name.String()) {
		// A server that cannot read a question may leave it out of its answer.
		if err != nil || len(asked) != 0 || h.RCode != dnsmessage.RCodeFormatError {
			return nil, errForeign
		}
	}
	m := &message{rcode: h.RCode, authoritative: h.Authoritative, truncated: h.Truncated}
	if m.answers, err = p.AllAnswers(); err == nil {
		m.authority, err = p.AllAuthorities()
	}
	if err != nil {
		if m.truncated {
			return m, nil
		}
		return nil, fmt.Errorf("the answer cannot be read: %w", err)
	}
	for {
		r, err := p.Additional()
		if err != nil {
			return m, nil
		}
		m.additional = append(m.additional, r)
		if opt, ok := r.Body.(*dnsmessage.OPTResource); ok {
			m.rcode = r.Header.ExtendedRCode(m.rcode)
			m.reasons = append(m.reasons, readReasons(opt)...)
		}
	}
}

// maxReason bounds what a server's own words take on a screen.
const maxReason = 200

func readReasons(opt *dnsmessage.OPTResource) []Reason {
	var list []Reason
	for _, o := range opt.Options {
		if o.Code != optionEDE || len(o.Data) < 2 {
			continue
		}
		text := strings.ToValidUTF8(string(o.Data[2:min(len(o.Data), 2+maxReason)]), "")
		text = strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return -1
			}
			return r
		}, text)
		list = append(list, Reason{Code: binary.BigEndian.Uint16(o.Data), Text: strings.TrimSpace(text)})
	}
	return list
}

// failure is why the message answers nothing; nil when it is an answer, be it
// that there is no such name.
func (m *message) failure() error {
	why := ""
	for _, r := range m.reasons {
		why += ": " + r.String()
	}
	switch m.rcode {
	case dnsmessage.RCodeSuccess, dnsmessage.RCodeNameError:
		return nil
	case dnsmessage.RCodeServerFailure:
		return errors.New("the server failed (SERVFAIL)" + why)
	case dnsmessage.RCodeRefused:
		return errors.New("the server refused to answer (REFUSED)" + why)
	}
	return fmt.Errorf("the server answered %s%s", strings.TrimPrefix(m.rcode.String(), "RCode"), why)
}

// alias returns where a CNAME at the name points.
func (m *message) alias(name string) string {
	for _, r := range m.answers {
		if c, ok := r.Body.(*dnsmessage.CNAMEResource); ok && sameName(r.Header.Name, name) {
			return plainName(c.CNAME)
		}
	}
	return ""
}

// at returns the answers of one type at a name.
func (m *message) at(name string, t dnsmessage.Type) []dnsmessage.Resource {
	var list []dnsmessage.Resource
	for _, r := range m.answers {
		if r.Header.Type == t && sameName(r.Header.Name, name) {
			list = append(list, r)
		}
	}
	return list
}

// soa returns the zone whose SOA record the answer carries, as proof that
// something is absent or as the answer itself, and how long the absence may be
// remembered (RFC 2308 section 5).
func (m *message) soa() (zone string, absent time.Duration) {
	for _, r := range slices.Concat(m.authority, m.answers) {
		if s, ok := r.Body.(*dnsmessage.SOAResource); ok {
			return plainName(r.Header.Name), seconds(min(s.MinTTL, r.Header.TTL))
		}
	}
	return "", 0
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

// values are resources as texts: strings of a TXT joined (RFC 7208 section
// 3.3), addresses, names; sorted.
func values(list []dnsmessage.Resource) []string {
	var out []string
	for _, r := range list {
		if v, ok := valueOf(r); ok {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func valueOf(r dnsmessage.Resource) (string, bool) {
	switch b := r.Body.(type) {
	case *dnsmessage.TXTResource:
		return strings.Join(b.TXT, ""), true
	case *dnsmessage.AResource:
		return netip.AddrFrom4(b.A).String(), true
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(b.AAAA).String(), true
	case *dnsmessage.CNAMEResource:
		return plainName(b.CNAME), true
	case *dnsmessage.NSResource:
		return plainName(b.NS), true
	case *dnsmessage.MXResource:
		return fmt.Sprintf("%d %s", b.Pref, plainName(b.MX)), true
	case *dnsmessage.SOAResource:
		return plainName(b.NS), true
	case *dnsmessage.UnknownResource:
		if b.Type == typeCAA {
			c, err := parseCAA(b.Data)
			return c.String(), err == nil
		}
	}
	return "", false
}

// plainName is a name in lower case, without its final dot.
func plainName(n dnsmessage.Name) string {
	return strings.ToLower(strings.TrimSuffix(n.String(), "."))
}

func sameName(n dnsmessage.Name, name string) bool {
	return strings.EqualFold(strings.TrimSuffix(n.String(), "."), strings.TrimSuffix(name, "."))
}

// within reports whether a name is the zone's top or below it.
func within(name, zone string) bool {
	return zone == "" || name == zone || strings.HasSuffix(name, "."+zone)
}

// parent is the name one label up; "" above a top-level name.
func parent(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	return rest
}
