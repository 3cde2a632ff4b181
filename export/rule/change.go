package rule

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"math/bits"
	"slices"
	"strings"
)

// Change is a rule that came or went.
type Change struct {
	Rule Rule
	Gone bool
}

// Diff returns what makes the rules after of the rules before, by name, what is
// gone first, as diff(1) has it. Neither order nor repetition counts, nor what
// is known of a rule.
func Diff(before, after []Rule) []Change {
	var changes []Change
	add := func(r Rule, gone bool) {
		if n := len(changes); n == 0 || changes[n-1].Gone != gone || changes[n-1].Rule.key() != r.key() {
			changes = append(changes, Change{r, gone})
		}
	}
	old, young := byName(before), byName(after)
	for len(old) > 0 || len(young) > 0 {
		n, m := run(before, old), run(after, young)
		switch {
		case n > 0 && m > 0 && before[old[0].at].Name != after[young[0].at].Name:
			if before[old[0].at].Name < after[young[0].at].Name {
				m = 0
			} else {
				n = 0
			}
		case n == 1 && m == 1 && before[old[0].at].Suffix == after[young[0].at].Suffix: // as nearly always
			old, young = old[1:], young[1:]
			continue
		}
		for _, p := range old[:n] {
			if !has(after, young[:m], before[p.at]) {
				add(before[p.at], true)
			}
		}
		for _, p := range young[:m] {
			if !has(before, old[:n], after[p.at]) {
				add(after[p.at], false)
			}
		}
		old, young = old[n:], young[m:]
	}
	return changes
}

// run returns how many of the first places have one name.
func run(rules []Rule, places []place) (n int) {
	for n < len(places) && rules[places[n].at].Name == rules[places[0].at].Name {
		n++
	}
	return n
}

// has reports whether one of the places has this very rule.
func has(rules []Rule, places []place, r Rule) bool {
	return slices.ContainsFunc(places, func(p place) bool { return rules[p.at].key() == r.key() })
}

// Uncovered returns the rules that allow what those of the other side don't, in
// their order.
func Uncovered(rules, by []Rule) []Rule {
	covers := coversOf(by)
	var patterns []Pattern
	var matchers []func(name string) bool
	var endpoints []Endpoint
	for _, r := range by {
		if p, is := r.Pattern(); is {
			patterns, matchers = append(patterns, p), append(matchers, p.Matcher())
		} else if at, is := r.Endpoint(); is {
			endpoints = append(endpoints, at)
		}
	}
	covered := func(r Rule) bool {
		if _, ok := covers.widest(&r); ok || r.Suffix {
			return ok
		}
		if at, is := r.Endpoint(); is {
			return slices.ContainsFunc(endpoints, at.Within)
		}
		if p, is := r.Pattern(); is {
			return slices.ContainsFunc(patterns, p.isWithin)
		}
		return slices.ContainsFunc(matchers, func(matches func(string) bool) bool { return matches(r.Name) })
	}
	var out []Rule
	for _, r := range rules {
		if !covered(r) {
			out = append(out, r)
		}
	}
	return out
}

// String returns "+ name" or "- name".
func (c Change) String() string {
	if c.Gone {
		return "- " + c.Rule.String()
	}
	return "+ " + c.Rule.String()
}

// summaryNames is how many names a line of text can tell before nobody reads
// on.
const summaryNames = 5

// Summary counts changes and names the first few, in one line: "1 rule more
// and 2 less: + a.example, - b.example, - c.example". Without changes it says
// "the same rules".
func Summary(changes []Change) string {
	if len(changes) == 0 {
		return "the same rules"
	}
	more := 0
	var names []string
	for _, c := range changes {
		if !c.Gone {
			more++
		}
		names = append(names, c.String())
	}
	if rest := len(names) - summaryNames; rest > 1 {
		names = append(names[:summaryNames], fmt.Sprintf("and %d more", rest))
	}
	return fmt.Sprintf("%d more and %d less: %s", more, len(changes)-more, strings.Join(names, ", "))
}

