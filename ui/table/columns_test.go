package table

import "testing"

// The columns fit, don't overlap, and the sorted one is there.
func TestArrangeColumns(t *testing.T) {
	for w := 40; w < 300; w++ {
		for sort := range columns {
			x, domain, sorted := 0, false, false
			for _, p := range (settings{sort: sort}).arrangeColumns(w) {
				if p.x < x || p.w < 1 {
					t.Fatalf("width %d: column %s at %d with %d cells comes after %d", w, columns[p.col].name, p.x, p.w, x)
				}
				x = p.x + p.w
				domain = domain || p.col == colDomain
				sorted = sorted || p.col == sort
			}
			if x > w || !domain || !sorted && w >= 80 {
				t.Fatalf("width %d sorted by %s: ends at %d, domain %t, sorted column %t", w, columns[sort].name, x, domain, sorted)
			}
		}
	}
}
