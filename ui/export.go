package ui

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
)

// exportSettings are what was chosen last, and for the whole run: the dialog
// begins with them.
type exportSettings struct {
	format, path string
	dir          string // where files go that have no name yet, "" for what the config says
	options      export.Options
}

type (
	// madeMsg is a file for the dialog that asked for it.
	madeMsg struct {
		of   *dialog.Export
		file dialog.Made
	}
	copiedMsg struct {
		data  []byte
		rules int
	}
	// noteMsg is a sentence for the user.
	noteMsg  string
	wroteMsg struct {
		of     *dialog.Export // nil for none
		format string
		path   string
		rules  int
		// since is how many rules came or went after the file was shown.
		since int
		quit  bool
		err   error
		// there is how an existing file differs, for [fs.ErrExist].
		there dialog.There
	}
)

// beginExport returns what the export begins with: what the command line says,
// else what the session was written as last, else what the config does.
func beginExport(o Options, l *capture.Ledger) exportSettings {
	e := exportSettings{format: o.Format, path: o.Output, options: o.Export}
	l.Read(func(r capture.Reader) {
		if w, _ := r.Exported(); w != nil && w.Path != capture.Stdout && e.format == "" && e.path == "" {
			e.format, e.path = w.Format, w.Path
		}
	})
	if strings.HasSuffix(e.path, "/") {
		e.dir, e.path = e.path, ""
	}
	e.format = cmp.Or(e.format, o.Settings.Format)
	return e
}

func (m *monitor) openExport(quitting bool) tea.Cmd {
	var stem string
	m.capture.Ledger.Read(func(r capture.Reader) { stem = fileStem(r.Info()) })
	path, dir := m.export.path, m.export.dir
	if dir == "" {
		var file string
		dir, file = m.opts.Settings.output()
		path = cmp.Or(path, file)
	}
	stem = filepath.Join(dir, stem)
	d, wants := dialog.NewExport(m.keys, quitting, m.export.format, path, stem)
	m.dialog = d
	return m.do(wants)
}

// fileStem is the start of a file's name for what a ledger is about.
func fileStem(i capture.Info) string {
	stem := cmp.Or(i.Instance, strings.TrimSuffix(filepath.Base(i.Log), filepath.Ext(i.Log)), "domains")
	return strings.Trim(stem, "-./") + "-allowlist"
}

// makeFile makes a file for the dialog, away from the screen: a large ledger
// takes a moment.
func (m *monitor) makeFile(r dialog.Make) tea.Cmd {
	d, ok := m.dialog.(*dialog.Export)
	if !ok {
		return nil
	}
	ctx, ledger, options, enforced := m.ctx, m.capture.Ledger, m.export.options, m.stillEnforced()
	return func() tea.Msg {
		select {
		case <-time.After(r.Rest):
		case <-ctx.Done():
			return nil
		}
		begin := time.Now()
		f := dialog.Made{Gen: r.Gen}
		list := ledger.List(false)
		there, err := export.Look(r.Format, r.Path)
		if f.File, f.Err = there.Make(list, r.Format, options); f.Err == nil {
			f.There = difference(there, f.File, err)
		}
		f.Lines = strings.Split(strings.TrimSuffix(string(f.File.Data), "\n"), "\n")
		f.Kinds = make(map[string]int)
		for _, r := range f.File.Rules {
			f.Kinds[r.Kind()]++
		}
		f.LeftOut, f.Overruled, f.Verified = list.LeftOut, list.Overruled, cmp.Or(enforced, f.File.Verified)
		f.Took = time.Since(begin)
		return madeMsg{d, f}
	}
}

// stillEnforced says what quitting means for a list that is in force; "" while
// none is.
func (m *monitor) stillEnforced() string {
	if m.enforcing.stage == stageOff {
		return ""
	}
	return "not yet: " + m.enforcing.words().inForce + "; " + m.keys.Show(rowVerify) + " in the table ends it and reports"
}

// ledgerChanged tells the export dialog that the file is another one now.
func (m *monitor) ledgerChanged() tea.Cmd {
	if d, ok := m.dialog.(*dialog.Export); ok {
		return m.do(d.Changed())
	}
	return nil
}

func (m *monitor) updateExport(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case madeMsg:
		if d, ok := m.dialog.(*dialog.Export); ok && d == msg.of {
			msg.file.Tally = m.table.Tally()
			return m.do(d.Made(msg.file))
		}
	case wroteMsg:
		return m.wrote(msg)
	case noteMsg:
		m.say(string(msg))
	case copiedMsg:
		return copies(m.ctx, string(msg.data), "the list of "+look.Plural(msg.rules, "rule"))
	}
	return nil
}

