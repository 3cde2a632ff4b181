package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// picker is the phase in which it is chosen what to open: an instance, a
// session that is kept, or an image. What is typed filters all of them.
type picker struct {
	*model
	input textinput.Model
	rows  []pickerRow // that match what was typed
	at    int         // of rows
	moved bool        // by the user: lists that come in later leave the choice alone
	said  string      // why the choice can't be taken

	dialog  dialog.Dialog // nil while none is open
	clicked click

	instances, images list
	sessions          []session.Entry
	counted           bool // the sessions are
	sessionsErr       error
	loading           bool // the sessions' names
}

// list is what LXD was asked for.
type list struct {
	loading bool
	choices []Choice
	err     error
}

type (
	choicesMsg struct {
		choices []Choice
		err     error
	}
	imagesMsg   choicesMsg
	sessionsMsg struct {
		all     []session.Entry
		counted bool
		err     error
	}
)

func newPicker(m *model) *picker {
	p := &picker{model: m, input: textinput.New()}
	p.input.Prompt = ""
	p.input.Focus()
	return p
}

// start reads the lists, each by itself: sessions are there without LXD, too.
func (p *picker) start() tea.Cmd {
	p.instances, p.images = list{loading: true}, list{loading: true}
	p.loading, p.counted = true, false
	p.arrange()
	return tea.Batch(
		func() tea.Msg {
			choices, err := p.opts.Backend.Choices(p.ctx)
			return choicesMsg{choices, err}
		},
		func() tea.Msg {
			choices, err := p.opts.Backend.Images(p.ctx)
			return imagesMsg{choices, err}
		},
		func() tea.Msg {
			all, err := session.List()
			return sessionsMsg{all: all, err: err}
		},
	)
}

// count reads all of each session, which takes a while where they are large.
func count(all []session.Entry) tea.Cmd {
	return func() tea.Msg {
		counted := make([]session.Entry, 0, len(all))
		for _, s := range all {
			s.Count()
			counted = append(counted, s)
		}
		return sessionsMsg{all: counted, counted: true}
	}
}

func (p *picker) cursor() *tea.Cursor { return nil }
func (p *picker) title() string       { return "" }

// leave says why there was nothing to choose from, or what failed last.
func (p *picker) leave() error { return cmp.Or(p.instances.err, p.failed) }

func (p *picker) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case choicesMsg:
		p.instances = list{choices: msg.choices, err: msg.err}
		p.arrange()
		p.fillPalette()
	case imagesMsg:
		p.images = list{choices: msg.choices, err: msg.err}
		p.arrange()
		p.fillPalette()
	case sessionsMsg:
		p.sessions, p.counted, p.sessionsErr, p.loading = msg.all, msg.counted, msg.err, false
		p.arrange()
		p.fillPalette()
		if !msg.counted && msg.err == nil {
			return count(msg.all)
		}
	case settingSetMsg:
		p.set(msg)
	case tea.KeyPressMsg:
		return p.key(msg)
	case tea.MouseMsg:
		return p.mouse(msg)
	case tea.PasteMsg:
		if p.dialog != nil {
			return p.do(p.dialog.Type(msg))
		}
		p.typed(msg)
	}
	return nil
}

