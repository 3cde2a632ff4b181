package source

import (
	"bytes"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// charset is how text is written in bytes.
type charset uint8

const (
	utf8 charset = iota
	utf16LE
	utf16BE
)

// encoding tells how a text is written by the mark at its beginning or, since
// logs are in ASCII for the most part, by every other byte being 0.
func encoding(head []byte) charset {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return utf16LE
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return utf16BE
	}
	head = head[:min(len(head), 1024)&^1]
	var zero [2]int
	for i, c := range head {
		if c == 0 {
			zero[i%2]++
		}
	}
	const most = 9 // of 10
	switch n := len(head) / 2; {
	case n == 0:
	case zero[1]*10 >= n*most && zero[0]*10 < n:
		return utf16LE
	case zero[0]*10 >= n*most && zero[1]*10 < n:
		return utf16BE
	}
	return utf8
}

// decode reads text in UTF-16.
func decode(in io.Reader, c charset) io.Reader {
	order := unicode.LittleEndian
	if c == utf16BE {
		order = unicode.BigEndian
	}
	return transform.NewReader(in, unicode.UTF16(order, unicode.UseBOM).NewDecoder())
}

// hasColours reports whether a text has a terminal's control sequences in it.
func hasColours(head []byte) bool { return bytes.Contains(head, []byte("\x1b[")) }

// colourless leaves out a terminal's control sequences: "ESC [", parameters
// and a last byte from "@" to "~".
type colourless struct {
	in    io.Reader
	state byte // 0, or the last byte of the sequence's beginning
}

func (c *colourless) Read(p []byte) (int, error) {
	for {
		n, err := c.in.Read(p)
		kept := p[:0]
		for _, b := range p[:n] {
			switch {
			case c.state == 0x1b:
				if c.state = 0; b == '[' {
					c.state = '['
				}
			case c.state == '[':
				if '@' <= b && b <= '~' || b == '\n' {
					c.state = 0
				}
				if b == '\n' {
					kept = append(kept, b)
				}
			case b == 0x1b:
				c.state = b
			default:
				kept = append(kept, b)
			}
		}
		if len(kept) > 0 || err != nil || len(p) == 0 {
			return len(kept), err
		}
	}
}
