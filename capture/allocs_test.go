package capture

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
)

// A log of names that are known is taken in without an allocation.
func TestKnownNamesAllocateNothing(t *testing.T) {
	for _, name := range []string{"session.log", "session-extra.log"} {
		log, err := os.ReadFile("../parse/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		l := NewLedger(Info{})
		feed := func() { l.Feed(log, evening, true) }
		feed()
		if n := testing.AllocsPerRun(5, feed); n > 1 { // the function that the splitter is handed
			t.Errorf("%s: %.0f allocations", name, n)
		}
	}
}

// What a name takes beside its own bytes is bounded: with a client and an
// address, and with six of both.
func TestMemoryOfNames(t *testing.T) {
	const names = 200_000
	for queries, most := range map[int]float64{1: 110, 6: 160} {
		rng := rand.New(rand.NewPCG(1, 12))
		before := heap()
		l := NewLedger(Info{})
		length := 0
		var log bytes.Buffer
		for i := range names * queries {
			name := fmt.Sprintf("host%d.d%d.example%d.com", i%names, i%names%7, i%names%1000)
			if i < names {
				length += len(name)
			}
			fmt.Fprintf(&log, "query[A] %s from 10.0.%d.%d\nreply %[1]s is 198.18.%d.%d\n", name, rng.IntN(2), rng.IntN(250), rng.IntN(256), rng.IntN(256))
			if log.Len() > 1<<20 {
				l.Feed(log.Bytes(), evening, false)
				log.Reset()
			}
		}
		l.Feed(log.Bytes(), evening, false)
		log = bytes.Buffer{}
		if got := float64(heap()-before-uint64(length)) / names; got > most {
			t.Errorf("%d queries each: a name takes %.1f bytes beside its own, want %.0f at most", queries, got, most)
		} else {
			t.Logf("%d queries each: a name takes %.1f bytes beside its own", queries, got)
		}
		runtime.KeepAlive(l)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
