package table

import (
	"strconv"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/ui/look"
)

// State is how a domain stands while a list is enforced, what wants a look
// first.
type State uint8

// The states.
const (
	Blocked    State = iota // it was refused, and nobody has decided about it
	WouldBlock              // the same where nothing is refused
	Granted                 // it was refused, and is let through for a time
	Late                    // it was refused, and is on the list by now
	Expected                // it was refused, and is to be
	Unused                  // the list allows it; nobody asked for it
	Used                    // the list allows it, and it was asked for
	Covered                 // the same where nothing is refused
	NotListed               // nothing allows it, and nobody asked for it
)

var stateWords = [...]string{
	Blocked: "blocked", WouldBlock: "would block", Granted: "let through", Late: "allowed late", Expected: "expected",
	Unused: "unused", Used: "used", Covered: "covered", NotListed: "not listed",
}

// String returns the state in one or two words.
func (s State) String() string { return stateWords[s] }

// State returns how the domain stands, with what the policy knows of it: the
// rule that allows it and what was refused, zero where there is none. Without a
// policy all are not listed.
func (d Row) State() (s State, r verify.RuleState, n verify.NameState) {
	if d.policy == nil {
		return NotListed, r, n
	}
	s, r, n = d.held()
	if learnt, is := learning[s]; is && d.policy.Learning {
		s = learnt
	}
	return s, r, n
}

// learning are the states that have another word where nothing is refused.
var learning = map[State]State{Blocked: WouldBlock, Used: Covered}

// held is State where what the policy refuses is refused.
func (d Row) held() (s State, r verify.RuleState, n verify.NameState) {
	r, listed := d.policy.Rule(d.Name)
	n, refused := d.policy.Name(d.Name)
	if refused {
		_, _, granted := d.policy.Granted(d.Name, d.now)
		switch {
		case d.Verdict.Decision == capture.Drop:
			return Expected, r, n
		case listed && !n.Allowed.IsZero():
			return Late, r, n
		case granted:
			return Granted, r, n
		case !listed || d.Verdict.Decision == capture.New:
			return Blocked, r, n
		}
	}
	switch {
	case !listed:
		return NotListed, r, n
	case !r.Late.IsZero():
		return Late, r, n
	case r.Queries == 0:
		return Unused, r, n
	}
	return Used, r, n
}

// firstRefused returns when a domain was refused first, or would have been, that
// nobody has decided about since, zero for any other: such a row stands above all
// others.
func firstRefused(p *verify.Policy, d *capture.Domain, v capture.Verdict) time.Time {
	if p == nil || d.Denied == 0 && !p.Learning || v.Decision != capture.New {
		return time.Time{}
	}
	n, _ := p.Name(d.Name)
	return n.First
}

// allowedLate reports whether a domain was refused, or would have been, and is kept
// by now.
func allowedLate(p *verify.Policy, d *capture.Domain, v capture.Verdict) (refused bool) {
	if p != nil && (d.Denied > 0 || p.Learning) && v.Decision == capture.Keep {
		_, refused = p.Name(d.Name)
	}
	return refused
}

// Blocked reports whether the row stands above all others: it was refused, and
// nobody has decided about it.
func (d Row) Blocked() bool { return !firstRefused(d.policy, d.Domain, d.Verdict).IsZero() }

// Enforce has the table show how the domains stand under a policy, and what it
// refuses above all others; nil ends that.
func (t *Table) Enforce(p *verify.Policy) {
	t.want.policy = p
	t.remake(stay)
}

// Blocked returns how many domains were refused that nobody has decided about,
// shown or not.
func (t *Table) Blocked() int { return t.shown.blocked }

// Late returns how many were refused and are kept by now, shown or not.
func (t *Table) Late() int { return t.shown.late }

// Rest lets go of what is selected: the newest rows stand in view.
func (t *Table) Rest() {
	t.selecting, t.cursor, t.top, t.from, t.drawn = false, 0, 0, -1, nil
}

// Select selects a domain by its name, if it is shown.
func (t *Table) Select(name string) (found bool) {
	line := -1
	t.ledger.Read(func(r capture.Reader) {
		if id, ok := r.Lookup(name); ok {
			line = t.shown.find(item{id: id})
		}
	})
	if line < 0 {
		return false
	}
	t.selecting, t.cursor = true, line
	t.show()
	return true
}

// stateWidth holds "blocked ×999+" and any other state.
const stateWidth = 13

// stateColumn stands in the place of the result's while a list is enforced.
var stateColumn = column{name: "state", width: stateWidth, least: stateWidth,
	key: func(d Row) sortKey {
		s, _, _ := d.State()
		return sortKey{num: int64(s)}
	},
	style: func(d Row, s *look.Styles) look.Style {
		state, _, _ := d.State()
		return StateStyle(s, state)
	},
	cell: func(b []byte, d Row, width int) []byte {
		s, _, n := d.State()
		if s == NotListed && d.Verdict.Decision == capture.Drop {
			return b // the mark says it
		}
		b = append(b, s.String()...)
		whole := len(b)
		switch {
		case s != Blocked && s != WouldBlock && s != Expected:
			return b
		case n.Times > 999:
			b = append(b, " ×999+"...)
		default:
			b = strconv.AppendInt(append(b, " ×"...), int64(n.Times), 10)
		}
		if look.Width(string(b)) > width {
			return b[:whole]
		}
		return b
	}}

// learningColumn is that where nothing is refused: "would block ×999+".
var learningColumn = func(c column) column {
	c.width += len(stateWords[WouldBlock]) - len(stateWords[Blocked])
	c.least = c.width - 2 // "would block ×999"
	return c
}(stateColumn)

// StateStyle is how a state looks.
func StateStyle(s *look.Styles, of State) look.Style {
	switch of {
	case Blocked, WouldBlock:
		return s.Blocked
	case Granted:
		return s.Warn
	case Late, Used, Covered:
		return s.Good
	}
	return s.Muted
}

// column returns a column as it is now.
func (s settings) column(col int) *column {
	switch {
	case col == colResult && s.policy != nil && s.policy.Learning:
		return &learningColumn
	case col == colResult && s.policy != nil:
		return &stateColumn
	}
	return &columns[col]
}
