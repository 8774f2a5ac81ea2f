package portal

import (
	"slices"
	"strings"
	"testing"
)

// situations are mails in words, and what becomes of each. The tickets they
// point at are open unless they say otherwise, and lie in the inbox they come
// to.
var situations = []struct {
	what     string
	mail     MailCase
	decision MailDecision
	reason   MailReason
	step     MailStep
}{
	// A known sender's new matter.
	{"known, proven", known(SenderProven), MailCreated, ReasonNew, TakeOpen},
	{"known, unproven", known(SenderUnproven), MailHeld, ReasonUnproven, ""},
	{"known, contradicted", known(SenderContradicted), MailHeld, ReasonContra, ""},
	{"known, unproven, taken at their word", known(SenderUnproven, atWord), MailCreated, ReasonNew, TakeOpen},
	{"known, contradicted, taken at their word", known(SenderContradicted, atWord), MailHeld, ReasonContra, ""},
	{"known, proven, disabled", known(SenderProven, barred), MailHeld, ReasonBarred, ""},
	{"known, proven, too many", known(SenderProven, tooMany), MailHeld, ReasonTooMany, ""},
	{"known, proven, too large to fetch", known(SenderProven, tooLarge), MailHeld, ReasonTooLarge, ""},
	{"known, proven, where unknown senders are rejected", known(SenderProven, rejects), MailCreated, ReasonNew, TakeOpen},

	// Answers of a party, by each way of pointing.
	{"party, proven, by the address", party(RefAddress, SenderProven), MailAppended, ReasonAnswer, TakeAnswer},
	{"party, proven, by the Message-ID", party(RefMailID, SenderProven), MailAppended, ReasonAnswer, TakeAnswer},
	{"party, proven, by the tag", party(RefTag, SenderProven), MailAppended, ReasonAnswer, TakeAnswer},
	{"party, unproven, by the address", party(RefAddress, SenderUnproven), MailHeld, ReasonUnproven, ""},
	{"party, unproven, by the Message-ID", party(RefMailID, SenderUnproven), MailHeld, ReasonUnproven, ""},
	{"party, unproven, by the tag", party(RefTag, SenderUnproven), MailHeld, ReasonUnproven, ""},
	{"party, contradicted, by the address", party(RefAddress, SenderContradicted), MailHeld, ReasonContra, ""},
	{"party, contradicted, by the address, taken at their word", party(RefAddress, SenderContradicted, atWord), MailHeld, ReasonContra, ""},
	{"party, unproven, by the address, taken at their word", party(RefAddress, SenderUnproven, atWord), MailAppended, ReasonAnswer, TakeAnswer},
	{"party, unproven, by the tag, taken at their word", party(RefTag, SenderUnproven, atWord), MailAppended, ReasonAnswer, TakeAnswer},
	{"party, unproven, taken at their word, but not by the ticket's inbox", party(RefAddress, SenderUnproven, atWord, strict), MailHeld, ReasonUnproven, ""},
	{"party, proven, in an inbox that is stricter", party(RefAddress, SenderProven, atWord, strict), MailAppended, ReasonAnswer, TakeAnswer},
	{"party, proven, disabled", party(RefAddress, SenderProven, barred), MailHeld, ReasonBarred, ""},
	{"party, proven, too many", party(RefAddress, SenderProven, tooMany), MailHeld, ReasonTooMany, ""},
	{"party, proven, too large", party(RefAddress, SenderProven, tooLarge), MailHeld, ReasonTooLarge, ""},

	// The state of the ticket.
	{"party, closed within the window, by the address", party(RefAddress, SenderProven, ticket(TicketReopens)), MailAppended, ReasonReopened, TakeAnswer},
	{"party, closed within the window, by the tag", party(RefTag, SenderProven, ticket(TicketReopens)), MailAppended, ReasonReopened, TakeAnswer},
	{"party, closed within the window, unproven", party(RefAddress, SenderUnproven, ticket(TicketReopens)), MailHeld, ReasonUnproven, ""},
	{"party, closed for good, by the address", party(RefAddress, SenderProven, ticket(TicketOver)), MailCreated, ReasonFollows, TakeOpenNext},
	{"party, closed for good, by the Message-ID", party(RefMailID, SenderProven, ticket(TicketOver)), MailCreated, ReasonFollows, TakeOpenNext},
	{"party, closed for good, by the tag", party(RefTag, SenderProven, ticket(TicketOver)), MailCreated, ReasonFollows, TakeOpenNext},
	{"party, closed for good, unproven", party(RefAddress, SenderUnproven, ticket(TicketOver)), MailHeld, ReasonUnproven, ""},
	{"no such ticket, by the address", party(RefAddress, SenderProven, ticket(TicketGone)), MailHeld, ReasonGone, ""},
	{"no such ticket, by the Message-ID, unproven", party(RefMailID, SenderUnproven, ticket(TicketGone)), MailHeld, ReasonUnproven, ""},

	// Known, but not of this ticket: a key says which ticket, never who.
	{"not a party, proven, by the address", stranger(RefAddress, SenderProven), MailHeld, ReasonNotParty, ""},
	{"not a party, proven, by the Message-ID", stranger(RefMailID, SenderProven), MailHeld, ReasonNotParty, ""},
	{"not a party, proven, by the tag", stranger(RefTag, SenderProven), MailHeld, ReasonNotParty, ""},
	{"not a party, at their word", stranger(RefAddress, SenderUnproven, atWord), MailHeld, ReasonNotParty, ""},
	{"not a party, unproven", stranger(RefAddress, SenderUnproven), MailHeld, ReasonUnproven, ""},
	{"not a party, closed for good", stranger(RefAddress, SenderProven, ticket(TicketOver)), MailHeld, ReasonNotParty, ""},
	{"addresses of two tickets", party(RefAddress, SenderProven, conflict), MailHeld, ReasonConflict, ""},
	{"tags of two tickets", party(RefTag, SenderProven, conflict), MailHeld, ReasonConflict, ""},

	// Senders nobody knows.
	{"unknown, held", unknown(UnknownHold, RefNone, SenderProven), MailHeld, ReasonUnknown, ""},
	{"unknown, nothing set", unknown("", RefNone, SenderProven), MailHeld, ReasonUnknown, ""},
	{"unknown, rejected", unknown(UnknownReject, RefNone, SenderProven), MailRejected, ReasonUnknown, ""},
	{"unknown, unproven, rejected", unknown(UnknownReject, RefNone, SenderUnproven), MailRejected, ReasonUnknown, ""},
	{"unknown, proven, accepted", unknown(UnknownAccept, RefNone, SenderProven), MailCreated, ReasonAccepted, TakeOpenUnknown},
	{"unknown, unproven, accepted", unknown(UnknownAccept, RefNone, SenderUnproven), MailHeld, ReasonUnproven, ""},
	{"unknown, contradicted, accepted", unknown(UnknownAccept, RefNone, SenderContradicted), MailHeld, ReasonContra, ""},
	{"unknown, unproven, accepted at their word", unknown(UnknownAccept, RefNone, SenderUnproven, atWord), MailCreated, ReasonAccepted, TakeOpenUnknown},
	{"unknown, proven, accepted, too many", unknown(UnknownAccept, RefNone, SenderProven, tooMany), MailHeld, ReasonTooMany, ""},
	{"unknown, proven, accepted, too large", unknown(UnknownAccept, RefNone, SenderProven, tooLarge), MailHeld, ReasonTooLarge, ""},
	{"unknown with a key, accepted", unknown(UnknownAccept, RefAddress, SenderProven), MailHeld, ReasonUnknown, ""},
	{"unknown with a key, rejected", unknown(UnknownReject, RefAddress, SenderProven), MailHeld, ReasonUnknown, ""},
	{"unknown with a Message-ID of ours, rejected", unknown(UnknownReject, RefMailID, SenderProven), MailHeld, ReasonUnknown, ""},
	{"unknown with a tag, accepted", unknown(UnknownAccept, RefTag, SenderProven), MailHeld, ReasonUnknown, ""},
	{"unknown with a tag, rejected", unknown(UnknownReject, RefTag, SenderProven), MailRejected, ReasonUnknown, ""},

	// Agents.
	{"agent, proven, own key", agent(SenderProven), MailAppended, ReasonAgent, TakeAgentAnswer},
	{"agent, proven, own Message-ID", agent(SenderProven, ref(RefMailID)), MailAppended, ReasonAgent, TakeAgentAnswer},
	{"agent, unproven, own key", agent(SenderUnproven), MailHeld, ReasonUnproven, ""},
	{"agent, unproven, own key, at their word", agent(SenderUnproven, atWord), MailHeld, ReasonUnproven, ""},
	{"agent, contradicted, own key", agent(SenderContradicted), MailHeld, ReasonContra, ""},
	{"agent, proven, somebody else's key", agent(SenderProven, foreignKey), MailHeld, ReasonAgentKey, ""},
	{"agent, proven, tag alone", agent(SenderProven, foreignKey, ref(RefTag)), MailHeld, ReasonAgentKey, ""},
	{"agent, proven, no reference", agent(SenderProven, foreignKey, ref(RefNone)), MailHeld, ReasonAgentKey, ""},
	{"agent, proven, own key, not their inbox", agent(SenderProven, hidden), MailHeld, ReasonAgentInbox, ""},
	{"agent, proven, own key, disabled", agent(SenderProven, barred), MailHeld, ReasonBarred, ""},
	{"agent, proven, own key, closed for good", agent(SenderProven, ticket(TicketOver)), MailAppended, ReasonAgent, TakeAgentAnswer},
	{"agent, proven, own key, no such ticket", agent(SenderProven, ticket(TicketGone)), MailHeld, ReasonGone, ""},
	{"agent, proven, keys of two tickets", agent(SenderProven, conflict), MailHeld, ReasonConflict, ""},
	{"agent, proven, own key, too many", agent(SenderProven, tooMany), MailHeld, ReasonTooMany, ""},
	{"agent, proven, own key, too large", agent(SenderProven, tooLarge), MailHeld, ReasonTooLarge, ""},

	// What no person wrote.
	{"party, proven, away", party(RefAddress, SenderProven, auto(AutoSubmitted)), MailAppended, ReasonAutomatic, TakeKeep},
	{"party, proven, away, closed within the window", party(RefAddress, SenderProven, auto(AutoReply), ticket(TicketReopens)), MailAppended, ReasonAutomatic, TakeKeep},
	{"party, proven, away, closed for good", party(RefMailID, SenderProven, auto(AutoSubmitted), ticket(TicketOver)), MailAppended, ReasonAutomatic, TakeKeep},
	{"party, unproven, away", party(RefAddress, SenderUnproven, auto(AutoSubmitted)), MailIgnored, ReasonAutomatic, ""},
	{"party, proven, away, disabled", party(RefAddress, SenderProven, auto(AutoSubmitted), barred), MailIgnored, ReasonAutomatic, ""},
	{"party, proven, away, too many", party(RefAddress, SenderProven, auto(AutoSubmitted), tooMany), MailIgnored, ReasonAutomatic, ""},
	{"not a party, proven, away", stranger(RefAddress, SenderProven, auto(AutoSubmitted)), MailIgnored, ReasonAutomatic, ""},
	{"known, proven, automatic, new", known(SenderProven, auto(AutoSubmitted)), MailIgnored, ReasonAutomatic, ""},
	{"known, proven, new, by a mailing list", known(SenderProven, auto(AutoList)), MailHeld, ReasonAutomatic, ""},
	{"known, proven, new, a subject like a machine's", known(SenderProven, auto(AutoSubject)), MailHeld, ReasonAutomatic, ""},
	{"known, unproven, new, by a mailing list", known(SenderUnproven, auto(AutoList)), MailIgnored, ReasonAutomatic, ""},
	{"unknown, automatic, accepted", unknown(UnknownAccept, RefNone, SenderProven, auto(AutoList)), MailIgnored, ReasonAutomatic, ""},
	{"unknown, automatic, rejected", unknown(UnknownReject, RefNone, SenderProven, auto(AutoPrecedence)), MailIgnored, ReasonAutomatic, ""},
	{"agent, proven, own key, away", agent(SenderProven, auto(AutoSubmitted)), MailIgnored, ReasonAutomatic, ""},
	{"nobody, the null path", MailCase{From: FromNobody, Auto: AutoNullPath}, MailIgnored, ReasonAutomatic, ""},

	{"no sender", MailCase{From: FromNobody}, MailHeld, ReasonNoSender, ""},
	{"no sender, with a key", MailCase{From: FromNobody, Ref: RefAddress, Ticket: TicketOpen}, MailHeld, ReasonNoSender, ""},
	{"our own mail", MailCase{From: FromOwn, Ref: RefAddress, Ticket: TicketOpen, Proof: SenderProven, Party: true}, MailIgnored, ReasonOwn, ""},
	{"our own automatic mail", MailCase{From: FromOwn, Auto: AutoSubmitted}, MailIgnored, ReasonOwn, ""},
}

