package logfile

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"lxd-allowlist/capture"
)

// readSize is how much of a log is read at once.
const readSize = 1 << 20

// Read reads a log to its end into the ledger; progress is told how many
// bytes were read.
func Read(ctx context.Context, l *capture.Ledger, in io.Reader, progress func(int64)) error {
	now := time.Now()
	read, err := readFile(ctx, l, in, now, progress)
	if err != nil {
		return err
	}
	if f, ok := in.(*os.File); ok && !regular(f) {
		in = interruptible(ctx, in)
	}
	buf := make([]byte, readSize)
	for ctx.Err() == nil {
		n, err := in.Read(buf)
		l.Feed(buf[:n], now, true)
		read += int64(n)
		progress(read)
		if errors.Is(err, io.EOF) {
			l.EndOfLog(now, true)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func regular(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode().IsRegular()
}

// readFile reads most of a large file and leaves it where the rest begins.
func readFile(ctx context.Context, l *capture.Ledger, in io.Reader, now time.Time, progress func(int64)) (int64, error) {
	f, ok := in.(*os.File)
	if !ok || !regular(f) {
		return 0, nil
	}
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
		if e.Kind == Data {
			l.Feed(e.Data, time.Now(), true)
		} else {
			l.ResetLog()
		}
	})
}
