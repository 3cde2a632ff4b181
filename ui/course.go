package ui

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/dialog"
)

// courseMsg is how the session went, for the dialog that asked for it.
type courseMsg struct {
	of     *dialog.Course
	course dialog.Course
}

// openCourse shows how the session went. The dialog is there at once, so that
// the keys that follow are about it.
func (m *monitor) openCourse() tea.Cmd {
	ledger, now := m.capture.Ledger, m.clock()
	if !m.capture.Live {
		now = time.Time{} // it has ended
	}
	d := dialog.NewCourse(m.keys)
	m.dialog = d
	return func() tea.Msg { return courseMsg{d, courseOf(ledger, now)} }
}

// countAtOnce is how many domains are counted while the ledger is held.
const countAtOnce = 1000

// courseOf counts when the names of a ledger came up, up to a time, or to the
// last that was asked or entered where that is zero.
func courseOf(l *capture.Ledger, now time.Time) dialog.Course {
	var c dialog.Course
	n, last := 0, time.Time{}
	l.Read(func(r capture.Reader) {
		n, c.LastNew = r.Len(), r.LastNew()
		c.Begin, c.Since = r.Info().Started, capture.CommandsSince(r.Commands(), r.LastNew())
		for _, command := range r.Commands() {
			c.Commands = append(c.Commands, dialog.Entered{At: command.At, Line: command.Line})
			last = command.At
		}
	})
	for begin := 0; begin < n; begin += countAtOnce {
		l.Read(func(r capture.Reader) {
			for id := begin; id < min(begin+countAtOnce, n); id++ {
				if d := r.Domain(capture.ID(id)); d.Queries > 0 {
					c.News = append(c.News, d.First())
					if d.Last().After(last) {
						last = d.Last()
					}
				}
			}
		})
	}
	slices.SortFunc(c.News, time.Time.Compare)
	if len(c.News) > 0 && (c.News[0].Before(c.Begin) || c.Begin.IsZero()) {
		c.Begin = c.News[0] // a log, which was read later
	}
	if c.End = now; now.IsZero() {
		c.End, c.Ended = last, true
	}
	at := 0
	for i := range c.Commands {
		end := c.End
		if i+1 < len(c.Commands) {
			end = c.Commands[i+1].At
		}
		for at < len(c.News) && c.News[at].Before(c.Commands[i].At) {
			at++
		}
		for ; at < len(c.News) && (c.News[at].Before(end) || i+1 == len(c.Commands)); at++ {
			c.Commands[i].News++
		}
	}
	return c
}

// filterCommand shows the names of a command.
func (m *monitor) filterCommand(line string) {
	m.dialog = nil
	m.table.SetFilter("cmd:" + strings.Join(strings.Fields(line), "+"))
	m.endFilter()
}

// takeEntered notes the commands that were entered in the shell.
func (m *monitor) takeEntered() {
	if m.shell.screen == nil {
		return
	}
	for _, e := range m.shell.screen.Entered() {
		m.capture.Ledger.Entered(capture.Command{At: e.At, Line: e.Line})
	}
}
