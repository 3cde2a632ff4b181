package rule

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/publicsuffix"
)

// names writes rules as a plain list does, in their order.
func names(rules []Rule) string {
	var words []string
	for _, r := range rules {
		words = append(words, r.Dotted())
	}
	return strings.Join(words, " ")
}

// ruleList reads what names writes.
func ruleList(words string) []Rule {
	var rules []Rule
	for _, w := range strings.Fields(words) {
		rules = append(rules, FromDotted(w))
	}
	return rules
}

func compile(t *testing.T, words string) Compiled {
	t.Helper()
	c, refused := Compile(List{Rules: ruleList(words)})
	if len(refused) > 0 {
		t.Fatalf("refused %v", refused)
	}
	return c
}

func TestCompileRules(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"a.example a.example", "a.example"},
		{"a.example .a.example", ".a.example"},
		{".a.example .a.example b.a.example .c.a.example", ".a.example"},
		{".c.b.a.example .b.a.example .a.example", ".a.example"},
		{"nota.example .a.example", ".a.example nota.example"},
		{"a-a.example.com a.example.com a.a.example.com", "a.example.com a.a.example.com a-a.example.com"},
		{"z.example.com a.example.net www.example.com example.com", "example.com www.example.com z.example.com a.example.net"},
		{"www.b.co.uk www.a.co.uk intranet b.co.uk", "www.a.co.uk b.co.uk www.b.co.uk intranet"},
		{"_dmarc.a.example xn--bcher-kva.example com", "_dmarc.a.example com xn--bcher-kva.example"},
	} {
		if got := names(compile(t, c.in).rules); got != c.want {
			t.Errorf("Compile(%s) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, c := range []struct {
		rule Rule
		word string // in the reason
	}{
		{Rule{Name: ""}, "not a name"},
		{Rule{Name: "x/com"}, "not a name"},
		{Rule{Name: "a b.example"}, "not a name"},
		{Rule{Name: "a#b.example"}, "not a name"},
		{Rule{Name: "~.*"}, "not a name"},
		{Rule{Name: "*.example.com"}, "not a name"},
		{Rule{Name: "a\nb.example"}, "not a name"},
		{Rule{Name: "192.0.2.7"}, "an address"},
		{Rule{Name: "2001:db8::1"}, "an address"},
		{Rule{Name: "com", Suffix: true}, "top-level"},
		{Rule{Name: "intranet", Suffix: true}, "single label"},
		{Rule{Name: "co.uk", Suffix: true}, "public suffix"},
	} {
		got, refused := Compile(List{Rules: []Rule{c.rule, {Name: "a.example"}}, Aliases: []string{c.rule.Name}})
		if names(got.rules) != "a.example" {
			t.Errorf("%q: compiled %s", c.rule.Name, names(got.rules))
		}
		if len(refused) == 0 || refused[0].Rule != c.rule || !strings.Contains(refused[0].Reason, c.word) {
			t.Errorf("%q: refused %v, want a reason with %q", c.rule.Name, refused, c.word)
		}
		if clean := c.rule.Suffix; clean != (len(got.aliases) == 1) {
			t.Errorf("%q: aliases %q", c.rule.Name, got.aliases)
		}
	}
}

func TestCompileAliases(t *testing.T) {
	c, _ := Compile(List{
		Rules:   ruleList("www.example.com .example.net"),
		Aliases: []string{"z.example", "www.example.com", "a.example.net", "a.example", "z.example"},
	})
	if got := strings.Join(c.aliases, " "); got != "a.example z.example" {
		t.Errorf("aliases %s", got)
	}
}

func TestCompileMergesEvidence(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	c, _ := Compile(List{Rules: []Rule{
		{Name: "a.example", Seen: &Seen{Queries: 2, Outcome: "resolved", Instances: []string{"web"}, First: at(5), Last: at(9), Types: []string{"A"}}},
		{Name: "a.example", Reason: "updates", Source: "user", Seen: &Seen{Queries: 3, Instances: []string{"db", "web"}, First: at(3), Last: at(4), Types: []string{"A", "AAAA"}}},
		{Name: "x.b.example", Reason: "gone", Seen: &Seen{Queries: 7}},
		{Name: "b.example", Suffix: true, Reason: "all of it"},
	}})
	want := []Rule{
		{Name: "a.example", Reason: "updates", Source: "user", Seen: &Seen{Queries: 5, Outcome: "resolved", Instances: []string{"db", "web"}, First: at(3), Last: at(9), Types: []string{"A", "AAAA"}}},
		{Name: "b.example", Suffix: true, Reason: "all of it", Seen: &Seen{Queries: 7}},
	}
	if !reflect.DeepEqual(c.rules, want) {
		t.Errorf("got %+v", c.rules)
	}
}

// allows is the slow, obvious meaning of rules.
func allows(rules []Rule, name string) bool {
	for _, r := range rules {
		if r.Name == name || r.Suffix && strings.HasSuffix(name, "."+r.Name) {
			return true
		}
	}
	return false
}

// Compiled rules allow the same names as before, none of them is needless,
// and the order of what went in doesn't matter.
func TestCompileProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	labels := []string{"a", "b", "a-b", "_c"}
	name := func() string {
		words := []string{"example"}
		for range 1 + random.IntN(4) {
			words = append([]string{labels[random.IntN(len(labels))]}, words...)
		}
		return strings.Join(words, ".")
	}
	for range 500 {
		var in []Rule
		for range random.IntN(12) {
			in = append(in, Rule{Name: name(), Suffix: random.IntN(3) == 0})
		}
		c, _ := Compile(List{Rules: in})
		for range 50 {
			if n := name(); allows(in, n) != allows(c.rules, n) {
				t.Fatalf("%s compiled to %s: differ about %s", names(in), names(c.rules), n)
			}
		}
		for i, r := range c.rules {
			if without := slices.Concat(c.rules[:i], c.rules[i+1:]); allows(without, r.Name) && (!r.Suffix || allows(without, "new."+r.Name)) {
				t.Fatalf("%s compiled to %s: %s is needless", names(in), names(c.rules), r.Dotted())
			}
		}
		random.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
		if again, _ := Compile(List{Rules: in}); names(again.rules) != names(c.rules) {
			t.Fatalf("%s, then in another order %s", names(c.rules), names(again.rules))
		}
	}
}

