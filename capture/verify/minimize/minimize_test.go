package minimize

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// application needs of some sets of items one item each.
type application struct {
	items  int
	needs  [][]int
	hurry  []int   // without any of these it takes longer
	flaky  float64 // how often it fails by chance
	lucky  float64 // how often it works by chance
	rng    *rand.Rand
	tried  []Trial
	groups []string
}

const (
	usual = 4 * time.Second
	slow  = 30 * time.Second
)

func (a *application) try(s Set) (Outcome, error) {
	o := Outcome{Worked: true, Took: usual + time.Duration(a.rng.IntN(1000))*time.Millisecond}
	for _, any := range a.needs {
		o.Worked = o.Worked && slices.ContainsFunc(any, s.Has)
	}
	for _, i := range a.hurry {
		if !s.Has(i) {
			o.Took += slow
		}
	}
	if by := a.rng.Float64(); o.Worked {
		o.Worked = by >= a.flaky
	} else {
		o.Worked = by < a.lucky
	}
	a.tried = append(a.tried, Trial{s, o})
	return o, nil
}

func (a *application) search() *Search {
	if a.groups == nil {
		for i := range a.items {
			a.groups = append(a.groups, fmt.Sprint(i/3))
		}
	}
	return &Search{Groups: a.groups, Try: a.try}
}

// want returns the status of each item.
func (a *application) want() (all []Status) {
	all = make([]Status, a.items)
	for _, i := range a.hurry {
		all[i] = Slower
	}
	for _, any := range a.needs {
		for _, i := range any {
			all[i] = Either
			if len(any) == 1 {
				all[i] = Needed
			}
		}
	}
	return all
}

// random returns an application that needs some items anywhere, and one of a
// pair.
func random(rng *rand.Rand, items, needed, pairs, hurry int) *application {
	a := &application{items: items, rng: rng}
	at := rng.Perm(items)
	for range needed {
		a.needs, at = append(a.needs, at[:1]), at[1:]
	}
	for range pairs {
		a.needs, at = append(a.needs, at[:2]), at[2:]
	}
	a.hurry = at[:hurry]
	return a
}

// find searches and fails the test if it does not find what is true.
func (a *application) find(t *testing.T) Result {
	t.Helper()
	r, err := a.search().Run()
	if err != nil || !slices.Equal(r.Status, a.want()) {
		t.Fatalf("of %v, in a hurry %v, it found %v, %v", a.needs, a.hurry, r.Status, err)
	}
	if r.Trials != len(a.tried) || r.Contradicted != 0 {
		t.Fatalf("it counts %d trials of %d, %d contradicted", r.Trials, len(a.tried), r.Contradicted)
	}
	for _, any := range a.needs {
		if one := slices.DeleteFunc(slices.Clone(any), func(i int) bool { return !r.Least.Has(i) }); len(one) != 1 {
			t.Fatalf("of %v the least set has %v", any, one)
		}
		for _, i := range any {
			if i != any[0] && r.StandIns[i] == nil && len(any) > 1 {
				t.Fatalf("of %v it found that %v stand in for each other", any, r.StandIns)
			}
		}
	}
	for _, one := range a.tried { // what is found is tried again, and nothing else without end
		if again := len(slices.DeleteFunc(slices.Clone(a.tried), func(t Trial) bool { return !t.Set.equals(one.Set) })); again > 2 {
			t.Fatalf("it tried %v %d times", one.Set, again)
		}
	}
	return r
}

// What is known of a set tells of those that hold more and less.
func TestTells(t *testing.T) {
	m := memory{slow: usual}
	m.add(Trial{NewSet(9, 0, 1, 2, 3), Outcome{true, slow}})
	m.add(Trial{NewSet(9, 1, 2, 5, 6), Outcome{false, usual}})
	m.add(Trial{NewSet(9, 0, 1, 2, 3, 7), Outcome{true, usual}})
	for _, c := range []struct {
		set   []int
		least level
		known bool
		yes   bool
	}{
		{[]int{0, 1, 2, 3, 4}, works, true, true}, {[]int{0, 1, 2, 3, 4}, fast, false, false}, {[]int{0, 1, 2, 3, 7, 8}, fast, true, true},
		{[]int{1, 5}, works, true, false}, {[]int{1, 5}, fast, true, false}, {[]int{0, 1, 2}, works, false, false}, {[]int{0, 1, 2}, fast, true, false},
		{nil, works, true, false}, {[]int{8}, works, false, false},
	} {
		if yes, known := m.tells(NewSet(9, c.set...), c.least); known != c.known || yes != c.yes {
			t.Errorf("%v at least %d: %v, known %v", c.set, c.least, yes, known)
		}
	}
}

