package export

import (
	"fmt"
	"hash/maphash"
	"math/bits"
	"regexp"
	"slices"
	"strings"

	"lxd-allowlist/export/rule"
)

// starred writes rules as targets want them whose *.h is every name below h
// but not h itself: a suffix becomes two patterns, the bare one first.
func starred(rules []rule.Rule) []string {
	patterns := make([]string, 0, len(rules))
	for _, r := range rules {
		patterns = appendStarred(patterns, r)
	}
	return patterns
}

// appendStarred appends what starred writes for a rule.
func appendStarred(patterns []string, r rule.Rule) []string {
	patterns = append(patterns, r.Name)
	if r.Suffix {
		patterns = append(patterns, "*."+r.Name)
	}
	return patterns
}

// unstarred reads what starred wrote.
func unstarred(patterns []string) ([]rule.Rule, error) {
	rules := make([]rule.Rule, 0, len(patterns))
	var at map[string]int // once it is wanted: a pattern stands behind its name
	for _, p := range patterns {
		name, star := strings.CutPrefix(p, "*.")
		if !star {
			if at != nil {
				at[name] = len(rules)
			}
			rules = append(rules, rule.Rule{Name: name})
			continue
		}
		i, ok := len(rules)-1, true
		if i < 0 || rules[i].Name != name {
			if at == nil {
				at = make(map[string]int, len(rules))
				for n, r := range rules {
					at[r.Name] = n
				}
			}
			i, ok = at[name]
		}
		if !ok || rules[i].Suffix {
			return nil, fmt.Errorf("%q without %q before it, or twice", p, name)
		}
		rules[i].Suffix = true
	}
	return rules, nil
}

// endpoint is a host with a port, in files that name each pair.
type endpoint struct {
	Host     string
	Port     int
	Protocol string `yaml:"-"` // "" where all is TCP
}

// standing says where each of many names stands. Nothing of it is a pointer, and a
// name takes a line of the cache, where a map takes three.
type standing struct {
	name  func(at int) string // that stands at a place
	seed  maphash.Seed
	slots []slot // a power of two
}

// slot is a name's hash, of which the slot itself is a part, and its place, plus
// one; the zero slot is free.
type slot struct{ hash, place uint32 }

// standingOf returns one for n names, with room for twice as many.
func standingOf(n int, name func(at int) string) standing {
	return standing{name, maphash.MakeSeed(), make([]slot, 2<<bits.Len(uint(n)))} // more than 2n
}

// put returns where a name stands: last if it is new, and stands there from then on.
func (s *standing) put(name string, last int) int {
	found, hash := s.find(name)
	if found.place == 0 {
		*found = slot{hash, uint32(last) + 1}
	}
	return int(found.place) - 1
}

// at returns where a name stands, and whether it does.
func (s *standing) at(name string) (int, bool) {
	found, _ := s.find(name)
	return int(found.place) - 1, found.place > 0
}

func (s *standing) find(name string) (*slot, uint32) {
	h := maphash.String(s.seed, name)
	hash, last := uint32(h>>32), uint64(len(s.slots)-1)
	for i := h & last; ; i = (i + 1) & last {
		if at := &s.slots[i]; at.place == 0 || at.hash == hash && s.name(int(at.place)-1) == name {
			return at, hash
		}
	}
}

// hosts returns the hosts of endpoints, in their order. A name and the pattern
// for all below it must come with the same ports.
func hosts(all []endpoint) ([]string, error) {
	names, ports := make([]string, 0, len(all)), make([][]endpoint, 0, len(all)) // of each name, as a part of all
	at := standingOf(len(all), func(i int) string { return names[i] })
	for from := 0; from < len(all); {
		name, to := all[from].Host, from
		for to < len(all) && all[to].Host == name {
			to++
		}
		if i := at.put(name, len(names)); i < len(names) {
			ports[i] = slices.Concat(ports[i], all[from:to])
		} else {
			names, ports = append(names, name), append(ports, all[from:to:to])
		}
		from = to
	}
	samePort := func(a, b endpoint) bool { return a.Port == b.Port && a.Protocol == b.Protocol }
	for n, name := range names {
		base := strings.TrimLeft(name, "*.")
		if base == name {
			continue
		}
		if i, is := at.at(base); is && !slices.EqualFunc(ports[n], ports[i], samePort) {
			return nil, fmt.Errorf("%q has ports of its own", name)
		}
	}
	return names, nil
}

// between returns what stands between before and after.
func between(s, before, after string) (string, bool) {
	s, begins := strings.CutPrefix(s, before)
	s, ends := strings.CutSuffix(s, after)
	return s, begins && ends
}

// hostLabels says why a name can't go where host names are held to the rules
// of RFC 1123, "" if it can.
func hostLabels(r rule.Rule) string {
	if noUnderscore(r) != "" || innerHyphens(r) != "" {
		return "it takes letters, digits and inner hyphens only"
	}
	return ""
}

// noUnderscore says why a name with an underscore can't go where there is none,
// "" for any other.
func noUnderscore(r rule.Rule) string {
	if strings.Contains(r.Name, "_") {
		return "it takes letters, digits and hyphens only"
	}
	return ""
}

// innerHyphens says why a name can't go where no label begins or ends with a
// hyphen, "" if it can.
func innerHyphens(r rule.Rule) string {
	if endsLabel(r.Name, "-") {
		return "it takes no label with a hyphen at an end"
	}
	return ""
}

// endsLabel reports whether a label begins or ends with one of these bytes.
func endsLabel(name, bytes string) bool {
	if !strings.ContainsAny(name, bytes) {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if strings.Trim(label, bytes) != label {
			return true
		}
	}
	return false
}

// twoLabels says why a name can't go where a single label is no name, "" if
// it can.
func twoLabels(r rule.Rule) string {
	if !strings.Contains(r.Name, ".") {
		return "it takes no single label"
	}
	return ""
}

// quotedMeta writes a host as an expression that matches it alone.
func quotedMeta(host string) string {
	if isPlain(host) && strings.IndexByte(host, '*') < 0 { // as all names, of which dots alone mean more
		return strings.ReplaceAll(host, ".", `\.`)
	}
	return regexp.QuoteMeta(host)
}

// unquotedMeta reads what quotedMeta wrote.
func unquotedMeta(text string) (host string, ok bool) {
	host = strings.ReplaceAll(text, `\.`, ".")
	return host, quotedMeta(host) == text
}

// extendedRule reads the pattern out of what [rule.Pattern.Extended] wrote.
func extendedRule(text string) (rule.Rule, error) {
	series, ok := rule.FromExtended(text)
	if !ok {
		return rule.Rule{}, fmt.Errorf("an expression that is no pattern: %q", text)
	}
	return rule.Rule{Name: series.Text}, nil
}
