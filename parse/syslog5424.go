package parse

import "bytes"

// after5424 returns the header behind RFC 5424's version, "1 ", which may have
// a priority before it.
func after5424(b []byte) ([]byte, bool) {
	b = b[priorityLen(b):]
	if !hasPrefix(b, "1 ") {
		return nil, false
	}
	b = b[len("1 "):]
	if n := timeLen(b); n > 0 && b[n] == ' ' && isDigit(b[0]) || hasPrefix(b, "- ") {
		return b, true
	}
	return nil, false
}

// syslog5424 reads a header of RFC 5424: time, host, program, process, message
// ID, structured data; each may be "-".
func (w *wrapper) syslog5424(b []byte) maker {
	var fields [5][]byte
	for i := range fields {
		var ok bool
		if fields[i], b, ok = bytes.Cut(b, []byte(" ")); !ok {
			return unknown
		}
	}
	n := structuredLen(b)
	if n == 0 || n >= len(b) || b[n] != ' ' {
		return unknown
	}
	if stampLen(fields[0]) == len(fields[0]) {
		w.setTime(fields[0])
	}
	return w.from(fields[2], b[n+1:])
}

// structuredLen returns the length of the "-" or `[id name="value"]...` that b
// starts with.
func structuredLen(b []byte) int {
	if hasPrefix(b, "-") {
		return 1
	}
	n := 0
	for n < len(b) && b[n] == '[' {
		quoted := false
		for ; ; n++ {
			if n == len(b) {
				return 0
			}
			if c := b[n]; c == '"' {
				quoted = !quoted
			} else if c == '\\' && quoted {
				n++
			} else if c == ']' && !quoted {
				break
			}
			if n >= len(b) {
				return 0
			}
		}
		n++
	}
	return n
}
