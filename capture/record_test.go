package capture

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// A record is one line of a core's cache.
func TestRecordIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(record{}); size != 64 {
		t.Errorf("a record has %d bytes", size)
	}
}

// Lists that grow beside each other hold what was added to each.
func TestLists(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var l lists[uint16]
	type list struct {
		at   uint32
		want []uint16
	}
	all := make([]list, 300)
	for range 60_000 {
		one := &all[rng.IntN(1+rng.IntN(len(all)))]
		if len(one.want) == longest || rng.IntN(500) == 0 {
			l.drop(one.at, len(one.want))
			*one = list{}
		}
		number := uint16(rng.Uint32())
		one.at = l.add(one.at, len(one.want), number)
		one.want = append(one.want, number)
	}
	for _, one := range all {
		if got := l.get(one.at, len(one.want)); !slices.Equal(got, one.want) {
			t.Fatalf("got %v, want %v", got, one.want)
		}
	}
}
