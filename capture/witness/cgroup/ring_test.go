package cgroup

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// What the ring has no room for is counted, and what comes next isn't laid to
// anybody's charge wrongly.
func TestRingFull(t *testing.T) {
	g := newGround(t)
	l, err := begin(g.pid, g.heard, uint32(2*os.Getpagesize()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.ring.close(); l.hooks.close(); l.init.Close() })
	const all = 20
	var names []string
	for i := range all {
		names = append(names, fmt.Sprintf("n%d.example.test", i))
	}
	if said := g.run(play("ask", append([]string{"udp4", "10.77.0.1:53"}, names...)...)); said != "" {
		t.Fatal(said)
	}
	l.count()
	lost := g.heard.lost
	const records = 2 + 1 + all // of env and what it becomes, of the process, of the queries
	if lost == 0 || lost >= all {
		t.Errorf("%d of %d records are told as lost", lost, records)
	}
	told := uint64(l.read(false))
	if told+lost != records {
		t.Errorf("%d records and %d lost, want %d", told, lost, records)
	}
	if l.count(); g.heard.lost != lost {
		t.Errorf("told twice: %d, then %d", lost, g.heard.lost)
	}
}

// While the instance says nothing, nothing wakes the reader.
func TestReaderSleeps(t *testing.T) {
	g := newGround(t)
	l, err := begin(g.pid, g.heard, ringBytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.ring.close(); l.hooks.close(); l.init.Close() })
	for n, name := range []string{"one.example.test", "two.example.test"} {
		woken := make(chan bool, 1)
		go func() {
			_, on := l.turn(false)
			woken <- on
		}()
		select {
		case <-woken:
			t.Fatal("it woke by itself")
		case <-time.After(200 * time.Millisecond): // nothing tells of what doesn't come
		}
		if said := g.run(play("ask", "udp4", "10.77.0.1:53", name)); said != "" {
			t.Fatal(said)
		}
		if !<-woken {
			t.Fatal("the ring ended")
		}
		for busy := true; busy; { // until it would sleep
			busy, _ = l.turn(true)
		}
		if len(g.heard.queries) != n+1 || g.heard.queries[n].Name != name || g.heard.queries[n].Process == nil {
			t.Fatalf("told was %+v", g.heard.queries)
		}
	}
}

// Of what can be read together the kernel gives no notice, and none of it is
// missed.
func TestReaderIsLeftAlone(t *testing.T) {
	const all = 100
	g := newGround(t)
	l, err := begin(g.pid, g.heard, ringBytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.ring.close(); l.hooks.close(); l.init.Close() })
	g.run(play("ask", "udp4", "10.77.0.1:53", "before.example.test"))
	l.read(true)
	looks, done := 0, make(chan struct{})
	go func() {
		defer close(done)
		l.ring.await(time.Time{}, func() bool {
			looks++
			l.read(true)
			return false
		})
	}()
	if said := g.run(play("load", "queries", strconv.Itoa(all))); said != "" {
		t.Fatal(said)
	}
	l.ring.end()
	<-done
	if looks > 2 { // the first, and for the process
		t.Errorf("it was woken %d times for %d queries of one process", looks-1, all)
	}
	if l.read(false); len(g.heard.queries) != all+1 {
		t.Errorf("%d queries were told, want %d", len(g.heard.queries), all+1)
	}
}
