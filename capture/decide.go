package capture

import (
	"errors"
	"fmt"

	"lxd-allowlist/parse"
)

// change is one step of a person's decisions: what Undo takes back and Redo
// does again.
type change struct {
	to  Mark
	ids []ID
	was []Mark // the marks before, one for each of ids
}

// String says what the change did: "keep a.example", "drop 12 domains".
func (l *Ledger) describe(c change) string {
	verb := map[Decision]string{New: "unmark", Keep: "keep", Drop: "drop"}[c.to.Decision]
	if len(c.ids) == 1 {
		return verb + " " + l.domains[c.ids[0]].Name
	}
	return fmt.Sprintf("%s %d domains", verb, len(c.ids))
}

// ErrUnfit is returned for keeping a name that no list can hold.
var ErrUnfit = errors.New("can't be kept: no list can hold this name")

// Mark sets the marks of the domains in one step that one Undo takes back. It
// returns what it did, in words, "" where nothing changed. Keeping leaves out
// what no list can hold; with nothing else among ids that is [ErrUnfit].
func (l *Ledger) Mark(to Mark, ids ...ID) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := change{to: to}
	unfit := 0
	for _, id := range ids {
		d := &l.domains[id]
		if to.Decision == Keep && (d.Class == parse.Unprintable || d.Class == parse.Unfit) {
			unfit++
			continue
		}
		if d.Mark != to {
			c.ids = append(c.ids, id)
			c.was = append(c.was, d.Mark)
		}
	}
	if len(c.ids) == 0 {
		if unfit > 0 {
			return "", ErrUnfit
		}
		return "", nil
	}
	l.apply(c)
	l.journal.mark(l, c)
	l.settle()
	return l.describe(c), nil
}

func (l *Ledger) apply(c change) {
	for _, id := range c.ids {
		l.domains[id].Mark = c.to
		l.touch(id, saved)
	}
	l.done = append(l.done, c)
	l.undone = nil
}

// Undo takes the last decision back and says which in words; "" where there
// is none.
func (l *Ledger) Undo() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	what := l.undo()
	if what != "" {
		l.journal.step("undo")
		l.settle()
	}
	return what
}

func (l *Ledger) undo() string {
	if len(l.done) == 0 {
		return ""
	}
	c := l.done[len(l.done)-1]
	l.done = l.done[:len(l.done)-1]
	for i, id := range c.ids {
		l.domains[id].Mark = c.was[i]
		l.touch(id, saved)
	}
	l.undone = append(l.undone, c)
	return l.describe(c)
}

// Redo does again what the last Undo took back and says what in words; ""
// where there is nothing. A new decision forgets what could be redone.
func (l *Ledger) Redo() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	what := l.redo()
	if what != "" {
		l.journal.step("redo")
		l.settle()
	}
	return what
}

func (l *Ledger) redo() string {
	if len(l.undone) == 0 {
		return ""
	}
	c := l.undone[len(l.undone)-1]
	rest := l.undone[:len(l.undone)-1]
	l.apply(c)
	l.undone = rest
	return l.describe(c)
}
