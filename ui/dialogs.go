package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
)

// overlay draws a dialog over the lines of a screen, on the first h of them.
func (m *model) overlay(lines []string, d dialog.Dialog, h int, now time.Time) {
	for i := range lines {
		lines[i] = look.Faint(m.styles, lines[i]) // what stands behind steps back
	}
	all := d.View(dialog.Screen{Styles: m.styles, W: m.w, H: h, Now: now})
	box := look.Whole(m.styles, all, h)
	m.boxCut = len(all) - len(box)
	w := 0
	if len(box) > 0 {
		w = look.Width(box[0])
	}
	m.box = rect{max(0, (m.w-w)/2), max(0, (h-len(box))/2), w, len(box)}
	look.Overlay(lines, box, m.box.x, m.box.y, m.w)
}

// pointAt has a dialog take a click, as it was drawn last: what is clicked on is
// chosen, and done on the second click of two.
func (m *model) pointAt(d dialog.Dialog, at tea.Mouse) dialog.Result {
	p, ok := d.(dialog.Pointed)
	if !ok || !m.box.contains(at.X, at.Y) {
		return nil
	}
	if m.pointed.again(at) && m.chose { // the box may have moved meanwhile
		return dialog.Run(d, rowAccept)
	}
	y := at.Y - m.box.y
	if y > 1 {
		y += m.boxCut
	}
	var r dialog.Result
	m.chose, r = p.Point(at.X-m.box.x, y)
	return r
}

// turnAt has a dialog take the wheel: what is under it scrolls, or else the
// choice moves.
func (m *model) turnAt(d dialog.Dialog, wheel tea.MouseWheelMsg) dialog.Result {
	turns, name := 1, rowDown
	switch wheel.Button {
	case tea.MouseWheelUp:
		turns, name = -1, rowUp
	case tea.MouseWheelDown:
	default:
		return nil
	}
	if w, ok := d.(dialog.Wheeled); ok && m.box.contains(wheel.X, wheel.Y) && w.Wheel(wheel.X-m.box.x, wheel.Y-m.box.y, turns) {
		return nil
	}
	return dialog.Run(d, name)
}

// drawSaid draws a message of lines of w cells, whole.
func (m *model) drawSaid(text string, w int) (said []string) {
	for i, line := range look.Wrap(m.styles.Strong, text, w-3) {
		l := new(look.Line).Add(m.styles.Key, map[bool]string{true: " ▸"}[i == 0]).Pad(2)
		said = append(said, l.Raw(line).Cut(w))
	}
	return said
}

// do does what a dialog wants done.
func (m *monitor) do(r dialog.Result) tea.Cmd {
	switch r := r.(type) {
	case dialog.Close:
		m.dialog = nil
	case dialog.Quit:
		return tea.Quit
	case dialog.Act:
		cmd := m.act(r.Name)
		m.followSelection()
		return cmd
	case dialog.Next:
		m.table.MoveToRow(r.Step)
		m.followSelection()
	case dialog.Say:
		m.say(r.Text)
	case dialog.Picked:
		return m.picked(r.To)
	case dialog.Weigh:
		return m.weigh(r)
	case dialog.Widen:
		return m.widen(r)
	case dialog.Answer:
		return m.answered(r)
	case dialog.OfCommand:
		m.filterCommand(r.Line)
	case dialog.Copy:
		return copies(m.ctx, r.Text, r.What)
	case dialog.Chosen:
		return m.chosen(r)
	case dialog.WriteReport:
		return m.writeReport(r)
	case dialog.Make:
		return m.makeFile(r)
	case dialog.Write:
		return m.writeFile(r)
	}
	return nil
}

// openDetails shows the selected domain, or folds the selected group.
func (m *monitor) openDetails() {
	it, _ := m.table.Selected()
	if it.Group != "" || it.Round {
		m.table.Fold(!it.Folded)
		return
	}
	d := dialog.NewDetails(m.keys, m.capture.Ledger, m.opts.Lists, m.enforcing.policy(), it.ID)
	d.ShowWay(it.Way)
	m.dialog = d
}

// followSelection has the details show what is selected: a key there is about
// that. Where no domain is, there is nothing left to show.
func (m *monitor) followSelection() {
	d, ok := m.dialog.(*dialog.Details)
	if !ok {
		return
	}
	if it, ok := m.table.Selected(); ok && it.Group == "" && !it.Round {
		d.Show(it.ID)
		d.ShowWay(it.Way)
		return
	}
	m.dialog = nil
}

func (m *monitor) openMessages() {
	var standing []string
	if problem, since := m.capture.problem(); problem != "" {
		standing = append(standing, "queries are not logged since "+since.Format("15:04")+": "+problem)
	}
	m.capture.Ledger.Read(func(r capture.Reader) {
		if err := r.Fault(); err != nil {
			standing = append(standing, "not saved: "+err.Error())
		}
		standing = append(standing, r.Doubts()...)
	})
	m.dialog = dialog.NewMessages(m.keys, standing, &m.messages)
}

func (m *monitor) openTold() { m.dialog = dialog.NewToldLog(m.keys, m.capture.Told) }
