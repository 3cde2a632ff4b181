package ui

import (
	"cmp"
	"fmt"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture/session"
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
	case imagesMsg:
		p.images = list{choices: msg.choices, err: msg.err}
		p.arrange()
	case sessionsMsg:
		p.sessions, p.counted, p.sessionsErr, p.loading = msg.all, msg.counted, msg.err, false
		p.arrange()
		if !msg.counted && msg.err == nil {
			return count(msg.all)
		}
	case tea.KeyPressMsg:
		return p.key(msg)
	case tea.PasteMsg:
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
		{Row: keys.Row{Name: rowAccept, Hint: "open"}, Can: (*picker).shut, Do: (*picker).choose},
		{Row: keys.Row{Name: rowUp}, Do: to(func(p *picker) int { return p.at - 1 })},
		{Row: keys.Row{Name: rowDown, Hint: "choose", Beside: rowUp}, Do: to(func(p *picker) int { return p.at + 1 })},
		{Row: keys.Row{Name: "page-up"}, Do: to(func(p *picker) int { return p.at - p.room() })},
		{Row: keys.Row{Name: "page-down"}, Do: to(func(p *picker) int { return p.at + p.room() })},
		{Row: keys.Row{Name: "look-only", Help: "open a session without a capture", Hint: "only look", Keys: []string{"ctrl+o"}}, Can: (*picker).noSession, Do: (*picker).lookOnly},
		{Row: keys.Row{Name: "read-again", Help: "read the lists again", Hint: "read again", Keys: []string{"ctrl+r"}}, Do: (*picker).start},
		{Row: keys.Row{Name: rowCancel}, Do: (*picker).cancel},
		{Row: keys.Row{Name: rowSuspend}, Can: needsJobs[*picker], Do: suspends[*picker]},
		{Row: keys.Row{Name: "next-list", Help: "the next list", Hint: "next list", Keys: []string{"tab"}}, Do: to((*picker).nextList)},
		{Row: keys.Row{Name: "quit", Hint: "quit"}, Do: func(*picker) tea.Cmd { return tea.Quit }},
	}}
}

func (p *picker) key(msg tea.KeyPressMsg) tea.Cmd {
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
	return p.frame(p.draw(), p.tables.picker.Hints(p.keys, p))
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
		prompt.Raw(p.input.View())
	} else {
		prompt.Add(s.Muted, "type to filter: a name, a state, an address; ubuntu:24.04 launches one")
	}
	lines := []string{"", prompt.String(), ""}
	all, at := p.drawLists()
	room := p.room()
	first := max(0, min(at-room+2, len(all)-room))
	if at < first+1 {
		first = max(0, at-1) // with its heading
	}
	all = all[first:min(len(all), first+room)]
	lines = append(lines, all...)
	for len(lines) < pickerChrome+room {
		lines = append(lines, "")
	}
	return append(lines, p.foot()...)
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

// drawLists draws the rows below their headings; at is the line of the one
// that is selected.
func (p *picker) drawLists() (lines []string, at int) {
	s := p.styles
	filtered := p.input.Value() != ""
	widths := p.widths()
	for _, k := range []rowKind{ofInstances, ofSessions, ofImages} {
		head := new(look.Line).Add(s.Title, " "+kindNames[k])
		note := p.empty(k)
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
		lines = append(lines, head.String())
		if n == 0 {
			for _, text := range look.Wrap(s.Muted, note, p.w-3) {
				lines = append(lines, " "+text)
			}
		}
		for i, r := range p.rows {
			if r.kind != k {
				continue
			}
			if i == p.at {
				at = len(lines)
			}
			lines = append(lines, r.draw(s, p, widths, i == p.at))
		}
		lines = append(lines, "")
	}
	if len(p.rows) == 0 && filtered {
		lines = append(lines, s.Muted.Render(" nothing matches; "+p.keys.Show(rowCancel)+" clears it"))
	}
	return lines, at
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