func with(c MailCase, changes []func(*MailCase)) MailCase {
	for _, change := range changes {
		change(&c)
	}
	return c
}

func known(p SenderProof, changes ...func(*MailCase)) MailCase {
	return with(MailCase{From: FromContact, Proof: p}, changes)
}

func party(r MailReference, p SenderProof, changes ...func(*MailCase)) MailCase {
	return with(MailCase{From: FromContact, Proof: p, Ref: r, Ticket: TicketOpen, Party: true}, changes)
}

func stranger(r MailReference, p SenderProof, changes ...func(*MailCase)) MailCase {
	return with(MailCase{From: FromContact, Proof: p, Ref: r, Ticket: TicketOpen}, changes)
}

func unknown(u UnknownSender, r MailReference, p SenderProof, changes ...func(*MailCase)) MailCase {
	return with(MailCase{From: FromUnknown, Proof: p, Ref: r, Ticket: TicketOpen, Unknown: u}, changes)
}

func agent(p SenderProof, changes ...func(*MailCase)) MailCase {
	return with(MailCase{From: FromAgent, Proof: p, Ref: RefAddress, Ticket: TicketOpen, OwnKey: true, Visible: true}, changes)
}

func atWord(c *MailCase)     { c.TrustUnproven = true }
func barred(c *MailCase)     { c.Barred = true }
func tooMany(c *MailCase)    { c.TooMany = true }
func tooLarge(c *MailCase)   { c.TooLarge = true }
func rejects(c *MailCase)    { c.Unknown = UnknownReject }
func strict(c *MailCase)     { c.Strict = true }
func conflict(c *MailCase)   { c.Conflict = true }
func foreignKey(c *MailCase) { c.OwnKey = false }
func hidden(c *MailCase)     { c.Visible = false }

