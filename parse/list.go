package parse

import "bytes"

// Listed is a line of a list of names: one name, or one with all below it, as
// "*.a.example" and ".a.example" are. A line of a hosts file has several.
type Listed struct {
	Names []string // normalised and clean
	Below bool     // what is below the name is meant too; the name itself, but for "*.a.example"
	Star  bool     // the line begins with "*."
}

// ReadListed reads a line of a list of names. blank is true for one without
// anything but a comment, which begins with "#", ";", "!" or "//". ok is
// false for what is neither: the line has a word that is no name, or none that a
// list can hold, which l then has alone, as it stands there; or it has several
// words and is no hosts file's, and l none.
func ReadListed(line []byte) (l Listed, blank, ok bool) {
	fields := bytes.Fields(withoutComment(line))
	if len(fields) == 0 {
		return l, true, true
	}
	if len(fields) > 1 {
		if !isZoned(fields[0]) {
			return Listed{}, false, false
		}
		fields = fields[1:]
	} else if rest, found := bytes.CutPrefix(fields[0], []byte("*.")); found {
		fields[0], l.Below, l.Star = rest, true, true
	} else if rest, found := bytes.CutPrefix(fields[0], []byte(".")); found {
		fields[0], l.Below = rest, true
	}
	for _, field := range fields {
		name := AppendName(nil, field)
		if !Clean(name) {
			return Listed{Names: []string{string(field)}}, false, false
		}
		l.Names = append(l.Names, string(name))
	}
	return l, false, true
}

// withoutComment cuts a comment off a line. Within a line it has a blank
// before it.
func withoutComment(line []byte) []byte {
	line = bytes.TrimPrefix(line, []byte("\uFEFF"))
	for at := range line {
		if at > 0 && !isBlank(line[at-1]) {
			continue
		}
		switch rest := line[at:]; {
		case rest[0] == '#', rest[0] == ';', rest[0] == '!', hasPrefix(rest, "//"):
			return line[:at]
		}
	}
	return line
}

// IsList reports whether a text is a list of names rather than a log: most of
// its lines are names, or addresses with names. A name has a dot in it here:
// any word could be one without.
func IsList(text []byte) bool {
	names, others := 0, 0
	for line := range bytes.Lines(text) {
		l, blank, ok := ReadListed(line)
		switch {
		case blank:
		case ok && (l.Below || bytes.IndexByte([]byte(l.Names[0]), '.') > 0):
			names++
		case ok && len(bytes.Fields(line)) > 1: // "127.0.0.1 localhost"
		default:
			others++
		}
	}
	return names > others
}
