// Package ui is the screen: one model, its panes and dialogs.
package ui

import (
	"context"
	"errors"
	"time"

	"lxd-allowlist/export"
	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/table"

	tea "charm.land/bubbletea/v2"
)

// How messages flow. Update does no I/O and never waits; what does is a
// command, which never touches the model. Each stream has one reader, armed
// anew after each of its messages, and what arrives faster than a frame is
// one message:
//
//	Backend.Choices ---- choicesMsg --> picker --- enter ---.
//	Backend.Open ------- stepMsg, openedMsg <---------------'
//	                         |
//	                         v
//	ledger.Wake -------- ledgerMsg --> table (asks the ledger what changed)
//	Capture.Notices ---- noticeMsg --> message line
//	Capture.Shell ------ shellMsg  --> shell pane: output --> screen.Changed -- screenMsg
//	a second ----------- tickMsg   --> ages, fading rows, messages that go away
//
//	keys, mouse --> dialog, if one is open
//	            --> shell pane, if it has the focus (all but the chord that leaves it)
//	            --> table
//
// A message of slow work carries the generation it was started for and is
// ignored when another one has begun since.

// Options say what the screen opens with.
type Options struct {
	Program string // name and version
	// Backend opens captures; nil where Capture is given.
	Backend Backend
	// Choice is the instance named on the command line; nil opens the picker.
	Choice *Choice
	// Capture is what is already there to be looked at: a log, a session.
	Capture *Capture
	// Format and Output are what the export dialog begins with.
	Format, Output string
	Export         export.Options
	Config         Config
}

// Result is what a run of the screen left behind.
type Result struct {
	// Wrote is the last file that was written, "" for none.
	Wrote string
}

// focus says which pane takes the keys.
type focus int

const (
	onTable focus = iota
	onShell
)

// dialog is what stands over the panes and takes all keys while it does.
type dialog interface {
	// update handles a key and reports whether the dialog stays open.
	update(m *model, msg tea.KeyPressMsg) (open bool, cmd tea.Cmd)
	// view returns the box's lines for a screen of w by h cells.
	view(m *model, w, h int) []string
}

type model struct {
	ctx    context.Context
	opts   Options
	keys   keyMap
	styles *look.Styles
	w, h   int
	now    time.Time

	picker  *picker  // before a capture is opened
	opening *opening // while one is

	capture *Capture
	table   *table.Table
	shell   *shellPane
	layout  layout
	zoom    zoom
	focus   focus
	dialog  dialog
	export  exportSettings

	prefs    prefs
	dragging bool // the divider, with the mouse
	pace     pace
	messages messages
	result   Result
}

// Run shows the screen until the user quits, ctx ends or the terminal is
// gone. Captures that the backend opened are the caller's to stop.
func Run(ctx context.Context, o Options) (Result, error) {
	m, err := newModel(ctx, o)
	if err != nil {
		return Result{}, err
	}
	_, err = tea.NewProgram(m, tea.WithContext(ctx), tea.WithoutSignalHandler(), tea.WithFPS(frames)).Run()
	m.shell.close()
	if m.table != nil {
		m.prefs.Grouped, m.prefs.HideDrops = m.table.Grouped(), m.table.DropsHidden()
		err = errors.Join(err, m.prefs.save())
	}
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return m.result, err
}

func newModel(ctx context.Context, o Options) (*model, error) {
	keys, err := o.Config.keys()
	if err != nil {
		return nil, err
	}
	m := &model{ctx: ctx, opts: o, keys: keys, styles: look.NewStyles(true), now: time.Now(), prefs: loadPrefs()}
	m.export = exportSettings{format: o.Format, path: o.Output, options: o.Export}
	return m, nil
}

// Init implements [tea.Model].
func (m *model) Init() tea.Cmd {
	cmds := []tea.Cmd{tea.RequestBackgroundColor, tick()}
	switch {
	case m.opts.Capture != nil:
		cmds = append(cmds, m.begin(m.opts.Capture))
	case m.opts.Choice != nil:
		cmds = append(cmds, m.open(*m.opts.Choice))
	default:
		m.picker = &picker{loading: true}
		cmds = append(cmds, m.loadChoices())
	}
	return tea.Batch(cmds...)
}

type tickMsg time.Time

func tick() tea.Cmd { return tea.Tick(time.Second, func(t time.Time) tea.Msg { return tickMsg(t) }) }

