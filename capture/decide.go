package capture

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"lxd-allowlist/export/rule"
	"lxd-allowlist/parse"
)

// change is one step of a person's decisions, about domains, a group, addresses
// or a rule: what Undo takes back and Redo does again.
type change struct {
	number      uint32 // of the step that it first was
	to          Mark
	keepReasons bool
	ids         []ID
	group       string // "" for domains
	addresses   []rule.Endpoint
	was         []Mark // the marks before, one for each of ids or addresses, or the group's
	// rule is one that was added to the user's file, instead of all marks: it
	// stands among the steps, and has no number of its own.
	rule *UserRule
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
	if c.rule != nil {
		return "rule " + c.rule.Says()
	}
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
	case isPattern(c.group):
		what = "all names of the pattern " + c.group
	case c.group != "":
		what = "all of " + c.group
	case len(c.addresses) == 1:
		what = c.addresses[0].String()
	case len(c.addresses) > 0:
		what = fmt.Sprintf("%d addresses", len(c.addresses))
	case len(c.ids) == 1:
		what = l.nameAt(c.ids[0])
	}
	switch {
	case reason != "":
		what += " (" + reason + ")"
	case verb == "reason for":
		what += " taken away"
	}
	return verb + " " + what
}

// ErrUnlistable is returned for keeping a name that no list can hold.
var ErrUnlistable = errors.New("can't be kept: no list can hold this name")

// Decide decides about the domains in one step that one Undo takes back; what
// a person wrote of each stays. It returns what it did, in words, "" where
// nothing changed. Keeping leaves out what no list can hold; with nothing else
// among ids that is [ErrUnlistable].
func (l *Ledger) Decide(d Decision, ids ...ID) (string, error) {
	return l.mark(change{to: Mark{Decision: d}, keepReasons: true}, ids)
}

// Mark sets the whole marks of the domains, as Decide does the decisions.
func (l *Ledger) Mark(to Mark, ids ...ID) (string, error) { return l.mark(change{to: to}, ids) }

// hold takes the ledger for a step, and returns what gives it back.
func (l *Ledger) hold() (release func()) {
	l.deciding.Lock()
	l.mu.Lock()
	return func() {
		l.undoable.Store(len(l.done) > 0)
		l.redoable.Store(len(l.undone) > 0)
		notify(l.decided)
		l.mu.Unlock()
		l.deciding.Unlock()
	}
}

// Decided tells, by one value however many, that a person decided something,
// so that [Ledger.List] may be another. It has one reader.
func (l *Ledger) Decided() <-chan struct{} { return l.decided }

// CanUndo reports whether there is anything that Undo takes back. It waits for
// nobody.
func (l *Ledger) CanUndo() bool { return l.undoable.Load() }

// CanRedo reports whether there is anything that Redo does again. It waits for
// nobody.
func (l *Ledger) CanRedo() bool { return l.redoable.Load() }

func (l *Ledger) mark(c change, ids []ID) (string, error) {
	defer l.hold()()
	unlistable := 0
	for i, id := range ids {
		l.breathe(i)
		r := l.at(id)
		if class := r.class(); c.to.Decision == Keep && (class == parse.Unprintable || class == parse.Unfit) {
			unlistable++
			continue
		}
		if was := l.facts.mark(r); was != c.mark(was) {
			c.ids = append(c.ids, id)
			c.was = append(c.was, was)
		}
	}
	if len(c.ids) == 0 {
		if unlistable > 0 {
			return "", ErrUnlistable
		}
		return "", nil
	}
	return l.decide(c), nil
}

// DecideGroup decides about a name and all that is below it, what is there and
// what comes; a mark on a domain of its own stands above it, and what a person
// wrote of the group stays. It returns what it did, in words.
func (l *Ledger) DecideGroup(d Decision, group string) string {
	defer l.hold()()
	return l.markGroup(Mark{Decision: d, Reason: l.groups[group].Reason}, group)
}

// MarkGroup sets the whole mark of a group, as DecideGroup does the decision.
func (l *Ledger) MarkGroup(to Mark, group string) string {
	defer l.hold()()
	return l.markGroup(to, group)
}

// KeepSuffix keeps a name and everything below it as one suffix rule; without a
// reason it has the one that a person wrote of the group. It returns what it
// did, in words. The error says why the names may not be one rule.
// [Ledger.DecideGroup] takes it back.
func (l *Ledger) KeepSuffix(name, reason string) (string, error) {
	defer l.hold()()
	if problem := (rule.Rule{Name: name, Suffix: true}).Problem(); problem != "" {
		return "", fmt.Errorf("%s %s: keep its names one by one", name, problem)
	}
	return l.markGroup(Mark{Decision: Keep, Suffix: true, Reason: cmp.Or(reason, l.groups[name].Reason)}, name), nil
}

// Ruled notes as a step that a rule was added to the user's file: see
// [Ledger.NextRule].
func (l *Ledger) Ruled(r UserRule) {
	defer l.hold()()
	l.apply(change{rule: &r, number: l.last()})
}

