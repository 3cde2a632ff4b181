package table

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/look"
)

// round is what went round the bridge's DNS: lines of their own behind the
// domains, below a head that is folded of itself. It is read anew when the
// ledger says that it is another.
type round struct {
	read     bool
	edition  uint64
	total    int
	ways     []capture.Bypass // those that the filter leaves
	watch    capture.Watch
	unfolded bool
	roomy    bool // there is room to say that nothing went round
}

// roomyLines is the height of a table from which on it is said that nothing went
// round, or that nobody watched: less than that is for domains.
const roomyLines = 24

// roundHead is the key of the head, [WayKey] that of a line below it.
const roundHead = "round"

// WayKey tells ways round apart, whatever else is known of them.
func WayKey(b capture.Bypass) string {
	return b.Kind.String() + " " + b.Place() + " " + b.From.String()
}

// Way returns the way round that has a [WayKey], false for none.
func Way(r capture.Reader, key string) (capture.Bypass, bool) {
	return r.Bypass(func(b capture.Bypass) bool { return WayKey(b) == key })
}

// WayText says where a way round led to, or which names were asked for there.
func WayText(b capture.Bypass) string {
	var parts []string
	if place := b.Place(); place != "" {
		parts = append(parts, place)
	}
	names := WayNames(b)
	for i, n := range names {
		if i == 2 {
			parts = append(parts, fmt.Sprintf("+%d", len(names)-i))
			break
		}
		parts = append(parts, look.Clean(n.Name))
	}
	return strings.Join(parts, "  ")
}

// WayNames returns the names of a way round, but for its own address: who asks a
// server for a page by its address names it, too.
func WayNames(b capture.Bypass) []capture.Named {
	own := b.To.Addr().Unmap().String()
	return slices.DeleteFunc(slices.Clone(b.Names), func(n capture.Named) bool { return n.Name == own })
}

// refreshRound reads what went round, if it has changed since.
func (t *Table) refreshRound(r capture.Reader) {
	a := t.shown
	edition := r.BypassEdition()
	if a.round.read && a.round.edition == edition {
		return
	}
	ways, _, _ := r.Bypasses()
	a.round = round{read: true, edition: edition, total: len(ways), watch: r.Watch(), unfolded: t.unfolded, roomy: t.h >= roomyLines}
	for _, b := range ways {
		if a.filter.match(wayCandidate(r, b, t.now)) {
			a.round.ways = append(a.round.ways, b)
		}
	}
}

// wayCandidate has a way round looked at like a domain: by what it says.
func wayCandidate(r capture.Reader, b capture.Bypass, now time.Time) candidate {
	text := b.Kind.String() + " " + b.Place()
	for _, n := range b.Names {
		text += " " + n.Name
	}
	return candidate{Row: &Row{Domain: &capture.Domain{Name: strings.ToLower(text)}, r: r, now: now}, way: &b}
}

// lines returns how many lines there are, the head's included.
func (o *round) lines() int {
	switch {
	case !o.headed():
		return 0
	case o.unfolded:
		return 1 + len(o.ways)
	}
	return 1
}

func (o *round) headed() bool {
	return len(o.ways) > 0 || o.total == 0 && o.roomy && !o.watch.Begun.IsZero()
}

// at returns the line's item; 0 is the head's.
func (o *round) at(line int) item {
	if line == 0 {
		return item{way: roundHead}
	}
	return item{way: WayKey(o.ways[line-1])}
}

// find returns the line of an item, that of the head while they are folded, and
// below 0 for what isn't shown.
func (o *round) find(key string) int {
	at := slices.IndexFunc(o.ways, func(b capture.Bypass) bool { return WayKey(b) == key })
	switch {
	case !o.headed() || at < 0 && key != roundHead:
		return -1
	case key == roundHead || !o.unfolded:
		return 0
	}
	return at + 1
}

// foldRound hides the ways round, or shows them.
func (t *Table) foldRound(fold bool) {
	t.unfolded, t.shown.round.unfolded = !fold, !fold
	t.cursor = t.shown.find(item{way: roundHead})
	t.show()
}

// Round returns how many ways round the bridge's DNS were taken.
func (t *Table) Round() int { return t.shown.round.total }

