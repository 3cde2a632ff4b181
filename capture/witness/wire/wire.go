// Package wire sees what one instance says to the network, and what DNS says to
// it: all that passes its interface on the host (a container's veth, a VM's
// tap), whatever the instance does, and nothing of others. It knows no process.
package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"

	"lxd-allowlist/capture/witness"
)

// ErrGone says that the interface is gone, as it is when the instance stops. A
// restarted one has another interface.
var ErrGone = errors.New("the interface is gone")

// Wire watches one interface, from [Open] to [Wire.Close].
type Wire struct {
	name   string
	ring   *ring
	reader *reader
	count  time.Time // when it is told next what was lost; zero while nothing can have been
}

// Open begins to watch an interface: what passes from now on is kept, for
// [Wire.Watch] to tell. It needs root (CAP_NET_RAW). What the kernel holds for
// it goes with the process, however that ends.
func Open(name string) (*Wire, error) {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("watch interface %s: %w", name, err)
	}
	r, err := openRing(link.Attrs().Index)
	if err != nil {
		return nil, fmt.Errorf("watch interface %s: %w; it takes root on this host", name, err)
	}
	return &Wire{name: name, ring: r, reader: newReader()}, nil
}

// Watch tells a sink, in the order that the packets came in, of
//
//   - queries and answers of DNS by port 53, UDP and TCP,
//   - connections that the instance begins: TCP, and UDP but for DNS; those of
//     other protocols ("icmp", "icmpv6", "protocol 47"), pings among them, with
//     ports of 0; DNS by TCP is a connection, too,
//   - hellos on whatever port: TLS and HTTP/1 where they are the first that is
//     said, and QUIC. What is within HTTP/2 without TLS isn't read, nor what
//     follows on a STARTTLS.
//
// DNS over HTTPS is a hello like others, and DNS over TLS one to port 853.
// Connections from before Open aren't told, and IP fragments aren't put
// together: the latter are lost, as is what the kernel or this program had no
// room for. A flow of UDP that was silent for some minutes is told anew.
//
// It returns nil when ctx ends, and ErrGone when the interface is gone. It may
// be called once.
func (w *Wire) Watch(ctx context.Context, sink witness.Sink) error {
	w.reader.sink = sink
	defer context.AfterFunc(ctx, w.ring.wake)()
	for {
		if over, err := w.turn(ctx); over {
			return err
		}
	}
}

// turn waits for what comes next, and tells of it. It is over when there is
// nothing more to come.
func (w *Wire) turn(ctx context.Context) (over bool, err error) {
	came, err := w.ring.next(w.count, w.reader.frame)
	if over = err != nil || ctx.Err() != nil; over {
		w.ring.rest(w.reader.frame)
	}
	switch now := time.Now(); {
	case over || !w.count.IsZero() && !now.Before(w.count):
		w.tellLost()
		w.count = time.Time{}
	case came && w.count.IsZero():
		w.count = now.Add(glance)
	}
	if err != nil {
		err = fmt.Errorf("watch interface %s: %w", w.name, err)
	}
	return over, err
}

const kernelDrops = "packets that the kernel had no room for"

// tellLost tells what was lost since it was last called.
func (w *Wire) tellLost() {
	if n := w.ring.drops(); n > 0 {
		w.reader.sink.Lost(n, kernelDrops)
	}
	w.reader.tellLost()
}

// Close ends the watch. [Wire.Watch] must have returned.
func (w *Wire) Close() error { return w.ring.close() }
