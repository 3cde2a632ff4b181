package logfile_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"lxd-allowlist/capture/logfile"
)

// patience bounds a wait for what comes within milliseconds.
const patience = 10 * time.Second

// log is a file that is followed by a test.
type log struct {
	t      *testing.T
	path   string
	events chan logfile.Event
	got    strings.Builder
}

func follow(t *testing.T, path string, offset int64) *log {
	return followBy(t, path, offset, logfile.Follow, make(chan logfile.Event, 1024))
}

// followBy is follow by one of the ways, which waits where events are not taken.
func followBy(t *testing.T, path string, offset int64, by func(context.Context, string, int64, func(logfile.Event)) error, events chan logfile.Event) *log {
	l := &log{t: t, path: path, events: events}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- by(ctx, path, offset, func(e logfile.Event) {
			e.Data = bytes.Clone(e.Data)
			l.events <- e
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Follow: %v", err)
		}
	})
	return l
}

func (l *log) write(flags int, text string) {
	l.t.Helper()
	f, err := os.OpenFile(l.path, os.O_WRONLY|flags, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *log) add(text string) { l.write(os.O_APPEND|os.O_CREATE, text) }

// wants waits until all that came is the given text, a Reset written as "|"
// and Gone as "!".
func (l *log) wants(text string) {
	l.t.Helper()
	late := time.After(patience)
	for l.got.String() != text {
		select {
		case e := <-l.events:
			switch e.Kind {
			case logfile.Data:
				l.got.Write(e.Data)
			case logfile.Reset:
				l.got.WriteByte('|')
			case logfile.Gone:
				l.got.WriteByte('!')
			}
		case <-late:
			l.t.Fatalf("got %q, want %q", clip(l.got.String()), clip(text))
		}
	}
}

func clip(s string) string { return s[max(0, len(s)-200):] }

func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	tests := map[string]func(*log){
		"grows": func(l *log) {
			l.add("two\n")
			l.wants("one\ntwo\n")
			l.add("th")
			l.add("ree\n")
			l.wants("one\ntwo\nthree\n")
		},
		"truncated": func(l *log) {
			l.write(os.O_TRUNC, "2\n")
			l.wants("one\n|2\n")
		},
		"truncated and grown past": func(l *log) {
			l.write(os.O_TRUNC, "a longer text\n")
			l.wants("one\n|a longer text\n")
		},
		"replaced": func(l *log) {
			other := &log{t: l.t, path: l.path + ".new"}
			other.add("new\n")
			if err := os.Rename(other.path, l.path); err != nil {
				l.t.Fatal(err)
			}
			l.wants("one\n|new\n")
			l.add("more\n")
			l.wants("one\n|new\nmore\n")
		},
		"rotated away": func(l *log) {
			if err := os.Rename(l.path, l.path+".1"); err != nil {
				l.t.Fatal(err)
			}
			l.wants("one\n!")
			l.add("two\n")
			l.wants("one\n!|two\n")
		},
		"rotated, and the old one still in use": func(l *log) {
			old := &log{t: l.t, path: l.path + ".1"}
			if err := os.Rename(l.path, old.path); err != nil {
				l.t.Fatal(err)
			}
			l.wants("one\n!")
			l.add("") // logrotate's "create"
			old.write(os.O_APPEND, "two\n")
			l.wants("one\n!two\n")
			old.write(os.O_APPEND, "three\n")
			l.add("four\n") // reopened
			l.wants("one\n!two\nthree\n|four\n")
			old.write(os.O_APPEND, "late\nha")
			l.wants("one\n!two\nthree\n|four\nlate\n")
			l.add("fi")
			l.wants("one\n!two\nthree\n|four\nlate\nfi")
			old.write(os.O_APPEND, "lf\n") // is no part of that line
			l.add("v")
			l.wants("one\n!two\nthree\n|four\nlate\nfiv")
			l.add("e\n")
			l.wants("one\n!two\nthree\n|four\nlate\nfive\nhalf\n")
		},
		"deleted and made again": func(l *log) {
			if err := os.Remove(l.path); err != nil {
				l.t.Fatal(err)
			}
			l.wants("one\n!")
			l.add("two\n")
			l.wants("one\n!|two\n")
		},
		"hole after a truncation": func(l *log) {
			f, err := os.OpenFile(l.path, os.O_WRONLY, 0)
			if err != nil {
				l.t.Fatal(err)
			}
			defer f.Close()
			if err := os.Truncate(l.path, 0); err != nil {
				l.t.Fatal(err)
			}
			l.wants("one\n|")
			if _, err := f.WriteAt([]byte("two\n"), 3*256<<10); err != nil {
				l.t.Fatal(err)
			}
			l.wants("one\n|two\n")
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			os.Remove(path)
			l := &log{t: t, path: path}
			l.add("one\n")
			l = follow(t, path, 0)
			l.wants("one\n")
			test(l)
		})
	}
}

