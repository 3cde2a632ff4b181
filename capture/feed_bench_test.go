package capture_test

import (
	"os"
	"testing"

	"lxd-allowlist/capture"
)

// BenchmarkFeed reads a log of a package manager's session, or the one that
// CAPTURE_BENCH_LOG names, into a ledger.
func BenchmarkFeed(b *testing.B) {
	path := os.Getenv("CAPTURE_BENCH_LOG")
	if path == "" {
		path = "../parse/testdata/session.log"
	}
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		capture.NewLedger(capture.Info{}).Feed(data, noon, true)
	}
}

// BenchmarkFeedAt reads the log that CAPTURE_BENCH_LOG names as `export` and
// `open` do: side by side, if it is a large one.
func BenchmarkFeedAt(b *testing.B) {
	path := os.Getenv("CAPTURE_BENCH_LOG")
	if path == "" {
		path = "../parse/testdata/session.log"
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(st.Size())
	for b.Loop() {
		if _, err := capture.NewLedger(capture.Info{}).FeedAt(b.Context(), f, 0, st.Size(), noon, true, func(int64) {}); err != nil {
			b.Fatal(err)
		}
	}
}
