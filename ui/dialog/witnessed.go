package dialog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"
)

// argsLines bounds the lines of a command line: some are books.
const argsLines = 3

// wrapped adds a text of the instance's on as many lines as it takes, of no more
// than most.
func (p *page) wrapped(style look.Style, text string, most int) {
	lines := look.Wrap(style, look.Clean(text), p.w-headWidth)
	if len(lines) > most {
		lines = append(lines[:most-1], lines[most-1]+style.Render("…"))
	}
	p.beside("", lines)
}

// programLeast is how many cells of a program are seen at least beside what it did.
const programLeast = 16

// actors says who did something: the program, how often and, unless it is to be
// short, whose process it was when it was first seen, and what had it run.
func (p *page) actors(r capture.Reader, actors []capture.Actor, others uint32, short bool) {
	head := "process"
	for _, a := range actors {
		of, ok := r.Process(a.Process)
		if !ok {
			continue
		}
		program, times, room := table.Program(of), "  "+did(a), p.w-headWidth-1
		beside := room-look.Width(times) >= min(look.Width(program), programLeast)
		if beside {
			room -= look.Width(times)
		}
		if over := look.Width(program) - room; over > 0 { // its end says more than where it lies
			program = ansi.TruncateLeft(program, over+1, "…")
		}
		line := new(look.Line).Pad(1).Cell(p.s.Muted, head, headWidth-1, false).Pad(headWidth+1).Add(p.s.Strong, program)
		if head = ""; beside {
			line.Add(p.s.Muted, times)
		}
		if p.lines = append(p.lines, line.Cut(p.w)); !beside {
			p.field("", p.s.Muted, did(a))
		}
		if short {
			continue
		}
		var about []string
		if of.PID > 0 {
			about = append(about, fmt.Sprintf("PID %d", of.PID))
		}
		if of.User != "" {
			about = append(about, "user "+look.Clean(of.User))
		}
		if len(of.Parents) > 0 {
			about = append(about, "below "+look.Clean(strings.Join(of.Parents, ", ")))
		}
		if len(about) > 0 {
			p.field("", p.s.Text, strings.Join(about, ", "))
		}
		args := strings.Join(of.Args, " ")
		if of.Command != "" && of.Command != args {
			p.wrapped(p.s.Text, "from the shell's command: "+of.Command, argsLines)
		}
		if args != "" && args != of.Exe {
			p.wrapped(p.s.Muted, args, argsLines)
		}
	}
	if others > 0 {
		p.field(head, p.s.Muted, fmt.Sprintf("and others, ×%d", others))
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
func (p *page) connections(r capture.Reader, id capture.ID) {
	s, watch := r.Witnessed(id), r.Watch()
	head := "connected"
	for _, port := range table.Ports(s) {
		perhaps := port.Maybe
		port.Maybe = 0
		text := table.PortWords(port)
		if perhaps > 0 {
			text += fmt.Sprintf("  perhaps ×%d: other names have the same address", perhaps)
		}
		p.field(head, p.s.Text, text)
		head = ""
	}
	switch {
	case s.OtherPorts > 0:
		p.field(head, p.s.Muted, fmt.Sprintf("and to more ports, ×%d", s.OtherPorts))
	case len(s.Ports) > 0:
	case r.OnlyResolved(id):
		p.field(head, p.s.Warn, table.OnlyResolved+": nothing connected to it, and all was watched")
	case watch.Ever.Has(capture.Packets) && len(s.Actors) > 0:
		p.field(head, p.s.Muted, "no connection was seen")
	}
	p.names("server", s.Servers, s.OtherServers)
	if s.Hidden > 0 {
		p.hidden(s.Hidden)
	}
	if watch.Ever != 0 && !watch.Whole() {
		p.field("watched", p.s.Muted, look.Clean(watch.String()))
	}
}

// hidden says how often a server name was perhaps hidden: browsers send the
// likeness of an ECH to all servers.
func (p *page) hidden(times uint32) {
	p.field("hidden", p.s.Warn, fmt.Sprintf("perhaps ×%d: the server's name was encrypted (ECH), or looked so, as browsers send it to all", times))
}

// names names what was asked for or said, those seen most first.
func (p *page) names(head string, names []capture.Named, others uint32) {
	names = slices.SortedStableFunc(slices.Values(names), func(a, b capture.Named) int { return int(b.Count) - int(a.Count) })
	for _, n := range names {
		p.field(head, p.s.Text, fmt.Sprintf("%s ×%d", look.Clean(n.Name), n.Count))
		head = ""
	}
	if others > 0 {
		p.field(head, p.s.Muted, fmt.Sprintf("and others, ×%d", others))
	}
}

// ofWay says all that is known of a way round the bridge's DNS.
func (d *Details) ofWay(p *page, r capture.Reader, short bool) {
	b, known := table.Way(r, d.way)
	if !known {
		return
	}
	s := p.s
	p.lines = look.Wrap(s.Strong, strings.TrimSpace(b.Kind.String()+" "+b.Place()), p.w)
	if !short {
		p.lines = append(p.lines, "")
	}
	p.field("means", s.Text, wayMeans[b.Kind])
	if b.From.IsValid() {
		p.field("from", s.Text, b.From.String())
	}
	p.names("names", table.WayNames(b), b.OtherNames)
	p.field("times", s.Text, fmt.Sprint(b.Count))
	p.field("first", s.Text, b.First.Format(time.DateTime)+"  "+look.Ago(s.Now.Sub(b.First)))
	p.field("last", s.Text, b.Last.Format(time.DateTime)+"  "+look.Ago(s.Now.Sub(b.Last)))
	p.actors(r, b.Actors, b.Others, short)
	if w := r.Watch(); !w.Whole() {
		p.field("watched", s.Muted, look.Clean(w.String()))
	}
}

// wayMeans says what a kind of way round means for a list.
var wayMeans = map[witness.Kind]string{
	witness.DoT:      "names were asked for over TLS or QUIC: the bridge saw none of them, so that the list may lack them",
	witness.DoH:      "names were asked for over HTTPS: the bridge saw none of them, so that the list may lack them",
	witness.Resolver: "another resolver than the bridge's was asked: the list may lack these names",
	witness.Inside:   "the instance answered itself, from a cache or a file: the bridge never saw the name",
	witness.Bare:     "no DNS answer gave this address; kept, it stands in the list beside the names, for formats that can hold one",
	witness.Hidden:   "perhaps a name that nobody saw: the server's name was encrypted (ECH), or looked so, as browsers send it to all",
	witness.Foreign:  "sent from an IPv6 address that isn't known to be the instance's, such as a temporary one",
}
