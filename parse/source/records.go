package source

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"regexp"
)

// recordsOf returns what makes lines of a log's records that have several, nil
// for a log of lines.
func recordsOf(head []byte) func(*bufio.Reader) io.Reader {
	text := bytes.TrimPrefix(head, []byte("\uFEFF"))
	first, _, _ := bytes.Cut(bytes.TrimLeft(text, " \t\r\n"), []byte("\n"))
	first = bytes.TrimRight(first, " \t\r")
	switch {
	case string(first) == "{", string(first) == "[", string(first) == "[{", bytes.HasPrefix(first, []byte(`[{"`)):
		return func(in *bufio.Reader) io.Reader { return &objects{in: in} }
	case exportStart.Match(first):
		return func(in *bufio.Reader) io.Reader { return &entries{in: in} }
	case verboseStart.Match(first):
		return func(in *bufio.Reader) io.Reader { return &entries{in: in, indent: verboseIndent} }
	}
	return nil
}

var (
	exportStart  = regexp.MustCompile(`^__(?:CURSOR|REALTIME_TIMESTAMP|MONOTONIC_TIMESTAMP)=`)
	verboseStart = regexp.MustCompile(`^[A-Z][a-z]{2} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [^ ]+) \[[a-z]=[0-9a-f]+;`)
)

// objects puts each JSON object on a line of its own, one within an array,
// too.
type objects struct {
	in      *bufio.Reader
	depth   int
	quoted  bool
	escaped bool
}

func (o *objects) Read(p []byte) (int, error) {
	for {
		n, err := o.in.Read(p)
		kept := p[:0]
		for _, c := range p[:n] {
			if c = o.take(c); c != 0 {
				kept = append(kept, c)
			}
		}
		if len(kept) > 0 || err != nil || len(p) == 0 {
			return len(kept), err
		}
	}
}

// take returns what stands for c, 0 for nothing. What is between two objects
// becomes the end of a line.
func (o *objects) take(c byte) byte {
	switch {
	case o.quoted:
		if c == '\n' || c == '\r' {
			o.quoted, o.depth = false, 0 // no JSON has that: an object that was cut
			return '\n'
		}
		if o.escaped {
			o.escaped = false
		} else if c == '\\' {
			o.escaped = true
		} else if c == '"' {
			o.quoted = false
		}
	case c == '"' && o.depth > 0:
		o.quoted = true
	case c == '{':
		o.depth++
	case c == '}' && o.depth > 0:
		o.depth--
	case c == '\n' || c == '\r' || c == '\t':
		if c = ' '; o.depth == 0 {
			return '\n'
		}
	case o.depth == 0 && (c == '[' || c == ']'):
		return 0
	case o.depth == 0 && c == ',':
		return '\n'
	}
	return c
}

// entries makes one line in JSON of each of the journal's entries, as -o
// export prints them, a field a line and a blank line between two, or -o
// verbose, with the time and the cursor above the fields.
//
// A message may have several lines, and they may look like fields: they stand
// further to the right in -o verbose, and -o export gives their length.
type entries struct {
	in     *bufio.Reader
	indent int // of a field
	out    []byte
	more   map[string]string
	err    error
}

// verboseIndent is how many blanks -o verbose puts before a field.
const verboseIndent = 4

// entryFields are the fields that are of use.
var entryFields = map[string]bool{
	"MESSAGE": true, "SYSLOG_IDENTIFIER": true, "_SYSTEMD_UNIT": true, "_COMM": true, "__REALTIME_TIMESTAMP": true,
}

func (e *entries) Read(p []byte) (int, error) {
	for len(e.out) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		e.line()
	}
	n := copy(p, e.out)
	e.out = e.out[n:]
	return n, nil
}

// line reads one line, and ends the entry with the next one's beginning.
func (e *entries) line() {
	line, err := e.in.ReadSlice('\n')
	long := errors.Is(err, bufio.ErrBufferFull)
	line = bytes.TrimRight(line, "\r\n")
	indent := len(line) - len(bytes.TrimLeft(line, " "))
	name, value, ok := bytes.Cut(line[indent:], []byte("="))
	switch m := verboseStart.FindSubmatch(line); {
	case m != nil && e.indent > 0:
		e.end()
		e.set("time", m[1])
	case e.indent == 0 && (len(line) == 0 || string(name) == "__CURSOR"):
		e.end()
	case indent != e.indent:
	case ok && entryFields[string(name)]:
		e.set(string(name), value)
	case !ok && e.indent == 0:
		err = e.binary(string(line))
	}
	for long {
		_, err = e.in.ReadSlice('\n')
		long = errors.Is(err, bufio.ErrBufferFull)
	}
	if err != nil {
		e.end()
		e.err = err
	}
}

// binary reads a field's value behind the line with its name: its length in 8
// bytes, the value, a line break.
func (e *entries) binary(name string) error {
	head, err := e.in.Peek(8)
	if err != nil {
		return err
	}
	size := binary.LittleEndian.Uint64(head)
	if size > 1<<31 {
		return nil // no length: no line of the journal's
	}
	if _, err := e.in.Discard(8); err != nil {
		return err
	}
	value := make([]byte, min(size, headSize))
	if _, err := io.ReadFull(e.in, value); errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	} else if err != nil {
		return err
	}
	if _, err := e.in.Discard(int(size-uint64(len(value))) + 1); err != nil {
		return err
	}
	if entryFields[name] {
		e.set(name, value)
	}
	return nil
}

func (e *entries) set(name string, value []byte) {
	if e.more == nil {
		e.more = make(map[string]string)
	}
	if _, twice := e.more[name]; !twice {
		e.more[name] = string(value)
	}
}

// end hands on an entry that has a message.
func (e *entries) end() {
	if _, ok := e.more["MESSAGE"]; ok {
		line, err := json.Marshal(e.more)
		if err != nil {
			panic(err) // a map of strings
		}
		e.out = append(append(e.out, line...), '\n')
	}
	clear(e.more)
}
