package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/keys"
)

// Whoever gives the program a key writes one row: here, with its phase, or,
// for a key of a dialog, in ui/dialog. The footers, the help, the config's
// names and the search for keys that do two things follow from the rows.
type (
	action  = keys.Action[*monitor, tea.Cmd]
	actions = keys.Table[*monitor, tea.Cmd]
)

// tables are the actions of every context.
type tables struct {
	picker   keys.Table[*picker, tea.Cmd]
	opening  keys.Table[*opening, tea.Cmd]
	failed   keys.Table[*opening, tea.Cmd] // the opening has
	question keys.Table[*opening, tea.Cmd]
	table    actions
	filter   actions // while it is typed
	shell    actions // while one runs: all other keys are the instance's
	ended    actions // the pane of a shell that has
}

// newTables makes them: functions that lead back to their own row can't stand
// in a variable.
func newTables() *tables {
	return &tables{
		picker:   pickerActions(),
		opening:  openingActions(),
		failed:   failedActions(),
		question: questionActions(),
		table:    tableActions(),
		filter:   filterActions(),
		shell:    shellActions(),
		ended:    endedActions(),
	}
}

func (t *tables) contexts() []keys.Context {
	own := []keys.Context{
		t.picker.Rows(), t.opening.Rows(), t.failed.Rows(), t.question.Rows(),
		t.table.Rows(), t.filter.Rows(), t.shell.Rows(), t.ended.Rows(),
	}
	return append(own, dialog.Contexts()...)
}

// newKeys returns the tables and the keys, with those of the user.
func newKeys(c Settings) (*tables, *keys.Map, error) {
	t := newTables()
	m, err := keys.NewMap(t.contexts(), c.bindings())
	return t, m, err
}

// Names of rows that others speak of.
const (
	rowAccept      = "accept"
	rowCancel      = "cancel"
	rowDown        = "down"
	rowFilter      = "filter"
	rowFilters     = "filters"
	rowSaveFilter  = "save-filter"
	rowSaved       = "saved-filter"
	rowGroup       = "group"
	rowHideDecided = "hide-decided"
	rowHideDrops   = "hide-drops"
	rowMessages    = "messages"
	rowPlay        = "play"
	rowReopen      = "reopen"
	rowRepair      = "repair"
	rowSuspend     = "suspend"
	rowUp          = "up"
	rowVerify      = "verify"
	rowWiden       = "widen"
)

