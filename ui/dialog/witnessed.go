package dialog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"
)

// fields are the lines of the details: what they are about, in a column, and
// what is said of it.
type fields struct {
	*look.Styles
	w     int
	lines []string
}

// fieldHead is the room for what a line is about.
const fieldHead = 11

// add adds a line for each value; name stands before the first.
func (f *fields) add(name string, style look.Style, values ...string) {
	for _, v := range values {
		f.lines = append(f.lines, new(look.Line).Cell(f.Muted, name, fieldHead, false).Add(style, v).Cut(f.w))
		name = ""
	}
}

// argsLines bounds the lines of a command line: some are books.
const argsLines = 3

// wrapped adds a text of the instance's on as many lines as it takes, of no more
// than most.
func (f *fields) wrapped(style look.Style, text string, most int) {
	lines := strings.Split(ansi.Hardwrap(look.Clean(text), max(10, f.w-fieldHead), false), "\n")
	if len(lines) > most {
		lines = append(lines[:most-1], lines[most-1]+"…")
	}
	f.add("", style, lines...)
}

// actors says who did something: the program, how often, whose process it was
// when it was first seen, and what had it run.
func (f *fields) actors(r capture.Reader, actors []capture.Actor, others uint32) {
	head := "process"
	for _, a := range actors {
		p, ok := r.Process(a.Process)
		if !ok {
			continue
		}
		f.lines = append(f.lines, new(look.Line).Cell(f.Muted, head, fieldHead, false).
			Add(f.Strong, table.Program(p)).Add(f.Muted, "  "+did(a)).Cut(f.w))
		head = ""
		var about []string
		if p.PID > 0 {
			about = append(about, fmt.Sprintf("PID %d", p.PID))
		}
		if p.User != "" {
			about = append(about, "user "+look.Clean(p.User))
		}
		if len(p.Parents) > 0 {
			about = append(about, "below "+look.Clean(strings.Join(p.Parents, ", ")))
		}
		if len(about) > 0 {
			f.add("", f.Text, strings.Join(about, ", "))
		}
		args := strings.Join(p.Args, " ")
		if p.Command != "" && p.Command != args {
			f.wrapped(f.Text, "from the shell's command: "+p.Command, argsLines)
		}
		if args != "" && args != p.Exe {
			f.wrapped(f.Muted, args, argsLines)
		}
	}
	if others > 0 {
		f.add(head, f.Muted, fmt.Sprintf("and others, ×%d", others))
	}
}

func did(a capture.Actor) string {
	var parts []string
	if a.Queries > 0 {
		parts = append(parts, fmt.Sprintf("asked ×%d", a.Queries))
	}
	if a.Connections > 0 {
		parts = append(parts, fmt.Sprintf("connected ×%d", a.Connections))
	}
	return strings.Join(parts, ", ")
}

// connections says what was connected to, and under which server names.
func (f *fields) connections(r capture.Reader, id capture.ID) {
	s, watch := r.Witnessed(id), r.Watch()
	head := "connected"
	for _, p := range table.Ports(s) {
		text := table.PortWords(capture.Port{Number: p.Number, Protocol: p.Protocol, Spoken: p.Spoken, Count: p.Count})
		if p.Maybe > 0 {
			text += fmt.Sprintf("  perhaps ×%d: other names have the same address", p.Maybe)
		}
		f.add(head, f.Text, text)
		head = ""
	}
	switch {
	case s.OtherPorts > 0:
		f.add(head, f.Muted, fmt.Sprintf("and to more ports, ×%d", s.OtherPorts))
	case len(s.Ports) > 0:
	case r.OnlyResolved(id):
		f.add(head, f.Warn, table.OnlyResolved+": nothing connected to it, and all was watched")
	case watch.Ever.Has(capture.Packets) && len(s.Actors) > 0:
		f.add(head, f.Muted, "no connection was seen")
	}
	f.names("server", s.Servers, s.OtherServers)
	if s.Hidden > 0 {
		f.hidden(s.Hidden)
	}
	if watch.Ever != 0 && !watch.Whole() {
		f.add("watched", f.Muted, look.Clean(watch.String()))
	}
}

// hidden says how often a server name was perhaps hidden: browsers send the
// likeness of an ECH to all servers.
func (f *fields) hidden(times uint32) {
	f.add("hidden", f.Warn, fmt.Sprintf("perhaps ×%d: the server's name was encrypted (ECH), or looked so, as browsers send it to all", times))
}

// names names what was asked for or said, those seen most first.
func (f *fields) names(head string, names []capture.Named, others uint32) {
	names = slices.SortedStableFunc(slices.Values(names), func(a, b capture.Named) int { return int(b.Count) - int(a.Count) })
	for _, n := range names {
		f.add(head, f.Text, fmt.Sprintf("%s ×%d", look.Clean(n.Name), n.Count))
		head = ""
	}
	if others > 0 {
		f.add(head, f.Muted, fmt.Sprintf("and others, ×%d", others))
	}
}
