package dialog

import (
	"fmt"
	"strings"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"
)

// ShowGroup goes over to a name and all below it, with what was seen of that; nil
// for not known yet.
func (d *Details) ShowGroup(name string, seen *capture.Evidence) { d.group, d.seen = name, seen }

// Dock returns what the details say first, in so many cells and lines: for a
// pane beside the table.
func (d *Details) Dock(s Screen) []string {
	lines := d.lines(s, s.W, true)
	if rest := len(lines) - s.H; rest > 0 && s.H > 0 {
		lines = append(lines[:s.H-1], new(look.Line).Add(s.Muted, fmt.Sprintf(" … %s shows %s more", d.keys.Show("details"), look.Plural(rest+1, "line"))).Cut(s.W))
	}
	return lines
}

// Docked returns all that the details say, scrolled, and what stands above it, for
// a pane beside the table that has the focus.
func (d *Details) Docked(s Screen) (title string, lines []string) { return d.inView(s, s.W, s.H) }

// Height returns how many lines w cells wide all of it takes.
func (d *Details) Height(s Screen, w int) int { return len(d.lines(s, w, false)) }

// Scroll moves what is in view by n lines, up below 0.
func (d *Details) Scroll(n int) { d.top += n }

// docked says of a domain what is decided by first: what it is and what a rule on
// it would open. What takes a line each in the details stands side by side.
func (d *Details) docked(p *page, r capture.Reader) {
	s, rec := p.s, r.Domain(d.id)
	row := table.Read(r, d.id, s.Now, d.policy)
	p.heading(rec.Name)
	mark := strings.TrimSpace(row.Mark())
	if reason := why(row); reason != "" {
		mark += ", " + reason
	}
	p.field("mark", row.MarkStyle(s.Styles), mark)
	d.standing(p, r, row)
	if domain := registrable(row); domain != "" {
		d.below(p, r, "suffix", domain)
	}
	p.field("queries", s.Text, strings.Join(append(words(queries(rec)), words(look.Few(r.Owners(rec)))...), " from "))
	p.field("seen", s.Text, between(rec.First(), rec.Last(), s.Now))
	p.field("result", row.ResultStyle(s.Styles), strings.Join(append(words(rec.Result()), words(look.Few(addresses(rec)))...), ": "))
	p.connections(r, d.id)
	seen := r.Witnessed(d.id)
	p.actors(r, seen.Actors, seen.Others, true)
	p.field("alias of", s.Text, words(strings.Join(r.Chain(rec), " → "))...)
}

// between says when something was first and last, and how long ago.
func between(first, last, now time.Time) string {
	text := fmt.Sprintf("%s (%s)", first.Format(time.DateTime), look.Ago(now.Sub(first)))
	if last.Sub(first) < time.Second && last.Second() == first.Second() {
		return text
	}
	layout := time.DateTime
	if first.Format(time.DateOnly) == last.Format(time.DateOnly) {
		layout = time.TimeOnly
	}
	return fmt.Sprintf("%s to %s (%s)", text, last.Format(layout), look.Ago(now.Sub(last)))
}

// ofGroup says what stands below a name, and what a rule on it would open.
func (d *Details) ofGroup(p *page, r capture.Reader) {
	s := p.s
	p.heading(d.group)
	mark := r.Group(d.group)
	reason := ""
	if mark.Reason != "" {
		reason = ", " + mark.Reason
	}
	switch {
	case mark.Decision == capture.Keep && mark.Suffix:
		p.field("mark", s.Keep, "✓ keep, by one suffix rule"+reason)
	case mark.Decision == capture.Keep:
		p.field("mark", s.Keep, "✓ keep all"+reason)
	case mark.Decision == capture.Drop:
		p.field("mark", s.Drop, "✗ drop all"+reason)
	}
	p.field("known as", s.Text, d.knownAs(d.group)...)
	d.below(p, r, "suffix", d.group)
	if problem := (rule.Rule{Name: d.group, Suffix: true}).Problem(); problem != "" {
		p.field("suffix", s.Muted, "none: ."+d.group+" "+problem)
	}
	if d.seen == nil {
		p.field("names", s.Muted, "…")
		return
	}
	const few = 5
	var names []string
	for _, name := range d.seen.Names[:min(few, len(d.seen.Names))] {
		names = append(names, strings.TrimSuffix(name, "."+d.group))
	}
	if more := d.seen.Asked - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	p.field("names", s.Text, strings.Join(names, ", "))
	if n := d.seen.DroppedAll; n > 0 {
		p.field("dropped", s.Text, fmt.Sprintf("%d of %d", n, d.seen.Asked))
	}
	p.field("queries", s.Text, strings.Join(append(words(fmt.Sprint(d.seen.Queries)), words(look.Few(d.seen.Owners))...), " from "))
	p.field("seen", s.Text, between(d.seen.First, d.seen.Last, s.Now))
}
