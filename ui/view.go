package ui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// The least screen that holds something of use.
const (
	leastWidth  = 40
	leastHeight = 10
)

// lines draws the screen: what the phase shows, or that there is no room for it.
func (m *model) lines() []string {
	switch {
	case m.w == 0 || m.h == 0:
		return nil
	case m.w < leastWidth || m.h < leastHeight:
		lines := make([]string, m.h)
		for i := range lines {
			lines[i] = strings.Repeat(" ", m.w)
		}
		lines[0] = look.Fit(fmt.Sprintf("%d×%d: %d×%d is the least", m.w, m.h, leastWidth, leastHeight), m.w)
		return lines
	}
	return m.phase.lines()
}

// frame puts a header and the keys that do something around what a phase
// without a capture shows.
func (m *model) frame(body []string, keys []look.Hint) []string {
	var head look.Line
	head.Add(m.styles.Brand, " lxd-allowlist ")
	if about := "  every domain an application needs, from its own DNS queries"; head.Width()+len(about) <= m.w {
		head.Add(m.styles.Muted, about)
	}
	lines := append(make([]string, 0, m.h), head.Cut(m.w))
	for i := range m.h - 2 {
		if i < len(body) {
			lines = append(lines, look.Fit(body[i], m.w))
		} else {
			lines = append(lines, strings.Repeat(" ", m.w))
		}
	}
	return append(lines, look.Hints(m.styles, keys, m.w))
}

func (m *monitor) lines() []string {
	lines := append(make([]string, 0, m.h), m.header())
	lines = append(lines, m.body()...)
	said, foot := m.footer()
	if m.sized() && !m.docks() { // above the footer as it was: in more room a scrolled one would go back
		m.dialog.View(dialog.Screen{Styles: m.styles, W: m.w, H: m.h - 1 - m.saidAt(len(said)).h, Now: m.clock()})
		said, foot = m.footer()
	}
	if m.replay != nil {
		lines = append(lines, m.drawTimeline())
	}
	if m.dialog != nil && !m.docks() {
		m.overlay(lines, m.dialog, m.h-1-m.saidAt(len(said)).h, m.clock()) // the footer says what can be done in it
	}
	m.drawSaidAt(lines, said)
	return append(lines, foot)
}

// sized reports whether it depends on the room that a dialog has what the footer
// says of it: that there is more.
func (m *monitor) sized() bool {
	switch m.dialog.(type) {
	case *dialog.Details, *dialog.Choice, *dialog.Messages, *dialog.Report:
		return true
	}
	return false
}

func (m *monitor) cursor() *tea.Cursor {
	if m.focus != onShell || m.dialog != nil {
		return nil
	}
	return m.shell.cursor(m.layout.shell)
}

func (m *monitor) body() []string {
	l := m.layout
	var lines []string
	var table, shell []string
	if l.table.h > 0 {
		table = m.table.Draw(m.styles, m.focus == onTable, m.whyEmpty())
	}
	if l.packets.h > 0 {
		table = append(table, m.drawPackets(l.packets.w, l.packets.h)...)
	}
	switch details := m.layout.details; {
	case details.h == 0:
	case details.y > l.table.y:
		table = append(table, m.drawDock()...)
	default:
		bar := m.styles.Rule.Render("│")
		for i, line := range m.drawDock() {
			table[i] += bar + line
		}
	}
	if l.shell.h > 0 {
		shell = m.shell.draw(m.styles, l.shell, m.focus == onShell, m.shellNews, m.keys.Show(rowReopen))
	}
	first, second := table, shell
	if m.prefs.Swapped {
		first, second = shell, table
	}
	if l.divider.w != 1 {
		return append(append(lines, first...), second...)
	}
	bar := m.styles.Rule.Render("│")
	for i := range first {
		lines = append(lines, first[i]+bar+second[i])
	}
	return lines
}