func pickerActions() keys.Table[*picker, tea.Cmd] {
	to := func(at func(*picker) int) func(*picker) tea.Cmd {
		return func(p *picker) tea.Cmd {
			p.at, p.moved = max(0, min(at(p), len(p.rows)-1)), true
			return nil
		}
	}
	return keys.Table[*picker, tea.Cmd]{Context: "the start", Typing: true, Actions: []keys.Action[*picker, tea.Cmd]{
		{Row: keys.Row{Name: rowAccept, Section: "Start", Help: "open what is chosen", Hint: "open"}, Can: (*picker).shut, Do: (*picker).choose},
		{Row: keys.Row{Name: rowUp}, Do: to(func(p *picker) int { return p.at - 1 })},
		{Row: keys.Row{Name: rowDown, Hint: "choose", Beside: rowUp}, Do: to(func(p *picker) int { return p.at + 1 })},
		{Row: keys.Row{Name: "page-up"}, Do: to(func(p *picker) int { return p.at - p.room() })},
		{Row: keys.Row{Name: "page-down"}, Do: to(func(p *picker) int { return p.at + p.room() })},
		{Row: keys.Row{Name: "look-only", Section: "Start", Help: "open a session without a capture", Hint: "only look", Keys: []string{"ctrl+o"}}, Can: (*picker).noSession, Do: (*picker).lookOnly},
		{Row: keys.Row{Name: "read-again", Section: "Start", Help: "read the lists again", Hint: "read again", Keys: []string{"ctrl+r"}}, Do: (*picker).start},
		{Row: keys.Row{Name: rowCancel, Section: "Start", Help: "clear the filter, else quit"}, Do: (*picker).cancel},
		{Row: keys.Row{Name: rowSuspend, Section: "Start"}, Can: needsJobs[*picker], Do: suspends[*picker]},
		{Row: keys.Row{Name: "next-list", Section: "Start", Help: "the next list", Hint: "next list", Keys: []string{"tab"}}, Do: to((*picker).nextList)},
		{Row: keys.Row{Name: "help"}, Do: (*picker).openPalette},
		{Row: keys.Row{Name: "palette", Hint: "help"}, Do: (*picker).openPalette},
		{Row: keys.Row{Name: "quit", Section: "Start", Help: "quit", Hint: "quit"}, Do: func(*picker) tea.Cmd { return tea.Quit }},
	}}
}

func (p *picker) key(msg tea.KeyPressMsg) tea.Cmd {
	if p.dialog != nil {
		return p.do(dialog.Press(p.dialog, msg))
	}
	o := p.tables.picker.Press(p.keys, msg.String(), p)
	p.said = o.Why
	if !o.Bound {
		p.typed(msg)
	}
	return o.Of
}

// typed takes what filters.
func (p *picker) typed(msg tea.Msg) {
	before := p.input.Value()
	p.input, _ = p.input.Update(msg)
	if p.input.Value() != before {
		p.moved = false
		p.arrange()
	}
}

// cancel takes the filter away, else ends the program.
func (p *picker) cancel() tea.Cmd {
	if p.input.Value() == "" {
		return tea.Quit
	}
	p.input.SetValue("")
	p.moved = false
	p.arrange()
	return nil
}

// arrange makes the rows anew. What was selected stays that if the user has
// chosen it, else it is the first one that can be opened.
func (p *picker) arrange() {
	var selected string
	if p.moved && p.at < len(p.rows) {
		selected = p.rows[p.at].id()
	}
	p.rows, p.at = p.matching(p.input.Value()), -1
	for i, r := range p.rows {
		if selected != "" && r.id() == selected || selected == "" && r.shut() == "" {
			p.at = i
			break
		}
	}
	p.at = max(p.at, 0)
}

// nextList is the first row of the next list, or of the first.
func (p *picker) nextList() int {
	for i := p.at; i < len(p.rows); i++ {
		if p.rows[i].kind != p.rows[p.at].kind {
			return i
		}
	}
	return 0
}

// selected is the row with the mark, nil for none.
func (p *picker) selected() *pickerRow {
	if p.at >= len(p.rows) {
		return nil
	}
	return &p.rows[p.at]
}

// shut says why what is selected can't be opened.
func (p *picker) shut() string {
	if r := p.selected(); r != nil {
		return r.shut()
	}
	return "there is nothing to open"
}

func (p *picker) noSession() string {
	if r := p.selected(); r == nil || r.kind != ofSessions {
		return "only a session can be looked at without a capture"
	}
	return p.shut()
}

func (p *picker) choose() tea.Cmd { return p.enter(newOpening(p.model, p.selected().choice)) }

func (p *picker) lookOnly() tea.Cmd {
	return p.enter(newOpening(p.model, Choice{Session: p.selected().choice.Session}))
}

func (p *picker) lines() []string {
	if p.dialog == nil {
		return p.frame(p.draw(), p.hints())
	}
	lines := p.frame(p.draw(), p.hints())
	var said []string
	if p.said != "" {
		said = p.drawSaid(p.said, p.w)
	}
	above := p.h - 1 - len(said)
	p.overlay(lines[:p.h-1], p.dialog, above, p.now)
	copy(lines[max(0, above):], said)
	return lines
}

// hints are what can be done now.
func (p *picker) hints() []look.Hint {
	if p.dialog != nil {
		return p.dialog.Keys().Hints()
	}
	return p.tables.picker.Hints(p.keys, p)
}

