package logfile_test

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

var soak = flag.Duration("soak", 0, "for how long TestSoak sends soakRate queries a second; 0 for a few rounds as fast as they go")

const (
	soakDomains = 200_000
	soakRounds  = 6 // at least: the first makes the rows, between the others nothing may grow
	soakRate    = 2000
)

// usage is what a process that runs for long must not take ever more of.
type usage struct {
	heap                    uint64
	goroutines, descriptors int
}

func use(t *testing.T) usage {
	t.Helper()
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return usage{mem.HeapAlloc, runtime.NumGoroutine(), len(open)}
}

// A log with 200,000 domains that are asked for again and again: memory stays
// what it was once all are there, as goroutines and descriptors do, no row is
// wrong, nor in the session afterwards.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes ten seconds")
	}
	home(t)
	path := write(t, filepath.Join(t.TempDir(), "log"), "")
	r := open(t, path, true)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const burst = 100
	domains, rounds, tick := soakDomains, soakRounds, &time.Ticker{}
	if *soak > 0 {
		all := int(soak.Seconds() * soakRate)
		domains = min(domains, all/rounds)
		rounds = all / domains
		tick = time.NewTicker(time.Second * burst / soakRate)
		defer tick.Stop()
	}
	used := make([]usage, rounds)
	lines := bufio.NewWriterSize(f, 1<<20)
	for round := range rounds {
		for n := range domains {
			fmt.Fprintf(lines, "dnsmasq[1]: query[A] host%d.zone%d.example from 10.0.0.%d\n", n, n%997, n%7+2)
			if n%burst == burst-1 || n == domains-1 {
				if err := lines.Flush(); err != nil {
					t.Fatal(err)
				}
				if *soak > 0 {
					<-tick.C
				}
			}
		}
		awaitQueries(t, r.Ledger, (round+1)*domains)
		used[round] = use(t)
		t.Logf("round %d: %d KB in use, %d goroutines, %d descriptors", round+1, used[round].heap>>10, used[round].goroutines, used[round].descriptors)
	}
	first, last := used[1], used[rounds-1]
	// The journal has a few megabytes in hand at one time and not at another; a
	// pointer for each query would be more.
	if last.heap > first.heap+8*(soakRounds-2)*soakDomains || last.goroutines > first.goroutines || last.descriptors > first.descriptors {
		t.Errorf("from round 2 to round %d it went from %+v to %+v", rounds, first, last)
	}
	rows(t, r.Ledger, domains, rounds)
	var name string
	r.Ledger.Decide(capture.Keep, 0) // or nothing is kept
	r.Ledger.Read(func(r capture.Reader) { name = r.Info().Session })
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := session.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	rows(t, again, domains, rounds)
}

func awaitQueries(t *testing.T, l *capture.Ledger, want int) {
	t.Helper()
	late := time.After(time.Minute) // for a burst, on a busy machine
	for {
		got := 0
		l.Read(func(r capture.Reader) { got = int(r.Counts().Queries) })
		if got == want {
			return
		}
		select {
		case <-l.Wake():
		case <-late:
			t.Fatalf("%d queries were read, want %d", got, want)
		}
	}
}

// rows checks that each domain is there, asked for once in each round.
func rows(t *testing.T, l *capture.Ledger, domains, rounds int) {
	t.Helper()
	l.Read(func(r capture.Reader) {
		if r.Len() != domains {
			t.Errorf("there are %d domains, want %d", r.Len(), domains)
		}
		for n := range domains {
			name := fmt.Sprintf("host%d.zone%d.example", n, n%997)
			id, ok := r.Lookup(name)
			if !ok || int(r.Domain(id).Queries) != rounds {
				t.Fatalf("%s: there %v, asked for other than %d times", name, ok, rounds)
			}
		}
	})
}
