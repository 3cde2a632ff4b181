package session

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"lxd-allowlist/capture"
)

// Entry is one line of the list of sessions.
type Entry struct {
	Info     capture.Info
	Modified time.Time
	InUse    bool
	Killed   bool // it has no end: the program or the machine died
	Path     string
	Err      error // why it can't be read, nil if it can
}

// List returns the sessions that exist, the last one first.
func List() ([]Entry, error) {
	dir, err := Dir()
	if err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*"+journalSuffix))
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, path := range paths {
		if s, err := look(path); err == nil {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Entry) int { return b.Modified.Compare(a.Modified) })
	return all, nil
}

// look reads what the two ends of a journal tell. Its error is one of a
// journal that is gone again.
func look(path string) (Entry, error) {
	s := Entry{Path: path, Info: capture.Info{Session: nameOf(path)}}
	f, err := os.Open(path)
	if err != nil {
		return s, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return s, err
	}
	s.Modified, s.InUse = st.ModTime(), inUse(f)
	p := newReplay(s.Info.Session)
	if s.Err = p.begin(f); s.Err == nil {
		p.ledger.Read(func(r capture.Reader) { s.Info = r.Info() })
		s.Killed = !s.InUse && (p.checked || p.format == format) && !hasEnd(f, st.Size())
	}
	return s, nil
}

// begin reads the first two lines, each of which tells what the session is
// about, and on to the first that can be read.
func (p *replay) begin(in io.Reader) error {
	lines := bufio.NewReader(in)
	for n := 0; n < 2 || !p.known; n++ {
		line, end := lines.ReadBytes('\n')
		if err := p.line(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return err
		}
		if end == io.EOF {
			break
		}
		if end != nil {
			return end
		}
	}
	return p.end()
}

// endSize is more than the last line of a journal has.
const endSize = 200

// hasEnd reports whether a journal of that size ends with a line which says
// that the program ended as it should.
func hasEnd(f io.ReaderAt, size int64) bool {
	end := make([]byte, min(endSize, size))
	if _, err := f.ReadAt(end, size-int64(len(end))); err != nil && err != io.EOF {
		return false
	}
	last, whole := bytes.CutSuffix(end, []byte("\n"))
	_, e, ok := parseLine(last[bytes.LastIndexByte(last, '\n')+1:])
	return whole && ok && e.Closed != nil
}