// shellNews is what stands in the title of the shell: what the list refused a
// moment ago, or else how to leave.
func (m *monitor) shellNews(room int) *look.Line {
	s, l := m.styles, new(look.Line)
	leave, focused := m.keys.Show(keys.Leave), m.focus == onShell
	q, news := m.refusedLately()
	if !news {
		if focused {
			l.Add(s.Muted, "  ").Add(s.Key, leave).Add(s.Muted, " leaves")
		}
		return l
	}
	l.Add(s.Blocked, "  ▣ "+m.enforcing.policy().Word()+": "+q.Type+" ")
	var hint look.Line
	if by := m.askers(q.Name); by != "" {
		hint.Add(s.Muted, " by "+by)
	}
	allows := " allows it"
	if m.enforcing.policy().Learning {
		allows = " lists it"
	}
	switch keep := m.keys.Show("keep"); {
	case m.expected(q.Name):
		hint.Add(s.Muted, ", as expected")
	case focused: // leaving goes to its row, see toTable
		hint.Add(s.Muted, "  ").Add(s.Key, leave+" "+keep).Add(s.Muted, allows)
	case m.selectedName() == q.Name:
		hint.Add(s.Muted, "  ").Add(s.Key, keep).Add(s.Muted, allows)
	}
	name := q.Name
	if room -= l.Width(); len(name)+hint.Width() > room {
		hint.Reset() // the name says more
	}
	if cut := len(name) - max(1, room); cut > 0 {
		name = "…" + name[cut+1:]
	}
	return l.Add(s.Blocked, name).Join(&hint)
}

// expected reports whether a name is to be refused.
func (m *monitor) expected(name string) (expected bool) {
	m.capture.Ledger.Read(func(r capture.Reader) { _, expected = r.Dropped(name) })
	return expected
}

// whyEmpty says why the table shows nothing, and what can be done.
func (m *monitor) whyEmpty() []string {
	waiting := m.waiting()
	switch {
	case m.table.FilterError() != nil:
		return strings.Split(ansi.Wordwrap(m.table.FilterError().Error(), max(20, m.layout.table.w-4), ""), "\n")
	case m.table.Filter() != "":
		return []string{"no domain matches the filter:", m.keys.Show(rowCancel) + " clears it"}
	case m.table.DropsHidden() && m.table.Tally().Total() > 0:
		return []string{"everything is dropped, and hidden:", m.keys.Show(rowHideDrops) + " shows it"}
	case m.table.DecidedHidden() && m.table.Tally().Total() > 0:
		return []string{"everything is decided, and hidden:", m.keys.Show(rowHideDecided) + " shows it"}
	case waiting == "":
		return []string{"no domain was asked for"}
	}
	if m.unheard != "" {
		text := ansi.Wordwrap("no query was heard yet: "+m.unheard, max(20, m.layout.table.w-4), "")
		return append([]string{waiting}, strings.Split(text, "\n")...)
	}
	return strings.Split(ansi.Wordwrap(waiting, max(20, m.layout.table.w-4), ""), "\n")
}

// waiting says what an empty table waits for.
func (m *monitor) waiting() string {
	if !m.capture.Live {
		text := ""
		m.capture.Ledger.Read(func(r capture.Reader) {
			if c := r.Counts(); c.Lines > 0 && c.Queries == 0 {
				text = fmt.Sprintf("no query in %s: is it dnsmasq's log, with log-queries?", look.Plural(int(c.Lines), "line"))
			}
		})
		return text
	}
	if m.replay != nil {
		return "nothing was asked for yet; " + m.keys.Show(rowPlay) + " plays, " + m.keys.Show("replay-on") + " goes on"
	}
	if m.table.Round() > 0 {
		return "no query came to the bridge's DNS yet: what went round it has the rows here"
	}
	return "waiting for the first query: use the application"
}

// header says what is captured, how it stands and since when nothing new came.
func (m *monitor) header() string {
	s := m.styles
	var l look.Line
	if m.w >= roomForBrand {
		l.Add(s.Brand, " lxd-allowlist ")
	}
	if problem, since := m.capture.problem(); problem != "" {
		at := " since " + since.Format("15:04")
		if m.w < roomForBrand {
			at = "" // what to do about it goes first; messages have it
		}
		l.Add(s.Bad, " ● NOT LOGGING"+at).
			Add(s.Text, "  "+m.keys.Show(rowRepair)+" logs again")
		_, badge, _ := m.badge()
		if m.w < roomForBrand {
			l = *new(look.Line).Add(s.Strong, " "+m.subject()).Join(&l)
		}
		return l.Join(badge).Add(s.Bad, "  "+problem).Cut(m.w)
	}
	alarm, short := m.alarm()
	live, news, rest := m.news()
	is := m.standing(m.w-l.Width()-live.Width()-news.Width(), alarm.Width(), short.Width())
	if !is.counted {
		is = m.standing(m.w-l.Width()-news.Width(), alarm.Width(), short.Width())
	}
	m.headed = ""
	if !is.whole {
		alarm = short
	} else if alarm.Width() > 0 {
		m.headed = m.doubt()
	}
	right, title := is.right, is.title
	room := max(0, m.w-right.Width()-l.Width()-is.badge.Width())
	if most := max(0, room-alarm.Width()); title.Width() > most {
		title = new(look.Line).Raw(title.Cut(most))
	}
	l.Join(title).Join(is.badge).Join(alarm)
	if alarm.Width() > 0 {
		why := new(look.Line).Add(s.Muted, " (").Add(s.Key, m.keys.Show("messages")).Add(s.Muted, ")")
		if l.Width()+why.Width()+live.Width()+news.Width()+right.Width() <= m.w {
			l.Join(why)
		}
	}
	if l.Width()+live.Width()+news.Width()+right.Width() <= m.w {
		l.Join(live)
	}
	for _, news := range append([]*look.Line{news}, rest...) {
		if l.Width()+news.Width()+right.Width() <= m.w {
			l.Join(news)
		}
	}
	left := new(look.Line).Raw(l.Cut(max(0, min(l.Width(), m.w-right.Width()))))
	return left.Pad(m.w - right.Width()).Join(right).Cut(m.w)
}

