package rule

import (
	"fmt"
	"slices"
	"strings"
)

// Change is a rule that came or went.
type Change struct {
	Rule Rule
	Gone bool
}

// Diff returns what makes the rules after of the rules before, by name.
// Neither order nor repetition counts, nor what is known of a rule.
func Diff(before, after []Rule) []Change {
	var changes []Change
	had, has := coversOf(before), coversOf(after)
	add := func(rules []Rule, other covers, gone bool) {
		for _, r := range rules {
			if !other.holds(r) {
				changes = append(changes, Change{r, gone})
			}
		}
	}
	add(before, has, true)
	add(after, had, false)
	slices.SortFunc(changes, func(a, b Change) int {
		switch {
		case a.Rule.Name != b.Rule.Name:
			return strings.Compare(a.Rule.Name, b.Rule.Name)
		case a.Gone == b.Gone:
			return strings.Compare(a.Rule.Kind(), b.Rule.Kind())
		case a.Gone: // as diff(1) has it
			return -1
		}
		return 1
	})
	return slices.CompactFunc(changes, func(a, b Change) bool { return a.Gone == b.Gone && a.Rule.key() == b.Rule.key() })
}

// holds reports whether this very rule is there.
func (c covers) holds(r Rule) bool {
	if r.Suffix {
		return c.suffix[r.Name] || c.below[r.Name]
	}
	return c.exact[r.Name]
}

// Uncovered returns the rules that allow what those of the other side don't, in
// their order.
func Uncovered(rules, by []Rule) []Rule {
	covers := coversOf(by)
	patterns := slices.DeleteFunc(slices.Clone(by), func(r Rule) bool { return r.Kind() != "pattern" })
	var out []Rule
	for _, r := range rules {
		matched := !r.Suffix && slices.ContainsFunc(patterns, func(p Rule) bool { return p.Covers(r.Name) })
		if _, ok := covers.widest(r); !ok && !matched {
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
	has := coversOf(rules)
	all := slices.Clone(rules)
	for _, r := range before {
		if has.holds(r) {
			r.Seen = nil
		}
		all = append(all, r)
	}
	return all
}

// Difference names the first rule that only one side has, "" if there is
// none. Order doesn't count, repetition does.
func Difference(got, want []Rule) string {
	if slices.EqualFunc(got, want, func(a, b Rule) bool { return a.key() == b.key() }) {
		return "" // as nearly always
	}
	got, want = ByName(got), ByName(want)
	for i := range max(len(got), len(want)) {
		switch {
		case i == len(got):
			return fmt.Sprintf("%s %q is missing", want[i].Kind(), want[i].Name)
		case i == len(want):
			return fmt.Sprintf("%s %q is too many", got[i].Kind(), got[i].Name)
		case got[i].key() != want[i].key():
			return fmt.Sprintf("%s %q stands where %s %q should", got[i].Kind(), got[i].Name, want[i].Kind(), want[i].Name)
		}
	}
	return ""
}

// ByName returns the rules in the order of their bytes, as sort(1) has it.
func ByName(rules []Rule) []Rule {
	names := make([]string, len(rules))
	for i, r := range rules {
		names[i] = r.Name
	}
	sorted := inOrder(rules, names)
	for same := sorted; len(same) > 0; { // those of one name by their kinds
		n := 1
		for n < len(same) && same[n].Name == same[0].Name {
			n++
		}
		if n > 1 {
			slices.SortStableFunc(same[:n], func(a, b Rule) int { return strings.Compare(a.Kind(), b.Kind()) })
		}
		same = same[n:]
	}
	return sorted
}
