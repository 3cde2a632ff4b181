package cgroup

import (
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"lxd-allowlist/capture/witness"
)

// Bounds of what is remembered of queries to a resolver within the instance:
// how many questions, how many askers of one, and how long clients wait.
const (
	mostAsked  = 4096
	mostAskers = 64
	askLasts   = 30 * time.Second
)

// stubs joins what resolvers within the instance ask to those who asked them:
// the first who has no answer yet.
type stubs struct {
	asked recent[question, []*witness.Query]
	// passed are those whose question was asked on.
	passed recent[*witness.Query, bool]
}

type question struct{ name, qtype string }

func newStubs() *stubs {
	s := &stubs{}
	s.asked.size, s.passed.size = mostAsked, mostAsked
	return s
}

func questionOf(q witness.Query) question { return question{q.Name, q.Type} }

// ask takes in a query to a resolver within the instance.
func (s *stubs) ask(q witness.Query) {
	k := questionOf(q)
	askers := s.waiting(k, q.At)
	if len(askers) == mostAskers {
		askers = askers[1:]
	}
	s.asked.put(k, append(askers, &q))
}

// waiting returns the queries that have no answer yet, the oldest first.
func (s *stubs) waiting(k question, at time.Time) []*witness.Query {
	askers, _ := s.asked.get(k)
	for len(askers) > 0 && at.Sub(askers[0].At) > askLasts {
		askers = askers[1:]
	}
	return askers
}

// behalf returns for whom a process asks: itself, unless it serves who asked
// the same before.
func (s *stubs) behalf(q witness.Query, serves func(*witness.Process) bool) *witness.Process {
	for _, asker := range s.waiting(questionOf(q), q.At) {
		if asker.Process == q.Process {
			continue
		}
		if !serves(q.Process) {
			return q.Process
		}
		s.passed.put(asker, true)
		return asker.Process
	}
	return q.Process
}

// answered returns the query that an answer to it ends, if nobody asked on for
// it: the resolver knew the answer, or asks by ways that aren't seen. One that
// was sent again meanwhile is the same.
func (s *stubs) answered(k question, to netip.AddrPort, at time.Time) (q witness.Query, known bool) {
	var rest []*witness.Query
	passed := false
	for _, asker := range s.waiting(k, at) {
		if asker.From != to {
			rest = append(rest, asker)
			continue
		}
		if q.At.IsZero() {
			q = *asker
		}
		asked, _ := s.passed.get(asker)
		passed = passed || asked
		s.passed.drop(asker)
	}
	if len(rest) > 0 {
		s.asked.put(k, rest)
	} else {
		s.asked.drop(k)
	}
	return q, !passed && !q.At.IsZero()
}

// serves reports whether a process answers queries within the instance: it did,
// or it holds a socket of port 53.
func (p *processes) serves(w *witness.Process) bool {
	if w == nil {
		return false
	}
	if known, _ := p.server.get(w); known {
		return true
	}
	// The kernel's table may leave one out while others come and go.
	const tries = 3
	for range tries {
		if holds53("/proc/" + strconv.Itoa(w.Host)) {
			p.answers(w)
			return true
		}
	}
	return false
}

// answers notes that a process answers queries.
func (p *processes) answers(w *witness.Process) {
	if w != nil {
		p.server.put(w, true)
	}
}

// holds53 reports whether the process of a directory below /proc has a socket
// that is bound to port 53.
func holds53(dir string) bool {
	sockets := make(map[string]bool)
	for _, table := range []string{"udp", "udp6", "tcp", "tcp6"} {
		b, _ := os.ReadFile(dir + "/net/" + table) // no IPv6, no table of it
		for line := range strings.Lines(string(b)) {
			// "sl local_address rem_address st … inode"
			const local, inode = 1, 9
			fields := strings.Fields(line)
			if len(fields) > inode && strings.HasSuffix(fields[local], ":0035") {
				sockets["socket:["+fields[inode]+"]"] = true
			}
		}
	}
	open, _ := filepath.Glob(dir + "/fd/*")
	for _, fd := range open {
		if to, err := os.Readlink(fd); err == nil && sockets[to] {
			return true
		}
	}
	return false
}
