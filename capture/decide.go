package capture

import (
	"errors"
	"fmt"

	"lxd-allowlist/export/rule"
	"lxd-allowlist/parse"
)

// change is one step of a person's decisions, about domains or about a group:
// what Undo takes back and Redo does again.
type change struct {
	to    Mark
	ids   []ID
	group string // "" for domains
	was   []Mark // the marks before, one for each of ids or the group's
}

// describe says what the change did: "keep a.example", "drop 12 domains".
func (l *Ledger) describe(c change) string {
	verb := map[Decision]string{New: "unmark", Keep: "keep", Drop: "drop"}[c.to.Decision]
	if len(c.was) == 1 && c.was[0].Decision == c.to.Decision && c.was[0].Reason != c.to.Reason {
		verb = "reason for"
	}
	what := fmt.Sprintf("%d domains", len(c.ids))
	switch {
	case c.group != "" && c.to.Suffix:
		what = c.group + " and everything below it, as one suffix rule"
	case c.group != "":
		what = "all of " + c.group
	case len(c.ids) == 1:
		what = l.domains[c.ids[0]].Name
	}
	switch {
	case c.to.Reason != "":
		what += " (" + c.to.Reason + ")"
	case verb == "reason for":
		what += " taken away"
	}
	return verb + " " + what
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
	return l.decide(c), nil
}

// MarkGroup decides about a name and all that is below it, what is there and
// what comes; a mark on a domain of its own stands above it. It returns what
// it did, in words. The error says why the names may not be one suffix rule.
func (l *Ledger) MarkGroup(to Mark, group string) (string, error) {
	if to.Suffix {
		if problem := (rule.Rule{Name: group, Suffix: true}).Problem(); problem != "" {
			return "", fmt.Errorf("%s %s: keep its names one by one", group, problem)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.groups[group] == to {
		return "", nil
	}
	return l.decide(change{to: to, group: group, was: []Mark{l.groups[group]}}), nil
}

func (l *Ledger) decide(c change) string {
	l.apply(c)
	l.journal.mark(l, c)
	l.settle()
	return l.describe(c)
}

func (l *Ledger) apply(c change) {
	for _, id := range c.ids {
		l.setMark(id, c.to)
	}
	if c.group != "" {
		l.setGroup(c.group, c.to)
	}
	l.done = append(l.done, c)
	l.undone = nil
}

func (l *Ledger) setMark(id ID, m Mark) {
	l.domains[id].Mark = m
	l.touch(id, saved)
}

func (l *Ledger) setGroup(group string, m Mark) {
	l.groups[group] = m
	if m == (Mark{}) {
		delete(l.groups, group)
	}
	for id := range l.domains {
		if inDomain(l.domains[id].Name, group) {
			l.touch(ID(id), saved)
		}
	}
}

// Undo takes the last decision back and says which in words; "" where there
// is none.
func (l *Ledger) Undo() string { return l.step("undo", l.undo) }

// Redo does again what the last Undo took back and says what in words; ""
// where there is nothing. A new decision forgets what could be redone.
func (l *Ledger) Redo() string { return l.step("redo", l.redo) }

func (l *Ledger) step(name string, do func() string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	what := do()
	if what != "" {
		l.journal.step(name)
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
		l.setMark(id, c.was[i])
	}
	if c.group != "" {
		l.setGroup(c.group, c.was[0])
	}
	l.undone = append(l.undone, c)
	return l.describe(c)
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

// suffixes returns the groups that are exported as suffix rules.
func (l *Ledger) suffixes() []rule.Rule {
	var rules []rule.Rule
	for group, m := range l.groups {
		if m.Decision == Keep && m.Suffix {
			rules = append(rules, rule.Rule{Name: group, Suffix: true, Reason: m.Reason, Source: string(ByUser)})
		}
	}
	return rules
}
