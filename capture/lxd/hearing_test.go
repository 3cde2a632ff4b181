package lxd

import (
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// What LXD has said on a stream is read, though it has closed that before the
// ping which leads it is answered.
func TestClosedStreamIsRead(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "unix.socket")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	closed := make(chan bool)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /1.0", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"type": "sync", "status_code": 200, "metadata": {}}`)
	})
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
	go http.Serve(l, mux)
	link, err := dial(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := link.GetOperationWebsocket("run", "secret")
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
