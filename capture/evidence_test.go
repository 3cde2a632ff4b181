package capture_test

import (
	"strings"
	"testing"

	"lxd-allowlist/capture"
)

func TestEvidence(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	feed(l, "query[A] a.b.example.com from 10.0.0.5", "query[AAAA] a.b.example.com from 10.0.0.5", "query[A] b.example.com from 10.0.0.5",
		"query[A] www.example.com from 10.0.0.5", "query[A] notexample.com from 10.0.0.5", "query[A] a.example.net from 10.0.0.5",
		"reply www.example.com is <CNAME>", "reply only.alias.example.com is 192.0.2.1")
	l.DecideGroup(capture.Drop, "b.example.com")
	all := l.Evidence([]string{"a.b.example.com", "b.example.com", "example.com"})
	for i, want := range []capture.Evidence{
		{Asked: 1, Queries: 2, Names: []string{"a.b.example.com"}, DroppedAll: 1},
		{Asked: 2, Queries: 3, Names: []string{"a.b.example.com", "b.example.com"}, DroppedAll: 2},
		{Asked: 3, Queries: 4, Names: []string{"a.b.example.com", "b.example.com", "www.example.com"}, DroppedAll: 2},
	} {
		got := all[i]
		if got.Asked != want.Asked || got.Queries != want.Queries || strings.Join(got.Names, " ") != strings.Join(want.Names, " ") || got.DroppedAll != want.DroppedAll || len(got.Dropped) != want.DroppedAll {
			t.Errorf("%d: %+v, want %+v", i, got, want)
		}
	}
	if got := strings.Join(l.Siblings("b.example.com"), " "); got != "www.example.com" {
		t.Errorf("the siblings of b.example.com are %q", got)
	}
	if got := strings.Join(l.Siblings("a.example.com"), " "); got != "b.example.com www.example.com a.example.net" {
		t.Errorf("the siblings of a.example.com are %q", got)
	}
	feed(l, "query[A] a.blob.core.windows.net from 10.0.0.5", "query[A] b.blob.core.windows.net from 10.0.0.5")
	for i, e := range l.Evidence([]string{"a.blob.core.windows.net", "blob.core.windows.net", "windows.net"}) {
		if want := min(i, 1) + 1; e.Asked != want {
			t.Errorf("below what others let out, rung %d has %d, want %d", i, e.Asked, want)
		}
	}
	l.Read(func(r capture.Reader) {
		if got := r.Below("windows.net"); got != 2 {
			t.Errorf("%d names below windows.net, want 2", got)
		}
	})
	if got := l.Evidence(nil); len(got) != 0 {
		t.Errorf("of nothing: %+v", got)
	}
}

// A suffix that keeps a name is told, however it came to be.
func TestKeptBelow(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	feed(l, "query[A] a.example.com from 10.0.0.5", "query[A] a.example.net from 10.0.0.5", "query[A] a.example.org from 10.0.0.5", "query[A] own.example.com from 10.0.0.5")
	rules, err := capture.ReadRules(strings.NewReader("keep a.example.org\nkeep .example.net\n"))
	if err != nil {
		t.Fatal(err)
	}
	l.SetRules(rules)
	l.KeepSuffix("example.com", "")
	l.Read(func(r capture.Reader) {
		for name, want := range map[string]string{"a.example.com": "example.com", "a.example.net": "example.net", "a.example.org": ""} {
			id, _ := r.Lookup(name)
			if got := r.KeptBelow(r.Domain(id)); got != want {
				t.Errorf("%s is kept by %q, want %q", name, got, want)
			}
		}
		for name, want := range map[string]capture.Rule{"example.com": capture.ByGroup, "example.net": capture.ByFile, "example.org": capture.Undecided, "a.example.com": capture.Undecided} {
			if got := r.Suffix(name); got != want {
				t.Errorf("the suffix %s is kept by %q, want %q", name, got, want)
			}
		}
	})
	id, _ := capture.ID(3), 0
	l.Decide(capture.Keep, id)
	l.Read(func(r capture.Reader) {
		if got := r.KeptBelow(r.Domain(id)); got != "" {
			t.Errorf("what a person keeps is kept by %q", got)
		}
	})
}
