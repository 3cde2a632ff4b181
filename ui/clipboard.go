package ui

import (
	"context"
	"os"
	"os/exec"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// copies puts text into the clipboard; what names it. It says "copied" only
// where somebody has said that it was: tmux does, a terminal that is sent the
// text (OSC 52) may not take it and never says.
func copies(ctx context.Context, text, what string) tea.Cmd {
	if os.Getenv("TMUX") == "" {
		return tea.Batch(tea.SetClipboard(text), note("sent "+what+" to the terminal's clipboard"))
	}
	return func() tea.Msg {
		load := exec.CommandContext(ctx, "tmux", "load-buffer", "-w", "-")
		load.Stdin = strings.NewReader(text)
		if load.Run() != nil { // -w is of tmux 3.2
			return tea.BatchMsg{tea.SetClipboard(text), note("sent " + what + " to the terminal's clipboard")}
		}
		return noteMsg("copied " + what)
	}
}

func note(text string) tea.Cmd { return func() tea.Msg { return noteMsg(text) } }
