package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// dnsmasq runs a real one on loopback until the test ends. It answers what is
// in its configuration alone, and logs its queries to the channel.
func dnsmasq(t testing.TB, config string) (addr netip.AddrPort, queries <-chan string) {
	t.Helper()
	path, err := exec.LookPath("dnsmasq")
	if err != nil {
		path = "/usr/sbin/dnsmasq"
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal("no dnsmasq: apt install dnsmasq-base")
	}
	addr = freePort(t)
	file := filepath.Join(t.TempDir(), "dnsmasq.conf")
	config += fmt.Sprintf("port=%d\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\npid-file\nlog-facility=-\n", addr.Port())
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--keep-in-foreground", "--user", "--conf-file="+file)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := make(chan string, 1<<16)
	started := make(chan error, 1)
	go readLog(stderr, started, lines)
	select {
	case err := <-started:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patienceOfTests):
		t.Fatal("dnsmasq says nothing")
	}
	return addr, lines
}

func readLog(r io.Reader, started chan<- error, lines chan<- string) {
	var said strings.Builder
	for scanner := bufio.NewScanner(r); scanner.Scan(); {
		line := scanner.Text()
		switch {
		case strings.Contains(line, "started"):
			started <- nil
		case strings.Contains(line, "query["):
			select {
			case lines <- line:
			default:
			}
		}
		fmt.Fprintln(&said, line)
	}
	select {
	case started <- fmt.Errorf("dnsmasq ended: %s", said.String()):
	default:
	}
}

// freePort returns an address where nobody listens.
func freePort(t testing.TB) netip.AddrPort {
	t.Helper()
	udp, tcp, err := listen("lo")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	defer tcp.Close()
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), udp.LocalAddr().(*net.UDPAddr).AddrPort().Port())
}
