package dns

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// session is one look at DNS: what it asked once it does not ask again, so all
// that one check says rests on the same answers.
type session struct {
	r         *Resolver
	recursive []string

	mu     sync.Mutex
	asked  map[question]*entry
	silent map[string]bool // addresses that did not answer
}

type question struct {
	name    string
	kind    dnsmessage.Type
	machine bool // asked of the machine's resolver, not of the zone
}

type entry struct {
	once  sync.Once
	said  *said
	reply *reply
	err   error
}

// resolvConf names the machine's resolvers. It is read at each look: a server
// that runs for months outlives its network.
const resolvConf = "/etc/resolv.conf"

func (r *Resolver) session() *session {
	s := &session{r: r, recursive: r.recursive, asked: map[question]*entry{}, silent: map[string]bool{}}
	if s.recursive == nil && r.server == "" {
		s.recursive = machineServers(resolvConf)
	}
	return s
}

func (s *session) entry(q question) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.asked[q]
	if e == nil {
		e = &entry{}
		s.asked[q] = e
	}
	return e
}

func (s *session) isSilent(address string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.silent[address]
}

func (s *session) setSilent(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent[address] = true
}

// reply is what one server said.
type reply struct {
	*message
	server string // its name, or how people call it
	// bogus is set when the answer was given only without checking signatures.
	bogus   bool
	refused []Reason // why it was not given with checking
}

// said is what the servers asked about one name say.
type said struct {
	zone          string
	authoritative bool
	replies       []reply // one for each that answered, never none
	lame, silent  []string
}

// by names who answered.
func (a *said) by() string {
	var names []string
	for _, one := range a.replies {
		if !slices.Contains(names, one.server) {
			names = append(names, one.server)
		}
	}
	if len(names) > 3 {
		names = append(names[:2:2], fmt.Sprintf("%d more", len(names)-2))
	}
	return joined(names)
}

// alias is where the name leads, says the first server that knows.
func (a *said) alias(name string) string {
	for _, one := range a.replies {
		if alias := one.alias(name); alias != "" {
			return alias
		}
	}
	return ""
}

// remembered is how long the answer may be kept: as long as its records say,
// or the zone for what is absent.
func (a *said) remembered(name string, t dnsmessage.Type) time.Duration {
	var longest time.Duration
	for _, one := range a.replies {
		records := append(one.at(name, t), one.at(name, dnsmessage.TypeCNAME)...)
		for _, r := range records {
			longest = max(longest, seconds(r.Header.TTL))
		}
		if len(records) == 0 {
			_, absent := one.soa()
			longest = max(longest, absent)
		}
	}
	return longest
}

// differing returns what each server holds when they do not agree.
func (a *said) differing(name string, t dnsmessage.Type) []Says {
	list := make([]Says, 0, len(a.replies))
	differ := false
	for _, one := range a.replies {
		says := Says{Server: one.server, Values: values(one.at(name, t))}
		if alias := one.alias(name); alias != "" && len(says.Values) == 0 {
			says.Values = []string{"alias of " + alias}
		}
		if i := slices.IndexFunc(list, func(s Says) bool { return s.Server == says.Server && slices.Equal(s.Values, says.Values) }); i >= 0 {
			continue
		}
		differ = differ || len(list) > 0 && !slices.Equal(list[0].Values, says.Values)
		list = append(list, says)
	}
	if !differ {
		return nil
	}
	return list
}

// ask asks the one server the operator named, or all responsible ones.
func (s *session) ask(ctx context.Context, name string, t dnsmessage.Type) (*said, error) {
	e := s.entry(question{name: name, kind: t})
	e.once.Do(func() {
		if s.r.server != "" {
			e.said, e.err = s.askOnly(ctx, name, t)
		} else {
			e.said, e.err = s.askZone(ctx, name, t)
		}
	})
	return e.said, e.err
}

// askOnly asks the one server the operator named.
func (s *session) askOnly(ctx context.Context, name string, t dnsmessage.Type) (*said, error) {
	one, err := s.checked(ctx, s.r.server, s.r.server, name, t)
	if err != nil {
		return nil, &UnansweredError{Name: name, Err: fmt.Errorf("%s: %w", s.r.server, plainly(err))}
	}
	if one.bogus {
		return nil, &SignatureError{Name: name, By: one.server, Reasons: one.refused}
	}
	return ofResolver(one), nil
}

// ofResolver is an answer that passed through a resolver. The zone is the one
// whose SOA record proves an absence.
func ofResolver(one *reply) *said {
	zone, _ := one.soa()
	return &said{zone: zone, authoritative: one.authoritative, replies: []reply{*one}}
}

// checked asks a recursive server. One that fails is asked again for the
// answer unchecked: given then, it was the signatures.
func (s *session) checked(ctx context.Context, server, called, name string, t dnsmessage.Type) (*reply, error) {
	m, err := s.r.exchange(ctx, server, query{name: name, kind: t, recurse: true})
	if err != nil {
		return nil, err
	}
	one := &reply{message: m, server: called}
	if m.rcode != dnsmessage.RCodeServerFailure {
		return one, m.failure()
	}
	one.refused = m.reasons
	m, err = s.r.exchange(ctx, server, query{name: name, kind: t, recurse: true, unchecked: true})
	if err == nil && m.failure() == nil {
		one.message, one.bogus = m, true
		return one, nil
	}
	if slices.ContainsFunc(one.refused, Reason.aboutSignatures) {
		one.bogus = true
		return one, nil
	}
	return nil, one.failure()
}

// machineName is what the recursive servers of this machine are called.
const machineName = "the machine's resolver"

// recurse asks the machine's resolvers, the next one when one fails.
func (s *session) recurse(ctx context.Context, name string, t dnsmessage.Type) (*reply, error) {
	e := s.entry(question{name: name, kind: t, machine: true})
	e.once.Do(func() { e.reply, e.err = s.recurseAnew(ctx, name, t) })
	return e.reply, e.err
}

func (s *session) recurseAnew(ctx context.Context, name string, t dnsmessage.Type) (*reply, error) {
	if len(s.recursive) == 0 {
		m, err := s.r.askSystem(ctx, name, t)
		if err != nil {
			return nil, err
		}
		return &reply{message: m, server: machineName}, nil
	}
	var failed error
	for _, server := range s.recursive {
		if s.isSilent(server) {
			continue
		}
		one, err := s.checked(ctx, server, machineName, name, t)
		if err == nil {
			return one, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if strings.Contains(plainly(err).Error(), "no answer in time") {
			s.setSilent(server)
		}
		failed = fmt.Errorf("%s (%s): %w", machineName, server, plainly(err))
	}
	if failed == nil {
		failed = errors.New(machineName + ": no answer in time")
	}
	return nil, failed
}
