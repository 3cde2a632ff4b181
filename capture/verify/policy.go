// Package verify is what becomes of a list that is enforced: which names and
// packets it lets through, what was used, what was refused, and the report
// with its proof. It is memory alone; [enforce] puts a list in force.
//
// [enforce]: lxd-allowlist/capture/verify/enforce
package verify

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"lxd-allowlist/export/rule"
)

// Policy is what an instance may ask for, with what became of each rule and of
// each name that was refused. It is safe for concurrent use.
type Policy struct {
	// Granting is called when a name that was refused is allowed for a time,
	// Ending when the end of such a time becomes known. They are set before the
	// policy is used; nil is as good.
	Granting func(name string)
	Ending   func()
	// Learning says that nothing is refused, and that what it calls so would be. It
	// is set before the policy is used.
	Learning bool

	mu      sync.Mutex
	rules   map[key]*RuleState
	series  []series // of rules, those that are patterns
	grants  map[string]*grant
	refused map[string]*NameState
	local   func(name string) bool
	begun   bool // rules that come now are late
	counts  Counts
	last    Query // that was refused
}

// Query is a query of the instance's.
type Query struct {
	At          time.Time
	Name        string // normalised
	Type        string // "A"
	From        netip.Addr
	Refused     bool
	WouldRefuse bool   // under Learn
	Failed      bool   // it was allowed, and no answer came
	Why         string // refused for another reason than the list
}

// RuleState is what became of a rule.
type RuleState struct {
	Rule        rule.Rule
	Queries     int
	Connections int // to an address
	First, Last time.Time
	// Late is when the rule was added while it was enforced, zero for one of
	// the list that enforcing began with; Gone when it was taken away.
	Late, Gone time.Time
}

// State returns the rule's state in a word: "used", "unused", "allowed late",
// "taken away".
func (r RuleState) State() string {
	switch {
	case !r.Gone.IsZero():
		return takenAway
	case !r.Late.IsZero():
		return "allowed late"
	case r.used():
		return "used"
	}
	return "unused"
}

// takenAway is the state of a rule that is in force no more.
const takenAway = "taken away"

func (r RuleState) used() bool { return r.Queries > 0 || r.Connections > 0 }

// NameState is what became of a name that was refused.
type NameState struct {
	Name        string
	Types       []string // "A", "AAAA", in the order in which they were asked for
	Times       int
	First, Last time.Time
	Allowed     time.Time // when it was allowed all the same, zero if it wasn't
	Temporary   bool      // only for a time
	Why         string    // refused whatever the list says, and why; "" for the list
}

// Counts is how much was asked for.
type Counts struct {
	Queries  int // all
	Local    int // what dnsmasq answers itself: the bridge's domain, its addresses
	Refused  int // of them
	Odd      int // refused whatever the list says: other classes, opcodes, no names
	Rules    int // in force
	Used     int // of them
	Names    int // that were refused, each once
	Beyond   int // queries that were refused for names that there was no room for
	Failures int // that were allowed and got no answer
}

// New returns a policy of rules. local says which names the bridge's dnsmasq
// answers itself; these pass whatever the rules are.
func New(rules []rule.Rule, local func(name string) bool) *Policy {
	p := &Policy{
		rules: make(map[key]*RuleState, len(rules)), grants: make(map[string]*grant),
		refused: make(map[string]*NameState), local: local,
	}
	p.Set(rules, time.Time{})
	p.begun = true
	return p
}

// Word is what becomes of what the policy refuses: "blocked", "would be blocked".
func (p *Policy) Word() string {
	if p != nil && p.Learning {
		return "would be blocked"
	}
	return "blocked"
}

// key is what a rule is about.
type key struct {
	name            string
	suffix, pattern bool // a query may have the letters of a pattern's text
}

// series is a rule that is a pattern.
type series struct {
	match func(name string) bool
	state *RuleState
}

// Set puts rules in force in place of those that were. It reports whether any
// of them was not, and whether any that was is no more.
func (p *Policy) Set(rules []rule.Rule, now time.Time) (fresh, gone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var added []rule.Rule
	stays := make(map[key]bool, len(rules))
	for _, r := range rules {
		pattern, isPattern := r.Pattern()
		k := key{r.Name, r.Suffix, isPattern}
		stays[k] = true
		s := p.rules[k]
		switch {
		case s == nil:
			s = &RuleState{Rule: r}
			if p.begun {
				s.Late = now
			}
			p.rules[k] = s
			if isPattern {
				p.series = append(p.series, series{pattern.Matcher(), s})
			}
		case s.Gone.IsZero():
			s.Rule = r
			continue
		default:
			s.Rule, s.Gone = r, time.Time{}
		}
		added = append(added, r)
		p.counts.Rules++
		if s.used() {
			p.counts.Used++
		}
	}
	for k, s := range p.rules {
		if !stays[k] && s.Gone.IsZero() {
			s.Gone, gone = now, true
			p.counts.Rules--
			if s.used() {
				p.counts.Used--
			}
		}
	}
	for _, r := range added {
		p.noteAllowed(r, now)
	}
	p.listed()
	return len(added) > 0, gone
}

