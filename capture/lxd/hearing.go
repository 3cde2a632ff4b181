package lxd

import (
	"context"
	"errors"
	"net"
	"net/http"
	"syscall"

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
		return heard{c}, nil
	}
	return transporter{t}
}

// transporter is a transport as LXD's client wants it wrapped.
type transporter struct{ own *http.Transport }

func (t transporter) RoundTrip(r *http.Request) (*http.Response, error) { return t.own.RoundTrip(r) }
func (t transporter) Transport() *http.Transport                        { return t.own }

// heard is a connection that takes what nobody reads any more: that the other
// end is closed is told by reading.
type heard struct{ net.Conn }

func (c heard) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return len(b), nil
	}
	return n, err
}
