package session

import (
	"errors"
	"fmt"
	"io"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/export/rule"
)

// replay makes a ledger of a journal. What it can't read it leaves out and
// counts, see [capture.Counts]; all before and behind that is read.
type replay struct {
	ledger *capture.Ledger
	owners map[string]string // told at the end: each costs a look at all domains

	number  uint64 // of the next line
	bad     uint64 // lines since the last good one that could not be read
	lost    uint64
	format  int  // as the first line says
	checked bool // a line had its checksum
	known   bool // a line told something
	closed  bool // the last line is that of a program that ended as it should
	torn    bool // the last line has no newline

	// tell is told of each entry in place of the ledger, nil for nobody. With keep
	// it may keep them.
	tell func(entry)
	keep bool

	modified time.Time // the journal was, before it was opened to append
}

// newReplay returns what reads the journal of a session; name is the session's
// for as long as the journal doesn't tell.
func newReplay(name string) *replay {
	return &replay{ledger: capture.NewLedger(capture.Info{Session: name}), owners: make(map[string]string), number: 1}
}

// read reads a journal to its end. A last line without a newline is still
// being written where the session is inUse, and else it is lost.
func (p *replay) read(in io.Reader, inUse bool) error {
	err := eachPart(in, p.keep, func(lines []line) error {
		for _, l := range lines {
			if p.torn = l.torn; p.torn && inUse {
				continue
			}
			if err := p.line(l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.end()
}

// line takes a line.
func (p *replay) line(l line) error {
	if len(l.text) == 0 {
		return nil
	}
	if l.ok {
		return p.numbered(l.number, l.entry)
	}
	if e, ok := parseBare(l.text); ok && !p.checked {
		return p.bare(e)
	}
	return p.damaged(l.text)
}

// damaged reads what is whole of a damaged line, which may be several ones
// that have lost the newlines between them.
func (p *replay) damaged(line []byte) error {
	p.closed = false
	read := 0 // up to there
	if n := valueLen(line); n > 0 && !p.checked {
		if e, ok := parseBare(line[:n]); ok {
			read = n
			if err := p.bare(e); err != nil {
				return err
			}
		}
	}
	for _, at := range lineStart.FindAllIndex(line, -1) {
		begin, value := at[0], at[1]-len(`{"`)
		if begin < read {
			continue
		}
		end := value + valueLen(line[value:])
		l := parsed(line[begin:end])
		if !l.ok {
			continue
		}
		read = end
		if err := p.numbered(l.number, l.entry); err != nil {
			return err
		}
	}
	if read == 0 || len(line) > read+1 { // more than a newline that is no longer one
		p.bad++
	}
	return nil
}

func (p *replay) numbered(number uint64, e entry) error {
	if e.Format > format {
		return newer(e.Format)
	}
	missing := number - min(number, p.number)
	if !p.known {
		missing++ // the first line, which has no number
	}
	p.checked, p.known = true, true
	if number < p.number {
		return nil // a part of the journal is there twice
	}
	p.lost += max(p.bad, missing)
	p.bad, p.number = 0, number+1
	p.again(e)
	return nil
}

func (p *replay) bare(e entry) error {
	if e == (entry{}) {
		p.bad++ // JSON of something else
		return nil
	}
	p.lost += p.bad
	p.bad, p.known, p.format = 0, true, max(p.format, e.Format)
	p.again(e)
	return nil
}

func (p *replay) end() error {
	p.lost += p.bad
	switch {
	case !p.checked && p.format > format: // else the first line is damaged
		return newer(p.format)
	case !p.known && p.bad == 0:
		return errors.New("its journal is empty")
	case !p.known:
		return errors.New("nothing in it is readable as a session's journal")
	}
	p.ledger.SetOwners(p.owners)
	var counts capture.Counts
	p.ledger.Read(func(r capture.Reader) { counts = r.Counts() })
	counts.Damaged = p.lost
	p.ledger.Recount(counts)
	return nil
}

// tellsEnd reports whether the journal is of a format in which an end is told.
func (p *replay) tellsEnd() bool { return p.checked || p.format == format }

func newer(format int) error {
	return fmt.Errorf("its journal is of a newer format, %d: use the version of the program that wrote it, or a later one", format)
}

// again has what an entry tells happen again.
func (p *replay) again(e entry) {
	l := p.ledger
	p.closed = e.Closed != nil
	if p.tell != nil {
		p.tell(e)
		return
	}
	switch {
	case e.Info != nil:
		l.Inform(*e.Info)
	case e.Domain != nil:
		l.Restore(*e.Domain)
	case e.Mark != nil:
		c := e.Mark.change()
		c.Names = e.Mark.Names
		l.Redecide(c)
	case e.Address != nil:
		c := e.Address.change()
		for _, text := range e.Address.Names {
			at, err := rule.ParseEndpoint(text)
			if err != nil {
				p.lost++
				continue
			}
			c.Addresses = append(c.Addresses, at)
		}
		l.Redecide(c)
	case e.Undo != nil:
		l.Restep(capture.Step{Number: e.Undo.Number, Of: e.Undo.Of})
	case e.Redo != nil:
		l.Restep(capture.Step{Number: e.Redo.Number, Of: e.Redo.Of, Redo: true})
	case e.Step != "":
		l.Restep(capture.Step{Redo: e.Step == "redo"})
	case e.Owner != nil:
		p.owners[e.Owner.Address] = e.Owner.Owner
	case e.Gap != nil:
		l.Missed(*e.Gap)
	case e.Exported != nil:
		l.Exported(*e.Exported)
	case e.Trial != nil:
		l.Tried(*e.Trial)
	case e.Entered != nil:
		l.Entered(*e.Entered)
	case e.Verified != nil:
		l.Verified(*e.Verified)
	case e.Witness != nil:
		if !l.Resight(*e.Witness) {
			p.lost++
		}
	case e.Counts != nil:
		l.Recount(*e.Counts)
	}
}
