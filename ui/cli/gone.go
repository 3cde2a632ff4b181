package cli

import (
	"context"
	"fmt"
	"sync"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/lxd"
)

// presence is the being there of an instance and its bridge.
type presence struct {
	server            *lxd.Server
	instance, network string

	changed chan struct{} // it may be over, or have been before anybody listened
	over    context.CancelFunc
	once    sync.Once
}

// watchPresence watches them until over is called; the context that it returns ends
// with ctx, too, and when [presence.look] finds one gone.
func watchPresence(ctx context.Context, server *lxd.Server, instance, network string) (*presence, context.Context) {
	watch, end := context.WithCancel(context.WithoutCancel(ctx))
	run, cancel := context.WithCancel(ctx)
	p := &presence{server: server, instance: instance, network: network, changed: make(chan struct{}, 1)}
	p.over = func() { cancel(); end() }
	go crash.Guarded("the watch over what is deleted", func() {
		err := server.WatchNetwork(watch, network, instance, func(e lxd.Event) {
			if e.Kind == lxd.Away {
				say("LXD doesn't answer: it was stopped, or is restarting; the list is held without it, and the end waits for it")
			}
			select {
			case p.changed <- struct{}{}:
			default:
			}
		})
		if watch.Err() == nil {
			say(fmt.Sprintf("LXD doesn't tell of changes of bridge %s (%v): that %s is deleted shows at the end", network, err, instance))
		}
	})()
	return p, run
}

// look reports whether both are there, as far as LXD tells. It says at once which
// isn't.
func (p *presence) look(ctx context.Context) bool {
	gone := ""
	if _, err := p.server.Instance(ctx, p.instance); lxd.IsGone(err) {
		gone = "instance " + p.instance + " was deleted or renamed"
	} else if lxd.IsGone(p.server.LookUpNetwork(ctx, p.network)) {
		gone = "bridge " + p.network + " was deleted"
	}
	if gone == "" {
		return true
	}
	p.once.Do(func() {
		say(gone + ": nothing more is asked for there; ending")
		p.over()
	})
	return false
}

// runs reports whether the instance does, as far as LXD tells.
func (p *presence) runs(ctx context.Context) bool {
	i, err := p.server.Instance(ctx, p.instance)
	return err != nil || i.Running()
}
