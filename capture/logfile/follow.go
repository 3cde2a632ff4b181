// Package logfile reads logs into ledgers: files and standard input to their
// end, and files that grow, through all that happens to a log: it is
// truncated, replaced, deleted and made again.
package logfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Kind is what happened to the log.
type Kind uint8

const (
	// Data is bytes that were appended.
	Data Kind = iota
	// Reset is a log that begins anew: truncated, or another file.
	Reset
	// Gone is a log that was deleted or renamed. It is followed all the same, for
	// who writes to it may not know; a Reset comes when it is back.
	Gone
)

// Event is one thing that happened to the log.
type Event struct {
	Kind Kind
	// Data is valid until emit returns.
	Data []byte
	// Why says for people what happened, for Reset and Gone.
	Why string
}

const (
	// blockSize bounds what one event carries.
	blockSize = 256 << 10
	// pollEvery is the safety net below the file system's notifications,
	// which some file systems don't send.
	pollEvery = time.Second
	// gap is the pause after a read: what is written meanwhile comes as one
	// read, so that a busy log costs by its bytes and not by its lines.
	gap = 4 * time.Millisecond
	// longGap is the pause after a read of much: rows come faster then than
	// frames, of which it is half of one (30 a second), and each read wakes the
	// journal, the table and the runtime's threads.
	longGap = 16 * time.Millisecond
	much    = 16 << 10
	// lastFor bounds how long what came until the end is read, for who writes may
	// never stop.
	lastFor = 100 * time.Millisecond
	// memory is how many bytes before the position are remembered, to tell a
	// log that was truncated and has already grown past the position.
	memory = 64
	// leftFor is how long a log is read after another has taken its place:
	// dnsmasq ends its children after 150 seconds (CHILD_LIFETIME in its
	// config.h). One that was deleted takes room on the disk as long.
	leftFor = 160 * time.Second
)

// Follow reads the file at path from offset on and calls emit with what is
// there and what comes, until ctx ends; it returns nil then, with what was
// written by then, but for a backlog. A file that does not exist is waited for.
// The file's directory must exist.
func Follow(ctx context.Context, path string, offset int64, emit func(Event)) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	return follow(ctx, path, offset, emit, poll.C)
}

func follow(ctx context.Context, path string, offset int64, emit func(Event), poll <-chan time.Time) error {
	watch, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the log %s: %w", path, err)
	}
	defer watch.Close()
	if err := watch.Add(filepath.Dir(path)); err != nil {
		return fmt.Errorf("watch the directory of the log %s: %w", path, err)
	}
	f := &follower{path: path, offset: offset, emit: emit, watch: watch, block: make([]byte, blockSize)}
	defer f.release()
	for {
		n, err := f.read(ctx)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("read the log %s: %w", path, err)
		}
		if n > 0 && !pause(ctx, gapAfter(n)) || !f.wait(ctx, poll) {
			f.readLast(ctx)
			return nil
		}
	}
}

// readLast emits what came in the last pause, when ctx has ended.
func (f *follower) readLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFor)
	defer cancel()
	_, _ = f.read(ctx) // an error has nobody to tell any more
}