// Unite returns the rules with those from before. What was seen of a rule is
// counted once only, or an hour's evidence would double with each time.
func Unite(rules, before []Rule) []Rule {
	all := slices.Concat(rules, before)
	if !slices.ContainsFunc(before, func(r Rule) bool { return r.Seen != nil }) {
		return all // as of most formats
	}
	has := coversOf(rules)
	for i := range all[len(rules):] {
		if r := &all[len(rules)+i]; r.Seen != nil && has.holds(*r) {
			r.Seen = nil
		}
	}
	return all
}

// Difference names the first rule that only one side has, "" if there is
// none. Order doesn't count, repetition does.
func Difference(got, want []Rule) string {
	if slices.EqualFunc(got, want, func(a, b Rule) bool { return a.key() == b.key() }) {
		return "" // as nearly always
	}
	if seed := maphash.MakeSeed(); SumOf(got, seed) == SumOf(want, seed) {
		return "" // in another order
	}
	places, others := byName(got), byName(want)
	for i := range max(len(got), len(want)) {
		var g, w Rule
		if i < len(got) {
			g = got[places[i].at]
		}
		if i < len(want) {
			w = want[others[i].at]
		}
		switch {
		case i >= len(got):
			return fmt.Sprintf("%s %q is missing", w.Kind(), w.Name)
		case i >= len(want):
			return fmt.Sprintf("%s %q is too many", g.Kind(), g.Name)
		case g.key() != w.key():
			return fmt.Sprintf("%s %q stands where %s %q should", g.Kind(), g.Name, w.Kind(), w.Name)
		}
	}
	return ""
}

// Sum is the same for the same rules in any order, each as often, whatever else is
// known of them. With a seed that nobody knows, others have the same one once in
// 2^64 times.
type Sum struct {
	rules  int
	hashes uint64
}

// SumOf returns the sum of rules.
func SumOf(rules []Rule, seed maphash.Seed) (s Sum) {
	for i := range rules {
		r := &rules[i]
		hash := maphash.String(seed, r.Name)
		if r.Suffix {
			hash = bits.ReverseBytes64(hash) * 0x9e3779b97f4a7c15
		}
		s.hashes += hash
	}
	s.rules = len(rules)
	return s
}

// Plus returns the sum of both's rules.
func (s Sum) Plus(t Sum) Sum { return Sum{s.rules + t.rules, s.hashes + t.hashes} }

// ByName returns the rules in the order of their bytes, as sort(1) has it, those
// of one name by their kinds.
func ByName(rules []Rule) []Rule {
	all := make([]Rule, len(rules))
	for i, p := range byName(rules) {
		all[i] = rules[p.at]
	}
	return all
}

// byLine sorts rules by the bytes of their lines in a plain list, as sort(1) does.
func byLine(rules []Rule) []Rule {
	places := make([]place, len(rules))
	for i := range rules {
		places[i].at = uint32(i)
	}
	sortPlaces(places, func(p place, from int) uint64 {
		r := &rules[p.at]
		switch {
		case !r.Suffix:
			return word(r.Name, from)
		case from == 0:
			return '.'<<(8*(wordBytes-1)) | word(r.Name, 0)>>8
		}
		return word(r.Name, from-1)
	}, func(a, b place) int {
		return cmp.Or(strings.Compare(rules[a.at].Dotted(), rules[b.at].Dotted()), cmp.Compare(a.at, b.at))
	})
	arrange(rules, places)
	return rules
}

// byName returns the places of the rules in the order of ByName.
func byName(rules []Rule) []place {
	places := make([]place, len(rules))
	for i := range rules {
		places[i].at = uint32(i)
	}
	sortPlaces(places, func(p place, from int) uint64 { return word(rules[p.at].Name, from) }, func(a, b place) int {
		x, y := &rules[a.at], &rules[b.at]
		if c := strings.Compare(x.Name, y.Name); c != 0 {
			return c
		}
		return cmp.Or(strings.Compare(x.Kind(), y.Kind()), cmp.Compare(a.at, b.at))
	})
	return places
}
