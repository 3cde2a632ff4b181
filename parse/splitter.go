package parse

import "bytes"

// maxLine is how much of a line is kept. dnsmasq's own have at most 1023
// bytes, and what those who pass them on add, such as all that a cluster knows
// of a container, has some thousand.
const maxLine = 64 << 10

// Splitter cuts a log into lines, however its bytes come in. It holds what is
// there of the last line until its end comes, and no more than 64 KiB of it: of
// a longer line just the beginning is seen, which Record.Parse finds to be
// [Cut] if it is dnsmasq's. Its zero value is ready for use.
type Splitter struct {
	tail []byte // the unfinished line's beginning, at most maxLine bytes
	long bool   // the unfinished line goes on beyond that
}

// Feed calls line for each line that ends within p, without the NULs before it
// and its "\n" or "\r\n". The slice is mostly a part of p and lasts for the
// call only.
func (s *Splitter) Feed(p []byte, line func([]byte)) {
	s.FeedBut(p, func([]byte) int { return 0 }, line)
}

// FeedBut is Feed that leaves out lines which others read: where one begins
// within p, whole is handed all that follows and returns how much of it, in
// whole lines, it has read.
func (s *Splitter) FeedBut(p []byte, whole func([]byte) int, line func([]byte)) {
	if len(s.tail) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			s.hold(p)
			return
		}
		s.hold(p[:end])
		s.Flush(line)
		p = p[end+1:]
	}
	for {
		p = p[whole(p):]
		p = afterHole(p)
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			s.hold(p)
			return
		}
		if end > maxLine {
			line(p[:maxLine])
		} else {
			line(chomp(p[:end]))
		}
		p = p[end+1:]
	}
}

// afterHole returns what follows the NULs that a log begins with that was
// truncated while somebody wrote to it: they may be more than fit into a line.
func afterHole(p []byte) []byte {
	if len(p) > 0 && p[0] == 0 {
		return bytes.TrimLeft(p, "\x00")
	}
	return p
}

func (s *Splitter) hold(p []byte) {
	if len(s.tail) == 0 {
		p = afterHole(p)
	}
	if room := maxLine - len(s.tail); len(p) > room {
		s.long = true
		p = p[:room]
	}
	s.tail = append(s.tail, p...)
}

// Flush calls line for an unfinished line, if there is one: the log is at its
// end.
func (s *Splitter) Flush(line func([]byte)) {
	if len(s.tail) == 0 {
		return
	}
	tail := s.tail
	if !s.long {
		tail = chomp(tail)
	}
	line(tail)
	s.Reset()
}

// Unfinished reports whether there is an unfinished line.
func (s *Splitter) Unfinished() bool { return len(s.tail) > 0 }

// Reset forgets an unfinished line: what follows is another log.
func (s *Splitter) Reset() {
	s.tail, s.long = s.tail[:0], false
}

func chomp(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}