// NextRule returns the rule that the next Undo, or with redo the next Redo, is
// about, nil for none. It is for the caller then to take it out of the user's
// file, or to put it there, and to tell the ledger by SetRules.
func (l *Ledger) NextRule(redo bool) *UserRule {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := l.done
	if redo {
		from = l.undone
	}
	if len(from) == 0 {
		return nil
	}
	return from[len(from)-1].rule
}

func (l *Ledger) markGroup(to Mark, group string) string {
	if l.groups[group] == to {
		return ""
	}
	return l.decide(change{to: to, group: group, was: []Mark{l.groups[group]}})
}

func (l *Ledger) decide(c change) string {
	l.steps++
	c.number = l.steps
	after := l.last()
	l.keep(c)
	l.apply(c)
	if l.sink != nil {
		l.sink.Decided(l.told(c, after))
	}
	l.announce()
	return l.describe(c)
}

// last returns the number of the last change in force, 0 for none.
func (l *Ledger) last() uint32 {
	if n := len(l.done); n > 0 {
		return l.done[n-1].number
	}
	return 0
}

// keep notes that the step that is about to happen, on what c is about, isn't
// kept yet.
func (l *Ledger) keep(c change) {
	l.edition++
	if l.sink != nil {
		c.number = l.steps
		l.unkept = append(l.unkept, c)
	}
}

// told is the change as a sink is told of it.
func (l *Ledger) told(c change, after uint32) Change {
	t := Change{Number: c.number, After: after, To: c.to, KeepReasons: c.keepReasons, Group: c.group, Addresses: c.addresses, At: time.Now().Round(0)}
	for i, id := range c.ids {
		t.Names = append(t.Names, l.nameAt(id))
		l.breathe(i)
	}
	return t
}

func (l *Ledger) apply(c change) {
	l.set(c, func(i int) Mark { return c.mark(c.was[i]) }, c.to)
	l.done = append(l.done, c)
	l.undone = nil
}

// set gives the domains or addresses of a change their marks, or its group one.
func (l *Ledger) set(c change, mark func(i int) Mark, group Mark) {
	for i, id := range c.ids {
		l.setMark(l.at(id), mark(i))
		if l.sink != nil {
			l.at(id).step = l.steps
		}
		l.show(id)
		l.breathe(i)
	}
	for i, at := range c.addresses {
		l.setAddress(at, mark(i))
	}
	if c.group == "" {
		return
	}
	l.groups[c.group] = group
	if group == (Mark{}) {
		delete(l.groups, c.group)
	}
	if isPattern(c.group) {
		l.setPattern(c.group, group)
		return
	}
	l.showBelow(c.group)
}

func (l *Ledger) showBelow(group string) {
	if len(l.changed) == l.n {
		return // as while a session is read: all of them are to be shown anyway
	}
	n := 0
	ids, sure := l.maybeBelow(group)
	for id := range ids {
		if sure || inDomain(l.nameAt(id), group) {
			l.show(id)
		}
		l.breathe(n)
		n++
	}
}

// Undo takes the last decision back and says which in words; "" where there
// is none.
func (l *Ledger) Undo() string { return l.step(&l.done, false) }

// Redo does again what the last Undo took back and says what in words; ""
// where there is nothing. A new decision forgets what could be redone.
func (l *Ledger) Redo() string { return l.step(&l.undone, true) }

func (l *Ledger) step(from *[]change, redo bool) string {
	defer l.hold()()
	if len(*from) == 0 {
		return ""
	}
	if (*from)[len(*from)-1].rule != nil { // no sink keeps it
		return l.describe(l.move(redo))
	}
	l.steps++
	l.keep((*from)[len(*from)-1])
	c := l.move(redo)
	if l.sink != nil {
		l.sink.Stepped(Step{Number: l.steps, Of: c.number, Redo: redo})
	}
	l.announce()
	return l.describe(c)
}

// move takes the last change back, or does again what was taken back last, and
// returns it.
func (l *Ledger) move(redo bool) change {
	from, to := &l.done, &l.undone
	if redo {
		from, to = to, from
	}
	c := (*from)[len(*from)-1]
	switch {
	case c.rule != nil:
	case redo:
		l.set(c, func(i int) Mark { return c.mark(c.was[i]) }, c.to)
	default:
		l.set(c, func(i int) Mark { return c.was[i] }, c.was[0])
	}
	*from = (*from)[:len(*from)-1]
	*to = append(*to, c)
	return c
}

// suffixes returns what is exported as suffix rules: groups, and the rules of
// the user's file on whose names nobody decided otherwise.
func (l *Ledger) suffixes() []rule.Rule {
	var rules []rule.Rule
	for group, m := range l.groups {
		if m.Decision == Keep && m.Suffix {
			rules = append(rules, rule.Rule{Name: group, Suffix: true, Reason: m.Reason, Source: string(ByUser)})
		}
	}
	for name, r := range l.wide {
		if l.isWide(name) {
			rules = append(rules, rule.Rule{Name: name, Suffix: true, Reason: r.Reason, Source: string(ByFile)})
		}
	}
	return rules
}

// isWide reports whether there is a suffix rule on just that name.
func (l *Ledger) isWide(name string) bool {
	if m := l.groups[name]; m.Decision == Keep && m.Suffix {
		return true
	}
	if l.wide[name] == nil {
		return false
	}
	_, m := l.groupOf(name)
	return m.Decision != Drop
}
