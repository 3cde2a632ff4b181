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

	"golang.org/x/net/dns/dnsmessage"

	"lxd-allowlist/parse"
)

// needsPrograms leaves a test of other programs, or of what takes root, out of a
// short run.
func needsPrograms(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("not in short mode: it needs dnsmasq, and some of it root, ip and nft")
	}
}

// program returns where a program is, also where users' shells don't look.
func program(t testing.TB, name, apt string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Fatalf("no %s: apt install %s", name, apt)
	return ""
}

// daemon is a dnsmasq.
type daemon struct {
	cmd   *exec.Cmd
	lines chan string // of its log that say what it was asked
}

// dnsmasq starts a real one that ends with the test and answers what is in its
// configuration alone.
func dnsmasq(t testing.TB, config string) *daemon {
	t.Helper()
	file := filepath.Join(t.TempDir(), "dnsmasq.conf")
	config += "bind-interfaces\nno-resolv\nno-hosts\npid-file\nlog-facility=-\n"
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	d := &daemon{
		cmd:   exec.Command(program(t, "dnsmasq", "dnsmasq-base"), "--keep-in-foreground", "--user", "--conf-file="+file),
		lines: make(chan string, 1<<16),
	}
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.end)
	started := make(chan error, 1)
	go d.read(stderr, started)
	select {
	case err := <-started:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patienceOfTests):
		t.Fatal("dnsmasq says nothing")
	}
	return d
}

func (d *daemon) end() {
	d.cmd.Process.Kill()
	d.cmd.Wait()
}

func (d *daemon) read(r io.Reader, started chan<- error) {
	var said strings.Builder
	for scanner := bufio.NewScanner(r); scanner.Scan(); {
		switch line := scanner.Text(); {
		case strings.Contains(line, "started"):
			started <- nil
		case strings.Contains(line, "query"):
			d.lines <- line
		default:
			fmt.Fprintln(&said, line)
		}
	}
	select {
	case started <- fmt.Errorf("dnsmasq ended: %s", said.String()):
	default:
	}
}

// next returns what it was asked next, and the line.
func (d *daemon) next(t testing.TB) (parse.Record, string) {
	t.Helper()
	select {
	case line := <-d.lines:
		var r parse.Record
		r.Parse([]byte(line))
		if r.Kind != parse.Query {
			t.Errorf("dnsmasq logged %q", line)
		}
		return r, line
	case <-time.After(patienceOfTests):
		t.Fatal("dnsmasq was asked nothing")
		return parse.Record{}, ""
	}
}

// on is the configuration for an address of loopback.
func on(addr netip.AddrPort) string {
	return fmt.Sprintf("port=%d\nlisten-address=%v\n", addr.Port(), addr.Addr())
}

const zone = `log-queries
host-record=allowed.example,192.0.2.7,2001:db8::7
host-record=target.evil.example,192.0.2.8
cname=alias.allowed.example,target.evil.example
dns-rr=svc.allowed.example,65,00010000040004c0000209
txt-record=long.allowed.example,"` + longText + `","` + longText + `","` + longText + `","` + longText + `"
ptr-record=7.2.0.192.in-addr.arpa,allowed.example
local=/example/
`

const longText = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