// doubt returns the sentence that the alarm begins with, "" for none.
func (m *monitor) doubt() (text string) {
	m.capture.Ledger.Read(func(r capture.Reader) {
		if doubts := r.Doubts(); r.Fault() == nil && len(doubts) > 0 {
			text = doubts[0]
		}
	})
	return text
}

// roomForBrand is the least width that has room for the program's name.
const roomForBrand = 60

// alarm is what the header never leaves out: that nothing is saved, or that
// names may be missing. short is for where the sentence doesn't fit.
func (m *monitor) alarm() (full, short *look.Line) {
	s := m.styles
	full, short = new(look.Line), new(look.Line)
	m.capture.Ledger.Read(func(r capture.Reader) {
		if err := r.Fault(); err != nil {
			full.Add(s.Bad, "  not saved: "+err.Error())
			short.Add(s.Bad, " ! not saved")
			return
		}
		doubts := r.Doubts()
		if len(doubts) == 0 {
			return
		}
		text, more := doubts[0], ""
		if n := len(doubts) - 1; n > 0 {
			more = fmt.Sprintf(", and %d more", n)
		}
		full.Add(s.Warn, "  "+text+more)
		short.Add(s.Warn, " ! "+look.Plural(len(doubts), "doubt"))
	})
	return full, short
}

// news is what the header says beside how the domains stand: that it goes on, before
// their words and the title's, what is weightier than that, and what it says where
// there is room yet, the weightiest first.
func (m *monitor) news() (live, news *look.Line, rest []*look.Line) {
	s := m.styles
	live, news = new(look.Line), new(look.Line)
	goesOn := m.capture.Live && m.replay == nil
	if goesOn && m.enforcing.stage == stageOff {
		live.Add(s.Good, "  ● live")
	}
	if n := m.table.Round(); n > 0 {
		news.Add(s.Warn, fmt.Sprintf("  %d went round DNS", n))
	}
	if m.replay != nil {
		news.Add(s.Warn, "  "+m.replay.sign()+" replay")
	} else if m.capture.ReadOnly != "" {
		news.Add(s.Warn, "  read only")
	}
	if m.reading() {
		rest = append(rest, new(look.Line).Add(s.Fresh, fmt.Sprintf("  reading %d%%", int(m.capture.Progress()*100))))
	}
	if m.replay != nil && m.replay.note != "" && m.now.Sub(m.replay.noted) < noteLife {
		rest = append(rest, new(look.Line).Add(s.Muted, "  "+m.replay.note))
	}
	if !goesOn {
		return live, news, rest
	}
	if m.enforcing.of != nil && m.enforcing.stage != stageEnding {
		rest = append(rest, new(look.Line).Add(s.Muted, "  ").Add(s.Key, m.keys.Show(rowVerify)).Add(s.Muted, " ends it"))
	}
	if text := m.pace.saturation(m.clock()); text != "" {
		rest = append(rest, new(look.Line).Add(s.Muted, "  "+text))
		rest = append(rest, new(look.Line).Add(s.Muted, "  new ").Add(s.Fresh, look.Chart(m.pace.domainBars)).
			Add(s.Muted, "  queries ").Add(s.Key, look.Chart(m.pace.bars)))
	}
	return live, news, rest
}
