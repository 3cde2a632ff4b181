package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"
)

// The least time between two messages of one stream: well below a frame, for
// what waits for one and then just misses it waits twice.
const (
	ledgerGap = 6 * time.Millisecond
	echoGap   = 4 * time.Millisecond
)

// Rows that come many at once can't be read one by one, and a frame of them
// takes milliseconds to draw.
const (
	many     = 8
	floodGap = 30 * time.Millisecond
)

// await returns a command that waits for the gap and then for one value. The
// pause stands in front, so that the first value after a calm is shown at once.
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
