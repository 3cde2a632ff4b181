package term

import (
	"io"
	"strconv"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	ansiparser "github.com/charmbracelet/x/ansi/parser"
)

// Filter is for output of the instance that goes to the user's terminal without
// a pane. It lets through text, line feed, carriage return, tab, backspace, and
// what colours text and draws progress within a line: SGR, EL, CUF, CUB, CHA.
// All else goes nowhere, above all what sets something (titles, the clipboard,
// modes) and what a terminal answers to, for the answer would be typed into the
// shell that comes next. What isn't UTF-8 is �.
//
// A sequence may be split over writes; one without end takes no memory and
// hides, as it does in a terminal, what comes after it. Methods may be called
// from any goroutine.
type Filter struct {
	mu      sync.Mutex
	to      io.Writer
	parser  *ansi.Parser // of ASCII alone: of other bytes it takes some for C1
	rest    []byte       // of a character that isn't complete, up to three bytes
	out     []byte
	colours bool // the last SGR that passed may not be a reset
}

// NewFilter returns a filter before a terminal. Close ends it.
func NewFilter(to io.Writer) *Filter {
	f := &Filter{to: to, parser: ansi.NewParser()}
	f.parser.SetDataSize(1) // nothing is wanted of strings; 0 would be without bound
	f.parser.SetHandler(ansi.Handler{Execute: f.execute, HandleCsi: f.csi, Print: func(r rune) { f.out = append(f.out, byte(r)) }})
	return f
}

// Write hands on what of p is for a terminal. Each character and sequence is
// whole in one write, so that another stream to that terminal can't add to it.
func (f *Filter) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.out = f.out[:0]
	for _, b := range p {
		if len(f.rest) > 0 && utf8.RuneStart(b) {
			f.flush() // it ends before its time
		}
		switch {
		case b < utf8.RuneSelf:
			f.parser.Advance(b)
		case f.parser.State() != ansiparser.GroundState: // within a sequence there is no text
		default:
			if f.rest = append(f.rest, b); utf8.FullRune(f.rest) {
				f.flush()
			}
		}
	}
	return len(p), f.send()
}

// Close puts the colours back, so that nothing of the user's is hidden in those
// that the output has left.
func (f *Filter) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.out = f.out[:0]
	f.flush()
	if f.colours {
		f.out = append(f.out, ansi.ResetStyle...)
		f.colours = false
	}
	return f.send()
}

func (f *Filter) send() error {
	if len(f.out) == 0 {
		return nil
	}
	_, err := f.to.Write(f.out)
	return err
}

// flush takes the character that was collected.
func (f *Filter) flush() {
	for len(f.rest) > 0 {
		r, size := utf8.DecodeRune(f.rest)
		if !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r) {
			f.out = utf8.AppendRune(f.out, r)
		}
		f.rest = f.rest[:copy(f.rest, f.rest[size:])]
	}
}

func (f *Filter) execute(b byte) {
	if b == '\n' || b == '\r' || b == '\t' || b == '\b' {
		f.out = append(f.out, b)
	}
}

// csi writes a control sequence anew, if it is one of those that pass.
func (f *Filter) csi(c ansi.Cmd, params ansi.Params) {
	final := c.Final()
	switch {
	case c.Prefix() != 0 || c.Intermediate() != 0:
		return
	case final == 'm':
	case final != 'K' && final != 'C' && final != 'D' && final != 'G', len(params) > 1:
		return
	}
	for _, p := range params {
		if !isNumber(int(p)) {
			return
		}
	}
	f.out = append(f.out, "\x1b["...)
	for i, p := range params {
		if n := p.Param(-1); n >= 0 {
			f.out = strconv.AppendInt(f.out, int64(n), 10)
		}
		switch {
		case p.HasMore():
			f.out = append(f.out, ':')
		case i < len(params)-1:
			f.out = append(f.out, ';')
		}
	}
	f.out = append(f.out, final)
	if final == 'm' {
		f.colours = len(params) > 0
	}
}

// isNumber reports whether a parameter is a number that terminals take, or none, with
// more behind it or not: digits without end run over into the bit that says so.
func isNumber(p int) bool {
	const most = 1<<16 - 1
	n := p & ansiparser.ParamMask
	return (n <= most || n == ansiparser.MissingParam) && (p == n || p == n|ansiparser.HasMoreFlag)
}
