// Package session keeps ledgers on disk: a journal for each session, the list
// of those that there are, and beside them the user's rules.
package session

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/export/owner"
	"lxd-allowlist/export/rule"
)

const journalSuffix = ".jsonl"

// ErrInUse is returned for a session that another process is writing.
var ErrInUse = errors.New("another lxd-allowlist has it open: quit that one first")

// Session is a ledger that is kept.
type Session struct {
	Ledger *capture.Ledger
	// Broken is when a killed session was last written to, zero for all others.
	Broken time.Time

	journal *journal
	path    string
}

// Discard ends the journal and removes it, once.
func (s *Session) Discard() error {
	if s.journal == nil {
		return nil
	}
	var err error
	if s.path != "" {
		err = os.Remove(s.path) // while its lock keeps others from going on with it
	}
	_ = s.Close() // nothing is to be kept, so that nothing is lost
	return err
}

// Close writes what is unsaved and ends the journal, once; a session that was
// resumed and to which nothing happened stays as it was, killed too. The ledger
// can still be read and exported.
func (s *Session) Close() error {
	j := s.journal
	if s.journal = nil; j == nil {
		return nil
	}
	return j.finish()
}

// Create begins a session. It is named after the time and info's instance or
// log, and the name stands in the ledger's Info. Where no journal can be
// written, the session is in memory only and has no name: the ledger's Fault
// tells why, as Close does.
func Create(info capture.Info) (*Session, error) {
	rules, err := LoadRules()
	if err != nil {
		return nil, err
	}
	if info.Started.IsZero() {
		info.Started = time.Now()
	}
	f, unwritten := createJournal(&info)
	l := capture.NewLedger(info)
	l.SetRules(rules)
	if unwritten != nil {
		j := newJournal(l, nowhere{}, 1)
		j.fail(unwritten)
		return &Session{Ledger: l, journal: j.start()}, nil
	}
	j := newJournal(l, kept{f}, 1)
	j.appended = true // the first line
	return &Session{Ledger: l, journal: j.start(), path: f.Name()}, nil
}

// createJournal makes the file of a new session, which gets its name here, and
// writes the first line. On an error there is neither.
func createJournal(info *capture.Info) (_ *os.File, err error) {
	defer func() {
		if err != nil {
			info.Session = ""
		}
	}()
	dir, err := Dir()
	if err != nil {
		return nil, err
	}
	for _, path := range []string{filepath.Dir(dir), dir} {
		if planted, err := owner.Planted(path); planted || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, cmp.Or(err, fmt.Errorf("%s is a link that somebody else made where everybody can: set XDG_STATE_HOME to a directory of your own", path))
		}
	}
	if err := owner.MkdirAll(dir); err != nil {
		return nil, err
	}
	subject := info.Instance
	if subject == "" {
		subject = filepath.Base(info.Log)
	}
	base := info.Started.Format("20060102-150405") + "-" + fileWord(subject)
	info.Session = base
	for n := 2; ; n++ {
		f, err := os.OpenFile(filepath.Join(dir, info.Session+journalSuffix), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
		if errors.Is(err, fs.ErrExist) {
			info.Session = fmt.Sprintf("%s-%d", base, n)
			continue
		}
		if err != nil {
			return nil, err
		}
		if err = errors.Join(lock(f, syscall.LOCK_EX), owner.Give(f)); err == nil {
			_, err = f.Write(appendBare(nil, entry{Format: format, Info: info}))
		}
		if err == nil {
			err = syncDir(dir)
		}
		if err != nil {
			return nil, errors.Join(err, os.Remove(f.Name()), f.Close())
		}
		return f, nil
	}
}

// syncDir has the kernel put a directory's new names on disk: a file that is
// synced can still be lost with its name.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// lock takes the lock that tells who writes a journal.
func lock(f *os.File, how int) error {
	err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrInUse
	}
	return err
}

// inUse reports whether somebody writes a journal.
func inUse(f *os.File) bool {
	err := lock(f, syscall.LOCK_SH)
	if err == nil {
		_ = lock(f, syscall.LOCK_UN) // who wants to write it need not wait for who reads
	}
	return errors.Is(err, ErrInUse)
}

// nameOf returns the name of the session whose journal is at path.
func nameOf(path string) string { return strings.TrimSuffix(filepath.Base(path), journalSuffix) }

// fileWord returns the start of s with what a file's name should not hold
// replaced.
func fileWord(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, s)
	return s[:min(len(s), 64)]
}

// find returns the journal of a session: a name as [List] has it, or a path to
// a journal. ok is false where there is none.
func find(session string) (path string, ok bool) {
	if strings.HasSuffix(session, journalSuffix) {
		_, err := os.Stat(session)
		return session, err == nil
	}
	dir, err := Dir()
	if err != nil || session == "" || session != filepath.Base(session) {
		return "", false
	}
	path = filepath.Join(dir, session+journalSuffix)
	_, err = os.Stat(path)
	return path, err == nil
}

