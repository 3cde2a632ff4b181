package capture

import "strings"

// rulePlaces finds the first of the user's rules that is about a name: those of
// names, of which there may be very many, are looked up, and only expressions
// and patterns are tried one after the other.
type rulePlaces struct {
	exact, below map[string]int // the first rule of that name, or of it and all below it
	others       []int          // the rules that are of neither kind, in their order
}

func placesOf(rules []UserRule) rulePlaces {
	p := rulePlaces{exact: make(map[string]int), below: make(map[string]int)}
	for i := range rules {
		switch on := rules[i].on; {
		case on.Name == "":
			p.others = append(p.others, i)
		case on.Suffix:
			setFirst(p.below, on.Name, i)
		default:
			setFirst(p.exact, on.Name, i)
		}
	}
	return p
}

func setFirst(places map[string]int, name string, at int) {
	if _, ok := places[name]; !ok {
		places[name] = at
	}
}

// ruleOn returns the first of the user's rules that is about a name, nil for
// none.
func (l *Ledger) ruleOn(name string) *UserRule {
	first := len(l.rules)
	if first == 0 {
		return nil
	}
	if at, ok := l.places.exact[name]; ok {
		first = at
	}
	if len(l.places.below) > 0 {
		for above := name; above != ""; _, above, _ = strings.Cut(above, ".") {
			if at, ok := l.places.below[above]; ok {
				first = min(first, at)
			}
		}
	}
	for _, at := range l.places.others {
		if at >= first {
			break
		}
		if l.rules[at].match(name) {
			first = at
		}
	}
	if first == len(l.rules) {
		return nil
	}
	return &l.rules[first]
}
