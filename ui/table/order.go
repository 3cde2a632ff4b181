package table

import (
	"cmp"
	"context"
	"encoding/binary"
	"runtime"
	"slices"
	"strings"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/crash/lanes"
)

// partOfTable names the goroutines.
const partOfTable = "a part of the table"

// worthLanes is how many domains are worth goroutines.
const worthLanes = atOnce

// breath is after how many domains a lane lets others have its core: with all
// cores at work a key waits until one of them is left, 10 ms otherwise.
const breath = 1 << 12

// ranked is a domain while it is sorted: by the key, what stands equal in the
// order in which it comes. The id is the domain's, or its place among them.
type ranked struct {
	key uint64
	id  capture.ID
}

// inOrder puts domains, which come in the order of their IDs, into that of
// [arrangement.compare], unless the context ends. Keys are numbers, few texts,
// or as many texts as domains: the first two are sorted by their digits.
func (a *arrangement) inOrder(ctx context.Context, ids []capture.ID, descending bool) bool {
	if len(ids) == 0 {
		return true
	}
	if ranks, few := a.rankTexts(ids); few {
		from, spare := make([]ranked, len(ids)), make([]ranked, len(ids))
		if ranks != nil {
			for i, id := range ids {
				from[i] = ranked{uint64(ranks[i]), id}
			}
			from, spare = byDigits(ctx, from, spare)
		} else {
			for i, id := range ids {
				from[i].id = id
			}
		}
		for i := range from {
			from[i].key = uint64(a.known.of(from[i].id).num) ^ 1<<63 // below 0 comes first
		}
		from, _ = byDigits(ctx, from, spare)
		for i := range from {
			ids[i] = from[i].id
		}
	} else if !a.byText(ctx, ids) {
		return false
	}
	if descending {
		slices.Reverse(ids)
	}
	return ctx.Err() == nil
}

// rankTexts returns the place of each domain's text among the texts that there
// are, nil where all are the same; few is false if these are many.
func (a *arrangement) rankTexts(ids []capture.ID) (ranks []uint32, few bool) {
	first := a.textOf(ids[0])
	last, lastAt, at := first, a.known.of(ids[0]).text, uint32(0)
	numbers := map[string]uint32{first: 0}
	texts := []string{first}
	for i, id := range ids {
		if place := a.known.of(id).text; place != lastAt && a.texts.text(place) != last {
			text := a.texts.text(place)
			n, known := numbers[text]
			if !known {
				if n = uint32(len(texts)); int(n) > fewTexts+len(ids)/100 {
					return nil, false
				}
				numbers[text] = n
				texts = append(texts, text)
			}
			if ranks == nil {
				ranks = make([]uint32, len(ids)) // all before have the first
			}
			last, lastAt, at = text, place, n
		}
		if ranks != nil {
			ranks[i] = at
		}
	}
	if ranks == nil {
		return nil, true
	}
	slices.Sort(texts)
	places := make([]uint32, len(texts))
	for place, text := range texts {
		places[numbers[text]] = uint32(place)
	}
	for i, n := range ranks {
		ranks[i] = places[n]
	}
	return ranks, true
}

// fewTexts are worth a list of them, however few the domains are.
const fewTexts = 64

// digit is how many bits of a key are looked at in one go: the places for each
// value lie in the core's nearest cache.
const digit = 11

