package proof

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"lxd-allowlist/export/rule"
)

func TestSmokescreen(t *testing.T) {
	binary := build(t, "smokescreen")
	proveTable(t, format(t, "smokescreen"), func(t *testing.T, path string) target {
		u, addr, port := startUpstream(t), freeAddr(t), startSite(t)
		startSmokescreen(t, binary, path, addr, u)
		return target{
			ask: func(t *testing.T, name string) bool {
				t.Helper()
				get := status(t, addr, "GET", "http://"+net.JoinHostPort(name, port)+"/", name)
				connect := status(t, addr, "CONNECT", net.JoinHostPort(name, port), net.JoinHostPort(name, port))
				if get != connect || get != http.StatusOK && get != http.StatusProxyAuthRequired {
					t.Errorf("%s: GET says %d, CONNECT says %d", name, get, connect)
				}
				return get == http.StatusOK
			},
			done: func(t *testing.T, denied map[string]bool) {
				t.Helper()
				if names := u.leaked(denied); len(names) > 0 {
					t.Errorf("denied, but looked up: %q", names)
				}
			},
		}
	}, append(slices.DeleteFunc(slices.Clone(hostQuestions), func(q question) bool {
		return strings.HasPrefix(q.name, "[") // it takes no address in brackets
	}), question{name: "r3---sn.example.net"})...) // as the format says
	u, addr := startUpstream(t), freeAddr(t)
	startSmokescreen(t, binary, file(t, format(t, "smokescreen"), nil), addr, u)
	if got := status(t, addr, "CONNECT", "evil.org:443", "evil.org:443"); got != http.StatusProxyAuthRequired {
		t.Errorf("an empty list: %d", got)
	}
}

// Smokescreen goes to an address that the list has, and to no other, however it is
// written. All of it runs in a network of its own, where the addresses are
// loopback's.
func TestSmokescreenAddresses(t *testing.T) {
	binary := build(t, "smokescreen")
	ownNetwork(t)
	f := format(t, "smokescreen")
	for _, a := range []string{"192.0.2.7/32", "192.0.2.8/32", "192.0.2.70/32", "198.51.100.1/32"} {
		run(t, "ip", "address", "add", a, "dev", "lo")
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Parent", "yes")
	}))
	server.Listener.Close()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	_, port := hostPort(t, l.Addr().String())
	held, _ := f.Hold(compiled(t, []rule.Rule{{Name: "www.example.com"}, {Name: "192.0.2.7:443/tcp"}, {Name: "198.51.100.0/24:443/tcp"}, {Name: "198.51.100.1:22/tcp"}}))
	u, addr := startUpstream(t), freeAddr(t)
	startSmokescreen(t, binary, fileOf(t, f, held), addr, u)
	for host, want := range map[string]int{
		"192.0.2.7": http.StatusOK, "192.0.2.8": http.StatusProxyAuthRequired, "192.0.2.70": http.StatusProxyAuthRequired, "198.51.100.1": http.StatusProxyAuthRequired,
		"x.192.0.2.7": http.StatusProxyAuthRequired, "192.0.2.7.evil.org": http.StatusProxyAuthRequired, "[::ffff:192.0.2.8]": http.StatusProxyAuthRequired, "evil.org": http.StatusProxyAuthRequired,
	} {
		if got := status(t, addr, "CONNECT", host+":"+port, host+":"+port); got != want {
			t.Errorf("a tunnel to %s: %d, want %d", host, got, want)
		}
		if strings.HasPrefix(host, "[") {
			continue // it takes none in a URL
		}
		if got := status(t, addr, "GET", "http://"+host+":"+port+"/", host); got != want {
			t.Errorf("plain HTTP to %s: %d, want %d", host, got, want)
		}
	}
}

// startSite is a server at the address that the upstream knows for every name,
// and says its port.
func startSite(t *testing.T) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", freePort(t, netip.AddrFrom4(answer4).String()))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Parent", "yes")
	}))
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	_, port = hostPort(t, l.Addr().String())
	return port
}

func startSmokescreen(t *testing.T, binary, path, addr string, u *upstream) {
	t.Helper()
	host, port := hostPort(t, addr)
	start(t, accepts(addr), binary, "--listen-ip", host, "--listen-port", port, "--egress-acl-file", path,
		"--resolver-address", u.addr, "--allow-range", "127.0.0.0/8")
}
