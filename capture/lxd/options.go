package lxd

import (
	"slices"
	"strings"
)

// stderrFacility has dnsmasq log to the file that LXD keeps for each network.
// Unlike a path of our own it can't vanish, and with it the network.
const stderrFacility = "-"

// mark stands above our lines in raw.dnsmasq, and before what we put in front
// of a line that has to wait, so that both can be told from others'.
const mark = "# " + programName + ": "

// header is the comment above our lines.
const header = mark + "what follows is there while it watches, and goes with it"

// withLogging returns raw.dnsmasq with query logging to facility. Of what was
// there only log-facility has to wait, which dnsmasq accepts once; whatever
// else is repeated, the last one wins or they agree.
func withLogging(raw, facility string) string {
	var merged strings.Builder
	for line := range strings.Lines(raw) {
		if setsFacility(line) {
			merged.WriteString(mark)
		}
		merged.WriteString(line)
	}
	if raw != "" && !strings.HasSuffix(raw, "\n") {
		merged.WriteByte('\n')
	}
	return merged.String() + header + "\n" + strings.Join(logging(facility), "\n")
}

// logging is what withLogging adds below the header.
func logging(facility string) []string {
	return []string{"log-queries=extra", "log-facility=" + facility, "quiet-dhcp", "quiet-dhcp6"}
}

// withoutLogging returns what is left of a raw.dnsmasq that somebody changed
// while it had our options: every line but ours, as it is. A log-facility of
// the original that had to wait is back, unless they set one themselves.
func withoutLogging(changed, original, facility string) string {
	lines := slices.Collect(strings.Lines(changed))
	ours := ourLines(lines, original, facility)
	theirFacility := false
	for i, line := range lines {
		theirFacility = theirFacility || !ours[i] && setsFacility(line)
	}
	var theirs strings.Builder
	for i, line := range lines {
		waited, marked := strings.CutPrefix(line, mark)
		switch {
		case ours[i]:
		case !marked:
			theirs.WriteString(line)
		case setsFacility(waited) && !theirFacility:
			theirs.WriteString(waited)
		}
	}
	if n := len(lines); n > 0 && ours[n-1] && original != "" && !strings.HasSuffix(original, "\n") {
		return strings.TrimSuffix(theirs.String(), "\n")
	}
	return theirs.String()
}

// ourLines returns which lines are options of ours: those with our tag that hold
// names back, or those behind our header, or, where somebody took that out, those
// that the original doesn't have.
func ourLines(lines []string, original, facility string) map[int]bool {
	ours := map[int]bool{}
	is := func(text string) func(string) bool {
		return func(line string) bool { return strings.TrimRight(line, "\r\n") == text }
	}
	before := slices.Collect(strings.Lines(original))
	for i, line := range lines {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasSuffix(line, denyTag) && !slices.ContainsFunc(before, is(line)) {
			ours[i] = true
		}
	}
	if len(ours) > 0 {
		return ours
	}
	count := func(lines []string, text string) (n int) {
		for _, line := range lines {
			if is(text)(line) {
				n++
			}
		}
		return n
	}
	from := slices.IndexFunc(lines, is(header))
	for _, text := range logging(facility) {
		if from < 0 && count(lines, text) <= count(before, text) {
			continue
		}
		for i := len(lines) - 1; i > from; i-- {
			if is(text)(lines[i]) {
				ours[i] = true
				break
			}
		}
	}
	return ours
}

func setsFacility(line string) bool {
	name, _ := option(line)
	return name == "log-facility"
}

// stirred returns a raw.dnsmasq that differs in a comment of ours alone.
func stirred(raw string) string { return mark + "putting back what was here\n" + raw }

// disablesDNS reports whether the options have dnsmasq serve DHCP alone.
func disablesDNS(raw string) bool {
	disabled := false
	for line := range strings.Lines(raw) {
		if name, value := option(line); name == "port" {
			disabled = value == "0"
		}
	}
	return disabled
}

// option splits a line of dnsmasq's configuration.
func option(line string) (name, value string) {
	name, value, _ = strings.Cut(line, "=")
	value, _, _ = strings.Cut(value, " #")
	return strings.TrimSpace(name), strings.TrimSpace(value)
}
