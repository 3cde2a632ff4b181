package look

// Hint is a key, as it is shown, and what it does.
type Hint struct {
	Name      string // of the action: see [HintAt]
	Key, Does string
}

// HintLine draws one hint.
func HintLine(s *Styles, h Hint) *Line {
	return new(Line).Add(s.Muted, " ").Add(s.Key, h.Key).Add(s.Muted, " "+h.Does+" ")
}

// Width is how many cells [HintLine] takes.
func (h Hint) Width() int { return Width(h.Key) + Width(h.Does) + 3 }

// fitting returns as many hints as fit into w cells: the first, the last and the
// one before it go before the others.
func fitting(hints []Hint, w int) (fit []Hint) {
	n := len(hints)
	fits := make([]bool, n)
	take := func(i int) {
		if i >= 0 && i < n && !fits[i] && (i == 0 || hints[i].Width() <= w) {
			fits[i] = true
			w -= hints[i].Width()
		}
	}
	take(0)
	take(n - 1)
	take(n - 2)
	for i, h := range hints {
		if take(i); fits[i] {
			fit = append(fit, h)
		}
	}
	return fit
}

// HintsWidth is how many cells all hints take, and HintsLeast how many those
// that go before the others.
func HintsWidth(hints []Hint) (w int) {
	for _, h := range hints {
		w += h.Width()
	}
	return w
}

// HintsLeast: see [HintsWidth].
func HintsLeast(hints []Hint) int {
	if n := len(hints); n > 3 {
		hints = []Hint{hints[0], hints[n-2], hints[n-1]}
	}
	return HintsWidth(hints)
}

// HintRows parts hints into as few lines of w cells as hold them, most at most:
// the last one is for all that are left.
func HintRows(hints []Hint, w, most int) (rows [][]Hint) {
	from, used := 0, 0
	for i, h := range hints {
		if used > 0 && used+h.Width() > w && len(rows) < most-1 {
			rows = append(rows, hints[from:i])
			from, used = i, 0
		}
		used += h.Width()
	}
	return append(rows, hints[from:])
}

// Hints draws as many hints as fit into w cells.
func Hints(s *Styles, hints []Hint, w int) string {
	var l Line
	for _, h := range fitting(hints, w) {
		l.Join(HintLine(s, h))
	}
	return l.Cut(w)
}

// HintAt returns the name of the hint that [Hints] draws at a cell, "" for none.
func HintAt(hints []Hint, w, x int) string {
	at := 0
	for _, h := range fitting(hints, w) {
		if x >= at && x < min(at+h.Width(), w) {
			return h.Name
		}
		at += h.Width()
	}
	return ""
}
