// Package proof loads the files that package export makes into the software
// that they are for, on loopback, and asks it for names. Nothing leaves the
// machine, and a program that is missing is a failure.
package proof

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startTime = time.Minute // 100,000 rules on a busy machine
	stopTime  = 2 * time.Second
	tick      = 20 * time.Millisecond
)

// transcript is what a daemon has said.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// says returns a test of readiness by a word in the log.
func says(word string) func(*transcript) error {
	return func(l *transcript) error {
		if !strings.Contains(l.String(), word) {
			return fmt.Errorf("it hasn't said %q", word)
		}
		return nil
	}
}

// accepts returns a test of readiness by a connection.
func accepts(addr string) func(*transcript) error {
	return func(*transcript) error {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			conn.Close()
		}
		return err
	}
}

// start runs a daemon in the foreground until the test ends and returns when
// it is ready.
func start(t *testing.T, ready func(*transcript) error, name string, args ...string) {
	t.Helper()
	cmd := inRoot(exec.Command(program(t, name), args...))
	said := new(transcript)
	cmd.Stdout, cmd.Stderr = said, said
	// A group of its own, for some have children that would outlive them.
	cmd.SysProcAttr.Setpgid = true
	observed(t).software = name
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(stopTime):
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(name), tail(said.String()))
		}
	})
	if err := await(said, ready, ended); err != nil {
		observed(t).refused = lastWords(said.String())
		t.Fatalf("%s is not ready: %v", name, err)
	}
}

// await returns once the daemon is ready, or the reason why it never will be.
func await(said *transcript, ready func(*transcript) error, ended chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		err := ready(said)
		if err == nil {
			return nil
		}
		select {
		case why := <-ended:
			ended <- why
			return fmt.Errorf("it ended: %v", why)
		case <-ctx.Done():
			return fmt.Errorf("after %v: %w", startTime, err)
		case <-ticker.C:
		}
	}
}

// tail returns the last of a long text.
func tail(text string) string {
	const most = 4000
	return text[max(0, len(text)-most):]
}

// packages name what a program is installed by.
var packages = map[string]string{
	"dnsdist":         "apt install dnsdist",
	"dnsmasq":         "apt install dnsmasq-base",
	"ip":              "apt install iproute2",
	"haproxy":         "apt install haproxy",
	"kresd":           "apt install knot-resolver",
	"named":           "apt install bind9",
	"named-checkzone": "apt install bind9-utils",
	"nft":             "apt install nftables",
	"nginx":           "apt install nginx libnginx-mod-stream",
	"pdns_recursor":   "apt install pdns-recursor",
	"privoxy":         "apt install privoxy",
	"squid":           "apt install squid",
	"sqlite3":         "apt install sqlite3",
	"tinyproxy":       "apt install tinyproxy-bin",
	"unbound":         "apt install unbound",
}

// program returns a copy of the program: AppArmor knows some of them by their
// path, and would keep those from the test's files.
func program(t *testing.T, name string) string {
	t.Helper()
	path := find(name)
	if path == "" {
		t.Fatalf("no %s: %s", name, packages[name])
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Base(path), data, 0o755)
}

// find returns the program's path, also where users' shells don't look.
func find(name string) string {
	if path, err := exec.LookPath(name); err == nil && root == "" {
		return path
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"} {
		if path, err := exec.LookPath(within(filepath.Join(dir, name))); err == nil {
			return path
		}
	}
	return ""
}

// write makes a file that daemons which give up root can read, too.
func write(t *testing.T, name string, data []byte, mode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// freeAddr returns an address of loopback where nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	return freePort(t, fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254)))
}

// freePort returns the host with a port where nobody listens, neither by UDP
// nor by TCP. It is below those that the kernel gives to clients.
func freePort(t *testing.T, host string) string {
	t.Helper()
	for range 100 {
		addr := net.JoinHostPort(host, fmt.Sprint(10000+rand.IntN(20000)))
		udp, errUDP := net.ListenPacket("udp", addr)
		tcp, errTCP := net.Listen("tcp", addr)
		if errUDP == nil {
			udp.Close()
		}
		if errTCP == nil {
			tcp.Close()
		}
		if errors.Join(errUDP, errTCP) == nil {
			return addr
		}
	}
	t.Fatalf("no free port on %s", host)
	return ""
}

// hostPort takes an address apart.
func hostPort(t *testing.T, addr string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}
