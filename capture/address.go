package capture

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"lxd-allowlist/export/rule"
)

// Endpoint returns where a way round led to, as a list holds it; false where
// no address is known. Whether a list may hold it, [Ledger.DecideAddress] says.
func (b Bypass) Endpoint() (at rule.Endpoint, known bool) {
	if !b.To.IsValid() {
		return at, false
	}
	return rule.EndpointOf(b.To, b.Protocol), true
}

// DecideAddress decides about addresses that were reached without a name, in
// one step that one Undo takes back, as [Ledger.Decide] does about domains.
// Only kept ones are in a list. An error says why a list can't hold one of
// them, and then nothing is decided.
func (l *Ledger) DecideAddress(d Decision, at ...rule.Endpoint) (string, error) {
	return l.markAddresses(change{to: Mark{Decision: d}, keepReasons: true}, at)
}

// MarkAddress sets the whole marks of addresses, as DecideAddress does the
// decisions.
func (l *Ledger) MarkAddress(to Mark, at ...rule.Endpoint) (string, error) {
	return l.markAddresses(change{to: to}, at)
}

func (l *Ledger) markAddresses(c change, at []rule.Endpoint) (string, error) {
	defer l.hold()()
	for _, e := range at {
		if problem := e.Problem(); problem != "" && c.to.Decision == Keep {
			return "", fmt.Errorf("%s can't be kept: it %s", e, problem)
		}
		if was := l.addresses[e]; was != c.mark(was) {
			c.addresses = append(c.addresses, e)
			c.was = append(c.was, was)
		}
	}
	if len(c.addresses) == 0 {
		return "", nil
	}
	return l.decide(c), nil
}

// setAddress gives an address its mark.
func (l *Ledger) setAddress(at rule.Endpoint, to Mark) {
	if l.addresses[at] = to; to == (Mark{}) {
		delete(l.addresses, at)
	}
	if l.witnessed != nil {
		l.witnessed.edition++
	}
	notify(l.wake)
}

// keptAddresses returns what is exported of addresses, as they are written. A
// person said so of each, thus they are in the list of all, too. Overruled are
// those that are dropped, and that a prefix allows all the same.
func (l *Ledger) keptAddresses() (kept []rule.Rule, overruled []string) {
	r := Reader{l}
	var open, dropped []rule.Endpoint
	all := slices.Collect(maps.Keys(l.addresses))
	for i := range l.rules {
		if at := l.rules[i].at; at != (rule.Endpoint{}) {
			all = append(all, at)
		}
	}
	slices.SortFunc(all, rule.Endpoint.Compare)
	for _, at := range slices.Compact(all) {
		switch v := r.Address(at); v.Decision {
		case Keep:
			open = append(open, at)
			kept = append(kept, rule.Rule{Name: at.String(), Reason: v.Reason, Source: string(v.Rule), Seen: l.seenAt(at)})
		case Drop:
			dropped = append(dropped, at)
		}
	}
	for _, at := range dropped {
		if slices.ContainsFunc(open, at.Within) {
			overruled = append(overruled, at.String())
		}
	}
	return kept, overruled
}

// seenAt returns what a witness saw of an address, nil for nothing.
func (l *Ledger) seenAt(at rule.Endpoint) (s *rule.Seen) {
	if l.witnessed == nil {
		return nil
	}
	for _, w := range l.witnessed.ways {
		if w.Protocol != at.Port.Protocol || w.To.Port() != at.Port.Number || !at.Prefix.Contains(w.To.Addr().Unmap()) {
			continue
		}
		of := &rule.Seen{Queries: uint64(w.Count), First: w.First, Last: w.Last, Programs: Reader{l}.Programs(w.Actors)}
		for _, n := range w.Names {
			of.Servers = append(of.Servers, n.Name)
		}
		s = s.Merge(of)
	}
	return s
}

// Address returns the decision in force about an address that was reached
// without a name: a person's, or that of the user's file, else none.
func (r Reader) Address(at rule.Endpoint) Verdict {
	m := r.l.addresses[at]
	if m.Decision != New {
		return Verdict{m.Decision, ByUser, m.Reason}
	}
	for i := range r.l.rules {
		if u := &r.l.rules[i]; u.at == at {
			return Verdict{u.Decision, ByFile, cmp.Or(m.Reason, u.Reason, u.Pattern)}
		}
	}
	return Verdict{New, Undecided, m.Reason}
}

// AddressMark returns a person's mark on an address.
func (r Reader) AddressMark(at rule.Endpoint) Mark { return r.l.addresses[at] }
