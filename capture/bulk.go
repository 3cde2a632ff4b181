package capture

import (
	"bytes"
	"context"
	"io"
	"math"
	"runtime"
	"sync"
	"time"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/parse"
)

const (
	// pieceSize is how much of a log is parsed at once: it and what is made of
	// it stay in the core's cache until that is taken in.
	pieceSize = 128 << 10
	// minBulk is what a log must have to be worth goroutines.
	minBulk = 4 << 20
	// bulkRest is left for the reader who follows the log to its end.
	bulkRest = 64 << 10
	// lineRest is how much is read with a piece of its last line, and then at once.
	lineRest = 4 << 10
	// maxLine is how much of a line can matter: see [parse.Splitter].
	maxLine = 64 << 10
)

// FeedAt reads most of a large log, side by side on all cores, from offset
// begin on, where a line begins, up to size. The ledger is then as if [Ledger.Feed]
// had read it in one go. It returns where the rest begins, that is all of it
// for a log that isn't large. progress is told how many bytes were read.
func (l *Ledger) FeedAt(ctx context.Context, log io.ReaderAt, begin, size int64, at time.Time, stamps bool, progress func(int64)) (int64, error) {
	if size-begin < minBulk {
		return begin, nil
	}
	end, err := afterLine(log, size-bulkRest, size)
	if err != nil || end == size {
		return begin, err
	}
	b := bulk{ledger: l, log: log, begin: begin, end: end, size: pieceSize, at: at, stamps: stamps, progress: progress}
	return end, b.read(ctx, runtime.GOMAXPROCS(0))
}

// afterLine returns where the first line begins behind from, size if none
// does.
func afterLine(log io.ReaderAt, from, size int64) (int64, error) {
	buf := make([]byte, 4<<10)
	for ; from < size; from += int64(len(buf)) {
		n, err := log.ReadAt(buf[:min(int64(len(buf)), size-from)], from)
		if end := bytes.IndexByte(buf[:n], '\n'); end >= 0 {
			return from + int64(end) + 1, nil
		}
		if err == io.EOF && n == 0 {
			return 0, io.ErrUnexpectedEOF // the log was truncated
		}
		if err != nil && err != io.EOF {
			return 0, err
		}
	}
	return size, nil
}

// bulk reads a log in pieces. They are parsed side by side, which takes most of
// the time, and taken into the ledger in their order: what the ledger makes of
// a line may depend on all before it. How a line is parsed may, too, but hardly
// ever does: a piece is parsed with what was known of the log a little earlier,
// and once more should it turn out that this was not all.
type bulk struct {
	ledger     *Ledger
	log        io.ReaderAt
	begin, end int64 // where lines begin
	size       int64 // of a piece
	at         time.Time
	stamps     bool
	progress   func(int64)

	mu     sync.Mutex
	room   sync.Cond
	state  parse.State // of the log, up to the pieces that were taken
	next   int64       // the first piece that nobody reads yet
	taken  int64       // how many were taken
	taking bool        // somebody takes them
	ready  map[int64]*piece
	free   []*piece
	err    error
}

// piece is the lines that begin in one piece of the log.
type piece struct {
	reader
	buf    []byte
	data   []byte      // a part of buf
	before parse.State // that it was parsed with
}

// aheadPieces is how many pieces a goroutine may have that wait to be taken.
const aheadPieces = 3

// read reads the log with so many goroutines.
func (b *bulk) read(ctx context.Context, goroutines int) error {
	b.room.L = &b.mu
	b.ready = make(map[int64]*piece)
	l := b.ledger
	l.mu.Lock()
	b.state = l.reader.rec.State
	for range goroutines * aheadPieces {
		b.free = append(b.free, &piece{reader: reader{only: l.reader.only, seed: l.ids.seed}})
	}
	l.mu.Unlock()
	var reading sync.WaitGroup
	for range goroutines {
		whole := false
		reading.Go(crash.Guarded("a part of the log", func() {
			for b.readNext(ctx) {
			}
			whole = true
		}, func() {
			if !whole {
				b.fail(crash.ErrUnknown)
			}
		}))
	}
	reading.Wait()
	l.mu.Lock()
	l.reader.rec.State = b.state
	l.mu.Unlock()
	return b.err
}

