package session

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

	// These are there after Count.
	Domains  int              // that were asked for
	Marks    int              // domains and groups that a person decided about
	Kept     int              // domains that a person decided to keep
	Exported *capture.Written // the last file, nil for none
	Stale    bool             // something was decided since
}

// Name returns what the session is opened by.
func (s *Entry) Name() string { return nameOf(s.Path) }

// Count reads all of the session.
func (s *Entry) Count() {
	if s.Err != nil {
		return
	}
	l, err := Load(s.Path)
	if s.Err = err; err != nil {
		return
	}
	l.Read(func(r capture.Reader) {
		s.Domains, s.Marks = r.Asked(), r.Marks()
		for id := range r.Len() {
			if r.Domain(capture.ID(id)).Mark.Decision == capture.Keep {
				s.Kept++
			}
		}
		s.Exported, s.Stale = r.Exported()
	})
}

// State says in words what became of a session that was counted: "killed,
// unexported", "exported 2026-11-25 13:00 to /root/allow.txt (squid)".
func (s *Entry) State() string {
	var words []string
	switch {
	case s.Err != nil:
		return "unreadable: " + s.Err.Error()
	case s.InUse:
		words = append(words, "in use")
	case s.Killed:
		words = append(words, "killed")
	}
	switch {
	case s.Exported == nil:
		words = append(words, "unexported")
	case s.Stale:
		words = append(words, "exported "+s.Exported.String(), "decided on since")
	default:
		words = append(words, "exported "+s.Exported.String())
	}
	return strings.Join(words, ", ")
}

// KilledOn returns the last session of an instance that has anything in it, if
// it was killed. Who has begun and ended another one since has done with it.
func KilledOn(server, instance string) (s Entry, ok bool, err error) {
	all, err := List()
	if err != nil {
		return s, false, err
	}
	for _, s := range all {
		if s.Err != nil || s.Info.Server != server || s.Info.Instance != instance {
			continue
		}
		if !s.Killed {
			return s, false, nil
		}
		if s.Count(); s.Err == nil && s.Domains+s.Marks > 0 {
			return s, true, nil
		}
	}
	return s, false, nil
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
		s.Killed = !s.InUse && p.tellsEnd() && !hasEnd(f, st.Size())
	}
	return s, nil
}

// begin reads the first two lines, each of which tells what the session is
// about, and on to the first that can be read.
func (p *replay) begin(in io.Reader) error {
	lines := bufio.NewReader(in)
	for n := 0; n < 2 || !p.known; n++ {
		text, end := lines.ReadBytes('\n')
		if err := p.line(parsed(bytes.TrimSuffix(text, []byte("\n")))); err != nil {
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
	l := parsed(last[bytes.LastIndexByte(last, '\n')+1:])
	return whole && l.ok && l.entry.Closed != nil
}