// Of 40 names 7 are needed, and one of a pair: that is found in at most 60
// trials, wherever they stand.
func TestTrials(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 40))
	rounds := 20000
	if testing.Short() {
		rounds = 2000
	}
	worst, sum, n := 0, 0, 0
	find := func(a *application) {
		trials := a.find(t).Trials
		worst, sum, n = max(worst, trials), sum+trials, n+1
	}
	for range rounds {
		find(random(rng, 40, 7, 1, 0))
	}
	for step := 1; step <= 5; step++ { // side by side, and evenly apart
		for first := 0; first+7*step < 40; first++ {
			for other := range 40 {
				a := &application{items: 40, rng: rng}
				for i := range 7 {
					a.needs = append(a.needs, []int{first + i*step})
				}
				pair := []int{first + 7*step, other}
				if other == pair[0] || slices.ContainsFunc(a.needs, func(one []int) bool { return one[0] == other }) {
					continue
				}
				a.needs = append(a.needs, pair)
				find(a)
			}
		}
	}
	t.Logf("%d arrangements: at most %d trials, %.1f on average", n, worst, float64(sum)/float64(n))
	if worst > 60 {
		t.Errorf("an arrangement took %d trials", worst)
	}
}

// Lists of any size, of which any number is needed, several pairs and names
// that it is only faster with.
func TestFinds(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 7))
	rounds := 2000
	if testing.Short() {
		rounds = 500
	}
	for range rounds {
		items := 1 + rng.IntN(150)
		pairs := rng.IntN(min(3, items/2) + 1)
		hurry := rng.IntN(min(4, items-2*pairs) + 1)
		random(rng, items, rng.IntN(items-2*pairs-hurry+1), pairs, hurry).find(t)
	}
	if r := (&application{items: 40, rng: rng}).find(t); r.Trials != 4 || r.Least.Len() != 0 {
		t.Errorf("that nothing is needed took %d trials", r.Trials)
	}
	if r := (&application{items: 0, rng: rng}).find(t); r.Trials != 2 {
		t.Errorf("an empty list took %d trials", r.Trials)
	}
}

// A list of which nearly all is needed takes hardly more trials than names.
func TestAllNeeded(t *testing.T) {
	for n := range 100 {
		a := random(rand.New(rand.NewPCG(6, uint64(n))), 100, 100-n%10, 0, 0)
		if r := a.find(t); r.Trials > 120 {
			t.Errorf("of %d needed in 100: %d trials", 100-n%10, r.Trials)
		}
	}
}

// One of three does, and what stands in may be several together.
func TestStandIns(t *testing.T) {
	a := &application{items: 20, rng: rand.New(rand.NewPCG(1, 1)), needs: [][]int{{3}, {4, 11, 17}}}
	r, err := a.search().Run()
	if err != nil || !r.Least.Has(17) || r.Least.Len() != 2 || len(r.StandIns[17]) != 2 || r.Status[4] != Either || r.Status[11] != Either {
		t.Errorf("of one of three it found %+v, %v", r, err)
	}
	s := &Search{Groups: make([]string, 20), Try: func(in Set) (Outcome, error) {
		return Outcome{Worked: in.Has(2) && (in.Has(18) || in.Has(5) && in.Has(9)), Took: usual}, nil
	}}
	r, err = s.Run()
	if err != nil || !r.Least.Has(18) || r.Least.Len() != 2 || len(r.StandIns[18]) != 1 || !slices.Equal(r.StandIns[18][0], []int{5, 9}) || !slices.Equal(r.StandIns[5][0], []int{18}) {
		t.Errorf("of two instead of one it found %+v, %v", r, err)
	}
}

// A group is cut in two only where it is needed in part.
func TestGroupsFirst(t *testing.T) {
	a := &application{items: 40, rng: rand.New(rand.NewPCG(1, 1)), needs: [][]int{{16}, {17}, {18}, {19}}}
	for i := range a.items {
		a.groups = append(a.groups, fmt.Sprint(i/4))
	}
	a.find(t)
	for i, trial := range a.tried {
		if parts := trial.Set.Len() % 4; parts != 0 && !trial.Set.within(NewSet(40, 16, 17, 18, 19).with(seq(20, 40)...)) && trial.Set.Len() < 39 {
			t.Errorf("trial %d has a part of a group: %v", i, trial.Set)
		}
	}
}

func seq(from, to int) (all []int) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

