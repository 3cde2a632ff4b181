package rule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/capture/crash/lanes"
)

// A few before many that are sorted come to where sorting all of them brings them,
// those that are the same staying as they came.
func TestSortedButForAFew(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 2, mostly - 1, mostly, 10 * mostly, 3 * lanes.Many} {
		for _, few := range []int{0, 1, n / mostly, n/mostly + 1, n} {
			rules := make([]Rule, n)
			for i := range rules {
				rules[i] = Rule{Name: fmt.Sprintf("h%d.site%d.example.%s", random.IntN(4), random.IntN(n/4+1), []string{"net", "co.uk", "com"}[random.IntN(3)]), Reason: fmt.Sprint(i)}
			}
			few = min(few, n)
			slices.SortStableFunc(rules[few:], func(a, b Rule) int { return strings.Compare(orderKey(a.Name), orderKey(b.Name)) })
			if got := unsorted(rules, ruleName); got > few {
				t.Fatalf("%d of %d are said to stand before those that are sorted, %d do", got, n, few)
			}
			want := slices.Clone(rules)
			slices.SortStableFunc(want, func(a, b Rule) int { return strings.Compare(orderKey(a.Name), orderKey(b.Name)) })
			if got := ByDomain(slices.Clone(rules)); !slices.Equal(got, want) {
				t.Fatalf("%d before %d that are sorted come out as %v, want %v", few, n-few, got, want)
			}
		}
	}
}
