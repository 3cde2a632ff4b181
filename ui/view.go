package ui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
)

// The least screen that holds something of use.
const (
	leastWidth  = 40
	leastHeight = 10
)

// View implements [tea.Model].
func (m *model) View() tea.View {
	v := tea.NewView(strings.Join(m.lines(), "\n"))
	v.AltScreen = true
	v.MouseMode = tea.MouseModeCellMotion
	v.WindowTitle = "lxd-allowlist"
	if m.capture != nil {
		v.WindowTitle += " " + m.capture.Title
		if m.focus == onShell && m.dialog == nil {
			v.Cursor = m.shell.cursor(m.layout.shell)
		}
	}
	return v
}

func (m *model) lines() []string {
	switch {
	case m.w == 0 || m.h == 0:
		return nil
	case m.w < leastWidth || m.h < leastHeight:
		return m.blank(fmt.Sprintf("%d×%d is too small: %d×%d at least", m.w, m.h, leastWidth, leastHeight))
	case m.picker != nil:
		return m.frame(m.picker.draw(m))
	case m.opening != nil:
		return m.frame(m.opening.draw(m))
	case m.capture == nil:
		return m.blank("")
	}
	lines := append(make([]string, 0, m.h), m.header())
	lines = append(lines, m.body()...)
	lines = append(lines, m.footer())
	if m.dialog != nil {
		box := m.dialog.view(m, m.w, m.h)
		w := 0
		if len(box) > 0 {
			w = width(box[0])
		}
		overlay(lines, box, max(0, (m.w-w)/2), max(0, (m.h-len(box))/2), m.w)
	}
	return lines
}

func (m *model) blank(text string) []string {
	lines := make([]string, m.h)
	lines[0] = fit(text, m.w)
	return lines
}

// frame puts the header and the footer around what stands before a capture.
func (m *model) frame(body []string) []string {
	lines := append(make([]string, 0, m.h), m.header())
	for i := range m.h - 2 {
		if i < len(body) {
			lines = append(lines, fit(body[i], m.w))
		} else {
			lines = append(lines, strings.Repeat(" ", m.w))
		}
	}
	return append(lines, m.footer())
}

func (m *model) body() []string {
	l := m.layout
	var lines []string
	var table, shell []string
	if l.table.h > 0 {
		table = m.table.draw(&m.styles, m.focus == onTable, m.waiting())
	}
	if l.shell.h > 0 {
		shell = m.shell.draw(&m.styles, l.shell, m.focus == onShell, m.keys.Leave.Help().Key)
	}
	if l.divider.h == 0 {
		return append(append(lines, table...), shell...)
	}
	bar := m.styles.rule.Render("│")
	for i := range table {
		lines = append(lines, table[i]+bar+shell[i])
	}
	return lines
}

// waiting says what an empty table waits for.
func (m *model) waiting() string {
	if !m.capture.Live {
		return ""
	}
	return "waiting for the first query: use the application"
}

// header says what is captured, how it stands and since when nothing new came.
func (m *model) header() string {
	s := &m.styles
	var l line
	l.add(s.brand, " lxd-allowlist ")
	if m.capture == nil {
		return l.add(s.muted, "  "+"every domain an application needs, from its own DNS queries").cut(m.w)
	}
	l.add(s.strong, " "+m.capture.Title)
	t := m.table.tally
	var right line
	right.add(s.text, fmt.Sprintf("%d new", t.New)).
		add(s.muted, " · ").add(s.keep, fmt.Sprintf("%d keep", t.Keep)).
		add(s.muted, " · ").add(s.drop, fmt.Sprintf("%d drop", t.DropByUser)).
		add(s.muted, fmt.Sprintf(" · %d auto ", t.DropByRule))
	var mid line
	m.capture.Ledger.Read(func(r capture.Reader) {
		if m.capture.Live {
			mid.add(s.good, "  ● live")
			if at := r.LastNew(); !at.IsZero() {
				mid.add(s.muted, "  last new "+age(m.now.Sub(at)))
			}
		}
		if err := r.JournalErr(); err != nil {
			mid.add(s.bad, "  not saved: "+err.Error())
		} else if n := r.Counts().Lost; n > 0 {
			mid.add(s.warn, fmt.Sprintf("  dnsmasq lost %d", n))
		}
	})
	if l.w+mid.w+right.w <= m.w {
		l.b.WriteString(mid.String())
		l.w += mid.w
	}
	l.pad(m.w - right.w)
	l.b.WriteString(right.String())
	l.w += right.w
	return l.cut(m.w)
}

// footer shows the last message for a while, else the keys that do something
// now.
func (m *model) footer() string {
	s := &m.styles
	if text := m.messages.current(m.now); text != "" {
		var l line
		return l.add(s.key, " ▸ ").add(s.text, text).cut(m.w)
	}
	return hints(s, m.hints(), m.w)
}

func (m *model) hints() []key.Binding {
	k := &m.keys
	switch {
	case m.picker != nil:
		return m.picker.hints(k)
	case m.opening != nil:
		return m.opening.hints(k)
	case m.capture == nil:
		return nil
	case m.focus == onShell && m.shell.running():
		return []key.Binding{relabel(k.Leave, "to the table"), k.ShellUp}
	case m.focus == onShell:
		return []key.Binding{relabel(k.Reopen, "open the shell again"), relabel(k.Shell, "table"), k.Help, k.Quit}
	case m.table.editing():
		return []key.Binding{relabel(k.Accept, "keep the filter"), relabel(k.Cancel, "clear it")}
	}
	list := []key.Binding{k.Keep, k.Drop, k.Undo, k.Filter, k.Sort, k.Details}
	if m.shell != nil {
		list = append(list, k.Shell)
	}
	return append(list, k.Export, k.Help, k.Quit)
}

func relabel(b key.Binding, help string) key.Binding {
	b.SetHelp(b.Help().Key, help)
	return b
}

// hints draws keys and what they do, as many as fit; the last two always do.
func hints(s *styles, keys []key.Binding, w int) string {
	piece := func(b key.Binding) *line {
		var l line
		return l.add(s.muted, " ").add(s.key, b.Help().Key).add(s.muted, " "+b.Help().Desc+" ")
	}
	var l line
	last := max(0, len(keys)-2)
	room := w
	for _, b := range keys[last:] {
		room -= piece(b).w
	}
	for i, b := range keys {
		p := piece(b)
		if i < last {
			if p.w > room {
				continue
			}
			room -= p.w
		}
		l.b.WriteString(p.String())
		l.w += p.w
	}
	return l.cut(w)
}

// titleLine begins a pane's title: its name and something about it. The pane
// with the focus has a heavy rule, so that it shows without colours too.
func titleLine(s *styles, focused bool, name, info string) *line {
	l := &line{}
	rule, title, dash := s.rule, s.title, "─"
	if focused {
		rule, title, dash = s.ruleFocused, s.titleFocused, "━"
	}
	l.add(rule, dash+" ").add(title, name)
	if info != "" {
		l.add(s.muted, " "+info)
	}
	return l
}

// finishTitle draws the rule to the end of the line, or cuts it.
func finishTitle(s *styles, focused bool, l *line, w int) string {
	rule, dash := s.rule, "─"
	if focused {
		rule, dash = s.ruleFocused, "━"
	}
	if n := w - l.w - 1; n > 0 {
		l.add(rule, " "+strings.Repeat(dash, n))
	}
	return l.cut(w)
}
