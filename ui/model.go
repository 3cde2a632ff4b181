// Package ui is the screen: one model, its phases, their panes and dialogs.
package ui

import (
	"context"
	"errors"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/export"
	"lxd-allowlist/export/rule/known"
	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/keys"
	"lxd-allowlist/ui/look"
)

// How messages flow. Update does no I/O and never waits; what does is a
// command, which never touches the model. The model hands what it gets to its
// phase; a message for a phase that is over is ignored. Each stream has one
// reader, armed anew after each of its messages, and what arrives faster than
// a frame is one message:
//
//	picker    Backend.Choices ---- choicesMsg
//	          enter ------------------------------> opening
//	opening   Backend.Open ------- stepMsg ... openedMsg --> monitor
//	monitor   ledger.Wake -------- ledgerMsg --> table (asks the ledger what changed)
//	          Capture.Notices ---- noticeMsg --> message line
//	          Capture.Unheard ---- unheardMsg --> the empty table
//	          Capture.Shell ------ shellOpenedMsg, shellEndedMsg --> shell pane
//	          its output --> screen.Changed -- screenMsg --> shell pane
//	          files made, written and copied -- madeMsg, wroteMsg, copiedMsg, noteMsg
//	          a list put in force, proven, taken out of it -- enforcedMsg, provenMsg, endedMsg
//	          what happens under it ---- enforcementMsg --> rows' states, refused packets
//	          a rule for the user's file ------ ruleAddedMsg, rulesChangedMsg
//	          a decision about a great many --- steppedMsg
//	          sorting and filtering them ------ table.Done
//	all       a second ----------- tickMsg --> ages, fading rows, messages that go away
//
//	keys, mouse --> dialog, if one is open: it returns what is to be done
//	            --> shell pane, if it has the focus (all but the chord that leaves it)
//	            --> table
//
// A message of slow work carries the generation that it was started for and is
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
	// Format and Output are what the export dialog begins with: Output is a file,
	// or a directory with a slash at its end.
	Format, Output string
	Export         export.Options
	// Lists are the user's own of names; nil for none.
	Lists    *known.Lists
	Settings Settings
	// Trial is a run that leaves nothing of the user's as another: neither how
	// the screen stood, nor settings, nor rules for always. The files that are
	// asked for are written.
	Trial bool
}

// Result is what a run of the screen left behind.
type Result struct {
	// Wrote is the last file that was written, "" for none.
	Wrote string
	// Next is where the user wants to go on; nil for nowhere.
	Next *Next
}

// phase is what the screen is about at a time: choosing an instance, opening a
// capture on it, or the capture itself.
type phase interface {
	// start returns the command that the phase begins with.
	start() tea.Cmd
	update(tea.Msg) tea.Cmd
	// lines draws the screen, each line as wide as it.
	lines() []string
	cursor() *tea.Cursor
	// title names what is shown, "" for nothing yet.
	title() string
	// leave gives up what the phase holds: the program ends.
	leave() error
}

// model is the program's one [tea.Model]: what all phases share, and the phase.
type model struct {
	ctx    context.Context
	opts   Options
	keys   *keys.Map
	tables *tables
	styles *look.Styles
	dark   bool   // the background is
	few    bool   // the terminal has 16 colours at most
	term   string // what it calls itself
	w, h   int
	asked  bool // for w and h, once signals of a change were listened for
	now    time.Time

	frames   frames
	phase    phase
	failed   error // why nothing was opened when last tried; nil once something was
	prefs    prefs
	messages dialog.Log
	result   Result

	box     rect // of the dialog, as it was drawn last
	boxCut  int  // lines that are left out of it, behind its second one
	pointed click
	chose   bool // that click chose something
}

// Run shows the screen until the user quits, ctx ends or the terminal is
// gone. Captures that the backend opened are the caller's to stop.
func Run(ctx context.Context, o Options) (Result, error) {
	m, err := newModel(ctx, o)
	if err != nil {
		return Result{}, err
	}
	program := tea.NewProgram(m, tea.WithContext(ctx), tea.WithoutSignalHandler())
	m.frames.find = func() *time.Ticker { return clockOf(program) }
	_, err = program.Run()
	err = errors.Join(err, m.phase.leave())
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return m.result, err
}

func newModel(ctx context.Context, o Options) (*model, error) {
	tables, keys, err := newKeys(o.Settings)
	if err != nil {
		return nil, err
	}
	m := &model{ctx: ctx, opts: o, tables: tables, keys: keys, dark: true, now: time.Now(), prefs: loadPrefs()}
	m.restyle()
	switch {
	case o.Capture != nil:
		m.phase = newMonitor(m, o.Capture)
	case o.Choice != nil:
		m.phase = newOpening(m, *o.Choice)
	default:
		m.phase = newPicker(m)
	}
	return m, nil
}

// restyle follows what the terminal told of itself.
func (m *model) restyle() {
	theme := m.opts.Settings.Colours
	if theme == (look.Theme{}) {
		theme, _ = look.NamedTheme("default")
	}
	if m.few {
		theme = theme.On(m.term)
	}
	m.styles = theme.Styles(m.dark, m.few)
}

// enter goes over to another phase.
func (m *model) enter(p phase) tea.Cmd {
	m.phase = p
	return p.start()
}

// say shows a sentence in the footer.
func (m *model) say(text string) { m.messages.Say(text) }

// Init implements [tea.Model].
func (m *model) Init() tea.Cmd {
	return guarded(tea.Batch(tea.RequestBackgroundColor, tick(), m.phase.start()))
}

type tickMsg time.Time

func tick() tea.Cmd { return tea.Tick(time.Second, func(t time.Time) tea.Msg { return tickMsg(t) }) }

// Update implements [tea.Model].
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	defer crash.Catch("the screen")
	crash.Inject("the screen")
	m.frames.note(msg)
	var next tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		m.dark = msg.IsDark()
		m.restyle()
	case tea.EnvMsg:
		m.term = msg.Getenv("TERM")
		m.restyle()
	case tea.ColorProfileMsg:
		m.few = msg.Profile <= colorprofile.ANSI
		m.restyle()
	case tickMsg:
		m.now, next = time.Time(msg), tick()
		if !m.asked { // of a change while Bubble Tea began, nobody was told: windows are tiled then
			m.asked, next = true, tea.Batch(next, tea.RequestWindowSize)
		}
	}
	return m, guarded(tea.Batch(m.phase.update(msg), next))
}

// guarded has the panic of a command end the program in order. The model sends
// no sequences.
func guarded(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		crash.Guarded("a command of the screen", func() { msg = cmd() })()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i := range batch {
				batch[i] = guarded(batch[i])
			}
		}
		return msg
	}
}

// View implements [tea.Model].
func (m *model) View() tea.View {
	defer crash.Catch("the drawing of the screen")
	crash.Inject("the drawing of the screen")
	m.frames.stir()
	v := tea.NewView(strings.Join(m.lines(), "\n"))
	v.AltScreen = true
	v.MouseMode = tea.MouseModeCellMotion
	v.WindowTitle = strings.TrimSpace("lxd-allowlist " + m.phase.title())
	v.Cursor = m.phase.cursor()
	return v
}
