package ui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/export"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"
)

// What may be picked of the palette.
type (
	pickedAction  string // of the table, by its name
	pickedFormat  string
	pickedSetting string // of the config file, by its name
)

// lookedUpMsg are items that it took a while to find.
type lookedUpMsg struct {
	of    *dialog.Palette
	items []dialog.Item
}

// Next is where to go on when the screen has ended: what was picked of the
// palette.
type Next struct{ Session, Instance string }

// notNow is the section of the actions that can't be done now.
const notNow = "Not now"

// openPalette lists what can be done here and now first, then what the signs in
// the table mean, and what can't be done now behind all that can.
func (m *monitor) openPalette() tea.Cmd {
	var items, later []dialog.Item
	for _, l := range m.tables.table.Lines(m.keys, m) {
		i := dialog.Item{Section: l.Section, Does: l.Does, Key: l.Key, Why: l.Why, Also: alsoCalled[l.Name], To: pickedAction(l.Name)}
		if l.Each { // which of them, the key says
			i.To = nil
		}
		if i.Why != "" {
			i.Section, i.Also = notNow, i.Also+" "+l.Section
			later = append(later, i)
			continue
		}
		items = append(items, i)
	}
	for _, words := range signHelp {
		does := strings.ReplaceAll(words[1], "MESSAGES", m.keys.Show("messages"))
		items = append(items, dialog.Item{Section: "Sign", Does: does, Key: words[0]})
	}
	for _, f := range export.Formats() {
		items = append(items, dialog.Item{Section: "Export", Does: "as " + f.Name + ": " + f.Title, To: pickedFormat(f.Name)})
	}
	items = append(items, m.settingItems()...)
	for _, words := range table.FilterHelp {
		items = append(items, dialog.Item{Section: "In filter", Does: words[1], Key: words[0]})
	}
	mouse := mouseHelp
	if m.replay != nil {
		mouse = append(slices.Clone(mouse), timelineHelp...)
	}
	for _, words := range mouse {
		items = append(items, dialog.Item{Section: "Mouse", Does: words[1], Key: words[0]})
	}
	d := dialog.NewPalette(m.keys, append(items, later...), "looking for sessions and instances…")
	m.dialog = d
	return m.lookUp(d)
}

// alsoCalled are the words that other programs have for actions, by the actions'
// names.
var alsoCalled = map[string]string{
	"keep":      "allow accept",
	"drop":      "deny block refuse delete",
	"clear":     "reset",
	"reason":    "comment note",
	"new-rule":  "permanent rules file",
	rowWiden:    "suffix wildcard pattern",
	rowFilter:   "search find",
	rowGroup:    "tree",
	"dock":      "preview panel",
	"course":    "graph history",
	rowVerify:   "test prove block",
	"export":    "save write file",
	"copy-name": "clipboard yank",
	"copy-list": "clipboard yank",
	"picture":   "screenshot",
	"messages":  "log errors doubts",
	"told":      "log history lxc commands",
	"palette":   "commands",
	"quit":      "exit leave",
}

// signHelp is what the signs of the table mean, each whole on a line of 80 cells.
var signHelp = [][2]string{
	{"● ·", "new: exported until somebody drops it; ● came a moment ago"},
	{"✓ ✗", "keep, drop: you decided, or a rule of yours"},
	{"–", "auto: a rule of the program dropped it; you can overrule it"},
	{"!", "before a name: allowing it opens a way round the list"},
	{"*", "before a name: a suffix rule of the underlined part keeps it"},
	{"✓ – ✗", "results in little room: resolved, no answer, blocked"},
	{"NX NA ND", "NXDOMAIN, not allowed, no data"},
	{"SF RF", "SERVFAIL, REFUSED"},
	{"?", "after a connection: several names share the address"},
	{"▣", "refused by the list in force, or would be, while one learns"},
	{"□ ▣ out", "came up under a list without it: out until you keep it"},
	{"▲ ┴", "below new names a minute: the chosen command, the others"},
	{"! doubts", "above: names may be missing; MESSAGES says why"},
}

// leaveForPalette opens the palette from the pane of the shell: what it does is
// done in the table.
func (m *monitor) leaveForPalette() tea.Cmd { return tea.Batch(m.toTable(), m.openPalette()) }

// lookUp finds the sessions and instances, away from the screen.
func (m *monitor) lookUp(d *dialog.Palette) tea.Cmd {
	var here capture.Info
	m.capture.Ledger.Read(func(r capture.Reader) { here = r.Info() })
	ctx, backend, now := m.ctx, m.opts.Backend, m.now
	return func() tea.Msg {
		msg := lookedUpMsg{of: d}
		all, err := session.List()
		for _, s := range all {
			if s.Err == nil && s.Name() != here.Session {
				i := dialog.Item{Section: "Session", Does: "leave this one and look at " + s.Name(), Key: look.Ago(now.Sub(s.Modified)), To: Next{Session: s.Name()}}
				if s.InUse {
					i.Why = "another lxd-allowlist has it open: quit that one first"
				}
				msg.items = append(msg.items, i)
			}
		}
		if err != nil {
			msg.items = append(msg.items, dialog.Item{Section: "Session", Does: "none", Why: err.Error()})
		}
		if backend == nil {
			return msg
		}
		choices, err := backend.Choices(ctx)
		for _, c := range choices {
			if c.Instance != here.Instance {
				msg.items = append(msg.items, dialog.Item{Section: "Instance", Does: "leave this one and watch " + c.Instance, Key: strings.ToLower(c.Status), Why: c.Problem, To: Next{Instance: c.Instance}})
			}
		}
		if err != nil {
			msg.items = append(msg.items, dialog.Item{Section: "Instance", Does: "none", Why: err.Error()})
		}
		return msg
	}
}

// picked does what was picked of the palette.
func (m *monitor) picked(to any) tea.Cmd {
	m.dialog = nil
	switch to := to.(type) {
	case pickedAction:
		return m.act(string(to))
	case pickedFormat:
		m.export.format = string(to)
		return m.openExport(false)
	case pickedSetting:
		m.dialog = m.askSetting(string(to))
	case Next:
		m.result.Next = &to
		return tea.Quit
	}
	return nil
}
