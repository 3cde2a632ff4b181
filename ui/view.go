package ui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

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
		for i := range lines {
			lines[i] = m.styles.rule.Render(ansi.Strip(lines[i])) // what stands behind steps back
		}
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
	for i := range lines {
		lines[i] = strings.Repeat(" ", m.w)
	}
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
	first, second := table, shell
	if m.prefs.Swapped {
		first, second = shell, table
	}
	if l.divider.w != 1 {
		return append(append(lines, first...), second...)
	}
	bar := m.styles.rule.Render("│")
	for i := range first {
		lines = append(lines, first[i]+bar+second[i])
	}
	return lines
}

// waiting says what an empty table waits for.
func (m *model) waiting() string {
	if !m.capture.Live {
		text := ""
		m.capture.Ledger.Read(func(r capture.Reader) {
			if c := r.Counts(); c.Lines > 0 && c.Queries == 0 {
				text = fmt.Sprintf("no query in %s: is it dnsmasq's log, with log-queries?", plural(int(c.Lines), "line"))
			}
		})
		return text
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
	for _, news := range m.news() {
		if l.w+news.w+right.w <= m.w {
			l.join(news)
		}
	}
	var left line
	left.b.WriteString(fit(l.b.String(), max(0, min(l.w, m.w-right.w-1))))
	left.w = max(0, min(l.w, m.w-right.w-1))
	return left.pad(m.w - right.w).join(&right).cut(m.w)
}

// news is what the header says where there is room, the weightiest first.
func (m *model) news() (all []*line) {
	s := &m.styles
	if p := m.capture.Progress; p != nil && p() < 1 {
		all = append(all, new(line).add(s.fresh, fmt.Sprintf("  reading %d%%", int(p()*100))))
	}
	say := func(st lipgloss.Style, text string) { all = append(all, new(line).add(st, "  "+text)) }
	m.capture.Ledger.Read(func(r capture.Reader) {
		if err := r.Fault(); err != nil {
			say(s.bad, "not saved: "+err.Error())
		}
		if n := r.Counts().Lost; n > 0 {
			say(s.warn, fmt.Sprintf("dnsmasq lost %d", n))
		}
		if !m.capture.Live {
			return
		}
		say(s.good, "● live")
	})
	if text := m.pace.saturation(m.now); text != "" && m.capture.Live {
		say(s.muted, text)
		all = append(all, new(line).add(s.muted, "  new ").add(s.fresh, chart(m.pace.domainBars)).
			add(s.muted, "  queries ").add(s.key, chart(m.pace.bars)))
	}
	return all
}

// footer shows the last message for a while, else the keys that do something
// now.
func (m *model) footer() string {
	s := &m.styles
	keys := m.hints()
	text := m.messages.current(m.now)
	if text == "" || m.dialog != nil || m.table.editing() {
		return hints(s, keys, m.w)
	}
	var l, rest line
	for _, b := range keys[max(0, len(keys)-2):] {
		rest.join(hint(s, b))
	}
	l.add(s.key, " ▸ ").add(s.strong, text).add(s.text, " ")
	if l.w+rest.w <= m.w {
		l.pad(m.w - rest.w).join(&rest)
	}
	return l.cut(m.w)
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
	list := []key.Binding{k.Keep, k.Drop, k.Undo, k.Filter, k.Group, k.Details}
	if m.shell != nil {
		list = append(list, k.Shell)
	}
	return append(list, k.Export, k.Help, k.Quit)
}

func relabel(b key.Binding, help string) key.Binding {
	b.SetHelp(b.Help().Key, help)
	return b
}

func hint(s *styles, b key.Binding) *line {
	return new(line).add(s.muted, " ").add(s.key, b.Help().Key).add(s.muted, " "+b.Help().Desc+" ")
}

// hints draws keys and what they do, as many as fit: the first and the last
// two before the others.
func hints(s *styles, keys []key.Binding, w int) string {
	last := max(0, len(keys)-2)
	room := w
	for i, b := range keys {
		if i == 0 || i >= last {
			room -= hint(s, b).w
		}
	}
	var l line
	for i, b := range keys {
		p := hint(s, b)
		if i > 0 && i < last {
			if p.w > room {
				continue
			}
			room -= p.w
		}
		l.join(p)
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
