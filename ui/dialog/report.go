package dialog

import (
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// Report shows what came of enforcing a list, and writes that to a file.
type Report struct {
	keys     *keys.Map
	report   Summary
	markdown bool
	path     fileName
	stem     string // the name without an extension, while no other was typed

	lines []summaryLine // of report, in so many cells
	width int
	scroll
	room   int   // lines of it that are seen
	exists bool  // the file is there: overwrite it?
	err    error // why it wasn't written
}

// NewReport shows a report. Its file is stem with the format's extension until
// another name is typed.
func NewReport(k *keys.Map, r Summary, stem string) *Report {
	d := &Report{keys: k, report: r, markdown: true, stem: stem}
	d.path = newFileName("", d.preset())
	return d
}

func (d *Report) preset() string {
	if d.markdown {
		return d.stem + ".md"
	}
	return d.stem + ".json"
}

// Failed says why the file wasn't written: because there is one, or another
// reason.
func (d *Report) Failed(err error, exists bool) { d.err, d.exists = err, exists }

var (
	reportKeys = keys.Table[*Report, Result]{Context: "the report", Actions: []keys.Action[*Report, Result]{
		{Row: keys.Row{Name: "accept", Hint: "write it"}, Do: func(d *Report) Result { return d.write(Create) }},
		{Row: keys.Row{Name: "next-format", Keys: []string{"right", "l", "tab"}, Help: "next format", Hint: "format", Beside: "prev-format"}, Do: (*Report).turn},
		{Row: keys.Row{Name: "prev-format", Keys: []string{"left", "h", "shift+tab"}, Help: "previous format"}, Do: (*Report).turn},
		{Row: keys.Row{Name: "file", Hint: "file name"}, Do: (*Report).edit},
		{Row: keys.Row{Name: "up"}, Do: func(d *Report) Result { d.top--; return nil }},
		{Row: keys.Row{Name: "down", Beside: "up"}, Says: (*Report).scrolls, Do: func(d *Report) Result { d.top++; return nil }},
		{Row: keys.Row{Name: "page-up"}, Do: func(d *Report) Result { d.top -= d.room; return nil }},
		{Row: keys.Row{Name: "page-down"}, Do: func(d *Report) Result { d.top += d.room; return nil }},
		{Row: keys.Row{Name: "quit"}, Do: closes[*Report]},
		{Row: keys.Row{Name: "cancel", Hint: "close"}, Do: closes[*Report]},
	}}
	reportExistsKeys = keys.Table[*Report, Result]{Context: "the question whether to overwrite a report", Actions: []keys.Action[*Report, Result]{
		{Row: keys.Row{Name: "yes", Hint: "overwrite"}, Do: func(d *Report) Result { return d.write(Overwrite) }},
		{Row: keys.Row{Name: "file", Hint: "another name"}, Do: (*Report).edit},
		{Row: keys.Row{Name: "no"}, Do: (*Report).leaveIt},
		{Row: keys.Row{Name: "cancel", Hint: "cancel"}, Do: (*Report).leaveIt},
	}}
)

// turn goes to the other of the two formats.
func (d *Report) turn() Result {
	d.markdown = !d.markdown
	d.path.follow(d.preset())
	d.err = nil
	return nil
}

func (d *Report) edit() Result {
	d.leaveIt()
	d.path.edit()
	return nil
}

func (d *Report) leaveIt() Result {
	d.exists, d.err = false, nil
	return nil
}

func (d *Report) write(how Writing) Result { return WriteReport{d.path.Value(), how, d.markdown} }

func (d *Report) actions() *keys.Table[*Report, Result] {
	if d.exists {
		return &reportExistsKeys
	}
	return &reportKeys
}

// Keys implements [Dialog].
func (d *Report) Keys() Live {
	if d.path.Focused() {
		return nameKeys.On(d.keys, &d.path)
	}
	return d.actions().On(d.keys, d)
}

// Type implements [Dialog].
func (d *Report) Type(msg tea.Msg) Result {
	d.path.enter(msg)
	return nil
}

// reportLow is on how many lines a report has all of them but one.
const reportLow = 16

// View implements [Dialog].
func (d *Report) View(s Screen) []string {
	inner := min(s.W-4, 140)
	if d.width != inner {
		d.width, d.lines = inner, d.report.broken(inner)
	}
	foot := d.foot(s, inner)
	d.room = max(1, s.H-2-len(foot))
	if s.H >= reportLow {
		d.room = max(1, d.room-2) // what stands behind is seen, too
	}
	title, end := d.bound("Report", len(d.lines), d.room)
	lines := make([]string, 0, d.room+len(foot))
	for _, r := range d.lines[d.top:end] {
		lines = append(lines, r.draw(s, inner))
	}
	return look.Box(s.Styles, title, append(lines, foot...), inner)
}

// foot says which file it is to be, on one line where there are few.
func (d *Report) foot(s Screen, inner int) (lines []string) {
	name := map[bool]string{true: "markdown", false: "json"}[d.markdown]
	if s.H < reportLow && d.markdown {
		name = "md"
	}
	as := new(look.Line).Add(s.Key, "‹ ").Add(s.Strong, name).Add(s.Key, " ›")
	switch {
	case s.H >= reportLow:
		lines = []string{"", new(look.Line).Add(s.Muted, "format  ").Join(as).Cut(inner), d.path.line(s, inner)}
	case d.path.Focused():
		lines = []string{d.path.line(s, inner)}
	default:
		w := inner - as.Width() - 1
		lines = []string{new(look.Line).Raw(look.Fit(d.path.line(s, w), w)).Pad(w + 1).Join(as).Cut(inner)}
	}
	switch {
	case d.exists:
		lines = append(lines, s.Warn.Render("it exists: overwrite it?"))
	case d.err != nil:
		lines = append(lines, look.Wrap(s.Bad, d.err.Error(), inner)...)
	}
	return lines
}
