package enforce

import (
	"context"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/crash"
)

// plugEvery is how often LXD is asked where an instance is that was restarted.
const plugEvery = 250 * time.Millisecond

// stayPlugged has the fence follow an instance that is restarted: its end on
// the host is another one then. Until that is known the fence holds the
// instance by its own address.
func (e *Enforcement) stayPlugged(ctx context.Context) error {
	updates := make(chan netlink.LinkUpdate, 64)
	if err := netlink.LinkSubscribe(updates, ctx.Done()); err != nil {
		return fmt.Errorf("watch the host's interfaces: %w", err)
	}
	e.wg.Go(crash.Guarded("the instance's plug", func() {
		host := e.plug.Host
		for u := range updates {
			if u.Header.Type == unix.RTM_DELLINK && host != "" && u.Attrs().Name == host {
				host = e.plugAnew(ctx)
			}
		}
	}))
	return nil
}

// plugAnew waits for the instance to be back and returns its end on the host,
// "" where the enforcement ended before. LXD may tell the one that is gone
// meanwhile, and it may have the same name again (the device's host_name).
func (e *Enforcement) plugAnew(ctx context.Context) string {
	stopped := time.Now()
	again := time.NewTicker(plugEvery)
	defer again.Stop()
	for {
		select {
		case <-again.C:
		case <-ctx.Done():
			return ""
		}
		p, err := e.host.Plug(ctx, e.config.Instance, e.plug.Network)
		if err != nil || p.Host == "" {
			continue
		}
		if err := e.fence.Load().Replug(p.Host); err != nil {
			continue
		}
		e.remark(fmt.Sprintf("The instance was stopped at %s and is back since %s: the list stayed in force; until then another hardware address would not have been noticed.", stopped.Format(time.TimeOnly), time.Now().Format(time.TimeOnly)))
		return p.Host
	}
}

// remark has the report tell something.
func (e *Enforcement) remark(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.notes = append(e.notes, text)
}
