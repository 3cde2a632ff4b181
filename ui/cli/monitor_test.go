package cli

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

// The collector begins late, and is from its first time on what it was, however many
// screens there were before it.
func TestStartCalmly(t *testing.T) {
	const own = 70
	usual := debug.SetGCPercent(own)
	defer debug.SetGCPercent(usual)
	percent := func() uint64 {
		is := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(is)
		return is[0].Value.Uint64()
	}
	startCalmly()
	startCalmly()
	if is := percent(); is != startGarbage {
		t.Errorf("it begins at %d %%, want %d", is, startGarbage)
	}
	for range 20 { // one of these is behind what is to be cleaned up
		last := make(chan struct{})
		runtime.AddCleanup(new([64]byte), func(last chan struct{}) { close(last) }, last)
		runtime.GC()
		<-last
	}
	if is := percent(); is != own {
		t.Errorf("it goes on at %d %%, want %d", is, own)
	}
}
