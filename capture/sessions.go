package capture

import (
	"bufio"
	"bytes"
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
)

const journalSuffix = ".jsonl"

// ErrInUse is returned for a session that another process is writing.
var ErrInUse = errors.New("another lxd-allowlist has it open: quit that one first")

// Dir returns the directory of the journals: lxd-allowlist/sessions in
// $XDG_STATE_HOME, by default ~/.local/state.
func Dir() (string, error) {
	state := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) { // the XDG base directory specification: others are ignored
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find the directory of the sessions: %w; set XDG_STATE_HOME", err)
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "lxd-allowlist", "sessions"), nil
}

// Create returns an empty ledger with a journal of its own. The session is
// named after the time and info's instance or log, and stands in its Info.
func Create(info Info) (*Ledger, error) {
	dir, err := Dir()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the directory of the sessions: %w", err)
	}
	l := NewLedger(info)
	if l.rules, err = LoadRules(); err != nil {
		return nil, err
	}
	subject := l.info.Instance
	if subject == "" {
		subject = filepath.Base(l.info.Log)
	}
	base := l.info.Started.Format("20060102-150405") + "-" + fileWord(subject)
	for n := 1; ; n++ {
		l.info.Session = base
		if n > 1 {
			l.info.Session = fmt.Sprintf("%s-%d", base, n)
		}
		f, err := os.OpenFile(filepath.Join(dir, l.info.Session+journalSuffix), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("create the session's journal: %w", err)
		}
		return l, l.open(f)
	}
}

func (l *Ledger) open(f *os.File) error {
	if err := lock(f); err != nil {
		f.Close()
		return err
	}
	if _, err := f.Write(appendEntry(nil, entry{Format: journalFormat, Info: &l.info})); err != nil {
		f.Close()
		return fmt.Errorf("write the session's journal: %w", err)
	}
	l.startJournal(f)
	return nil
}

func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrInUse
	}
	return err
}

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

// sessionPath returns the journal of a session: a name as [Sessions] lists
// it, or a path to a journal. ok is false where there is none.
func sessionPath(session string) (path string, ok bool) {
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

// IsSession reports whether there is a session of that name, or a journal at
// that path.
func IsSession(session string) bool {
	_, ok := sessionPath(session)
	return ok
}

// Resume opens a session to go on with it: the ledger is as its journal
// tells, and what happens from now on is appended there. The errors are
// [fs.ErrNotExist] and [ErrInUse], wrapped.
func Resume(session string) (*Ledger, error) {
	path, ok := sessionPath(session)
	if !ok {
		return nil, fmt.Errorf("resume session %q: %w; `lxd-allowlist sessions` lists those that exist", session, fs.ErrNotExist)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("resume session %q: %w", session, err)
	}
	if err := lock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("resume session %q: %w", session, err)
	}
	l := NewLedger(Info{})
	whole, err := l.replayAll(f)
	if err == nil {
		l.rules, err = LoadRules()
	}
	if err == nil {
		err = f.Truncate(whole) // what was being written when the machine died
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("resume session %q: %w", session, err)
	}
	l.startJournal(f)
	return l, nil
}

// Load reads a session without opening it for more: for export. It may be in
// use.
func Load(session string) (*Ledger, error) {
	path, ok := sessionPath(session)
	if !ok {
		return nil, fmt.Errorf("read session %q: %w; `lxd-allowlist sessions` lists those that exist", session, fs.ErrNotExist)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read session %q: %w", session, err)
	}
	defer f.Close()
	l := NewLedger(Info{})
	_, err = l.replayAll(f)
	if err == nil {
		l.rules, err = LoadRules()
	}
	if err != nil {
		return nil, fmt.Errorf("read session %q: %w", session, err)
	}
	return l, nil
}

// replayAll reads a journal and returns the length of its whole lines. A last
// line without its newline was never finished and is left out.
func (l *Ledger) replayAll(r io.Reader) (whole int64, err error) {
	in := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			if n == 1 {
				return 0, errors.New("line 1 of its journal is missing")
			}
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
		if err := l.replay(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return whole, fmt.Errorf("line %d of its journal: %w", n, err)
		}
		whole += int64(len(line))
	}
}

// Subject names what was captured: "dnstest on lxdbr0", or the log file.
func (i Info) Subject() string {
	if i.Instance == "" {
		return i.Log
	}
	if i.Server != "" && i.Server != "local" {
		return i.Server + ":" + i.Instance + " on " + i.Network
	}
	return i.Instance + " on " + i.Network
}

// Session is one line of the list of sessions.
type Session struct {
	Info     Info
	Modified time.Time
	InUse    bool
	Path     string
	Err      error // why it can't be read, nil if it can
}

// Sessions returns the sessions that exist, the last one first.
func Sessions() ([]Session, error) {
	dir, err := Dir()
	if err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*"+journalSuffix))
	if err != nil {
		return nil, err
	}
	var all []Session
	for _, path := range paths {
		if s, err := session(path); err == nil {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Session) int { return b.Modified.Compare(a.Modified) })
	return all, nil
}

func session(path string) (Session, error) {
	s := Session{Path: path, Info: Info{Session: strings.TrimSuffix(filepath.Base(path), journalSuffix)}}
	f, err := os.Open(path)
	if err != nil {
		return s, err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil {
		s.Modified = st.ModTime()
	}
	s.InUse = errors.Is(lock(f), ErrInUse)
	line, err := bufio.NewReader(f).ReadBytes('\n')
	l := NewLedger(Info{})
	if err == nil {
		err = l.replay(bytes.TrimSpace(line))
	}
	if s.Err = err; err == nil {
		s.Info = l.info
	}
	return s, nil
}
