package minimize

import "time"

// Outcome is what became of a trial.
type Outcome struct {
	Worked bool
	Took   time.Duration
}

// Trial is a set that was in force, and what became of it.
type Trial struct {
	Set Set
	Outcome
}

// level is how well a trial went. What is added to a set never makes it go
// worse, so that one trial tells of many sets.
type level uint8

const (
	fails level = iota
	works       // however slowly
	fast
)

// memory is the trials that were made, less those that a later one has shown
// to be wrong.
type memory struct {
	trials []Trial
	slow   time.Duration // what takes longer is not fast; 0 while nobody knows
}

func (m *memory) levelOf(o Outcome) level {
	switch {
	case !o.Worked:
		return fails
	case o.Took > m.slow:
		return works
	}
	return fast
}

// tells reports whether a set goes at least so well, as far as trials of it,
// of less and of more say so.
func (m *memory) tells(s Set, least level) (yes, known bool) {
	no := false
	for _, t := range m.trials {
		l := m.levelOf(t.Outcome)
		if l >= least && t.Set.within(s) {
			return true, true
		}
		no = no || l < least && s.within(t.Set)
	}
	return false, no
}

// of returns the trials of a set itself.
func (m *memory) of(s Set) (all []Outcome) {
	for _, t := range m.trials {
		if t.Set.equals(s) {
			all = append(all, t.Outcome)
		}
	}
	return all
}

// add remembers a trial, and forgets those that it contradicts: a set that
// failed has no part that works. It reports whether there were any.
func (m *memory) add(t Trial) (contradicts bool) {
	kept := m.trials[:0]
	for _, o := range m.trials {
		if o.Worked != t.Worked && (t.Worked && t.Set.within(o.Set) || o.Worked && o.Set.within(t.Set)) {
			contradicts = true
			continue
		}
		kept = append(kept, o)
	}
	m.trials = append(kept, t)
	return contradicts
}
