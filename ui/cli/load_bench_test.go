package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"lxd-allowlist/capture/verify"
)

// BenchmarkLoad100000Rules is what verify does from a list in a file to the
// policy in force: it is read, told what it is, judged, compiled, and made the
// policy's. The budget is 500 ms, which on cores that others use is for the
// processor's time of the whole process: cpu-ms/op.
func BenchmarkLoad100000Rules(b *testing.B) {
	const rules = 100_000
	var list bytes.Buffer
	for i := range rules {
		if i%3 == 0 {
			list.WriteByte('.') // and all below it
		}
		fmt.Fprintf(&list, "host%d.zone%d.example\n", i, i%1000)
	}
	file := filepath.Join(b.TempDir(), "allow.txt")
	if err := os.WriteFile(file, list.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	before := processorTime(b)
	for b.Loop() {
		l, err := readVerifyList(file, true)
		if err != nil {
			b.Fatal(err)
		}
		if len(l.rules) != rules {
			b.Fatalf("%d rules are enforced", len(l.rules))
		}
		verify.New(l.rules, func(string) bool { return false })
	}
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

// processorTime is what this process has had of the processors.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
