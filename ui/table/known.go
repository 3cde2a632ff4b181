package table

import (
	"math"
	"math/bits"

	"lxd-allowlist/capture"
)

// known is what is remembered of a domain, shown or not. It has no pointer.
type known struct {
	num   int64 // of its key
	text  textAt
	group groupN // while it is shown, and they stand in groups
	shown bool
	// blocked says that it stands above all others, see firstRefused.
	blocked bool
	late    bool // it was refused, and is kept by now
	tally   tallied
	// name is how long its name is, registrable its registrable domain; 0 for
	// not known yet.
	name, registrable uint8
	// odd has a bit for each column that it has nothing for, or too much for its
	// least: see [column].
	odd uint16
}

// registrableOf returns how long the registrable domain of the domain's name is,
// in bytes, and remembers it: it takes half a microsecond to find out.
func (k *known) registrableOf(name string) int {
	if k.registrable == 0 || k.registrable == math.MaxUint8 {
		n := len(Registrable(name))
		k.registrable = uint8(min(n, math.MaxUint8))
		return n
	}
	return int(k.registrable)
}

// decision is the decision in force for the domain.
func (k *known) decision() capture.Decision {
	switch k.tally {
	case tallyKeep:
		return capture.Keep
	case tallyDrop, tallyDropByUser:
		return capture.Drop
	}
	return capture.New
}

// memory is what is known of domains, by their IDs. It lies in blocks: a list
// of a million would be copied as a whole when one more comes.
type memory struct {
	blocks []*[memoryBlock]known
	n      int
}

const memoryBlock = 4096

// grow makes room for n domains.
func (m *memory) grow(n int) {
	for len(m.blocks)*memoryBlock < n {
		m.blocks = append(m.blocks, new([memoryBlock]known))
	}
	m.n = max(m.n, n)
}

func (m *memory) of(id capture.ID) *known { return &m.blocks[id/memoryBlock][id%memoryBlock] }

// sizes are how many of the shown names have which length, in bytes: what
// their column needs can be told without a look at them.
type sizes [math.MaxUint8 + 1]int

// nearlyAll is the part of the names, in per cent, that their column shows
// whole before any other column has room.
const nearlyAll = 95

// within returns how long the longest is of so many per cent of the names.
func (s *sizes) within(percent int) int {
	total := 0
	for _, n := range s {
		total += n
	}
	seen, want := 0, total-total*(100-percent)/100
	for size, n := range s {
		if seen += n; seen >= max(1, want) {
			return size
		}
	}
	return 0
}

// counts say of how many domains something holds.
type counts struct {
	tally   capture.Tally
	blocked int // shown or not, and late, too
	late    int
	sizes   sizes
	odd     [len(columns)]int // how many of the shown are: see known
}

// count counts a domain n times: -1 takes it out.
func (t *counts) count(k *known, n int) {
	if k.blocked {
		t.blocked += n
	}
	if k.late {
		t.late += n
	}
	if k.shown {
		t.sizes[k.name] += n
		for left := k.odd; left != 0; left &= left - 1 {
			t.odd[bits.TrailingZeros16(left)] += n
		}
	}
	switch k.tally {
	case tallyKeep:
		t.tally.Keep += n
	case tallyNew:
		t.tally.New += n
	case tallyOut:
		t.tally.Out += n
	case tallyDrop:
		t.tally.DropByRule += n
	case tallyDropByUser:
		t.tally.DropByUser += n
	}
}

// add takes in what others counted.
func (t *counts) add(o *counts) {
	t.blocked += o.blocked
	t.late += o.late
	t.tally.Keep += o.tally.Keep
	t.tally.New += o.tally.New
	t.tally.Out += o.tally.Out
	t.tally.DropByRule += o.tally.DropByRule
	t.tally.DropByUser += o.tally.DropByUser
	for i, n := range o.sizes {
		t.sizes[i] += n
	}
	for i, n := range o.odd {
		t.odd[i] += n
	}
}
