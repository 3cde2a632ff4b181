package crash

import "testing"

// Who waits for a goroutine's end knows then whether it panicked.
func TestLastKnowsOfThePanic(t *testing.T) {
	t.Cleanup(func() { first, end = nil, nil })
	Ends(func(*Panic) {})
	var known error
	done := make(chan struct{})
	go Guarded("a test", func() { panic("injected") }, func() { known = Err(); close(done) })()
	<-done
	if known == nil || known.Error() != "a fault of the program's own, in a test: injected" {
		t.Errorf("known is %v", known)
	}
}
