package live_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/live"
	"lxd-allowlist/capture/lxd"
	"lxd-allowlist/capture/lxd/lxdtest"
	"lxd-allowlist/capture/verify"
)

// listenFor is a server on the host at addresses that names of the tests'
// upstream have ("host61."…). It tells each line that it is sent.
func listenFor(t *testing.T, hosts ...int) (port string, lines <-chan string) {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range hosts {
		at, err := netlink.ParseAddr(fmt.Sprintf("198.18.113.%d/32", host))
		if err == nil {
			err = netlink.AddrAdd(lo, at)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = netlink.AddrDel(lo, at) })
	}
	l, err := net.Listen("tcp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	told := make(chan string, 16)
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			go func() {
				defer c.Close()
				for in := bufio.NewScanner(c); in.Scan(); {
					told <- in.Text()
				}
			}()
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, told
}

// A name that is dropped while packets are refused, or let through for a time
// that ends, takes its addresses along at once, and open connections; what
// another name has stays, and what is refused for that is expected.
func TestDroppedAddressesAreRefused(t *testing.T) {
	bridge := lxdtest.Bridge(t)
	instance := lxdtest.Instance(t, bridge)
	port, lines := listenFor(t, 61, 62, 63, 64)
	s := start(t, live.Config{Instance: instance, Program: "test"})
	ask(t, s, "host61.example.test", "host62.example.test", "host62.other.test", "host64.example.test")
	drop := func(name string) {
		t.Helper()
		if _, err := s.Ledger.Decide(capture.Drop, id(s, name)); err != nil {
			t.Fatal(err)
		}
	}
	drop("host64.example.test") // before
	e, err := s.Enforce(t.Context(), verify.Strict)
	if err != nil {
		t.Fatal(err)
	}
	if !e.Prove(t.Context()) {
		t.Fatalf("not proven: %+v", s.Report(e).Proofs)
	}
	send := func(host int, line string) bool {
		t.Helper()
		return lxdtest.Run(t, instance, "sh", "-c", fmt.Sprintf("echo %s | nc -w 5 198.18.113.%d %s", line, host, port)) == 0
	}
	arrives := func(host int) {
		t.Helper()
		line := fmt.Sprint("to host ", host)
		if !send(host, line) {
			t.Fatalf("nothing gets %s: %+v", line, s.Report(e).Packets)
		}
		if got := <-lines; got != line {
			t.Fatalf("%q arrives, want %q", got, line)
		}
	}
	arrives(61)
	arrives(62)
	in, out := io.Pipe()
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() {
		_, err := lxdtest.Server(t).Run(ctx, instance, lxd.Command{Args: []string{"nc", "198.18.113.61", port}, Stdin: in})
		ended <- err
	}()
	fmt.Fprintln(out, "open")
	if got := <-lines; got != "open" {
		t.Fatalf("%q arrives on the open connection", got)
	}
	refusedAfter := func(host int, do func()) {
		t.Helper()
		do()
		last := time.Now().Add(patience)
		for send(host, "still") {
			if got := <-lines; got != "still" || time.Now().After(last) {
				t.Fatalf("host %d is reached still: %q", host, got)
			}
		}
	}
	refusedAfter(61, func() { drop("host61.example.test") })
	fmt.Fprintln(out, "on the open connection")
	if err := <-ended; err != nil {
		t.Errorf("the open connection: %v", err)
	}
	out.Close()
	drop("host62.example.test")
	for e.Policy.Passes("host62.example.test", time.Now()) {
		<-e.Wake()
	}
	arrives(62)
	if send(64, "dropped before") {
		t.Error("what was dropped before is reached")
	}

	lookUp := func(name string) bool { return lxdtest.Run(t, instance, "nslookup", name) == 0 }
	for _, how := range []struct {
		what string
		end  func()
	}{
		{"its time is over", func() { e.Policy.Grant("host63.example.test", time.Nanosecond, time.Now()) }},
		{"somebody dropped it", func() { drop("host63.example.test") }},
	} {
		if lookUp("host63.example.test") {
			t.Errorf("%s: a name that isn't on the list was looked up", how.what)
		}
		look(t, s, "the refused name", func(r capture.Reader) bool { return domain(r, "host63.example.test").Denied > 0 })
		e.Policy.Grant("host63.example.test", time.Hour, time.Now())
		if !lookUp("host63.example.test") {
			t.Errorf("%s: a name that is let through is refused", how.what)
		}
		arrives(63)
		refusedAfter(63, how.end)
		if lookUp("host63.example.test") {
			t.Errorf("%s: it is looked up still", how.what)
		}
	}
	if len(lines) > 0 {
		t.Errorf("%q arrived", <-lines)
	}

	r := s.Report(e)
	if unexpected := r.Unexpected(); len(unexpected) > 0 {
		t.Errorf("unexpected: %v", unexpected)
	}
	for host, name := range map[int]string{61: "host61.example.test", 63: "host63.example.test", 64: "host64.example.test"} {
		to := fmt.Sprintf("198.18.113.%d:%s/tcp", host, port)
		if !slices.ContainsFunc(r.Packets, func(p verify.PacketResult) bool {
			return p.To == to && p.Expected && slices.Equal(p.Names, []string{name})
		}) {
			t.Errorf("packets to %s: %+v", to, r.Packets)
		}
	}
	if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, "198.18.113.62 of host62.example.test is host62.other.test's") {
		t.Errorf("notes:\n%s", notes)
	}
}
