package session

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"time"

	"lxd-allowlist/capture"
)

// Player has a session happen again, as far as its journal tells when what
// happened: a name when it was seen for the last time before that was written,
// a decision when it was made.
type Player struct {
	name    string
	rules   []capture.UserRule
	entries []entry
	at      []time.Time // of each entry, never before the one in front of it
	news    []time.Time // when a name came up that nobody had asked for, in order

	replay *replay // makes the ledger
	next   int     // of entries
	own    own
}

// Play reads a session to play it; it may be in use, and is left as it is.
func Play(session string) (*Player, error) {
	p, err := play(session)
	if err != nil {
		return nil, fmt.Errorf("replay session %q: %w", session, err)
	}
	return p, nil
}

// PlayFrom is [Play] for a journal that is no session of the list.
func PlayFrom(name string, journal io.Reader) (p *Player, err error) {
	p = &Player{name: name}
	if p.rules, err = LoadRules(); err == nil {
		err = p.read(journal, false)
	}
	if err != nil {
		return nil, fmt.Errorf("replay %s: %w", name, err)
	}
	return p, nil
}

func play(session string) (*Player, error) {
	f, err := open(session, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &Player{name: nameOf(f.Name())}
	if p.rules, err = LoadRules(); err != nil {
		return nil, err
	}
	return p, p.read(f, inUse(f))
}

// read takes up what a journal tells, in the order of time: the journal has a
// name some time after it came up, and those of a log all at once.
func (p *Player) read(in io.Reader, inUse bool) error {
	r := newReplay(p.name)
	seen := make(map[string]bool)
	var all []moment
	r.keep = true
	var now time.Time
	r.tell = func(e entry) {
		at := e.when()
		if d := e.Domain; d != nil {
			if d.Queries > 0 && !seen[d.Name] {
				seen[d.Name], at = true, d.First
				p.news = append(p.news, at)
			}
		} else if at.Before(now) {
			at = now
		}
		if e.Info == nil && at.After(now) {
			now = at
		}
		all = append(all, moment{at, e})
	}
	if err := r.read(in, inUse); err != nil {
		return err
	}
	slices.SortFunc(p.news, time.Time.Compare)
	slices.SortStableFunc(all, func(a, b moment) int { return a.at.Compare(b.at) })
	for _, m := range all {
		p.entries, p.at = append(p.entries, m.entry), append(p.at, m.at)
	}
	// What tells no time, at the beginning, is as early as what follows.
	if i := slices.IndexFunc(p.at, func(t time.Time) bool { return !t.IsZero() }); i > 0 {
		for n := range i {
			p.at[n] = p.at[i]
		}
	}
	p.rewind()
	return nil
}

// moment is an entry and when it happened.
type moment struct {
	at time.Time
	entry
}

// when returns the time that the entry itself tells, zero for none.
func (e entry) when() time.Time {
	switch {
	case e.Info != nil && e.Info.Log == "": // else that is when a log was read
		return e.Info.Started
	case e.Domain != nil:
		return e.Domain.Last
	case e.Mark != nil:
		return e.Mark.At
	case e.Address != nil:
		return e.Address.At
	case e.Witness != nil && e.Witness.Bypass != nil:
		return e.Witness.Bypass.Last
	case e.Verified != nil:
		return e.Verified.At
	case e.Gap != nil:
		return e.Gap.To
	case e.Exported != nil:
		return e.Exported.At
	case e.Entered != nil:
		return e.Entered.At
	case e.Trial != nil:
		return e.Trial.At
	case e.Closed != nil:
		return *e.Closed
	}
	return time.Time{}
}

// Span returns when the first thing happened and when the last did.
func (p *Player) Span() (begin, end time.Time) {
	if len(p.at) == 0 {
		return begin, end
	}
	return p.at[0], p.at[len(p.at)-1]
}

// News returns when each name came up, in order. It is not to be changed.
func (p *Player) News() []time.Time { return p.news }

// Next returns when the first thing after a time happens, zero for nothing.
func (p *Player) Next(after time.Time) time.Time {
	i := sort.Search(len(p.at), func(i int) bool { return p.at[i].After(after) })
	if i == len(p.at) {
		return time.Time{}
	}
	return p.at[i]
}

func (p *Player) rewind() {
	p.replay, p.next = newReplay(p.name), 0
	if rules, err := LoadRules(); err == nil {
		p.rules = rules // one may have been added meanwhile
	}
	p.replay.ledger.SetRules(p.rules)
	p.replay.ledger.Settle()
	// What the session is about holds for all of it, though the clock may have
	// been set back to before its start.
	if i := slices.IndexFunc(p.entries, func(e entry) bool { return e.Info != nil }); i >= 0 {
		p.replay.again(p.entries[i])
	}
	for _, e := range p.entries { // nor does whose an address is begin when it was found out
		if e.Owner != nil {
			p.replay.again(e)
		}
	}
	p.replay.ledger.SetOwners(p.replay.owners)
	p.own.told = trustOf(p.replay.ledger)
}

// To has all happen up to a time, and returns the ledger as it was then. That is
// another one than before where time went back. What was decided in it besides
// is decided there, too, about each name from when it comes up.
func (p *Player) To(t time.Time) *capture.Ledger {
	back := p.next > 0 && p.at[p.next-1].After(t)
	disturbed, anew := back, back
	for i := p.next; i < len(p.entries) && !p.at[i].After(t); i++ {
		yes, again := p.disturbs(p.entries[i])
		disturbed, anew = disturbed || yes, anew || again
	}
	if disturbed {
		p.takeOwn()
	}
	switch {
	case back || anew && len(p.own.changes)+len(p.own.undone) > 0:
		p.rewind()
	case disturbed:
		p.liftOwn()
	}
	owners := len(p.replay.owners)
	for ; p.next < len(p.entries) && !p.at[p.next].After(t); p.next++ {
		p.replay.again(p.entries[p.next])
	}
	if len(p.replay.owners) != owners {
		p.replay.ledger.SetOwners(p.replay.owners)
	}
	if disturbed {
		p.putOwn()
	}
	return p.replay.ledger
}

// Title names the session.
func (p *Player) Title() (title string) {
	title = p.name
	for _, e := range p.entries {
		if e.Info != nil {
			return cmp.Or(e.Info.Subject(), title)
		}
	}
	return title
}
