package parse

// serials finds the gaps in the serials that log-queries=extra gives to
// queries: dnsmasq counts them up one by one, and logs each at once.
//
// A TCP connection has a process of its own, which goes on counting from
// where dnsmasq was, while dnsmasq leaves out as many serials as the
// connection may have queries: 100, and from 2.92 on more that depend on its
// settings, 40 unless they were changed. So a process's serials may come late,
// and what it leaves unused is no loss.
type serials struct {
	begun       bool
	first, high uint64 // of the first query, and the highest since dnsmasq started
	missing     uint64
	main        uint32 // dnsmasq's process
	run         uint64 // how many up to high are those of another process
	late        int    // queries in a row that came after higher ones
}

const (
	// perConnection is how many serials a TCP connection takes.
	perConnection = 100
	// reserved is what divides all that one leaves out, and leastReserved the
	// least of it.
	reserved, leastReserved = 20, 40
	// unknownRun is how many queries a connection has at most where the log
	// doesn't tell processes apart.
	unknownRun = 3
)

func (s *serials) restart(process uint32) {
	s.begun, s.high, s.main, s.run, s.late = true, 0, process, 0, 0
}

func (s *serials) see(r *Record) {
	if r.Serial == s.high {
		return
	}
	if !s.begun {
		if r.Kind != Query {
			return // of a query before the log's first line
		}
		s.begun, s.first, s.high, s.main = true, r.Serial, r.Serial, r.process
		return
	}
	if r.Serial < s.high {
		s.before(r)
		return
	}
	left := r.Serial - s.high - 1
	if s.late = 0; left > 0 {
		s.missing += s.lost(left, r.process)
		s.run = 0
	}
	if s.high == 0 && s.first == 0 {
		s.first = r.Serial
	}
	if s.high = r.Serial; r.process != s.main {
		s.run++
	} else {
		s.run = 0
	}
}

// before takes a serial that comes after a higher one. A query's is that of a
// TCP connection, which has 100 of them at most, or dnsmasq was started again.
func (s *serials) before(r *Record) {
	if r.Kind != Query {
		return
	}
	if s.late++; r.Serial == 1 || s.late > perConnection {
		s.restart(r.process)
		s.high = r.Serial
	}
}

// lost returns how many of the serials that are left out were not left to TCP
// connections. Of more than those leave out, it may be too few.
func (s *serials) lost(left uint64, process uint32) uint64 {
	all := left + s.run
	switch {
	case all >= leastReserved && all%reserved == 0:
		return 0
	case process == 0 && left < perConnection && left >= perConnection-unknownRun:
		return 0
	case s.run > 0 && all > perConnection:
		return all % perConnection
	}
	return left
}

// add goes on with the serials of what follows.
func (s *serials) add(next *serials) {
	if !next.begun {
		return
	}
	missing := s.missing + next.missing
	if s.begun && next.first > s.high+1 {
		missing += s.lost(next.first-s.high-1, next.main)
	}
	first := s.first
	if !s.begun {
		first = next.first
	}
	*s = *next
	s.first, s.missing = first, missing
}
