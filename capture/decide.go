package capture

import (
	"errors"
	"fmt"
	"time"

	"lxd-allowlist/export/rule"
	"lxd-allowlist/parse"
)

// change is one step of a person's decisions, about domains or about a group:
// what Undo takes back and Redo does again.
type change struct {
	to          Mark
	keepReasons bool
	ids         []ID
	group       string // "" for domains
	was         []Mark // the marks before, one for each of ids or the group's
}

// mark returns the mark that a domain or the group gets in place of was.
func (c *change) mark(was Mark) Mark {
	to := c.to
	if c.keepReasons {
		to.Reason = was.Reason
	}
	return to
}

// describe says what the change did: "keep a.example", "drop 12 domains".
func (l *Ledger) describe(c change) string {
	verb, reason := map[Decision]string{New: "unmark", Keep: "keep", Drop: "drop"}[c.to.Decision], c.to.Reason
	if len(c.was) == 1 {
		reason = c.mark(c.was[0]).Reason
		if c.was[0].Decision == c.to.Decision && c.was[0].Suffix == c.to.Suffix && c.was[0].Reason != reason {
			verb = "reason for"
		}
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
	case reason != "":
		what += " (" + reason + ")"
	case verb == "reason for":
		what += " taken away"
	}
	return verb + " " + what
}

// ErrUnfit is returned for keeping a name that no list can hold.
var ErrUnfit = errors.New("can't be kept: no list can hold this name")

// Decide decides about the domains in one step that one Undo takes back; what
// a person wrote of each stays. It returns what it did, in words, "" where
// nothing changed. Keeping leaves out what no list can hold; with nothing else
// among ids that is [ErrUnfit].
func (l *Ledger) Decide(d Decision, ids ...ID) (string, error) {
	return l.mark(change{to: Mark{Decision: d}, keepReasons: true}, ids)
}

// Mark sets the whole marks of the domains, as Decide does the decisions.
func (l *Ledger) Mark(to Mark, ids ...ID) (string, error) { return l.mark(change{to: to}, ids) }

func (l *Ledger) mark(c change, ids []ID) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	unfit := 0
	for _, id := range ids {
		d := &l.domains[id]
		if c.to.Decision == Keep && (d.Class == parse.Unprintable || d.Class == parse.Unfit) {
			unfit++
			continue
		}
		if d.Mark != c.mark(d.Mark) {
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

// DecideGroup decides about a name and all that is below it, what is there and
// what comes; a mark on a domain of its own stands above it, and what a person
// wrote of the group stays. It returns what it did, in words.
func (l *Ledger) DecideGroup(d Decision, group string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.markGroup(Mark{Decision: d, Reason: l.groups[group].Reason}, group)
}

// MarkGroup sets the whole mark of a group, as DecideGroup does the decision.
func (l *Ledger) MarkGroup(to Mark, group string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.markGroup(to, group)
}

// ToggleSuffix keeps a name and everything below it as one suffix rule, or
// takes that back. The error says why the names may not be one.
func (l *Ledger) ToggleSuffix(group string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.groups[group]
	if m.Suffix {
		return l.markGroup(Mark{Reason: m.Reason}, group), nil
	}
	if problem := (rule.Rule{Name: group, Suffix: true}).Problem(); problem != "" {
		return "", fmt.Errorf("%s %s: keep its names one by one", group, problem)
	}
	return l.markGroup(Mark{Decision: Keep, Suffix: true, Reason: m.Reason}, group), nil
}

func (l *Ledger) markGroup(to Mark, group string) string {
	if l.groups[group] == to {
		return ""
	}
	return l.decide(change{to: to, group: group, was: []Mark{l.groups[group]}})
}

func (l *Ledger) decide(c change) string {
	l.apply(c)
	if l.sink != nil {
		l.sink.Decided(l.told(c))
	}
	l.announce()
	return l.describe(c)
}

// told is the change as a sink is told of it.
func (l *Ledger) told(c change) Change {
	t := Change{To: c.to, KeepReasons: c.keepReasons, Group: c.group, At: time.Now().Round(0)}
	for _, id := range c.ids {
		t.Names = append(t.Names, l.domains[id].Name)
	}
	return t
}

func (l *Ledger) apply(c change) {
	for i, id := range c.ids {
		l.setMark(id, c.mark(c.was[i]))
	}
	if c.group != "" {
		l.setGroup(c.group, c.to)
	}
	l.done = append(l.done, c)
	l.undone = nil
}

func (l *Ledger) setMark(id ID, m Mark) {
	l.domains[id].Mark = m
	l.show(id)
}

func (l *Ledger) setGroup(group string, m Mark) {
	l.groups[group] = m
	if m == (Mark{}) {
		delete(l.groups, group)
	}
	if len(l.changed) == len(l.domains) {
		return // as while a session is read: all of them are to be shown anyway
	}
	l.eachBelow(group, l.show)
}

// Undo takes the last decision back and says which in words; "" where there
// is none.
func (l *Ledger) Undo() string { return l.step(l.undo, Sink.Undone) }

// Redo does again what the last Undo took back and says what in words; ""
// where there is nothing. A new decision forgets what could be redone.
func (l *Ledger) Redo() string { return l.step(l.redo, Sink.Redone) }

func (l *Ledger) step(do func() string, tell func(Sink)) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	what := do()
	if what != "" {
		if l.sink != nil {
			tell(l.sink)
		}
		l.announce()
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