// pickerChrome is how many lines stand above the lists.
const pickerChrome = 3

// room is how many lines the lists have.
func (p *picker) room() int { return max(1, p.h-2-pickerChrome-len(p.foot())) }

func (p *picker) draw() []string {
	s := p.styles
	prompt := new(look.Line).Add(s.Key, " ❯ ")
	if text := p.input.Value(); text != "" {
		p.input.SetWidth(max(10, p.w-8))
		s.Input(&p.input)
		prompt.Raw(p.input.View())
	} else {
		prompt.Add(s.Muted, "type to filter: a name, a state, an address; ubuntu:24.04 launches one")
	}
	lines := []string{"", prompt.String(), ""}
	all, rows := p.drawLists()
	first := p.first(rows)
	lines = append(lines, all[first:min(len(all), first+p.room())]...)
	for len(lines) < pickerChrome+p.room() {
		lines = append(lines, "")
	}
	return append(lines, p.foot()...)
}

// first is the first line of the lists in view, where lines are those of rows.
func (p *picker) first(rows []int) int {
	at, room := max(0, slices.Index(rows, p.at)), p.room()
	first := max(0, min(at-room+2, len(rows)-room))
	if at < first+1 {
		first = max(0, at-1) // with its heading
	}
	return first
}

// foot says at the bottom what the row has no room for.
func (p *picker) foot() []string {
	s := p.styles
	switch r := p.selected(); {
	case p.said != "":
		return append([]string{""}, look.Wrap(s.Warn, p.said, p.w-1)...)
	case p.instances.err != nil:
		return append([]string{""}, look.Wrap(s.Bad, p.instances.err.Error(), p.w-1)...)
	case r == nil:
	case r.shut() != "":
		return append([]string{""}, look.Wrap(s.Warn, r.shut(), p.w-1)...)
	case r.choice.Use != "":
		return append([]string{""}, look.Wrap(s.Warn, r.choice.name()+": "+r.choice.Use, p.w-1)...)
	}
	return nil
}

// drawLists draws the rows below their headings; rows has the row of each line,
// -1 for none.
func (p *picker) drawLists() (lines []string, rows []int) {
	s := p.styles
	filtered := p.input.Value() != ""
	widths := p.widths()
	add := func(line string, row int) { lines, rows = append(lines, line), append(rows, row) }
	for _, k := range []rowKind{ofInstances, ofSessions, ofImages} {
		head := new(look.Line).Add(s.Title, " "+kindNames[k])
		n := 0
		for _, r := range p.rows {
			if r.kind == k {
				n++
			}
		}
		if n == 0 && filtered {
			continue
		}
		if n > 0 {
			head.Add(s.Muted, fmt.Sprintf("  %d", n))
		}
		if k == ofSessions && !p.counted && n > 0 {
			head.Add(s.Muted, "  reading them…")
		}
		add(head.String(), -1)
		if n == 0 {
			for _, text := range look.Wrap(s.Muted, p.empty(k), p.w-3) {
				add(" "+text, -1)
			}
		}
		for i, r := range p.rows {
			if r.kind == k {
				add(r.draw(s, p, widths, i == p.at), i)
			}
		}
		add("", -1)
	}
	if len(p.rows) == 0 && filtered {
		add(s.Muted.Render(" nothing matches; "+p.keys.Show(rowCancel)+" clears it"), -1)
	}
	return lines, rows
}

// empty says why a list has nothing in it.
func (p *picker) empty(k rowKind) string {
	switch k {
	case ofInstances:
		switch {
		case p.instances.loading:
			return "asking LXD…"
		case p.instances.err != nil:
			return "LXD can't be asked; sessions can be opened all the same, and lxd-allowlist demo shows a sample"
		}
		return "there is none yet"
	case ofSessions:
		switch {
		case p.loading:
			return "reading them…"
		case p.sessionsErr != nil:
			return strings.TrimSpace(p.sessionsErr.Error())
		}
		return "none is kept yet: what you decide is kept here"
	}
	switch {
	case p.images.loading:
		return "asking LXD…"
	case p.instances.err != nil:
		return "LXD can't be asked"
	case p.images.err != nil:
		return p.images.err.Error()
	}
	return "none is here yet: type ubuntu:24.04 to download and launch one, which is removed at the end"
}
