package rule

import "math/bits"

// covers holds the names of all suffix rules and of all exact ones.
type covers struct {
	wide  suffixes
	exact map[string]bool
	// What covers all below a name, of the last that was asked for: in a sorted list
	// the next rule is mostly below it, too.
	up      string
	widened ruleKey
	is      bool
}

func coversOf(rules []Rule) covers {
	c := wideOf(rules)
	c.exact = make(map[string]bool, len(rules))
	for _, r := range rules {
		if !r.Suffix {
			c.exact[r.Name] = true
		}
	}
	return c
}

// wideOf is coversOf without the exact rules.
func wideOf(rules []Rule) covers {
	n := 0
	for i := range rules {
		if rules[i].Suffix {
			n++
		}
	}
	c := covers{wide: newSuffixes(n)}
	for i := range rules {
		if rules[i].Suffix {
			c.wide.add(&rules[i])
		}
	}
	return c
}

// widest returns the widest rule that allows all that r does, and whether
// there is one.
func (c *covers) widest(r *Rule) (key ruleKey, ok bool) {
	if up := Parent(r.Name); up != c.up {
		c.up, c.is = up, false
		for ; up != ""; up = Parent(up) {
			if c.wide.at(up) != 0 {
				c.widened, c.is = ruleKey{up, true}, true
			}
		}
	}
	if c.is {
		return c.widened, true
	}
	kind := c.wide.at(r.Name)
	switch {
	case kind&whole != 0 || kind&below != 0 && r.Suffix && !r.Apex:
		return ruleKey{r.Name, true}, true
	case !r.Suffix && c.exact[r.Name]:
		return ruleKey{r.Name, false}, true
	}
	return key, false
}

// holds reports whether this very rule is there.
func (c covers) holds(r Rule) bool {
	if r.Suffix {
		return c.wide.at(r.Name) != 0
	}
	return c.exact[r.Name]
}

// kinds are those of a name's suffix rules.
type kinds uint8

const (
	whole kinds = 1 << iota
	below       // see [Rule.Below]
)

// suffixes has the kinds of names' suffix rules. Most names that are asked for have
// none, which a bit tells: a large map waits for memory.
type suffixes struct {
	kinds map[string]kinds
	bits  []uint64 // as many as a power of two
	shift int
}

// bitsPerSuffix are as many as make one of sixteen be set.
const bitsPerSuffix = 16

// newSuffixes returns none, with room for so many.
func newSuffixes(n int) suffixes {
	size := bits.Len(uint(n * bitsPerSuffix))
	size = max(size, 6) // a word's
	return suffixes{make(map[string]kinds, n), make([]uint64, 1<<(size-6)), 64 - size}
}

// place returns a name's bit: its first bytes tell suffixes apart, and its length does.
func (s *suffixes) place(name string) (at, bit uint64) {
	const golden = 0x9e3779b97f4a7c15
	hash := (word(name, 0) + uint64(len(name))) * golden >> s.shift
	return hash / 64, 1 << (hash % 64)
}

func (s *suffixes) add(r *Rule) {
	kind := whole
	if r.Below {
		kind = below
	}
	s.kinds[r.Name] |= kind
	at, bit := s.place(r.Name)
	s.bits[at] |= bit
}

func (s *suffixes) at(name string) kinds {
	if at, bit := s.place(name); s.bits[at]&bit == 0 {
		return 0
	}
	return s.kinds[name]
}