func tableActions() actions {
	t := actions{Context: "the table", Actions: []action{
		{Row: row("Decide", "keep", "keep", "a", "+"), Can: needsMark, Says: of("keep"), Do: func(m *monitor) tea.Cmd { return m.markOn(capture.Keep) }},
		{Row: row("Decide", "drop", "drop", "d", "-"), Can: needsMark, Says: of("drop"), Do: func(m *monitor) tea.Cmd { return m.markOn(capture.Drop) }},
		{Row: keys.Row{Section: "Verify", Name: "grant", Help: "let through for a time", Hint: "let through", Keys: []string{"l"}}, Has: needsTarget, Can: needsRefused, Do: then((*monitor).askGrant)},
		{Row: keys.Row{Name: rowCancel}, Says: cancels, Do: then((*monitor).cancel)},
		{Row: quiet("Decide", "toggle", "keep and drop in turn", "space"), Can: needsRow, Do: (*monitor).toggle},
		{Row: quiet("Decide", "clear", "clear the mark", "c", "backspace"), Can: needsMark, Do: func(m *monitor) tea.Cmd { return m.mark(deciding[capture.New], always(capture.New), nil) }},
		{Row: row("Decide", "undo", "undo", "u"), Can: needsDone, Do: (*monitor).undo},
		{Row: quiet("Decide", "redo", "redo", "U", "ctrl+r"), Can: needsUndone, Do: (*monitor).redo},
		{Row: quiet("Decide", "range", "mark a range", "v"), Can: needsRow, Do: then(func(m *monitor) { m.table.StartRange() })},
		{Row: quiet("Decide", "keep-all", "keep all that is shown", "A"), Can: needsShown, Do: marksShown(capture.Keep)},
		{Row: quiet("Decide", "drop-all", "drop all that is shown", "D"), Can: needsShown, Do: marksShown(capture.Drop)},
		{Row: quiet("Decide", "reason", "write a reason", "n"), Can: needsRow, Do: then((*monitor).askReason)},
		{Row: quiet("Decide", "nxdomain", "believe NXDOMAIN or not", "N"), Do: (*monitor).believe},
		{Row: quiet("Decide", "new-rule", "a rule for always", "p"), Do: then((*monitor).askRule)},

		{Row: row("Look", rowFilter, "filter", "/"), Do: then((*monitor).editFilter)},
		{Row: quiet("Look", rowFilters, "saved filters", "F"), Can: needsSaved, Do: then((*monitor).openFilters)},
		{Row: numbered("Look", rowSaved, "filter by that saved one", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9"), Can: needsSaved, Nth: (*monitor).useFilter},
		{Row: quiet("Look", rowSaveFilter, "save it, or forget it", "ctrl+s"), Can: needsFilter, Do: then((*monitor).saveFilter)},
		{Row: keys.Row{Section: "Look", Name: "sort-by", Help: "sort by that column", Keys: []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "="}, Show: 9}, Nth: sortBy},
		{Row: quiet("Look", "sort", "sort by the next column", "s"), Do: then(func(m *monitor) { m.table.SortNext() })},
		{Row: quiet("Look", "reverse", "reverse the order", "r"), Do: then(func(m *monitor) { m.table.Reverse() })},
		{Row: quiet("Look", rowHideDrops, "hide what is dropped", "h"), Do: then((*monitor).hideDrops)},
		{Row: quiet("Look", "freeze", "freeze the view", "f"), Do: then(func(m *monitor) { m.table.Freeze(!m.table.Frozen()) })},
		{Row: quiet("Look", "dock", "details beside the table, or not", "i"), Do: then((*monitor).toggleDock)},
		{Row: quiet("Look", rowHideDecided, "hide what is decided", "H"), Do: then((*monitor).hideDecided)},

		{Row: quiet("Move", "next-undecided", "next undecided", "]"), Do: then(func(m *monitor) { m.next(1) })},
		{Row: quiet("Move", "prev-undecided", "undecided before it", "["), Do: then(func(m *monitor) { m.next(-1) })},

		{Row: keys.Row{Name: rowUp, Section: "Move"}, Do: then(func(m *monitor) { m.table.Move(-1) })},
		{Row: keys.Row{Name: rowDown, Section: "Move", Beside: rowUp}, Says: begins, Do: then(func(m *monitor) { m.table.Move(1) })},
		{Row: keys.Row{Name: "page-up", Section: "Move"}, Do: then(func(m *monitor) { m.table.Page(-1) })},
		{Row: keys.Row{Name: "page-down", Section: "Move"}, Do: then(func(m *monitor) { m.table.Page(1) })},
		{Row: keys.Row{Name: "top", Section: "Move"}, Do: then(func(m *monitor) { m.table.Top() })},
		{Row: keys.Row{Name: "bottom", Section: "Move"}, Do: then(func(m *monitor) { m.table.Bottom() })},

		{Row: quiet("Panes", "zoom", "zoom the table", "z"), Has: needsPanes, Do: (*monitor).zoomTable},
		{Row: quiet("Panes", "zoom-shell", "zoom the shell", "Z"), Has: needsPanes, Do: (*monitor).zoomShell},
		{Row: quiet("Panes", "wider", "more room for the table", ">"), Has: needsPanes, Do: shares(5)},
		{Row: quiet("Panes", "narrower", "less room for it", "<"), Has: needsPanes, Do: shares(-5)},
		{Row: quiet("Panes", "swap", "swap the panes", "x"), Has: needsPanes, Do: (*monitor).swap},

		{Row: row("Replay", rowPlay, "play, pause", "P"), Has: needsReplay, Do: (*monitor).play},
		{Row: keys.Row{Section: "Replay", Name: "replay-back", Help: "back in time", Keys: []string{","}}, Has: needsReplay, Do: scrub(-1)},
		{Row: keys.Row{Section: "Replay", Name: "replay-on", Help: "on in time", Hint: "scrub", Beside: "replay-back", Keys: []string{"."}}, Has: needsReplay, Do: scrub(1)},
		{Row: keys.Row{Section: "Replay", Name: "slower", Help: "slower", Keys: []string{"{"}}, Has: needsReplay, Do: faster(-1)},
		{Row: keys.Row{Section: "Replay", Name: "faster", Help: "faster", Hint: "speed", Beside: "slower", Keys: []string{"}"}}, Has: needsReplay, Do: faster(1)},

		{Row: row("Shell", "shell", "shell", "tab"), Has: needsShell, Do: (*monitor).toShell},
		{Row: keys.Row{Name: keys.Leave, Section: "Shell"}, Has: needsShell, Do: (*monitor).toShell},
		{Row: quiet("Shell", "shell-up", "scroll the shell back", "shift+pgup"), Has: needsShell, Do: scrollsShell(1)},
		{Row: quiet("Shell", "shell-down", "scroll the shell forth", "shift+pgdown"), Has: needsShell, Do: scrollsShell(-1)},
		{Row: quiet("Shell", rowReopen, "open the shell again", "o"), Has: needsShell, Do: (*monitor).reopen},
		{Row: quiet("Shell", "shell-wipe", "reset the shell's screen", "R"), Has: needsShell, Do: then(func(m *monitor) { m.shell.wipe() })},

		{Row: row("Program", rowRepair, "log again", "!"), Can: needsGap, Do: (*monitor).repair},
		{Row: row("Program", "export", "export", "e"), Says: exports, Do: func(m *monitor) tea.Cmd { return m.openExport(false) }},
		{Row: keys.Row{Section: "Verify", Name: rowVerify, Help: "enforce the list, learn, report", Hint: "verify", Keys: []string{"V"}}, Has: needsTarget, Says: verifies, Do: (*monitor).verify},
		{Row: keys.Row{Section: "Decide", Name: rowWiden, Help: "keep all below, by one rule", Hint: "keep below", Keys: []string{"w"}}, Can: needsRow, Do: (*monitor).openLadder},
		{Row: keys.Row{Section: "Look", Name: rowGroup, Help: "group by domain, or not", Hint: "group", Keys: []string{"t"}}, Says: groups, Do: then((*monitor).toggleGroups)},
		{Row: quiet("Look", "fold", "fold the group", "left"), Can: needsGroups, Do: then(func(m *monitor) { m.table.Fold(true) })},
		{Row: quiet("Look", "unfold", "unfold it", "right"), Can: needsGroups, Do: then(func(m *monitor) { m.table.Fold(false) })},
		{Row: quiet("Look", "fold-all", "fold all, unfold all", "T"), Can: needsGroups, Do: then(func(m *monitor) { m.table.FoldAll() })},
		{Row: quiet("Program", "again", "export again as before", "E"), Do: (*monitor).exportAgain},
		{Row: quiet("Program", "copy-name", "copy the name", "y"), Can: needsLine, Do: (*monitor).copyName},
		{Row: quiet("Program", "copy-list", "copy the list", "Y"), Do: (*monitor).copyList},
		{Row: quiet("Program", "picture", "write a picture (SVG)", "S"), Can: needsTable, Do: (*monitor).picture},
		{Row: quiet("Program", rowMessages, "messages", "m"), Do: then((*monitor).openMessages)},
		{Row: quiet("Program", rowSuspend, "suspend; fg comes back", "ctrl+z"), Can: needsNoList, Do: suspends[*monitor]},
		{Row: quiet("Look", "course", "new names a minute, and commands", "I"), Do: (*monitor).openCourse},
		{Row: quiet("Program", "told", "what LXD was told", "M"), Has: needsTold, Do: then((*monitor).openTold)},
		{Row: row("Look", "details", "details", "enter"), Can: needsLine, Says: opens, Do: then((*monitor).openDetails)},
		{Row: keys.Row{Name: "help", Section: "Program", Hint: "help"}, Do: (*monitor).openPalette},
		{Row: quiet("Program", "palette", "all that can be done", ":", "ctrl+p"), Do: (*monitor).openPalette},
		{Row: keys.Row{Name: "quit", Section: "Program", Hint: "quit"}, Do: quits},
	}}
	for i := range t.Actions {
		if t.Actions[i].Section == "Decide" {
			t.Actions[i].Has = needsWriting
		}
	}
	return t
}

func filterActions() actions {
	return actions{Context: "the filter", Typing: true, Actions: []action{
		{Row: keys.Row{Name: "accept", Hint: "done"}, Do: then((*monitor).endFilter)},
		{Row: keys.Row{Name: keys.Leave}, Do: then((*monitor).endFilter)},
		{Row: keys.Row{Name: rowUp, Hint: "recall"}, Do: then(func(m *monitor) { m.recall(1) })},
		{Row: keys.Row{Name: rowDown}, Do: then(func(m *monitor) { m.recall(-1) })},
		{Row: keys.Row{Name: rowSaveFilter, Hint: "save"}, Can: needsFilter, Do: then((*monitor).saveFilter)},
		{Row: keys.Row{Name: rowSaved}, Nth: (*monitor).useFilter},
		{Row: keys.Row{Name: "palette"}, Do: (*monitor).openPalette},
		{Row: keys.Row{Name: rowSuspend}, Can: needsNoList, Do: suspends[*monitor]},
		{Row: keys.Row{Name: "complete", Keys: []string{"tab"}, Help: "complete the filter", Hint: "complete"}, Do: then(func(m *monitor) { m.table.Complete() })},
		{Row: keys.Row{Name: rowCancel, Hint: "clear it"}, Do: then(func(m *monitor) { m.table.ClearFilter() })},
	}}
}

func shellActions() actions {
	return actions{Context: "the shell", Typing: true, Actions: []action{
		{Row: keys.Row{Name: keys.Leave, Hint: "to the table"}, Do: (*monitor).toTable},
		{Row: keys.Row{Name: "shell-up", Hint: "scroll the shell back"}, Do: scrollsShell(1)},
		{Row: keys.Row{Name: "shell-down"}, Do: scrollsShell(-1)},
		{Row: keys.Row{Name: "help", After: keys.Leave, Hint: "help"}, Do: (*monitor).leaveForPalette},
	}}
}

func endedActions() actions {
	return actions{Context: "the pane of a shell that has ended", Actions: []action{
		{Row: keys.Row{Name: rowReopen, Hint: "open the shell again"}, Do: (*monitor).reopen},
		{Row: keys.Row{Name: "accept"}, Do: (*monitor).reopen},
		{Row: keys.Row{Name: "shell", Hint: "table"}, Do: (*monitor).toTable},
		{Row: keys.Row{Name: keys.Leave}, Do: (*monitor).toTable},
		{Row: keys.Row{Name: "shell-up"}, Do: scrollsShell(1)},
		{Row: keys.Row{Name: "shell-down"}, Do: scrollsShell(-1)},
		{Row: keys.Row{Name: rowSuspend}, Can: needsNoList, Do: suspends[*monitor]},
		{Row: keys.Row{Name: "help", Hint: "help"}, Do: (*monitor).leaveForPalette},
		{Row: keys.Row{Name: "palette"}, Do: (*monitor).leaveForPalette},
		{Row: keys.Row{Name: "quit", Hint: "quit"}, Do: quits},
	}}
}

// row returns a row that the footer shows, quiet one that it leaves out, and
// numbered one whose keys do each a thing of its own.
func row(section, name, help string, k ...string) keys.Row {
	return keys.Row{Section: section, Name: name, Help: help, Hint: help, Keys: k}
}

func quiet(section, name, help string, k ...string) keys.Row {
	return keys.Row{Section: section, Name: name, Help: help, Keys: k}
}

func numbered(section, name, help string, k ...string) keys.Row {
	return keys.Row{Section: section, Name: name, Help: help, Keys: k, Show: len(k)}
}

// then is what to do that takes no time.
func then(do func(*monitor)) func(*monitor) tea.Cmd {
	return func(m *monitor) tea.Cmd {
		do(m)
		return nil
	}
}

func marksShown(d capture.Decision) func(*monitor) tea.Cmd {
	return func(m *monitor) tea.Cmd { return m.decide(deciding[d], always(d), m.table.Shown(), nil) }
}

func sortBy(m *monitor, column int) tea.Cmd {
	m.table.SortBy(column)
	return nil
}

func shares(more int) func(*monitor) tea.Cmd {
	return func(m *monitor) tea.Cmd {
		m.prefs.share(more)
		return m.arrange()
	}
}

func scrollsShell(pages int) func(*monitor) tea.Cmd {
	return then(func(m *monitor) { m.shell.scroll(pages * m.layout.shell.h / 2) })
}

func quits(m *monitor) tea.Cmd { return m.openExport(true) }

// What actions want, in words for who lacks it.

// needsRow is for what is done about a domain or a group, needsLine for any
// line.
func needsRow(m *monitor) string {
	it, ok := m.table.Selected()
	switch {
	case ok && it.Round:
		return "no list holds what goes round DNS: " + m.keys.Show("details") + " shows it"
	case ok && it.Way != "":
		return m.noDomain(it)
	}
	return needsLine(m)
}

// needsMark is needsRow for what a range, or a bare address, may be decided
// about.
func needsMark(m *monitor) string {
	it, ok := m.table.Selected()
	if m.table.Ranging() || ok && it.Way != "" && m.canKeep(it) {
		return ""
	}
	return needsRow(m)
}

func needsLine(m *monitor) string {
	if _, ok := m.table.Selected(); ok {
		return ""
	}
	if m.table.Empty() {
		return strings.Join(m.whyEmpty(), " ")
	}
	return "no domain is selected: " + m.keys.Show(rowUp) + " and " + m.keys.Show(rowDown) + " move"
}

// needsDone lets a key undo what is still being done, too.
func needsDone(m *monitor) string {
	if len(m.steps) > 0 || m.capture.Ledger.CanUndo() {
		return ""
	}
	return "nothing to undo"
}

func needsUndone(m *monitor) string {
	if len(m.steps) > 0 || m.capture.Ledger.CanRedo() {
		return ""
	}
	return "nothing to do again"
}

func needsGroups(m *monitor) string {
	if it, ok := m.table.Selected(); m.table.Grouped() || ok && (it.Round || it.Way != "") {
		return ""
	}
	return "the domains aren't grouped: " + m.keys.Show(rowGroup) + " does that"
}

func needsShell(m *monitor) string {
	if m.shell.exists() {
		return ""
	}
	return "there is no shell here: " + m.capture.Title + " is only read"
}

func needsGap(m *monitor) string {
	if problem, _ := m.capture.problem(); problem != "" {
		return ""
	}
	return "nothing is to be mended: queries are logged"
}

func needsTold(m *monitor) string {
	if m.capture.Told != nil {
		return ""
	}
	return "LXD was told nothing: " + m.capture.Title + " is only read"
}

func needsTarget(m *monitor) string {
	if m.capture.Enforce != nil {
		return ""
	}
	return "there is nobody to enforce the list on: " + m.capture.Title + " is only read"
}

func needsPanes(m *monitor) string {
	if m.shell.exists() {
		return ""
	}
	return "there is one pane only"
}