// wait returns when there may be something to read; false when ctx ended.
func (f *follower) wait(ctx context.Context, poll <-chan time.Time) bool {
	name := filepath.Base(f.path)
	for {
		select {
		case e := <-f.watch.Events:
			f.moved(e)
			if filepath.Base(e.Name) == name || f.gone || len(f.left) > 0 { // one that was renamed has another
				return true
			}
		case <-f.watch.Errors: // an overflow at worst: what was missed is found by reading
			return true
		case <-poll:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

// gapAfter returns how long to pause after a read of n bytes.
func gapAfter(n int) time.Duration {
	if n >= much {
		return longGap
	}
	return gap
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// follower is the state of Follow between two reads.
type follower struct {
	path   string
	emit   func(Event)
	watch  *fsnotify.Watcher // of the directory
	block  []byte
	file   *os.File // nil while there is none
	offset int64    // of the next byte in file
	before []byte   // the last bytes before offset, as they were read
	// hole is set where NULs may stand: who writes a truncated log without
	// O_APPEND goes on at its old offset.
	hole bool
	gone bool // file is not what is at path

	left    []leftLog // the logs that are not at path any more
	renamed bool      // what was at path was renamed; the next event has the new name
}

// leftLog is a log that another has taken the place of. Lines may still come to
// it: of dnsmasq's children that answer a query by TCP, which have it open until
// they end.
type leftLog struct {
	*os.File
	offset int64 // of the next byte
	since  time.Time
}

func (f *follower) release() {
	for _, l := range f.left {
		l.Close()
	}
	if f.file != nil {
		f.file.Close()
	}
}

// read emits all that there is and returns how many bytes that was.
func (f *follower) read(ctx context.Context) (total int, err error) {
	if f.file == nil {
		if ok, err := f.open(); !ok {
			return 0, err
		}
	}
	for {
		if err := f.checkTruncated(); err != nil {
			return total, err
		}
		n, err := f.drain(ctx)
		total += n
		if err != nil || ctx.Err() != nil {
			return total, err
		}
		n, err = f.drainLeft()
		total += n
		if err != nil || !f.replaced() {
			return total, err
		}
		// What is in the new log was written after all that is in this one, and in
		// those between them.
		if _, err := f.drain(ctx); err != nil || ctx.Err() != nil {
			return total, err
		}
		f.catchUp(ctx)
		if _, err := f.drainLeft(); err != nil {
			return total, err
		}
		if err := f.move(); err != nil {
			return total, err
		}
	}
}

func (f *follower) open() (ok bool, err error) {
	f.file, err = os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// catchUp takes what has been told of the directory and not been looked at.
func (f *follower) catchUp(ctx context.Context) {
	enough := time.After(gap)
	for {
		select {
		case e := <-f.watch.Events:
			f.moved(e)
		case <-enough:
			return
		case <-ctx.Done():
			return
		}
	}
}

// moved finds what was at the path between two looks and was renamed before it
// was ever open here: logs that are rotated twice while this program has no
// processor, or is stopped. Its new name begins with that of the log; one that went
// elsewhere is told by its old name alone, and what comes up next is another file.
func (f *follower) moved(e fsnotify.Event) {
	if filepath.Base(e.Name) == filepath.Base(f.path) {
		f.renamed = e.Has(fsnotify.Rename)
		return
	}
	to := f.renamed && e.Has(fsnotify.Create) && strings.HasPrefix(filepath.Base(e.Name), filepath.Base(f.path))
	f.renamed = false
	if !to {
		return
	}
	missed, err := os.OpenFile(e.Name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil { // renamed again, or gone
		return
	}
	same := func(l leftLog) bool { return sameFile(l.File, missed) }
	if !regular(missed) || f.file != nil && sameFile(f.file, missed) || slices.ContainsFunc(f.left, same) {
		missed.Close()
		return
	}
	f.left = append(f.left, leftLog{missed, 0, time.Now()})
}

func sameFile(a, b *os.File) bool {
	first, err1 := a.Stat()
	second, err2 := b.Stat()
	return err1 == nil && err2 == nil && os.SameFile(first, second)
}

// move goes on with the log that has taken the place of this one.
func (f *follower) move() error {
	next, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) { // gone again
		return nil
	}
	if err != nil {
		return err
	}
	f.left = append(f.left, leftLog{f.file, f.offset, time.Now()})
	f.file = next
	f.restart("it is a new file")
	f.gone = false
	return nil
}

// drainLeft emits the lines that have come to the logs before this one, between
// two lines of this one, and closes those that nobody writes to any more.
func (f *follower) drainLeft() (total int, err error) {
	if len(f.before) > 0 && f.before[len(f.before)-1] != '\n' {
		return 0, nil
	}
	for i := range f.left {
		n, err := f.left[i].drain(f.block, f.emit)
		total += n
		if err != nil {
			return total, err
		}
	}
	f.left = slices.DeleteFunc(f.left, func(l leftLog) bool {
		late := time.Since(l.since) > leftFor
		if late {
			l.Close()
		}
		return late
	})
	return total, nil
}

// drain emits the whole lines that there are, by block.
func (l *leftLog) drain(block []byte, emit func(Event)) (total int, err error) {
	for {
		n, err := l.ReadAt(block, l.offset)
		if err != nil && err != io.EOF {
			return total, err
		}
		n = bytes.LastIndexByte(block[:n], '\n') + 1
		if n == 0 {
			return total, nil
		}
		l.offset += int64(n)
		emit(Event{Kind: Data, Data: block[:n]})
		total += n
	}
}

func (f *follower) restart(why string) {
	f.offset, f.hole = 0, true
	f.before = f.before[:0]
	f.emit(Event{Kind: Reset, Why: why})
}

// checkTruncated begins anew where the file is shorter than what was read of
// it, or no longer holds that.
func (f *follower) checkTruncated() error {
	st, err := f.file.Stat()
	if err != nil {
		return err
	}
	if st.Size() < f.offset {
		f.restart("it was truncated")
		return nil
	}
	if len(f.before) == 0 {
		return nil
	}
	now := make([]byte, len(f.before))
	if _, err := f.file.ReadAt(now, f.offset-int64(len(now))); err != nil && err != io.EOF {
		return err
	}
	if !bytes.Equal(now, f.before) {
		f.restart("it was written anew")
	}
	return nil
}

func (f *follower) drain(ctx context.Context) (total int, err error) {
	for ctx.Err() == nil {
		n, err := f.file.ReadAt(f.block, f.offset)
		if n > 0 {
			total += n
			f.took(f.block[:n])
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (f *follower) took(data []byte) {
	f.offset += int64(len(data))
	f.before = append(f.before[:0], data[max(0, len(data)-memory):]...)
	if f.hole {
		data = bytes.TrimLeft(data, "\x00")
		f.hole = len(data) == 0
	}
	if len(data) > 0 {
		f.emit(Event{Kind: Data, Data: data})
	}
}

// replaced reports whether another log is at the path, and in use. Who rotates a
// log may make the new one before dnsmasq is told to reopen it, which writes to
// the old one until then: while the new one is empty, the old one is followed,
// as one is that was deleted.
func (f *follower) replaced() bool {
	at, err := os.Stat(f.path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) && !f.gone {
			f.gone = true
			f.emit(Event{Kind: Gone, Why: "it was deleted or renamed"})
		}
		return false
	}
	st, err := f.file.Stat()
	if err != nil {
		return false
	}
	f.gone = !os.SameFile(at, st)
	return f.gone && (at.Size() > 0 || !at.Mode().IsRegular())
}
