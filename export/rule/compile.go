package rule

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"lxd-allowlist/capture/crash/lanes"
	"lxd-allowlist/parse"
)

// Compiled is a list that any format can take: every name is clean, no rule
// is covered by another, and the order is that of [Compile], or of [CompileByLine].
type Compiled struct {
	rules   []Rule
	byLine  bool
	aliases []string
	header  Header
	doubts  []string
	leftOut string

	overruled []string
}

// Rules returns the rules, which are not to be changed: a list has many, and is
// asked for them often.
func (c Compiled) Rules() []Rule { return slices.Clip(c.rules) }

// ByLine returns the rules in the order of the bytes of their lines in a plain list,
// as sort(1) has it. They are not to be changed either.
func (c Compiled) ByLine() []Rule {
	if c.byLine {
		return c.Rules()
	}
	return byLine(slices.Clone(c.rules))
}

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

// HasPatterns reports whether a rule is a pattern, which hardly any list has.
func (c Compiled) HasPatterns() bool {
	return slices.ContainsFunc(c.rules, func(r Rule) bool { return strings.IndexByte(r.Name, '<') >= 0 })
}

// HasEndpoints reports whether a rule is an endpoint: behind all names stands one
// then, unless the order is that of the lines.
func (c Compiled) HasEndpoints() bool {
	rules := c.rules
	if !c.byLine {
		rules = rules[max(0, len(rules)-1):]
	}
	return slices.ContainsFunc(rules, func(r Rule) bool {
		_, is := r.Endpoint()
		return is
	})
}

// Hold parts the rules into those that a target holds and those that it can't:
// problem says why, "" if it can.
func (c Compiled) Hold(problem func(Rule) string) (Compiled, []Refused) {
	places, refused := problems(c.rules, problem)
	if len(refused) > 0 { // hardly ever: else nothing is copied
		c.rules = without(slices.Clone(c.rules), places)
	}
	return c, refused
}

// problems returns where the rules stand that there is a problem with, and says
// which. It asks for several at once.
func problems(rules []Rule, problem func(Rule) string) (places []int, refused []Refused) {
	places = lanes.Collect("the judging of rules", len(rules), func(i int) (int, bool) { return i, problem(rules[i]) != "" })
	for _, i := range places {
		refused = append(refused, Refused{Rule: rules[i], Reason: problem(rules[i])})
	}
	return places, refused
}

// without takes the rules out that stand at some places, in their order.
func without(rules []Rule, places []int) []Rule {
	if len(places) == 0 {
		return rules
	}
	kept := rules[:places[0]]
	for n, at := range places {
		next := len(rules)
		if n+1 < len(places) {
			next = places[n+1]
		}
		kept = append(kept, rules[at+1:next]...)
	}
	clear(rules[len(kept):])
	return kept
}

// Widen makes a suffix of each rule about names, for a target that can't say
// "exact". What must not be one is refused.
func (c Compiled) Widen() (Compiled, []Refused) {
	c, refused := c.Hold(func(r Rule) string {
		if _, is := r.Endpoint(); is {
			return ""
		}
		r.Suffix = true
		return r.Problem()
	})
	wide := slices.Clone(c.rules)
	for i := range wide {
		_, address := wide[i].Endpoint()
		wide[i].Suffix = !address
	}
	c.rules = minimise(wide, func(sorted []Rule) []Rule { return sorted })
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

// Enforced parts the rules into those that are held to when the list is put in
// force, strictly or not, and those that can't be.
func (c Compiled) Enforced(strict bool) (Compiled, []Refused) {
	if !strict {
		return c.Names()
	}
	return c.Hold(func(r Rule) string {
		if at, is := r.Endpoint(); is && at.Port.Number == dnsPort {
			return "is an address for DNS, and queries are answered by the list wherever they go"
		}
		return ""
	})
}

const dnsPort = 53

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
	l.Rules = slices.Clone(l.Rules)
	return CompileInPlace(l)
}

// CompileInPlace is Compile that uses up the list's rules: they are not to be
// read afterwards, and no second slice of them is made.
func CompileInPlace(l List) (Compiled, []Refused) { return compileAs(l, false) }

// CompileByLine is CompileInPlace that sorts as [Compiled.ByLine] does, for a file
// of such lines: a large list takes long to be sorted by domains first.
func CompileByLine(l List) (Compiled, []Refused) { return compileAs(l, true) }