func ticket(t MailTicket) func(*MailCase) { return func(c *MailCase) { c.Ticket = t } }
func auto(m AutoMark) func(*MailCase)     { return func(c *MailCase) { c.Auto = m } }
func ref(r MailReference) func(*MailCase) { return func(c *MailCase) { c.Ref = r } }

func TestWhatBecomesOfMail(t *testing.T) {
	for _, s := range situations {
		got := s.mail.Decide()
		if got.Decision != s.decision || got.Reason != s.reason || got.Step != s.step {
			t.Errorf("%s: %s (%s), step %q; want %s (%s), step %q", s.what, got.Decision, got.Reason, got.Step, s.decision, s.reason, s.step)
		}
	}
	if len(situations) < 60 {
		t.Errorf("there are %d situations", len(situations))
	}
}

// every calls check for each combination of what counts.
func every(check func(MailCase)) (n int) {
	flags := []func(*MailCase){
		atWord, barred, tooMany, tooLarge, strict, conflict,
		func(c *MailCase) { c.Party = true }, func(c *MailCase) { c.OwnKey = true }, func(c *MailCase) { c.Visible = true },
	}
	for _, from := range []MailSender{FromNobody, FromOwn, FromAgent, FromContact, FromUnknown} {
		for _, proof := range []SenderProof{SenderProven, SenderUnproven, SenderContradicted} {
			for _, mark := range []AutoMark{AutoNone, AutoSubmitted, AutoList} {
				for _, u := range []UnknownSender{UnknownHold, UnknownAccept, UnknownReject} {
					for _, r := range []MailReference{RefNone, RefAddress, RefMailID, RefTag} {
						for _, state := range []MailTicket{TicketOpen, TicketReopens, TicketOver, TicketGone} {
							for bits := range 1 << len(flags) {
								c := MailCase{From: from, Proof: proof, Auto: mark, Unknown: u, Ref: r, Ticket: state}
								for i, set := range flags {
									if bits>>i&1 == 1 {
										set(&c)
									}
								}
								n++
								check(c)
							}
						}
					}
				}
			}
		}
	}
	return n
}

