package rule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"", "", "the same rules"},
		{"a.example b.example", "b.example a.example a.example", "the same rules"},
		{"", "b.example a.example", "2 more and 0 less: + a.example, + b.example"},
		{"b.example b.example", "a.example", "1 more and 1 less: + a.example, - b.example"},
		{"a.example", ".a.example", "1 more and 1 less: - a.example, + .a.example"},
		{".a.example a.example", "a.example", "0 more and 1 less: - .a.example"},
		{"", "a b c d e f", "6 more and 0 less: + a, + b, + c, + d, + e, + f"},
		{"", "a b c d e f g", "7 more and 0 less: + a, + b, + c, + d, + e, and 2 more"},
	} {
		if got := Summary(Diff(ruleList(c.before), ruleList(c.after))); got != c.want {
			t.Errorf("%s to %s: %s, want %s", c.before, c.after, got, c.want)
		}
	}
	changes := Diff([]Rule{{Name: "a.example", Reason: "seen"}}, ruleList("a.example"))
	if len(changes) > 0 {
		t.Errorf("what is known counts: %v", changes)
	}
}

// Order doesn't count in a difference, kinds and repetition do.
func TestDifference(t *testing.T) {
	for _, c := range []struct{ got, want, difference string }{
		{"", "", ""},
		{"b.example .a.example c.example", ".a.example b.example c.example", ""},
		{"a.example b.example b.example", "b.example b.example a.example", ""},
		{"a.example b.example b.example", "a.example a.example b.example", `exact "b.example" stands where exact "a.example" should`},
		{"b.example .a.example", "a.example b.example", `suffix "a.example" stands where exact "a.example" should`},
		{"b.example", "a.example b.example", `exact "b.example" stands where exact "a.example" should`},
		{"b.example a.example", "a.example", `exact "b.example" is too many`},
	} {
		if got := Difference(ruleList(c.got), ruleList(c.want)); got != c.difference {
			t.Errorf("%s, want %s: %s; should be %q", c.got, c.want, got, c.difference)
		}
	}
}

// What one target can't hold stays in the list for the others.
func TestHoldKeepsTheList(t *testing.T) {
	list, _ := Compile(List{Rules: ruleList("a.example b.example c.example d.example")})
	held, refused := list.Hold(func(r Rule) string {
		if r.Name == "b.example" || r.Name == "c.example" {
			return "no"
		}
		return ""
	})
	if diff := Difference(ruleList("a.example d.example"), held.Rules()); diff != "" || len(refused) != 2 {
		t.Errorf("held %v, refused %v", held.Rules(), refused)
	}
	wide, _ := list.Widen()
	if diff := Difference(ruleList(".a.example .b.example .c.example .d.example"), wide.Rules()); diff != "" {
		t.Errorf("widened: %s", diff)
	}
	if diff := Difference(ruleList("a.example b.example c.example d.example"), list.Rules()); diff != "" {
		t.Errorf("the list itself: %s", diff)
	}
}

// Rules come out of files that anyone may have written.
func TestRuleIsFitForATerminal(t *testing.T) {
	for name, want := range map[string]string{
		"www.example.com":  "www.example.com",
		"\x1b[2J":          `"\x1b[2J"`,
		"a\u202eb.example": `"a\u202eb.example"`,
		"192.0.2.1":        `"192.0.2.1"`,
	} {
		if got := (Rule{Name: name}).String(); got != want {
			t.Errorf("%q is written as %s, want %s", name, got, want)
		}
	}
	if got := (Rule{Name: "example.net", Suffix: true}).String(); got != ".example.net" {
		t.Errorf("a suffix is written as %s", got)
	}
}

// The same rules in another order are no difference; one that is another, or
// that stands twice for another, is.
func TestDifferenceInAnyOrder(t *testing.T) {
	var want []Rule
	for i := range 50 {
		want = append(want, Rule{Name: fmt.Sprintf("n%d.example", i/2), Suffix: i%2 == 0})
	}
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 16))
		got := slices.Clone(want)
		rng.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		if diff := Difference(got, want); diff != "" {
			t.Fatal(diff)
		}
		changed, at := slices.Clone(got), rng.IntN(len(got))
		changed[at].Suffix = !changed[at].Suffix
		double := slices.Clone(got)
		double[at] = got[(at+1)%len(got)]
		if Difference(changed, want) == "" || Difference(double, want) == "" {
			t.Fatalf("seed %d: no difference", seed)
		}
	}
}

// A list covers an address within one of its prefixes, at its port, and a pattern
// that leaves no more open than its own.
func TestUncovered(t *testing.T) {
	list := func(text string) (rules []Rule) {
		for name := range strings.FieldsSeq(text) {
			rules = append(rules, FromDotted(name))
		}
		return rules
	}
	for _, c := range []struct{ rules, by, want string }{
		{"192.0.2.7:443/tcp 192.0.2.0/25:443/tcp 192.0.2.0/24:443/tcp", "192.0.2.0/24:443/tcp", ""},
		{"192.0.2.7:443/udp 192.0.2.7:80/tcp 192.0.3.7:443/tcp 192.0.2.0/23:443/tcp", "192.0.2.0/24:443/tcp", "192.0.2.7:443/udp 192.0.2.7:80/tcp 192.0.3.7:443/tcp 192.0.2.0/23:443/tcp"},
		{"[2001:db8::7]:443/tcp [2001:db9::7]:443/tcp", "0.0.0.0/0:443/tcp [2001:db8::/32]:443/tcp", "[2001:db9::7]:443/tcp"},
		{"sa<0-9>.b.example.net sa<00-99>.b.example.net", "sa<0-99>.b.example.net", ""},
		{"sa<0-99>.b.example.net", "sa<0-9>.b.example.net sa<00-99>.b.example.net", "sa<0-99>.b.example.net"},
		{"sb<0-9>.b.example.net sa<0-9>.c.example.net sa<0-9>-<0-9>.b.example.net", "sa<0-9>.b.example.net", "sb<0-9>.b.example.net sa<0-9>.c.example.net sa<0-9>-<0-9>.b.example.net"},
		{"<region>.b.example.net <0-9>.b.example.net", "<region>.b.example.net", "<0-9>.b.example.net"},
		{"<region>.b.example.net", "<0-9>.b.example.net", "<region>.b.example.net"},
		{"sa<0-9>.b.example.net a.b.example.net", ".b.example.net", ""},
		{".b.example.net", "sa<0-9>.b.example.net b.example.net", ".b.example.net"},
	} {
		var got []string
		for _, r := range Uncovered(list(c.rules), list(c.by)) {
			got = append(got, r.Dotted())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s by %s: outside %q, want %q", c.rules, c.by, got, c.want)
		}
	}
}
