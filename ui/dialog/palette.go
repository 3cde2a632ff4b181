package dialog

import (
	"cmp"

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
}

// Item is one line of a palette.
type Item struct {
	Section, Does string
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
	d.Add(items, note)
	return d
}

// Add puts what was looked up behind what is there. The cursor stays.
func (d *Palette) Add(items []Item, note string) {
	d.items, d.note = append(d.items, items...), note
	for _, i := range items {
		d.texts = append(d.texts, i.Section+" "+i.Does+" "+i.Key)
	}
	at := d.at
	d.seek()
	d.at = max(0, min(at, len(d.found)-1))
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

// View implements [Dialog].
func (d *Palette) View(s Screen) []string {
	inner := min(s.W-4, 100)
	room := max(1, s.H-5)
	d.top = max(min(d.top, d.at), d.at-room+1, 0)
	d.top = max(0, min(d.top, len(d.found)-room))
	d.search.SetWidth(inner - 4)
	lines := []string{s.Key.Render(": ") + d.search.View()}
	if d.search.Value() == "" {
		lines[0] = new(look.Line).Raw(lines[0]).Add(s.Muted, " type to search: an action, a format, a session, a setting").Cut(inner)
	}
	last := ""
	for n := d.top; n < min(len(d.found), d.top+room); n++ {
		i := d.items[d.found[n].index]
		section := i.Section
		if section == last && d.search.Value() == "" {
			section = ""
		}
		last = i.Section
		lines = append(lines, d.draw(s, n, section, inner))
	}
	if len(d.found) == 0 {
		lines = append(lines, s.Muted.Render("  nothing has that name"))
	}
	for len(lines) <= min(room, len(d.items)) {
		lines = append(lines, "") // the box stays as high as it is while one types
	}
	return look.Box(s.Styles, "What can be done", append(lines, d.foot(s, inner)), inner)
}

func (d *Palette) draw(s Screen, n int, section string, w int) string {
	f := d.found[n]
	i := d.items[f.index]
	does, key, l := s.Text, s.Key, new(look.Line)
	if i.Why != "" || i.To == nil {
		does, key = s.Muted, s.Muted
	}
	if n == d.at {
		l.Add(s.Key, "▌").Select(s.Styles)
		if i.Why == "" {
			does = s.Strong
		}
	}
	l.Pad(2).Cell(s.Muted, section, sectionWidth, false).Pad(sectionWidth + 3)
	keyWidth := min(itemKeyWidth, max(look.Width(i.Key), 1))
	addFound(l, s, does, i.Does, len(i.Section)+1, f.bytes, w-l.Width()-keyWidth-2)
	return l.Pad(w-keyWidth-1).Cell(key, i.Key, keyWidth, true).Pad(w).Cut(w)
}

// foot says why what is chosen can't be done, or how many there are.
func (d *Palette) foot(s Screen, w int) string {
	l := new(look.Line).Pad(2)
	switch {
	case len(d.found) > 0 && d.items[d.found[d.at].index].Why != "":
		l.Add(s.Warn, d.items[d.found[d.at].index].Why)
	case d.note != "":
		l.Add(s.Muted, d.note)
	default:
		l.Add(s.Muted, look.Plural(len(d.found), "line")+map[bool]string{true: "", false: ", the best first"}[d.search.Value() == ""])
	}
	return l.Cut(w)
}
