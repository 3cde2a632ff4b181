package ui

import (
	"fmt"
	"strings"

	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"
)

// badge says how far the enforcing is, in the header; all are empty while it
// is not. short is for where the sentence doesn't fit, least for where short
// leaves too little of the instance's name: what stands in front of a count is
// its sign alone.
func (m *monitor) badge() (full, short, least *look.Line) {
	s, e := m.styles, &m.enforcing
	full, short = new(look.Line), new(look.Line)
	least = short
	words := e.words()
	rules := func() string { return look.Plural(e.of.Policy.Counts().Rules, "rule") }
	switch e.stage {
	case stageOff:
		return full, short, least
	case stageStarting:
		full.Add(s.Warn, "  ▣ "+words.starting)
		short.Add(s.Warn, " ▣ starting…")
		return full, short, least
	case stageEnding:
		full.Add(s.Warn, "  ▣ proving once more, ending…")
		short.Add(s.Warn, " ▣ ending…")
		return full, short, least
	case stageProving:
		full.Add(s.Warn, "  ▣ proving…")
		short.Add(s.Warn, " ▣ proving…")
	case stageProven:
		full.Add(s.Good, "  ▣ "+words.doing+" "+rules())
		short.Add(s.Good, " ▣ "+words.done)
		least = new(look.Line).Add(s.Good, " ▣ ")
	case stageUnproven:
		full.Add(s.Bad, "  ▣ NOT PROVEN, "+words.doing+" "+rules())
		short.Add(s.Bad, " ▣ NOT PROVEN")
	}
	style, blocked := s.Muted, m.table.Blocked()
	if blocked > 0 {
		style = s.Blocked
	}
	text := fmt.Sprintf("%d %s", blocked, e.of.Policy.Word())
	full.Add(s.Muted, " · ").Add(style, text)
	if late := m.table.Late(); late > 0 { // the report counts them, too
		full.Add(s.Muted, fmt.Sprintf(" · %d %s", late, table.Late))
	}
	if e.of.Policy.Learning {
		text = fmt.Sprintf("%d outside", blocked)
	}
	short.Add(s.Muted, " · ").Add(style, text)
	if least != short {
		least.Add(style, text)
	}
	if e.places > 0 {
		word := "addresses"
		if e.places == 1 {
			word = "address"
		}
		full.Add(s.Muted, " · ").Add(s.Blocked, fmt.Sprintf("%d %s", e.places, word))
	}
	return full, short, least
}

// packetLines is how many lines of a pane the refused packets take.
func (e *enforcing) packetLines(h int) int {
	if e.places == 0 || h < 10 {
		return 0
	}
	return 1 + len(e.packets)
}

// drawPackets draws the refused packets below the table.
func (m *monitor) drawPackets(w, h int) []string {
	s, e := m.styles, &m.enforcing
	lines := []string{look.FinishTitle(s, false, look.Title(s, false, "Refused packets", fmt.Sprint(e.places)), w)}
	for _, p := range e.packets[:max(0, min(h-1, len(e.packets)))] {
		l := new(look.Line).Pad(1).Add(s.Blocked, "▣ "+p.String()).
			Add(s.Muted, fmt.Sprintf("  ×%d  %s", p.Times, look.Ago(m.now.Sub(p.Last))))
		if len(p.Servers) > 0 {
			l.Add(s.Muted, "  for "+look.Clean(strings.Join(p.Servers, ", ")))
		}
		if len(p.By) > 0 {
			l.Add(s.Muted, "  by "+look.Clean(strings.Join(p.By, ", ")))
		}
		lines = append(lines, l.Cut(w))
	}
	return lines
}
