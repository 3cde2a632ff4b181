package ui

import (
	"context"
	"fmt"
	"io"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/look"
	"lxd-allowlist/ui/term"
)

// shellChrome is how many lines stand above the shell: the pane's title.
const shellChrome = 1

// shellPane is a terminal in the instance. One without open stands for a
// capture that has none: it has no place on the screen.
type shellPane struct {
	ctx    context.Context
	open   func(ctx context.Context, width, height int) (Shell, error)
	screen *term.Screen
	shell  Shell // nil while none runs
	gen    int   // of the shell that was started last
	w, h   int

	starting bool
	ended    string // how the last one ended
	drag     *[2]int
}

type (
	shellOpenedMsg struct {
		gen   int
		shell Shell
		err   error
	}
	shellEndedMsg struct {
		gen, code int
		err       error
	}
	screenMsg struct{ gen int }
)

// exists reports whether the capture has a shell, be it one that has ended.
func (p *shellPane) exists() bool { return p.open != nil }

func (p *shellPane) running() bool { return p.shell != nil || p.starting }

// start opens a shell; what the last one left on the screen is gone then.
func (p *shellPane) start(focused bool) tea.Cmd {
	p.hangUp()
	p.gen++
	p.screen = term.New(max(p.w, 2), max(p.h, 2))
	p.screen.Focus(focused)
	p.starting, p.ended = true, ""
	gen, w, h := p.gen, max(p.w, 2), max(p.h, 2)
	return func() tea.Msg {
		shell, err := p.open(p.ctx, w, h)
		return shellOpenedMsg{gen, shell, err}
	}
}

// hangUp ends the shell and its screen.
func (p *shellPane) hangUp() {
	if p.shell != nil {
		p.shell.Close()
		p.shell = nil
	}
	if p.screen != nil {
		p.screen.Close()
	}
}

// update takes up what comes of a shell; news is what the user is told.
func (p *shellPane) update(msg tea.Msg) (news string, cmd tea.Cmd) {
	switch msg := msg.(type) {
	case shellOpenedMsg:
		return "", p.opened(msg)
	case shellEndedMsg:
		if msg.gen == p.gen {
			return p.over(msg), nil
		}
	case screenMsg:
		if msg.gen == p.gen {
			return "", p.awaitScreen()
		}
	}
	return "", nil
}

func (p *shellPane) opened(msg shellOpenedMsg) tea.Cmd {
	if msg.gen != p.gen {
		if msg.shell != nil {
			return func() tea.Msg { msg.shell.Close(); return nil }
		}
		return nil
	}
	p.starting = false
	if msg.err != nil {
		p.ended = msg.err.Error()
		return nil
	}
	p.shell = msg.shell
	screen, shell, gen := p.screen, p.shell, p.gen
	in := func() tea.Msg { io.Copy(shell, screen.Input()); return nil }
	out := func() tea.Msg {
		io.Copy(screen, shell) // it ends with the shell, whose Wait tells why
		code, err := shell.Wait()
		return shellEndedMsg{gen, code, err}
	}
	return tea.Batch(in, out, p.awaitScreen(), p.tellSize())
}

// over takes up that the shell has ended and says how.
func (p *shellPane) over(msg shellEndedMsg) string {
	p.shell = nil
	switch {
	case msg.err != nil:
		p.ended = msg.err.Error()
	case msg.code == 0:
		p.ended = "the shell has ended"
	default:
		p.ended = fmt.Sprintf("the shell has ended with exit code %d", msg.code)
	}
	return p.ended + "; the capture goes on"
}

func (p *shellPane) awaitScreen() tea.Cmd {
	gen := p.gen
	return await(p.ctx, echoGap, p.screen.Changed(), func(struct{}) tea.Msg { return screenMsg{gen} })
}

func (p *shellPane) resize(w, h int) tea.Cmd {
	if w < 2 || h < 2 || p.w == w && p.h == h {
		return nil
	}
	p.w, p.h = w, h
	if p.screen != nil {
		p.screen.Resize(w, h)
	}
	return p.tellSize()
}

// uses is how many cells wide the shell's pane has to be for what stands in it.
func (p *shellPane) uses() int {
	if p.screen == nil {
		return 0
	}
	return p.screen.Used()
}