func compileAs(l List, lines bool) (Compiled, []Refused) {
	sort := ByDomain
	if lines {
		sort = byLine
	}
	places, refused := problems(l.Rules, Rule.Problem)
	rules := without(l.Rules, places)
	var covers covers
	if len(l.Aliases) > 0 {
		covers = coversOf(rules)
	}
	var aliases []string
	for _, name := range l.Aliases {
		r := Rule{Name: name}
		if _, covered := covers.widest(&r); covered {
			continue
		}
		if why := r.Problem(); why != "" {
			refused = append(refused, Refused{Rule: r, Reason: why})
			continue
		}
		aliases = append(aliases, name)
	}
	return Compiled{rules: minimise(rules, sort), byLine: lines, aliases: sortNames(aliases), header: l.Header, doubts: slices.Clone(l.Doubts), leftOut: l.LeftOut, overruled: slices.Clone(l.Overruled)}, refused
}

// Problem says why the rule must not be exported, "" if it may.
func (r Rule) Problem() string {
	if parse.Clean([]byte(r.Name)) { // as no endpoint, pattern or address is
		if r.Suffix {
			return tooBroad(r.Name)
		}
		return ""
	}
	if at, is := r.Endpoint(); is {
		return at.Problem()
	}
	if p, is := r.Pattern(); is {
		return p.problem()
	}
	_, address := netip.ParseAddr(r.Name)
	if _, prefix := netip.ParsePrefix(r.Name); address == nil || prefix == nil {
		return "is an address, not a name"
	}
	if parse.EndsInNumber(r.Name) {
		return "ends in a number: programs take it for an address"
	}
	return "is not a name that a list can hold: letters, digits, - and _ only, labels of 1 to 63, 253 in all"
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

// ByDomain sorts rules, in place, as [Compile] does.
func ByDomain(rules []Rule) []Rule { return sorted(rules, ruleName) }

// minimise returns the fewest rules that allow the same, sorted by sort, in the
// slice that it is given. A rule that goes leaves its evidence with the one that
// covers it, and what was said of the name.
func minimise(rules []Rule, sort func([]Rule) []Rule) []Rule {
	covers := wideOf(rules)
	if len(covers.wide.kinds) == 0 {
		return merged(sort(rules))
	}
	type under struct {
		place int
		rule  Rule // that stands there
		by    ruleKey
	}
	lane := make([][]under, lanes.Count())
	lanes.Do("the covering of rules", len(rules), lanes.Many, func(n, from, to int) {
		covers := covers // each lane remembers what it asked for last
		for i := from; i < to; i++ {
			if key, ok := covers.widest(&rules[i]); ok && key != rules[i].key() {
				lane[n] = append(lane[n], under{i, rules[i], key})
			}
		}
	})
	covered := slices.Concat(lane...)
	places := make([]int, len(covered))
	for i, c := range covered {
		places[i] = c.place
	}
	kept := without(rules, places)
	kept = merged(sort(kept))
	if len(covered) == 0 {
		return kept
	}
	place := make(map[string]int, len(covers.wide.kinds))
	for i, r := range kept {
		if r.Suffix {
			place[r.Name] = i
		}
	}
	for _, c := range covered {
		k, r := &kept[place[c.by.name]], c.rule
		k.Seen = k.Seen.Merge(r.Seen)
		if r.Name == k.Name {
			k.Reason, k.Apex = both(k.Reason, r.Reason), k.Apex || !r.Absent()
		}
	}
	return kept
}

func ruleName(r Rule) string { return r.Name }

// merged returns sorted rules, each once.
func merged(rules []Rule) []Rule {
	twice := 1
	for twice < len(rules) && rules[twice].Name != rules[twice-1].Name {
		twice++
	}
	if twice >= len(rules) { // as mostly: nothing is moved
		return rules
	}
	kept := rules[:twice]
next:
	for _, r := range rules[twice:] {
		for i := len(kept) - 1; i >= 0 && kept[i].Name == r.Name; i-- { // there may be an exact one and a suffix
			if kept[i].Suffix == r.Suffix {
				kept[i].merge(r)
				continue next
			}
		}
		kept = append(kept, r)
	}
	clear(rules[len(kept):])
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
