package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui/look"
)

// rowKind is the list that a row of the start is in.
type rowKind int

const (
	ofInstances rowKind = iota
	ofSessions
	ofImages
)

var kindNames = [...]string{"Instances", "Sessions", "Images"}

// pickerRow is something that can be opened.
type pickerRow struct {
	kind   rowKind
	choice Choice
	entry  *session.Entry // of a session
	why    string         // why the session can't be opened; "" if it can
}

// id tells the row from all others.
func (r *pickerRow) id() string {
	return fmt.Sprintf("%d %s %s %s", r.kind, r.choice.Instance, r.choice.Session, r.choice.Image)
}

// shut says why it can't be opened; "" if it can.
func (r *pickerRow) shut() string {
	switch {
	case r.why != "":
		return r.choice.name() + " can't be opened: " + r.why
	case r.choice.Problem != "":
		return r.choice.Instance + " can't be watched: " + r.choice.Problem
	}
	return ""
}

// does says what opening it does.
func (r *pickerRow) does() string {
	switch {
	case r.shut() != "":
		return ""
	case r.kind == ofImages:
		return "launches one"
	case r.kind == ofSessions && r.choice.Instance != "":
		return "goes on with it"
	case r.kind == ofSessions:
		return "opens it"
	case r.choice.Stopped:
		return "starts it"
	}
	return "watches it"
}

// matching returns the rows that have all words of a text.
func (p *picker) matching(text string) (rows []pickerRow) {
	var all []pickerRow
	for _, c := range p.instances.choices {
		all = append(all, pickerRow{kind: ofInstances, choice: c})
	}
	all = append(all, p.sessionRows()...)
	for _, c := range p.images.choices {
		all = append(all, pickerRow{kind: ofImages, choice: c})
	}
	words := strings.Fields(strings.ToLower(text))
	for _, r := range all {
		has := strings.ToLower(r.words())
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(has, w) }) {
			rows = append(rows, r)
		}
	}
	if image := strings.TrimSpace(text); isRemoteImage(image) {
		rows = append(rows, pickerRow{kind: ofImages, choice: Choice{Image: image, About: "downloaded first, and removed at the end"}})
	}
	return rows
}

// isRemoteImage reports whether a text is REMOTE:ALIAS, and no address.
func isRemoteImage(text string) bool {
	remote, alias, ok := strings.Cut(text, ":")
	return ok && remote != "" && alias != "" && !strings.ContainsAny(alias, ": ") && !strings.Contains(remote, " ")
}

// sessionRows are the sessions: those that were killed first, then those with
// something that no file has, then all others, each the last one first.
func (p *picker) sessionRows() (rows []pickerRow) {
	for i := range p.sessions {
		s := &p.sessions[i]
		r := pickerRow{kind: ofSessions, entry: s, choice: Choice{Session: s.Name()}}
		switch {
		case s.Err != nil:
			r.why = s.Err.Error()
		case s.InUse:
			r.why = session.ErrInUse.Error()
		case s.Killed && p.has(s):
			r.choice.Instance, r.choice.Stopped = s.Info.Instance, true // who goes on wants it started
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b pickerRow) int { return cmp.Compare(a.rank(), b.rank()) })
	return rows
}

// has reports whether a session's instance is there to go on with.
func (p *picker) has(s *session.Entry) bool {
	return s.Info.Instance != "" && slices.ContainsFunc(p.instances.choices, func(c Choice) bool {
		return c.Server == s.Info.Server && c.Instance == s.Info.Instance && c.Problem == ""
	})
}

func (r *pickerRow) rank() int {
	switch s := r.entry; {
	case s.Err != nil:
		return 4
	case s.Killed && !s.InUse:
		return 0
	case s.InUse:
		return 3
	case s.Domains+s.Marks > 0 && (s.Exported == nil || s.Stale):
		return 1
	}
	return 2
}

// words are what the filter looks at.
func (r *pickerRow) words() string {
	c := r.choice
	switch r.kind {
	case ofSessions:
		return strings.Join([]string{"session", c.Session, r.entry.Info.Subject(), r.state()}, " ")
	case ofImages:
		return strings.Join([]string{"image", c.Image, c.About}, " ")
	}
	return strings.Join([]string{"instance", c.Instance, c.Status, c.Network, c.Address, c.Use, c.Problem}, " ")
}

// What became of a session that has something which its file has not; the first
// word is enough where there is little room.
const changed, sinceExport = "changed", " since its export"

// state says what became of a session, in a word or two.
func (r *pickerRow) state() string {
	switch s := r.entry; {
	case s.Err != nil:
		return "unreadable"
	case s.InUse:
		return "in use"
	case s.Killed:
		return "killed"
	case s.Exported == nil:
		return "unexported"
	case s.Stale:
		return changed + sinceExport
	}
	return "exported"
}

