package lxd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/canonical/lxd/shared/api"
)

// What LXD says is one line without what terminals and people can't read.
func TestPlain(t *testing.T) {
	for said, want := range map[string]string{
		"plain": "plain",
		"":      "",
		`The DNS and DHCP service exited prematurely: Process exited with non-zero value 2 ("dnsmasq: failed to create listening socket for 198.18.0.1: Address already in use` + `\n` + strings.Repeat(`\x00`, 700) + `")`: `The DNS and DHCP service exited prematurely: Process exited with non-zero value 2 ("dnsmasq: failed to create listening socket for 198.18.0.1: Address already in use")`,
		"in use\n\x00\x00\x00\n":       "in use",
		"Error: Error: it failed":      "it failed",
		"a\r\n\tb\x1b[31m":             "a b [31m",
		"Failed: Error: deep":          "Failed: deep",
		"websocket: close 1006 (gone)": away,
	} {
		if got := plain(errors.New(said)); got.Error() != want {
			t.Errorf("%q became %q, want %q", said, got, want)
		}
	}
	if err := plain(nil); err != nil {
		t.Errorf("no error became %v", err)
	}
	in := api.StatusErrorf(http.StatusNotFound, "Network not\nfound")
	if err := plain(in); !api.StatusErrorCheck(err, http.StatusNotFound) || err.Error() != "Network not found" {
		t.Errorf("it became %v", err)
	}
}

// An LXD that is away is told from one that refuses, whatever way it went.
func TestIsAway(t *testing.T) {
	dir := t.TempDir()
	_, absent := net.Dial("unix", filepath.Join(dir, "unix.socket"))
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "left.socket")})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	_, left := net.Dial("unix", filepath.Join(dir, "left.socket"))
	for _, test := range []struct {
		err  error
		away bool
	}{
		{absent, true}, {left, true}, {io.EOF, true}, {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true},
		{syscall.ECONNRESET, true}, {syscall.EPIPE, true},
		{errors.New("websocket: close 1006 (abnormal closure): unexpected EOF"), true},
		{api.StatusErrorf(http.StatusServiceUnavailable, "LXD daemon setup in progress"), true},
		{api.StatusErrorf(http.StatusInternalServerError, "Failed to begin transaction: sql: database is closed"), true},
		{fmt.Errorf("wait: %w", os.ErrDeadlineExceeded), true},
		{errors.New("read unix @->/var/lib/lxd/unix.socket: i/o timeout"), true},
		{nil, false}, {context.DeadlineExceeded, false}, {errors.New("Get \"https://images.example/\": dial tcp 192.0.2.1:443: i/o timeout"), false},
		{errors.New("refused"), false}, {syscall.ENOENT, false},
		{api.StatusErrorf(http.StatusInternalServerError, "failed"), false},
	} {
		if got := IsAway(test.err); got != test.away {
			t.Errorf("%v: away %v", test.err, got)
		}
		err := networkError("read", "br", test.err)
		if test.away && err.Error() != "read network br: "+away {
			t.Errorf("%v is said as %v", test.err, err)
		}
		if got := IsAway(errors.Join(errors.New("refused"), err)); got != test.away {
			t.Errorf("%v, as it is said: away %v", test.err, got)
		}
	}
}

// A query that got no answer is said to, without the words of sockets.
func TestUnanswered(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("udp", silent.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask := func() error {
		if _, err := conn.Write([]byte("?")); err != nil {
			return err
		}
		_, err := conn.Read(make([]byte, 1))
		return err
	}
	if err := conn.SetDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); unanswered(err).Error() != "it doesn't answer" {
		t.Errorf("%v is said as %v", err, unanswered(err))
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := silent.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ask(); unanswered(err).Error() != "nothing listens there" {
		t.Errorf("%v is said as %v", err, unanswered(err))
	}
}
