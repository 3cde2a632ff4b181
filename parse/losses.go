package parse

import (
	"fmt"
	"strings"
)

// Losses counts what a log doesn't say, as far as the log itself tells. Its
// zero value is that of a log without a line.
type Losses struct {
	Queue       uint64 // lines that were more than dnsmasq's own queue holds
	Keeper      uint64 // lines that the journal or rsyslog threw away, at least
	Disk        uint64 // times that dnsmasq could not write its log
	Cut         uint64 // lines that lost their end
	Unread      uint64 // lines that look like a query and can't be read
	Unprintable uint64 // queries for a name that dnsmasq doesn't print
	Refused     uint64 // times that dnsmasq or an upstream refused: no line is missing, answers are
	// Unasked is the names that were forwarded though nobody was seen to ask
	// for them, and Ended the packed logs that ended before they were whole:
	// who knows all names and who reads the files counts them.
	Unasked, Ended uint64
	// Serials is queries that serials told are missing before what is counted
	// now: see [Losses.Settled].
	Serials uint64

	serials serials
}

// Settled returns the losses as they are kept: without what it takes to go on
// counting.
func (l *Losses) Settled() Losses {
	settled := *l
	settled.Serials, settled.serials = l.Missing(), serials{}
	return settled
}

// Tally is what is to be counted of a line.
type Tally struct {
	kind        Kind
	cause       Cause
	unprintable bool
	process     uint32
	serial      uint64
	lost        uint64
}

// Tally returns what [Losses] counts of the line; any is false for most lines
// of a log without serials, which have nothing of the kind.
func (r *Record) Tally() (t Tally, any bool) {
	unprintable := r.Kind == Query && string(r.Name) == unprintable
	if r.Serial == 0 && r.Kind <= Answer && !unprintable && !r.rare {
		return t, false
	}
	return Tally{r.Kind, r.Cause, unprintable, r.process, r.Serial, r.Lost}, true
}

// PlainTally is Tally of a plain line, which has something to be counted where it
// has a serial. Where the line counted before has the same, only a query does.
func (r *Record) PlainTally(p *Plain) Tally {
	return Tally{kind: p.Kind, process: r.last.process, serial: p.Serial}
}

// Count takes the next line's record.
func (l *Losses) Count(r *Record) {
	if t, any := r.Tally(); any {
		l.Add(&t)
	}
}

// Add takes what is to be counted of the next line.
func (l *Losses) Add(t *Tally) {
	if t.serial != 0 {
		l.serials.see(t)
	}
	switch t.kind {
	case Query:
		if t.unprintable {
			l.Unprintable++
		}
	case Start:
		l.serials.restart(t.process)
	case Cut:
		l.Cut++
	case Garbled:
		l.Unread++
	case Loss:
		switch t.cause {
		case ByQueue:
			l.Queue += t.lost
		case ByKeeper:
			l.Keeper += t.lost
		case ByDisk:
			l.Disk += t.lost
		case ByRefusal:
			l.Refused += t.lost
		}
		return
	}
	l.Cut += t.lost // what stood before a hole
}

// Missing returns how many queries the serials of log-queries=extra tell are
// missing, but for those that may be among the lines that are said to be lost.
func (l *Losses) Missing() uint64 {
	said := l.Queue + l.Keeper
	if l.Disk > 0 || l.serials.missing <= said {
		return l.Serials
	}
	return l.Serials + l.serials.missing - said
}

// Total returns how much of the log is lost, all kinds taken together.
func (l *Losses) Total() (n uint64) {
	for _, k := range l.kinds() {
		n += k.n
	}
	return n
}

type kindOfLoss struct {
	n     uint64
	words string // for one, and for more if they differ
}

func (l *Losses) kinds() []kindOfLoss {
	return []kindOfLoss{
		{l.Queue, "by dnsmasq's queue"},
		{l.Keeper, "by the journal or syslog"},
		{l.Disk, "by a log that could not be written"},
		{l.Missing(), "missing in the serials"},
		{l.Cut, "cut"},
		{l.Unread, "not understood"},
		{l.Unprintable, "with a name that dnsmasq doesn't print"},
		{l.Unasked, "forwarded that nobody asked for"},
		{l.Refused, "refused"},
		{l.Ended, "by a file that ends too early"},
	}
}

// String returns what is lost, "" for nothing: "12 lost: 10 by dnsmasq's
// queue, 2 cut".
func (l *Losses) String() string {
	var parts []string
	for _, k := range l.kinds() {
		if k.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", k.n, k.words))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("%d lost: %s", l.Total(), strings.Join(parts, ", "))
}
