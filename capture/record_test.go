package capture

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
	"unsafe"
)

// A record is one line of a core's cache.
func TestRecordIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(record{}); size != 64 {
		t.Errorf("a record has %d bytes", size)
	}
}

// There are millions of them, and each pointer is looked at by the collector.
func TestFactsHaveNoPointers(t *testing.T) {
	for _, of := range []reflect.Type{reflect.TypeFor[record](), reflect.TypeFor[branch](), reflect.TypeFor[slot]()} {
		for i := range of.NumField() {
			if kind := of.Field(i).Type.Kind(); kind > reflect.Uint64 && kind != reflect.Array {
				t.Errorf("%v has a %v", of, kind)
			}
		}
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

// A record that was kept before anybody blocked its name tells who does later.
func TestBlockedAfterRestore(t *testing.T) {
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	l := NewLedger(Info{})
	l.Restore(Record{Name: "a.example", Queries: 1, First: at, Last: at})
	l.Feed([]byte("query[A] a.example from 10.0.0.5\ngravity blocked a.example is NXDOMAIN\n"), at, false)
	l.Read(func(r Reader) {
		if d := r.Domain(0); d.Blocker != "gravity: NXDOMAIN" {
			t.Errorf("the blocker is %q", d.Blocker)
		}
	})
}
