package logfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/logfile"
	"lxd-allowlist/capture/session"
)

const twoQueries = "dnsmasq[1]: query[A] a.example from 10.0.0.5\ndnsmasq[1]: query[A] b.example from 10.0.0.5" // without a newline at the end

func home(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
}

func open(t *testing.T, source string, follow bool) *logfile.Reading {
	t.Helper()
	r, err := logfile.Open(context.Background(), "test", []string{source}, capture.Only{}, follow)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// names returns the domains of a ledger, in the order of first sight.
func names(l *capture.Ledger) (all []string) {
	l.Read(func(r capture.Reader) {
		for id := range r.Len() {
			all = append(all, r.Name(capture.ID(id)))
		}
	})
	return all
}

func awaitNames(t *testing.T, l *capture.Ledger, want string) {
	t.Helper()
	late := time.After(patience)
	for strings.Join(names(l), " ") != want {
		select {
		case <-l.Wake():
		case <-late:
			t.Fatalf("read was %q, want %s", names(l), want)
		}
	}
}

func TestOpenLog(t *testing.T) {
	home(t)
	path := write(t, filepath.Join(t.TempDir(), "log"), twoQueries)
	r := open(t, path, false)
	if r.Growing || r.Title != path {
		t.Errorf("a file that is read to its end is titled %q, growing: %v", r.Title, r.Growing)
	}
	awaitNames(t, r.Ledger, "a.example b.example")
}

func TestOpenFollows(t *testing.T) {
	home(t)
	path := write(t, filepath.Join(t.TempDir(), "log"), twoQueries)
	r := open(t, path, true)
	if !r.Growing {
		t.Error("what is followed is not said to grow")
	}
	awaitNames(t, r.Ledger, "a.example")
	write(t, path, twoQueries+"\ndnsmasq[1]: query[A] c.example from 10.0.0.5\n")
	awaitNames(t, r.Ledger, "a.example b.example c.example")
}

// Standard input comes to an end and is not followed behind it.
func TestOpenStdin(t *testing.T) {
	home(t)
	in, err := os.Open(write(t, filepath.Join(t.TempDir(), "log"), twoQueries))
	if err != nil {
		t.Fatal(err)
	}
	defer func(was *os.File) { os.Stdin = was }(os.Stdin)
	os.Stdin = in
	r := open(t, "-", true)
	if r.Growing || r.Title != "stdin" {
		t.Errorf("standard input is titled %q, growing: %v", r.Title, r.Growing)
	}
	awaitNames(t, r.Ledger, "a.example b.example")
}

// A session is not followed, and what of it is damaged is said.
func TestOpenSession(t *testing.T) {
	home(t)
	first := open(t, write(t, filepath.Join(t.TempDir(), "log"), twoQueries), false)
	awaitNames(t, first.Ledger, "a.example b.example")
	if _, err := first.Ledger.Decide(capture.Keep, 0); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := session.List()
	if err != nil || len(all) != 1 {
		t.Fatalf("List = %v, %v, want one", all, err)
	}
	journal, err := os.ReadFile(all[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, all[0].Path, string(bytes.ReplaceAll(journal, []byte(`"a.example"`), []byte(`"A.example"`))))
	r := open(t, all[0].Info.Session, true)
	if r.Growing || r.Progress() != 1 {
		t.Errorf("a session is growing: %v, read: %v", r.Growing, r.Progress())
	}
	if got := names(r.Ledger); len(got) != 1 || got[0] != "b.example" {
		t.Errorf("read was %q, want b.example", got)
	}
	r.Ledger.Read(func(l capture.Reader) {
		if doubts := l.Doubts(); len(doubts) != 1 || !strings.Contains(doubts[0], "journal is damaged") {
			t.Errorf("the doubts are %q", doubts)
		}
	})
}

// A look at a killed session, at a part of it too, leaves it killed.
func TestOpenLeavesASessionKilled(t *testing.T) {
	home(t)
	s, err := session.Create(capture.Info{Instance: "x"})
	if err != nil {
		t.Fatal(err)
	}
	s.Ledger.Feed([]byte(twoQueries+"\n"), time.Now(), false)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := session.List()
	if err != nil || len(all) != 1 {
		t.Fatalf("List = %v, %v, want one", all, err)
	}
	journal, err := os.ReadFile(all[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, all[0].Path, string(journal[:len(journal)-5]))
	r, err := logfile.Open(context.Background(), "test", []string{all[0].Info.Session}, capture.Only{From: "10.0.0.5"}, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if all, err = session.List(); err != nil || len(all) != 1 || !all[0].Killed {
		t.Errorf("List = %+v, %v, want one that was killed", all, err)
	}
}

func TestLoad(t *testing.T) {
	home(t)
	dir := t.TempDir()
	l, err := logfile.Load(context.Background(), "test", []string{write(t, filepath.Join(dir, "log"), twoQueries)}, capture.Only{})
	if err != nil || strings.Join(names(l), " ") != "a.example b.example" {
		t.Errorf("Load = %q, %v", names(l), err)
	}
	for source, want := range map[string]string{
		filepath.Join(dir, "none"): "no such log and no such session",
		dir:                        "is a directory",
		write(t, filepath.Join(dir, "other"), "hello\nworld\n"): "no query in its 2 lines",
	} {
		if _, err := logfile.Load(context.Background(), "test", []string{source}, capture.Only{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
}

// A log of which only some is wanted has it on a list without evidence, too, which
// depends on who asked then.
func TestLoadBare(t *testing.T) {
	home(t)
	path := write(t, filepath.Join(t.TempDir(), "log"), twoQueries)
	for _, only := range []capture.Only{{}, {From: "10.0.0.5"}} {
		l, err := logfile.LoadBare(context.Background(), "test", []string{path}, only)
		if err != nil {
			t.Fatal(err)
		}
		for _, all := range []bool{false, true} {
			if rules := l.BareList(all).Rules; len(rules) != 2 {
				t.Errorf("%+v: the list is %+v", only, rules)
			}
		}
	}
}

// A rotated log is read from its oldest file on, whatever the order in which a
// shell names them, and different logs as they are named.
func TestSeveralLogs(t *testing.T) {
	home(t)
	dir := t.TempDir()
	names := []string{"dnsmasq.log", "dnsmasq.log.1", "dnsmasq.log.10", "dnsmasq.log.2", "other.log", "other.log-20261101", "other.log-20261108"}
	var paths []string
	for i, name := range names {
		paths = append(paths, write(t, filepath.Join(dir, name), fmt.Sprintf("dnsmasq[1]: query[A] n%d.example from 192.0.2.5", i))) // no newline at the end
	}
	l, err := logfile.Load(context.Background(), "test", paths, capture.Only{})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	l.Read(func(r capture.Reader) {
		for id := range r.Len() {
			order = append(order, strings.TrimSuffix(r.Name(capture.ID(id)), ".example"))
		}
	})
	if got := strings.Join(order, " "); got != "n2 n3 n1 n0 n5 n6 n4" {
		t.Errorf("they were read in the order %s", got)
	}
	s, err := session.Create(capture.Info{Instance: "x"})
	if err != nil {
		t.Fatal(err)
	}
	var name string
	s.Ledger.Read(func(r capture.Reader) { name = r.Info().Session })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := logfile.Load(context.Background(), "test", []string{paths[0], name}, capture.Only{}); err == nil || !strings.Contains(err.Error(), "name it alone") {
		t.Errorf("a session beside a log: %v", err)
	}
}

// Nobody may ever write to a pipe: to wait for that ends with the context.
func TestPipeWithoutAWriter(t *testing.T) {
	home(t)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := logfile.Load(ctx, "test", []string{pipe}, capture.Only{})
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	// Somebody opens it, and writes nothing.
	ctx, cancel = context.WithCancel(context.Background())
	go func() {
		_, err := logfile.Load(ctx, "test", []string{pipe}, capture.Only{})
		done <- err
	}()
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("with a silent writer it ended with %v", err)
	}
}

// A log that nobody decided on leaves no session behind; what can't be read
// again and what was decided on does.
func TestLogThatIsLookedAtOnly(t *testing.T) {
	for name, test := range map[string]struct {
		act    func(*logfile.Reading)
		stdin  bool
		follow bool
		kept   bool
	}{
		"a log":               {},
		"a log that grows":    {follow: true},
		"a pipe":              {stdin: true, kept: true},
		"one decision":        {act: func(r *logfile.Reading) { r.Ledger.Decide(capture.Keep, 0) }, kept: true},
		"one that was undone": {act: func(r *logfile.Reading) { r.Ledger.Decide(capture.Keep, 0); r.Ledger.Undo() }, kept: true},
		"a group":             {act: func(r *logfile.Reading) { r.Ledger.DecideGroup(capture.Drop, "example") }, kept: true, follow: true},
		"a trust":             {act: func(r *logfile.Reading) { r.Ledger.SetTrust(capture.TrustIt) }, kept: true},
	} {
		home(t)
		path := write(t, filepath.Join(t.TempDir(), "log"), twoQueries+"\n")
		if test.stdin {
			in, out, err := os.Pipe()
			if err == nil {
				_, err = out.WriteString(twoQueries)
			}
			if err != nil {
				t.Fatal(err)
			}
			out.Close()
			was := os.Stdin
			os.Stdin, path = in, "-"
			defer func() { os.Stdin = was }()
		}
		r := open(t, path, test.follow)
		awaitNames(t, r.Ledger, "a.example b.example")
		if test.act != nil {
			test.act(r)
		}
		kept := r.Kept()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		all, err := session.List()
		if err != nil || kept != test.kept || kept != (len(all) == 1) {
			t.Errorf("%s: kept: %v, there are %d sessions, %v, want kept: %v", name, kept, len(all), err, test.kept)
		}
	}
}