// A list is sorted where it is: no rule is copied, and no set of all names made.
func TestCompileInPlaceAllocates(t *testing.T) {
	pool := sync.Pool{New: func() any { return new(Rule) }}
	forgotten := testing.AllocsPerRun(1, func() {
		for range 10_000 {
			pool.Put(pool.Get())
		}
	})
	// One for each, since publicsuffix asks whether it is an address, and the lanes';
	// and what the pool of psl forgets, which under the race detector is a quarter of
	// what it is given.
	limit := 10_100 + 2*forgotten
	for _, suffix := range []bool{false, true} {
		rules := make([]Rule, 10_000)
		if n := testing.AllocsPerRun(3, func() {
			for i := range rules {
				rules[i] = Rule{Name: many[i*7919%len(many)]}
			}
			rules[0].Suffix = suffix
			if c, _ := CompileInPlace(List{Rules: rules}); c.Len() != len(rules) {
				t.Errorf("%d rules", c.Len())
			}
		}); n > limit {
			t.Errorf("%v allocations for 10,000 rules", n)
		}
	}
}

// many are names in no order.
var many = func() (names [10_000]string) {
	for i := range names {
		names[i] = fmt.Sprintf("h%d.site%d.example", i, i%100)
	}
	return names
}()

// The order is by registrable domain, then by label from the right, and those
// of one name stay as they came.
func TestSorted(t *testing.T) {
	want := []string{"a.example", "b.a.example", "c.b.a.example", "d.a.example", "ab.example", "a-b.example.net", "example.org", "x.co.uk", "github.io", "me.github.io", "192.0.2.7:443/tcp", "[2001:db8::7]:443/tcp"}
	slices.SortStableFunc(want, func(a, b string) int { return strings.Compare(orderKey(a), orderKey(b)) })
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		got := slices.Concat(want, want)
		random.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		if got = sortNames(got); !slices.Equal(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
	}
}

// However long what names have in common is, and whatever it is, those that are the
// same stay as they came; so do they by their bytes, by kind first.
func TestSortedLikeKeys(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	parts := []string{"a", "b", "a-b", "eightlet", "eightles", "eightletters", "sixteen-letters-", "sixteen-letters-and-more", "com", "co", "uk", "_x", "-y", "0"}
	for range 300 {
		var rules []Rule
		for i := range random.IntN(60) {
			var labels []string
			for range 1 + random.IntN(4) {
				labels = append(labels, parts[random.IntN(len(parts))])
			}
			rules = append(rules, Rule{Name: strings.Join(labels, "."), Suffix: random.IntN(4) == 0, Reason: fmt.Sprint(i)})
		}
		want := slices.Clone(rules)
		slices.SortStableFunc(want, func(a, b Rule) int { return strings.Compare(orderKey(a.Name), orderKey(b.Name)) })
		if got := ByDomain(slices.Clone(rules)); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
		slices.SortStableFunc(rules, func(a, b Rule) int {
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Kind(), b.Kind()))
		})
		random.Shuffle(len(want), func(i, j int) { want[i], want[j] = want[j], want[i] })
		var lines []string
		for _, r := range (Compiled{rules: want}).ByLine() {
			lines = append(lines, r.Dotted())
		}
		if !slices.IsSorted(lines) || len(lines) != len(want) {
			t.Fatalf("%q are %d lines out of order, of %d", lines, len(lines), len(want))
		}
		for i, r := range ByName(want) {
			if r.key() != rules[i].key() {
				t.Fatalf("%v by name, want %v", names(ByName(want)), names(rules))
			}
		}
	}
}

// orderKey is the slow, obvious way to sort: what makes the bytes of names
// compare as the names do.
func orderKey(name string) string {
	if strings.Contains(name, ":") {
		return "\xff" + name
	}
	registrable, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		registrable = name
	}
	labels := strings.Split(name, ".")
	slices.Reverse(labels)
	return registrable + "\x00" + strings.Join(labels, "\x00")
}

func TestWarning(t *testing.T) {
	for _, rule := range []string{".github.io", ".s3.amazonaws.com", "s3.amazonaws.com", ".cloudfront.net", ".amazonaws.com", ".fastly.net", "dns.google", "pastebin.com"} {
		if FromDotted(rule).Warning() == "" {
			t.Errorf("no warning for %s", rule)
		}
	}
	for _, rule := range []string{".example.com", ".a.github.io", ".corp.internal", ".b.s3.amazonaws.com", "github.io", "a.github.io", "fastly.net"} {
		if w := FromDotted(rule).Warning(); w != "" {
			t.Errorf("%s: %s", rule, w)
		}
	}
}
