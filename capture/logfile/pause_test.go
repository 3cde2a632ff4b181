package logfile

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// takes follows a log to which each read adds a piece and the last one ends all,
// and returns when what was read came, and how much that was in all.
func takes(t *testing.T, piece string, reads int) (at []time.Time, total int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dns.log")
	add := func() {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.WriteString(piece)
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Error(err)
		}
	}
	add()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := Follow(ctx, path, 0, func(e Event) {
		at, total = append(at, time.Now()), total+len(e.Data)
		if len(at) <= reads {
			add()
		}
		if len(at) == reads {
			cancel()
		}
	}); err != nil {
		t.Fatal(err)
	}
	return at, total
}

// However fast a log grows, it is read by pause, and a longer one behind much.
func TestReadByPause(t *testing.T) {
	for _, test := range []struct {
		size int
		gap  time.Duration
	}{{much - 1, gap}, {much, longGap}} {
		at, _ := takes(t, strings.Repeat("x", test.size-1)+"\n", 5)
		for i := range at[:4] {
			if took := at[i+1].Sub(at[i]); took < test.gap {
				t.Errorf("%d bytes: the next read comes after %v, want %v", test.size, took, test.gap)
			}
		}
	}
}

// What was written before the end is not missed, though it is in a pause.
func TestReadToTheEnd(t *testing.T) {
	const piece = "query[A] late.example.org from 10.0.0.5\n"
	for reads := 1; reads <= 3; reads++ {
		if _, total := takes(t, piece, reads); total != (reads+1)*len(piece) {
			t.Errorf("%d bytes were read, want %d", total, (reads+1)*len(piece))
		}
	}
}
