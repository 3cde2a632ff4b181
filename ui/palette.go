package ui

import (
	"fmt"
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

func (m *monitor) openPalette() tea.Cmd {
	var items []dialog.Item
	for _, l := range m.tables.table.Lines(m.keys, m) {
		items = append(items, dialog.Item{Section: l.Section, Does: l.Does, Key: l.Key, Why: l.Why, To: pickedAction(l.Name)})
	}
	for _, f := range export.Formats() {
		items = append(items, dialog.Item{Section: "Export", Does: "as " + f.Name + ": " + f.Title, To: pickedFormat(f.Name)})
	}
	for _, s := range m.opts.Settings.list() {
		items = append(items, dialog.Item{Section: "Setting", Does: s.name + ": " + s.says, Key: s.value, To: pickedSetting(s.name)})
	}
	for _, words := range table.FilterHelp {
		items = append(items, dialog.Item{Section: "In filter", Does: words[1], Key: words[0]})
	}
	for _, words := range mouseHelp {
		items = append(items, dialog.Item{Section: "Mouse", Does: words[1], Key: words[0]})
	}
	d := dialog.NewPalette(m.keys, items, "looking for sessions and instances…")
	m.dialog = d
	return m.lookUp(d)
}

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
		m.askSetting(string(to))
	case Next:
		m.result.Next = &to
		return tea.Quit
	}
	return nil
}

// askSetting has the user give a setting another value.
func (m *monitor) askSetting(name string) {
	for _, s := range m.opts.Settings.list() {
		if s.name == name {
			m.dialog = dialog.NewPrompt(m.keys, "Setting "+name, s.says+"; it goes into the config file; with no text it is taken out there", s.value, settingFor{name})
		}
	}
}

type settingFor struct{ name string }

// settingSetMsg says what became of a setting that was given another value.
type settingSetMsg struct {
	of       dialog.Dialog
	name     string
	settings Settings
	err      error
}

func (m *monitor) settingSet(msg settingSetMsg) {
	prompt, open := msg.of.(*dialog.Prompt)
	open = open && m.dialog == msg.of
	switch {
	case msg.err != nil && open:
		prompt.Fail(msg.err)
		return
	case msg.err != nil:
		m.say(msg.err.Error())
		return
	case open:
		m.dialog = nil
	}
	m.opts.Settings = msg.settings
	if msg.name == "format" {
		m.export.format = msg.settings.Format
	}
	m.say(fmt.Sprintf("%s is set in the config file; what this session has taken up already stays", msg.name))
}
