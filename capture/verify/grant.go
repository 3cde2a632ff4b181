package verify

import "time"

// onceLasts is how long a name that is allowed once can be asked for, from its
// first query on: an application asks for A, AAAA and HTTPS, and again over
// TCP, and means one try.
const onceLasts = 10 * time.Second

// grant lets a name through that no rule allows. One for a try is remembered
// after that: what the try opened goes on.
type grant struct {
	once  bool
	until time.Time // zero: to the end, or not asked for yet
	told  bool      // that it is over
}

// begin begins the one try of a grant that is for one, and reports whether it
// did.
func (g *grant) begin(now time.Time) bool {
	if !g.once || !g.until.IsZero() {
		return false
	}
	g.until = now.Add(onceLasts)
	return true
}

func (g *grant) lasts(now time.Time) bool { return g.until.IsZero() || now.Before(g.until) }

// Grant allows a name from now on without its being in the list, for as long
// as lasts, or to the end with 0.
func (p *Policy) Grant(name string, lasts time.Duration, now time.Time) {
	g := &grant{}
	if lasts > 0 {
		g.until = now.Add(lasts)
	}
	p.grant(name, g, now)
}

// GrantOnce allows a name for one try.
func (p *Policy) GrantOnce(name string, now time.Time) { p.grant(name, &grant{once: true}, now) }

func (p *Policy) grant(name string, g *grant, now time.Time) {
	ends := !g.until.IsZero()
	p.mu.Lock()
	p.grants[name] = g
	s := p.refused[name]
	if s != nil && s.Allowed.IsZero() {
		s.Allowed, s.Temporary = now, true
	}
	p.mu.Unlock()
	if s != nil && p.Granting != nil {
		p.Granting(name)
	}
	if ends && p.Ending != nil {
		p.Ending()
	}
}

// Revoke ends what a grant allows, what a try opened, too, and reports whether
// there was one.
func (p *Policy) Revoke(name string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.grants[name]
	if g == nil || !g.lasts(now) && !g.once {
		return false
	}
	delete(p.grants, name)
	return true
}

// Grants returns the names that are allowed without being on the list, and
// those that were for one try: all that [Policy.Revoke] ends.
func (p *Policy) Grants(now time.Time) (names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, g := range p.grants {
		if g.lasts(now) || g.once {
			names = append(names, name)
		}
	}
	return names
}

// GoesOn reports whether what was opened to a name that doesn't pass any more
// may go on: it was let through for one try, which a download may make a long
// one, and nobody has refused it since.
func (p *Policy) GoesOn(name string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.grants[name]
	return g != nil && g.once && !g.lasts(now)
}

// listed forgets the tries of names that came on the list: once they leave
// that, they are refused as others are. It is called with the policy held.
func (p *Policy) listed() {
	for name, g := range p.grants {
		if g.once && p.match(name) != nil {
			delete(p.grants, name)
		}
	}
}

// EndGrants forgets the grants that are over. It reports whether there were any,
// and when the next one ends, zero where none does.
func (p *Policy) EndGrants(now time.Time) (ended bool, next time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, g := range p.grants {
		switch {
		case !g.lasts(now):
			ended = ended || !g.told
			if g.told = true; !g.once {
				delete(p.grants, name)
			}
		case !g.until.IsZero() && (next.IsZero() || g.until.Before(next)):
			next = g.until
		}
	}
	return ended, next
}

// Granted reports whether a name is allowed without being on the list, until
// when, zero for to the end, and whether for one try alone. Unlike
// [Policy.Allows] it is no try.
func (p *Policy) Granted(name string, now time.Time) (until time.Time, once, granted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.grants[name]
	if g == nil || !g.lasts(now) {
		return time.Time{}, false, false
	}
	return g.until, g.once, true
}
