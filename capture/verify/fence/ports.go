package fence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"lxd-allowlist/capture/crash"
)

// Move is a change of the instance's end on the host, as a restart makes two of.
type Move struct {
	At   time.Time
	Host string // "" while it has none
	Late bool   // by [Fence.Replug]: it may have sent by there before
}

// movesKept is how many moves wait for who reads them.
const movesKept = 64

// linksBuffer holds some thousand changes of the host's interfaces.
const linksBuffer = 4 << 20

// Moves returns the instance's, as they happen. Nobody waits for the reader. The
// channel is closed by [Fence.Lower].
func (f *Fence) Moves() <-chan Move { return f.moves }

// followPorts has the fence hold the instance at whatever end it has. A
// container's is known before it can send: LXD makes both ends of the pair on the
// host, the inner one with the instance's MAC address, and moves that one into the
// container later. A virtual machine's has no other end, see [Fence.Replug].
func (f *Fence) followPorts() error {
	ctx, stop := context.WithCancel(context.Background())
	f.unfollow = stop
	if err := f.subscribe(ctx); err != nil {
		return fmt.Errorf("watch the host's interfaces: %w", err)
	}
	f.following.Go(crash.Guarded("the instance's end on the host", func() { f.follow(ctx) }, func() { close(f.moves) }))
	return nil
}

func (f *Fence) subscribe(ctx context.Context) error {
	if f.unsubscribe != nil { // the socket of one that failed stays open until then
		f.unsubscribe()
	}
	ctx, f.unsubscribe = context.WithCancel(ctx)
	f.links = make(chan netlink.LinkUpdate, 64)
	return netlink.LinkSubscribeWithOptions(f.links, ctx.Done(), netlink.LinkSubscribeOptions{ReceiveBufferSize: linksBuffer, ReceiveBufferForceSize: true})
}

func (f *Fence) follow(ctx context.Context) {
	for {
		f.mu.Lock() // it may have changed before, or while changes were lost
		if l, err := netlink.LinkByIndex(f.host.index); f.host.index != 0 && (err != nil || l.Attrs().Name != f.host.name) {
			f.unplugged()
		}
		f.mu.Unlock()
		for u := range f.links {
			f.linked(u)
		}
		for f.subscribe(ctx) != nil { // what happened meanwhile is looked at above
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return
			}
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// linked is told of an interface that came, changed or went. Where the instance
// can't be held nobody is told that it is plugged in.
func (f *Fence) linked(u netlink.LinkUpdate) {
	a := u.Attrs()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.lowered || u.Family == unix.AF_BRIDGE:
	case u.Header.Type == unix.RTM_DELLINK:
		if a.Index == f.host.index {
			f.unplugged()
		}
	case a.Index == f.host.index && a.Name != f.host.name:
		_ = f.plug(a.Name, a.Index, false)
	case bytes.Equal(a.HardwareAddr, f.port.MAC):
		f.inner = a.Index
		if a.ParentIndex == 0 || a.NetNsID >= 0 {
			break // its other end will tell
		}
		if host, err := netlink.LinkByIndex(a.ParentIndex); err == nil {
			_ = f.plug(host.Attrs().Name, a.ParentIndex, false)
		}
	case a.ParentIndex == f.inner && f.inner != 0 && a.NetNsID < 0:
		_ = f.plug(a.Name, a.Index, false)
	}
}

// end is an interface of the host's that the instance is plugged in by.
type end struct {
	name  string
	index int // 0 while there is none
}

// unplugged notes that the instance's end is gone. It is held at its name still,
// which it may have again.
func (f *Fence) unplugged() {
	f.host.index = 0
	f.moved("", false)
}

// plug holds the instance at an end.
func (f *Fence) plug(name string, index int, late bool) error {
	if f.host == (end{name, index}) {
		return nil
	}
	if err := f.tables.replug(f.conn, name); err != nil {
		return fmt.Errorf("hold the instance at its new end %s: %w", name, err)
	}
	f.host = end{name, index}
	f.moved(name, late)
	return nil
}

func (f *Fence) moved(to string, late bool) {
	select {
	case f.moves <- Move{time.Now(), to, late}:
	default:
	}
}

// Replug notes that the instance has another end on the host, where the fence
// can't know that itself; "" while it has none. It fails for one that isn't in
// the bridge.
func (f *Fence) Replug(host string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lowered {
		return errors.New("the fence was lowered")
	}
	p := f.port
	p.Host = host
	at, err := plugged(p)
	if err != nil {
		return err
	}
	return f.plug(host, at.host, true)
}
