package capture

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"lxd-allowlist/parse"
)

// reference is a ledger as one would write it who has time and memory: a map of
// records, line by line.
type reference struct {
	names   []string // in the order of first sight
	domains map[string]*Record
	pending map[uint64]struct {
		serial uint64
		name   string
	}
	forwarded map[string]bool
	losses    parse.Losses
	lines     uint64
	queries   uint64

	open, alias bool // an answer's chain is being read, and the last line was an alias
	serial      uint64
	root, last  string
}

func (f *reference) domain(name string, at time.Time) *Record {
	if f.domains[name] == nil {
		f.names = append(f.names, name)
		f.domains[name] = &Record{Name: name, First: at, Last: at, Types: make(map[string]uint32)}
	}
	return f.domains[name]
}

func addTo[T comparable](list *[]T, most int, value T) {
	if len(*list) < most && !slices.Contains(*list, value) {
		*list = append(*list, value)
	}
}

func (f *reference) take(r *parse.Record, at time.Time) {
	f.lines++
	f.losses.Count(r)
	if t, ok := r.Time(at); ok {
		at = t
	}
	name := string(parse.AppendName(nil, r.Name))
	wasOpen := f.open
	f.open = false
	switch r.Kind {
	case parse.Query:
		f.queries++
		d := f.domain(name, at)
		if d.Queries == 0 {
			d.First, d.Last = at, at
		}
		if at.Before(d.First) {
			d.First = at
		}
		if at.After(d.Last) {
			d.Last = at
		}
		n := uint32(1 + min(r.Repeats, maxRepeats))
		d.Queries += n
		d.Types[string(r.Type)] += n
		addTo(&d.Clients, maxClients, string(r.Client))
		if r.Serial != 0 {
			f.pending[r.Serial%256] = struct {
				serial uint64
				name   string
			}{r.Serial, name}
		}
	case parse.Forward:
		if d := f.domains[name]; string(r.Source) == "forwarded" && (d == nil || d.Queries == 0) && len(f.forwarded) < maxForwarded {
			f.forwarded[name] = true
		}
	case parse.Answer:
		outcome := r.Outcome()
		switch {
		case len(r.Name) == 0:
			if p := f.pending[r.Serial%256]; r.Serial != 0 && p.serial == r.Serial {
				f.outcome(p.name, r)
			}
			return
		case outcome == parse.Address && r.PTR():
			return
		}
		f.open = wasOpen && f.serial == r.Serial
		switch {
		case f.open && f.alias:
			f.domain(name, at)
			if name != f.root {
				addTo(&f.domains[f.root].Chain, maxChain, name)
			}
		case f.domains[name] == nil:
			f.open = false
			return
		case !f.open || name != f.last:
			f.open, f.serial, f.root = true, r.Serial, name
		}
		f.last, f.alias = name, outcome == parse.Alias
		for _, of := range slices.Compact([]string{name, f.root}) {
			if of == name || outcome != parse.Alias {
				f.outcome(of, r)
			}
			if a, err := netip.ParseAddr(string(r.Result)); outcome == parse.Address && err == nil {
				addTo(&f.domains[of].Addresses, maxAddresses, a)
			}
		}
	}
}

func (f *reference) outcome(name string, r *parse.Record) {
	d, outcome := f.domains[name], r.Outcome()
	if outcome == parse.Blocked && r.Origin() == parse.Local && r.Answered() == parse.NoName && isPrivate(name) {
		outcome = parse.NoName
	}
	d.Outcomes |= 1 << outcome
	d.Origins |= 1 << r.Origin()
	if outcome == parse.Blocked {
		d.Blocker = cmp.Or(d.Blocker, blocker(r.Source, r.Answered()))
	}
}

