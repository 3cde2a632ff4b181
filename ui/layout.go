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
	packets        rect // refused ones, below the table
	details        rect // of what is selected, beside the table or below it
	divider        rect // what the mouse takes hold of between the panes
}

// arrange places the panes on a screen of w by h cells: side by side from
// sideBySide columns on, one above the other below that, the table first
// unless they are swapped, with its share of the room.
func arrange(w, h int, hasShell bool, z zoom, p prefs) layout {
	l := layout{header: rect{0, 0, w, min(h, 1)}}
	if h < 2 {
		return l
	}
	l.footer = rect{0, h - 1, w, 1}
	body := rect{0, 1, w, h - 2}
	share := p.Share
	if p.Swapped {
		share = 100 - share
	}
	var first, second rect
	switch {
	case !hasShell || z == zoomTable:
		l.table = body
		return l
	case z == zoomShell:
		l.shell = body
		return l
	case w >= sideBySide:
		left := (w - 1) * share / 100
		first = rect{0, body.y, left, body.h}
		l.divider = rect{left, body.y, 1, body.h}
		second = rect{left + 1, body.y, w - left - 1, body.h}
	default:
		top := max(4, min((body.h*share+50)/100, body.h-4))
		first = rect{0, body.y, w, top}
		second = rect{0, body.y + top, w, body.h - top}
		l.divider = rect{0, body.y + top, w, 1} // the lower pane's title
	}
	l.table, l.shell = first, second
	if p.Swapped {
		l.table, l.shell = second, first
	}
	return l
}

// shellWants is the width that programs in a shell are made for: what it has
// beyond that it gives to a table with the focus. shellLeast is what one has left
// that gives what it doesn't use of less.
const (
	shellWants = 80
	shellLeast = 40
)

// lend has the pane with the focus grow, as far as the one beside it has more
// than it wants: a shell that uses so many cells.
func (l layout) lend(to focus, tableWants, shellUses int) layout {
	more := 0
	switch {
	case l.divider.w != 1:
	case to == onTable:
		keeps := max(shellLeast, shellUses)
		if l.shell.w >= shellWants {
			keeps = max(shellWants, shellUses)
		}
		more = max(0, min(tableWants-l.table.w, l.shell.w-keeps))
	default:
		more = -max(0, min(shellWants-l.shell.w, l.table.w-tableWants))
	}
	l.table.w += more
	l.shell.w -= more
	if l.table.x > l.shell.x {
		l.table.x -= more
		l.divider.x -= more
	} else {
		l.shell.x += more
		l.divider.x += more
	}
	return l
}