// Update implements [tea.Model].
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
		return m, m.arrange()
	case tea.BackgroundColorMsg:
		m.styles = look.NewStyles(msg.IsDark())
		if m.table != nil {
			m.table.Restyle()
		}
	case tickMsg:
		m.now = time.Time(msg)
		if m.capture != nil {
			m.table.Tick(m.now)
			m.pace.tick(m.now, m.capture.Ledger, m.table.Tally().Total())
		}
		return m, tick()
	case tea.KeyPressMsg:
		return m, m.key(msg)
	case tea.PasteMsg:
		return m, m.paste(msg)
	case tea.MouseMsg:
		return m, m.mouse(msg)
	case noticeMsg:
		m.say(string(msg))
		return m, m.awaitNotice()
	case ledgerMsg:
		m.table.Refresh(time.Now())
		if m.shell == nil && !m.capture.Live {
			m.table.Wake() // the table has the focus, and nothing newer comes
		}
		return m, m.awaitLedger()
	case choicesMsg, stepMsg, openedMsg:
		return m, m.updateOpening(msg)
	case reopenMsg:
		return m, m.open(msg.choice)
	case shellOpenedMsg, shellEndedMsg, screenMsg:
		return m, m.shell.update(m, msg)
	case previewMsg, wroteMsg, copiedMsg, noteMsg:
		return m, m.updateExport(msg)
	}
	return m, nil
}

// begin shows a capture: the table is filled, the shell is opened.
func (m *model) begin(c *Capture) tea.Cmd {
	m.capture, m.picker, m.opening = c, nil, nil
	m.table = table.New(c.Ledger)
	m.table.HideDrops(m.prefs.HideDrops)
	m.table.Refresh(time.Now())
	if m.prefs.Grouped {
		m.table.Group(true)
	}
	cmds := []tea.Cmd{m.awaitLedger(), m.awaitNotice()}
	if c.Shell != nil {
		m.shell = &shellPane{open: c.Shell}
		m.focus = onShell
	}
	cmds = append(cmds, m.arrange())
	if m.shell != nil {
		cmds = append(cmds, m.shell.start(m))
	}
	return tea.Batch(cmds...)
}

// arrange gives every pane its place.
func (m *model) arrange() tea.Cmd {
	m.layout = arrange(m.w, m.h, m.shell != nil, m.zoom, m.prefs)
	if m.table != nil {
		m.table.Resize(m.layout.table.w, m.layout.table.h)
	}
	return m.shell.resize(m.layout.shell.w, max(0, m.layout.shell.h-shellChrome))
}

func (m *model) focusOn(f focus) tea.Cmd {
	if m.shell == nil {
		f = onTable
	}
	m.focus = f
	if f == onTable {
		m.table.Wake()
	}
	m.shell.focus(f == onShell)
	if m.zoom == zoomTable && f == onShell || m.zoom == zoomShell && f == onTable {
		m.zoom = zoomNone
		return m.arrange()
	}
	return nil
}

type (
	ledgerMsg struct{}
	noticeMsg string
)

// frames is how often in a second the terminal may be written to. Each frame
// costs, while nothing happens too: 60 take more than 1% of a core.
const frames = 45

// The least time between two messages of one stream: well below a frame, for
// what waits for one and then just misses it waits twice.
const (
	ledgerGap = 10 * time.Millisecond
	echoGap   = 4 * time.Millisecond
)

// awaitLedger waits for the ledger to change. The pause stands in front, so
// that the first change after a calm is shown at once.
func (m *model) awaitLedger() tea.Cmd {
	return await(m.ctx, ledgerGap, m.capture.Ledger.Wake(), func(struct{}) tea.Msg { return ledgerMsg{} })
}

func (m *model) awaitNotice() tea.Cmd {
	return await(m.ctx, ledgerGap, m.capture.Notices, func(s string) tea.Msg { return noticeMsg(s) })
}

// await returns a command that waits for the gap and then for one value.
func await[T any](ctx context.Context, gap time.Duration, c <-chan T, msg func(T) tea.Msg) tea.Cmd {
	return func() tea.Msg {
		select {
		case <-time.After(gap):
		case <-ctx.Done():
			return nil
		}
		select {
		case v, ok := <-c:
			if !ok {
				return nil
			}
			return msg(v)
		case <-ctx.Done():
			return nil
		}
	}
}
