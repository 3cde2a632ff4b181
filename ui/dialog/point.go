package dialog

// Pointed is a dialog of which the mouse can choose something.
type Pointed interface {
	// Point takes a click on a cell of the box, as it was drawn last. It
	// reports whether something is chosen by it, and returns what is to be done
	// about it, nil for nothing.
	Point(x, y int) (bool, Result)
}

// Wheeled is a dialog that has more than its choice to scroll.
type Wheeled interface {
	// Wheel scrolls what is drawn at a cell of the box by so many turns, and
	// reports whether it did: else the choice moves.
	Wheel(x, y, turns int) bool
}

// boxTop is how many lines a box has above what is in it.
const boxTop = 1

// drawn has the options that lines of a box show, by the line.
type drawn map[int]int

// Point implements [Pointed].
func (d *Palette) Point(_, y int) (bool, Result) {
	at, hit := d.drawn[y]
	if hit {
		d.at = at
	}
	return hit, nil
}

// Point implements [Pointed].
func (d *Choice) Point(_, y int) (bool, Result) {
	at, hit := d.drawn[y]
	if hit {
		d.at = at
	}
	return hit, nil
}

// Point implements [Pointed].
func (d *Ladder) Point(_, y int) (bool, Result) {
	at, hit := d.drawn[y]
	if hit {
		d.move(at - d.at)
	}
	return hit, nil
}

// Point implements [Pointed]: a format is chosen, or between the file and what
// it changes.
func (d *Export) Point(x, y int) (bool, Result) {
	format, hit := d.drawn[y]
	switch {
	case d.exists || d.path.Focused():
		return false, nil
	case d.inFile(x) && y == d.tabs:
		return false, d.turn()
	case !hit || d.inFile(x):
		return false, nil
	}
	return true, d.choose(format)
}

// Wheel implements [Wheeled]: it scrolls the file.
func (d *Export) Wheel(x, _, turns int) bool {
	if d.inFile(x) {
		d.top += wheelLines * turns
	}
	return d.inFile(x)
}

// wheelLines is how far one turn of the wheel scrolls.
const wheelLines = 3

// inFile reports whether a cell of the box is beside the list of formats.
func (d *Export) inFile(x int) bool { return !d.listed || x > formatsWidth+2 }
