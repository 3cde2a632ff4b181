// Package lanes does something with a great many values: a part of them in each
// lane, and a lane on each core.
package lanes

import (
	"runtime"
	"slices"
	"sync"

	"lxd-allowlist/capture/crash"
)

// Many is how many values are worth goroutines, where one takes tens of
// nanoseconds.
const Many = 1 << 12

// Count returns how many lanes there are at most: as many whenever it is asked, for
// who has made room for each of them, or parts values by it. The runtime follows
// what a machine or a container has of the processor, at any time.
func Count() int { return count }

// count is set by tests.
var count = runtime.GOMAXPROCS(0)

// Do has the parts of n values be done side by side, those from one place up to
// another in each lane; of so few as alone all in one. what names them, should a lane
// panic: then Do does, for nothing is to be made of the rest.
func Do(what string, n, alone int, do func(lane, from, to int)) {
	lanes := Count()
	if n <= alone || lanes == 1 {
		do(0, 0, n)
		return
	}
	var all sync.WaitGroup
	whole := make([]bool, lanes)
	part := (n + lanes - 1) / lanes
	for lane := range lanes {
		all.Go(crash.Guarded(what, func() {
			do(lane, min(n, lane*part), min(n, (lane+1)*part))
			whole[lane] = true
		}))
	}
	all.Wait()
	if slices.Contains(whole, false) {
		panic(crash.ErrUnknown)
	}
}

// Collect returns what find says of n values, in their order: of those of which
// it says anything.
func Collect[T any](what string, n int, find func(i int) (T, bool)) []T {
	found := make([][]T, Count())
	Do(what, n, Many, func(lane, from, to int) {
		for i := from; i < to; i++ {
			if t, ok := find(i); ok {
				found[lane] = append(found[lane], t)
			}
		}
	})
	return slices.Concat(found...)
}

// Sort sorts values as [slices.SortFunc] does.
func Sort[T any](what string, values []T, compare func(a, b T) int) {
	n := len(values)
	if n <= Many || Count() == 1 {
		slices.SortFunc(values, compare)
		return
	}
	part := (n + Count() - 1) / Count()
	Do(what, n, Many, func(_, from, to int) { slices.SortFunc(values[from:to], compare) })
	from, to := values, make([]T, n)
	for ; part < n; part *= 2 {
		Do(what, (n+2*part-1)/(2*part), 1, func(_, first, last int) {
			for pair := first; pair < last; pair++ {
				begin, middle, end := 2*pair*part, min(n, (2*pair+1)*part), min(n, (2*pair+2)*part)
				merge(to[begin:end], from[begin:middle], from[middle:end], compare)
			}
		})
		from, to = to, from
	}
	copy(values, from) // unless it is there
}

// merge puts two runs that are sorted into one.
func merge[T any](to, a, b []T, compare func(a, b T) int) {
	for len(a) > 0 && len(b) > 0 {
		if compare(b[0], a[0]) < 0 {
			to[0], b = b[0], b[1:]
		} else {
			to[0], a = a[0], a[1:]
		}
		to = to[1:]
	}
	copy(to[copy(to, a):], b)
}
