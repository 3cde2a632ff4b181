package lanes

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"lxd-allowlist/capture/crash"
)

// However many cores there are: each value is done once, what is found is in the
// values' order, and what is sorted is sorted, those that are equal being the same.
func TestLanes(t *testing.T) {
	defer func(was int) { count = was }(count)
	random := rand.New(rand.NewPCG(1, 2))
	for _, cores := range []int{1, 2, 3, 4, 7} {
		count = cores
		for _, n := range []int{0, 1, Many, Many + 1, 3*Many + random.IntN(Many)} {
			done := make([]int, n)
			Do("a test", n, Many, func(_, from, to int) {
				for i := from; i < to; i++ {
					done[i]++
				}
			})
			if slices.ContainsFunc(done, func(times int) bool { return times != 1 }) {
				t.Fatalf("%d cores, %d values: some were not done once", cores, n)
			}
			found := Collect("a test", n, func(i int) (int, bool) { return i, i%3 == 0 })
			if len(found) != (n+2)/3 || !slices.IsSorted(found) {
				t.Fatalf("%d cores, %d values: found %d", cores, n, len(found))
			}
			values := make([]int, n)
			for i := range values {
				values[i] = random.IntN(n)
			}
			want := slices.Sorted(slices.Values(values))
			if Sort("a test", values, cmp.Compare[int]); !slices.Equal(values, want) {
				t.Fatalf("%d cores: %d values are not sorted", cores, n)
			}
		}
	}
}

// Who makes room for each lane has it for all, whatever becomes of the cores.
func TestCountStays(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	room := Count()
	runtime.GOMAXPROCS(room + 3)
	var beyond atomic.Int32
	Do("a test", 2*Many, Many, func(lane, _, _ int) {
		if lane >= room {
			beyond.Add(1)
		}
	})
	if n := beyond.Load(); n > 0 {
		t.Errorf("%d lanes have no room", n)
	}
}

// A lane that panics ends the program in order: until then nobody is to take what
// the others did for all.
func TestPanicInLane(t *testing.T) {
	crash.Ends(func(*crash.Panic) {})
	defer crash.Ends(nil)
	defer func() {
		if recover() == nil {
			t.Error("Do returned")
		}
		var p *crash.Panic
		if err := crash.Err(); !errors.As(err, &p) || p.Where != "a test" || p.Value != "broken" {
			t.Errorf("%v was caught", err)
		}
	}()
	defer func(was int) { count = was }(count)
	count = 2
	Do("a test", 2, 1, func(lane, _, _ int) {
		if lane == 1 {
			panic("broken")
		}
	})
}
