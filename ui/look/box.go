package look

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Box draws a frame with a title around lines, each cut or filled to inner
// cells; it is four cells wider than that.
func Box(s *Styles, title string, lines []string, inner int) []string {
	edge := s.RuleFocused
	var top Line
	top.Add(edge, "╭─ ").Add(s.TitleFocused, title).Add(edge, " "+strings.Repeat("─", max(0, inner-Width(title)-2))+"─╮")
	out := []string{top.String()}
	for _, text := range lines {
		out = append(out, edge.Render("│")+" "+Fit(text, inner)+" "+edge.Render("│"))
	}
	return append(out, edge.Render("╰"+strings.Repeat("─", inner+2)+"╯"))
}

// Whole has a box stand whole on h lines: what is too much goes from its upper
// part, for the lower one has what can be done.
func Whole(s *Styles, box []string, h int) []string {
	over := len(box) - h
	if over <= 0 || h < 4 {
		return box
	}
	inner := Width(box[0]) - 4
	edge := s.RuleFocused.Render("│")
	told := edge + " " + Fit(s.Muted.Render(fmt.Sprintf("… %d lines more", over+1)), inner) + " " + edge
	return append([]string{box[0], told}, box[over+2:]...)
}

// Wrap breaks a text into lines of at most w cells, with a margin of one at the
// left: between words, and a name that is longer than a line between its labels, a
// path between its directories.
func Wrap(s Style, text string, w int) []string {
	var lines []string
	w = max(w-1, 10)
	// A word of w cells behind a blank at the beginning is too long for a line of
	// ansi.Wrap's own.
	for l := range strings.Lines(ansi.Hardwrap(ansi.Wrap(byLabel(text, w), w, ""), w, true)) {
		lines = append(lines, s.Render(" "+strings.ReplaceAll(strings.TrimRight(l, "\n"), joint, "-")))
	}
	return lines
}

// joint stands for a hyphen that no line ends at, of those who have no use of their
// own.
const joint = "\uE000"

// byLabel breaks names that are longer than w cells behind their dots, paths behind
// their slashes first, and keeps labels and options of commands whole that have room.
func byLabel(text string, w int) string {
	if Width(text) <= w {
		return text
	}
	words := strings.Split(text, " ")
	for i, word := range words {
		if strings.HasPrefix(word, "-") && Width(word) <= w { // an option, which is to be typed as it stands
			words[i] = strings.ReplaceAll(word, "-", joint)
			continue
		}
		if !strings.ContainsAny(word, "./") {
			continue
		}
		var labels []string
		for part := range strings.SplitAfterSeq(word, "/") {
			if Width(part) > w {
				labels = append(labels, strings.SplitAfter(part, ".")...)
			} else {
				labels = append(labels, part)
			}
		}
		var b strings.Builder
		at := 0
		for _, label := range labels {
			n := Width(label)
			if at > 0 && at+n > w {
				b.WriteByte('\n')
				at = 0
			}
			if n <= w {
				label = strings.ReplaceAll(label, "-", joint)
			}
			b.WriteString(label)
			at += n
		}
		words[i] = b.String()
	}
	return strings.Join(words, " ")
}

// Title begins a pane's title: its name and something about it. The pane with
// the focus has a heavy rule, so that it shows without colours too.
func Title(s *Styles, focused bool, name, info string) *Line {
	l := &Line{}
	rule, title, dash := s.Rule, s.Title, "─"
	if focused {
		rule, title, dash = s.RuleFocused, s.TitleFocused, "━"
	}
	l.Add(rule, dash+" ").Add(title, name)
	if info != "" {
		l.Add(s.Muted, " "+info)
	}
	return l
}

// FinishTitle draws the title's rule to the end of a line of w cells, or cuts
// it.
func FinishTitle(s *Styles, focused bool, l *Line, w int) string {
	rule, dash := s.Rule, "─"
	if focused {
		rule, dash = s.RuleFocused, "━"
	}
	if n := w - l.Width() - 1; n > 0 {
		l.Add(rule, " "+strings.Repeat(dash, n))
	}
	return l.Cut(w)
}
