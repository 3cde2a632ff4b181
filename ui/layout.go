package ui

// sideBySide is the width from which the table and the shell stand beside
// each other: a table of 60 columns and a shell of nearly 60.
const sideBySide = 120

// rect is a place on the screen, in cells.
type rect struct{ x, y, w, h int }

func (r rect) contains(x, y int) bool {
	return x >= r.x && x < r.x+r.w && y >= r.y && y < r.y+r.h
}

// zoom says which pane has the screen to itself.
type zoom int

const (
	zoomNone zoom = iota
	zoomTable
	zoomShell
)

// layout is where everything stands. A pane's first line is its title; an
// absent pane has no height.
type layout struct {
	header, footer rect
	table, shell   rect
	divider        rect // between panes side by side
}

// arrange places the panes on a screen of w by h cells: side by side from
// sideBySide columns on, one above the other below that.
func arrange(w, h int, hasShell bool, z zoom) layout {
	l := layout{header: rect{0, 0, w, min(h, 1)}}
	if h < 2 {
		return l
	}
	l.footer = rect{0, h - 1, w, 1}
	body := rect{0, 1, w, h - 2}
	switch {
	case !hasShell || z == zoomTable:
		l.table = body
	case z == zoomShell:
		l.shell = body
	case w >= sideBySide:
		left := (w - 1) * 54 / 100
		l.table = rect{0, body.y, left, body.h}
		l.divider = rect{left, body.y, 1, body.h}
		l.shell = rect{left + 1, body.y, w - left - 1, body.h}
	default:
		top := (body.h + 1) / 2
		l.table = rect{0, body.y, w, top}
		l.shell = rect{0, body.y + top, w, body.h - top}
	}
	return l
}
