package proof

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/export/rule"
)

// HAProxy goes to an address that the list has, whatever the connection begins
// with, where it was redirected from there, and to no other address or port. All
// of it runs in a network of its own, where the addresses are loopback's.
func TestHAProxyAddresses(t *testing.T) {
	ownNetwork(t)
	f := format(t, "haproxy")
	saw := observe(t, f)
	const proxy, client = "127.0.0.1:7443", "127.0.0.9"
	for _, a := range []string{"192.0.2.6/32", "192.0.2.7/32", "198.51.100.1/32", "198.51.101.1/32", "203.0.113.1/32"} {
		run(t, "ip", "address", "add", a, "dev", "lo")
	}
	run(t, "nft", "table ip proof { chain sent { type nat hook output priority -100; ip saddr "+client+" tcp dport { 443, 8443 } redirect to :7443; }; }")
	for _, port := range []string{"443", "8443"} {
		l, err := net.Listen("tcp", "0.0.0.0:"+port)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go greet(l)
	}
	held, _ := f.Hold(compiled(t, []rule.Rule{
		{Name: "www.example.com"}, {Name: "192.0.2.7:443/tcp", Reason: "; } #@ 203.0.113.1"}, {Name: "198.51.100.0/24:443/tcp"},
		{Name: "203.0.113.1:8443/tcp"}, {Name: "203.0.113.1:443/udp"},
	}))
	path, u := fileOf(t, f, held), startUpstream(t)
	conf := takenAside(t, f, path, configured(t, f, path, "bind :443", "bind "+proxy, "parse-resolv-conf", "nameserver proof "+u.addr))
	start(t, accepts(proxy), "haproxy", "-db", "-f", write(t, "haproxy.cfg", []byte(conf), 0o644))
	for to, want := range map[string]bool{
		"192.0.2.7:443": true, "198.51.100.1:443": true,
		"192.0.2.6:443": false, "198.51.101.1:443": false, "203.0.113.1:443": false, "192.0.2.7:8443": false, "203.0.113.1:8443": false,
	} {
		conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(client)}, Timeout: patience}).Dial("tcp4", to)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		fmt.Fprint(conn, "GET / HTTP/1.0\r\n\r\n") // no TLS, which it would wait for
		said, _ := io.ReadAll(conn)
		conn.Close()
		if got := string(said) == to; got != want || len(said) > 0 && !got {
			t.Logf("%s: %q", to, said)
			saw.difference(t, strings.TrimSuffix(to, ":443"), "redirected", !want)
		}
	}
}

// greet says to each connection where it has come to, and closes it once that
// has said something.
func greet(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			conn.Read(make([]byte, 64))
			fmt.Fprint(conn, conn.LocalAddr())
		}()
	}
}
