package session

import (
	"slices"

	"lxd-allowlist/capture"
)

// own is what somebody decides while a session is played. It stands above what
// was decided in the session, wherever in time that is.
type own struct {
	changes []ownChange
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
	there := l.Own()
	o.changes = slices.DeleteFunc(o.changes, func(c ownChange) bool {
		return c.number != 0 && !slices.ContainsFunc(there, func(t capture.Change) bool { return t.Number == c.number })
	})
	for _, t := range there {
		if !slices.ContainsFunc(o.changes, func(c ownChange) bool { return c.number == t.Number }) {
			o.changes = append(o.changes, ownChange{t, t.Number})
		}
	}
	if trust := trustOf(l); trust != o.told {
		o.trust = &trust
	}
}

// liftOwn takes them off the ledger, so that what the session tells is done on
// what it was done on.
func (p *Player) liftOwn() {
	for _, c := range p.own.changes {
		if c.number != 0 {
			p.replay.ledger.Restep(capture.Step{Of: c.number})
			return
		}
	}
}

// putOwn puts them onto the ledger, as far as the names are known.
func (p *Player) putOwn() {
	l, o := p.replay.ledger, &p.own
	o.waiting = make(map[string]bool)
	for i := range o.changes {
		c := o.changes[i].Change
		c.Number, c.After, c.Own, c.Names = 0, 0, true, nil
		l.Read(func(r capture.Reader) {
			for _, name := range o.changes[i].Names {
				if _, known := r.Lookup(name); known {
					c.Names = append(c.Names, name)
				} else {
					o.waiting[name] = true
				}
			}
		})
		o.changes[i].number = l.Redecide(c)
	}
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
