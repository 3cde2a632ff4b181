package dialog

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// Ladder asks from where on down all names are to be kept as one suffix rule.
// Its rungs are a name and all above it; the higher, the more it opens.
type Ladder struct {
	keys   *keys.Map
	name   string
	rungs  []rung // the lowest first: patterns, the name itself
	no     string // why there is no pattern, where one might be looked for
	at     int
	moved  bool // somebody chose a rung
	always bool // and not this session alone
	busy   bool // it is being done
	reason textinput.Model
	err    error // why it wasn't
}

// rung is a suffix rule that may be chosen, or a pattern.
type rung struct {
	rule    rule.Rule
	pattern *rule.Pattern // in place of rule; nil for none
	refused string        // why it can't be
	warning string        // what it opens beyond what was probably meant
	kept    capture.Rule  // by what it is already
	seen    capture.Evidence
	known   bool // what was seen
}

func (g *rung) safe() bool { return g.refused == "" && g.warning == "" && g.pattern == nil }

// text is the rung as it is shown.
func (g *rung) text() string {
	if g.pattern != nil {
		return g.pattern.Text
	}
	return g.rule.Dotted()
}

// NewLadder returns the ladder from a name upwards, and what it wants looked
// up.
func NewLadder(k *keys.Map, r capture.Reader, name string) (*Ladder, Result) {
	d := &Ladder{keys: k, name: name, reason: textinput.New()}
	d.reason.Prompt = ""
	var ask []string
	for at := name; at != ""; at = rule.Parent(at) {
		g := rung{rule: rule.Rule{Name: at, Suffix: true}, kept: r.Suffix(at)}
		if g.refused = g.rule.Problem(); g.refused == "" {
			g.warning = g.rule.Warning()
			ask = append(ask, at)
		}
		d.rungs = append(d.rungs, g)
	}
	d.at = d.preferred()
	return d, Weigh{name, ask}
}

// preferred returns the rung to begin with: one that is kept already, else the
// lowest safe one above the name that speaks of more names than that, else the
// lowest above it, else the name's own.
func (d *Ladder) preferred() int {
	for i, g := range d.rungs {
		if g.kept == capture.ByGroup {
			return i
		}
	}
	own := slices.IndexFunc(d.rungs, func(g rung) bool { return g.pattern == nil })
	first := own
	for i := range d.rungs {
		if g := &d.rungs[i]; g.safe() {
			if g.known && g.seen.Asked > 1 {
				return i
			}
			if first == own {
				first = i
			}
		}
	}
	return first
}

// Weighed takes what was seen below the rungs that can be chosen, the lowest
// first, and the names that differ from this one in a label.
func (d *Ladder) Weighed(r capture.Reader, all []capture.Evidence, siblings []string) {
	for i := range d.rungs {
		if d.rungs[i].refused == "" && len(all) > 0 {
			d.rungs[i].seen, d.rungs[i].known, all = all[0], true, all[1:]
		}
	}
	var patterns []rule.Pattern
	patterns, d.no = rule.Patterns(d.name, siblings)
	var rungs []rung
	for i := range patterns {
		p := &patterns[i]
		kept := capture.Undecided
		if r.Group(p.Text).Decision == capture.Keep {
			kept = capture.ByGroup
		}
		rungs = append(rungs, rung{pattern: p, kept: kept, warning: p.Warning, known: true, seen: capture.Evidence{Asked: len(p.Names), Names: p.Names}})
	}
	d.rungs = append(rungs, d.rungs...)
	if d.at += len(rungs); !d.moved {
		d.at = d.preferred()
	}
}

// Fail says why it can't be done.
func (d *Ladder) Fail(err error) { d.err, d.busy = err, false }