// Exists reports whether there is a session of that name, or a journal at
// that path.
func Exists(session string) bool {
	_, ok := find(session)
	return ok
}

// open opens a session's journal. Without one the error is [fs.ErrNotExist],
// wrapped.
func open(session string, flags int) (*os.File, error) {
	path, ok := find(session)
	if !ok {
		return nil, fmt.Errorf("%w; `lxd-allowlist sessions` lists those that exist", fs.ErrNotExist)
	}
	return os.OpenFile(path, flags, 0)
}

// Resume opens a session to go on with it: the ledger is as its journal
// tells, with the user's rules as they are now, and what happens from now on
// is appended there. A session that somebody writes is [ErrInUse], one that
// isn't there [fs.ErrNotExist], both wrapped.
func Resume(session string) (*Session, error) {
	s, err := resume(session)
	if err != nil {
		return nil, fmt.Errorf("resume session %q: %w", session, err)
	}
	return s, nil
}

func resume(session string) (_ *Session, err error) {
	f, p, err := reopen(session)
	if err != nil {
		return nil, err
	}
	rules, err := LoadRules()
	if err != nil {
		f.Close()
		return nil, err
	}
	p.ledger.SetRules(rules)
	j := newJournal(p.ledger, kept{f}, p.number)
	j.torn = p.torn
	s := &Session{Ledger: p.ledger, journal: j.start(), path: f.Name()}
	if p.tellsEnd() && !p.closed {
		s.Broken = p.modified
	}
	return s, nil
}

// reopen opens a session's journal to append to it, locked, and reads it.
func reopen(session string) (_ *os.File, _ *replay, err error) {
	f, err := open(session, os.O_RDWR|os.O_APPEND)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := lock(f, syscall.LOCK_EX); err != nil {
		return nil, nil, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	p := newReplay(nameOf(f.Name()))
	p.modified = st.ModTime()
	if err := p.read(f, false); err != nil {
		return nil, nil, err
	}
	return f, p, nil
}

// NoteExports notes in a session that is in nobody's use that its list was
// written.
func NoteExports(session string, all []capture.Written) error {
	var told []entry
	for _, w := range all {
		w.At = w.At.Round(0)
		told = append(told, entry{Exported: &w})
	}
	if err := note(session, told); err != nil {
		return fmt.Errorf("note the export in session %q: %w", session, err)
	}
	return nil
}

// NoteTrial notes in a session that is in nobody's use that a command was tried
// with a part of its list.
func NoteTrial(session string, t capture.Trial) error {
	t.At = t.At.Round(0)
	if err := note(session, []entry{{Trial: &t}}); err != nil {
		return fmt.Errorf("note the trial in session %q: %w", session, err)
	}
	return nil
}

// NoteVerified notes in a session that is in nobody's use what came of its list
// when it was enforced.
func NoteVerified(session string, v rule.Verified) error {
	v.At = v.At.Round(0)
	if err := note(session, []entry{{Verified: &v}}); err != nil {
		return fmt.Errorf("note the verdict in session %q: %w", session, err)
	}
	return nil
}

// note appends entries to a session, which makes it no younger. A journal that
// is no session of the list is left as it is.
func note(session string, told []entry) error {
	if strings.HasSuffix(session, journalSuffix) {
		return nil
	}
	f, p, err := reopen(session)
	if err != nil {
		return err
	}
	var text []byte
	if p.torn {
		text = append(text, '\n')
	}
	if p.closed { // and one that was killed stays that
		now := time.Now().Round(0)
		told = append(told, entry{Closed: &now})
	}
	for _, e := range told {
		text = appendLine(text, p.number, e)
		p.number++
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close(), os.Chtimes(f.Name(), time.Time{}, p.modified))
}

// Remove removes a session of the list that is in nobody's use.
func Remove(session string) error {
	if err := remove(session); err != nil {
		return fmt.Errorf("remove session %q: %w", session, err)
	}
	return nil
}

func remove(session string) error {
	if strings.HasSuffix(session, journalSuffix) {
		return errors.New("it is a file: name a session as `lxd-allowlist sessions` lists it")
	}
	f, err := open(session, os.O_RDWR)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := lock(f, syscall.LOCK_EX); err != nil {
		return err
	}
	return os.Remove(f.Name())
}

// Load reads a session without opening it for more: for export. It may be in
// use.
func Load(session string) (*capture.Ledger, error) {
	l, err := load(session)
	if err != nil {
		return nil, fmt.Errorf("read session %q: %w", session, err)
	}
	return l, nil
}

func load(session string) (*capture.Ledger, error) {
	f, err := open(session, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := newReplay(nameOf(f.Name()))
	if err := p.read(f, inUse(f)); err != nil {
		return nil, err
	}
	rules, err := LoadRules()
	if err == nil {
		p.ledger.SetRules(rules)
	}
	return p.ledger, err
}
