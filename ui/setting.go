package ui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/dialog"
)

// settingItems are the settings as a palette has them.
func (m *model) settingItems() (items []dialog.Item) {
	for _, s := range m.opts.Settings.list() {
		items = append(items, dialog.Item{Section: "Setting", Does: s.name + ": " + s.says, Key: s.value, To: pickedSetting(s.name)})
	}
	return items
}

// askSetting has the user give a setting another value.
func (m *model) askSetting(name string) dialog.Dialog {
	for _, s := range m.opts.Settings.list() {
		if s.name == name {
			return dialog.NewPrompt(m.keys, "Setting "+name, s.says+"; it goes into the config file; with no text it is taken out there", s.value, settingFor{name})
		}
	}
	return nil
}

type settingFor struct{ name string }

// settingSetMsg says what became of a setting that was given another value.
type settingSetMsg struct {
	of       dialog.Dialog
	name     string
	settings Settings
	err      error
}

// setSettingTo writes what was typed into a dialog.
func setSettingTo(of dialog.Dialog, to settingFor, text string) tea.Cmd {
	return func() tea.Msg {
		c, err := setSetting(to.name, text)
		return settingSetMsg{of, to.name, c, err}
	}
}

// settingSet takes up what became of it, and closes the dialog that it was typed
// into, if that is the one that is shown.
func (m *model) settingSet(msg settingSetMsg, shown *dialog.Dialog) (said string) {
	prompt, open := msg.of.(*dialog.Prompt)
	open = open && *shown == msg.of
	switch {
	case msg.err != nil && open:
		prompt.Fail(msg.err)
		return ""
	case msg.err != nil:
		return msg.err.Error()
	case open:
		*shown = nil
	}
	m.opts.Settings = msg.settings
	return fmt.Sprintf("%s is set in the config file", msg.name)
}
