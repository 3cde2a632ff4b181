package proof

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

// patience is how long a proxy may take over one request.
const patience = 30 * time.Second

// hostQuestions have only proxies to answer: the root's dot, addresses, and
// what is no name.
var hostQuestions = []question{
	{"www.example.com.", true, true},
	{"a.example.net.", true, true},
	{"WWW.Example.COM.", true, true},
	{"example.com.", false, false},
	{"notexample.net.", false, false},
	{"127.0.0.10", false, false},
	{"[::1]", false, false},
	{"[::ffff:127.0.0.1]", false, false},
	{"127.1", false, false},
	{"2130706433", false, false},
	{"0x7f000001", false, false},
	{"0177.0.0.1", false, false},
}

// parent is a proxy that answers every request itself, and remembers for which
// hosts. The proxies under test hand theirs to it, so that no name is ever
// looked up.
type parent struct {
	addr  string
	mu    sync.Mutex
	asked map[string]bool
}

func startParent(t *testing.T) *parent {
	t.Helper()
	p := &parent{asked: make(map[string]bool)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked[hostOf(r.Host)] = true
		p.mu.Unlock()
		w.Header().Set("X-Parent", "yes")
	}))
	t.Cleanup(server.Close)
	p.addr = server.Listener.Addr().String()
	return p
}

// took returns whether the parent was asked for the host since the last time.
func (p *parent) took(host string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked[hostOf(host)]
	clear(p.asked)
	return asked
}

// hostOf returns a host without its port and the root's dot, in lower case.
func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, ".[]"))
}

// forwards asks a proxy for a name, with http and with CONNECT, and returns
// whether it passes. 403 is the only denial; anything else fails the test.
func forwards(t *testing.T, proxy, name string) bool {
	t.Helper()
	get := status(t, proxy, "GET", "http://"+name+"/", name)
	connect := status(t, proxy, "CONNECT", name+":443", name+":443")
	if get != connect {
		t.Errorf("%s: GET says %d, CONNECT says %d", name, get, connect)
	}
	for _, s := range []int{get, connect} {
		if s != http.StatusOK && s != http.StatusForbidden {
			t.Errorf("%s: neither passed nor forbidden but %d", name, s)
		}
	}
	return get == http.StatusOK
}

func status(t *testing.T, proxy, method, url, host string) int {
	t.Helper()
	resp, err := request(t, proxy, method, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", method, url, host))
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	if method == "GET" && resp.StatusCode == http.StatusOK && resp.Header.Get("X-Parent") == "" {
		t.Errorf("%s %s: the proxy answered in the parent's place", method, url)
	}
	return resp.StatusCode
}

// request sends a request as it is and returns the head of the response.
func request(t *testing.T, proxy, method, text string) (*http.Response, error) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", proxy, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprint(conn, text)
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err == nil {
		resp.Body.Close()
	}
	return resp, err
}

// proxyTarget also looks whether a name on the list leads to no port but the
// usual ones: a tunnel nowhere else, plain HTTP only where the format says it.
func proxyTarget(f export.Format, addr string, p *parent) target {
	return target{
		ask: func(t *testing.T, name string) bool { t.Helper(); return forwards(t, addr, name) },
		done: func(t *testing.T, _ map[string]bool) {
			t.Helper()
			for _, port := range []string{"22", "80", "8443"} {
				if got := status(t, addr, "CONNECT", "www.example.com:"+port, "www.example.com:"+port); got != http.StatusForbidden {
					t.Errorf("a tunnel to port %s: %d", port, got)
				}
			}
			want := http.StatusForbidden
			if strings.Contains(f.Load, "plain HTTP to any") {
				want = http.StatusOK
			}
			if got := status(t, addr, "GET", "http://www.example.com:8080/", "www.example.com:8080"); got != want {
				t.Errorf("plain HTTP to port 8080: %d, want %d", got, want)
			}
		},
		ways: proxyWays(addr, p),
	}
}

