package keys

import "lxd-allowlist/ui/look"

// Line is a key and what it does, for the help.
type Line struct {
	Key, Does string
	// Now says that it can be done now.
	Now bool
}

// Section is a heading of the help and what stands below it.
type Section struct {
	Title string
	Lines []Line
}

// Hints returns what a footer shows: what can be done now.
func (t *Table[T, R]) Hints(m *Map, to T) []look.Hint {
	var hints []look.Hint
	rows := m.contexts[t.Context].rows
	for i, a := range t.Actions {
		if a.Hint == "" || a.missing(to) != "" || a.Can != nil && a.Can(to) != "" {
			continue
		}
		hint := look.Hint{Key: rows[i].shown(), Does: a.Hint}
		for _, other := range rows {
			if other.Name == a.Beside {
				hint.Key = first(other) + "/" + first(rows[i])
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

// Sections adds the table's part of the help to what is there: all that there
// could be something for, under the headings' order.
func (t *Table[T, R]) Sections(m *Map, to T, sections []Section) []Section {
	rows := m.contexts[t.Context].rows
	for i, a := range t.Actions {
		if a.Section == "" || a.missing(to) != "" {
			continue
		}
		line := Line{rows[i].shown(), rows[i].Help, a.Can == nil || a.Can(to) == ""}
		at := 0
		for at < len(sections) && sections[at].Title != a.Section {
			at++
		}
		if at == len(sections) {
			sections = append(sections, Section{Title: a.Section})
		}
		sections[at].Lines = append(sections[at].Lines, line)
	}
	return sections
}
