package logfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// readFile reads most of a large file and leaves it where the rest begins.
func readFile(ctx context.Context, l *capture.Ledger, in io.Reader, now time.Time, progress func(int64)) (int64, error) {
	f, ok := in.(*os.File)
	if !ok {
		return 0, nil
	}
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
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

// openLog opens a log to be read: a file, or standard input for "-". The
// error says what to do where it is neither a file nor a session.
func openLog(path string) (*os.File, error) {
	if path == "-" {
		return os.Stdin, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open %s: there is no such log and no such session; `lxd-allowlist sessions` lists the sessions", path)
	}
	if err != nil {
		return nil, err
	}
	if st, err := f.Stat(); err == nil && st.IsDir() {
		f.Close()
		return nil, fmt.Errorf("open %s: it is a directory; name the log in it", path)
	}
	return f, nil
}
