package rule

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"
	"strings"

	"lxd-allowlist/capture/crash/lanes"
	"lxd-allowlist/export/rule/psl"
)

// place is where a value stands among those to be sorted. The values
// themselves, which are larger, are moved once.
type place struct {
	head uint64 // the next bytes of what is compared, eight in one go
	at   uint32
	from uint32 // where the value's key begins
}

// wordBytes is how many bytes of a text are compared in one go.
const wordBytes = 8

// word returns the bytes of a text from a place on, zeros behind its end.
func word(text string, from int) uint64 {
	if from+wordBytes <= len(text) {
		return binary.BigEndian.Uint64([]byte(text[from : from+wordBytes]))
	}
	var last [wordBytes]byte
	copy(last[:], text[min(from, len(text)):])
	return binary.BigEndian.Uint64(last[:])
}

// sortPlaces sorts places by the bytes of what they stand for: next returns the
// eight from a place on, with 0 for each behind the end. Only what has these in
// common is looked at again. tie orders those whose last is 0, as it is of all at
// their end.
func sortPlaces(places []place, next func(p place, from int) uint64, tie func(a, b place) int) {
	lanes.Do(sorting, len(places), lanes.Many, func(_, first, last int) { setHeads(places[first:last], 0, next) })
	lanes.Sort(sorting, places, byHead)
	sortAlike(places, wordBytes, next, tie)
}

// sortAlike sorts those by their next bytes whose last ones were the same, by which
// all are sorted.
func sortAlike(places []place, from int, next func(p place, from int) uint64, tie func(a, b place) int) {
	for len(places) > 0 {
		head, n := places[0].head, 1
		for n < len(places) && places[n].head == head {
			n++
		}
		same := places[:n]
		switch places = places[n:]; {
		case n == 1:
		case head&0xff == 0:
			slices.SortFunc(same, tie)
		default:
			setHeads(same, from, next)
			slices.SortFunc(same, byHead)
			sortAlike(same, from+wordBytes, next, tie)
		}
	}
}

func setHeads(places []place, from int, next func(p place, from int) uint64) {
	for i := range places {
		places[i].head = next(places[i], from)
	}
}

func byHead(a, b place) int { return cmp.Compare(a.head, b.head) }

// What stands between the labels of a key, and behind them, and before an endpoint:
// less than any byte of a name, and more.
const (
	keyDot      = 1
	keyEnd      = 0
	keyEndpoint = 0xff
	keyBytes    = 2 // that a key has at most beside the name
)

// appendKey appends what the bytes of names, and of endpoints, are sorted by: the
// registrable domain, then the labels before it from the right.
func appendKey(to []byte, name string) []byte {
	if strings.Contains(name, ":") {
		return append(append(append(to, keyEndpoint), name...), keyEnd)
	}
	registrable, ok := psl.PlusOne(name)
	if !ok { // a public suffix itself
		registrable = name
	}
	to = append(to, registrable...)
	for rest := name[:len(name)-len(registrable)]; rest != ""; {
		rest = rest[:len(rest)-1] // its dot
		dot := strings.LastIndexByte(rest, '.') + 1
		to = append(append(to, keyDot), rest[dot:]...)
		rest = rest[:dot]
	}
	return append(to, keyEnd)
}

// sorting is what the goroutines do.
const sorting = "the sorting of rules"

// mostly is how many times as many values as stand before them are sorted where it is
// worth it to find the place of each of these, which takes about as many steps of
// comparing as there are bits in their number.
const mostly = 32

// sorted sorts stably, in place: by registrable domain, then by label from the
// right; endpoints stand behind all names. A few before many that are sorted, as what
// is merged into a file stands, are put among these.
func sorted[T any](values []T, name func(T) string) []T {
	if few := unsorted(values, name); few*mostly <= len(values) {
		insert(values, slices.Clone(sortAll(values[:few], name)), name)
		return values
	}
	return sortAll(values, name)
}

// unsorted returns how many values stand before those that are sorted up to the last.
func unsorted[T any](values []T, name func(T) string) int {
	lane := make([]int, lanes.Count())
	lanes.Do(sorting, len(values), lanes.Many, func(n, first, last int) {
		if first == last {
			return
		}
		next, key := appendKey(nil, name(values[last-1])), []byte(nil)
		for i := last - 1; i > 0 && i >= first; i-- {
			key = appendKey(key[:0], name(values[i-1]))
			if bytes.Compare(key, next) > 0 {
				lane[n] = i
				return
			}
			key, next = next, key
		}
	})
	return slices.Max(lane)
}

// insert puts a few values, which are sorted, among those that are it and stand in a
// slice behind as many places: before their equals.
func insert[T any](values, few []T, name func(T) string) {
	rest := values[len(few):]
	var key []byte
	for _, v := range few {
		own := appendKey(nil, name(v))
		at := sort.Search(len(rest), func(i int) bool {
			key = appendKey(key[:0], name(rest[i]))
			return bytes.Compare(key, own) >= 0
		})
		copy(values, rest[:at])
		values[at] = v
		values, rest = values[at+1:], rest[at:]
	}
}

// sortAll is sorted of values in any order.
func sortAll[T any](values []T, name func(T) string) []T {
	places, size := make([]place, len(values)), 0
	for i, v := range values {
		places[i] = place{at: uint32(i), from: uint32(size)}
		size += len(name(v)) + keyBytes
	}
	keys := make([]byte, size+wordBytes)
	lanes.Do(sorting, len(values), lanes.Many, func(_, first, last int) {
		for _, p := range places[first:last] {
			appendKey(keys[p.from:p.from], name(values[p.at]))
		}
	})
	sortPlaces(places, func(p place, from int) uint64 {
		w := binary.BigEndian.Uint64(keys[int(p.from)+from:])
		if end := zeroByte(w); end < wordBytes {
			w = w >> (8 * (wordBytes - end)) << (8 * (wordBytes - end))
		}
		return w
	}, func(a, b place) int { return cmp.Compare(a.at, b.at) })
	arrange(values, places)
	return values
}

// zeroByte returns which byte of a word is its first 0, 8 for none.
func zeroByte(w uint64) int {
	const low = 0x7f7f7f7f7f7f7f7f
	return bits.LeadingZeros64(^(((w & low) + low) | w | low)) / 8
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