var (
	ladderKeys = keys.Table[*Ladder, Result]{Context: "the ladder", Actions: []keys.Action[*Ladder, Result]{
		{Row: keys.Row{Name: "accept", Hint: "keep"}, Can: (*Ladder).cant, Says: (*Ladder).does, Do: (*Ladder).take},
		{Row: keys.Row{Name: "up"}, Do: func(d *Ladder) Result { return d.move(1) }},
		{Row: keys.Row{Name: "down", Hint: "wider", Beside: "up"}, Do: func(d *Ladder) Result { return d.move(-1) }},
		{Row: keys.Row{Name: "always", Keys: []string{"tab"}, Help: "for this session or for always", Hint: "for always"}, Says: (*Ladder).turns,
			Do: func(d *Ladder) Result { d.always = !d.always; return nil }},
		{Row: keys.Row{Name: "reason", Hint: "reason"}, Do: func(d *Ladder) Result { d.reason.Focus(); return nil }},
		{Row: keys.Row{Name: "widen"}, Do: closes[*Ladder]},
		{Row: keys.Row{Name: "quit"}, Do: closes[*Ladder]},
		{Row: keys.Row{Name: "cancel", Hint: "cancel"}, Do: closes[*Ladder]},
	}}
	ladderReasonKeys = keys.Table[*Ladder, Result]{Context: "the ladder's reason", Typing: true, Actions: []keys.Action[*Ladder, Result]{
		{Row: keys.Row{Name: "accept", Hint: "done"}, Do: func(d *Ladder) Result { d.reason.Blur(); return nil }},
		{Row: keys.Row{Name: "cancel"}, Do: func(d *Ladder) Result { d.reason.Blur(); return nil }},
	}}
)

func (d *Ladder) move(n int) Result {
	d.at, d.moved, d.err = max(0, min(d.at+n, len(d.rungs)-1)), true, nil
	return nil
}

// cant says why the chosen rung can't be kept.
func (d *Ladder) cant() string {
	switch g := d.rungs[d.at]; {
	case g.refused != "":
		return g.rule.Dotted() + " " + g.refused
	case g.kept == capture.ByFile:
		return g.rule.Dotted() + " is kept by your rules file already: take it out there"
	case d.busy:
		return "it is being done"
	}
	return ""
}

func (d *Ladder) does() string {
	g := d.rungs[d.at]
	if g.kept == capture.ByGroup && !d.always {
		return "take it back"
	}
	return "keep it"
}

func (d *Ladder) turns() string {
	if d.always {
		return "this session"
	}
	return "for always"
}

func (d *Ladder) take() Result {
	g := d.rungs[d.at]
	d.busy, d.err = true, nil
	w := Widen{Name: g.rule.Name, Back: g.kept == capture.ByGroup && !d.always, Always: d.always, Reason: strings.TrimSpace(d.reason.Value()), Warning: g.warning}
	if g.pattern != nil {
		w.Name, w.Pattern = g.pattern.Text, g.pattern.Regexp
	}
	return w
}

// Keys implements [Dialog].
func (d *Ladder) Keys() Live {
	if d.reason.Focused() {
		return ladderReasonKeys.On(d.keys, d)
	}
	return ladderKeys.On(d.keys, d)
}

// Type implements [Dialog].
func (d *Ladder) Type(msg tea.Msg) Result {
	if d.reason.Focused() {
		d.reason, _ = d.reason.Update(msg)
	}
	return nil
}

// ladderRungs is how many rungs are seen before what is said of one is cut.
const ladderRungs = 4

// View implements [Dialog].
func (d *Ladder) View(s Screen) []string {
	inner := min(s.W-4, 100)
	width := 0
	for _, g := range d.rungs {
		width = max(width, look.Width(g.text()))
	}
	width = min(width, inner/2)
	below := d.drawChosen(s, inner, true)
	if len(below) > s.H-2-min(len(d.rungs), ladderRungs) {
		below = d.drawChosen(s, inner, false)
	}
	if most := max(2, s.H-4); len(below) > most { // what is typed stays
		below = append(below[:most-2], s.Muted.Render(" …"), below[len(below)-1])
	}
	var lines []string
	for i := len(d.rungs) - 1; i >= 0; i-- {
		lines = append(lines, d.drawRung(s, i, width, inner, true)...)
	}
	if len(lines)+len(below) > s.H-2 { // one line each, and on a low screen those around the chosen one
		room := max(1, s.H-len(below)-4)
		last := min(len(d.rungs), max(room, d.at+1+room/2))
		lines = lines[:0]
		for i := last - 1; i >= max(0, last-room); i-- {
			lines = append(lines, d.drawRung(s, i, width, inner, false)...)
		}
	}
	return look.Box(s.Styles, "Keep all below a name", append(lines, below...), inner)
}