// agree holds a ledger that reads a log, in one go and in pieces, to the
// reference.
func agree(t *testing.T, log []byte, size int64) {
	t.Helper()
	want := reference{domains: make(map[string]*Record), forwarded: make(map[string]bool), pending: make(map[uint64]struct {
		serial uint64
		name   string
	})}
	var s parse.Splitter
	var r parse.Record
	line := func(text []byte) {
		for ; text != nil; text = r.Rest {
			r.Parse(text)
			want.take(&r, evening)
		}
	}
	s.Feed(log, line)
	s.Flush(line)
	whole, pieced := NewLedger(Info{}), NewLedger(Info{})
	for left := log; len(left) > 0; {
		n := min(len(left), int(3*size))
		whole.Feed(left[:n], evening, true)
		left = left[n:]
	}
	whole.EndOfLog(evening, true)
	b := bulk{ledger: pieced, log: bytes.NewReader(log), end: int64(len(log)), size: size, at: evening, stamps: true, progress: func(int64) {}}
	if err := b.read(context.Background(), 3); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*Ledger{whole, pieced} {
		l.Read(func(r Reader) {
			c := r.Counts()
			if c.Lines != want.lines || c.Queries != want.queries {
				t.Errorf("%d lines, %d queries, want %d, %d", c.Lines, c.Queries, want.lines, want.queries)
			}
			for name := range want.forwarded {
				if d := want.domains[name]; d == nil || d.Queries == 0 {
					want.losses.Unasked++
				}
			}
			if got, want := c.Losses.String(), want.losses.String(); got != want {
				t.Errorf("losses are %q, want %q", got, want)
			}
			want.losses.Unasked = 0
			var names []string
			for id := range ID(r.Len()) {
				got := r.Record(id)
				names = append(names, got.Name)
				d := want.domains[got.Name]
				if d == nil {
					t.Errorf("%q is nowhere in the log", got.Name)
					continue
				}
				w := *d
				for _, one := range []*Record{&got, &w} {
					one.First, one.Last = one.First.UTC(), one.Last.UTC()
					one.Clients = slices.Clone(one.Clients)
					if len(one.Clients) > listClients {
						slices.Sort(one.Clients)
					}
					if len(one.Types) == 0 {
						one.Types = nil
					}
					if len(one.Addresses) == 0 {
						one.Addresses = nil
					}
					if len(one.Chain) == 0 {
						one.Chain = nil
					}
				}
				if !reflect.DeepEqual(got, w) {
					t.Errorf("got  %+v\nwant %+v", got, w)
				}
			}
			if !slices.Equal(names, want.names) {
				t.Errorf("names are %q, want %q", names, want.names)
			}
		})
	}
	if t.Failed() {
		t.Fatalf("in pieces of %d", size)
	}
}

// The ledger agrees with the reference on every log that there is.
func TestReferenceOfLogs(t *testing.T) {
	var logs []string
	for _, pattern := range []string{"*.log", "cases/*.log", "journal/*.log"} {
		found, err := filepath.Glob("../parse/testdata/" + pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		logs = append(logs, found...)
	}
	for _, path := range logs {
		log, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(path), func(t *testing.T) { agree(t, log, 5000) })
	}
}

func TestReference(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 9))
		log := partLog
		if seed%2 == 0 {
			log = strangeLog
		}
		agree(t, log(rng, rng.IntN(200)), 1+rng.Int64N(3000))
	}
}

// Many clients, types and addresses of one name are kept as those of few.
func TestManyClients(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 10))
	for _, clients := range []int{30, 33, 300, 2000} {
		var log bytes.Buffer
		for i := range clients {
			fmt.Fprintf(&log, "query[type=%d] other.example from 10.%d.%d.7\n", i*31, i>>8, i&255)
		}
		for range 4 * clients {
			client := rng.IntN(clients)
			name := fmt.Sprintf("n%d.example", rng.IntN(4))
			fmt.Fprintf(&log, "query[type=%d] %s from 10.%d.%d.7\n", rng.IntN(400), name, client>>8, client&255)
			fmt.Fprintf(&log, "reply %s is %s\n", name, []string{"2001:db8::" + fmt.Sprint(client%5), "0.0.0." + fmt.Sprint(client%5+1)}[rng.IntN(2)])
		}
		agree(t, log.Bytes(), 2000)
	}
}

func FuzzLedger(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(strangeLog(rand.New(rand.NewPCG(seed, 11)), 30), uint16(seed*37))
		f.Add(partLog(rand.New(rand.NewPCG(seed, 12)), 30), uint16(seed*37))
	}
	f.Fuzz(func(t *testing.T, log []byte, size uint16) {
		const longest, pieces = 4096, 256 // more of the same, and slow
		if len(log) > longest {
			return
		}
		warmFrom(t, int(size%2)*manyRecords)
		agree(t, log, max(1+int64(size), int64(len(log)/pieces)))
		compareBare(t, log)
	})
}
