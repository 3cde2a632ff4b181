package session_test

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export/rule"
)

// sealed gives lines the numbers and checksums that a journal's lines have.
func sealed(lines []byte) []byte {
	var all []byte
	n := 0
	for line := range bytes.Lines(lines) {
		if n++; n == 1 { // the first has neither
			all = append(all, line...)
			continue
		}
		text := fmt.Sprintf("%d %s", n-1, bytes.TrimSuffix(line, []byte("\n")))
		all = fmt.Appendf(all, "%08x %s\n", crc32.Checksum([]byte(text), crc32.MakeTable(crc32.Castagnoli)), text)
	}
	return all
}

// The journal that is fuzzed begins with fuzzedInfo; fuzzed has all other kinds
// of entry.
const (
	fuzzedInfo = `{"format":2,"info":{"session":"x","started":"2026-11-24T12:00:00Z","instance":"dnstest","domain":"lxd"}}` + "\n"
	fuzzed     = `{"domain":{"name":"a.example","queries":2,"first":"2026-11-24T12:00:00Z","last":"2026-11-24T12:00:01Z","types":{"A":1,"HTTPS":1},"clients":["10.0.0.5"],"addresses":["192.0.2.7","2001:db8::7"],"chain":["b.example"],"outcomes":1,"blocker":"x"}}
{"mark":{"n":1,"decision":"drop","reason":"ticket 4711","names":["a.example","b.example"],"at":"2026-11-24T12:00:02Z"}}
{"mark":{"n":2,"after":1,"decision":"keep","group":"example","suffix":true,"at":"2026-11-24T12:00:03Z"}}
{"address":{"n":3,"after":2,"decision":"keep","names":["192.0.2.7:443/tcp"],"at":"2026-11-24T12:00:03Z"}}
{"undo":{"n":4,"of":3}}
{"redo":{"n":5,"of":3}}
{"owner":{"Address":"10.0.0.5","Owner":"dnstest"}}
{"gap":{"from":"2026-11-24T12:00:04Z","to":"2026-11-24T12:00:05Z","why":"LXD was away"}}
{"exported":{"at":"2026-11-24T12:00:06Z","format":"plain","path":"allow.txt"}}
{"entered":{"at":"2026-11-24T12:00:06Z","text":"apt update"}}
{"witness":{"n":1,"process":{"comm":"https","exe":"/usr/bin/apt","user":"root","command":"apt update"}}}
{"witness":{"name":"a.example","seen":{"actors":[{"process":1,"queries":2}],"ports":[{"port":443,"protocol":"tcp","count":3}],"servers":[{"name":"b.example","count":1}]}}}
{"witness":{"bypass":{"kind":"bare","to":"192.0.2.9:443","protocol":"tcp","actors":[{"process":1,"connections":2}],"count":2,"first":"2026-11-24T12:00:00Z","last":"2026-11-24T12:00:01Z"}}}
{"witness":{"watch":{"on":3,"ever":3,"begun":"2026-11-24T12:00:00Z","lost":{"wire":2}}}}
{"trial":{"instance":"dnstest","command":["true"],"allowed":[".example"],"worked":true,"took":5,"at":"2026-11-24T12:00:06Z"}}
{"verified":{"verdict":"works with this list","level":"names","digest":"00","at":"2026-11-24T12:00:06Z"}}
{"counts":{"lines":5,"queries":2}}
{"step":"undo"}
{"closed":"2026-11-24T12:00:09Z"}
`
)

// Whatever a journal tells, with checksums or without: it is read or refused in
// one line, the same each time, and what came of it can be undone, redone and
// listed.
func FuzzJournal(f *testing.F) {
	dir := f.TempDir()
	f.Setenv("XDG_STATE_HOME", dir)
	f.Setenv("XDG_CONFIG_HOME", dir) // no rules
	f.Add([]byte(fuzzed))
	late := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, lines []byte) {
		lines = append([]byte(fuzzedInfo), lines...)
		for _, journal := range [][]byte{lines, sealed(lines)} {
			p, err := session.PlayFrom("x", bytes.NewReader(journal))
			if err != nil {
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("the error has more than one line: %q", err)
				}
				continue
			}
			begin, _ := p.Span()
			whole := state(t, p.To(late))
			p.To(begin)
			l := p.To(late)
			if again := state(t, l); again != whole {
				t.Errorf("played again it has %s\nand before it had %s", again, whole)
			}
			n := 0
			for l.Undo() != "" {
				n++
			}
			for range n {
				if l.Redo() == "" {
					t.Errorf("of %d steps that were undone not all are done again", n)
				}
			}
			l.Read(func(r capture.Reader) {
				for id := range capture.ID(r.Len()) {
					r.OnlyResolved(id)
					r.Programs(r.Witnessed(id).Actors)
					r.By(r.Name(id))
				}
				r.Bypasses()
			})
			compiled, _ := rule.Compile(l.List(true))
			for _, r := range compiled.Rules() {
				if problem := r.Problem(); problem != "" {
					t.Errorf("%q is listed, and %s", r.Name, problem)
				}
			}
		}
	})
}
