package session_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
)

// sample is the journal of a session in which everything happened.
func sample(t *testing.T, dir string, seed uint64) (name string, journal []byte) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 6))
	s, name := create(t)
	for range 3 {
		for range 40 {
			act(rng, s.Ledger)
		}
		s.Ledger.SetOwners(map[string]string{"10.0.0.1": "dnstest"})
		end(t, s)
		s = resume(t, name)
	}
	end(t, s)
	journal, err := os.ReadFile(filepath.Join(dir, name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return name, journal
}

// reread makes data the journal of a session and returns what is read of it,
// and how many lines were lost.
func reread(t *testing.T, dir, name string, data []byte) (all string, lost uint64) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name+".jsonl"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := session.Load(name)
	if err != nil {
		t.Fatalf("%v; the journal is\n%q", err, data)
	}
	l.Read(func(r capture.Reader) { lost = r.Counts().Damaged })
	return state(t, l), lost
}

// without returns a journal without the lines of which a byte from begin to
// end is part, and how many those are. A newline alone is no part of a line,
// and a line that is whole in what is left damaged all the same, since what is
// gone ends or begins like it, is not gone.
func without(journal []byte, begin, end int, damaged []byte) (left []byte, gone uint64) {
	at := 0
	for line := range bytes.Lines(journal) {
		text := at + len(bytes.TrimSuffix(line, []byte("\n")))
		if at < end && text > begin && (at == 0 || !bytes.Contains(damaged, journal[at:text])) {
			gone++
		} else {
			left = append(left, line...)
		}
		at += len(line)
	}
	return left, gone
}

// Whatever becomes of bytes of a journal, all that was written before and
// behind them is read, and what is lost is counted.
func TestDamage(t *testing.T) {
	kinds := map[string]struct {
		tries  int
		damage func(*rand.Rand, []byte) (damaged []byte, begin, end int)
	}{
		"a flipped bit": {200, func(rng *rand.Rand, j []byte) ([]byte, int, int) {
			at := rng.IntN(len(j))
			j[at] ^= 1 << rng.IntN(8)
			return j, at, at + 1
		}},
		"a flipped bit of a newline": {100, func(rng *rand.Rand, j []byte) ([]byte, int, int) {
			at := bytes.IndexByte(j[rng.IntN(len(j)):], '\n')
			at += bytes.LastIndexByte(j[:len(j)-1-at], '\n') // some newline
			if at = max(at, 0); j[at] != '\n' {
				at = bytes.IndexByte(j, '\n')
			}
			j[at] ^= 1 << rng.IntN(8)
			return j, at, at + 1
		}},
		"zeroes": {40, func(rng *rand.Rand, j []byte) ([]byte, int, int) {
			begin := rng.IntN(len(j))
			end := min(len(j), begin+rng.IntN(4096)+1)
			clear(j[begin:end])
			return j, begin, end
		}},
		"a missing chunk": {100, func(rng *rand.Rand, j []byte) ([]byte, int, int) {
			begin := rng.IntN(len(j))
			end := min(len(j), begin+rng.IntN(900)+1)
			return append(j[:begin:begin], j[end:]...), begin, end
		}},
		"missing lines": {40, func(rng *rand.Rand, j []byte) ([]byte, int, int) {
			begin := bytes.IndexByte(j[:rng.IntN(len(j))+1], '\n') + 1
			end := begin + bytes.IndexByte(j[begin:], '\n') + 1
			return append(j[:begin:begin], j[end:]...), begin, end - 1
		}},
		"a chunk of something else": {40, func(rng *rand.Rand, j []byte) ([]byte, int, int) {
			begin := rng.IntN(len(j))
			end := min(len(j), begin+rng.IntN(900)+1)
			for i := begin; i < end; i++ {
				j[i] = byte(rng.Uint32())
			}
			return j, begin, end
		}},
		"a cut": {200, func(rng *rand.Rand, j []byte) ([]byte, int, int) {
			at := rng.IntN(len(j)-1) + 1
			return j[:at], at, len(j)
		}},
	}
	for kind, k := range kinds {
		t.Run(kind, func(t *testing.T) {
			dir := stateHome(t)
			name, journal := sample(t, dir, 1)
			whole, lost := reread(t, dir, name, journal)
			if lost != 0 {
				t.Fatalf("of a whole journal, %d lines are lost", lost)
			}
			rng := rand.New(rand.NewPCG(2, 7))
			for try := range k.tries {
				damaged, begin, end := k.damage(rng, bytes.Clone(journal))
				left, gone := without(journal, begin, end, damaged)
				if len(bytes.TrimSpace(left)) == 0 {
					continue // nothing is left to be read
				}
				want, _ := reread(t, dir, name, left)
				got, lost := reread(t, dir, name, damaged)
				if got != want {
					t.Fatalf("try %d, damaged from %d to %d: got %s\nwant %s\nof\n%s", try, begin, end, got, want, journal)
				}
				last := damaged[bytes.LastIndexByte(bytes.TrimSpace(damaged), '\n')+1:]
				older := bytes.Contains(last, []byte(`{"closed"`)) // nobody could tell it from one that was not cut
				if gone == 0 && lost != 0 || gone > 0 && lost == 0 && got != whole && !older && !killed(t) {
					t.Fatalf("try %d, damaged from %d to %d: %d lines are gone and %d counted as lost", try, begin, end, gone, lost)
				}
				if begin < bytes.IndexByte(journal, '\n') {
					gone-- // the first line has no checksum; the second one tells the same
				}
				if end < len(journal)-300 && lost < gone { // what is behind the last line nobody counts
					t.Fatalf("try %d, damaged from %d to %d: %d lines are gone and %d counted as lost", try, begin, end, gone, lost)
				}
				if try%4 == 0 {
					goOn(t, name, got, lost)
				}
			}
		})
	}
}