// A search that was ended goes on where it was, at whichever trial that was.
func TestResumes(t *testing.T) {
	ended := errors.New("ended")
	for n := range 50 {
		rng := rand.New(rand.NewPCG(5, uint64(n)))
		a := random(rng, 40, 5, 1, 1)
		s := a.search()
		s.Try = func(in Set) (Outcome, error) {
			if len(a.tried) == n {
				return Outcome{}, ended
			}
			return a.try(in)
		}
		if _, err := s.Run(); err != nil && err != ended {
			t.Fatal(err)
		}
		again := a.search()
		again.Known = slices.Clone(a.tried)
		r, err := again.Run()
		if err != nil || !slices.Equal(r.Status, a.want()) || r.Trials != len(a.tried) {
			t.Fatalf("ended after %d trials: %v, %v, %d trials of %d", n, r.Status, err, r.Trials, len(a.tried))
		}
		once := random(rand.New(rand.NewPCG(5, uint64(n))), 40, 5, 1, 1)
		if once.find(t); len(once.tried) != len(a.tried) {
			t.Errorf("ended after %d trials it took %d, and in one go %d", n, len(a.tried), len(once.tried))
		}
	}
}

// What is tried and what is to come: never none before the end, and hardly
// ever half as many as do come.
func TestProgress(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	low, n := 0, 0
	for range 500 {
		type told struct{ done, left int }
		var all []told
		a := random(rng, 40, 7, 1, 0)
		s := a.search()
		s.Progress = func(done, left int) { all = append(all, told{done, left}) }
		r, err := s.Run()
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range all {
			if n++; 2*p.left < r.Trials-p.done {
				low++
			}
			if p.done != (i+1)/2 || p.left < 0 || p.left > 100 {
				t.Fatalf("progress %d is %+v of %d trials", i, p, r.Trials)
			}
		}
	}
	if low*10 > n {
		t.Errorf("%d of %d times it told less than half of what was to come", low, n)
	}
}

// What fails with the whole list, once or the second time, is not searched.
func TestWholeFails(t *testing.T) {
	for n := range 2 {
		tried := 0
		s := &Search{Groups: make([]string, 9), Try: func(Set) (Outcome, error) {
			tried++
			return Outcome{Worked: tried <= n, Took: usual}, nil
		}}
		if _, err := s.Run(); err != []error{ErrWhole, ErrWholeTwice}[n] || tried != n+1 {
			t.Errorf("failing at trial %d: %v after %d", n+1, err, tried)
		}
		s.Known = []Trial{{NewSet(9, seq(0, 9)...), Outcome{Worked: true}}, {NewSet(9, seq(0, 9)...), Outcome{}}}[1-n:]
		s.done, s.trials, tried = 0, nil, 1
		if _, err := s.Run(); err != []error{ErrWhole, ErrWholeTwice}[n] || tried != 2 {
			t.Errorf("failing before, and again at trial %d: %v after %d", n+1, err, tried)
		}
	}
}

// A command that now and then does something else is found out nearly always,
// and never tried without end; what is found all the same suffices.
func TestUnsteady(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for _, chance := range []struct {
		flaky, lucky float64
		silent       int // so many in a hundred may be
	}{{0.01, 0, 8}, {0.03, 0, 12}, {0.1, 0, 12}, {0, 0.03, 8}, {0.03, 0.03, 12}} {
		var silent, wrong, gaveUp, most int
		const rounds = 1000
		for range rounds {
			a := random(rng, 40, 7, 1, 0)
			a.flaky, a.lucky = chance.flaky, chance.lucky
			r, err := a.search().Run()
			most = max(most, len(a.tried))
			switch {
			case err == ErrWhole, err == ErrWholeTwice, err == ErrUnsteady:
				gaveUp++
			case err != nil:
				t.Fatal(err)
			case !slices.Equal(r.Status, a.want()):
				if wrong++; r.Contradicted == 0 {
					silent++
				}
			}
		}
		t.Logf("fails by chance %.2f, works by chance %.2f: of %d searches %d gave up, %d were wrong, of them %d without a word; at most %d trials", chance.flaky, chance.lucky, rounds, gaveUp, wrong, silent, most)
		if most > 600 || silent*100 > chance.silent*rounds {
			t.Error("that is too many")
		}
	}
}

// What works with less and fails with more is no ground for a search without
// end, and what is found suffices.
func TestNotMonotone(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	said, most := 0, 0
	for range 2000 {
		a := random(rng, 40, 5, 0, 2)
		trigger, wants := a.hurry[0], a.hurry[1] // who reaches the one wants the other
		a.hurry = nil
		works := func(in Set) bool {
			o, _ := a.try(in)
			return o.Worked && (!in.Has(trigger) || in.Has(wants))
		}
		s := a.search()
		s.Try = func(in Set) (Outcome, error) { return Outcome{Worked: works(in), Took: usual}, nil }
		r, err := s.Run()
		most = max(most, len(a.tried))
		if err == ErrUnsteady || r.Contradicted > 0 {
			said++
		} else if err != nil || !works(r.Least) {
			t.Fatalf("it found %v, which doesn't suffice, %v", r.Least, err)
		}
	}
	t.Logf("said of %d in 2000, at most %d trials", said, most)
	if most > 600 {
		t.Error("that is too many")
	}
}
