package dialog

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/export"
	"lxd-allowlist/ui/keys"
)

// Export shows what will be written, in which format and where; at the end of
// the session it is also the way out.
type Export struct {
	keys     *keys.Map
	quitting bool
	formats  []export.Format
	format   int
	path     fileName
	stem     string // the name without an extension, while no other was typed

	made   Made
	gen    int  // of the format that was chosen last
	making bool // a file of it is being made
	stale  bool // and what it is made of has changed since

	top     int
	exists  bool     // the file is there: overwrite it?
	changes []string // what overwriting it would change
	err     error    // why it wasn't written
}

// Made is a file as it would be written.
type Made struct {
	Gen     int // see [Make]
	File    export.File
	Lines   []string      // of the file
	Tally   capture.Tally // how the domains stood
	LeftOut string        // how many domains aren't in it, and why
	// Overruled are dropped names that the file allows all the same.
	Overruled []string
	// Verified says what came of the list when it was enforced, "" if it never
	// was.
	Verified string
	Took     time.Duration
	Err      error
}

// Writing says what becomes of a file that is there.
type Writing int

const (
	Create    Writing = iota // it stays, and the user is asked
	Overwrite                // it is replaced
	Merge                    // its rules stay beside the new ones
)

// NewExport returns the dialog and what it wants made. format and path are
// what it begins with; with no path it is stem with the format's extension.
func NewExport(k *keys.Map, quitting bool, format, path, stem string) (*Export, Result) {
	d := &Export{keys: k, quitting: quitting, formats: export.Formats(), stem: stem}
	d.format = max(0, slices.IndexFunc(d.formats, func(f export.Format) bool { return f.Name == format }))
	d.path = newFileName(path, d.defaultPath())
	return d, d.render()
}

func (d *Export) defaultPath() string { return d.stem + "." + d.formats[d.format].Extension }

func (d *Export) render() Result {
	d.gen++
	d.top, d.exists, d.err = 0, false, nil
	d.making, d.stale = true, false
	return Make{Format: d.formats[d.format], Gen: d.gen}
}

// The shown file follows the ledger, in this time and no oftener than takes a
// tenth of one core.
const (
	leastRest = time.Second
	restShare = 10
)

// Changed tells that the file would be another one now.
func (d *Export) Changed() Result {
	if d.making {
		d.stale = true
		return nil
	}
	d.making = true
	return Make{Format: d.formats[d.format], Gen: d.gen, Rest: max(leastRest, restShare*d.made.Took)}
}

// Made takes the file that was made. One that another was asked for since is
// not shown.
func (d *Export) Made(m Made) Result {
	if m.Gen != d.gen {
		return nil
	}
	d.made, d.making = m, false
	if !d.stale {
		return nil
	}
	d.stale = false
	return d.Changed()
}

// Failed says why the file wasn't written. If that is because there is one,
// changes is what overwriting it would change.
func (d *Export) Failed(err error, exists bool, changes []string) {
	d.err, d.exists, d.changes, d.top = err, exists, changes, 0
}

var (
	exportKeys = keys.Table[*Export, Result]{Context: "the export", Actions: append([]keys.Action[*Export, Result]{
		{Row: keys.Row{Name: "accept", Hint: "write it"}, Do: (*Export).create},
		nextFormat, editName,
		{Row: keys.Row{Name: "cancel", Hint: "back"}, Do: closes[*Export]},
	}, scrollExport...)}
	quitKeys = keys.Table[*Export, Result]{Context: "the last export", Actions: append([]keys.Action[*Export, Result]{
		{Row: keys.Row{Name: "accept", Hint: "write and quit"}, Do: (*Export).create},
		nextFormat, editName,
		{Row: keys.Row{Name: "no", Hint: "quit only"}, Do: quits},
		{Row: keys.Row{Name: "quit-now", Keys: []string{"ctrl+c"}, Help: "quit without a file"}, Do: quits},
		{Row: keys.Row{Name: "cancel", Hint: "back"}, Do: closes[*Export]},
	}, scrollExport...)}
	existsKeys = keys.Table[*Export, Result]{Context: "the question whether to overwrite", Actions: []keys.Action[*Export, Result]{
		{Row: keys.Row{Name: "yes", Hint: "overwrite"}, Do: func(d *Export) Result { return d.write(Overwrite) }},
		{Row: keys.Row{Name: "merge", Keys: []string{"m"}, Help: "merge", Hint: "merge"}, Do: func(d *Export) Result { return d.write(Merge) }},
		{Row: keys.Row{Name: "file", Keys: []string{"f"}, Help: "file name", Hint: "another name"}, Do: (*Export).edit},
		{Row: keys.Row{Name: "no"}, Do: (*Export).leaveIt},
		{Row: keys.Row{Name: "cancel", Hint: "cancel"}, Do: (*Export).leaveIt},
		moves("up", -1), moves("down", 1), moves("page-up", -10), moves("page-down", 10),
	}}

	nextFormat = keys.Action[*Export, Result]{
		Row: keys.Row{Name: "next-format", Keys: []string{"right", "l", "tab"}, Help: "next format", Hint: "format", Beside: "prev-format"},
		Do:  func(d *Export) Result { return d.choose(1) },
	}
	editName     = keys.Action[*Export, Result]{Row: keys.Row{Name: "file", Hint: "file name"}, Do: (*Export).edit}
	scrollExport = []keys.Action[*Export, Result]{
		{Row: keys.Row{Name: "prev-format", Keys: []string{"left", "h", "shift+tab"}, Help: "previous format"}, Do: func(d *Export) Result { return d.choose(-1) }},
		moves("up", -1), moves("down", 1), moves("page-up", -10), moves("page-down", 10),
	}
)

func quits(*Export) Result { return Quit{} }

func moves(name string, n int) keys.Action[*Export, Result] {
	return keys.Action[*Export, Result]{Row: keys.Row{Name: name}, Do: func(d *Export) Result { d.top += n; return nil }}
}

// actions are what can be done now.
func (d *Export) actions() *keys.Table[*Export, Result] {
	switch {
	case d.exists:
		return &existsKeys
	case d.quitting:
		return &quitKeys
	}
	return &exportKeys
}

// Press implements [Dialog].
func (d *Export) Press(msg tea.KeyPressMsg) Result {
	if d.path.press(d.keys, msg) {
		return nil
	}
	return d.actions().Press(d.keys, msg.String(), d).Of
}

// Paste implements [Dialog].
func (d *Export) Paste(msg tea.PasteMsg) { d.path.paste(msg) }

// leaveIt leaves a file that exists as it is.
func (d *Export) leaveIt() Result {
	d.exists, d.err = false, nil
	return nil
}

func (d *Export) edit() Result {
	d.exists, d.err = false, nil
	d.path.edit()
	return nil
}

// choose goes to the next format. A file's name that nobody typed follows.
func (d *Export) choose(step int) Result {
	d.format = (d.format + step + len(d.formats)) % len(d.formats)
	d.path.follow(d.defaultPath())
	return d.render()
}

func (d *Export) create() Result { return d.write(Create) }

func (d *Export) write(how Writing) Result {
	switch {
	case d.made.Gen != d.gen: // still being made
		return nil
	case d.made.Err != nil:
		d.err = d.made.Err
		return nil
	}
	return Write{File: d.made.File, Path: d.path.Value(), Default: d.path.Value() == d.defaultPath(), How: how, Quit: d.quitting}
}
