package capture

import (
	"iter"
	"strings"

	"lxd-allowlist/export/rule"
)

// branch is what is below a name that is a registrable domain or below one. All
// branches lie in pages, as records do, and name each other by number: of a
// million pointers the garbage collector would have to look at each.
type branch struct {
	up          branchN // none for that of a registrable domain
	down, lower branchN // the first and the last of the names one label below that have names below them
	beside      branchN // the next one of up's
	first, last ID      // plus 1: of the names one label below, and the registrable domain itself
	asked       uint32  // how many names were asked for, of these and of the branches below
	named       ID      // its name is the end of this one's
	nameLen     uint16
}

// branchN is a branch's number, from 1 on; 0 for none.
type branchN uint32

// branches are those of all names.
type branches struct {
	pages []*[pageRecords]branch
	n     int
	index index              // by name
	after []*[pageRecords]ID // by ID: the next name of the branch plus 1
}

func (b *branches) at(n branchN) *branch { return &b.pages[(n-1)/pageRecords][(n-1)%pageRecords] }

func (b *branches) afterOf(id ID) *ID { return &b.after[id/pageRecords][id%pageRecords] }

// familyName returns the registrable domain of a name; ok is false for one
// that has none: a public suffix, a single label.
func familyName(name string) (family string, ok bool) { return rule.Registered(name) }

// indexBelow makes facts know which names are below one.
func (f *facts) indexBelow() {
	if f.below != nil {
		return
	}
	f.below = &branches{index: index{slots: make([]slot, minSlots), seed: f.ids.seed}}
	for id := range ID(f.n) {
		f.addBelow(id)
		if f.asked(id) {
			f.countBelow(id)
		}
	}
}

// maxBranches is how many names above each other have branches below a
// registrable domain: a hostile name has 126 labels, and each could be one.
const maxBranches = 8

// depth is how many labels a name has before its family's.
func depth(name, family string) int { return strings.Count(name[:len(name)-len(family)], ".") }

// branchOf returns the name of the branch that a name is in, and its family.
func branchOf(name string) (of, family string) {
	family, _ = familyName(name)
	if of = name; of == family {
		return of, family
	}
	of = rule.Parent(of)
	for n := depth(of, family); n > maxBranches; n-- {
		of = rule.Parent(of)
	}
	return of, family
}

// branchNamed returns the branch of a name, 0 for none.
func (f *facts) branchNamed(name string) branchN {
	if f.below == nil {
		return 0
	}
	return f.findBranch(name, f.below.index.hash([]byte(name)))
}

func (f *facts) findBranch(name string, hash uint32) branchN {
	x := &f.below.index
	mask := uint32(len(x.slots) - 1)
	for at := hash & mask; x.slots[at].next != 0; at = (at + 1) & mask {
		if s := x.slots[at]; s.hash == hash && f.branchName(f.below.at(branchN(s.next))) == name {
			return branchN(s.next)
		}
	}
	return 0
}

func (f *facts) branchName(b *branch) string {
	name := f.nameAt(b.named)
	return name[len(name)-int(b.nameLen):]
}

// branchAt returns the branch of a name in a family, which is the end of another's.
func (f *facts) branchAt(name, family string, of ID) branchN {
	all := f.below
	hash := all.index.hash([]byte(name))
	if n := f.findBranch(name, hash); n != 0 {
		return n
	}
	if all.n%pageRecords == 0 {
		all.pages = append(all.pages, new([pageRecords]branch))
	}
	all.index.add(hash, ID(all.n))
	all.n++
	n := branchN(all.n)
	b := all.at(n)
	b.named, b.nameLen = of, uint16(len(name))
	if name != family {
		b.up = f.branchAt(rule.Parent(name), family, of)
		up := all.at(b.up)
		if up.down == 0 {
			up.down = n
		} else {
			all.at(up.lower).beside = n
		}
		up.lower = n
	}
	return n
}

// addBelow takes up a new name.
func (f *facts) addBelow(id ID) {
	all := f.below
	for len(all.after)*pageRecords <= int(id) {
		all.after = append(all.after, new([pageRecords]ID))
	}
	name, family := branchOf(f.nameAt(id))
	b := all.at(f.branchAt(name, family, id))
	if b.first == 0 {
		b.first = id + 1
	} else {
		*all.afterOf(b.last - 1) = id + 1
	}
	b.last = id + 1
}

// countBelow counts a name that was asked for the first time.
func (f *facts) countBelow(id ID) {
	if f.below == nil {
		return
	}
	name, family := branchOf(f.nameAt(id))
	for n := f.branchAt(name, family, id); n != 0; {
		b := f.below.at(n)
		b.asked++
		n = b.up
	}
}

// askedBelow returns how many names below one were asked for: at once for a
// registrable domain and, nearly always, for what is below one.
func (f *facts) askedBelow(name string) (n int) {
	ids, sure := f.maybeBelow(name)
	if n := f.branchNamed(name); sure && n != 0 {
		b := f.below.at(n)
		if id, known := f.lookup(name); known && b.up == 0 && f.asked(id) {
			return int(b.asked) - 1
		}
		return int(b.asked)
	}
	for id := range ids {
		if below := f.nameAt(id); f.asked(id) && below != name && inDomain(below, name) {
			n++
		}
	}
	return n
}

// maybeBelow returns a name, where it is known, and all that are below it. If it
// isn't sure of that, there are others among them: see inDomain.
func (f *facts) maybeBelow(name string) (ids iter.Seq[ID], sure bool) {
	family, ok := familyName(name)
	if !ok { // any family may be below it
		return func(yield func(ID) bool) {
			for id := ID(0); id < ID(f.n) && yield(id); id++ {
			}
		}, false
	}
	f.indexBelow()
	branch := name
	if sure = depth(name, family) <= maxBranches; !sure {
		branch, _ = branchOf(name)
	}
	return func(yield func(ID) bool) {
		if id, known := f.lookup(name); sure && known && name != family && !yield(id) {
			return
		}
		if n := f.branchNamed(branch); n != 0 {
			f.below.each(n, yield)
		}
	}, sure
}

// each calls yield for the names of a branch and those below it until one call
// returns false, and reports whether none did. Names may be added meanwhile.
func (b *branches) each(n branchN, yield func(ID) bool) bool {
	of := b.at(n)
	for next := of.first; next != 0; next = *b.afterOf(next - 1) {
		if !yield(next - 1) {
			return false
		}
	}
	for down := of.down; down != 0; down = b.at(down).beside {
		if !b.each(down, yield) {
			return false
		}
	}
	return true
}