func TestPromisesOfMailHoldInEveryCombination(t *testing.T) {
	broken := map[string]int{}
	n := every(func(c MailCase) {
		o := c.Decide()
		must := func(promise string, holds bool) {
			if !holds {
				if broken[promise]++; broken[promise] == 1 {
					t.Errorf("%s: %+v is %+v", promise, c, o)
				}
			}
		}
		appends, creates, speaks := o.Decision == MailAppended, o.Decision == MailCreated, o.Step == TakeAnswer || o.Step == TakeAgentAnswer

		must("nothing is decided without a reason", o.Decision != "" && o.Reason != "")
		must("a message is written exactly when a ticket gets one", (o.Step != TakeNothing) == (appends || creates))
		must("an unknown sender never appends", c.From != FromUnknown || !appends)
		must("nobody and we ourselves write nothing", c.From != FromNobody && c.From != FromOwn || o.Step == TakeNothing)
		must("an unproven sender writes nothing where the inbox does not trust them", c.Proof == SenderProven || c.TrustUnproven || o.Step == TakeNothing)
		must("a contradicted sender never writes", c.Proof != SenderContradicted || o.Step == TakeNothing)
		must("trust in one inbox opens no ticket of another", c.Proof == SenderProven || c.Ref == RefNone || !c.Strict || !appends)
		must("a token alone makes nobody a party", o.Step != TakeAnswer && o.Step != TakeKeep && o.Step != TakeOpenNext || c.Party && c.From == FromContact)
		must("an agent speaks by proof and their own key", o.Step != TakeAgentAnswer || c.From == FromAgent && c.Proof == SenderProven && c.OwnKey && c.Visible)
		must("nobody but an agent speaks as one", o.Step != TakeAgentAnswer || c.From == FromAgent)
		must("an agent speaks as nobody else", c.From != FromAgent || o.Step == TakeNothing || o.Step == TakeAgentAnswer)
		must("who was shut out writes nothing", !c.Barred || o.Step == TakeNothing)
		must("automatic mail creates nothing, speaks nowhere and is not answered", c.Auto == AutoNone || !creates && !speaks && !o.Answerable)
		must("mail of a person is not kept as a machine's", c.Auto != AutoNone || o.Step != TakeKeep)
		must("only the proven are answered", !o.Answerable || c.Proof == SenderProven && creates)
		must("two tickets are none", !c.Conflict || c.Ref == RefNone || o.Step == TakeNothing)
		must("what is closed for good stays closed for customers", c.Ticket != TicketOver || c.Ref == RefNone || o.Step != TakeAnswer)
		must("a flood is stopped", !c.TooMany || o.Step == TakeNothing)
		must("a mail that was not fetched is no message", !c.TooLarge || o.Step == TakeNothing)
		must("a contact is made only where the inbox takes unknown senders", o.Step != TakeOpenUnknown || c.From == FromUnknown && c.Unknown == UnknownAccept && c.Ref == RefNone)
		must("only unknown senders are rejected", o.Decision != MailRejected || c.From == FromUnknown && c.Unknown == UnknownReject)
		must("a known person's mail is never lost", c.From != FromContact || c.Auto != AutoNone || o.Decision != MailIgnored && o.Decision != MailRejected)
	})
	t.Logf("%d combinations", n)
}

