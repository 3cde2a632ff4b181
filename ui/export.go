package ui

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/export"
	"lxd-allowlist/ui/look"
)

// exportSettings are what was chosen last, and for the whole run: the dialog
// begins with them.
type exportSettings struct {
	format, path string
	options      export.Options
}

// exportDialog shows what will be written, in which format and where, and
// writes it; at the end of the session it is also the way out.
type exportDialog struct {
	quitting bool
	formats  []export.Format
	format   int
	path     textinput.Model
	fallback string // the name without an extension, while no other was typed
	preview  previewMsg
	gen      int
	top      int
	exists   bool     // the file is there: overwrite it?
	changes  []string // what overwriting it would change
	err      error    // why it wasn't written
}

type (
	// previewMsg is the file as it would be written.
	previewMsg struct {
		gen     int
		file    export.File
		lines   []string
		leftOut string
		// overruled are dropped names that the file allows all the same.
		overruled []string
		err       error
	}
	copiedMsg struct {
		data  []byte
		rules int
	}
	// noteMsg is a sentence for the user.
	noteMsg  string
	wroteMsg struct {
		path  string
		rules int
		quit  bool
		err   error
		// changes is how an existing file differs, for [fs.ErrExist].
		changes []string
	}
)

func (m *monitor) openExport(quitting bool) tea.Cmd {
	d := &exportDialog{quitting: quitting, formats: export.Formats(), path: textinput.New()}
	d.format = max(0, slices.IndexFunc(d.formats, func(f export.Format) bool { return f.Name == m.export.format }))
	d.path.Prompt = ""
	m.capture.Ledger.Read(func(r capture.Reader) { d.fallback = fileStem(r.Info()) })
	d.path.SetValue(cmp.Or(m.export.path, d.defaultPath()))
	m.dialog = d
	return d.render(m)
}

// exportAgain writes with the last settings; a file that this session has not
// written is asked about first.
func (m *monitor) exportAgain() tea.Cmd {
	if m.result.Wrote == "" {
		return m.openExport(false)
	}
	return m.make(func(f export.Format, p previewMsg) tea.Msg {
		return wroteMsg{path: m.result.Wrote, rules: len(p.file.Rules), err: export.WriteFile(m.result.Wrote, p.file.Data, true)}
	})
}

// copyList puts the list into the terminal's clipboard.
func (m *monitor) copyList() tea.Cmd {
	return m.make(func(f export.Format, p previewMsg) tea.Msg { return copiedMsg{p.file.Data, len(p.file.Rules)} })
}

// make makes the file in the last format and hands it on.
func (m *monitor) make(then func(export.Format, previewMsg) tea.Msg) tea.Cmd {
	ledger, options, name := m.capture.Ledger, m.export.options, cmp.Or(m.export.format, export.Formats()[0].Name)
	return func() tea.Msg {
		f, err := export.Lookup(name)
		p := previewMsg{err: err}
		if err == nil {
			p = preview(ledger, f, options)
		}
		if p.err != nil {
			return noteMsg(p.err.Error())
		}
		return then(f, p)
	}
}

// fileStem is the start of a file's name for what a ledger is about.
func fileStem(i capture.Info) string {
	stem := cmp.Or(i.Instance, strings.TrimSuffix(filepath.Base(i.Log), filepath.Ext(i.Log)), "domains")
	return strings.Trim(stem, "-./") + "-allowlist"
}

func (d *exportDialog) defaultPath() string { return d.fallback + "." + d.formats[d.format].Extension }

// render makes the file, away from the screen: a large ledger takes a moment.
func (d *exportDialog) render(m *monitor) tea.Cmd {
	d.gen++
	d.top, d.exists, d.err = 0, false, nil
	ledger, options, format, gen := m.capture.Ledger, m.export.options, d.formats[d.format], d.gen
	return func() tea.Msg {
		p := preview(ledger, format, options)
		p.gen = gen
		return p
	}
}

