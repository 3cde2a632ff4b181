// Package minimize finds which items of a list something needs, by trials with
// a part of the list in force. It knows neither names nor instances.
//
//	the whole, twice ── it must work; how long it takes
//	nothing         ── then nothing is needed
//	less and less   ── until what is left is needed, by halving groups
//	all but one     ── of each that is left: it fails, or something stands in
//	what is left    ── again; if it is slow, what makes it fast
//
// An item more never does harm: what holds more than a set that worked works,
// what holds less than one that failed fails, and no trial is made whose result
// is known by that. Where trials contradict each other the command isn't steady:
// that is counted, and ends the search when it is too much.
package minimize

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// These are returned where the command fails with the whole list, and where it
// does so the second time.
var (
	ErrWhole      = errors.New("the command fails with the whole list in force: verify shows what it lacks")
	ErrWholeTwice = errors.New("with the whole list in force the command worked once and then failed: it isn't steady, so that nothing can be said of less")
)

// ErrUnsteady is returned where trials contradicted each other again and again.
var ErrUnsteady = fmt.Errorf("the command isn't steady: %d trials contradicted others, so that nothing can be said", maxContradictions)

// maxContradictions is how often the command may do something else with the
// same names.
const maxContradictions = 4

// Search looks for what is needed.
type Search struct {
	// Groups are the items' groups, such as the domains that names are in.
	// Items of one group stand together and are tried together.
	Groups []string
	// Try puts a set in force and runs the command. Its error ends the search.
	Try func(Set) (Outcome, error)
	// Known are the trials of an earlier search, in their order.
	Known []Trial
	// Progress, where it is set, is told how many trials were made, the known
	// ones among them, and about how many there are to come.
	Progress func(done, left int)

	memory
	done, contradictions int
	open                 int     // items that are looked through now
	rate                 float64 // how many of them are likely to be needed
	later                float64 // trials that come after that
}

// Status is what an item is to the command.
type Status uint8

// What items are.
const (
	Optional Status = iota // it works without
	Needed                 // with all others it fails without
	Either                 // this or another one, see [Result.StandIns]
	Slower                 // it works without, and takes longer
)

// Result is what was found.
type Result struct {
	Status []Status // by item
	// Least is a set that suffices and of which nothing can be left out: all
	// that are Needed and some that are Either.
	Least Set
	// StandIns are what can take an item's place: any one of these, each of
	// which is some items together. Those of Least's items are found; those of
	// others name the item that they stand in for.
	StandIns map[int][][]int
	// Whole is how long the whole list took, Alone how long Least did; more
	// than Slow counts as slow.
	Whole        [2]time.Duration
	Alone, Slow  time.Duration
	Trials       int // that were made, the known ones among them
	Contradicted int // trials that did not agree with others
}

// Run searches. A Search runs once.
func (s *Search) Run() (Result, error) {
	for _, t := range s.Known {
		if !t.Worked && t.Set.Len() == len(s.Groups) {
			continue // it was said, and is tried again
		}
		s.done++
		if s.add(t) {
			s.contradictions++
		}
	}
	for {
		r, err := s.run()
		if err != errAgain {
			r.Trials, r.Contradicted = s.done, s.contradictions
			return r, err
		}
	}
}

// errAgain ends a run whose ground was shown to be wrong. What is known serves
// the next one.
var errAgain = errors.New("again")

