package capture

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

// shared returns a ledger of n names that share one registrable domain, in
// groups of nine, all of which the screen has seen.
func shared(n int) *Ledger {
	l := NewLedger(Info{})
	var log bytes.Buffer
	for i := range n {
		fmt.Fprintf(&log, "query[A] h%d.z%d.big.example from 10.0.0.5\n", i, i%(n/9))
	}
	l.Feed(log.Bytes(), time.Unix(0, 0), false)
	l.Refresh(func(Reader, []ID) {})
	return l
}

// A decision about one group and its undo, and about all of the domain.
func BenchmarkDecideGroup(b *testing.B) {
	for _, group := range []string{"z5.big.example", "big.example"} {
		b.Run(group, func(b *testing.B) {
			l := shared(90_000)
			for b.Loop() {
				l.DecideGroup(Drop, group)
				l.Undo()
				b.StopTimer()
				l.Refresh(func(Reader, []ID) {})
				b.StartTimer()
			}
		})
	}
}