// widths are how wide the columns of the instances are; 0 for those that the
// screen has no room for.
type widths struct{ name, network, address, up int }

// narrow is the width below which a row has its name and state alone.
const narrow = 60

func (p *picker) widths() (w widths) {
	for _, c := range p.instances.choices {
		w.name, w.network = max(w.name, len(c.Instance)), max(w.network, len(c.Network))
		w.address = max(w.address, len(c.Address))
	}
	w.name, w.network, w.address, w.up = min(w.name, 30), min(w.network, 16), min(w.address, 39), len("up 999d")
	if p.w < narrow {
		w.up, w.network = 0, 0
	}
	if p.w < 80 {
		w.address = min(w.address, 15)
	}
	return w
}

// draw draws the row, with what opening it does where it is selected.
func (r *pickerRow) draw(s *look.Styles, p *picker, w widths, selected bool) string {
	var l look.Line
	if selected {
		l.Add(s.Key, "▌")
		l.Select(s)
	}
	l.Pad(2)
	style := s.Strong
	if r.shut() != "" {
		style = s.Muted
	}
	hint := new(look.Line)
	if does := r.does(); selected && does != "" && p.w >= narrow {
		hint.Select(s).Add(s.Key, " "+p.keys.Show(rowAccept)).Add(s.Muted, " "+does+" ")
	}
	switch r.kind {
	case ofInstances:
		r.drawInstance(s, p, style, w, &l)
	case ofSessions:
		r.drawSession(s, p, style, &l, p.w-hint.Width())
	default:
		l.Add(style, r.choice.Image).Add(s.Muted, "  "+r.choice.About)
	}
	if room := p.w - hint.Width(); l.Width() > room {
		cut := new(look.Line).Raw(l.Cut(room))
		return cut.Join(hint).Cut(p.w)
	}
	return l.Pad(p.w - hint.Width()).Join(hint).Cut(p.w)
}

func (r *pickerRow) drawInstance(s *look.Styles, p *picker, style look.Style, w widths, l *look.Line) {
	c := r.choice
	state := s.Good
	if c.Status != "Running" {
		state = s.Muted
	}
	column := func(style look.Style, text string, width int) {
		if width > 0 {
			l.Cell(style, text, width, false).Add(s.Muted, "  ")
		}
	}
	column(style, c.Instance, w.name)
	column(state, strings.ToLower(c.Status), 7)
	column(s.Text, c.Network, w.network)
	column(s.Text, c.Address, w.address)
	up := ""
	if c.Started.Unix() > 0 {
		up = "up " + look.Age(p.now.Sub(c.Started))
	}
	column(s.Muted, up, w.up)
	l.Add(s.Warn, cmp.Or(c.Problem, c.Use))
}

// drawSession draws a session on so many cells: what there is no room for goes as a
// whole, the last first.
func (r *pickerRow) drawSession(s *look.Styles, p *picker, style look.Style, l *look.Line, room int) {
	e := r.entry
	mark, state := "○", s.Text
	switch {
	case e.Err != nil:
		mark, state = "✗", s.Bad
	case e.InUse:
		mark, state = "●", s.Good
	case e.Killed:
		mark, state = "↻", s.Warn
	case e.Exported != nil && !e.Stale:
		mark, state = "✓", s.Muted
	}
	l.Add(state, mark+" ").Add(style, r.choice.Session).Add(s.Muted, "  ")
	became := r.state()
	if became == changed+sinceExport && l.Width()+look.Width(became) > room {
		became = changed
	}
	l.Add(state, became)
	if e.Err != nil {
		l.Add(s.Muted, " "+look.Ago(p.now.Sub(e.Modified))+"  "+e.Err.Error())
		return
	}
	parts := []*look.Line{l.Another().Add(s.Muted, " "+look.Ago(p.now.Sub(e.Modified)))}
	if p.counted {
		parts = append(parts, l.Another().Add(s.Muted, " · "+look.Plural(e.Domains, "name")))
		if e.Kept > 0 {
			parts = append(parts, l.Another().Add(s.Muted, " · ").Add(s.Keep, fmt.Sprintf("%d keep", e.Kept)))
		}
		if n := e.Marks - e.Kept; n > 0 {
			more := map[bool]string{true: "more "}[e.Kept > 0]
			parts = append(parts, l.Another().Add(s.Muted, fmt.Sprintf(" · %d %sdecided", n, more)))
		}
	}
	for _, part := range parts {
		if l.Width()+part.Width() > room {
			return
		}
		l.Join(part)
	}
}
