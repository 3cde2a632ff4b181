package rule

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"lxd-allowlist/parse"
)

// Compiled is a list that any format can take: every name is clean, no rule
// is covered by another, and the order is that of [Compile].
type Compiled struct {
	rules   []Rule
	aliases []string
	header  Header
	doubts  []string
	leftOut string

	overruled []string
}

// Rules returns a copy of the rules.
func (c Compiled) Rules() []Rule { return slices.Clone(c.rules) }

// Aliases returns a copy of the names that were seen only as the target of a
// CNAME.
func (c Compiled) Aliases() []string { return slices.Clone(c.aliases) }

// Header says where the list comes from.
func (c Compiled) Header() Header { return c.header }

// Doubts says why there may have been names that the list doesn't have.
func (c Compiled) Doubts() []string { return slices.Clone(c.doubts) }

// Overruled returns the names that a person dropped and that the list allows
// all the same.
func (c Compiled) Overruled() []string { return slices.Clone(c.overruled) }

// LeftOut says how many names the list leaves out and why, "" for none.
func (c Compiled) LeftOut() string { return c.leftOut }

// Len returns how many rules there are.
func (c Compiled) Len() int { return len(c.rules) }

// Hold parts the rules into those that a target holds and those that it can't:
// problem says why, "" if it can.
func (c Compiled) Hold(problem func(Rule) string) (Compiled, []Refused) {
	var refused []Refused
	c.rules = slices.DeleteFunc(c.Rules(), func(r Rule) bool {
		why := problem(r)
		if why != "" {
			refused = append(refused, Refused{Rule: r, Reason: why})
		}
		return why != ""
	})
	return c, refused
}

// Widen makes a suffix of each rule, for a target that can't say "exact". What
// must not be one is refused.
func (c Compiled) Widen() (Compiled, []Refused) {
	c, refused := c.Hold(func(r Rule) string {
		if _, is := r.Endpoint(); is {
			return "is an address, which has no names below it"
		}
		r.Suffix = true
		return r.Problem()
	})
	for i := range c.rules {
		c.rules[i].Suffix = true
	}
	c.rules = minimise(c.rules)
	return c, refused
}

// Names parts the rules about names from those about addresses, which are
// refused: for what knows names alone.
func (c Compiled) Names() (Compiled, []Refused) {
	return c.Hold(func(r Rule) string {
		if _, is := r.Endpoint(); is {
			return "is an address, and names alone are enforced"
		}
		return ""
	})
}

// Refused is a rule or an alias that reaches no file, or not that of one
// target.
type Refused struct {
	Rule   Rule
	Reason string // "is an address, not a name"; of a target: "it takes no single label"
	Target string // the format's name, "" for any
}

// Why says it in full, with the name before it.
func (r Refused) Why() string {
	if r.Target == "" {
		return r.Reason
	}
	return "has no place in " + r.Target + ": " + r.Reason
}

// Compile is the one gate before every format. It refuses what must not be
// exported (see [Rule.Problem]), drops what a suffix covers, merges
// duplicates and sorts: by registrable domain, then by label from the right.
func Compile(l List) (Compiled, []Refused) {
	var refused []Refused
	pass := func(r Rule) bool {
		why := r.Problem()
		if why != "" {
			refused = append(refused, Refused{Rule: r, Reason: why})
		}
		return why == ""
	}
	rules := make([]Rule, 0, len(l.Rules))
	for _, r := range l.Rules {
		if pass(r) {
			rules = append(rules, r)
		}
	}
	var covers covers
	if len(l.Aliases) > 0 {
		covers = coversOf(rules)
	}
	var aliases []string
	for _, name := range l.Aliases {
		r := Rule{Name: name}
		if _, covered := covers.widest(r); !covered && pass(r) {
			aliases = append(aliases, name)
		}
	}
	return Compiled{rules: minimise(rules), aliases: sortNames(aliases), header: l.Header, doubts: slices.Clone(l.Doubts), leftOut: l.LeftOut, overruled: slices.Clone(l.Overruled)}, refused
}

// Problem says why the rule must not be exported, "" if it may.
func (r Rule) Problem() string {
	if at, is := r.Endpoint(); is {
		return at.Problem()
	}
	if p, is := r.Pattern(); is {
		return p.problem()
	}
	if !parse.Clean([]byte(r.Name)) { // as no address is
		if _, err := netip.ParseAddr(r.Name); err == nil {
			return "is an address, not a name"
		}
		return "is not a name that a list can hold: letters, digits, - and _ only, labels of 1 to 63, 253 in all"
	}
	if r.Suffix {
		return tooBroad(r.Name)
	}
	return ""
}

// covers holds the names of all suffix rules and of all exact ones.
type covers struct{ suffix, exact, below map[string]bool }

func coversOf(rules []Rule) covers {
	c := covers{make(map[string]bool), make(map[string]bool), make(map[string]bool)}
	for _, r := range rules {
		if r.Suffix && r.Below {
			c.below[r.Name] = true
		} else if r.Suffix {
			c.suffix[r.Name] = true
		} else {
			c.exact[r.Name] = true
		}
	}
	return c
}

