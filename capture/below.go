package capture

import (
	"iter"
	"strings"

	"lxd-allowlist/export/rule"
)

// branch is what is below a name that is a registrable domain or below one.
type branch struct {
	up    *branch   // nil for that of a registrable domain
	down  []*branch // of the names one label below that have names below them
	ids   []ID      // the names one label below, and the registrable domain itself
	asked int       // how many names were asked for, of these and of the branches below
}

// familyName returns the registrable domain of a name; ok is false for one
// that has none: a public suffix, a single label.
func familyName(name string) (family string, ok bool) { return rule.Registered(name) }

// indexBelow makes facts know which names are below one.
func (f *facts) indexBelow() {
	if f.below != nil {
		return
	}
	f.below = make(map[string]*branch)
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

// branchAt returns the branch of a name in a family.
func (f *facts) branchAt(name, family string) *branch {
	b := f.below[name]
	if b == nil {
		b = new(branch)
		f.below[name] = b
		if name != family {
			b.up = f.branchAt(rule.Parent(name), family)
			b.up.down = append(b.up.down, b)
		}
	}
	return b
}

// addBelow takes up a new name.
func (f *facts) addBelow(id ID) {
	b := f.branchAt(branchOf(f.nameAt(id)))
	b.ids = append(b.ids, id)
}

// countBelow counts a name that was asked for the first time.
func (f *facts) countBelow(id ID) {
	if f.below == nil {
		return
	}
	for b := f.branchAt(branchOf(f.nameAt(id))); b != nil; b = b.up {
		b.asked++
	}
}

// askedBelow returns how many names below one were asked for: at once for a
// registrable domain and, nearly always, for what is below one.
func (f *facts) askedBelow(name string) (n int) {
	ids, sure := f.maybeBelow(name)
	if b := f.below[name]; sure && b != nil {
		if id, known := f.lookup(name); known && b.up == nil && f.asked(id) {
			return b.asked - 1
		}
		return b.asked
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
		if b := f.below[branch]; b != nil {
			b.each(yield)
		}
	}, sure
}

// each calls yield for the names of a branch and those below it until one call
// returns false, and reports whether none did. Names may be added meanwhile.
func (b *branch) each(yield func(ID) bool) bool {
	for _, id := range b.ids {
		if !yield(id) {
			return false
		}
	}
	for _, down := range b.down {
		if !down.each(yield) {
			return false
		}
	}
	return true
}
