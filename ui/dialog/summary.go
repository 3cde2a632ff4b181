package dialog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture/verify"
	"lxd-allowlist/ui/look"
)

// Summary is a report as it is shown. To make one takes a moment where there
// are many rules.
type Summary struct{ lines []summaryLine }

// summaryLine is a line: what it is about, in a column, and what is said of it,
// which takes more lines where there is no room. One without either is empty.
type summaryLine struct {
	tone        tone
	head, text  string
	rest        string // muted, behind the text
	wide        bool   // head takes what room it needs
	isAHeadline bool
}

// tone is how a line is meant.
type tone uint8

const (
	plain tone = iota
	good
	bad
	warn
	muted
)

func (t tone) style(s *look.Styles) look.Style {
	return [...]look.Style{plain: s.Text, good: s.Good, bad: s.Blocked, warn: s.Warn, muted: s.Muted}[t]
}

const summaryHeadWidth = 10

// broken returns the lines as they stand in w cells.
func (s Summary) broken(w int) (lines []summaryLine) {
	for _, l := range s.lines {
		room := w
		if !l.wide {
			room -= summaryHeadWidth
		}
		if l.rest != "" || l.isAHeadline || look.Width(l.text) <= room {
			lines = append(lines, l)
			continue
		}
		indent := l.text[:len(l.text)-len(strings.TrimLeft(l.text, " "))]
		for text := range strings.Lines(ansi.Wrap(strings.TrimLeft(l.text, " "), max(10, room-len(indent)), "")) {
			l.text = indent + strings.TrimRight(text, " \n")
			lines = append(lines, l)
			l.head = ""
		}
	}
	return lines
}

func (l summaryLine) draw(s Screen, w int) string {
	var out look.Line
	switch {
	case l.isAHeadline:
		out.Add(s.Title, l.head)
	case l.wide:
		out.Add(l.tone.style(s.Styles), l.text)
	default:
		out.Cell(s.Muted, l.head, summaryHeadWidth, false).Add(l.tone.style(s.Styles), l.text)
	}
	return out.Add(s.Muted, l.rest).Cut(w)
}

// Summarise returns what a person wants to know of a report first: the verdict,
// whether it is proven, what was refused and which rules nobody used.
func Summarise(r *verify.Report) Summary {
	var s Summary
	s.verdict(r)
	s.blocked(r)
	s.packets(r)
	s.about(r)
	s.unused(r)
	for i, n := range r.Notes {
		s.field(map[bool]string{true: "notes"}[i == 0], muted, n)
	}
	return s
}

func (s *Summary) add(l ...summaryLine) { s.lines = append(s.lines, l...) }

func (s *Summary) field(head string, t tone, text string) {
	s.add(summaryLine{head: head, tone: t, text: text})
}

func (s *Summary) headline(format string, a ...any) {
	s.add(summaryLine{}, summaryLine{isAHeadline: true, head: fmt.Sprintf(format, a...)})
}

func (s *Summary) verdict(r *verify.Report) {
	mark, t := "✗ ", bad
	switch r.Verdict {
	case verify.Works, verify.Covered:
		mark, t = "✓ ", good
	case verify.Unproven, verify.Unseen:
		mark, t = "! ", warn
	}
	s.add(summaryLine{wide: true, tone: t, text: mark + r.Headline()})
	for _, why := range r.Why {
		s.add(summaryLine{wide: true, text: "  " + why})
	}
}

