package ui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/look"
)

// key hands a key to who has the focus.
func (m *monitor) key(msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case m.dialog != nil:
		open, cmd := m.dialog.update(m, msg)
		if !open {
			m.dialog = nil
		}
		return cmd
	case m.focus == onShell:
		return m.keyShell(msg)
	case m.table.Editing():
		m.keyFilter(msg)
		return nil
	}
	return m.keyTable(msg)
}

func (m *monitor) keyShell(msg tea.KeyPressMsg) tea.Cmd {
	k := &m.keys
	switch {
	case key.Matches(msg, k.Leave):
		return m.focusOn(onTable)
	case key.Matches(msg, k.ShellUp):
		m.shell.scroll(m.layout.shell.h / 2)
		return nil
	case key.Matches(msg, k.ShellDown):
		m.shell.scroll(-m.layout.shell.h / 2)
		return nil
	case m.shell.running():
		m.pace.typed(msg)
		m.shell.key(msg)
		return nil
	}
	// With no shell running nothing is typed into the pane.
	switch {
	case key.Matches(msg, k.Reopen, k.Accept):
		return m.shell.start(m.focus == onShell)
	case key.Matches(msg, k.Shell):
		return m.focusOn(onTable)
	case key.Matches(msg, k.Quit):
		return m.openExport(true)
	case key.Matches(msg, k.Help):
		m.dialog = newHelp()
	}
	return nil
}

func (m *monitor) keyTable(msg tea.KeyPressMsg) tea.Cmd {
	k := &m.keys
	switch {
	case key.Matches(msg, k.Shell):
		if !m.shell.exists() {
			m.say("there is no shell here: " + m.capture.Title + " is only read")
			return nil
		}
		return m.focusOn(onShell)
	case key.Matches(msg, k.Undo):
		m.did("undid: ", m.capture.Ledger.Undo(), "nothing to undo")
	case key.Matches(msg, k.Redo):
		m.did("did again: ", m.capture.Ledger.Redo(), "nothing to redo")
	case key.Matches(msg, k.Details):
		m.openDetails()
	case key.Matches(msg, k.Reopen):
		return m.reopen()
	case key.Matches(msg, k.ShellWipe) && m.shell.exists():
		m.shell.wipe()
	case key.Matches(msg, k.Export):
		return m.openExport(false)
	case key.Matches(msg, k.Quit):
		return m.openExport(true)
	case key.Matches(msg, k.Again):
		return m.exportAgain()
	case key.Matches(msg, k.CopyList):
		return m.copyList()
	case key.Matches(msg, k.Help):
		m.dialog = newHelp()
	case key.Matches(msg, k.Messages):
		m.dialog = &messageLog{}
	default:
		if done, cmd := m.keyDecide(msg); done {
			return cmd
		}
		if done, cmd := m.keyPanes(msg); done {
			return cmd
		}
		m.keyLooks(msg)
	}
	return nil
}

func (m *monitor) reopen() tea.Cmd {
	switch {
	case !m.shell.exists():
		m.say("there is no shell here: " + m.capture.Title + " is only read")
		return nil
	case m.shell.running():
		return m.focusOn(onShell)
	}
	return tea.Batch(m.focusOn(onShell), m.shell.start(m.focus == onShell))
}

func (m *monitor) paste(msg tea.PasteMsg) tea.Cmd {
	switch {
	case m.dialog != nil:
		if p, ok := m.dialog.(interface{ paste(tea.PasteMsg) }); ok {
			p.paste(msg)
		}
	case m.focus == onShell:
		m.shell.paste(msg.Content)
	case m.table.Editing():
		m.table.Type(msg)
	}
	return nil
}

// mouse does what a person who points would expect: a click selects, the
// wheel scrolls what is under it, a program in the shell that asked for the
// mouse gets it.
func (m *monitor) mouse(msg tea.MouseMsg) tea.Cmd {
	if m.dialog != nil {
		return nil
	}
	at := msg.Mouse()
	if m.dragDivider(msg) {
		return m.arrange()
	}
	inShell := m.layout.shell.contains(at.X, at.Y)
	if inShell && m.focus == onShell || m.shell.dragging() {
		x, y := at.X-m.layout.shell.x, at.Y-m.layout.shell.y-shellChrome
		if used, copied := m.shell.mouse(msg, x, y); copied != "" {
			m.say("copied " + look.Plural(strings.Count(copied, "\n")+1, "line"))
			return tea.SetClipboard(copied)
		} else if used {
			return nil
		}
	}
	switch msg := msg.(type) {
	case tea.MouseWheelMsg:
		lines := 3
		if msg.Button == tea.MouseWheelUp {
			lines = -3
		}
		if inShell {
			m.shell.scroll(-lines)
		} else {
			m.table.Scroll(lines)
		}
	case tea.MouseClickMsg:
		if inShell {
			return m.focusOn(onShell)
		}
		if m.layout.table.contains(at.X, at.Y) {
			m.table.Click(at.X-m.layout.table.x, at.Y-m.layout.table.y)
			return m.focusOn(onTable)
		}
	}
	return nil
}
