package ui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"
)

// details shows all that is known of one domain, as it comes in.
type details struct {
	id  capture.ID
	top int
}

func (m *monitor) openDetails() {
	if it, ok := m.table.Selected(); ok && it.Group != "" {
		m.table.Fold(!it.Folded)
		return
	}
	it, ok := m.table.Selected()
	if !ok {
		m.say("no domain is selected: j and k move")
		return
	}
	m.dialog = &details{id: it.ID}
}

func (d *details) update(m *monitor, msg tea.KeyPressMsg) (open bool, cmd tea.Cmd) {
	k := &m.keys
	switch {
	case key.Matches(msg, k.Cancel, k.Details, k.Quit):
		return false, nil
	case key.Matches(msg, k.Up, k.Down):
		m.keyLooks(msg)
		if it, ok := m.table.Selected(); ok && it.Group == "" {
			d.id, d.top = it.ID, 0
		}
	case key.Matches(msg, k.PageDown):
		d.top += 5
	case key.Matches(msg, k.PageUp):
		d.top -= 5
	case key.Matches(msg, k.Keep, k.Drop, k.Toggle, k.Clear, k.Undo, k.Redo, k.Widen):
		return true, m.keyTable(msg)
	}
	return true, nil
}

func (d *details) view(m *monitor, w, h int) []string {
	s := m.styles
	inner := min(w-4, 90)
	var body []string
	field := func(name string, style look.Style, values ...string) {
		for i, v := range values {
			var l look.Line
			if i > 0 {
				name = ""
			}
			body = append(body, l.Cell(s.Muted, name, 11, false).Add(style, v).Cut(inner))
		}
	}
	m.capture.Ledger.Read(func(r capture.Reader) {
		rec := r.Domain(d.id)
		row := table.Read(r, d.id, m.now)
		reason := row.Verdict.Reason
		if rule := row.Verdict.Rule; rule != capture.Undecided && string(rule) != reason {
			reason = strings.TrimSuffix(string(row.Verdict.Rule)+": "+reason, ": ")
		}
		body = append(body, look.Wrap(s.Strong, rec.Name, inner)...)
		body = append(body, "")
		field("mark", row.MarkStyle(s), strings.TrimSpace(row.Mark()))
		field("why", s.Text, words(reason)...)
		field("registered", s.Text, table.Registrable(rec.Name))
		field("", s.Muted, m.below(r, rec.Name)...)
		var kinds []string
		for _, t := range rec.Types {
			kinds = append(kinds, fmt.Sprintf("%s ×%d", t.Type, t.Count))
		}
		field("queries", s.Text, fmt.Sprintf("%d  (%s)", rec.Queries, strings.Join(kinds, ", ")))
		field("first", s.Text, rec.First().Format("15:04:05")+"  "+look.Ago(m.now.Sub(rec.First())))
		field("last", s.Text, rec.Last().Format("15:04:05")+"  "+look.Ago(m.now.Sub(rec.Last())))
		field("result", row.ResultStyle(s), words(rec.Outcomes.String())...)
		field("asked by", s.Text, r.Owners(rec)...)
		field("alias of", s.Text, r.Chain(rec)...)
		for i, a := range rec.Addresses {
			field(map[bool]string{true: "answers"}[i == 0], s.Text, a.String())
		}
	})
	room := max(3, h-6)
	d.top = max(0, min(d.top, len(body)-room))
	if len(body) > room {
		body = body[d.top : d.top+room]
	}
	foot := look.Hints(s, asHints([]key.Binding{m.keys.Keep, m.keys.Drop, m.keys.Undo, relabel(m.keys.Down, "next"), relabel(m.keys.Cancel, "close")}), inner)
	return look.Box(s, "Details", append(body, "", foot), inner)
}

// below is the evidence for one suffix rule instead of many exact ones, and
// what speaks against it.
func (m *monitor) below(r capture.Reader, name string) (lines []string) {
	domain := table.Registrable(name)
	rule := rule.Rule{Name: domain, Suffix: true}
	if problem := rule.Problem(); problem != "" {
		return nil
	}
	lines = append(lines, fmt.Sprintf("%s seen below it; %s allows all there may be", look.Plural(r.Below(domain), "name"), m.keys.Widen.Help().Key))
	if warning := rule.Warning(); warning != "" {
		lines = append(lines, "beware: "+warning)
	}
	return lines
}

// words is the text as a list: empty for an empty one.
func words(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}
