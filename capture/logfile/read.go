package logfile

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/parse/source"
)

// readSize is how much of a log is read at once.
const readSize = 1 << 20

// headSize is how much of a file is looked at to tell what it is.
const headSize = 64 << 10

// read reads a log to its end into the ledger, packed or in another encoding
// or not; progress is told how many bytes were read.
func read(ctx context.Context, l *capture.Ledger, f *input, progress func(int64)) error {
	now := time.Now()
	var in io.Reader = f
	var read int64
	if !regular(f.File) {
		in = io.TeeReader(interruptible(ctx, in), holder{f})
	} else if plain, err := isPlain(f.File); err != nil {
		return err
	} else if plain {
		if read, err = readFile(ctx, l, f.File, now, progress); err != nil {
			return err
		}
	}
	counted := &counter{in: in, n: read}
	text, err := source.NewReader(counted)
	if err != nil {
		return err
	}
	buf := make([]byte, readSize)
	for ctx.Err() == nil {
		n, err := text.Read(buf)
		l.Feed(buf[:n], now, true)
		progress(counted.n)
		if errors.Is(err, io.EOF) {
			l.EndOfLog(now, true)
			if text.Damage() != nil {
				l.Truncated()
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// counter counts what is read.
type counter struct {
	in io.Reader
	n  int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}

// isPlain reports whether a file is text as it stands, of which parts can be
// read side by side.
func isPlain(f *os.File) (bool, error) {
	head, err := readHead(f)
	return source.Plain(head), err
}

func readHead(f *os.File) ([]byte, error) {
	head := make([]byte, headSize)
	n, err := f.ReadAt(head, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

func regular(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode().IsRegular()
}

// readFile reads most of a large file and leaves it where the rest begins.
func readFile(ctx context.Context, l *capture.Ledger, f *os.File, now time.Time, progress func(int64)) (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	begin, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	rest, err := l.FeedAt(ctx, f, begin, st.Size(), now, true, progress)
	if err != nil {
		return 0, err
	}
	_, err = f.Seek(rest, io.SeekStart)
	return rest - begin, err
}

// feed follows the log file at path into the ledger, from its beginning until
// ctx ends.
func feed(ctx context.Context, l *capture.Ledger, path string) error {
	return Follow(ctx, path, 0, func(e Event) {
		switch e.Kind {
		case Data:
			l.Feed(e.Data, time.Now(), true)
		case Reset:
			l.ResetLog()
		}
	})
}