// drawRound draws the head: how many of which kind, or that there was none, and
// how far that is known.
func (t *Table) drawRound(l *look.Line, s *look.Styles, x int) string {
	o := &t.shown.round
	l.Pad(x - flagWidth)
	if len(o.ways) == 0 {
		l.Pad(x)
		switch {
		case o.watch.Whole():
			return l.Add(s.Good, "nothing went round DNS").Add(s.Muted, "  "+look.Clean(o.watch.String())).Pad(t.w).Cut(t.w)
		case o.watch.Ever == 0:
			return l.Add(s.Muted, look.Clean("what goes round DNS is "+o.watch.String())).Pad(t.w).Cut(t.w)
		}
		return l.Add(s.Muted, "nothing was seen to go round DNS  ").Add(s.Warn, look.Clean(o.watch.String())).Pad(t.w).Cut(t.w)
	}
	n := strconv.Itoa(len(o.ways))
	if len(o.ways) < o.total {
		n += fmt.Sprintf(" of %d", o.total)
	}
	l.Add(s.Muted, map[bool]string{true: "▾ ", false: "▸ "}[o.unfolded]).Add(s.Warn, "went round DNS").Add(s.Strong, "  "+n)
	between := "  "
	for i := 0; i < len(o.ways); {
		kind, n := o.ways[i].Kind, 0
		for ; i < len(o.ways) && o.ways[i].Kind == kind; i++ {
			n++
		}
		l.Add(s.Muted, between).Add(s.Text, fmt.Sprintf("%d %s", n, kind))
		between = " · "
	}
	if !o.watch.Whole() {
		l.Add(s.Muted, between+look.Clean(o.watch.String()))
	}
	return l.Pad(t.w).Cut(t.w)
}

// Room for what stands in a way's line: below actorWide the kind's word is short,
// and below actorLeast there is no room for a process.
const (
	kindWidth  = 25
	kindShort  = 9
	actorWide  = 100
	actorLeast = 70
	actorShort = 14 // cells of it
)

// drawWay draws a way round: its kind, where it led to and under which names,
// whose process it was, how often and when last.
func (t *Table) drawWay(l *look.Line, s *look.Styles, r capture.Reader, key string, x int) string {
	at := t.shown.round.find(key)
	b := t.shown.round.ways[at-1]
	kind, width := b.Kind.String(), kindWidth
	if t.w < actorWide {
		word, _ := b.Kind.MarshalText()
		kind, width = string(word), kindShort
	}
	right := fmt.Sprintf("  ×%-4s%5s ", look.AppendCount(nil, uint64(b.Count)), look.Age(t.now.Sub(b.Last)))
	end, actor := t.w-look.Width(right), 0
	switch {
	case len(b.Actors) == 0:
	case t.w >= actorWide:
		actor = columns[colProcess].width
	case t.w >= actorLeast:
		actor = actorShort
	}
	if at, known := b.Endpoint(); known {
		switch r.Address(at).Decision {
		case capture.Keep:
			l.Pad(1).Add(s.Keep, "✓")
		case capture.Drop:
			l.Pad(1).Add(s.Drop, "✗")
		}
	}
	l.Pad(x+indent).Cell(s.Warn, kind, width, false)
	name := WayText(b)
	if actor == 0 {
		l.Cell(s.Strong, name, max(1, end-l.Width()), false)
		return l.Pad(end).Add(s.Muted, right).Cut(t.w)
	}
	if lacks := look.Width(name) - (end - l.Width() - actor - colGap); lacks > 0 { // the command says enough
		actor = max(min(actor, actorShort), actor-lacks)
	}
	t.cell = appendActors(t.cell[:0], r, b.Actors, b.Others, actor)
	room := end - l.Width() - actor - colGap
	if less := min(look.Width(name)-room, actor-look.Width(string(t.cell))); less > 0 { // that the name lacks and the process doesn't need
		room, actor = room+less, actor-less
	}
	l.Cell(s.Strong, name, max(1, room), false)
	l.Pad(l.Width()+colGap).CellOf(s.Text, t.cell, actor, false)
	return l.Pad(end).Add(s.Muted, right).Cut(t.w)
}

// byWay reports whether somebody of that name took a way round.
func byWay(c candidate, value string) (found bool) {
	actorNames(c.r, c.way.Actors, func(name string) { found = found || strings.Contains(dashed(name), value) })
	return found
}

func portWay(c candidate, value string) bool {
	port := strconv.Itoa(int(c.way.To.Port()))
	return c.way.To.IsValid() && (value == port || value == port+"/"+c.way.Protocol)
}

// ByOf names who did something, in a few words for a line of something else:
// "curl", "apt +1"; "" where nobody knows.
func ByOf(r capture.Reader, actors []capture.Actor) string {
	var names []string
	for _, a := range actors {
		if p, ok := r.Process(a.Process); ok {
			name := Origin(p)
			if name == "" {
				name = called(p, path.Base(p.Exe))
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) > 1 {
		return fmt.Sprintf("%s +%d", names[0], len(names)-1)
	}
	return strings.Join(names, "")
}
