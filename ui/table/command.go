package table

import (
	"slices"
	"strings"

	"lxd-allowlist/capture"
)

// commandTerm returns the term of cmd:VALUE: names that came up after a command
// whose line has the value in it, and before the next one, or that programs
// asked for or connected to which descend from such a command.
func commandTerm(value string) condition {
	return func(c candidate) bool {
		command, ok := capture.CommandAt(c.r.Commands(), c.First())
		return ok && entered(strings.ToLower(command.Line), value) || descends(c.r, c.Seen().Actors, value)
	}
}

// descends reports whether somebody who did something descends from a command
// whose line has a value in it.
func descends(r capture.Reader, actors []capture.Actor, value string) bool {
	return slices.ContainsFunc(actors, func(a capture.Actor) bool {
		p, ok := r.Process(a.Process)
		return ok && entered(strings.ToLower(p.Command), value)
	})
}

// commandWay is commandTerm of ways round.
func commandWay(c candidate, value string) bool { return descends(c.r, c.way.Actors, value) }

// commandValues calls yield with how the commands of a domain begin, each once.
func commandValues(d *Row, yield func(string)) {
	var begins []string
	add := func(line string) {
		first, _, _ := strings.Cut(line, " ")
		if first != "" && !slices.Contains(begins, first) {
			begins = append(begins, first)
			yield(first)
		}
	}
	if c, ok := capture.CommandAt(d.r.Commands(), d.First()); ok {
		add(c.Line)
	}
	for _, a := range d.Seen().Actors {
		if p, ok := d.r.Process(a.Process); ok {
			add(p.Command)
		}
	}
}

// entered reports whether a command's line has a value in it. A + stands for a
// blank, too.
func entered(line, value string) bool {
	return strings.Contains(line, value) || strings.Contains(line, strings.ReplaceAll(value, "+", " "))
}

// enteredLines is where a census has the lines of all commands, whether names
// came up after them or not.
const enteredLines = "entered lines"

// enter takes up commands that were entered, and those that programs descend
// from: their lines, and how they begin.
func (c census) enter(r capture.Reader) {
	if c[enteredLines] == nil {
		c[enteredLines] = make(map[string]int)
	}
	add := func(line string) {
		if line != "" {
			first, _, _ := strings.Cut(line, " ")
			c[enteredLines][strings.ToLower(line)] = 1
			c["cmd"][dashed(first)] += 0
		}
	}
	for _, command := range r.Commands() {
		add(command.Line)
	}
	for id := capture.ProcessID(1); ; id++ {
		p, ok := r.Process(id)
		if !ok {
			return
		}
		add(p.Command)
	}
}