func TestTheStrongestWayOfPointingDecides(t *testing.T) {
	key := func(n TicketNumber) []MailKey { return []MailKey{{Ticket: n, To: Person{Contact: 7}}} }
	for _, c := range []struct {
		what     string
		p        MailPointers
		by       MailReference
		ticket   TicketNumber
		conflict bool
	}{
		{"nothing", MailPointers{}, RefNone, 0, false},
		{"each says another", MailPointers{key(1), key(2), key(3), key(4), []TicketNumber{5}}, RefAddress, 1, false},
		{"the header's address", MailPointers{nil, key(2), key(3), key(4), []TicketNumber{5}}, RefAddress, 2, false},
		{"the mail it answers", MailPointers{nil, nil, key(3), key(4), []TicketNumber{5}}, RefMailID, 3, false},
		{"its history, the newest", MailPointers{nil, nil, nil, append(key(9), key(4)...), []TicketNumber{5}}, RefMailID, 4, false},
		{"the tag", MailPointers{Tags: []TicketNumber{5}}, RefTag, 5, false},
		{"two tags", MailPointers{Tags: []TicketNumber{5, 6}}, RefTag, 5, true},
		{"two addresses", MailPointers{Recipients: append(key(1), key(2)...), InReplyTo: key(2)}, RefAddress, 1, true},
		{"two addresses, one of the delivery", MailPointers{Envelope: key(2), Recipients: append(key(1), key(2)...)}, RefAddress, 2, false},
		{"one ticket, two people", MailPointers{Recipients: append(key(1), MailKey{Ticket: 1, To: Person{Agent: 3}})}, RefAddress, 1, false},
		{"answers of two tickets", MailPointers{InReplyTo: append(key(1), key(2)...)}, RefMailID, 1, true},
	} {
		by, n, conflict := c.p.Choose()
		if by != c.by || n != c.ticket || conflict != c.conflict {
			t.Errorf("%s: %s by %q, conflict %v; want %s by %q, %v", c.what, n, by, conflict, c.ticket, c.by, c.conflict)
		}
	}
	p := MailPointers{Recipients: key(1), References: []MailKey{{Ticket: 1, To: Person{Agent: 3}}, {Ticket: 2, To: Person{Agent: 4}}}}
	for _, c := range []struct {
		agent AgentID
		n     TicketNumber
		want  bool
	}{{3, 1, true}, {3, 2, false}, {4, 1, false}, {7, 1, false}, {0, 1, false}} {
		if got := p.HasKeyOf(c.agent, c.n); got != c.want {
			t.Errorf("agent %d has a key of %s: %v", c.agent, c.n, got)
		}
	}
}

