package capture

import "lxd-allowlist/capture/witness"

// Sight names one thing that a witness told of: exactly one of its fields is
// set, and IsDomain with Domain.
type Sight struct {
	Domain   ID
	IsDomain bool
	Way      int // counts from 1
	Process  ProcessID
	Watch    bool
}

// tell tells the sink of a sight.
func (l *Ledger) tell(s Sight, news bool) {
	if l.sink != nil {
		l.sink.Witnessed(s, news)
	}
}

// Sighting is all that is known of a sight, as it is kept. The last one of
// each counts.
type Sighting struct {
	Name    string           `json:"name,omitempty"` // of the domain that Seen is of
	Seen    *Seen            `json:"seen,omitempty"`
	Bypass  *Bypass          `json:"bypass,omitempty"`
	Number  ProcessID        `json:"n,omitempty"` // of Process
	Process *witness.Process `json:"process,omitempty"`
	Watch   *Watch           `json:"watch,omitempty"`
}

// Sighting returns what is to be kept of a sight.
func (r Reader) Sighting(s Sight) Sighting {
	w := r.l.witness()
	switch {
	case s.IsDomain:
		seen := r.Witnessed(s.Domain).clone()
		return Sighting{Name: r.Domain(s.Domain).Name, Seen: &seen}
	case s.Way > 0:
		b := w.ways[s.Way-1].Bypass.clone()
		return Sighting{Bypass: &b}
	case s.Process > 0:
		p := w.processes[s.Process-1]
		return Sighting{Number: s.Process, Process: &p}
	}
	watch := w.watch
	return Sighting{Watch: &watch}
}

// Resight puts back what was kept. What is not as the program writes it is
// left out, and reported so.
func (l *Ledger) Resight(s Sighting) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.witness()
	switch {
	case s.Seen != nil && s.Name != "":
		id := l.idOf(s.Name, l.info.Started.UnixNano())
		w.domains[id] = &sighted{*s.Seen}
		l.show(id)
	case s.Bypass != nil:
		b := *s.Bypass
		k := wayKey{b.Kind, b.To, b.From, b.Protocol}
		n, ok := w.wayOf[k]
		if !ok {
			if len(w.ways) == maxBypasses {
				return false
			}
			n = len(w.ways)
			w.wayOf[k] = n
			w.ways = append(w.ways, nil)
		}
		w.ways[n] = &bypass{b}
	case s.Process != nil && s.Number > 0 && s.Number <= maxProcesses:
		for int(s.Number) > len(w.processes) { // those whose lines are lost
			w.processes = append(w.processes, witness.Process{})
		}
		w.processes[s.Number-1] = *s.Process
		w.processN[keyOf(s.Process)] = s.Number
	case s.Watch != nil:
		w.watch = *s.Watch
	default:
		return false
	}
	w.edition++
	return true
}