// tellSize tells the instance how large the pane is.
func (p *shellPane) tellSize() tea.Cmd {
	if p.shell == nil {
		return nil
	}
	shell, w, h := p.shell, p.w, p.h
	return func() tea.Msg {
		shell.Resize(w, h) // a shell that has ended says so elsewhere
		return nil
	}
}

func (p *shellPane) focus(on bool) {
	if p.screen != nil {
		p.screen.Focus(on)
	}
}

func (p *shellPane) key(msg tea.KeyPressMsg) {
	p.screen.ClearSelection()
	p.screen.ScrollToBottom()
	p.screen.Key(msg)
}

func (p *shellPane) paste(text string) {
	if p.running() {
		p.screen.ScrollToBottom()
		p.screen.Paste(text)
	}
}

// scroll moves back by n lines, forth below 0.
func (p *shellPane) scroll(n int) {
	if p.screen != nil {
		p.screen.Scroll(n)
	}
}

// wipe puts the terminal back to how it began: for output that left it in
// disorder.
func (p *shellPane) wipe() {
	if p.screen != nil {
		p.screen.Reset()
	}
}

func (p *shellPane) dragging() bool { return p.drag != nil }

// mouse gives the mouse to the program in the shell if it asked for it; else
// a drag selects and copies.
func (p *shellPane) mouse(msg tea.MouseMsg, x, y int) (used bool, copied string) {
	if p.screen == nil {
		return false, ""
	}
	if p.running() && y >= 0 && p.drag == nil && p.screen.Mouse(msg, x, y) {
		return true, ""
	}
	x, y = max(0, min(x, p.w-1)), max(0, min(y, p.h-1))
	switch msg.(type) {
	case tea.MouseClickMsg:
		if msg.Mouse().Button != tea.MouseLeft {
			return false, ""
		}
		p.screen.ClearSelection()
		p.drag = &[2]int{x, y}
	case tea.MouseMotionMsg:
		if p.drag == nil {
			return false, ""
		}
		p.screen.Select(p.drag[0], p.drag[1], x, y)
	case tea.MouseReleaseMsg:
		if p.drag == nil {
			return false, ""
		}
		p.drag = nil
		if text := p.screen.Selected(); strings.TrimSpace(text) != "" {
			return true, text
		}
	default:
		return false, ""
	}
	return true, ""
}

// cursor returns where the terminal's cursor is, nil where there is none.
func (p *shellPane) cursor(at rect) *tea.Cursor {
	if p.shell == nil || at.h <= shellChrome {
		return nil
	}
	x, y, visible := p.screen.Cursor()
	if !visible || x >= at.w || y >= at.h-shellChrome {
		return nil
	}
	return tea.NewCursor(at.x+x, at.y+shellChrome+y)
}

// draw returns the pane's lines, the title first, which ends with news: what
// fits into so many cells.
func (p *shellPane) draw(s *look.Styles, at rect, focused bool, news func(room int) *look.Line, reopen string) []string {
	info := ""
	switch {
	case p.starting:
		info = "opening…"
	case p.shell == nil:
		info = "ended"
	}
	l := look.Title(s, focused, "Shell", info)
	if n := p.screen.Scrolled(); n > 0 {
		l.Add(s.Warn, fmt.Sprintf(" %s back", look.Plural(n, "line")))
	}
	l.Join(news(at.w - l.Width()))
	lines := append(make([]string, 0, at.h), look.FinishTitle(s, focused, l, at.w))
	for _, text := range p.screen.Lines() {
		if len(lines) < at.h {
			lines = append(lines, look.Fit(text, at.w))
		}
	}
	for len(lines) < at.h {
		lines = append(lines, strings.Repeat(" ", at.w))
	}
	if !p.running() {
		p.explainEnd(s, lines, at.w, reopen)
	}
	return lines
}

// explainEnd says over the pane's last lines why no shell runs.
func (p *shellPane) explainEnd(s *look.Styles, lines []string, w int, reopen string) {
	var what, next look.Line
	what.Add(s.Warn, " "+p.ended)
	next.Add(s.Muted, " press ").Add(s.Key, reopen).Add(s.Muted, " to open it again")
	if more := "; the capture goes on"; next.Width()+len(more) <= w {
		next.Add(s.Muted, more)
	}
	if n := len(lines); n > 3 {
		lines[n-2], lines[n-1] = what.Cut(w), next.Cut(w)
	}
}
