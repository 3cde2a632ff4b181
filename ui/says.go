package ui

import "fmt"

// What actions do to what is selected, for the footer.

func of(verb string) func(*monitor) string {
	return func(m *monitor) string {
		if n := m.table.Ranged(); n > 0 {
			return fmt.Sprintf("%s %d", verb, n)
		}
		if it, _ := m.table.Selected(); it.Group != "" {
			return verb + " all"
		}
		return verb
	}
}

// roomForPurpose is the least width whose footer says what selecting is for and
// loses nothing of weight by it.
const roomForPurpose = 80

// begins is how who has nothing selected begins: rows that come in stay in view
// until then.
func begins(m *monitor) string {
	if _, ok := m.table.Selected(); !ok && !m.table.Empty() {
		if m.capture.ReadOnly == "" && m.w >= roomForPurpose {
			return "select to decide"
		}
		return "select"
	}
	return ""
}

func opens(m *monitor) string {
	switch it, _ := m.table.Selected(); {
	case it.Group == "" && !it.Round:
		return "details"
	case it.Folded:
		return "unfold"
	}
	return "fold"
}

func groups(m *monitor) string {
	if m.table.Grouped() {
		return "ungroup"
	}
	return "group"
}

func verifies(m *monitor) string {
	switch m.enforcing.stage {
	case stageOff:
		return "verify"
	case stageStarting, stageEnding:
		return ""
	}
	return "end it"
}

// exports leaves its room to how the list that is in force is ended.
func exports(m *monitor) string {
	if m.enforcing.stage != stageOff {
		return ""
	}
	return "export"
}

func cancels(m *monitor) string {
	switch {
	case m.table.Ranging():
		return "end the range"
	case m.table.Filter() != "":
		return "clear the filter"
	}
	return ""
}
