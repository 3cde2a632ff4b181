package table

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/look"
)

// OnlyResolved is said of a name that got an address, while nothing connected
// to it and everything would have been seen; see [capture.Reader.OnlyResolved].
const OnlyResolved = "only resolved"

// usual is what is said over a port, so that it need not be told.
var usual = map[string]string{"443/tcp": "tls", "80/tcp": "http", "443/udp": ""}

// PortWords says of a port what was spoken there, if that doesn't go without
// saying, and how often: "443/tcp ×12", "443/udp QUIC". What may have been meant
// for another name has a question mark.
func PortWords(p capture.Port) string {
	text := portName(p)
	if p.Spoken != "" && p.Spoken != usual[text] {
		text += " " + strings.ToUpper(look.Clean(p.Spoken))
	}
	if p.Count > 1 {
		text += fmt.Sprintf(" ×%d", p.Count)
	}
	switch {
	case p.Maybe == 1:
		text += " ?"
	case p.Maybe > 1:
		text += fmt.Sprintf(" ?×%d", p.Maybe)
	}
	return text
}

// portName is "443/tcp"; the protocol alone where it has no ports.
func portName(p capture.Port) string {
	if p.Number == 0 {
		return look.Clean(p.Protocol)
	}
	return strconv.Itoa(int(p.Number)) + "/" + look.Clean(p.Protocol)
}

// Ports returns the ports, those with the most connections first.
func Ports(s capture.Seen) []capture.Port {
	return slices.SortedStableFunc(slices.Values(s.Ports), func(a, b capture.Port) int {
		return cmp.Compare(b.Count+b.Maybe, a.Count+a.Maybe)
	})
}

// appendConnected appends where connections went to, in so many cells: with how
// many and what was said, without that, or the first of them and how many ports
// there are beside.
func appendConnected(b []byte, d Row, w int) []byte {
	s := d.Seen()
	if len(s.Ports) == 0 {
		if d.r.OnlyResolved(d.id) {
			return append(b, OnlyResolved...)
		}
		return b
	}
	ports := Ports(s)
	var long, short []string
	for _, p := range ports {
		long, short = append(long, PortWords(p)), append(short, portName(p))
	}
	if s.OtherPorts > 0 {
		long, short = append(long, "others"), append(short, "others")
	}
	for _, list := range [][]string{long, short} {
		if text := strings.Join(list, ", "); look.Width(text) <= w {
			return append(b, text...)
		}
	}
	rest := fmt.Sprintf(" +%d", len(short)-1)
	if len(short) == 1 {
		rest = ""
	}
	if text := long[0] + rest; look.Width(text) <= w {
		return append(b, text...)
	}
	return append(append(b, short[0]...), rest...)
}

// connections orders rows by how many connections there were; what was only
// resolved comes before what nobody knows of.
func connections(d Row) sortKey {
	k := sortKey{num: int64(d.Seen().Connections())}
	if k.num == 0 && d.r.OnlyResolved(d.id) {
		k.text = OnlyResolved
	}
	return k
}

// portValues calls yield with what a filter may name the ports by, each once.
func portValues(ports []capture.Port, yield func(string)) {
	var names []string
	for _, p := range ports {
		names = append(names, portName(p))
		if p.Number > 0 {
			names = append(names, strconv.Itoa(int(p.Number)))
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		yield(name)
	}
}
