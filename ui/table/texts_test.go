package table

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
)

// There are millions of them, and each pointer is looked at by the collector.
func TestKnownHasNoPointers(t *testing.T) {
	for _, of := range []reflect.Type{reflect.TypeFor[known](), reflect.TypeFor[textAt]()} {
		for i := range of.NumField() {
			if kind := of.Field(i).Type.Kind(); kind > reflect.Uint64 && of.Field(i).Type != reflect.TypeFor[textAt]() {
				t.Errorf("%v has a %v", of, kind)
			}
		}
	}
}

// However often rows change, the texts that they are sorted by are kept once.
func TestTextsAreKeptOnce(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	for _, column := range []int{colDomain, colTypes, colResult, colFrom} {
		a := newArrangement(settings{sort: column})
		for i := range 2000 {
			name := fmt.Sprintf("host%d.example", i%7)
			l.Feed(fmt.Appendf(nil, "query[A] %s from 10.0.0.5\nreply %[1]s is %s\n", name, []string{"NXDOMAIN", "192.0.2.7"}[i/7%2]), noon.Add(time.Duration(i)), false)
			l.Refresh(func(r capture.Reader, changed []capture.ID) {
				for _, id := range changed {
					a.put(r, id, noon)
				}
			})
		}
		size := 0
		for _, page := range a.texts.pages {
			size += len(page)
		}
		if size > 400 {
			t.Errorf("column %d has texts of %d bytes: %q", column, size, strings.Join(a.texts.pages, "|"))
		}
	}
}

// The texts of many names, which come page by page, are each name's own, in an
// arrangement of its own and in one that follows another.
func TestTextsOfManyNames(t *testing.T) {
	l := capture.NewLedger(capture.Info{})
	for i := range 10 * atOnce {
		l.Feed(fmt.Appendf(nil, "query[A] host%d.example%d.com from 10.0.0.5\n", i, i%97), noon, false)
	}
	table := New(l)
	for _, column := range []int{colDomain, colQueries, colDomain} {
		table.SortBy(column)
		finish(table)
	}
	l.Read(func(r capture.Reader) {
		for id := range capture.ID(r.Len()) {
			name := r.Name(id)
			if got, want := table.shown.textOf(id), domainOrder(name, len(Registrable(name))); got != want {
				t.Fatalf("%s is sorted by %q, want %q", name, got, want)
			}
		}
	})
}

// A text that domains may have in common has one place.
func TestTextHasOnePlace(t *testing.T) {
	var all texts
	first, _ := all.add("resolved", true)
	all.add("NXDOMAIN", true)
	if second, text := all.add("resolved", true); second != first || text != "resolved" {
		t.Errorf("%q is at %v, and at %v before", text, second, first)
	}
}
