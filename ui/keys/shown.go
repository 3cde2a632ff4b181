package keys

import (
	"slices"

	"lxd-allowlist/ui/look"
)

// Line is an action as the palette shows it.
type Line struct {
	Name, Section string
	Key, Does     string
	Why           string // why it can't be done now, "" if it can
	Each          bool   // each of its keys does a thing of its own
}

// Hints returns what a footer shows: what can be done now.
func (t *Table[T, R]) Hints(m *Map, to T) []look.Hint {
	var hints []look.Hint
	rows := m.contexts[t.Context].rows
	for i, a := range t.Actions {
		does := a.Hint
		if a.Says != nil {
			does = a.Says(to)
		}
		if does == "" || a.missing(to) != "" || a.Can != nil && a.Can(to) != "" {
			continue
		}
		hint := look.Hint{Name: a.Name, Key: rows[i].shown(), Does: does}
		for _, other := range rows {
			if other.Name == a.Beside {
				hint.Key = first(other) + "/" + first(rows[i])
			}
			if other.Name == a.After {
				hint.Key = first(other) + " " + first(rows[i])
			}
		}
		hints = append(hints, hint)
	}
	return hints
}

func first(r Row) string {
	r.Show = 1
	return r.shown()
}

// Lines returns the table's part of the palette: all that there could be
// something for, by their sections in the order of their first.
func (t *Table[T, R]) Lines(m *Map, to T) (lines []Line) {
	rows := m.contexts[t.Context].rows
	order := make(map[string]int)
	for i, a := range t.Actions {
		if a.Section == "" || a.missing(to) != "" {
			continue
		}
		line := Line{Name: a.Name, Section: a.Section, Key: rows[i].shown(), Does: rows[i].Help, Each: a.Nth != nil}
		if a.Can != nil {
			line.Why = a.Can(to)
		}
		if _, known := order[a.Section]; !known {
			order[a.Section] = len(order)
		}
		lines = append(lines, line)
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return order[a.Section] - order[b.Section] })
	return lines
}
