package logfile

import "testing"

// What was read is not all there while it isn't in the ledger.
func TestProgressEndsWithTheReading(t *testing.T) {
	r := &Reading{size: 10}
	r.read.Store(10)
	if got := r.Progress(); got >= 1 {
		t.Errorf("read to its end it is at %v, and nothing is in the ledger", got)
	}
	r.ended.Store(true)
	if got := r.Progress(); got != 1 {
		t.Errorf("at its end it is at %v", got)
	}
}
