package session

import (
	"slices"

	"lxd-allowlist/capture"
)

// own is what somebody decides while a session is played. It stands above what
// was decided in the session, wherever in time that is.
type own struct {
	changes []ownChange
	undone  []ownChange     // the last is the next to be redone
	waiting map[string]bool // names in them that haven't come up yet
	trust   *capture.Trust  // nil for what the session says
	told    capture.Trust   // what that is
}

// ownChange is a change, and its number in the ledger, 0 while nothing that it
// is about has come up.
type ownChange struct {
	capture.Change
	number uint32
}

// takeOwn takes up what was decided in the ledger since, and what of that was
// undone.
func (p *Player) takeOwn() {
	l, o := p.replay.ledger, &p.own
	done, undone := l.Own()
	known := slices.Concat(o.changes, o.undone)
	fresh := slices.ContainsFunc(done, func(t capture.Change) bool { return !slices.ContainsFunc(known, is(t)) })
	o.changes, o.undone = o.taken(o.changes, done), o.taken(o.undone, undone)
	if fresh { // a new decision forgets what could be redone
		o.undone = slices.DeleteFunc(o.undone, func(c ownChange) bool { return c.number == 0 })
	}
	if trust := trustOf(l); trust != o.told {
		o.trust = &trust
	}
}

// is returns whether a change is the one that the ledger tells of.
func is(told capture.Change) func(ownChange) bool {
	return func(c ownChange) bool { return c.number == told.Number }
}

// taken returns changes as the ledger has them now: those that it has, and those
// that it can't have yet. What they are about stays, though not all of it is there.
func (o *own) taken(was []ownChange, there []capture.Change) (all []ownChange) {
	for _, c := range was {
		if c.number == 0 || slices.ContainsFunc(there, func(t capture.Change) bool { return is(t)(c) }) {
			all = append(all, c)
		}
	}
	for _, t := range there {
		if slices.ContainsFunc(all, is(t)) {
			continue
		}
		c := ownChange{t, t.Number}
		for _, known := range [][]ownChange{o.changes, o.undone} {
			if i := slices.IndexFunc(known, is(t)); i >= 0 {
				c = known[i]
			}
		}
		all = append(all, c)
	}
	return all
}

// liftOwn takes them off the ledger, so that what the session tells is done on
// what it was done on.
func (p *Player) liftOwn() { p.own.undo(p.replay.ledger, p.own.changes) }

// undo undoes changes, which are the last in force.
func (o *own) undo(l *capture.Ledger, changes []ownChange) {
	for _, c := range changes {
		if c.number != 0 {
			l.Restep(capture.Step{Of: c.number})
			return
		}
	}
}

// putOwn puts them onto the ledger, as far as the names are known. What was undone
// is done once more for that, the next to be redone first.
func (p *Player) putOwn() {
	l, o := p.replay.ledger, &p.own
	o.waiting = make(map[string]bool)
	put := func(c *ownChange) {
		to := c.Change
		to.Number, to.After, to.Own, to.Names = 0, 0, true, nil
		l.Read(func(r capture.Reader) {
			for _, name := range c.Names {
				if _, known := r.Lookup(name); known {
					to.Names = append(to.Names, name)
				} else {
					o.waiting[name] = true
				}
			}
		})
		c.number = l.Redecide(to)
	}
	for i := range o.changes {
		put(&o.changes[i])
	}
	for i := range slices.Backward(o.undone) {
		put(&o.undone[i])
	}
	first := slices.Clone(o.undone)
	slices.Reverse(first)
	o.undo(l, first)
	if o.told = trustOf(l); o.trust != nil && *o.trust != o.told {
		l.SetTrust(*o.trust)
	}
}

func trustOf(l *capture.Ledger) (t capture.Trust) {
	l.Read(func(r capture.Reader) { t = r.Trust() })
	return t
}

// disturbs reports whether what an entry tells reaches what somebody decided
// besides, and whether all has to happen anew for that: a redo finds nothing any
// more behind a decision that wasn't there.
func (p *Player) disturbs(e entry) (yes, anew bool) {
	switch {
	case e.Redo != nil || e.Step != "":
		return true, true
	case e.Mark != nil || e.Address != nil || e.Undo != nil || e.Info != nil:
		return true, false
	}
	return e.Domain != nil && p.own.waiting[e.Domain.Name], false
}