// byDigits sorts by the keys, digit by digit from the lowest on: parts of many in
// lanes, which are merged. It returns what is sorted, and the other of the two, and
// gives up when the context ends.
func byDigits(ctx context.Context, from, to []ranked) (sorted, spare []ranked) {
	least, most, ordered := from[0].key, from[0].key, true
	for i := range from {
		least, most = min(least, from[i].key), max(most, from[i].key)
		ordered = ordered && from[max(0, i-1)].key <= from[i].key
	}
	if ordered {
		return from, to
	}
	part := (len(from) + lanes.Count() - 1) / lanes.Count()
	if part < sortPart {
		part = len(from)
	}
	turned := false // each lane ends in the same of the two
	lanes.Do(partOfTable, (len(from)+part-1)/part, 1, func(_, first, last int) {
		for n := first; n < last; n++ {
			begin, end := n*part, min(len(from), (n+1)*part)
			turns := digits(ctx, from[begin:end], to[begin:end], least, most)
			if n == 0 {
				turned = turns
			}
		}
	})
	if turned {
		from, to = to, from
	}
	for ; part < len(from) && ctx.Err() == nil; part *= 2 {
		for begin := 0; begin < len(from); begin += 2 * part {
			middle, end := min(begin+part, len(from)), min(begin+2*part, len(from))
			mergeHalves(to[begin:end], from[begin:middle], from[middle:end])
		}
		from, to = to, from
	}
	return from, to
}

// digits sorts keys between two, and reports whether they are in the second of the
// lists at the end.
func digits(ctx context.Context, from, to []ranked, least, most uint64) (turned bool) {
	for shift := 0; (most-least)>>shift > 0 && ctx.Err() == nil; shift += digit {
		var begins [1<<digit + 1]int
		for i := range from {
			begins[(from[i].key-least)>>shift&(1<<digit-1)+1]++
		}
		for i := range len(begins) - 1 {
			begins[i+1] += begins[i]
		}
		for i := range from {
			at := &begins[(from[i].key-least)>>shift&(1<<digit-1)]
			to[*at] = from[i]
			*at++
		}
		from, to, turned = to, from, !turned
		runtime.Gosched()
	}
	return turned
}

// mergeHalves merges what is sorted by the keys in two lanes: what stands before
// the middle one of the first list, and the rest.
func mergeHalves(to, a, b []ranked) {
	byKey := func(x, y ranked) int { return cmp.Compare(x.key, y.key) }
	if len(a) == 0 {
		copy(to, b)
		return
	}
	i := len(a) / 2
	j, _ := slices.BinarySearchFunc(b, a[i], byKey)
	lanes.Do(partOfTable, 2, 1, func(_, first, last int) {
		for half := first; half < last; half++ {
			if half == 0 {
				merge(to[:i+j], a[:i], b[:j], byKey)
			} else {
				merge(to[i+j:], a[i:], b[j:], byKey)
			}
		}
	})
}

// inText is a domain while it is sorted by more of its text.
type inText struct {
	more [2]uint64 // of the text, as numbers
	id   capture.ID
}

// byText sorts by keys that hardly any two domains have in common: by the first
// bytes of the texts, as numbers, and what has these in common by more of them.
func (a *arrangement) byText(ctx context.Context, ids []capture.ID) bool {
	text := func(at capture.ID) string { return a.textOf(ids[at]) }
	first := a.keyOf(a.known.of(ids[0]))
	type common struct {
		same   bool // the number
		shared int  // so many bytes of the text
	}
	all := make([]common, lanes.Count())
	for n := range all {
		all[n] = common{true, len(first.text)}
	}
	lanes.Do(partOfTable, len(ids), worthLanes, func(lane, from, to int) {
		c := &all[lane]
		for _, id := range ids[from:to] {
			k := a.keyOf(a.known.of(id))
			c.same = c.same && k.num == first.num
			for c.shared > 0 && (len(k.text) < c.shared || k.text[:c.shared] != first.text[:c.shared]) {
				c.shared--
			}
		}
	})
	of := all[0]
	for _, c := range all {
		of = common{of.same && c.same, min(of.shared, c.shared)}
	}
	from, more := make([]ranked, len(ids)), make([][2]uint64, len(ids))
	lanes.Do(partOfTable, len(ids), worthLanes, func(_, begin, end int) {
		for i := begin; i < end; i++ {
			k := a.keyOf(a.known.of(ids[i]))
			rest := k.text[of.shared:]
			from[i] = ranked{uint64(k.num) ^ 1<<63, capture.ID(i)}
			if of.same {
				from[i].key, rest = head(rest), rest[min(8, len(rest)):]
			}
			more[i] = [2]uint64{head(rest), head(rest[min(8, len(rest)):])}
			if i%breath == breath-1 {
				runtime.Gosched()
			}
		}
	})
	compare := func(x, y inText) int { // of those with one key; most are told apart without a look at their texts
		for i := range x.more {
			if x.more[i] != y.more[i] {
				return cmp.Compare(x.more[i], y.more[i])
			}
		}
		return cmp.Or(strings.Compare(text(x.id), text(y.id)), cmp.Compare(x.id, y.id))
	}
	from, _ = byDigits(ctx, from, make([]ranked, len(ids)))
	in := make([]capture.ID, len(ids))
	lanes.Do(partOfTable, len(from), sortPart, func(_, at, end int) {
		for at > 0 && at < end && from[at].key == from[at-1].key { // the lane before has that run
			at++
		}
		window := make([]inText, 0, breath)
		for at < end && ctx.Err() == nil {
			begin := at
			window = window[:0]
			// Many at once, of whole runs: a core waits for their places in memory together.
			for most := min(end, begin+breath); at < most || at < len(from) && from[at].key == from[at-1].key; at++ {
				window = append(window, inText{more[from[at].id], from[at].id})
			}
			for i := 0; i < len(window); {
				run := i
				for i++; i < len(window) && from[begin+i].key == from[begin+run].key; i++ {
				}
				sortRun(ctx, window[run:i], compare)
			}
			for i := range window {
				in[begin+i] = ids[window[i].id]
			}
			runtime.Gosched()
		}
	})
	if ctx.Err() != nil {
		return false
	}
	copy(ids, in)
	return true
}

