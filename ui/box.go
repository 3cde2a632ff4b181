package ui

import (
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// box draws a frame with a title around lines of the given width.
func box(s *styles, title string, lines []string, inner int) []string {
	edge := s.ruleFocused
	var top line
	top.add(edge, "╭─ ").add(s.titleFocused, title).add(edge, " "+strings.Repeat("─", max(0, inner-width(title)-2))+"─╮")
	out := []string{top.String()}
	for _, text := range lines {
		out = append(out, edge.Render("│")+" "+fit(text, inner)+" "+edge.Render("│"))
	}
	return append(out, edge.Render("╰"+strings.Repeat("─", inner+2)+"╯"))
}

// wrap breaks a text into lines of at most w cells.
func wrap(s lipgloss.Style, text string, w int) []string {
	var lines []string
	for l := range strings.Lines(ansi.Wrap(text, max(w-1, 10), "")) {
		lines = append(lines, s.Render(" "+strings.TrimRight(l, "\n")))
	}
	return lines
}

func ago(t time.Time, m *model) string {
	a := age(m.now.Sub(t))
	if a == "now" {
		return a
	}
	return a + " ago"
}
