package cli

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

// The collector begins late, and is from its first time on what it was.
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
	if is := percent(); is != startGarbage {
		t.Errorf("it begins at %d %%, want %d", is, startGarbage)
	}
	for runtime.GC(); percent() != own; {
		runtime.Gosched()
	}
}
