package capture

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"lxd-allowlist/capture/witness"
)

// Sources is the set of [witness.Source] that are seeing.
type Sources uint8

// The sources of a witness.
const (
	Packets   = Sources(1) << witness.Wire // what was sent, and where to
	Processes = Sources(1) << witness.Who  // by whom
)

// Has reports whether all of o are in the set.
func (s Sources) Has(o Sources) bool { return s&o == o }

// Watch is how far what an instance does was watched.
type Watch struct {
	// On are the sources that see now, none after the end; Since when. Ever
	// are those that saw at any time.
	On    Sources   `json:"on,omitempty"`
	Since time.Time `json:"since,omitzero"`
	Ever  Sources   `json:"ever,omitempty"`
	// Begun is when the capture began that was to be watched; the zero time
	// where none ever was, as in a log file.
	Begun time.Time `json:"begun,omitzero"`
	// Why says why packets, processes or both are not watched; "" where they
	// are, or where the capture is over.
	Why string `json:"why,omitempty"`
	// Off are the times in which packets were not watched, NoWho those without
	// processes; both of the capture alone. The one that lasts is not there
	// yet: On and Since tell of it.
	Off   []Gap `json:"off,omitempty"`
	NoWho []Gap `json:"no_who,omitempty"`
	// Blind are ways out of the instance that nobody watches: "eth1 on lxdbr1".
	Blind []string `json:"blind,omitempty"`
	// Lost counts what was not seen or could not be kept, by the reason.
	Lost map[string]uint64 `json:"lost,omitempty"`
	// LostWho counts what is known without its process for a reason.
	LostWho map[string]uint64 `json:"lost_who,omitempty"`
	// Beyond counts ways round that there was no room for.
	Beyond uint64 `json:"beyond,omitempty"`
	// Over says that the capture ended, so that what is off is no gap.
	Over bool `json:"over,omitempty"`
}

// maxOff bounds the gaps that are kept: an instance that restarts for ever
// has one each time. What follows makes the last one longer.
const maxOff = 256

// Watch returns how far what the instance does was watched.
func (r Reader) Watch() Watch {
	if r.l.witnessed == nil {
		return Watch{}
	}
	return r.l.witnessed.watch
}

// Whole reports whether packets were watched all the time and nothing was
// lost: only then is nothing seen nothing done.
func (w Watch) Whole() bool { return !w.Begun.IsZero() && w.wholeSince(w.Begun, Packets) }

func (w Watch) wholeSince(from time.Time, of Sources) bool {
	return (w.On.Has(of) || w.Over) && w.Ever.Has(of) && !w.Begun.After(from) && len(w.Off) == 0 && len(w.Lost) == 0 && len(w.Blind) == 0 && w.Beyond == 0
}

// String says it in a sentence: "nothing can be said: not watched: ...",
// "watched all the time", "watched in part: not from ...". It never claims
// more than was seen.
func (w Watch) String() string {
	switch {
	case w.Begun.IsZero():
		return "not watched"
	case w.Ever == 0:
		return "not watched: " + w.Why
	case !w.Ever.Has(Packets):
		return "watched in part: calls of processes only, no packets" + because(w.Why)
	case w.Whole() && w.Ever.Has(Processes):
		return "watched all the time" + because(w.Why)
	case w.Whole():
		return "watched all the time, packets only" + because(w.Why)
	}
	text := "watched in part"
	if len(w.Blind) > 0 {
		text += ", not " + strings.Join(w.Blind, ", ")
	}
	for i, g := range w.Off {
		if i == 3 {
			text += fmt.Sprintf(", and %d times more", len(w.Off)-i)
			break
		}
		text += ", not from " + g.String()
	}
	if !w.On.Has(Packets) && !w.Over {
		text += ", not since " + w.Since.Format(time.TimeOnly) + because(w.Why)
	}
	var lost uint64
	for _, n := range w.Lost {
		lost += n
	}
	if lost > 0 {
		text += fmt.Sprintf(", %d events lost", lost)
	}
	if w.Beyond > 0 {
		text += fmt.Sprintf(", %d more than there was room for", w.Beyond)
	}
	return text
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// BeginWatch tells that a capture begins, and which sources see from the
// first moment on; why others don't, "" where none is missing. killed is when
// a capture that this one goes on with was killed, else zero.
func (l *Ledger) BeginWatch(on Sources, at time.Time, why string, killed time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &l.witness().watch
	at = at.Round(0)
	if w.Begun.IsZero() {
		w.Begun = at
	} else if !w.Over {
		if killed.IsZero() {
			killed = at
		}
		w.turn(0, killed.Round(0), "the program was killed")
		w.turn(0, at, "")
	}
	w.On, w.Since, w.Ever, w.Why, w.Over = on, at, w.Ever|on, why, false
	l.indexAddresses()
	l.watched()
}

// Watching tells which sources see from now on, and why others don't: "" where
// none is missing. A time without one is a gap once it is over.
func (l *Ledger) Watching(on Sources, at time.Time, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &l.witness().watch
	if on != w.On || why != w.Why {
		w.turn(on, at.Round(0), why)
		l.watched()
	}
}

// EndWatch tells that the capture is over.
func (l *Ledger) EndWatch(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w := &l.witness().watch; !w.Begun.IsZero() && !w.Over {
		w.turn(0, at.Round(0), w.Why)
		w.Over = true
		l.watched()
	}
}

// WatchMisses tells which ways out of the instance nobody watches.
func (l *Ledger) WatchMisses(ways []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &l.witness().watch
	for _, way := range ways {
		if !slices.Contains(w.Blind, way) {
			w.Blind = append(slices.Clip(w.Blind), way)
		}
	}
	l.watched()
}

// turn ends what was until a time, and begins what is from then on.
func (w *Watch) turn(on Sources, at time.Time, why string) {
	g := Gap{From: w.Since, To: at, Why: w.Why}
	if !w.On.Has(Packets) {
		w.Off = addGap(w.Off, g)
	}
	if !w.On.Has(Processes) {
		w.NoWho = addGap(w.NoWho, g)
	}
	w.On, w.Since, w.Ever, w.Why = on, at, w.Ever|on, why
}

func addGap(all []Gap, g Gap) []Gap {
	switch last := len(all) - 1; {
	case !g.From.Before(g.To):
		return all
	case last >= 0 && all[last].To.Equal(g.From) && all[last].Why == g.Why, len(all) == maxOff:
		all = slices.Clone(all)
		all[last].To = g.To
		return all
	}
	return append(slices.Clip(all), g)
}

func (l *Ledger) watched() {
	l.witnessed.edition++
	l.tell(Sight{Watch: true}, true)
	notify(l.wake)
	l.announce()
}