// noteAllowed notes on the names that a rule allows late that it does.
func (p *Policy) noteAllowed(r rule.Rule, now time.Time) {
	if !p.begun {
		return
	}
	allow := func(s *NameState) {
		if s.Allowed.IsZero() || s.Temporary {
			s.Allowed, s.Temporary = now, false
		}
	}
	if pattern, is := r.Pattern(); is {
		match := pattern.Matcher()
		for name, s := range p.refused {
			if match(name) {
				allow(s)
			}
		}
		return
	}
	if !r.Suffix {
		if s := p.refused[r.Name]; s != nil {
			allow(s)
		}
		return
	}
	for name, s := range p.refused {
		if name == r.Name || strings.HasSuffix(name, "."+r.Name) {
			allow(s)
		}
	}
}

// passes is why a query may pass.
type passes uint8

const (
	refused passes = iota
	byList
	byGrant
	ofDnsmasq // what dnsmasq answers itself
)

// Allows reports whether a name may be asked for, and begins its one try where
// it has one. It counts nothing.
func (p *Policy) Allows(name string, now time.Time) bool {
	p.mu.Lock()
	v, _ := p.look(name, now)
	begun := v == byGrant && p.grants[name].begin(now)
	p.mu.Unlock()
	if begun && p.Ending != nil {
		p.Ending()
	}
	return v != refused
}

// Passes reports whether a name may be asked for. Unlike [Policy.Allows] it is
// no try.
func (p *Policy) Passes(name string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, _ := p.look(name, now)
	return v != refused
}

func (p *Policy) look(name string, now time.Time) (passes, *RuleState) {
	if s := p.match(name); s != nil {
		return byList, s
	}
	if g := p.grants[name]; g != nil && g.lasts(now) {
		return byGrant, nil
	}
	if p.local(name) {
		return ofDnsmasq, nil
	}
	return refused, nil
}

// match returns the rule in force that allows a name, the nearest one.
func (p *Policy) match(name string) *RuleState {
	if s := p.rules[key{name: name}]; s != nil && s.Gone.IsZero() {
		return s
	}
	for up := name; up != ""; up = rule.Parent(up) {
		if s := p.rules[key{name: up, suffix: true}]; s != nil && s.Gone.IsZero() {
			return s
		}
	}
	for _, of := range p.series {
		if of.state.Gone.IsZero() && of.match(name) {
			return of.state
		}
	}
	return nil
}

// Asked counts a query. first says that its name was refused, and never was
// before.
func (p *Policy) Asked(q Query) (first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Queries++
	if q.Failed {
		p.counts.Failures++
	}
	if q.Why != "" {
		p.counts.Odd++
	}
	v, r := refused, (*RuleState)(nil)
	if q.Why == "" {
		v, r = p.look(q.Name, q.At)
	}
	switch {
	case r != nil:
		if r.Queries++; r.Queries == 1 {
			r.First = q.At
			p.counts.Used++
		}
		r.Last = q.At
	case v == ofDnsmasq:
		p.counts.Local++
	}
	if !q.Refused && !q.WouldRefuse {
		return false
	}
	p.counts.Refused++
	p.last = q
	n := p.refused[q.Name]
	if first = n == nil; first {
		if len(p.refused) == maxNames {
			p.counts.Beyond++
			return false
		}
		n = &NameState{Name: q.Name, First: q.At, Why: q.Why}
		p.refused[q.Name] = n
		p.counts.Names++
	}
	n.Times++
	n.Last = q.At
	if !slices.Contains(n.Types, q.Type) && len(n.Types) < maxTypes {
		n.Types = append(n.Types, q.Type)
	}
	return first
}

// Bounds of what an instance can make us remember.
const (
	maxNames = 100_000
	maxTypes = 16
)

// States returns all rules and all names that were refused, both by name.
func (p *Policy) States() (rules []RuleState, names []NameState, c Counts) {
	rules, names, c = p.copied() // queries and the screen don't wait for the sorting
	slices.SortFunc(rules, func(a, b RuleState) int { return strings.Compare(a.Rule.Dotted(), b.Rule.Dotted()) })
	slices.SortFunc(names, func(a, b NameState) int { return strings.Compare(a.Name, b.Name) })
	return rules, names, c
}

func (p *Policy) copied() (rules []RuleState, names []NameState, c Counts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.rules {
		rules = append(rules, *s)
	}
	for _, s := range p.refused {
		n := *s
		n.Types = slices.Clone(s.Types)
		names = append(names, n)
	}
	return rules, names, p.counts
}

// Counts returns how much was asked for so far.
func (p *Policy) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Last returns the query that was refused last, the zero one if none was.
func (p *Policy) Last() Query {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// Name returns what became of a name, and whether it was ever refused.
func (p *Policy) Name(name string) (NameState, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.refused[name]
	if s == nil {
		return NameState{}, false
	}
	return *s, true
}

// Rule returns the rule in force that allows a name, and whether there is one.
func (p *Policy) Rule(name string) (RuleState, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.match(name)
	if s == nil {
		return RuleState{}, false
	}
	return *s, true
}
