package table

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// A sequence that was kept up is the sorted list, by every measure.
func TestSeq(t *testing.T) {
	type thing struct{ n, members int }
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := seq[*thing]{
			compare: func(a, b *thing) int { return cmp.Compare(a.n, b.n) },
			weigh:   func(x *thing) weight { return weight{items: 1, openLines: x.members, openStops: x.members - 1} },
		}
		var list []*thing
		for n := range rng.IntN(2000) {
			list = append(list, &thing{2 * n, 1 + rng.IntN(3)})
		}
		s.fill(slices.Clone(list), s.sum)
		for step := range 3000 {
			at := rng.IntN(len(list) + 1)
			switch {
			case rng.IntN(3) == 0 && len(list) > 0:
				at = min(at, len(list)-1)
				s.remove(list[at])
				list = slices.Delete(list, at, at+1)
			case rng.IntN(4) == 0 && len(list) > 0:
				x := list[min(at, len(list)-1)]
				s.reweigh(x, func() { x.members = 1 + rng.IntN(3) })
			default:
				x := &thing{rng.IntN(1 << 20), 1 + rng.IntN(3)}
				where, there := slices.BinarySearchFunc(list, x, s.compare)
				if !there {
					s.insert(x)
					list = slices.Insert(list, where, x)
				}
			}
			if step%200 > 0 {
				continue
			}
			if got := s.appendTo(nil, 0, len(list)); !slices.Equal(got, list) {
				t.Fatalf("seed %d, step %d: it has %d items, want %d", seed, step, len(got), len(list))
			}
			parts := 0
			for i, x := range list {
				if got, _ := s.at(i, items); got != x || s.upTo(x, items) != i || s.upTo(x, openLines) != parts {
					t.Fatalf("seed %d, step %d: item %d is %v and has %d items and %d members before it, want %v, %d, %d", seed, step, i, got, s.upTo(x, items), s.upTo(x, openLines), x, i, parts)
				}
				for part := range x.members {
					if got, which := s.at(parts+part, openLines); got != x || which != part {
						t.Fatalf("seed %d, step %d: member %d is %d of %v, want %d of %v", seed, step, parts+part, which, got, part, x)
					}
				}
				if got := s.upTo(x, openStops); got != parts-i {
					t.Fatalf("seed %d, step %d: %d stops before item %d, want %d", seed, step, got, i, parts-i)
				}
				for stop := range x.members - 1 {
					if got, which := s.at(parts-i+stop, openStops); got != x || which != stop {
						t.Fatalf("seed %d, step %d: stop %d is %d of %v, want %d of %v", seed, step, parts-i+stop, which, got, stop, x)
					}
				}
				parts += x.members
			}
			if s.total(items) != len(list) || s.total(openLines) != parts {
				t.Fatalf("seed %d, step %d: %d items and %d members, want %d and %d", seed, step, s.total(items), s.total(openLines), len(list), parts)
			}
			if from, n := rng.IntN(len(list)+1), rng.IntN(40); !slices.Equal(s.appendTo(nil, from, n), list[from:min(len(list), from+n)]) {
				t.Fatalf("seed %d, step %d: %d items from %d on are %v", seed, step, n, from, s.appendTo(nil, from, n))
			}
		}
	}
}
