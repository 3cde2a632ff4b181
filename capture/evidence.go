package capture

import (
	"slices"
	"strings"
	"time"
)

// Evidence is what was seen of a name and all below it.
type Evidence struct {
	Asked   int    // domains that were asked for
	Queries uint64 // for them
	// First and Last are when the first of them was, and the last; Owners the
	// first few of who asked: instances, or addresses that nobody is known of.
	First, Last time.Time
	Owners      []string
	Names       []string // the first few of the domains
	// Dropped are the first few of those that a person or a rule drops, and
	// DroppedAll how many there are: a suffix rule allows them all the same.
	Dropped    []string
	DroppedAll int
}

// evidenceNames is how many names of a kind an [Evidence] has at most.
const evidenceNames = 50

func (e *Evidence) add(l *Ledger, d *Domain) {
	e.Asked++
	e.Queries += uint64(d.Queries)
	if e.First.IsZero() || d.First().Before(e.First) {
		e.First = d.First()
	}
	if d.Last().After(e.Last) {
		e.Last = d.Last()
	}
	var few [4]string
	for _, owner := range (Reader{l}).AppendOwners(few[:0], d) {
		if len(e.Owners) < evidenceNames && !slices.Contains(e.Owners, owner) {
			e.Owners = append(e.Owners, owner)
		}
	}
	if len(e.Names) < evidenceNames {
		e.Names = append(e.Names, d.Name)
	}
	if l.judge(d).Decision == Drop {
		e.DroppedAll++
		if len(e.Dropped) < evidenceNames {
			e.Dropped = append(e.Dropped, d.Name)
		}
	}
}

// Evidence returns what was seen of each of the names and all below it. The
// last of the names is above all others. It takes a moment where there are many
// domains, and lets others at the ledger meanwhile.
func (l *Ledger) Evidence(names []string) []Evidence {
	all := make([]Evidence, len(names))
	if len(names) == 0 {
		return all
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	below, _ := l.maybeBelow(names[len(names)-1])
	var ids []ID
	for id := range below {
		l.breathe(len(ids))
		ids = append(ids, id)
	}
	l.mu.Unlock()
	slices.Sort(ids) // as they were seen first
	l.mu.Lock()
	var d Domain
	for n, id := range ids {
		if l.asked(id) {
			l.glance(&d, id)
			for i, name := range names {
				if inDomain(d.Name, name) {
					all[i].add(l, &d)
				}
			}
		}
		l.breathe(n)
	}
	return all
}

// Suffix says by what a name and all below it is kept as one suffix rule:
// [ByGroup], [ByFile], or [Undecided] where it isn't.
func (r Reader) Suffix(name string) Rule {
	switch m := r.l.groups[name]; {
	case m.Decision == Keep && m.Suffix:
		return ByGroup
	case r.l.isWide(name):
		return ByFile
	}
	return Undecided
}

// KeptBelow returns the name of the suffix rule that keeps d, "" for what is
// kept otherwise, or not at all.
func (r Reader) KeptBelow(d *Domain) string {
	switch v := r.l.judge(d); {
	case v.Decision != Keep:
		return ""
	case v.Rule == ByGroup:
		if group, m := r.l.groupOf(d.Name); m.Suffix && r.l.patternOf(d.Name, group) == "" {
			return group
		}
	case v.Rule == ByFile:
		if u := r.l.ruleOn(d.Name); u != nil && u.on.Suffix {
			return u.on.Name
		}
	}
	return ""
}

// siblingsMost is how many siblings of a name are of use.
const siblingsMost = 1000

// Siblings returns names that were asked for and that differ from one in one
// label. It takes a moment, as [Ledger.Evidence] does.
func (l *Ledger) Siblings(name string) (names []string) {
	dots := strings.Count(name, ".")
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := 0; id < l.n && len(names) < siblingsMost; id++ {
		if other := l.nameAt(ID(id)); l.asked(ID(id)) && strings.Count(other, ".") == dots && differInOne(other, name) {
			names = append(names, other)
		}
		l.breathe(id)
	}
	return names
}

// differInOne reports whether two names of as many labels differ in one of them.
func differInOne(a, b string) bool {
	n := 0
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if x != y {
			if n++; n > 1 {
				return false
			}
		}
	}
	return n == 1
}
