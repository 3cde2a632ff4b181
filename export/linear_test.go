package export

import (
	"fmt"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"lxd-allowlist/export/rule"
)

// manyRules returns a list of n rules, a tenth of them suffixes, some with a
// reason.
func manyRules(n int) (l rule.List) {
	for i := range n {
		r := rule.Rule{Name: fmt.Sprintf("h%d.site%d.example.net", i, i%(n/4)), Suffix: i%10 == 9}
		if i%20 == 0 {
			r.Reason = fmt.Sprintf("ticket %d", i)
		}
		l.Rules = append(l.Rules, r)
	}
	return l
}

// merged returns how many bytes were allocated to merge a rule into a file of n.
func merged(t *testing.T, f Format, n int) uint64 {
	t.Helper()
	f.maxRules, f.maxBytes = 0, 0
	path := filepath.Join(t.TempDir(), "list")
	file, err := Make(manyRules(n), f, Options{})
	if err == nil {
		err = WriteFile(path, file.Data, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p, err := Look(f, path)
	if err == nil {
		file, err = p.Merge(rule.List{Rules: []rule.Rule{{Name: "new.example.org"}}}, f, Options{InPlace: true})
	}
	runtime.ReadMemStats(&after)
	if err != nil || len(file.Rules) != n+1 {
		t.Fatalf("%s: %d rules, error %v", f.Name, len(file.Rules), err)
	}
	return after.TotalAlloc - before.TotalAlloc
}

// What a merge allocates grows with the rules, and not with their square, which
// would be a hundredfold; what doubles its room may do so once more.
func TestMergeIsLinear(t *testing.T) {
	for _, f := range formats {
		few, many := merged(t, f, 50), merged(t, f, 500)
		if many > 14*few {
			t.Errorf("%s: %d bytes for 50 rules and %d for 500", f.Name, few, many)
		}
	}
}

// BenchmarkMerge merges a rule into a file of 200,000.
func BenchmarkMerge(b *testing.B) {
	for _, f := range formats {
		if f.maxRules+f.maxBytes > 0 {
			continue // it doesn't take so many
		}
		b.Run(f.Name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "list")
			file, err := Make(manyRules(200_000), f, Options{})
			if err == nil {
				err = WriteFile(path, file.Data, false)
			}
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			before := cpuSeconds(b)
			for b.Loop() {
				p, err := Look(f, path)
				if err == nil {
					_, err = p.Merge(rule.List{Rules: []rule.Rule{{Name: "new.example.org"}}}, f, Options{InPlace: true})
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuSeconds(b)-before)/float64(b.N), "cpu-s/op")
		})
	}
}

// cpuSeconds returns the processor time of this process so far, which tells more
// than the clock does of a machine that others use.
func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// Names that come again are found where they stood first, and no other is, even if it
// has the same hash.
func TestStanding(t *testing.T) {
	var names []string
	at := standingOf(1000, func(i int) string { return names[i] })
	for i := range 3000 {
		name := fmt.Sprint("h", i%1000)
		stands := at.put(name, len(names))
		if stands != i%1000 {
			t.Fatalf("%s stands at %d", name, stands)
		}
		if stands == len(names) {
			names = append(names, name)
		}
	}
	for i := range 3000 {
		if stands, is := at.at(fmt.Sprint("h", i)); is != (i < 1000) || is && stands != i {
			t.Fatalf("h%d stands at %d: %v", i, stands, is)
		}
	}
	names[7] = "another"
	if stands, is := at.at("h7"); is {
		t.Fatalf("h7 stands at %d, where another does", stands)
	}
}
