package dialog

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/export/rule/psl"
	"lxd-allowlist/ui/keys"
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
	drawn  drawn
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
	shared := "" // the highest below which anyone can have a name
	for at := name; at != ""; at = rule.Parent(at) {
		g := rung{rule: rule.Rule{Name: at, Suffix: true}, kept: r.Suffix(at)}
		if g.refused = g.rule.Problem(); g.refused == "" {
			if g.warning = g.rule.Warning(); g.warning == "" && shared != "" {
				g.warning = "anyone can have a name below " + shared + ", and this rule allows it"
			}
			ask = append(ask, at)
		}
		if suffix, registry := psl.PublicSuffix(at); suffix == at && !registry {
			shared = at
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
		{Row: keys.Row{Name: "down", Hint: "how wide", Beside: "up"}, Do: func(d *Ladder) Result { return d.move(-1) }},
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
