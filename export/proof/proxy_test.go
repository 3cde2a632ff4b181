package proof

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lxd-allowlist/export"
)

// patience is how long a proxy may take over one request.
const patience = 10 * time.Second

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
}

// startParent is a proxy that answers every request itself. The proxies under
// test hand theirs to it, so that no name is ever looked up.
func startParent(t *testing.T) (addr string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Parent", "yes")
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
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
	conn, err := net.DialTimeout("tcp", proxy, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", method, url, host)
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	resp.Body.Close()
	if method == "GET" && resp.StatusCode == http.StatusOK && resp.Header.Get("X-Parent") == "" {
		t.Errorf("%s %s: the proxy answered in the parent's place", method, url)
	}
	return resp.StatusCode
}

func proxyTarget(addr string) target {
	return target{ask: func(t *testing.T, name string) bool { t.Helper(); return forwards(t, addr, name) }}
}

// loadLines returns the lines of configuration that the format tells its user
// to write, with the file's own path.
func loadLines(f export.Format, separator, example, path string) string {
	return strings.ReplaceAll(strings.ReplaceAll(f.Load, example, path), separator, "\n") + "\n"
}

func TestSquid(t *testing.T) {
	f := format(t, "squid")
	prove(t, f, func(t *testing.T, path string) target {
		addr := freeAddr(t)
		host, port := hostPort(t, startParent(t))
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
		start(t, accepts(addr), "squid", "-N", "-d", "1", "-f", write(t, "squid.conf", []byte(conf), 0o644))
		return proxyTarget(addr)
	}, hostQuestions...)
}

func TestTinyproxy(t *testing.T) {
	f := format(t, "tinyproxy")
	prove(t, f, func(t *testing.T, path string) target {
		addr := freeAddr(t)
		host, port := hostPort(t, addr)
		conf := fmt.Sprintf("Listen %s\nPort %s\nUpstream http %s\nMaxClients 20\n", host, port, startParent(t)) +
			loadLines(f, ", ", "FILE", path)
		start(t, accepts(addr), "tinyproxy", "-d", "-c", write(t, "tinyproxy.conf", []byte(conf), 0o644))
		return proxyTarget(addr)
	}, hostQuestions...)
}

func TestPrivoxy(t *testing.T) {
	prove(t, format(t, "privoxy"), func(t *testing.T, path string) target {
		addr := freeAddr(t)
		conf := fmt.Sprintf("confdir /etc/privoxy\nlisten-address %s\nforward / %s\nactionsfile %s\n", addr, startParent(t), path)
		start(t, accepts(addr), "privoxy", "--no-daemon", write(t, "privoxy.conf", []byte(conf), 0o644))
		return proxyTarget(addr)
	}, hostQuestions...)
}

// startTLS is a server that any name leads to.
func startTLS(t *testing.T) (addr string) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
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
	err = tls.Client(conn, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake()
	if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Errorf("%s: neither passed nor denied: %v", name, err)
	}
	return err == nil
}

// tlsTarget also looks whether what names no host is denied.
func tlsTarget(addr string) target {
	return target{
		ask: func(t *testing.T, name string) bool { t.Helper(); return handshakes(t, addr, name) },
		done: func(t *testing.T, _ map[string]bool) {
			t.Helper()
			if handshakes(t, addr, "") {
				t.Error("a hello without a name passes")
			}
		},
	}
}

func TestHAProxy(t *testing.T) {
	prove(t, format(t, "haproxy"), func(t *testing.T, path string) target {
		addr := freeAddr(t)
		conf := fmt.Sprintf(`defaults
  mode tcp
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend names
  bind %s
%s
  default_backend all
backend all
  server all %s
`, addr, strings.ReplaceAll(commented(t, path, "tcp-request "), "FILE", path), startTLS(t))
		start(t, accepts(addr), "haproxy", "-db", "-f", write(t, "haproxy.cfg", []byte(conf), 0o644))
		return tlsTarget(addr)
	}, hostQuestions...)
}

// commented returns the lines that the file's comments tell its user to write
// or to run: those that begin with the word.
func commented(t *testing.T, path, word string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		if text := strings.TrimSpace(strings.TrimPrefix(line, "#")); text != line && strings.HasPrefix(text, word) {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines, "\n")
}

func TestNginx(t *testing.T) {
	const module = "/usr/lib/nginx/modules/ngx_stream_module.so"
	if _, err := os.Stat(module); err != nil {
		t.Fatalf("%v: %s", err, packages["nginx"])
	}
	prove(t, format(t, "nginx"), func(t *testing.T, path string) target {
		addr := freeAddr(t)
		dir := t.TempDir()
		conf := fmt.Sprintf(`load_module %s;
daemon off;
master_process off;
pid %s;
error_log stderr;
events { }
stream {
  include %s;
  map $allowed $upstream { 1 %s; }
  server {
    listen %s;
    ssl_preread on;
    proxy_pass $upstream;
  }
}
`, module, filepath.Join(dir, "pid"), path, startTLS(t), addr)
		start(t, accepts(addr), "nginx", "-p", dir, "-e", "stderr", "-c", write(t, "nginx.conf", []byte(conf), 0o644))
		return tlsTarget(addr)
	}, hostQuestions...)
}
