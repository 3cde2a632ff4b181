package witness

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// A refusal is whoever's called at its time: a program that called the same
// place long before, or later, is none of those.
func TestCallers(t *testing.T) {
	var c Callers
	begin := time.Unix(1_800_000_000, 0)
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	to := netip.MustParseAddrPort("192.0.2.1:443")
	curl, apt := &Process{Exe: "/usr/bin/curl", Comm: "curl"}, &Process{Comm: "https"}
	c.Query(Query{At: at(1), Name: "a.example", Process: curl})
	c.Query(Query{At: at(2), Name: "a.example", Process: apt})
	c.Query(Query{At: at(3), Name: "a.example", Process: curl})
	c.Query(Query{At: at(3), Name: "nobody.example"})
	mapped := netip.MustParseAddrPort("[::ffff:192.0.2.1]:443") // a socket of both families
	c.Connection(Connection{At: at(10), To: mapped, Protocol: "tcp", Process: curl})
	c.Connection(Connection{At: at(40), To: to, Protocol: "tcp", Process: apt})
	if got := c.Asked("a.example"); !slices.Equal(got, []string{"/usr/bin/curl", "https"}) {
		t.Errorf("asked by %q", got)
	}
	for _, of := range []struct {
		to          string
		protocol    string
		first, last int
		want        []string
	}{
		{"192.0.2.1:443", "tcp", 10, 10, []string{"/usr/bin/curl"}},
		{"192.0.2.1:443", "tcp", 20, 25, []string{"/usr/bin/curl"}}, // told late
		{"192.0.2.1:443", "tcp", 40, 45, []string{"https"}},
		{"192.0.2.1:443", "tcp", 11, 39, []string{"/usr/bin/curl", "https"}},
		{"192.0.2.1:443", "tcp", 23, 37, nil},
		{"192.0.2.1:443", "udp", 10, 10, nil},
		{"192.0.2.1:80", "tcp", 10, 10, nil},
	} {
		if got := c.Called(netip.MustParseAddrPort(of.to), of.protocol, at(of.first), at(of.last)); !slices.Equal(got, of.want) {
			t.Errorf("%+v: called by %q", of, got)
		}
	}
	if got := c.Asked("nobody.example"); got != nil {
		t.Errorf("a query without a process is %q's", got)
	}
	if got := c.Losses(); len(got) != 1 || got[0].N != 1 {
		t.Errorf("losses: %+v", got)
	}
}

// Who waits for a caller has it as soon as it is told, and none at the end of
// the time.
func TestCallersAwait(t *testing.T) {
	var c Callers
	looked := make(chan bool, 1)
	go func() {
		<-looked
		c.Query(Query{Name: "other.example", Process: &Process{Comm: "b"}})
		c.Query(Query{Name: "a.example", Process: &Process{Comm: "a"}})
	}()
	got := c.Await(time.Now().Add(time.Hour), func() []string {
		defer func() {
			select {
			case looked <- true:
			default:
			}
		}()
		return c.Asked("a.example")
	})
	if !slices.Equal(got, []string{"a"}) {
		t.Errorf("it is %q", got)
	}
	if got := c.Await(time.Now(), func() []string { return nil }); got != nil {
		t.Errorf("nobody is %q", got)
	}
}

// An instance can't have any number of names remembered, and what is beyond is
// counted.
func TestCallersBounded(t *testing.T) {
	var c Callers
	for n := range maxCalled + 3 {
		c.Query(Query{Name: fmt.Sprintf("n%d.example", n), Process: &Process{Comm: "a"}})
	}
	for n := range maxCallers + 2 {
		c.Connection(Connection{To: netip.MustParseAddrPort("192.0.2.1:1"), Protocol: "tcp", Process: &Process{Comm: fmt.Sprint(n)}})
	}
	got := c.Losses()
	if len(c.names) != maxCalled || len(got) != 2 || got[0].N != 3 || got[1].N != 2 {
		t.Errorf("%d names, losses %+v", len(c.names), got)
	}
}
