package lxd

import (
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"
	"github.com/gorilla/websocket"
)

// linked returns a client of an LXD that is nothing but these handlers.
func linked(t *testing.T, mux *http.ServeMux) client.InstanceServer {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "unix.socket")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	mux.HandleFunc("GET /1.0", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"type": "sync", "status_code": 200, "metadata": {"api_extensions": ["instances"]}}`)
	})
	go http.Serve(l, mux)
	link, err := dial(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// What LXD has said on a stream is read, though it has closed that before the
// ping which leads it is answered.
func TestClosedStreamIsRead(t *testing.T) {
	closed := make(chan bool)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /1.0/operations/run/websocket", func(w http.ResponseWriter, r *http.Request) {
		conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		conn.WriteControl(websocket.PingMessage, []byte("keepalive"), time.Time{})
		conn.WriteMessage(websocket.BinaryMessage, []byte("out\n"))
		conn.WriteMessage(websocket.TextMessage, nil)
		conn.Close()
		close(closed)
	})
	conn, err := linked(t, mux).GetOperationWebsocket("run", "secret")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	<-closed
	for _, want := range []string{"out\n", ""} {
		if _, said, err := conn.ReadMessage(); err != nil || string(said) != want {
			t.Errorf("%q is read, %v; want %q", said, err, want)
		}
	}
}

// LXD is taken for one that hangs where it owes an answer, and not where a
// command or a wait may last.
func TestSilenceIsBounded(t *testing.T) {
	for request, want := range map[string]bool{
		"GET /1.0/events?project=default":                 true,
		"GET /1.0/networks/lxdbr0":                        true,
		"PUT /1.0/networks/operations":                    true,
		"GET /1.0/operations/0f-1":                        true,
		"GET /1.0/operations/0f-1/websocket?secret=0f":    false,
		"GET /1.0/operations/0f-1/wait?timeout=-1":        false,
		"GET /1.0/operations/0f-1/wait":                   false,
		"POST /1.0/instances/c1/exec?project=default":     true,
		"PUT /1.0/instances/c1?a=/1.0/operations/x/wait ": true,
	} {
		here, there := net.Pipe()
		go io.Copy(io.Discard, there)
		c := &heard{Conn: here}
		io.WriteString(c, request+" HTTP/1.1\r\n")
		io.WriteString(c, "GET /1.0/operations/0f/wait HTTP/1.1\r\n")
		if c.bounded.Load() != want {
			t.Errorf("%s: bounded is %v", request, !want)
		}
		here.Close()
	}
}

// LXD dies as it changes an instance. Its client notes without a lock that the
// events have ended, and takes that note away for the change that failed: the race
// detector tells of it unless the one is after the other.
func TestEventsEndLast(t *testing.T) {
	for range 20 {
		var events net.Conn
		listened := make(chan bool)
		mux := http.NewServeMux()
		mux.HandleFunc("GET /1.0/events", func(w http.ResponseWriter, r *http.Request) {
			conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			events = conn.NetConn()
			close(listened)
		})
		mux.HandleFunc("PUT /1.0/instances/c1", func(w http.ResponseWriter, _ *http.Request) {
			<-listened
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			events.Close()
			conn.Close()
		})
		link := linked(t, mux)
		if _, err := link.UpdateInstance("c1", api.InstancePut{}, ""); !IsAway(err) {
			t.Errorf("the change ends with %v", err)
		}
		link.Disconnect()
	}
}

// The client's own close of the events' connection is told at once.
func TestClosedEventsEndAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		go io.Copy(io.Discard, there)
		c := &heard{Conn: here}
		io.WriteString(c, events+" HTTP/1.1\r\n")
		c.Conn = closedConn{here}
		began := time.Now()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) || time.Since(began) > 0 {
			t.Errorf("it ends with %v after %v", err, time.Since(began))
		}
		here.Close()
	})
}

// closedConn is a connection that its owner has closed.
type closedConn struct{ net.Conn }

func (closedConn) Read([]byte) (int, error) { return 0, net.ErrClosed }
