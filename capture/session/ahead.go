package session

import (
	"bufio"
	"io"
	"sync"

	"lxd-allowlist/capture/crash"
)

// part is lines of a journal that are read and parsed while those before them
// happen in the ledger: each takes half of the time of a large one.
type part struct {
	text  []byte
	lines []line
	err   error // that ends the journal behind them: io.EOF at its end
	domains
}

// line is one that was parsed: see [domains.parseLine]. Its text has no newline.
type line struct {
	text   []byte
	number uint64
	entry  entry
	ok     bool
	torn   bool // there was no newline
}

// parsed parses one line by itself.
func parsed(text []byte) line {
	l := line{text: text}
	l.number, l.entry, l.ok = new(domains).parseLine(text, string(text))
	return l
}

// partSize is how many bytes a part has, or as many as its last line takes. Tests
// have it otherwise.
var partSize = 1 << 17

// partsAhead is how many parts there are: one that happens, one that is parsed and
// one between them.
const partsAhead = 3

// fill makes p the next part of a journal, and what was in it is gone.
func (p *part) fill(in *bufio.Reader) {
	p.text, p.lines, p.used = p.text[:0], p.lines[:0], 0
	var ends []int
	for begin := 0; p.err == nil && (len(p.text) < partSize || begin < len(p.text)); {
		var piece []byte
		piece, p.err = in.ReadSlice('\n')
		p.text = append(p.text, piece...)
		switch {
		case p.err == bufio.ErrBufferFull: // the line goes on
			p.err = nil
		case (p.err == nil || p.err == io.EOF) && begin < len(p.text):
			begin = len(p.text)
			ends = append(ends, begin)
		}
	}
	kept := string(p.text) // records are made of it
	begin := 0
	for _, end := range ends {
		l := line{text: p.text[begin:end]}
		if l.torn = l.text[len(l.text)-1] != '\n'; !l.torn {
			l.text = l.text[:len(l.text)-1]
		}
		l.number, l.entry, l.ok = p.parseLine(l.text, kept[begin:begin+len(l.text)])
		p.lines = append(p.lines, l)
		begin = end
	}
}

// eachPart calls do with the lines of a journal, part by part, until one call fails.
// With keep the records in them may be kept; else they are valid within the call.
func eachPart(in io.Reader, keep bool, do func([]line) error) error {
	free, ready := make(chan *part, partsAhead), make(chan *part, partsAhead)
	for range partsAhead {
		free <- &part{domains: domains{keep: keep}}
	}
	var parsing sync.WaitGroup
	defer parsing.Wait()
	defer close(free)
	parsing.Go(crash.Guarded("a session's journal", func() {
		in := bufio.NewReaderSize(in, 1<<16)
		for p := range free {
			p.fill(in)
			ready <- p
			if p.err != nil {
				return
			}
		}
	}, func() { close(ready) }))
	for p := range ready {
		if err := do(p.lines); err != nil {
			return err
		}
		switch p.err {
		case nil:
			free <- p
		case io.EOF:
			return nil
		default:
			return p.err
		}
	}
	return crash.ErrUnknown
}
