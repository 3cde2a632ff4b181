package forward

import (
	"net"

	"golang.org/x/net/ipv4"
)

// atOnce is how many packets are read, or sent, by one system call at most.
const atOnce = 32

// newBatch returns room for packets that are read at once.
func newBatch() []ipv4.Message {
	b := make([]ipv4.Message, atOnce)
	for i := range b {
		b[i].Buffers = [][]byte{make([]byte, 1<<16)}
		b[i].OOB = make([]byte, 128)
	}
	return b
}

// outbox is packets that are sent at once, each with what it is about.
type outbox[T any] struct {
	packets []ipv4.Message // as many as there ever were in it
	about   []T            // as many as there are
}

// add adds a packet, which stays as it is until it is sent: to an address, with
// a control message, both nil for none.
func (o *outbox[T]) add(about T, packet, control []byte, to net.Addr) {
	i := len(o.about)
	o.about = append(o.about, about)
	if i == len(o.packets) {
		o.packets = append(o.packets, ipv4.Message{Buffers: make([][]byte, 1)})
	}
	m := &o.packets[i]
	m.Buffers[0], m.OOB, m.Addr = packet, control, to
}

// send empties the box, and tells what became of each packet.
func (o *outbox[T]) send(c *ipv4.PacketConn, sent func(T, error)) {
	for i := 0; i < len(o.about); {
		n, err := c.WriteBatch(o.packets[i:len(o.about)], 0)
		if err != nil { // of the first one; the others weren't tried
			sent(o.about[i], err)
			i++
			continue
		}
		for range n {
			sent(o.about[i], nil)
			i++
		}
	}
	clear(o.about)
	o.about = o.about[:0]
}
