package logfile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/session"
)

// stdin is what stands for standard input.
const stdin = "-"

// title names what is read.
func title(sources []string) string {
	switch {
	case len(sources) > 1:
		return fmt.Sprintf("%s and %d more", sources[0], len(sources)-1)
	case sources[0] == stdin:
		return "stdin"
	}
	return sources[0]
}

// sessionOf returns the session that is to be read, "" where it is logs.
func sessionOf(sources []string) (string, error) {
	i := slices.IndexFunc(sources, session.Exists)
	switch {
	case i < 0:
		return "", nil
	case len(sources) > 1:
		return "", fmt.Errorf("%s is a session, and only logs can be read together: name it alone", sources[i])
	}
	return sources[i], nil
}

// Rotated names: what logrotate counts, the newest first, or dates.
var (
	packed   = regexp.MustCompile(`\.(gz|xz|zst|bz2)$`)
	numbered = regexp.MustCompile(`^(.*)\.([0-9]{1,6})$`)
	dated    = regexp.MustCompile(`^(.*)[-.]([0-9]{8}.*)$`)
)

// oldestFirst puts the files of one rotated log in the order in which they were
// written. Different logs stay in the order that they are named in.
func oldestFirst(sources []string) []string {
	type file struct {
		path  string
		log   string
		count int    // the higher, the older
		date  string // the higher, the newer
	}
	var files []file
	place := make(map[string]int) // of a log, by its first file
	for _, path := range sources {
		f := file{path: path, log: path, date: "~"} // behind any date
		bare := packed.ReplaceAllString(path, "")
		if m := numbered.FindStringSubmatch(bare); m != nil {
			f.log = m[1]
			f.count, _ = strconv.Atoi(m[2])
		} else if m := dated.FindStringSubmatch(bare); m != nil {
			f.log, f.date = m[1], m[2]
		} else {
			f.log = bare
		}
		if _, ok := place[f.log]; !ok {
			place[f.log] = len(place)
		}
		files = append(files, f)
	}
	slices.SortStableFunc(files, func(a, b file) int {
		return cmp.Or(cmp.Compare(place[a.log], place[b.log]), cmp.Compare(b.count, a.count), strings.Compare(a.date, b.date))
	})
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.path
	}
	return paths
}

// openAll opens logs, the oldest first, each once.
func openAll(ctx context.Context, sources []string) (all []*input, err error) {
	for _, path := range oldestFirst(sources) {
		f, err := openLog(ctx, path)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, &input{File: f, path: path})
	}
	return all, nil
}

// closeAll closes what openAll opened: standard input may be read once more.
func closeAll(all []*input) {
	for _, f := range all {
		if f.path != stdin {
			f.Close()
		}
	}
}

// openLog opens a log to be read: a file, or standard input for "-". The
// error says what to do where it is neither a file nor a session. To open a
// named pipe waits for who writes to it, until the context ends.
func openLog(ctx context.Context, path string) (*os.File, error) {
	if path == stdin {
		return os.Stdin, nil
	}
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	o := opened{err: crash.ErrUnknown}
	go crash.Guarded("the opening of the log", func() { o.file, o.err = os.Open(path) }, func() { done <- o })()
	var f *os.File
	select {
	case o := <-done:
		f = o.file
		if errors.Is(o.err, fs.ErrNotExist) {
			return nil, fmt.Errorf("open %s: there is no such log and no such session; `lxd-allowlist sessions` lists the sessions", path)
		}
		if o.err != nil {
			return nil, o.err
		}
	case <-ctx.Done():
		return nil, fmt.Errorf("open %s: %w", path, context.Cause(ctx))
	}
	if st, err := f.Stat(); err == nil && st.IsDir() {
		f.Close()
		return nil, fmt.Errorf("open %s: it is a directory; name the log in it", filepath.Clean(path))
	}
	return f, nil
}

// interruptible returns in, such that a read ends with the context: nobody may
// ever write to a pipe or a terminal.
func interruptible(ctx context.Context, in io.Reader) io.Reader {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { w.CloseWithError(context.Cause(ctx)) })
	err := crash.ErrUnknown
	go crash.Guarded("the input", func() {
		_, err = io.CopyBuffer(w, in, make([]byte, readSize))
	}, func() { w.CloseWithError(err) })()
	return r
}
