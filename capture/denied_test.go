package capture_test

import (
	"net/netip"
	"testing"
	"time"

	"lxd-allowlist/capture"
)

// A name that an enforced list refused is a row like others, and is told apart
// until it is answered.
func TestDenied(t *testing.T) {
	l := capture.NewLedger(capture.Info{Instance: "web"})
	l.SetOwners(map[string]string{"10.0.0.5": "web"})
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	l.Denied("a.example", "A", netip.MustParseAddr("10.0.0.5"), at)
	l.Denied("a.example", "AAAA", netip.MustParseAddr("10.0.0.5"), at.Add(time.Second))
	l.Read(func(r capture.Reader) {
		id, ok := r.Lookup("a.example")
		if !ok {
			t.Fatal("it is not there")
		}
		d := r.Domain(id)
		if d.Queries != 2 || d.Denied != 2 || len(d.Types) != 2 || d.Result() != capture.NotAllowed || !d.Last().Equal(at.Add(time.Second)) {
			t.Errorf("%+v", d)
		}
		if owners := r.Owners(d); len(owners) != 1 || owners[0] != "web" {
			t.Errorf("asked by %v", owners)
		}
		if v := r.Verdict(d); v.Decision != capture.New {
			t.Errorf("it is %v", v)
		}
	})
	if list := l.List(false); len(list.Rules) != 0 || list.LeftOut != "1 that an enforced list refused, undecided" {
		t.Errorf("the list: %+v", list)
	}
	if list := l.List(true); len(list.Rules) != 1 {
		t.Errorf("the list of all: %+v", list)
	}
	l.Feed([]byte("Nov 27 12:00:02 dnsmasq[1]: query[A] a.example from 10.0.0.5\nNov 27 12:00:02 dnsmasq[1]: reply a.example is 192.0.2.1\n"), at, false)
	l.Read(func(r capture.Reader) {
		id, _ := r.Lookup("a.example")
		if d := r.Domain(id); d.Queries != 3 || d.Denied != 2 || d.Result() != "resolved" {
			t.Errorf("allowed and asked once more: %+v", d)
		}
	})
	if list := l.List(false); len(list.Rules) != 0 {
		t.Errorf("let through for a time, it is on the list: %+v", list)
	}
	if _, err := l.Decide(capture.Keep, 0); err != nil {
		t.Fatal(err)
	}
	if list := l.List(false); len(list.Rules) != 1 || list.LeftOut != "" {
		t.Errorf("kept, it isn't: %+v", list)
	}
}

// A refused query for a name that the program itself asks for counts for none.
func TestDeniedOfOurOwn(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	l.Overlook("version.bind")
	l.Denied("version.bind", "TXT", netip.MustParseAddr("10.0.0.5"), time.Now())
	l.Read(func(r capture.Reader) {
		if r.Len() != 0 {
			t.Errorf("there is %s", r.Name(0))
		}
	})
}