// readNext reads a piece and reports whether there may be another.
func (b *bulk) readNext(ctx context.Context) bool {
	b.mu.Lock()
	for len(b.free) == 0 && b.err == nil {
		b.room.Wait()
	}
	from := b.begin + b.next*b.size
	if b.err != nil || from >= b.end {
		b.mu.Unlock()
		return false
	}
	p := b.free[len(b.free)-1]
	b.free = b.free[:len(b.free)-1]
	number := b.next
	b.next++
	p.before = b.state
	b.mu.Unlock()

	err := ctx.Err()
	if err == nil {
		err = p.load(b.log, b.begin, from, min(from+b.size, b.end))
	}
	if err == nil {
		p.parse(b.at, b.stamps)
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.failHeld(err)
		return false
	}
	b.ready[number] = p
	for !b.taking && b.ready[b.taken] != nil {
		p, done := b.ready[b.taken], min(b.begin+(b.taken+1)*b.size, b.end)-b.begin
		delete(b.ready, b.taken)
		b.taking = true
		func() { // a panic in it finds the lock as it was
			b.mu.Unlock()
			defer b.mu.Lock()
			b.take(p)
			b.progress(done)
		}()
		b.taking = false
		b.taken++
		b.free = append(b.free, p)
		b.room.Broadcast()
	}
	return true
}

// fail ends the reading for all that read.
func (b *bulk) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failHeld(err)
}

func (b *bulk) failHeld(err error) {
	b.err = err
	b.room.Broadcast()
}

// take takes a piece into the ledger. Only who is taking calls it, so that
// nobody else changes the state.
func (b *bulk) take(p *piece) {
	if len(p.data) == 0 {
		return
	}
	if !p.before.Same(&b.state, p.data) {
		p.before = b.state
		p.parse(b.at, b.stamps)
	}
	b.ledger.takes(&p.block)
	b.mu.Lock()
	b.state = p.rec.State
	b.mu.Unlock()
}

func (l *Ledger) takes(read *block) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.take(read)
	l.announce()
}

// parse parses the piece as one that the state before leads to.
func (p *piece) parse(at time.Time, stamps bool) {
	p.rec.State = p.before
	p.reader.begin(at, stamps)
	p.split.FeedBut(p.data, p.hearAllPlain, p.hear)
	p.split.Flush(p.hear)
}

func (p *piece) hearAllPlain(log []byte) int { return p.hearPlain(log, math.MaxInt) }

// load reads the lines that begin between two places of a log that begins at
// begin.
func (p *piece) load(log io.ReaderAt, begin, from, to int64) error {
	skip := min(from-begin, 1) // the line break before, if there is one
	n := int(to - from + skip)
	if len(p.buf) < n+lineRest {
		p.buf = make([]byte, n+lineRest)
	}
	read, err := log.ReadAt(p.buf[:n+lineRest], from-skip)
	if read < n {
		if err == io.EOF {
			return io.ErrUnexpectedEOF // the log was truncated
		}
		return err
	}
	first, end := 0, n
	if skip > 0 {
		if first = bytes.IndexByte(p.buf[:n], '\n') + 1; first == 0 {
			first = n
		}
	}
	if first < n && p.buf[n-1] != '\n' {
		if end = n + bytes.IndexByte(p.buf[n:read], '\n') + 1; end == n { // not yet
			p.data = p.buf[first:read]
			return p.loadLast(log, from-skip+int64(read))
		}
	}
	p.data = p.buf[first:end]
	return nil
}

// loadLast reads on to the end of the last line, as far as it matters: not the
// NULs that it may begin with, which may be any number of them.
func (p *piece) loadLast(log io.ReaderAt, at int64) error {
	var rest [lineRest]byte
	for len(p.data) > 0 && p.data[len(p.data)-1] != '\n' {
		begin := bytes.LastIndexByte(p.data, '\n') + 1
		if len(bytes.TrimLeft(p.data[begin:], "\x00")) > maxLine {
			return nil
		}
		n, err := log.ReadAt(rest[:], at)
		if err != nil && err != io.EOF {
			return err
		}
		if n == 0 {
			return nil
		}
		end := bytes.IndexByte(rest[:n], '\n') + 1
		if end == 0 {
			end = n
		}
		if len(bytes.TrimLeft(p.data[begin:], "\x00")) == 0 {
			p.data = append(p.data[:begin], 0)
		}
		p.data = append(p.data, rest[:end]...)
		at += int64(end)
	}
	return nil
}
