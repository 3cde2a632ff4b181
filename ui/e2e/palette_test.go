package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// million is how many domains a large log has.
const million = 1_000_000

// appendQuery appends a line that asks for the n-th name.
func appendQuery(b []byte, n int) []byte {
	b = strconv.AppendInt(append(b, "dnsmasq[1]: query[A] host"...), int64(n), 10)
	b = strconv.AppendInt(append(b, ".example"...), int64(n*7919%(million/10)), 10)
	return append(b, ".com from 10.0.0.5\n"...)
}

// largeLog writes a log that has a million domains.
func largeLog(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "dns.log")
	var log []byte
	for n := range million {
		log = appendQuery(log, n)
	}
	if err := os.WriteFile(path, log, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pour appends a thousand new domains a second to a large log until it is
// stopped, and returns how many there are in all then.
func pour(t testing.TB, path string) (stop func() int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, done := million, make(chan struct{})
	var pouring sync.WaitGroup
	pouring.Go(func() {
		defer f.Close()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for ; ; n++ {
			select {
			case <-tick.C:
			case <-done:
				return
			}
			if _, err := f.Write(appendQuery(nil, n)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	stop = sync.OnceValue(func() int {
		close(done)
		pouring.Wait()
		return n
	})
	t.Cleanup(func() { stop() })
	return stop
}

var newInHeader = regexp.MustCompile(`(\d+) new`)

// undecided waits until more than so many domains are new, and returns how many
// are.
func (s *screen) undecided(than int) (n int) {
	s.t.Helper()
	s.until(fmt.Sprintf("more than %d new", than), func(screen string) bool {
		m := newInHeader.FindStringSubmatch(screen)
		if m == nil {
			return false
		}
		n, _ = strconv.Atoi(m[1])
		return n > than
	})
	return n
}

// With a million domains there and a thousand more a second the palette opens,
// finds and does things, and what comes in meanwhile is shown behind it.
func TestPaletteUnderLoad(t *testing.T) {
	t.Setenv("LXD_DIR", t.TempDir())
	path := largeLog(t)
	s := open(t, 200, 60, "open", "--follow", path) // the header can be read beside the palette
	s.undecided(million - 1)
	stop := pour(t, path)
	n := s.undecided(million)
	s.keys(":")
	s.sees("What can be done", "close")
	n = s.undecided(n)
	s.tmux("send-keys", "-l", "--", "sort next")
	s.row("▌", "Look", "sort by the next column")
	n = s.undecided(n)
	s.keys("Enter")
	gone := func(screen string) bool { return !strings.Contains(screen, "What can be done") }
	s.until("the palette to go, and another order", func(screen string) bool {
		return gone(screen) && strings.Contains(screen, "last↓")
	})
	n = s.undecided(n)
	s.keys("C-p")
	s.sees("What can be done")
	s.undecided(n)
	s.keys("Escape") // a key right behind it would be one with alt
	s.until("the palette to go", gone)
	all := stop()
	s.sees(fmt.Sprintf("Domains %d ", all), fmt.Sprintf("%d new", all))
	s.keys("/")
	s.types(fmt.Sprintf("host%d.", all-1))
	s.row("new", fmt.Sprintf("host%d.", all-1))
	s.sees(fmt.Sprintf("1 of %d", all))
	s.quits()
}
