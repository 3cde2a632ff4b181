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
	begun   bool
	high    uint64 // the highest since dnsmasq started
	missing uint64
	main    uint32 // dnsmasq's process
	run     uint64 // how many up to high are those of another process
	late    int    // queries in a row that came after higher ones
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

func (s *serials) see(t *Tally) {
	if t.serial == s.high {
		return
	}
	if !s.begun {
		if t.kind != Query {
			return // of a query before the log's first line
		}
		s.begun, s.high, s.main = true, t.serial, t.process
		return
	}
	if t.serial < s.high {
		s.before(t)
		return
	}
	left := t.serial - s.high - 1
	if s.late = 0; left > 0 {
		s.missing += s.lost(left, t.process)
		s.run = 0
	}
	if s.high = t.serial; t.process != s.main {
		s.run++
	} else {
		s.run = 0
	}
}

// before takes a serial that comes after a higher one. A query's is that of a
// TCP connection, which has 100 of them at most, or dnsmasq was started again.
func (s *serials) before(t *Tally) {
	if t.kind != Query {
		return
	}
	if s.late++; t.serial == 1 || s.late > perConnection {
		s.restart(t.process)
		s.high = t.serial
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