func (m *monitor) updateExport(msg tea.Msg) tea.Cmd {
	d, open := m.dialog.(*exportDialog)
	switch msg := msg.(type) {
	case previewMsg:
		if open && msg.gen == d.gen {
			d.preview = msg
		}
	case wroteMsg:
		return m.wrote(d, msg)
	case noteMsg:
		m.say(string(msg))
	case copiedMsg:
		m.say("copied the list of " + look.Plural(msg.rules, "rule"))
		return tea.SetClipboard(string(msg.data))
	}
	return nil
}

func (m *monitor) wrote(d *exportDialog, msg wroteMsg) tea.Cmd {
	if msg.err != nil {
		if d != nil {
			d.exists = errors.Is(msg.err, fs.ErrExist)
			d.err, d.changes, d.top = msg.err, msg.changes, 0
		} else {
			m.say(msg.err.Error())
		}
		return nil
	}
	m.result.Wrote = msg.path
	m.say(fmt.Sprintf("wrote %s to %s", look.Plural(msg.rules, "rule"), msg.path))
	m.dialog = nil
	if msg.quit {
		return tea.Quit
	}
	return nil
}

func (d *exportDialog) update(m *monitor, msg tea.KeyPressMsg) (open bool, cmd tea.Cmd) {
	k := &m.keys
	switch {
	case d.path.Focused():
		d.edit(m, msg)
	case d.exists && key.Matches(msg, k.Yes):
		return true, d.write(m, overwrite)
	case d.exists && key.Matches(msg, k.Merge):
		return true, d.write(m, merge)
	case d.exists && key.Matches(msg, k.Cancel, k.No):
		d.exists, d.err = false, nil
	case key.Matches(msg, k.Cancel):
		return false, nil
	case key.Matches(msg, k.File):
		d.exists, d.err = false, nil
		d.path.Focus()
		d.path.CursorEnd()
	case !d.exists && key.Matches(msg, k.Accept):
		return true, d.write(m, create)
	case d.exists && !key.Matches(msg, k.Down, k.Up, k.PageDown, k.PageUp):
	case d.quitting && (key.Matches(msg, k.No) || msg.String() == "ctrl+c"):
		return false, tea.Quit
	case key.Matches(msg, k.NextFormat):
		return true, d.choose(m, 1)
	case key.Matches(msg, k.PrevFormat):
		return true, d.choose(m, -1)
	case key.Matches(msg, k.Down):
		d.top++
	case key.Matches(msg, k.Up):
		d.top--
	case key.Matches(msg, k.PageDown):
		d.top += 10
	case key.Matches(msg, k.PageUp):
		d.top -= 10
	}
	return true, nil
}

func (d *exportDialog) edit(m *monitor, msg tea.KeyPressMsg) {
	switch {
	case key.Matches(msg, m.keys.Accept, m.keys.Cancel):
		d.path.Blur()
		if d.path.Value() == "" {
			d.path.SetValue(d.defaultPath())
		}
	default:
		d.path, _ = d.path.Update(msg)
	}
}

func (d *exportDialog) paste(msg tea.PasteMsg) {
	if d.path.Focused() {
		d.path, _ = d.path.Update(msg)
	}
}

// choose goes to the next format. A file's name that nobody typed follows.
func (d *exportDialog) choose(m *monitor, step int) tea.Cmd {
	follow := d.path.Value() == d.defaultPath()
	d.format = (d.format + step + len(d.formats)) % len(d.formats)
	if follow {
		d.path.SetValue(d.defaultPath())
	}
	return d.render(m)
}

// writing says what becomes of a file that is there.
type writing int

const (
	create    writing = iota // it stays, and the user is asked
	overwrite                // it is replaced
	merge                    // its rules stay beside the new ones
)

func (d *exportDialog) write(m *monitor, how writing) tea.Cmd {
	p := d.preview
	switch {
	case p.gen != d.gen: // still being made
		return nil
	case p.err != nil:
		d.err = p.err
		return nil
	}
	path, quit := d.path.Value(), d.quitting
	m.export.format, m.export.path = d.formats[d.format].Name, path
	if path == d.defaultPath() {
		m.export.path = ""
	}
	if how == create && path == m.result.Wrote {
		how = overwrite // what this session wrote is not asked about again
	}
	ledger, options := m.capture.Ledger, m.export.options
	return func() tea.Msg {
		w := write(ledger, p, options, path, how)
		w.quit = quit
		return w
	}
}