// loadLines returns the lines of configuration that the format tells its user
// to write, with the file's own path.
func loadLines(f export.Format, separator, example, path string) string {
	return strings.ReplaceAll(strings.ReplaceAll(f.Load, example, path), separator, "\n") + "\n"
}

// takenAside makes the files beside the list as the format says, and returns the
// configuration with their paths in place of the format's own.
func takenAside(t *testing.T, f export.Format, path, conf string) string {
	t.Helper()
	for _, text := range []string{f.Address, f.Pattern} {
		at := strings.Index(text, "sed ")
		if at < 0 {
			continue
		}
		command, there, _ := strings.Cut(text[at:], " > ")
		words := strings.Fields(command)
		data := run(t, "sh", "-c", strings.ReplaceAll(command, words[len(words)-1], path))
		conf = strings.ReplaceAll(conf, there, write(t, "beside", []byte(data), 0o644))
	}
	return conf
}

func TestSquid(t *testing.T) {
	f := format(t, "squid")
	prove(t, f, func(t *testing.T, path string) target {
		addr := freeAddr(t)
		p := startParent(t)
		host, port := hostPort(t, p.addr)
		conf := fmt.Sprintf(`http_port %s
cache_peer %s parent %s 0 no-query no-digest default
never_direct allow all
pid_filename none
access_log none
cache_log /dev/null
cache deny all
netdb_filename none
pinger_enable off
visible_hostname proof
shutdown_lifetime 0 seconds
`, addr, host, port) + loadLines(f, "; ", "/etc/squid/allow.domains", path)
		conf = takenAside(t, f, path, conf)
		start(t, accepts(addr), "squid", "-N", "-d", "1", "-f", write(t, "squid.conf", []byte(conf), 0o644))
		return proxyTarget(f, addr, p)
	}, hostQuestions...)
}

func TestTinyproxy(t *testing.T) {
	f := format(t, "tinyproxy")
	lines := f
	lines.Load, _, _ = strings.Cut(f.Load, ";") // words follow
	prove(t, f, func(t *testing.T, path string) target {
		addr, p := freeAddr(t), startParent(t)
		host, port := hostPort(t, addr)
		conf := fmt.Sprintf("Listen %s\nPort %s\nUpstream http %s\nMaxClients 20\n", host, port, p.addr) +
			loadLines(lines, ", ", "FILE", path)
		start(t, accepts(addr), "tinyproxy", "-d", "-c", write(t, "tinyproxy.conf", []byte(conf), 0o644))
		return proxyTarget(f, addr, p)
	}, hostQuestions...)
}

func TestPrivoxy(t *testing.T) {
	f := format(t, "privoxy")
	prove(t, f, func(t *testing.T, path string) target {
		addr, p := freeAddr(t), startParent(t)
		conf := fmt.Sprintf("confdir /etc/privoxy\nhostname proof\nlisten-address %s\nforward / %s\nactionsfile %s\n", addr, p.addr, path)
		start(t, accepts(addr), "privoxy", "--no-daemon", write(t, "privoxy.conf", []byte(conf), 0o644))
		return proxyTarget(f, addr, p)
	}, hostQuestions...)
}

// handshakes returns whether a TLS hello with that name gets through to the
// server. A denial closes the connection; silence fails the test.
func handshakes(t *testing.T, proxy, name string) bool {
	t.Helper()
	conn, err := net.DialTimeout("tcp", proxy, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	err = hello(conn, name)
	if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Errorf("%s: neither passed nor denied: %v", name, err)
	}
	return err == nil
}

// tlsTarget also looks whether what names no host is denied, and that no denied
// name was looked up.
func tlsTarget(addr string, u *upstream) target {
	return target{
		ask: func(t *testing.T, name string) bool { t.Helper(); return handshakes(t, addr, name) },
		done: func(t *testing.T, denied map[string]bool) {
			t.Helper()
			if handshakes(t, addr, "") {
				t.Error("a hello without a name passes")
			}
			if names := u.leaked(denied); len(names) > 0 {
				t.Errorf("denied, but looked up: %q", names)
			}
		},
		ways: tlsWays(addr, u),
	}
}