// killed reports whether the list says that its only session has no end.
func killed(t *testing.T) bool {
	t.Helper()
	all, err := session.List()
	if err != nil || len(all) != 1 || all[0].Err != nil {
		t.Fatalf("List = %+v, %v", all, err)
	}
	return all[0].Killed
}

// goOn goes on with a damaged session: what it has stays, what comes is added,
// and what was lost is told again.
func goOn(t *testing.T, name, had string, lost uint64) {
	t.Helper()
	s := resume(t, name)
	if got := state(t, s.Ledger); got != had {
		t.Fatalf("resumed, it has %s\nwant %s", got, had)
	}
	feed(s.Ledger, "query[A] later.example from 10.0.0.5")
	end(t, s)
	l, err := session.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	l.Read(func(r capture.Reader) {
		if _, ok := r.Lookup("later.example"); !ok || r.Counts().Damaged != lost {
			t.Fatalf("after going on, what came is there: %v; %d lines are lost, want %d", ok, r.Counts().Damaged, lost)
		}
	})
}

// A decision that was taken back stays so when any other line is lost.
func TestUndoneStaysUndone(t *testing.T) {
	dir := stateHome(t)
	s, name := create(t)
	feed(s.Ledger, "query[A] a.example from 10.0.0.5", "query[A] b.example from 10.0.0.5", "query[A] c.example from 10.0.0.5")
	s.Ledger.Decide(capture.Drop, 0)
	s.Ledger.Undo()
	s.Ledger.Decide(capture.Drop, 1)
	s.Ledger.Undo()
	s.Ledger.Redo()
	s.Ledger.Decide(capture.Drop, 2)
	s.Ledger.Undo()
	s.Ledger.Decide(capture.Keep, 2)
	end(t, s)
	journal, err := os.ReadFile(filepath.Join(dir, name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	marks := map[string]capture.Decision{"a.example": capture.New, "b.example": capture.Drop, "c.example": capture.Keep}
	lines := bytes.SplitAfter(journal, []byte("\n"))
	for i, line := range lines {
		if !bytes.Contains(line, []byte(`"n":`)) {
			continue
		}
		reread(t, dir, name, bytes.Join(append(lines[:i:i], lines[i+1:]...), nil))
		l, err := session.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		l.Read(func(r capture.Reader) {
			for of, want := range marks {
				id, _ := r.Lookup(of)
				got := r.Domain(id).Mark.Decision
				if got != want && !strings.Contains(string(line), of) {
					t.Errorf("without %s%s is %v, want %v", line, of, got, want)
				}
			}
		})
	}
}

// A journal of format 1, as the first programs wrote it, is read, damaged too,
// and gone on with.
func TestFormat1(t *testing.T) {
	const journal = `{"format":1,"info":{"session":"old","started":"2026-11-24T12:00:00Z","instance":"dnstest"}}
{"domain":{"name":"a.example","queries":2,"first":"2026-11-24T12:00:00Z","last":"2026-11-24T12:00:01Z","types":{"A":2},"clients":["10.0.0.5"]}}
{"mark":{"decision":"drop","names":["a.example"],"at":"2026-11-24T12:00:02Z"}}
{"step":"undo"}
{"mark":{"decision":"keep","reason":"ticket 4711","names":["a.example"],"at":"2026-11-24T12:00:03Z"}}
{"mark":{"decision":"drop","group":"b.example","at":"2026-11-24T12:00:04Z"}}
{"owner":{"Address":"10.0.0.5","Owner":"dnstest"}}
{"counts":{"lines":5,"queries":2}}
`
	dir := stateHome(t)
	_ = os.MkdirAll(dir, 0o700)
	all, lost := reread(t, dir, "old", []byte(journal))
	if lost != 0 || killed(t) {
		t.Errorf("%d lines are lost, or it is said that it was killed", lost)
	}
	s := resume(t, "old")
	s.Ledger.Read(func(r capture.Reader) {
		id, _ := r.Lookup("a.example")
		if d := r.Domain(id); d.Queries != 2 || d.Mark != (capture.Mark{Decision: capture.Keep, Reason: "ticket 4711"}) ||
			r.Group("b.example").Decision != capture.Drop || r.Owners(d)[0] != "dnstest" || r.Counts().Lines != 5 {
			t.Errorf("read was %s", all)
		}
	})
	if what := s.Ledger.Undo(); what != "drop all of b.example" {
		t.Errorf("undid %q", what)
	}
	s.Ledger.Decide(capture.Drop, 0)
	want := state(t, s.Ledger)
	end(t, s)
	again := resume(t, "old")
	if got := state(t, again.Ledger); got != want {
		t.Errorf("gone on with, it has %s\nwant %s", got, want)
	}
	for _, step := range []string{"drop a.example (ticket 4711)", "keep a.example (ticket 4711)", ""} {
		if what := again.Ledger.Undo(); what != step {
			t.Errorf("then undid %q, want %q", what, step)
		}
	}
	end(t, again)
	for i, line := range strings.SplitAfter(strings.TrimSpace(journal), "\n") {
		damaged := strings.Replace(journal, line, "{\x00"+line, 1)
		if _, lost := reread(t, dir, "old", []byte(damaged)); lost != 1 {
			t.Errorf("with line %d damaged, %d lines are lost, want 1", i+1, lost)
		}
	}
}

// What no session's journal is, is none, however it looks.
func TestNoJournal(t *testing.T) {
	dir := stateHome(t)
	_ = os.MkdirAll(dir, 0o700)
	for text, want := range map[string]string{
		"": "is empty", "\x00\x00\x00": "nothing in it", "{\"level\":\"info\",\"msg\":\"hello\"}\n": "nothing in it",
		`{"format":3,"info":{"session":"x"}}` + "\n": "newer format, 3",
	} {
		if err := os.WriteFile(filepath.Join(dir, "x.jsonl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := session.Load("x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if all, err := session.List(); err != nil || len(all) != 1 || all[0].Err == nil {
			t.Errorf("%q: List = %+v, %v, want one that can't be read", text, all, err)
		}
	}
}
