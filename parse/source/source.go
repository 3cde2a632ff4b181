// Package source reads the bytes of a log, whatever they are stored as, and
// hands on lines of plain text:
//
//	bytes --unpack--> bytes --decode--> text --records--> lines
//
// It unpacks gzip, xz, zstd and bzip2, within each other and one behind the
// other; it decodes UTF-16; it takes colours out; it ends lines with "\n"; and
// it makes one line of a record that has several, as `journalctl -o
// json-pretty`, `-o verbose` and `-o export` print them. All of it is a stream:
// no more is held than a line and what an unpacker needs to look back on.
package source

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// headSize is how much of a log is looked at to tell what it is.
const headSize = 64 << 10

// Plain reports whether the beginning of a log is plain text as it stands, so
// that the log may be read from anywhere. head is its first 64 KiB, or all of
// a shorter one.
func Plain(head []byte) bool {
	return packing(head) == none && encoding(head) == utf8 && !hasColours(head) && lineEnd(head) != '\r' && recordsOf(head) == nil
}

// Reader reads a log as plain text. It returns no error but those of what it
// reads from: a packed log that is damaged ends where the damage is, see
// [Reader.Damage].
type Reader struct {
	unpacked *unpacker
	text     io.Reader
}

// NewReader reads the beginning of in, to tell what it is.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{unpacked: newUnpacker(in, 0)}
	b := bufio.NewReaderSize(r.unpacked, headSize)
	head, err := peek(b)
	if err != nil {
		return nil, err
	}
	r.text = b
	if e := encoding(head); e != utf8 {
		b = bufio.NewReaderSize(decode(b, e), headSize)
		if head, err = peek(b); err != nil {
			return nil, err
		}
		r.text = b
	}
	if hasColours(head) {
		r.text = &colourless{in: r.text}
	}
	if lineEnd(head) == '\r' {
		r.text = &replacer{in: r.text, from: '\r', to: '\n'}
	}
	if records := recordsOf(head); records != nil {
		r.text = records(bufio.NewReaderSize(r.text, headSize))
	}
	return r, nil
}

// peek returns what there is of b's first bytes without taking them: a log
// that is being written doesn't have 64 KiB yet.
func peek(b *bufio.Reader) ([]byte, error) {
	if _, err := b.Peek(1); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b.Peek(b.Buffered())
}

func (r *Reader) Read(p []byte) (int, error) { return r.text.Read(p) }

// Damage returns why a packed log came to its end before it was whole, nil
// while it didn't.
func (r *Reader) Damage() error { return r.unpacked.damage() }

// lineEnd returns what ends the first lines: '\n', or '\r' as on an old Mac.
func lineEnd(head []byte) byte {
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(bytes.TrimRight(head, "\r"), '\r') >= 0 {
		return '\r'
	}
	return '\n'
}

// replacer replaces one byte by another.
type replacer struct {
	in       io.Reader
	from, to byte
}

func (r *replacer) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	for i, c := range p[:n] {
		if c == r.from {
			p[i] = r.to
		}
	}
	return n, err
}