func (m *monitor) wrote(msg wroteMsg) tea.Cmd {
	d, open := m.dialog.(*dialog.Export)
	open = open && d == msg.of
	switch {
	case msg.err != nil && open:
		d.Failed(msg.err, errors.Is(msg.err, fs.ErrExist), msg.there)
		return nil
	case msg.err != nil:
		m.say(msg.err.Error())
		return nil
	}
	if msg.path == "" {
		return tea.Quit
	}
	m.result.Wrote = msg.path
	kept := m.capture.ReadOnly == ""
	m.capture.Ledger.Exported(capture.Written{Format: msg.format, Path: absolute(msg.path), At: time.Now()})
	text := fmt.Sprintf("wrote %s to %s", look.Plural(msg.rules, "rule"), msg.path)
	if msg.since > 0 {
		text += fmt.Sprintf(", with %s that came or went since it was shown", look.Plural(msg.since, "rule"))
	}
	if !kept && m.ofSession() {
		text += "; the session is only looked at, and doesn't note it"
	}
	m.say(text)
	if open {
		m.dialog = nil
	}
	if msg.quit {
		return tea.Quit
	}
	return nil
}

// ofSession reports whether what is shown is a session that is kept on disk.
func (m *monitor) ofSession() (is bool) {
	if m.opts.Trial {
		return false
	}
	m.capture.Ledger.Read(func(r capture.Reader) { is = r.Info().Session != "" })
	return is
}

// absolute returns a path that says where it is, if that is known.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// writeFile writes what the dialog shows, as the ledger has it now.
func (m *monitor) writeFile(r dialog.Write) tea.Cmd {
	m.export.format, m.export.path = r.File.Format.Name, r.Path
	if r.Default {
		m.export.path = ""
	}
	if r.How == dialog.Create && r.Path == m.result.Wrote {
		r.How = dialog.Overwrite // what this session wrote is not asked about again
	}
	d, _ := m.dialog.(*dialog.Export)
	ledger, options := m.capture.Ledger, m.export.options
	return func() tea.Msg {
		w := write(ledger.List(false), r, options)
		w.of = d
		return w
	}
}

// write writes a list in the format and to the path that were chosen, or, to
// merge, together with the rules that stand there.
func write(list rule.List, r dialog.Write, o export.Options) wroteMsg {
	w := wroteMsg{format: r.File.Format.Name, path: r.Path, quit: r.Quit}
	f, err := export.Make(list, r.File.Format, o)
	w.since = len(rule.Diff(r.File.Rules, f.Rules))
	var there export.Present
	if err == nil {
		there, err = export.Look(f.Format, r.Path)
	}
	switch {
	case err != nil:
	case r.How == dialog.Merge:
		f, err = there.Merge(list, f.Format, o)
	case there.Exists:
		f, err = there.Make(list, f.Format, o)
	}
	switch {
	case err != nil:
	case len(f.Rules) == 0 && r.Quit:
		return wroteMsg{quit: true} // there is nothing to write
	default:
		err = put(r.Path, f, r.How != dialog.Create)
	}
	if errors.Is(err, fs.ErrExist) {
		w.there = difference(there, f, nil)
	}
	w.err, w.rules = err, len(f.Rules)
	return w
}

// put writes a file that has something to say: an empty list is what is left of
// a session in which nothing was heard.
func put(path string, f export.File, overwrite bool) error {
	if len(f.Rules) == 0 {
		return fmt.Errorf("nothing was written: no name is on the list; %s stays as it is", path)
	}
	return export.WriteFile(path, f.Data, overwrite)
}

// difference says how a file differs from what stands where it is to go, or
// that nobody could read that.
func difference(there export.Present, f export.File, err error) dialog.There {
	d := dialog.There{Exists: there.Exists || err != nil, Unreadable: cmp.Or(err, there.Unreadable), Changes: there.Changes(f)}
	slices.SortStableFunc(d.Changes, func(a, b rule.Change) int { // what goes is what to look at
		switch {
		case a.Gone == b.Gone:
			return 0
		case a.Gone:
			return -1
		}
		return 1
	})
	return d
}

// exportAgain writes with the last settings; a file that this session has not
// written is asked about first.
func (m *monitor) exportAgain() tea.Cmd {
	path := m.result.Wrote
	if path == "" {
		return m.openExport(false)
	}
	return m.withFile(func(f export.File) tea.Msg {
		return wroteMsg{format: f.Format.Name, path: path, rules: len(f.Rules), err: put(path, f, true)}
	})
}

// copyList puts the list into the terminal's clipboard.
func (m *monitor) copyList() tea.Cmd {
	return m.withFile(func(f export.File) tea.Msg { return copiedMsg{f.Data, len(f.Rules)} })
}

// withFile makes the file in the last format and hands it on.
func (m *monitor) withFile(then func(export.File) tea.Msg) tea.Cmd {
	ledger, options, name := m.capture.Ledger, m.export.options, cmp.Or(m.export.format, export.Formats()[0].Name)
	return func() tea.Msg {
		var made export.File
		f, err := export.Lookup(name)
		if err == nil {
			made, err = export.Make(ledger.List(false), f, options)
		}
		if err != nil {
			return noteMsg(err.Error())
		}
		return then(made)
	}
}