func (s *Summary) about(r *verify.Report) {
	s.add(summaryLine{})
	list := fmt.Sprintf("%s, digest %s", look.Plural(r.List.Rules, "rule"), r.List.Digest)
	if r.List.Begun != "" {
		list += "; it was changed meanwhile, and began as " + r.List.Begun
	}
	s.field("list", plain, list)
	done, level := "enforced", r.Level
	if r.Learning() {
		done, level = "learnt", "nothing was refused"
	}
	s.field(done, plain, fmt.Sprintf("%s, from %s to %s", level, r.Started.Format(time.TimeOnly), r.Ended.Format(time.TimeOnly)))
	for i, p := range r.Proofs {
		head := map[bool]string{true: "proof"}[i == 0]
		if p.Proven {
			s.field(head, good, "✓ "+p.Tried+" was refused by the list")
		} else {
			s.field(head, warn, "! "+p.Tried+": "+p.Why)
		}
	}
	if len(r.Proofs) == 0 {
		s.field("proof", warn, "! nothing was tried")
	}
	used := 0
	for _, rule := range r.Rules {
		if rule.Queries+rule.Connections > 0 {
			used++
		}
	}
	if r.Queries == 0 {
		s.field("queries", warn, "none: nobody used the application meanwhile")
		return
	}
	s.field("queries", plain, fmt.Sprintf("%d; %d of %s used", r.Queries, used, look.Plural(len(r.Rules), "rule")))
}

func (s *Summary) blocked(r *verify.Report) {
	if len(r.Blocked) == 0 {
		return
	}
	heading := "Blocked names (%d)"
	if r.Learning() {
		heading = "Names that it would block (%d)"
	}
	s.headline(heading, len(r.Blocked))
	names := slices.Clone(r.Blocked)
	slices.SortStableFunc(names, func(a, b verify.NameResult) int { return cmp.Compare(weight(a), weight(b)) })
	for _, n := range names {
		mark, t, what := "▣ ", bad, n.Reason
		switch {
		case n.Expected:
			mark, t, what = "– ", muted, "expected: "+cmp.Or(n.Reason, "dropped")
		case n.Late != nil:
			mark, t, what = "▣ ", plain, "allowed late, at "+n.Late.Format(time.TimeOnly)
		}
		if what != "" {
			what = "  " + what
		}
		if len(n.By) > 0 {
			what = "  by " + look.Clean(strings.Join(n.By, ", ")) + what
		}
		s.add(summaryLine{wide: true, tone: t, text: mark + n.Name, rest: fmt.Sprintf("  ×%d %s  %s%s", n.Times, strings.Join(n.Types, " "), span(n.First, n.Last), what)})
	}
}

// weight is how far down a name that was refused stands.
func weight(n verify.NameResult) int {
	switch {
	case n.Expected:
		return 2
	case n.Late != nil:
		return 1
	}
	return 0
}

func (s *Summary) packets(r *verify.Report) {
	if len(r.Packets) == 0 {
		return
	}
	s.headline("Refused packets, by where they were to go (%d)", len(r.Packets))
	for _, p := range r.Packets {
		mark, t, what := "▣ ", bad, ""
		if len(p.Names) > 0 {
			mark, t, what = "– ", muted, "  expected: an address of "+look.Clean(strings.Join(p.Names, ", "))+" alone; "+p.Reason
		}
		if len(p.Servers) > 0 {
			what = "  for " + look.Clean(strings.Join(p.Servers, ", ")) + what
		}
		if len(p.By) > 0 {
			what = "  by " + look.Clean(strings.Join(p.By, ", ")) + what
		}
		s.add(summaryLine{wide: true, tone: t, text: mark + p.To, rest: fmt.Sprintf("  ×%d  %s%s", p.Times, span(p.First, p.Last), what)})
	}
}

func (s *Summary) unused(r *verify.Report) {
	var lines []summaryLine
	for _, rule := range r.Rules {
		if rule.Queries+rule.Connections == 0 && rule.State != "taken away" {
			rest := ""
			if rule.State != "unused" {
				rest = "  " + rule.State
			}
			lines = append(lines, summaryLine{wide: true, text: "· " + rule.Rule, rest: rest})
		}
	}
	if len(lines) > 0 {
		s.headline("Unused rules (%d)", len(lines))
		s.add(lines...)
	}
	if len(r.Notes) > 0 {
		s.add(summaryLine{})
	}
}

// span says from when to when something was.
func span(first, last time.Time) string {
	from, to := first.Format(time.TimeOnly), last.Format(time.TimeOnly)
	if from == to {
		return from
	}
	return from + "–" + to
}
