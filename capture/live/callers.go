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
func (c *Callers) Notes() (notes []string) {
	if c.off != "" {
		return []string{"Which processes asked for what was blocked is not known: " + c.off + "."}
	}
	for _, l := range c.Losses() {
		notes = append(notes, fmt.Sprintf("Which process it was is not known of %d calls: %s.", l.N, l.Why))
	}
	return notes
}

// noting is a sink that also has the callers of a capture's places noted.
type noting struct {
	witness.Sink
	of *Capture
}

// Connection implements [witness.Sink]. Whose a refused packet was may come to
// be known after the packet itself.
func (n noting) Connection(c witness.Connection) {
	n.of.callers.Connection(c)
	n.Sink.Connection(c)
	if e := n.of.enforcing.Load(); e != nil {
		e.Tell()
	}
}
