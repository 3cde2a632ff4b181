package live

import (
	"context"
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
		tries := 0
		go func() {
			defer close(done)
			lookAgain(ctx, events, func() bool { tries++; return false })
		}()
		tried := func(in time.Duration) (n int) {
			before := tries
			time.Sleep(in)
			synctest.Wait()
			return tries - before
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
		before := tries
		for range 1000 {
			time.Sleep(10 * time.Millisecond)
			events <- 1
		}
		if n := tries - before; n < 30 || n > 40 {
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