func (s *Search) run() (r Result, err error) {
	n := len(s.Groups)
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	whole := NewSet(n, all...)
	r = Result{Status: make([]Status, n), StandIns: make(map[int][][]int)}
	s.open, s.rate, s.later = n, firstRate, 3+firstRate*float64(n)
	for n := len(s.of(whole)); n < 2; n++ {
		o, err := s.try(whole)
		switch {
		case err == errAgain && n == 0: // in the light of what is known
			return r, ErrWhole
		case err != nil && err != errAgain:
			return r, err
		case !o.Worked:
			return r, []error{ErrWhole, ErrWholeTwice}[n]
		}
	}
	for i, o := range s.of(whole)[:2] {
		r.Whole[i] = o.Took
	}
	s.slow = slowFrom(r.Whole[0], r.Whole[1])
	r.Slow = s.slow
	least, err := s.least(whole, all)
	if err != nil {
		return r, err
	}
	r.Least = NewSet(n, least...)
	for i, item := range least {
		s.later = float64(1 + len(least) - i)
		if err := s.judge(&r, whole, item); err != nil {
			return r, err
		}
	}
	// What was found is tried again: a trial that worked by chance would have
	// led to nothing true.
	s.later = 1
	if _, err := s.again(r.Least, 2, works); err != nil {
		return r, err
	}
	s.later = 0
	fastest := slices.MinFunc(s.of(r.Least), func(a, b Outcome) int { return cmp.Compare(a.Took, b.Took) })
	r.Alone = fastest.Took
	faster, err := s.among(r.Least, slices.DeleteFunc(all, r.Least.Has), fast)
	if err != nil {
		return r, err
	}
	for _, item := range faster {
		if r.Status[item] == Optional {
			r.Status[item] = Slower
		}
	}
	return r, nil
}

// slowFrom returns what takes too long to be called as fast as the whole list:
// half as long again, and well beyond what its own runs differ by.
func slowFrom(a, b time.Duration) time.Duration {
	longest := max(a, b)
	return longest + max(longest/2, 2*(longest-min(a, b)), time.Second)
}

// judge finds whether an item of the least set is needed, or what stands in for
// it.
func (s *Search) judge(r *Result, whole Set, item int) error {
	ok, err := s.ask(whole.without(item), works)
	if err != nil {
		return err
	}
	if !ok {
		r.Status[item] = Needed
		return nil
	}
	base := r.Least.without(item)
	if ok, err = s.again(base, 1, works); err != nil {
		return err
	}
	if ok { // it was taken for needed, see first
		r.Least = base
		return nil
	}
	r.Status[item] = Either
	var rest []int
	for i := range r.Status {
		if !r.Least.Has(i) {
			rest = append(rest, i)
		}
	}
	for ok = true; ok && err == nil; {
		var stands []int
		if stands, err = s.among(base, rest, works); err != nil || len(stands) == 0 {
			return err
		}
		// If base failed by chance all trials worked, which finds the last.
		if slices.Contains(stands, rest[len(rest)-1]) {
			if _, err = s.again(base, 2, works); err != nil {
				return err
			}
		}
		r.StandIns[item] = append(r.StandIns[item], stands)
		for _, other := range stands {
			r.Status[other] = Either
			r.StandIns[other] = append(r.StandIns[other], []int{item})
		}
		rest = slices.DeleteFunc(rest, func(i int) bool { return slices.Contains(stands, i) })
		ok, err = s.ask(base.with(rest...), works)
	}
	return err
}

// again has a set itself tried so many times, and reports whether it goes at
// least so well.
func (s *Search) again(set Set, times int, want level) (ok bool, err error) {
	for n := len(s.of(set)); n < times; n++ {
		if _, err := s.try(set); err != nil {
			return false, err
		}
	}
	return s.ask(set, want)
}

// ask reports whether a set goes at least so well, by a trial where that isn't
// known.
func (s *Search) ask(set Set, want level) (bool, error) {
	if yes, known := s.tells(set, want); known {
		return yes, nil
	}
	o, err := s.try(set)
	return s.levelOf(o) >= want, err
}

func (s *Search) try(set Set) (Outcome, error) {
	s.tell()
	o, err := s.Try(set)
	if err != nil {
		return o, err
	}
	s.done++
	contradicts := s.add(Trial{set, o})
	s.tell()
	if contradicts {
		if s.contradictions++; s.contradictions >= maxContradictions {
			return o, ErrUnsteady
		}
		return o, errAgain
	}
	return o, nil
}

func (s *Search) tell() {
	if s.Progress != nil {
		s.Progress(s.done, int(math.Ceil(expected(s.open, s.rate)+s.later)))
	}
}
