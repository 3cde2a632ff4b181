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

	changed chan struct{} // it may be over
	over    context.CancelFunc
	once    sync.Once
}

// watchPresence watches them; the context that it returns ends with ctx, and when
// [presence.look] finds one gone.
func watchPresence(ctx context.Context, server *lxd.Server, instance, network string) (*presence, context.Context) {
	run, cancel := context.WithCancel(ctx)
	p := &presence{server: server, instance: instance, network: network, changed: make(chan struct{}, 1), over: cancel}
	go crash.Guarded("the watch over what is deleted", func() {
		err := server.WatchNetwork(run, network, instance, func(lxd.Event) {
			select {
			case p.changed <- struct{}{}:
			default:
			}
		})
		if run.Err() == nil {
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
