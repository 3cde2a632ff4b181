package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"lxd-allowlist/capture"
)

// sayWitnessed writes what went round the bridge's DNS, and how far that is
// known; with names also who asked for each name and what was connected to.
// It is for people: scripts have it in the formats csv and json.
func sayWitnessed(to io.Writer, l *capture.Ledger, names bool) {
	l.Read(func(r capture.Reader) {
		if names {
			for id := range r.Len() {
				sayName(to, r, capture.ID(id))
			}
		}
		ways, beyond, _ := r.Bypasses()
		watch := r.Watch()
		for _, b := range ways {
			fmt.Fprintln(to, "lxd-allowlist: went round the bridge's DNS: "+wayWords(r, b))
		}
		if beyond > 0 {
			fmt.Fprintf(to, "lxd-allowlist: and %d times in more ways than are kept\n", beyond)
		}
		switch {
		case watch.Ever == 0: // said when it began
		case watch.Whole() && len(ways) == 0:
			fmt.Fprintln(to, "lxd-allowlist: nothing went round the bridge's DNS: "+watch.String())
		case !watch.Whole():
			fmt.Fprintln(to, "lxd-allowlist: what went round the bridge's DNS is not all known: "+watch.String())
		}
	})
}

// wayWords says of a way round what, where, how often and by whom.
func wayWords(r capture.Reader, b capture.Bypass) string {
	text := b.Kind.String()
	if place := b.Place(); place != "" {
		text += " " + place
	}
	var names []string
	for _, n := range b.Names {
		names = append(names, shown(n.Name))
	}
	if len(names) > 0 {
		text += " (" + strings.Join(names, ", ") + ")"
	}
	return text + fmt.Sprintf(" ×%d", b.Count) + byWords(r.Programs(b.Actors))
}

func byWords(programs []string) string {
	if len(programs) == 0 {
		return ""
	}
	for i := range programs {
		programs[i] = shown(programs[i])
	}
	return " by " + strings.Join(programs, ", ")
}

// shown is a text of the instance's, fit for a terminal.
func shown(text string) string {
	if strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return strconv.Quote(text)
	}
	return text
}

// sayName says who asked for a name and what was connected to.
func sayName(to io.Writer, r capture.Reader, id capture.ID) {
	d, s := r.Domain(id), r.Witnessed(id)
	if d.Queries == 0 || r.Watch().Ever == 0 {
		return
	}
	var ports []string
	for _, p := range s.Ports {
		text := fmt.Sprintf("%d/%s", p.Number, p.Protocol)
		if p.Spoken != "" {
			text += " " + p.Spoken
		}
		if p.Count > 0 {
			text += fmt.Sprintf(" ×%d", p.Count)
		}
		if p.Maybe > 0 {
			text += fmt.Sprintf(" perhaps ×%d", p.Maybe)
		}
		ports = append(ports, text)
	}
	slices.Sort(ports)
	connected := strings.Join(ports, ", ")
	if connected == "" && r.OnlyResolved(id) {
		connected = "only resolved"
	}
	fmt.Fprintf(to, "lxd-allowlist: %s: %s%s\n", shown(d.Name), cmp.Or(connected, "no connection seen"), byWords(r.Programs(s.Actors)))
}