// configured returns the configuration that the file holds, taken out as the
// format says, with what differs here: the words of pairs, each and what
// replaces it.
func configured(t *testing.T, f export.Format, path string, pairs ...string) string {
	t.Helper()
	command, _, ok := strings.Cut(f.Load[max(0, strings.Index(f.Load, "sed ")):], " > ")
	if !ok {
		t.Fatalf("no command in %q", f.Load)
	}
	words := strings.Fields(command)
	own := words[len(words)-1] // where the format puts the file
	conf := run(t, "sh", "-c", strings.ReplaceAll(command, own, path))
	pairs = append(pairs, own, path)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(conf, pairs[i]) {
			t.Fatalf("no %q in\n%s", pairs[i], conf)
		}
		conf = strings.ReplaceAll(conf, pairs[i], pairs[i+1])
	}
	return conf
}

// startThere is a TLS server at the address that the upstream knows for every
// name, and returns where a proxy that goes there by its own port has to listen.
func startThere(t *testing.T) (addr string) {
	t.Helper()
	there := freePort(t, netip.AddrFrom4(answer4).String())
	l, err := net.Listen("tcp", there)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Listener = l
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port := hostPort(t, there)
	return "127.0.0.1:" + port
}

func TestHAProxy(t *testing.T) {
	f := format(t, "haproxy")
	launch := func(t *testing.T, path, loopback string) (string, *upstream) {
		u, addr := startUpstream(t), startThere(t)
		conf := configured(t, f, path, "bind :443", "bind "+addr, "parse-resolv-conf", "nameserver proof "+u.addr, "127.0.0.0/8", loopback)
		conf = takenAside(t, f, path, conf)
		start(t, accepts(addr), "haproxy", "-db", "-f", write(t, "haproxy.cfg", []byte(conf), 0o644))
		return addr, u
	}
	prove(t, f, func(t *testing.T, path string) target {
		return tlsTarget(launch(t, path, "127.0.0.0/32"))
	}, hostQuestions...)
	if addr, _ := launch(t, file(t, f, []rule.Rule{{Name: "www.example.com"}}), "127.0.0.0/8"); handshakes(t, addr, "www.example.com") {
		t.Error("a name leads to the proxy's own loopback")
	}
}

// commented returns the lines that the file's comments tell its user to write
// or to run: those that begin with the word.
func commented(t *testing.T, path, word string) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(read(t, path)) {
		if text := strings.TrimSpace(strings.TrimPrefix(line, "#")); text != line && strings.HasPrefix(text, word) {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines, "\n")
}

func TestNginx(t *testing.T) {
	const modules = "/usr/lib/nginx"
	if _, err := os.Stat(root + modules + "/modules/ngx_stream_module.so"); err != nil {
		t.Fatalf("%v: %s", err, packages["nginx"])
	}
	f := format(t, "nginx")
	var early []string                                          // where it says what is wrong before it has read the file
	if strings.Contains(run(t, "nginx", "-h"), "-e filename") { // 1.19 and later
		early = []string{"-e", "stderr"}
	}
	prove(t, f, func(t *testing.T, path string) target {
		u, addr := startUpstream(t), startThere(t)
		dir := t.TempDir()
		host, port := hostPort(t, u.addr)
		conf := configured(t, f, path, "modules/", modules+"/modules/", "listen 443;", "listen "+addr+";", "listen [::]:443;", "", "127.0.0.53", host+":"+port)
		conf = "daemon off;\nmaster_process off;\nerror_log stderr;\npid " + filepath.Join(dir, "pid") + ";\n" + conf
		start(t, accepts(addr), "nginx", append(early, "-p", dir, "-c", write(t, "nginx.conf", []byte(conf), 0o644))...)
		return tlsTarget(addr, u)
	}, hostQuestions...)
}
