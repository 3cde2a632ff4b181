package export

import (
	"bytes"
	"hash/maphash"
	"slices"

	"lxd-allowlist/capture/crash/lanes"
	"lxd-allowlist/export/rule"
)

// partBytes is how much of a file is read back at once.
const partBytes = 64 << 10

// says reports whether a file whose lines are read each by itself has these rules
// and no others: by parts, on all cores, so that there is no second list of them
// all.
func (f Format) says(data []byte, rules []rule.Rule) bool {
	seed := maphash.MakeSeed()
	read, wrong := make([]rule.Sum, lanes.Count()), make([]bool, lanes.Count())
	lanes.Do("the reading back", len(data), lanes.Many, func(lane, from, to int) {
		for at, end := lineFrom(data, from), lineFrom(data, to); at < end; {
			next := min(lineFrom(data, at+partBytes), end)
			part, err := f.decode(data[at:next])
			if err != nil {
				wrong[lane] = true
				return
			}
			read[lane], at = read[lane].Plus(rule.SumOf(part, seed)), next
		}
	})
	var all rule.Sum
	for _, part := range read {
		all = all.Plus(part)
	}
	return !slices.Contains(wrong, true) && all == rule.SumOf(rules, seed)
}

// lineFrom returns where the first line begins from a place on.
func lineFrom(data []byte, at int) int {
	if at == 0 || at >= len(data) {
		return min(at, len(data))
	}
	end := bytes.IndexByte(data[at-1:], '\n')
	if end < 0 {
		return len(data)
	}
	return at + end
}
