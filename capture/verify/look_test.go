package verify

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/export/rule"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// To look at a grant is no try: one for a single try is still there for it.
func TestGrantedIsNoTry(t *testing.T) {
	p := New(nil, func(string) bool { return false })
	p.GrantOnce("a.example", noon)
	p.Grant("b.example", 5*time.Minute, noon)
	p.Grant("c.example", 0, noon)
	for range 2 {
		if until, once, ok := p.Granted("a.example", noon.Add(time.Hour)); !ok || !once || !until.IsZero() {
			t.Errorf("once: %v, %t, %t", until, once, ok)
		}
	}
	if !p.Allows("a.example", noon.Add(time.Hour)) {
		t.Error("once, and looked at, it is refused")
	}
	if until, once, ok := p.Granted("a.example", noon.Add(time.Hour)); !ok || !once || !until.Equal(noon.Add(time.Hour+onceLasts)) {
		t.Errorf("once, and tried: %v, %t, %t", until, once, ok)
	}
	if until, once, ok := p.Granted("b.example", noon); !ok || once || !until.Equal(noon.Add(5*time.Minute)) {
		t.Errorf("five minutes: %v, %t, %t", until, once, ok)
	}
	if until, once, ok := p.Granted("c.example", noon.Add(time.Hour)); !ok || once || !until.IsZero() {
		t.Errorf("to the end: %v, %t, %t", until, once, ok)
	}
	for name, at := range map[string]time.Time{"b.example": noon.Add(5 * time.Minute), "d.example": noon} {
		if _, _, ok := p.Granted(name, at); ok {
			t.Errorf("%s is granted at %v", name, at)
		}
	}
}

func TestLastIsTheLastRefused(t *testing.T) {
	p := New([]rule.Rule{{Name: "ok.example"}}, func(string) bool { return false })
	if q := p.Last(); q.Name != "" {
		t.Errorf("before any: %+v", q)
	}
	p.Asked(Query{At: noon, Name: "a.example", Type: "A", Refused: true})
	p.Asked(Query{At: noon, Name: "a.example", Type: "AAAA", Refused: true})
	p.Asked(Query{At: noon, Name: "ok.example", Type: "A"})
	if q := p.Last(); q.Name != "a.example" || q.Type != "AAAA" {
		t.Errorf("it is %+v, want AAAA a.example", q)
	}
}

func TestLatestPackets(t *testing.T) {
	var p Packets
	for i, second := range []int{3, 1, 5, 2, 4} {
		p.Add(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 443), "tcp", noon.Add(time.Duration(second)*time.Second))
	}
	for n, want := range map[int]string{0: "", 2: "2 4 ", 9: "2 4 0 3 1 "} {
		latest, all := p.Latest(n)
		var got strings.Builder
		for _, s := range latest {
			fmt.Fprintf(&got, "%d ", s.To.Addr().As4()[3])
		}
		if got.String() != want || all != 5 {
			t.Errorf("the latest %d are %q of %d, want %q of 5", n, got.String(), all, want)
		}
	}
}
