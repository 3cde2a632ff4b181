package logfile

import (
	"bytes"
	"io"
	"os"

	"lxd-allowlist/parse"
	"lxd-allowlist/parse/source"
)

// maxHeld bounds what is held of a pipe, in bytes: as much as a list may have.
const maxHeld = 256 << 20

// input is a log that is read, or what turns out to be none.
type input struct {
	*os.File
	path string // as it was named, "-" for standard input
	// heard reports whether a query of it was read.
	heard func() bool
	// begin is what was read of a pipe until a query came: it may be a list, and
	// can't be read again. tooLarge says that it would have been too much.
	begin    []byte
	tooLarge bool
}

// holder holds what is read of an input while it may be a list.
type holder struct{ *input }

func (h holder) Write(p []byte) (int, error) {
	switch {
	case h.tooLarge || h.heard():
		h.begin = nil
	case len(h.begin)+len(p) > maxHeld:
		h.begin, h.tooLarge = nil, true
	default:
		h.begin = append(h.begin, p...)
	}
	return len(p), nil
}

// recognize tells what an input is, by its beginning.
func (f *input) recognize() (what source.Foreign, ok bool) {
	head := f.begin[:min(len(f.begin), headSize)]
	if regular(f.File) {
		var err error
		if head, err = readHead(f.File); err != nil {
			return what, false
		}
	}
	text, err := source.NewReader(bytes.NewReader(head))
	if err != nil {
		return what, false
	}
	plain, err := io.ReadAll(io.LimitReader(text, headSize))
	if err != nil {
		return what, false
	}
	if parse.IsList(plain) {
		return source.Foreign{What: "a list of names", Do: "export it alone, it is a source by itself"}, true
	}
	return source.Recognize(head, plain, f.Name())
}