func TestDnsmasq(t *testing.T) {
	needsPrograms(t)
	addr := freePort(t)
	d := dnsmasq(t, on(addr)+zone)
	source := netip.MustParseAddr("127.0.0.9")
	f, told := run(t, Config{Upstream: addr, Source: source, Allow: func(name string, t uint16) bool {
		return allowed(name, t) || strings.HasSuffix(name, ".in-addr.arpa")
	}})
	for _, test := range []struct {
		name string
		kind dnsmessage.Type
		want string // outcome, addresses
	}{
		{"allowed.example", dnsmessage.TypeA, "NOERROR [192.0.2.7]"},
		{"Allowed.Example", dnsmessage.TypeAAAA, "NOERROR [2001:db8::7]"},
		{"allowed.example", dnsmessage.TypeMX, "NOERROR []"},
		{"alias.allowed.example", dnsmessage.TypeA, "NOERROR [192.0.2.8]"},
		{"svc.allowed.example", dnsmessage.TypeHTTPS, "NOERROR [192.0.2.9]"},
		{"none.allowed.example", dnsmessage.TypeA, "NXDOMAIN []"},
		{"7.2.0.192.in-addr.arpa", dnsmessage.TypePTR, "NOERROR []"},
	} {
		for _, way := range ways {
			m := parsed(t, exchange(t, connect(t, f, way.network, way.host), query(test.name, test.kind)))
			if m.Questions[0].Name.String() != test.name+"." {
				t.Errorf("%s: the question came back as %v", test.name, m.Questions)
			}
			if q := told.next(t); fmt.Sprint(q.Outcome, " ", q.Addresses) != test.want || q.Why != "" {
				t.Errorf("%s: told %+v, want %s", test.name, q, test.want)
			}
			if r, line := d.next(t); !strings.EqualFold(string(r.Name), test.name) || string(r.Client) != source.String() {
				t.Errorf("%s: logged %q", test.name, line)
			}
		}
	}
	// All of a TXT record comes by TCP, and by UDP if the client takes as much.
	for _, test := range []struct {
		network string
		more    []byte
		cut     bool
	}{{"udp", nil, true}, {"udp", options(1232), false}, {"tcp", nil, false}} {
		m := parsed(t, exchange(t, connect(t, f, test.network, "127.0.0.1"), query("long.allowed.example", dnsmessage.TypeTXT, test.more...)))
		if m.Truncated != test.cut || (len(m.Answers) == 1) == test.cut {
			t.Errorf("%v: the answer is %v", test, m.GoString())
		}
		d.next(t)
	}
}

// Nothing of what must not be forwarded reaches dnsmasq, which itself forwards
// some of it past its own lists.
func TestDnsmasqHearsNothing(t *testing.T) {
	needsPrograms(t)
	addr := freePort(t)
	d := dnsmasq(t, on(addr)+zone+"server=127.0.0.1#9\n")
	f, _ := run(t, Config{Upstream: addr, Allow: func(string, uint16) bool { return true }})
	for _, network := range []string{"udp", "tcp"} {
		for _, test := range notForwarded {
			conn := connect(t, f, network, "127.0.0.1")
			if test.outcome != "" {
				exchange(t, conn, test.packet)
			} else if network == "udp" {
				conn.Write(test.packet)
			} else if writeTCP(conn, test.packet) == nil {
				readTCP(conn)
			}
		}
		name := network + ".allowed.example"
		exchange(t, connect(t, f, network, "127.0.0.1"), query(name, dnsmessage.TypeA))
		if r, line := d.next(t); string(r.Name) != name {
			t.Errorf("dnsmasq logged %q", line)
		}
	}
}

// A type is told by the name that dnsmasq has for it.
func TestTypesAsLogged(t *testing.T) {
	needsPrograms(t)
	addr := freePort(t)
	d := dnsmasq(t, on(addr)+zone)
	f, told := run(t, Config{Upstream: addr})
	conn := connect(t, f, "udp", "127.0.0.1")
	for _, n := range append(numbers(1, 300), numbers(32766, 32772)...) {
		if isMeta(n) {
			continue
		}
		exchange(t, conn, query("allowed.example", dnsmessage.Type(n)))
		r, line := d.next(t)
		if q := told.next(t); q.Type != string(r.Type) {
			t.Errorf("type %d is told as %s, and dnsmasq logged %q", n, q.Type, line)
		}
	}
}

func numbers(from, to uint16) (all []uint16) {
	for n := from; n < to; n++ {
		all = append(all, n)
	}
	return all
}

// A query that comes while dnsmasq is started anew waits for it.
func TestDnsmasqComesBack(t *testing.T) {
	needsPrograms(t)
	addr := freePort(t)
	d := dnsmasq(t, on(addr)+zone)
	f, told := run(t, Config{Upstream: addr})
	for _, network := range []string{"udp", "tcp"} {
		conn := connect(t, f, network, "127.0.0.1")
		exchange(t, conn, plain)
		told.next(t)
		d.end()
		packet := plain
		if network == "tcp" {
			packet = append([]byte{0, byte(len(plain))}, plain...)
		}
		if _, err := conn.Write(packet); err != nil {
			t.Fatal(err)
		}
		d = dnsmasq(t, on(addr)+zone)
		if q := told.next(t); q.Outcome != "NOERROR" {
			t.Errorf("%s: told %+v", network, q)
		}
	}
}

// freePort returns an address where nobody listens.
func freePort(t testing.TB) netip.AddrPort {
	t.Helper()
	udp, tcp, err := listen("lo", "")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	defer tcp.Close()
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), udp.LocalAddr().(*net.UDPAddr).AddrPort().Port())
}