// drawRung says of a rung what was seen and what else it opens, whole or on a
// line.
func (d *Ladder) drawRung(s Screen, i, width, inner int, whole bool) (lines []string) {
	const seenWidth = 11
	g, l := &d.rungs[i], new(look.Line)
	name, mark := s.Text, "   "
	style, says := d.opens(s, g)
	switch {
	case g.refused != "":
		name = s.Drop
	case g.kept != capture.Undecided:
		name = s.Keep
	}
	if i == d.at {
		mark = " ▸ "
		if g.refused == "" {
			name = s.Strong
		}
	}
	l.Add(s.Key, mark).Cell(name, g.text(), width, false).Add(s.Muted, " ")
	switch {
	case g.refused != "":
	case g.known:
		l.Cell(s.Muted, fmt.Sprintf(" %d seen", g.seen.Asked), seenWidth, false)
	default:
		l.Cell(s.Muted, " …", seenWidth, false)
	}
	if !whole {
		if inner-l.Width() < 8 { // its sign
			if says, _, _ = strings.Cut(says, " "); says == "any" {
				says = ""
			}
		}
		return []string{l.Add(style, " "+says).Cut(inner)}
	}
	for _, part := range look.Wrap(style, says, inner-l.Width()) {
		lines = append(lines, new(look.Line).Join(l).Raw(part).Cut(inner))
		l = new(look.Line).Pad(l.Width())
	}
	return lines
}

// opens says in a few words what a rung opens beyond what was seen, and how that
// looks.
func (d *Ladder) opens(s Screen, g *rung) (look.Style, string) {
	dropped := ""
	if n := g.seen.DroppedAll; n > 0 {
		dropped = ", and " + look.Plural(n, "dropped name")
	}
	switch {
	case g.refused != "":
		return s.Drop, "✗ refused: it " + g.refused
	case g.kept != capture.Undecided:
		return s.Keep, "✓ kept already"
	case g.warning != "":
		return s.Warn, "! " + g.warning + dropped
	case dropped != "":
		return s.Warn, "! any other name" + dropped
	case g.pattern != nil:
		return s.Muted, "any other of this pattern"
	}
	return s.Muted, "any other name below it"
}

// drawChosen says of the chosen rung what was seen and what else it opens, whole
// or each thing on a few lines.
func (d *Ladder) drawChosen(s Screen, inner int, whole bool) []string {
	const head = 9
	g := d.rungs[d.at]
	lines := []string{""}
	field := func(name string, style look.Style, text string, most int) {
		parts := look.Wrap(style, text, inner-head)
		if len(parts) > most && !whole {
			parts = append(parts[:most-1], look.Fit(parts[most-1], inner-head-2)+s.Muted.Render(" …"))
		}
		for i, part := range parts {
			if i > 0 {
				name = ""
			}
			lines = append(lines, new(look.Line).Cell(s.Muted, name, head, false).Raw(part).Cut(inner))
		}
	}
	switch {
	case g.refused != "":
		field("refused", s.Drop, g.rule.Dotted()+" "+g.refused, 2)
	case g.known:
		field("seen", s.Text, g.shown(), 3)
		if n := g.seen.DroppedAll; n > 0 {
			field("beware", s.Warn, "it allows what is dropped now: "+look.Few(g.seen.Dropped[:min(n, len(g.seen.Dropped))]), 2)
		}
	}
	if g.refused == "" {
		opens, style := "any other name below "+g.rule.Name+", whoever makes one", s.Text
		if g.pattern != nil {
			opens = "any other name of this pattern, seen or not"
		}
		if g.warning != "" {
			opens, style = g.warning, s.Warn
		}
		field("opens", style, opens, 3)
	}
	holds := "for this session"
	if d.always {
		holds = "for always, in your rules file"
	}
	if g.pattern != nil {
		holds += "; an export holds the pattern, or lists what was seen of it if its format has none"
	}
	field("holds", s.Strong, holds, 2)
	if d.no != "" {
		field("pattern", s.Muted, "none: "+d.no, 2)
	}
	l := new(look.Line).Cell(s.Muted, "reason", head, false)
	if d.reason.Focused() {
		d.reason.SetWidth(inner - head - 2)
		l.Pad(head + 1).Raw(d.reason.View())
	} else {
		l.Pad(head+1).Add(s.Text, d.reason.Value())
	}
	lines = append(lines, l.Cut(inner))
	if d.err != nil {
		lines = append(lines, look.Wrap(s.Bad, d.err.Error(), inner)...)
	}
	return lines
}

// shown names what was seen below the rung: what stands before its name.
func (g *rung) shown() string {
	if g.seen.Asked == 0 {
		return "nothing yet"
	}
	var names []string
	for _, name := range g.seen.Names {
		if g.pattern != nil {
			names = append(names, name)
			continue
		}
		if name == g.rule.Name {
			names = append(names, "itself")
			continue
		}
		names = append(names, strings.TrimSuffix(name, "."+g.rule.Name))
	}
	if rest := g.seen.Asked - len(names); rest > 0 {
		names = append(names, fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(names, ", ")
}