func TestFollowWaitsForTheFile(t *testing.T) {
	l := follow(t, filepath.Join(t.TempDir(), "log"), 0)
	l.add("one\n")
	l.wants("one\n")
}

func TestFollowFromOffset(t *testing.T) {
	l := &log{t: t, path: filepath.Join(t.TempDir(), "log")}
	l.add("old\n")
	l = follow(t, l.path, 4)
	l.add("new\n")
	l.wants("new\n")
}

// A log that is shorter than what was read of it began anew meanwhile.
func TestFollowFromBehindTheEnd(t *testing.T) {
	l := &log{t: t, path: filepath.Join(t.TempDir(), "log")}
	l.add("new\n")
	l = follow(t, l.path, 8)
	l.wants("|new\n")
}

func TestFollowMissesNothingOfABurst(t *testing.T) {
	l := follow(t, filepath.Join(t.TempDir(), "log"), 0)
	var all strings.Builder
	for i := range 20_000 {
		line := fmt.Sprintf("line %d\n", i)
		all.WriteString(line)
		l.add(line)
	}
	l.wants(all.String())
}

// A log is rotated time and again while nobody reads: those that were never at
// the path when somebody looked are read by their new names, each once.
func TestFollowRotatedUnseen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := &log{t: t, path: path}
	l.add("0\n")
	l = followBy(t, path, 0, logfile.FollowWithoutPoll, make(chan logfile.Event))
	l.wants("0\n")
	l.add("1\n") // nobody takes it: the reader waits
	for n := 2; n < 6; n++ {
		if err := os.Rename(path, fmt.Sprintf("%s.%d", path, n)); err != nil {
			t.Fatal(err)
		}
		l.add(fmt.Sprintf("%d\n", n))
	}
	l.add("6\n")
	read := make(map[byte]int)
	for late := time.After(patience); len(read) < 6; {
		select {
		case e := <-l.events:
			for _, line := range bytes.Fields(e.Data) {
				read[line[0]]++
			}
		case <-late:
			t.Fatalf("read were %v", read)
		}
	}
	for line, n := range read {
		if n != 1 {
			t.Errorf("%c was read %d times", line, n)
		}
	}
}

// A log that is moved elsewhere is no file that comes up in its directory next.
func TestFollowMovedElsewhere(t *testing.T) {
	for what, comes := range map[string]func(path string) error{
		"a file":             func(path string) error { return os.WriteFile(path+"x", []byte("foreign\n"), 0o600) },
		"a directory":        func(path string) error { return os.Mkdir(path+".1", 0o700) },
		"a named pipe":       func(path string) error { return syscall.Mkfifo(path+".1", 0o600) },
		"a link to a device": func(path string) error { return os.Symlink("/dev/zero", path+".1") },
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			l := &log{t: t, path: path}
			l.add("1\n")
			l = followBy(t, path, 0, logfile.FollowWithoutPoll, make(chan logfile.Event, 1024))
			l.wants("1\n")
			if err := os.Rename(path, filepath.Join(t.TempDir(), "log")); err != nil {
				t.Fatal(err)
			}
			l.wants("1\n!")
			other := path
			if what == "a file" {
				other = filepath.Join(filepath.Dir(path), "else")
			}
			if err := comes(other); err != nil {
				t.Fatal(err)
			}
			l.add("2\n")
			l.wants("1\n!|2\n")
			l.add("3\n")
			l.wants("1\n!|2\n3\n")
		})
	}
}

// More happens in the log's directory than the kernel's queue holds while nobody
// reads: what it drops is read all the same, and what comes later is heard of.
func TestFollowAfterAnOverflow(t *testing.T) {
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		t.Fatal(err)
	}
	queue, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	l := &log{t: t, path: filepath.Join(t.TempDir(), "log")}
	l.add("one\n")
	others := [2]string{write(t, l.path+".a", ""), write(t, l.path+".b", "")} // the same event twice is told once
	l = followBy(t, l.path, 0, logfile.FollowWithoutPoll, make(chan logfile.Event))
	const read = 8192 // more than fsnotify takes before it waits
	for n := range queue + read {
		if err := os.Chmod(others[n%2], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.wants("one\n")
	l.add("two\n") // may be seen by the read that follows the first one
	l.wants("one\ntwo\n")
	l.add("three\n")
	l.wants("one\ntwo\nthree\n")
}

func TestFollowWithoutDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "log")
	err := logfile.Follow(context.Background(), path, 0, func(logfile.Event) {})
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Follow = %v, want an error that names %s", err, path)
	}
}
