package source

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

const (
	// maxPackings is how often a log may be packed over.
	maxPackings = 4
	// maxWindow is how far back zstd may look, which has to be held: as far as
	// its own command allows without being asked.
	maxWindow = 128 << 20
)

// method is how bytes are packed.
type method uint8

const (
	none method = iota
	gzipped
	xzipped
	zstandard
	bzipped
)

func (m method) String() string {
	return [...]string{"plain", "gzip", "xz", "zstd", "bzip2"}[m]
}

// packing tells by their first bytes how bytes are packed.
func packing(head []byte) method {
	starts := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case starts("\x1f\x8b\x08"):
		return gzipped
	case starts("\xfd7zXZ\x00"):
		return xzipped
	case starts("\x28\xb5\x2f\xfd"), len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte("\x2a\x4d\x18")): // a frame to be skipped
		return zstandard
	case starts("BZh") && len(head) >= 10 && (string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17rE8P\x90"): // the end, of nothing
		return bzipped
	}
	return none
}

// unpacker unpacks what is packed and hands on what isn't.
type unpacker struct {
	in    *bufio.Reader
	depth int
	part  io.Reader // what is being read: one of in's parts
	inner *unpacker // unpacks it further, if it is packed
	lost  error
}

func newUnpacker(in io.Reader, depth int) *unpacker {
	return &unpacker{in: bufio.NewReaderSize(in, headSize), depth: depth}
}

func (u *unpacker) damage() error {
	if u.lost == nil && u.inner != nil {
		return u.inner.damage()
	}
	return u.lost
}

func (u *unpacker) Read(p []byte) (int, error) {
	for {
		if u.part == nil {
			if err := u.next(); err != nil {
				return 0, err
			}
		}
		n, err := u.part.Read(p)
		if err == nil || u.part == u.in {
			return n, err
		}
		u.part = nil
		if !errors.Is(err, io.EOF) {
			u.lost = err
		}
		if n > 0 {
			return n, nil
		}
	}
}

// next begins what comes next: one packed stream, or the rest if it isn't
// packed.
func (u *unpacker) next() error {
	if u.damage() != nil {
		return io.EOF
	}
	head, err := u.in.Peek(10)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	m := packing(head)
	if m == none || u.depth == maxPackings {
		u.part = u.in
		return nil
	}
	part, err := open(u.in, m)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		u.lost = fmt.Errorf("%v: %w", m, err)
		return io.EOF
	}
	u.inner = newUnpacker(failing{part, m}, u.depth+1)
	u.part = u.inner
	return nil
}

func open(in *bufio.Reader, m method) (io.Reader, error) {
	switch m {
	case gzipped:
		part, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		part.Multistream(false) // what follows may be packed in another way, or not at all
		return part, nil
	case xzipped:
		return xz.NewReader(in)
	case zstandard:
		return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	}
	return bzip2.NewReader(in), nil
}

// failing names the method in an error.
type failing struct {
	io.Reader
	m method
}

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%v: %w", f.m, err)
	}
	return n, err
}
