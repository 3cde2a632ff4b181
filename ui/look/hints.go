package look

// Hint is a key, as it is shown, and what it does.
type Hint struct{ Key, Does string }

// HintLine draws one hint.
func HintLine(s *Styles, h Hint) *Line {
	return new(Line).Add(s.Muted, " ").Add(s.Key, h.Key).Add(s.Muted, " "+h.Does+" ")
}

// Hints draws as many hints as fit into w cells: the first and the last two
// before the others.
func Hints(s *Styles, hints []Hint, w int) string {
	last := max(0, len(hints)-2)
	room := w
	for i, h := range hints {
		if i == 0 || i >= last {
			room -= HintLine(s, h).Width()
		}
	}
	var l Line
	for i, h := range hints {
		p := HintLine(s, h)
		if i > 0 && i < last {
			if p.Width() > room {
				continue
			}
			room -= p.Width()
		}
		l.Join(p)
	}
	return l.Cut(w)
}
