package dialog

import (
	"slices"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
	"lxd-allowlist/ui/keys"
)

// Export shows what will be written, in which format and where, and what that
// changes there; at the end of the session it is also the way out.
type Export struct {
	keys     *keys.Map
	quitting bool
	formats  []export.Format
	texts    []string // what is searched, of each format
	found    []found  // the formats in the list
	format   int
	search   textinput.Model // for a format
	path     fileName
	stem     string // the name without an extension, while no other was typed

	made   Made
	gen    int  // of the format and the path that were chosen last
	making bool // a file of it is being made
	stale  bool // and what it is made of has changed since

	changes bool // the difference is shown, and not the file
	top     int
	room    int   // lines of it that are seen
	exists  bool  // the file is there: overwrite it?
	err     error // why it wasn't written

	drawn  drawn // the formats
	tabs   int   // the line of the box on which it is chosen what is shown
	listed bool  // the list of formats is drawn
}

// Made is a file as it would be written.
type Made struct {
	Gen     int // see [Make]
	File    export.File
	Lines   []string       // of the file
	Kinds   map[string]int // of its rules, by [rule.Rule.Kind]
	There   There
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

// There is what stands where the file is to go, and how the file differs.
type There struct {
	Exists bool
	// Unreadable is why it isn't known what it says, nil if it is.
	Unreadable error
	// Changes are the rules that go, then those that come.
	Changes []rule.Change
}

// gone returns how many rules go.
func (t *There) gone() int {
	for i, c := range t.Changes {
		if !c.Gone {
			return i
		}
	}
	return len(t.Changes)
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
	d := &Export{keys: k, quitting: quitting, formats: export.Formats(), stem: stem, search: textinput.New()}
	d.search.Prompt, d.search.Placeholder = "", "a format"
	for _, f := range d.formats {
		d.texts = append(d.texts, f.Name+"\n"+f.Title)
	}
	d.found = search("", d.texts)
	d.format = max(0, slices.IndexFunc(d.formats, func(f export.Format) bool { return f.Name == format }))
	d.path = newFileName(path, d.defaultPath())
	return d, d.render()
}

func (d *Export) defaultPath() string { return d.stem + "." + d.formats[d.format].Extension }

func (d *Export) render() Result {
	d.gen++
	d.top, d.exists, d.err = 0, false, nil
	d.making, d.stale = true, false
	return d.make(0)
}

func (d *Export) make(rest time.Duration) Result {
	return Make{Format: d.formats[d.format], Path: d.path.Value(), Gen: d.gen, Rest: rest}
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
	return d.make(max(leastRest, restShare*d.made.Took))
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
// there is what overwriting it would change.
func (d *Export) Failed(err error, exists bool, there There) {
	d.err, d.exists, d.top = err, exists, 0
	if exists {
		d.changes, d.made.There = true, there
	}
}

var (
	exportKeys = keys.Table[*Export, Result]{Context: "the export", Actions: append([]keys.Action[*Export, Result]{
		{Row: keys.Row{Name: "accept", Hint: "write it"}, Do: (*Export).create},
	}, exportActions...)}
	quitKeys = keys.Table[*Export, Result]{Context: "the last export", Actions: append([]keys.Action[*Export, Result]{
		{Row: keys.Row{Name: "accept", Hint: "write and quit"}, Says: (*Export).ends, Do: (*Export).create},
		{Row: keys.Row{Name: "no", Hint: "quit, no file"}, Do: quits},
		{Row: keys.Row{Name: "quit-now", Keys: []string{"ctrl+c"}, Help: "quit without a file"}, Do: quits},
	}, exportActions...)}
	existsKeys = keys.Table[*Export, Result]{Context: "the question whether to overwrite", Actions: []keys.Action[*Export, Result]{
		{Row: keys.Row{Name: "yes", Hint: "overwrite"}, Do: func(d *Export) Result { return d.write(Overwrite) }},
		{Row: keys.Row{Name: "merge", Keys: []string{"m"}, Help: "merge", Hint: "merge"}, Can: (*Export).unreadable, Do: func(d *Export) Result { return d.write(Merge) }},
		{Row: keys.Row{Name: "file", Keys: []string{"f"}, Help: "file name", Hint: "another name"}, Do: (*Export).edit},
		{Row: keys.Row{Name: "difference"}, Do: (*Export).turn},
		{Row: keys.Row{Name: "no"}, Do: (*Export).leaveIt},
		{Row: keys.Row{Name: "cancel", Hint: "cancel"}, Do: (*Export).leaveIt},
		moves("up", -1), moves("down", 1), pages("page-up", -1), pages("page-down", 1),
	}}
	// searchKeys are live while a format is searched for.
	searchKeys = keys.Table[*Export, Result]{Context: "the search for a format", Typing: true, Actions: []keys.Action[*Export, Result]{
		{Row: keys.Row{Name: "accept", Hint: "take it"}, Do: (*Export).endSearch},
		{Row: keys.Row{Name: "up"}, Do: chooses(-1)},
		{Row: keys.Row{Name: "down", Hint: "choose", Beside: "up"}, Do: chooses(1)},
		{Row: keys.Row{Name: "cancel", Hint: "all formats"}, Do: func(d *Export) Result { d.search.SetValue(""); return d.endSearch() }},
	}}

	// namingKeys are live while the file's name is typed.
	namingKeys = keys.Table[*Export, Result]{Context: "the file's name", Typing: true, Actions: []keys.Action[*Export, Result]{
		{Row: keys.Row{Name: "accept", Hint: "done"}, Do: (*Export).named},
		{Row: keys.Row{Name: "cancel"}, Do: (*Export).named},
	}}

	exportActions = []keys.Action[*Export, Result]{
		{Row: keys.Row{Name: "up"}, Do: chooses(-1)},
		{Row: keys.Row{Name: "down", Hint: "format", Beside: "up"}, Do: chooses(1)},
		{Row: keys.Row{Name: "difference", Keys: []string{"tab", "left", "right"}, Help: "the file or what it changes", Hint: "difference"}, Says: (*Export).turns, Do: (*Export).turn},
		{Row: keys.Row{Name: "filter", Hint: "find"}, Do: func(d *Export) Result { d.search.Focus(); return nil }},
		{Row: keys.Row{Name: "file", Hint: "name"}, Do: (*Export).edit},
		pages("page-up", -1), pages("page-down", 1),
		{Row: keys.Row{Name: "cancel", Hint: "back"}, Do: closes[*Export]},
	}
)

// unreadable says why the file can't be merged with what stands there.
func (d *Export) unreadable() string {
	if err := d.made.There.Unreadable; err != nil {
		return "what stands there can't be read as " + d.formats[d.format].Name + ": " + err.Error()
	}
	return ""
}

func (d *Export) turn() Result {
	d.changes, d.top = !d.changes, 0
	return nil
}

func (d *Export) turns() string {
	if d.changes {
		return "the file"
	}
	return "difference"
}

func (d *Export) endSearch() Result {
	d.search.Blur()
	return d.seek()
}

// ends says what enter comes to at the end of the session.
func (d *Export) ends() string {
	if d.empty() {
		return "quit"
	}
	return "write and quit"
}

// empty reports whether there is nothing to write.
func (d *Export) empty() bool {
	return d.made.Gen == d.gen && d.made.Err == nil && len(d.made.File.Rules) == 0
}

func quits(*Export) Result { return Quit{} }

func moves(name string, n int) keys.Action[*Export, Result] {
	return keys.Action[*Export, Result]{Row: keys.Row{Name: name}, Do: func(d *Export) Result { d.top += n; return nil }}
}

func pages(name string, n int) keys.Action[*Export, Result] {
	return keys.Action[*Export, Result]{Row: keys.Row{Name: name}, Do: func(d *Export) Result { d.top += n * max(1, d.room-1); return nil }}
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

// Keys implements [Dialog].
func (d *Export) Keys() Live {
	switch {
	case d.path.Focused():
		return namingKeys.On(d.keys, d)
	case d.search.Focused():
		return searchKeys.On(d.keys, d)
	}
	return d.actions().On(d.keys, d)
}

// Type implements [Dialog].
func (d *Export) Type(msg tea.Msg) Result {
	d.path.enter(msg)
	if before := d.search.Value(); d.search.Focused() {
		if d.search, _ = d.search.Update(msg); d.search.Value() != before {
			return d.seek()
		}
	}
	return nil
}

// seek has the list show what is searched for, and takes the best of it.
func (d *Export) seek() Result {
	d.found = search(d.search.Value(), d.texts)
	if len(d.found) == 0 || d.search.Value() == "" {
		return nil
	}
	return d.choose(d.found[0].index)
}

// leaveIt leaves a file that exists as it is.
func (d *Export) leaveIt() Result {
	d.exists, d.err = false, nil
	return nil
}

func (d *Export) edit() Result {
	d.leaveIt()
	d.path.edit()
	return nil
}

// chooses goes so many formats on in the list.
func chooses(step int) func(*Export) Result {
	return func(d *Export) Result {
		n := len(d.found)
		if n == 0 {
			return nil
		}
		at := slices.IndexFunc(d.found, func(f found) bool { return f.index == d.format })
		return d.choose(d.found[(at+step+n)%n].index)
	}
}

// choose takes a format. A file's name that nobody typed follows.
func (d *Export) choose(format int) Result {
	if format == d.format {
		return nil
	}
	d.format = format
	d.path.follow(d.defaultPath())
	return d.render()
}

// named ends the typing of the name: the file may go elsewhere now.
func (d *Export) named() Result {
	d.path.typed()
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
