package enforce

import (
	"context"
	"fmt"
	"time"
)

// plugEvery is how often LXD is asked where an instance is that was stopped, in
// case the fence can't know its new end on the host by itself.
const plugEvery = 250 * time.Millisecond

// stayPlugged tells of an instance that is restarted, and finds the end on the
// host of a virtual machine. Until that is known the fence holds it by its own
// address alone.
func (e *Enforcement) stayPlugged(ctx context.Context) {
	f := e.fence.Load()
	var stopped time.Time // zero while it is plugged in
	var again <-chan time.Time
	for moves := f.Moves(); ; {
		select {
		case m, open := <-moves:
			switch {
			case !open || ctx.Err() != nil:
				return
			case m.Host == "":
				stopped, again = m.At, time.After(plugEvery)
			case !stopped.IsZero():
				e.remark(fmt.Sprintf("The instance was stopped at %s and is back since %s: the list stayed in force%s.", stopped.Format(time.TimeOnly), m.At.Format(time.TimeOnly), unheld(m.Late)))
				stopped, again = time.Time{}, nil
			}
		case <-again:
			again = time.After(plugEvery)
			// LXD may tell the end that is gone meanwhile.
			if p, err := e.host.Plug(ctx, e.config.Instance, e.plug.Network); err == nil && p.Host != "" {
				_ = f.Replug(p.Host)
			}
		}
	}
}

// unheld says what a late word of the instance's end means.
func unheld(late bool) string {
	if !late {
		return ""
	}
	return "; until then another hardware address would not have been noticed"
}

// remark has the report tell something.
func (e *Enforcement) remark(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.notes = append(e.notes, text)
}
