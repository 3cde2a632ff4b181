package witness_test

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"lxd-allowlist/capture/witness"
)

// timed is a book that notes how long after the test's begin it was told.
type timed struct {
	book
	begun time.Time
	after []time.Duration
}

func (b *timed) Asked(name string, by *witness.Process, at time.Time) bool {
	b.after = append(b.after, time.Since(b.begun))
	return b.book.Asked(name, by, at)
}

func (b *timed) Reached(r witness.Reach) int {
	b.after = append(b.after, time.Since(b.begun))
	return b.book.Reached(r)
}

// A joiner tells at the time that something is due, however long it slept, and
// what is whole before that.
func TestRunIsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &timed{book: book{has: map[string]bool{"a.test": true}}}
		j := witness.NewJoiner(b, func(a netip.Addr) bool { return a == bridge })
		j.On(witness.Wire, true)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			j.Run(ctx)
		}()
		for range 3 {
			time.Sleep(time.Hour)
			b.begun, b.after = time.Now(), nil
			a, q := answer(0, "a.test", "10.0.0.1:53", "192.0.2.1"), query(0, "a.test", "10.0.0.2:5000", "10.0.0.1:53", curl)
			c := connection(0, "10.0.0.2:6000", "192.0.2.1:443", "tcp", nil)
			a.At, q.At, c.At = b.begun, b.begun, b.begun
			j.From(witness.Wire).Answer(a)
			j.From(witness.Wire).Connection(c)
			j.From(witness.Who).Query(q)
			time.Sleep(10 * time.Millisecond)
			h := hello(0, "10.0.0.2:6000", "192.0.2.1:443", "tls", "a.test")
			h.At = time.Now()
			j.From(witness.Wire).Hello(h)
			time.Sleep(time.Minute)
			synctest.Wait()
			if len(b.after) != 2 || b.after[0] > 60*time.Millisecond || b.after[1] != 250*time.Millisecond {
				t.Errorf("a connection that is whole after 10 ms, and a query, were told after %v", b.after)
			}
		}
		stop()
		<-done
	})
}
