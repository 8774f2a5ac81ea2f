// Package dns looks at what DNS holds for a domain as the world will see it:
// it asks the servers responsible for a zone, all of them, and names the
// mistakes people make with records.
package dns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Options is whom a Resolver asks. The zero value asks the servers responsible
// for a name.
type Options struct {
	// Server, written 192.0.2.53:53, is the only server to ask: split-horizon
	// networks need it.
	Server string
	// Recursive are the servers that find the responsible ones; those of the
	// machine unless set.
	Recursive []string
	// Wait is how long one server has for one answer; 2 seconds unless set.
	Wait time.Duration
	// Dial connects to a server; the network's own unless set.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Resolver asks DNS. It asks the servers that are responsible for a name,
// because others may remember an older answer; where they cannot be found or
// reached it asks the machine's resolver. It may be used by several goroutines.
type Resolver struct {
	server    string
	recursive []string
	wait      time.Duration
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	system    *net.Resolver // where no recursive server is known
}

// New returns a Resolver.
func New(o Options) *Resolver {
	r := &Resolver{server: o.Server, recursive: o.Recursive, wait: cmp.Or(o.Wait, defaultWait), dial: o.Dial, system: net.DefaultResolver}
	if r.dial == nil {
		r.dial = (&net.Dialer{}).DialContext
	}
	return r
}

// Found is what DNS holds for a name. A name without records is no error: its
// Values are empty.
type Found struct {
	Name   string
	Values []string // texts, addresses or names of any server asked; sorted
	Alias  string   // where a CNAME points first, without the dot; "" if it has none
	Chain  []string // all names that aliases lead over, one after the other
	By     string   // who answered, in words

	// Exists is set when the name is there, with records of this type or not.
	Exists bool
	// Zone is the zone the name lies in; "" when nobody said.
	Zone string
	// Authoritative is set when the zone's own servers answered.
	Authoritative bool
	// Remembered is how long others may remember this answer.
	Remembered time.Duration
	// Differing is what each server says, when they do not agree.
	Differing []Says
	// Lame are servers the zone names that do not know it, Silent those that
	// do not answer, or only that they failed.
	Lame, Silent []string

	records []dnsmessage.Resource
}

// Says is what one of several servers holds.
type Says struct {
	Server string
	Values []string
}

// TXT returns the texts at a name. Strings of one record are joined.
func (r *Resolver) TXT(ctx context.Context, name string) (Found, error) {
	return r.session().look(ctx, name, dnsmessage.TypeTXT)
}

// MX returns the mail servers of a domain, written "10 mail.example.com".
func (r *Resolver) MX(ctx context.Context, name string) (Found, error) {
	return r.session().look(ctx, name, dnsmessage.TypeMX)
}

// Addresses returns the IPv4 and IPv6 addresses of a host, aliases followed.
func (r *Resolver) Addresses(ctx context.Context, host string) (Found, error) {
	s := r.session()
	found, err := s.look(ctx, host, dnsmessage.TypeA)
	if err != nil {
		return found, err
	}
	six, err := s.look(ctx, host, dnsmessage.TypeAAAA)
	if err != nil {
		return found, err
	}
	found.Values = append(found.Values, six.Values...)
	return found, nil
}

// SignatureError says that a record may be there and cannot be believed: its
// signatures do not hold (DNSSEC), and checking resolvers refuse to hand it out.
type SignatureError struct {
	Name    string
	By      string // the resolver that checked
	Reasons []Reason
}

// Error names the resolver and what it gave as the reason.
func (e *SignatureError) Error() string {
	text := fmt.Sprintf("look up %s: its DNSSEC signatures do not hold, says %s", e.Name, e.By)
	for _, r := range e.Reasons {
		text += ": " + r.String()
	}
	return text
}

// LoopError says that aliases lead in a circle, or on and on.
type LoopError struct {
	Name  string
	Chain []string
}

// Error shows the aliases one after the other.
func (e *LoopError) Error() string {
	return fmt.Sprintf("look up %s: its aliases (CNAME) lead in a circle: %s", e.Name, strings.Join(append([]string{e.Name}, e.Chain...), " -> "))
}

// UnansweredError says that nobody could be asked, which is not the same as
// that there is nothing.
type UnansweredError struct {
	Name         string
	Zone         string
	Lame, Silent []string // servers the zone names that do not know it, or do not answer
	Err          error
}

// Error names the servers and why the last one gave no answer.
func (e *UnansweredError) Error() string {
	text := ""
	if len(e.Lame) > 0 {
		text += fmt.Sprintf("%s: not responsible for %s; ", joined(e.Lame), e.Zone)
	}
	if len(e.Silent) > 0 {
		text += fmt.Sprintf("%s: no usable answer; ", joined(e.Silent))
	}
	return text + e.Err.Error()
}

// Unwrap is why the last server asked gave no answer.
func (e *UnansweredError) Unwrap() error { return e.Err }

// maxAliases ends a chain of CNAMEs that leads on and on.
const maxAliases = 12

// look asks for the records of one type at a name, following aliases into
// whatever zone they lead.
func (s *session) look(ctx context.Context, name string, t dnsmessage.Type) (Found, error) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	f := Found{Name: name}
	at := name
	for {
		a, err := s.ask(ctx, at, t)
		if err != nil {
			return f, err
		}
		alias := a.alias(at)
		f.take(a, at, t)
		// Records beside an alias are a mistake, and still what is found.
		if alias == "" || len(f.Values) > 0 {
			return f, nil
		}
		again := alias == name
		for _, seen := range f.Chain {
			again = again || seen == alias
		}
		if f.Chain = append(f.Chain, alias); again || len(f.Chain) > maxAliases {
			return f, &LoopError{Name: name, Chain: f.Chain}
		}
		at = alias
	}
}

// take adds what was said about one name of the chain.
func (f *Found) take(a *said, at string, t dnsmessage.Type) {
	if f.By == "" {
		f.By, f.Zone, f.Authoritative, f.Lame, f.Silent = a.by(), a.zone, a.authoritative, a.lame, a.silent
		f.Alias = a.alias(at)
	}
	f.Exists = false
	for _, one := range a.replies {
		f.Exists = f.Exists || one.rcode == dnsmessage.RCodeSuccess
		f.records = append(f.records, one.at(at, t)...)
	}
	f.Values = values(f.records)
	f.Remembered = max(f.Remembered, a.remembered(at, t))
	if len(f.Differing) == 0 {
		f.Differing = a.differing(at, t)
	}
}

// joined is a list in words.
func joined(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// isAbsent tells "there is no such record" from "could not look".
func isAbsent(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}