// shortRun is up to how many entries are put in order one by one.
const shortRun = 16

// sortRun sorts entries of one key, unless the context ends.
func sortRun(ctx context.Context, run []inText, compare func(x, y inText) int) {
	if len(run) > shortRun {
		sorted(ctx, run, compare)
		return
	}
	for i := 1; i < len(run); i++ {
		x, at := run[i], i
		for ; at > 0; at-- {
			y := &run[at-1]
			if y.more[0] < x.more[0] || y.more[0] == x.more[0] && compare(*y, x) < 0 {
				break
			}
			run[at] = *y
		}
		run[at] = x
	}
}

// head is the first bytes of a text as a number: that of the lesser text isn't
// greater.
func head(text string) uint64 {
	var b [8]byte
	copy(b[:], text)
	return binary.BigEndian.Uint64(b[:])
}

// sortPart is how many entries are sorted between two looks at the context.
const sortPart = 1 << 12

// sorted sorts the entries, unless the context ends.
func sorted[T any](ctx context.Context, entries []T, compare func(x, y T) int) bool {
	if len(entries) <= sortPart {
		slices.SortFunc(entries, compare)
		return true
	}
	from, to := entries, make([]T, len(entries))
	parts := (len(entries) + sortPart - 1) / sortPart
	inLanes := func(parts int, do func(part int)) {
		lanes.Do(partOfTable, parts, 1, func(_, from, to int) {
			for part := from; part < to && ctx.Err() == nil; part++ {
				do(part)
				runtime.Gosched()
			}
		})
	}
	inLanes(parts, func(part int) {
		slices.SortFunc(from[part*sortPart:min(len(from), (part+1)*sortPart)], compare)
	})
	for width := sortPart; width < len(entries); width *= 2 {
		inLanes((parts+1)/2, func(part int) {
			begin := part * 2 * width
			middle, end := min(begin+width, len(entries)), min(begin+2*width, len(entries))
			merge(to[begin:end], from[begin:middle], from[middle:end], compare)
		})
		parts = (parts + 1) / 2
		from, to = to, from
	}
	copy(entries, from)
	return ctx.Err() == nil
}

func merge[T any](to, a, b []T, compare func(x, y T) int) {
	for i := range to {
		if i%breath == breath-1 {
			runtime.Gosched()
		}
		if len(b) == 0 || len(a) > 0 && compare(a[0], b[0]) <= 0 {
			to[i], a = a[0], a[1:]
		} else {
			to[i], b = b[0], b[1:]
		}
	}
}
