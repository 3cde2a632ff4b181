package minimize

import (
	"math"
	"slices"
)

// least returns items that suffice and of which hardly any can be left out.
func (s *Search) least(whole Set, items []int) (needed []int, err error) {
	ok, err := s.ask(NewSet(len(items)), works)
	if ok || err != nil {
		return nil, err
	}
	var spare []int // the whole works without each of them: they are left out with what comes next
	refused := 0    // groups in a row that could not be left out
	for rest := items; len(rest)+len(spare) > 0; {
		s.open, s.rate = len(rest), s.density(len(needed), len(items)-len(rest))
		s.later = 2 + float64(len(needed))/2 + s.rate*float64(len(rest))
		size := groupSize(s.rate)
		if size == 1 && len(rest) > 0 {
			if ok, err = s.ask(whole.without(rest[0]), works); err != nil {
				return nil, err
			}
			if ok {
				spare = append(spare, rest[0])
			} else {
				needed = append(needed, rest[0])
			}
			rest = rest[1:]
			continue
		}
		n := s.cut(rest, 0, size, len(rest))
		group := slices.Concat(spare, rest[:n])
		rest = rest[n:]
		keep := NewSet(len(items), needed...).with(rest...)
		if ok, err = s.ask(keep, works); err != nil {
			return nil, err
		}
		if ok {
			spare, refused = nil, 0
			continue
		}
		if refused++; refused == suspicious {
			if _, err = s.again(keep.with(group...), 2, works); err != nil {
				return nil, err
			}
		}
		low, at, alone, err := s.first(group, len(spare), keep, whole)
		if err != nil {
			return nil, err
		}
		known, back := len(spare), []int(nil)
		spare = nil
		for i := low; i < len(group); i++ {
			switch {
			case i == at:
				needed = append(needed, group[i])
			case i < known || i == alone:
				spare = append(spare, group[i])
			default:
				back = append(back, group[i])
			}
		}
		rest = slices.Concat(back, rest)
	}
	return needed, nil
}

// first finds an item of a group that can't be left out as a whole: group[at],
// where group[:low] can. The first so many of the group are known to be spare;
// keep is all that isn't in it.
//
// Of the last two, one is left out of the whole instead of out of what is left:
// where that fails, it is shown to be needed with all others, too. Where it
// works, group[alone] is spare, and the other is taken for needed; judge sees to
// whether it is.
func (s *Search) first(group []int, known int, keep, whole Set) (low, at, alone int, err error) {
	high := len(group)
	for high-low > 2 || high-low == 2 && high <= known {
		from := max(low, min(known, high-1)) // spare ones hardly matter
		half := s.cut(group, from, (high-from)/2, high)
		ok, err := s.ask(keep.with(group[half:]...), works)
		if err != nil {
			return 0, 0, 0, err
		}
		if ok {
			low = half
		} else {
			high = half
		}
	}
	if high-low == 1 {
		return low, low, -1, nil
	}
	tried, other := low, low+1
	if tried < known {
		tried, other = other, tried
	}
	ok, err := s.ask(whole.without(group[tried]), works)
	if ok {
		return low, other, tried, err
	}
	return low, tried, -1, err
}

// among returns a part of items that suffices together with base, and of which
// nothing can be left out. All of them do, and hardly any are needed.
func (s *Search) among(base Set, items []int, want level) (needed []int, err error) {
	ok, err := s.ask(base, want)
	defer func() { s.open = 0 }()
	for rest, n := items, 0; !ok && err == nil && len(rest) > 0; rest = rest[n:] {
		s.open, s.rate = len(rest), 1/float64(len(items))
		low := 0 // without rest[:low] it goes, without rest[:n] it doesn't
		for n = len(rest); n-low > 1; {
			half := s.cut(rest, low, (n-low)/2, n)
			if ok, err = s.ask(base.with(needed...).with(rest[half:]...), want); err != nil {
				return nil, err
			}
			if ok {
				low = half
			} else {
				n = half
			}
		}
		if needed = append(needed, rest[low]); len(needed) == suspicious {
			if _, err = s.again(base.with(items...), 2, works); err != nil {
				return nil, err
			}
		}
		ok, err = s.ask(base.with(needed...), want)
	}
	if err != nil || len(needed) < 2 {
		return needed, err
	}
	for _, item := range slices.Clone(needed) { // a trial may have failed by chance
		set := base.with(needed...).without(item)
		if ok, err = s.again(set, 1, want); err != nil {
			return nil, err
		}
		if ok {
			needed = slices.DeleteFunc(needed, func(i int) bool { return i == item })
		}
	}
	return needed, nil
}

// suspicious is how many times in a row that something is needed may come of a
// trial that worked by chance: all after it failed.
const suspicious = 8

// density returns the share of items that are likely to be needed, by those
// that were found among those that were seen.
func (s *Search) density(found, seen int) float64 {
	return (float64(found) + firstRate*firstWeight) / (float64(seen) + firstWeight)
}

// Of a list that nothing is known of yet, so many items may be needed; the
// weight is that of so many items that were seen.
const (
	firstRate   = 0.25
	firstWeight = 8
)

// groupSize returns how many items are as likely to hold one that is needed as
// not: a trial of theirs tells the most.
func groupSize(rate float64) int {
	if rate >= 0.5 {
		return 1
	}
	return max(1, int(math.Round(math.Ln2/-math.Log1p(-rate))))
}

// cut returns where to cut rest, about size after low and between that and
// high, and between groups if one ends near there.
func (s *Search) cut(rest []int, low, size, high int) int {
	at := min(low+size, high)
	for d := range size + 1 {
		for _, c := range []int{at - d, at + d} {
			if c > low && c < high && s.Groups[rest[c-1]] != s.Groups[rest[c]] {
				return c
			}
		}
	}
	return at
}

// expected returns how many trials tell which of n items are needed.
func expected(n int, rate float64) float64 {
	if n == 0 {
		return 0
	}
	rate = min(max(rate, 0.001), 0.5)
	return 1 + 1.1*float64(n)*(-rate*math.Log2(rate)-(1-rate)*math.Log2(1-rate))
}
