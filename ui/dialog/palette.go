package dialog

import (
	"cmp"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// Palette lists all that can be done, and how; what is typed searches it.
type Palette struct {
	keys   *keys.Map
	items  []Item
	texts  []string // what is searched, of each item
	found  []found
	at     int
	top    int
	note   string // what is still being looked up
	search textinput.Model
	drawn  drawn
}

// Item is one line of a palette.
type Item struct {
	Section, Does string
	Also          string // other words that it is looked for by
	// Key does it, or is what stands in its place: the value of a setting.
	Key string
	// Why says why it can't be done now, "" if it can.
	Why string
	// To is handed back when it is picked; nil for what is only told.
	To any
}

// NewPalette returns a palette; note says what is still being looked up.
func NewPalette(k *keys.Map, items []Item, note string) *Palette {
	d := &Palette{keys: k, search: textinput.New()}
	d.search.Prompt = ""
	d.search.Focus()
	d.Set(items, note)
	return d
}

// Add puts what was looked up behind what is there, but for what can't be done now
// and stands last. The cursor stays on the item that it is on.
func (d *Palette) Add(items []Item, note string) {
	at := len(d.items)
	for at > 0 && d.items[at-1].Why != "" {
		at--
	}
	d.Set(slices.Insert(slices.Clone(d.items), at, items...), note)
}

// Set puts other items in place of those that are there. The cursor stays on
// the item that it is on.
func (d *Palette) Set(items []Item, note string) {
	var on Item
	if len(d.found) > 0 {
		on = d.items[d.found[d.at].index]
	}
	d.items, d.note, d.texts = items, note, nil
	for _, i := range items {
		d.texts = append(d.texts, i.Does+"\n"+i.Section+"\n"+i.Key+"\n"+i.Also)
	}
	d.seek()
	for n, f := range d.found {
		if i := d.items[f.index]; i.Section == on.Section && i.Does == on.Does {
			d.at = n
		}
	}
}

func (d *Palette) seek() {
	d.found, d.at, d.top = search(d.search.Value(), d.texts), 0, 0
}

var paletteActions = []keys.Action[*Palette, Result]{
	{Row: keys.Row{Name: "accept", Hint: "do it"}, Can: (*Palette).cant, Do: func(d *Palette) Result { return Picked{d.items[d.found[d.at].index].To} }},
	{Row: keys.Row{Name: "up"}, Do: steps(-1)},
	{Row: keys.Row{Name: "down", Hint: "choose", Beside: "up"}, Do: steps(1)},
	{Row: keys.Row{Name: "page-up"}, Do: steps(-10)},
	{Row: keys.Row{Name: "page-down"}, Do: steps(10)},
	{Row: keys.Row{Name: "palette"}, Do: closes[*Palette]},
	{Row: keys.Row{Name: "next-part", Keys: []string{"tab"}, Help: "next part", Hint: "next part"}, Can: (*Palette).one, Do: parts(1)},
	{Row: keys.Row{Name: "prev-part", Keys: []string{"shift+tab"}, Help: "part before it"}, Can: (*Palette).one, Do: parts(-1)},
	{Row: keys.Row{Name: "cancel", Hint: "close"}, Do: closes[*Palette]},
}

var (
	paletteKeys = keys.Table[*Palette, Result]{Context: "the palette", Typing: true, Actions: paletteActions}
	// idlePaletteKeys are live while nothing is searched for.
	idlePaletteKeys = keys.Table[*Palette, Result]{Context: "the palette while nothing is typed", Typing: true, Text: []string{"help", "quit"}, Actions: append([]keys.Action[*Palette, Result]{
		{Row: keys.Row{Name: "help"}, Do: closes[*Palette]},
		{Row: keys.Row{Name: "quit"}, Do: closes[*Palette]},
	}, paletteActions...)}
)

func steps(n int) func(*Palette) Result {
	return func(d *Palette) Result {
		d.at = max(0, min(d.at+n, len(d.found)-1))
		return nil
	}
}

// one says why there are no parts to go to: what is found stands by how well it
// fits.
func (d *Palette) one() string {
	if d.search.Value() != "" || len(d.found) == 0 {
		return "what is found has no parts"
	}
	return ""
}

// parts goes to the first item of the next section, or of the one before it;
// behind the last is the first.
func parts(step int) func(*Palette) Result {
	return func(d *Palette) Result {
		begins := func(n int) bool { return n == 0 || d.items[n].Section != d.items[n-1].Section }
		n := len(d.items)
		for d.at = (d.at + step + n) % n; !begins(d.at); d.at = (d.at + step + n) % n {
		}
		d.top = d.at // all of it is seen
		return nil
	}
}

func (d *Palette) cant() string {
	if len(d.found) == 0 {
		return "nothing has that name"
	}
	i := d.items[d.found[d.at].index]
	if i.To == nil {
		return cmp.Or(i.Why, "that is only told here: close this and do it")
	}
	return i.Why
}

// Keys implements [Dialog].
func (d *Palette) Keys() Live {
	if d.search.Value() == "" {
		return idlePaletteKeys.On(d.keys, d)
	}
	return paletteKeys.On(d.keys, d)
}

// Type implements [Dialog].
func (d *Palette) Type(msg tea.Msg) Result {
	before := d.search.Value()
	if d.search, _ = d.search.Update(msg); d.search.Value() != before {
		d.seek()
	}
	return nil
}

// Widths of the palette's columns.
const (
	sectionWidth = 10
	itemKeyWidth = 18
)

// paletteChrome is how many lines of a palette are no items and no foot: its
// frame, what is typed, and one that is left free.
const paletteChrome = 4

// View implements [Dialog].
func (d *Palette) View(s Screen) []string {
	inner := min(s.W-4, 100)
	foot := d.foot(s, inner, s.H-paletteChrome-1)
	room := max(1, s.H-paletteChrome-len(foot))
	d.top = max(min(d.top, d.at), d.at-room+1, 0)
	d.top = max(0, min(d.top, len(d.found)-room))
	s.Input(&d.search)
	d.search.SetWidth(inner - 4)
	if d.search.Value() == "" {
		d.search.SetWidth(1)
	}
	l := new(look.Line).Add(s.Key, ": ").Raw(d.search.View())
	if d.search.Value() == "" {
		l.Add(s.Muted, d.invites(inner-l.Width()))
	}
	lines := []string{l.Cut(inner)}
	last := ""
	d.drawn = make(drawn)
	for n := d.top; n < min(len(d.found), d.top+room); n++ {
		i := d.items[d.found[n].index]
		section := i.Section
		if section == last && d.search.Value() == "" {
			section = ""
		}
		last = i.Section
		d.drawn[boxTop+len(lines)] = n
		lines = append(lines, d.draw(s, n, section, inner))
	}
	if len(d.found) == 0 {
		lines = append(lines, s.Muted.Render("  nothing has that name"))
	}
	for len(lines)+len(foot) <= min(s.H-paletteChrome, len(d.items)+1) {
		lines = append(lines, "") // the box stays as high as it is while one types
	}
	return look.Box(s.Styles, "What can be done", append(lines, foot...), inner)
}

// invites says in w cells at most what may be typed.
func (d *Palette) invites(w int) string {
	kinds := []string{"an action"}
	for _, i := range d.items {
		if name, ok := kindsOf[i.Section]; ok && kinds[len(kinds)-1] != name {
			kinds = append(kinds, name)
		}
	}
	text := " type to find " + strings.Join(kinds, ", ")
	if look.Width(text) > w {
		return " type to find one"
	}
	return text
}

// kindsOf are what items of some sections are called.
var kindsOf = map[string]string{"Export": "a format", "Setting": "a setting", "Sign": "a sign", "Session": "a session", "Instance": "an instance", "Image": "an image"}

func (d *Palette) draw(s Screen, n int, section string, w int) string {
	f := d.found[n]
	i := d.items[f.index]
	does, key, l := s.Text, s.Key, new(look.Line)
	if i.Why != "" {
		does, key = s.Muted, s.Muted
	}
	if n == d.at {
		l.Add(s.Key, "▌").Select(s.Styles)
		if i.Why == "" {
			does = s.Strong
		}
	}
	l.Pad(2).Cell(s.Muted, section, sectionWidth, false).Pad(sectionWidth + 3)
	keyWidth := i.keyWidth()
	addFound(l, s, does, i.Does, 0, f.bytes, i.room(w))
	return l.Pad(w-keyWidth-1).Cell(key, i.Key, keyWidth, true).Pad(w).Cut(w)
}

func (i Item) keyWidth() int { return min(itemKeyWidth, max(look.Width(i.Key), 1)) }

// room is how many cells of a line of w what it does has.
func (i Item) room(w int) int { return w - (sectionWidth + 3) - i.keyWidth() - 2 }

// foot says why what is chosen can't be done, or all of what it does where that
// is cut above, on so many lines at most, and what is looked up, or how many there
// are.
func (d *Palette) foot(s Screen, w, most int) (lines []string) {
	if len(d.found) > 0 {
		switch i := d.items[d.found[d.at].index]; {
		case i.Why != "":
			lines = look.Wrap(s.Warn, i.Why, w-2)
		case look.Width(i.Does) > i.room(w):
			lines = look.Wrap(s.Text, i.Does, w-2)
		}
	}
	switch {
	case d.note != "":
		lines = append(lines, look.Wrap(s.Muted, d.note, w-2)...)
	case lines == nil && d.search.Value() != "" && len(d.found) > 1:
		lines = look.Wrap(s.Muted, look.Plural(len(d.found), "line")+", the best first", w-2)
	case lines == nil:
		lines = look.Wrap(s.Muted, look.Plural(len(d.found), "line"), w-2)
	}
	if most = max(1, most); len(lines) > most { // enter says a reason whole
		lines = append(lines[:most-1], new(look.Line).Raw(lines[most-1]).Add(s.Muted, " …").String())
	}
	for i, line := range lines {
		lines[i] = " " + line
	}
	return lines
}
