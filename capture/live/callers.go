package live

import (
	"context"
	"fmt"
	"os"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/witness"
)

// Callers are the programs of an instance that asked and connected since a
// time, without a capture.
type Callers struct {
	witness.Callers
	off   string // why nobody is seen
	end   context.CancelFunc
	ended <-chan struct{}
}

// WatchCallers sees from now on which programs of an instance call, by a watch
// over its processes, until Close. Where that can't be, or there is no such
// watch, [Callers.Off] says why, and nobody is known.
func WatchCallers(ctx context.Context, server *lxd.Server, instance, network string, watches map[witness.Source]Watch) *Callers {
	c := &Callers{}
	watch := watches[witness.Who]
	if watch == nil {
		c.off = "it is off"
		return c
	}
	sources, why := able(ctx, server, instance, os.Geteuid())
	if !sources.Has(capture.Processes) {
		c.off = why
		return c
	}
	run, end := context.WithCancel(context.WithoutCancel(ctx))
	ended, err := watch(run, place{server, instance, network}, &c.Callers, func(string) {})
	if err != nil {
		end()
		c.off = err.Error()
		return c
	}
	c.end, c.ended = end, ended
	return c
}

// Off says why nobody is seen, "" where somebody is.
func (c *Callers) Off() string { return c.off }

// Close ends the watch. What was seen stays known.
func (c *Callers) Close() {
	if c.end != nil {
		c.end()
		<-c.ended
	}
}

// Notes say how far it isn't known who called, for a report.
func (c *Callers) Notes() []string { return notesOn(&c.Callers, c.off) }

func notesOn(c *witness.Callers, off string) (notes []string) {
	if off != "" {
		return []string{"Which processes asked for what was blocked is not known: " + off + "."}
	}
	for _, l := range c.Losses() {
		times := ""
		if l.N > 1 {
			times = fmt.Sprintf(" (×%d)", l.N)
		}
		notes = append(notes, fmt.Sprintf("Which processes called is not known in full: %s%s.", l.Why, times))
	}
	return notes
}

// callersNotes are [Callers.Notes] of the list that is, or was last, in force.
func (s *Capture) callersNotes() []string {
	off := "it is off"
	if w := s.witness; w != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if off = w.off; w.on.Has(capture.Processes) || w.why[witness.Who] != "" {
			off = "" // they are seen, or will be again
		}
	}
	return notesOn(s.callers.Load(), off)
}

// noting is a sink that also has the callers of places noted, while a list is in
// force or was.
type noting struct {
	witness.Sink
	of *Capture
}

// Connection implements [witness.Sink]. Whose a refused packet was may come to
// be known after the packet itself.
func (n noting) Connection(c witness.Connection) {
	if callers := n.of.callers.Load(); callers != nil {
		callers.Connection(c)
	}
	n.Sink.Connection(c)
	if e := n.of.enforcing.Load(); e != nil {
		e.Tell()
	}
}

// Lost implements [witness.Sink].
func (n noting) Lost(count uint64, why string) {
	if callers := n.of.callers.Load(); callers != nil {
		callers.Lost(count, why)
	}
	n.Sink.Lost(count, why)
}
