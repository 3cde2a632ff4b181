package capture

import (
	"fmt"
	"slices"
	"time"

	"lxd-allowlist/parse"
)

// Gap is a time in which queries were not logged.
type Gap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Why  string    `json:"why"`
}

// String returns the gap as people read it: "09:07:01 to 09:12:09: ...".
func (g Gap) String() string {
	layout := time.TimeOnly
	if g.From.YearDay() != g.To.YearDay() || g.From.Year() != g.To.Year() {
		layout = time.DateTime
	}
	return g.From.Format(layout) + " to " + g.To.Format(layout) + ": " + g.Why
}

// Missed notes a gap.
func (l *Ledger) Missed(g Gap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gaps = append(l.gaps, g)
	if l.sink != nil {
		l.sink.Missed(g)
	}
	l.announce()
}

// Counts is what a ledger saw beside the domains.
type Counts struct {
	Lines   uint64       `json:"lines"`   // log lines
	Queries uint64       `json:"queries"` // query lines, less our own
	Losses  parse.Losses `json:"losses"`
	// Unwanted is queries that [Ledger.Limit] left out.
	Unwanted uint64 `json:"-"`
	Damaged  uint64 `json:"-"` // lines of the session's journal that could not be read, when it was
}

// Counts returns what the ledger saw beside the domains.
func (r Reader) Counts() Counts {
	c := r.l.counts
	c.Losses = r.l.losses.Settled()
	c.Losses.Unasked += r.l.unasked()
	c.Unwanted = r.l.outside
	return c
}

// maxForwarded bounds the names that were forwarded and not asked for: they are
// counted each time that the screen is drawn, and so many doubts are enough.
const maxForwarded = 1 << 10

// forward notes a name that dnsmasq forwarded: its query may be missing.
func (f *facts) forward(b *block, m *line) {
	if id, known := f.lookFor(b, m); known && f.asked(id) || len(f.forwarded) == maxForwarded {
		return
	}
	if f.forwarded == nil {
		f.forwarded = make(map[string]struct{})
	}
	f.forwarded[string(b.name(m))] = struct{}{}
}

// unasked returns how many names were forwarded though nobody was seen to ask
// for them.
func (l *Ledger) unasked() (n uint64) {
	for name := range l.forwarded {
		if id, known := l.lookup(name); known && l.asked(id) {
			delete(l.forwarded, name)
		} else if !l.overlooked[name] && l.expect[name] == nil {
			n++
		}
	}
	return n
}

// Doubts says in sentences why there may have been names that the ledger
// doesn't have, or has wrong: what was lost, could not be read, was not logged.
// The same words stand wherever the list goes.
func (r Reader) Doubts() []string {
	c := r.Counts()
	var all []string
	if lost := c.Losses.String(); lost != "" {
		all = append(all, lost)
	}
	if c.Damaged > 0 {
		all = append(all, fmt.Sprintf("the session's journal is damaged: %d of its lines could not be read", c.Damaged))
	}
	if why := r.Filters(); why != "" && r.l.info.NXDOMAIN != DoubtIt {
		all = append(all, Filtering(why))
	}
	all = append(all, r.l.unread...)
	for _, g := range r.l.gaps {
		all = append(all, "queries were not logged from "+g.String())
	}
	return all
}

// Filtering says in a sentence that the upstream seems to filter, and why.
func Filtering(why string) string {
	return "the upstream seems to filter, so that NXDOMAIN drops no name: " + why
}

// Unread notes, in a sentence, a log that nothing could be made of.
func (l *Ledger) Unread(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unread = append(l.unread, text)
	l.announce()
}

// Gaps returns when queries were not logged.
func (r Reader) Gaps() []Gap { return slices.Clone(r.l.gaps) }
