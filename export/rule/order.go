package rule

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"lxd-allowlist/capture/crash/lanes"
)

// place is where a value stands among those to be sorted. The values
// themselves, which are larger, are moved once.
type place struct {
	head uint64 // the first bytes of what is compared first: hardly ever more is looked at
	at   uint32
	from uint32 // where the name's registrable domain begins
}

// endpointHead is the first byte of an endpoint's head, behind those of all
// names.
const endpointHead = 0xff

func headOf(text string) uint64 {
	var first [8]byte
	copy(first[:], text)
	return binary.BigEndian.Uint64(first[:])
}

// placeOf returns the place of a name, or of an endpoint.
func placeOf(name string, at int) place {
	if strings.Contains(name, ":") {
		return place{head: endpointHead<<56 | headOf(name)>>8, at: uint32(at)}
	}
	registrable, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil { // a public suffix itself
		registrable = name
	}
	return place{headOf(registrable), uint32(at), uint32(len(name) - len(registrable))}
}

// sorting is what the goroutines do.
const sorting = "the sorting of rules"

// sorted sorts stably, in place: by registrable domain, then by label from the
// right; endpoints stand behind all names.
func sorted[T any](values []T, name func(T) string) []T {
	places := make([]place, len(values))
	lanes.Do(sorting, len(values), func(_, from, to int) {
		for i := from; i < to; i++ {
			places[i] = placeOf(name(values[i]), i)
		}
	})
	lanes.Sort(sorting, places, func(a, b place) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		x, y := name(values[a.at]), name(values[b.at])
		if c := strings.Compare(x[a.from:], y[b.from:]); c != 0 {
			return c
		}
		return cmp.Or(compareLabels(x[:a.from], y[:b.from]), cmp.Compare(a.at, b.at))
	})
	arrange(values, places)
	return values
}

// compareLabels compares names by label from the right.
func compareLabels(a, b string) int {
	for a != "" && b != "" {
		x, y := strings.LastIndexByte(a, '.'), strings.LastIndexByte(b, '.')
		if c := strings.Compare(a[x+1:], b[y+1:]); c != 0 {
			return c
		}
		a, b = a[:max(x, 0)], b[:max(y, 0)]
	}
	return cmp.Compare(len(a), len(b))
}

// arrange moves each value to its place, ring by ring of those that take each
// other's, so that no copy of all is made.
func arrange[T any](values []T, places []place) {
	for i := range places {
		first, to := values[i], uint32(i)
		for from := places[to].at; from != to; from = places[to].at {
			places[to].at = to
			if from == uint32(i) {
				values[to] = first
				break
			}
			values[to] = values[from]
			to = from
		}
	}
}

func sortNames(names []string) []string {
	return slices.Compact(sorted(names, func(s string) string { return s }))
}
