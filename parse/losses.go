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

// Count takes the next line's record.
func (l *Losses) Count(r *Record) {
	if r.Serial != 0 {
		l.serials.see(r)
	}
	switch r.Kind {
	case Query:
		if string(r.Name) == unprintable {
			l.Unprintable++
		}
	case Start:
		l.serials.restart(r.process)
	case Cut:
		l.Cut++
	case Garbled:
		l.Unread++
	case Loss:
		switch r.Cause {
		case ByQueue:
			l.Queue += r.Lost
		case ByKeeper:
			l.Keeper += r.Lost
		case ByDisk:
			l.Disk += r.Lost
		case ByRefusal:
			l.Refused += r.Lost
		}
		return
	}
	l.Cut += r.Lost // what stood before a hole
}

// Add takes what was counted in the part of the log that follows.
func (l *Losses) Add(next *Losses) {
	l.Queue += next.Queue
	l.Keeper += next.Keeper
	l.Disk += next.Disk
	l.Cut += next.Cut
	l.Unread += next.Unread
	l.Unprintable += next.Unprintable
	l.Refused += next.Refused
	l.Unasked += next.Unasked
	l.Ended += next.Ended
	l.Serials += next.Serials
	l.serials.add(&next.serials)
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