func TestSubjectsAreCleaned(t *testing.T) {
	for in, want := range map[string]string{
		"The pump":                           "The pump",
		"Re: The pump":                       "The pump",
		"RE: Re: AW: WG: The pump":           "The pump",
		"SV: VB: [T-1042] Pumpen":            "Pumpen",
		"Re: [T-1042] Re: [t-1042] The pump": "The pump",
		"Re[2]: The pump":                    "The pump",
		"Re (3): The pump":                   "The pump",
		"RE^2: The pump":                     "The pump",
		"回复：你好":                              "你好",
		"RE：The pump":                        "The pump",
		"Re : The pump":                      "The pump",
		"Отв: Насос":                         "Насос",
		"Fwd:":                               "",
		"":                                   "",
		"  \r\n\t ":                          "",
		"[T-1042]":                           "",
		"Invoice: 42":                        "Invoice: 42",
		"Request: new pump":                  "Request: new pump",
		"[T-x] and [TS-12]":                  "[T-x] and [TS-12]",
		"a\x00b\nc":                          "a b c",
		"safe\u202egpj.exe":                  "safegpj.exe",
		"Re: bad \xff byte":                  "bad \uFFFD byte",
		"Re[x]: The pump":                    "Re[x]: The pump",
		strings.Repeat("å", 300):             strings.Repeat("å", MaxLine-1) + "…",
		strings.Repeat("Re: ", 500) + "deep": "deep",
		"[T-99999999999999999999] too long a number": "[T-99999999999999999999] too long a number",
	} {
		if got := CleanSubject(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	if got := SubjectTags("Re: [T-1042] see [t-7] and [T-1042]"); !slices.Equal(got, []TicketNumber{1042, 7}) {
		t.Errorf("the tags are %v", got)
	}
}

func FuzzCleanSubject(f *testing.F) {
	f.Add("Re: [T-1042] Fwd: x")
	f.Add("回复：Re[3]: \x00")
	f.Fuzz(func(t *testing.T, s string) {
		clean := CleanSubject(s)
		if again := CleanSubject(clean); again != clean {
			t.Errorf("%q becomes %q, and that %q", s, clean, again)
		}
		if clean == "" {
			return
		}
		if line, err := CleanLine("subject", clean); err != nil || line != clean {
			t.Errorf("%q becomes %q, which no ticket can have: %v", s, clean, err)
		}
	})
}
