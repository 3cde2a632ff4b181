package live

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// An instance that is deleted is looked for ever more seldom, and one that may
// have been started soon, however many links come and go.
func TestLookAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		events, done := make(chan int), make(chan struct{})
		var tries atomic.Int64
		go func() {
			defer close(done)
			lookAgain(ctx, events, func() bool { tries.Add(1); return false })
		}()
		tried := func(in time.Duration) (n int64) {
			before := tries.Load()
			time.Sleep(in)
			synctest.Wait()
			return tries.Load() - before
		}
		if n := tried(time.Second); n != 2 { // after 0.25 s and 0.75
			t.Errorf("in the first second it was looked %d times", n)
		}
		if n := tried(time.Hour); n < 110 || n > 130 {
			t.Errorf("in an hour without events it was looked %d times", n)
		}
		time.Sleep(time.Second)
		events <- 1
		if n := tried(lookSoon); n != 1 {
			t.Errorf("after an event it was looked %d times", n)
		}
		before := tries.Load()
		for range 1000 {
			time.Sleep(10 * time.Millisecond)
			events <- 1
		}
		if n := tries.Load() - before; n < 30 || n > 40 {
			t.Errorf("in ten seconds of events it was looked %d times", n)
		}
		close(events)
		if n := tried(time.Hour); n < 110 || n > 130 {
			t.Errorf("in an hour after the events it was looked %d times", n)
		}
		stop()
		<-done
	})
}
