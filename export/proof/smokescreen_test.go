package proof

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
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
