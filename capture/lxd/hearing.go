package lxd

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	client "github.com/canonical/lxd/client"
)

// hearing makes connections that are read to their end, although LXD has closed
// them. It pings each stream of a command once that is open, and the client
// answers when it comes to read the ping; on a busy machine the command may be
// over by then. To gorilla/websocket an answer that can't be sent ends the
// stream, with all that was to be read behind the ping.
func hearing(t *http.Transport) client.HTTPTransporter {
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &heard{Conn: c}, nil
	}
	return transporter{t}
}

// transporter is a transport as LXD's client wants it wrapped.
type transporter struct{ own *http.Transport }

func (t transporter) RoundTrip(r *http.Request) (*http.Response, error) { return t.own.RoundTrip(r) }
func (t transporter) Transport() *http.Transport                        { return t.own }

// silence is how long LXD may say nothing before it is taken for one that hangs.
// It pings whoever listens to its events every ten seconds (5.0 to 6), and a
// change of a network takes it seconds on a busy machine.
const silence = 45 * time.Second

// unbounded are requests whose answer comes when something is over, and the
// streams of a command.
var unbounded = regexp.MustCompile(`^[A-Z]+ /1\.0/operations/[^ ]+/(wait|websocket)[ ?]`)

// events is the request for LXD's events.
const events = "GET /1.0/events"

// eventsPause is how much later than other connections that of the events ends.
// LXD's client notes its end where a change that failed takes the note of what
// happened away, and has no lock for that (EventListener.Disconnect, in November
// 2025): one is to be done when the other begins.
const eventsPause = 500 * time.Millisecond

// heard is a connection that takes what nobody reads any more: that the other
// end is closed is told by reading. Reading ends after a [silence], but for what
// is unbounded.
type heard struct {
	net.Conn
	begin   sync.Once
	bounded atomic.Bool
	events  atomic.Bool
}

func (c *heard) Write(b []byte) (int, error) {
	c.begin.Do(func() {
		c.events.Store(bytes.HasPrefix(b, []byte(events)))
		if !unbounded.Match(b) {
			c.bounded.Store(true)
			_ = c.SetReadDeadline(time.Now().Add(silence)) // who reads may have begun to
		}
	})
	n, err := c.Conn.Write(b)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return len(b), nil
	}
	return n, err
}

func (c *heard) Read(b []byte) (int, error) {
	if c.bounded.Load() {
		_ = c.SetReadDeadline(time.Now().Add(silence))
	}
	n, err := c.Conn.Read(b)
	// The client closes it itself when nobody listens, and takes who listens anew
	// meanwhile for one of these.
	if err != nil && !errors.Is(err, net.ErrClosed) && c.events.Load() {
		time.Sleep(eventsPause)
	}
	return n, err
}
