package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
)

// mouse does at the start what it does elsewhere: a click chooses, a second one
// opens, on a hint of the footer it does that; the wheel goes up and down.
func (p *picker) mouse(msg tea.MouseMsg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.MouseWheelMsg:
		switch {
		case p.dialog != nil:
			return p.do(p.turnAt(p.dialog, msg))
		case msg.Button == tea.MouseWheelUp:
			return p.run(rowUp)
		case msg.Button == tea.MouseWheelDown:
			return p.run(rowDown)
		}
	case tea.MouseClickMsg:
		switch {
		case msg.Button != tea.MouseLeft:
		case msg.Y == p.h-1:
			if name := look.HintAt(p.hints(), p.w, msg.X); name != "" {
				return p.run(name)
			}
		case p.dialog != nil:
			return p.do(p.pointAt(p.dialog, msg.Mouse()))
		default:
			return p.clickRow(msg.Mouse())
		}
	}
	return nil
}

// pickerMouseHelp is what the mouse does at the start, for the palette.
var pickerMouseHelp = [][2]string{
	{"click", "choose; do what the footer says"},
	{"twice", "open it; in this list do it, as enter"},
	{"wheel", "up and down"},
}

// run does the action of a name, of the dialog if one is open.
func (p *picker) run(name string) tea.Cmd {
	if p.dialog != nil {
		return p.do(dialog.Run(p.dialog, name))
	}
	o := p.tables.picker.Run(name, p)
	p.said = o.Why
	return o.Of
}

func (p *picker) clickRow(at tea.Mouse) tea.Cmd {
	_, rows := p.drawLists()
	line := at.Y - 1 - pickerChrome + p.first(rows)
	if at.Y <= pickerChrome || at.Y > pickerChrome+p.room() || line >= len(rows) || rows[line] < 0 {
		return nil
	}
	now := time.Now()
	twice := rows[line] == p.at && p.clicked.y == at.Y && now.Sub(p.clicked.at) < doubleClick
	p.at, p.moved, p.said, p.clicked = rows[line], true, "", click{now, at.X, at.Y}
	if twice {
		return p.run(rowAccept)
	}
	return nil
}