// widest returns the widest rule that allows all that r does, and whether
// there is one.
func (c covers) widest(r Rule) (key ruleKey, ok bool) {
	if !r.Suffix && c.exact[r.Name] {
		key, ok = ruleKey{r.Name, false}, true
	}
	for name := r.Name; name != ""; name = Parent(name) {
		if c.suffix[name] || c.below[name] && (name != r.Name || r.Suffix && !r.Apex) {
			key, ok = ruleKey{name, true}, true
		}
	}
	return key, ok
}

type ruleKey struct {
	name   string
	suffix bool
}

func (r Rule) key() ruleKey { return ruleKey{r.Name, r.Suffix} }

// Parent returns the name without its first label, "" for a single label.
func Parent(name string) string {
	_, up, _ := strings.Cut(name, ".")
	return up
}

// minimise returns the fewest rules that allow the same, sorted. A rule that
// goes leaves its evidence with the one that covers it, and what was said of
// the name.
func minimise(rules []Rule) []Rule {
	if !slices.ContainsFunc(rules, func(r Rule) bool { return r.Suffix }) {
		return merged(sortBy(rules, func(r Rule) string { return r.Name }))
	}
	covers := coversOf(rules)
	place := make(map[ruleKey]int)
	var kept, covered []Rule
	for _, r := range rules {
		if key, _ := covers.widest(r); key != r.key() {
			covered = append(covered, r)
		} else if i, ok := place[key]; ok {
			kept[i].merge(r)
		} else {
			place[key] = len(kept)
			kept = append(kept, r)
		}
	}
	for _, r := range covered {
		key, _ := covers.widest(r)
		k := &kept[place[key]]
		k.Seen = k.Seen.Merge(r.Seen)
		if r.Name == k.Name {
			k.Reason, k.Apex = both(k.Reason, r.Reason), k.Apex || !r.Absent()
		}
	}
	return sortBy(kept, func(r Rule) string { return r.Name })
}

// merged returns sorted rules, each once.
func merged(rules []Rule) []Rule {
	kept := rules[:0]
	for _, r := range rules {
		if n := len(kept); n > 0 && kept[n-1].key() == r.key() {
			kept[n-1].merge(r)
		} else {
			kept = append(kept, r)
		}
	}
	return kept
}

// merge takes over what is said of the same rule elsewhere.
func (r *Rule) merge(same Rule) {
	r.Apex = r.Apex || same.Apex
	r.Reason, r.Source, r.Seen = both(r.Reason, same.Reason), cmp.Or(r.Source, same.Source), r.Seen.Merge(same.Seen)
}

// both returns two texts in one, unless one says all that the other does.
func both(a, b string) string {
	switch {
	case strings.Contains(a, b):
		return a
	case strings.Contains(b, a):
		return b
	}
	return a + "; " + b
}

func sortNames(names []string) []string {
	names = sortBy(names, func(s string) string { return s })
	return slices.Compact(names)
}

// sortBy sorts stably by the names' sort keys, each made once.
func sortBy[T any](values []T, name func(T) string) []T {
	all := make([]string, len(values))
	var keys strings.Builder
	for i, v := range values {
		name := name(v)
		if keys.Cap()-keys.Len() < 2*len(name)+2*len(separator) {
			keys = strings.Builder{}
			keys.Grow(1 << 16)
		}
		begin := keys.Len()
		writeKey(&keys, name)
		all[i] = keys.String()[begin:]
	}
	return inOrder(values, all)
}

// inOrder sorts stably by a key of each value. Most keys are told apart by
// their first bytes, which are compared as a number.
func inOrder[T any](values []T, keys []string) []T {
	type keyed struct {
		head uint64
		key  string
		at   int
	}
	all := make([]keyed, len(values))
	for i, key := range keys {
		var head [8]byte
		copy(head[:], key)
		all[i] = keyed{binary.BigEndian.Uint64(head[:]), key, i}
	}
	slices.SortFunc(all, func(a, b keyed) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return cmp.Or(strings.Compare(a.key, b.key), a.at-b.at)
	})
	sorted := make([]T, len(values))
	for i, k := range all {
		sorted[i] = values[k.at]
	}
	return sorted
}

// separator is what a label can't hold, and is below all that it can.
const separator = "\x00"

// writeKey writes what makes names compare by registrable domain, then by label
// from the right.
func writeKey(to *strings.Builder, name string) {
	if strings.Contains(name, ":") { // endpoints, behind all names
		to.WriteString("\xff" + name)
		return
	}
	registrable, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil { // a public suffix itself
		registrable = name
	}
	to.WriteString(registrable)
	to.WriteString(separator)
	for end := len(name); end >= 0; {
		dot := strings.LastIndexByte(name[:end], '.')
		to.WriteString(separator)
		to.WriteString(name[dot+1 : end])
		end = dot
	}
}
