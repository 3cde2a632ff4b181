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
	Lines       uint64 `json:"lines"`       // log lines
	Queries     uint64 `json:"queries"`     // query lines, less our own
	Cut         uint64 `json:"cut"`         // lines that dnsmasq's buffer cut; not trusted, not counted as queries
	Garbled     uint64 `json:"garbled"`     // lines that look like queries and break their form
	Unprintable uint64 `json:"unprintable"` // queries for a name that dnsmasq could not print
	// Lost is lines that never came into the log, by [parse.Cause], or what is
	// said of them: for [parse.ByRefusal] queries without an answer.
	Lost    [parse.Causes]uint64 `json:"lost-by"`
	Holes   uint64               `json:"holes,omitempty"` // lines that lost their end in a hole of the log
	Damaged uint64               `json:"-"`               // lines of the session's journal that could not be read, when it was
}

// LostLines returns how many lines never came into the log.
func (c Counts) LostLines() (n uint64) {
	for cause, lost := range c.Lost {
		if parse.Cause(cause) != parse.ByRefusal {
			n += lost
		}
	}
	return n + c.Holes
}

func (c *Counts) add(d Counts) {
	c.Lines += d.Lines
	c.Queries += d.Queries
	c.Cut += d.Cut
	c.Garbled += d.Garbled
	c.Unprintable += d.Unprintable
	for i := range c.Lost {
		c.Lost[i] += d.Lost[i]
	}
	c.Holes += d.Holes
}

// Doubts says in sentences why there may have been names that the ledger
// doesn't have, or has wrong: what was lost, could not be read, was not logged.
// The same words stand wherever the list goes.
func (r Reader) Doubts() []string {
	c := r.l.counts
	var all []string
	for _, d := range []struct {
		n         uint64
		one, many string
	}{
		{c.Lost[parse.ByQueue], "1 log line was lost in dnsmasq's queue", "%d log lines were lost in dnsmasq's queue"},
		{c.Lost[parse.ByKeeper], "1 log line was suppressed by the journal or syslog", "%d log lines were suppressed by the journal or syslog"},
		{c.Lost[parse.ByDisk], "dnsmasq could not write its log once", "dnsmasq could not write its log %d times"},
		{c.Lost[parse.ByRefusal], "1 query was refused by dnsmasq or an upstream", "%d queries were refused by dnsmasq or an upstream"},
		{c.Holes, "1 log line lost its end in a hole of the log", "%d log lines lost their ends in holes of the log"},
		{c.Garbled, "1 line looks like a query and can't be read", "%d lines look like queries and can't be read"},
		{c.Cut, "1 line is cut where dnsmasq's buffer ends", "%d lines are cut where dnsmasq's buffer ends"},
		{c.Unprintable, "1 query was for a name that can't be printed", "%d queries were for names that can't be printed"},
		{c.Damaged, "1 line of the session's journal is damaged", "%d lines of the session's journal are damaged"},
	} {
		switch d.n {
		case 0:
		case 1:
			all = append(all, d.one)
		default:
			all = append(all, fmt.Sprintf(d.many, d.n))
		}
	}
	if why := r.Filters(); why != "" && r.l.info.NXDOMAIN != DoubtIt {
		all = append(all, "the upstream seems to filter, so that NXDOMAIN drops no name: "+why)
	}
	for _, g := range r.l.gaps {
		all = append(all, "queries were not logged from "+g.String())
	}
	return all
}

// Gaps returns when queries were not logged.
func (r Reader) Gaps() []Gap { return slices.Clone(r.l.gaps) }
